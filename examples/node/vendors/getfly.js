// A Getfly (API 6.1) after its public manual and what clients met. Each doubtful behaviour is a switch.
import { chance, listen, vietnam } from "./http.js";

const ACCOUNT_FIELDS = [
  "id", "account_code", "account_name", "description", "billing_address_street", "phone_office", "email", "website", "birthday", "sic_code",
  "created_at", "updated_at", "account_type", "account_source", "relation_id", "relation_name", "gender", "contacts", "account_manager",
  "account_source_details", "mgr_display_name", "mgr_email", "total_revenue",
];
const USER_FIELDS = ["user_id", "contact_id", "contact_name", "user_name", "dept_id", "dept_name", "email", "contact_mobile", "extensions"];
const PRODUCT_FIELDS = ["id", "product_id", "product_code", "product_name", "unit_name", "cover_price"];
const ORDER_FIELDS = [
  "id", "order_code", "real_amount", "f_amount", "discount", "discount_amount", "vat_amount", "account_id", "account_code", "account_name",
  "account_email", "account_phone", "account_address", "order_date", "created_at", "updated_at", "status", "status_label", "payment_status",
  "assigned_user", "assigned_user_name", "order_details", "order_terms", "lading_code",
];

const problem = (status, message, errors) => ({ status, body: errors ? { message, errors } : { message } });
const now = () => vietnam(Date.now()).slice(0, 19).replace("T", " ");
const digits = (text) => (text ?? "").replace(/\D/g, "").replace(/^84/, "0");

export class Getfly {
  constructor(key, switches = {}) {
    this.key = key;
    this.switches = {
      seed: 1,
      duplicates: "allowed", // phones and e-mails: "allowed", or "refused" with "không cho phép trùng"
      orderWithoutCode: "alone", // what an order without an account code does: "alone", "creates", "refused"
      created: 201, // or 200
      gender: "taken", // or "refused" by its name
      unknownSource: "created", // or "refused"
      unknownProduct: "taken", // or "refused"
      ordersCounted: true, // whether /account/count_orders_status is there
      lostReplies: 0, // how often a create is stored and its answer lost
      failures: 0, // how often a call is answered 500
      tooMany: 0, // how often one is answered 429 with Retry-After: 1
      ...switches,
    };
    this.chance = chance(this.switches.seed);
    this.accounts = [];
    this.orders = [];
    this.products = [];
    this.users = [];
    this.sources = new Set(["Facebook"]);
    this.faulty = true; // whether the three faults happen
    this.calls = new Map();
    this.nextId = 10001;
  }

  async start() {
    const { origin, close } = await listen((request) => this.answer(request));
    this.origin = origin;
    this.close = close;
  }

  answer(request) {
    const call = `${request.method} ${request.path}`;
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
    if (request.headers["x-api-key"] !== this.key) return problem(401, "Unauthorized");
    if (this.faulty && this.chance() < this.switches.tooMany) return { ...problem(429, "Too Many Requests"), headers: { "retry-after": "1" } };
    if (this.faulty && this.chance() < this.switches.failures) return problem(500, "Internal Server Error");
    switch (call) {
      case "GET /api/v6.1/users":
        return this.list(request, this.users, USER_FIELDS);
      case "GET /api/v6.1/accounts":
        return this.list(request, this.accounts, ACCOUNT_FIELDS);
      case "GET /api/v6.1/products":
        return this.list(request, this.products, PRODUCT_FIELDS);
      case "GET /api/v6.1/sale_orders":
        return this.list(request, this.orders, ORDER_FIELDS);
      case "GET /api/v6.1/account":
        return this.one(request, this.accounts, "account_code", ACCOUNT_FIELDS);
      case "GET /api/v6.1/product":
        return this.one(request, this.products, "product_code", PRODUCT_FIELDS);
      case "GET /api/v6.1/sale_order":
        return this.one(request, this.orders, "order_code", ORDER_FIELDS);
      case "POST /api/v6.1/account":
        return this.lost(this.createAccount(request));
      case "POST /api/v6.1/sale_order":
        return this.lost(this.createOrder(request));
      case "GET /api/v6.1/account/count_orders_status":
        return this.switches.ordersCounted ? this.countOrders(request) : problem(404, "Route not found");
      case "GET /api/v6.1/account/custom_fields":
      case "GET /api/v6.1/sale_order/custom_fields":
        return { status: 200, body: { data: [], has_more: false } };
      default:
        return problem(404, "Route not found");
    }
  }

  /** The record is stored; its answer may be lost. */
  lost(answered) {
    return this.faulty && answered.status < 300 && this.chance() < this.switches.lostReplies ? null : answered;
  }

  json({ headers, text }) {
    if (!headers["content-type"]?.startsWith("application/json")) return null;
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  createAccount(request) {
    const body = this.json(request);
    if (!body) return problem(400, "Bad request");
    const errors = {};
    if (!body.account_name) errors.account_name = ["account_name không được để trống"];
    const code = body.account_code ?? `KH${this.nextId}`;
    if (this.accounts.some((a) => a.account_code === code)) errors.account_code = [`Mã khách hàng ${code} đã tồn tại`];
    if (this.switches.duplicates === "refused") {
      const same = (a) => body.phone_office && digits(a.phone_office) === digits(body.phone_office);
      if (this.accounts.some(same)) errors.phone_office = ["Số điện thoại không cho phép trùng"];
      const mail = (a) => body.email && a.email?.toLowerCase() === body.email.toLowerCase();
      if (this.accounts.some(mail)) errors.email = ["Email không cho phép trùng"];
    }
    const manager = this.users.find((u) => u.user_name === body.account_manager_username);
    if (body.account_manager_username !== undefined && !manager) errors.account_manager_username = ["Người phụ trách không tồn tại"];
    if (body.gender !== undefined && this.switches.gender === "refused") errors.gender = ["gender không hợp lệ"];
    for (const source of body.account_source_names ?? []) {
      if (this.sources.has(source)) continue;
      if (this.switches.unknownSource === "refused") errors.source_name = [`Nguồn ${source} không tồn tại`];
      else this.sources.add(source);
    }
    if (Object.keys(errors).length) return problem(400, Object.values(errors)[0][0], errors);
    const account = {
      id: this.nextId++, ...body, account_code: code, account_manager: manager?.user_id ?? null, created_at: now(), updated_at: now(),
    };
    this.accounts.push(account);
    return { status: this.switches.created, body: { message: "Thêm mới thành công", data: { account_id: account.id, account_code: code } } };
  }

  createOrder(request) {
    const body = this.json(request);
    if (!body) return problem(400, "Bad request");
    const errors = {};
    const code = body.order_code ?? `DH${this.nextId}`;
    if (this.orders.some((o) => o.order_code === code)) errors.order_code = [`Mã đơn hàng ${code} đã tồn tại`];
    const wanted = body.account?.account_code;
    let account = this.accounts.find((a) => a.account_code === wanted);
    if (wanted && !account) errors.account_code = ["Khách hàng không tồn tại"];
    if (!wanted && this.switches.orderWithoutCode === "refused") errors.account_code = ["account_code không được để trống"];
    const executor = this.users.find((u) => u.user_name === body.assigned_username);
    if (body.assigned_username !== undefined && !executor) errors.assigned_username = ["Người thực hiện không tồn tại"];
    if (!body.saved_order_details?.length) errors.saved_order_details = ["Đơn hàng không có sản phẩm"];
    if (!/^\d{4}-\d\d-\d\d$/.test(body.order_date ?? "")) errors.order_date = ["order_date không hợp lệ"];
    for (const line of body.saved_order_details ?? []) {
      const known = !line.product_code || this.products.some((p) => p.product_code === line.product_code);
      if (!known && this.switches.unknownProduct === "refused") errors.product_code = [`Sản phẩm ${line.product_code} không tồn tại`];
    }
    if (Object.keys(errors).length) return problem(400, Object.values(errors)[0][0], errors);
    if (!wanted && this.switches.orderWithoutCode === "creates") {
      account = { id: this.nextId++, account_code: `KH${this.nextId}`, account_name: body.account?.account_name ?? "Khách lẻ", created_at: now(), updated_at: now() };
      this.accounts.push(account);
    }
    const lines = body.saved_order_details.map((line) => {
      const gross = Number(line.quantity) * Number(line.price);
      const off = line.cash_discount ?? (gross * (line.product_sale_off ?? 0)) / 100;
      return { id: this.nextId++, ...line, amount: gross - Number(off) };
    });
    const money = (name) => Number(body[name] ?? 0);
    const sum = lines.reduce((total, line) => total + line.amount, 0);
    const order = {
      id: this.nextId++, ...body, order_code: code, order_details: lines,
      real_amount: Math.round(sum - money("discount_amount") + money("vat_amount") + money("transport_amount") + money("installation_amount")),
      account_id: account?.id, account_code: account?.account_code ?? "", account_name: body.account?.account_name ?? account?.account_name,
      assigned_user: executor?.user_id, assigned_user_name: executor?.contact_name, status: 1, status_label: "Chờ duyệt",
      payment_status: "Chưa thanh toán", created_at: now(), updated_at: now(),
    };
    this.orders.push(order);
    return { status: this.switches.created, body: { message: "Thêm mới thành công", data: { order_id: order.id, order_code: code } } };
  }

  countOrders({ query }) {
    const own = this.orders.filter((order) => String(order.account_id) === query.get("account_id"));
    return { status: 200, body: { total_orders_pending: own.length, total_orders_approved: 0, total_orders_canceled: 0 } };
  }

  one({ query }, records, key, all) {
    const found = records.find((record) => record[key] === query.get(key));
    if (!found) return problem(404, "Không tìm thấy");
    return { status: 200, body: this.picked(found, query.get("fields")?.split(",") ?? all) };
  }

  picked(record, fields) {
    return Object.fromEntries(fields.map((field) => [field, record[field] ?? null]));
  }

  list({ query }, records, all) {
    const fields = query.get("fields")?.split(",");
    if (!fields || fields.some((field) => !all.includes(field))) return { status: 400, body: { message: "fields không hợp lệ", available_fields: all } };
    let found = records;
    const filters = new Map();
    for (const [name, value] of query) {
      const [, field, op = "eq"] = /^filtering\[([a-z_]+)(?::([a-z_]+))?\]/.exec(name) ?? [];
      if (field && field !== "valid") filters.set(`${field}:${op}`, [...(filters.get(`${field}:${op}`) ?? []), value]);
    }
    for (const [filter, values] of filters) {
      const [field, op] = filter.split(":");
      const [value] = values;
      const test = {
        eq: (have) => have === value,
        in: (have) => values.includes(have),
        contains: (have) => have.toLowerCase().includes(value.toLowerCase()),
        gte: (have) => have >= value,
        lte: (have) => have <= value,
        between: (have) => have >= value && have <= values[1],
      }[op];
      if (!test || !all.includes(field)) return problem(400, `Điều kiện lọc ${filter} không hợp lệ`);
      found = found.filter((record) => test(String(record[field] ?? "")));
    }
    const [, sorted] = [...query].find(([name]) => name === "sort") ?? [];
    const key = sorted ?? (all[0] === "user_id" ? "user_id" : "id");
    const sign = (query.get("direction") ?? (sorted ? "asc" : "desc")).toLowerCase() === "desc" ? -1 : 1;
    found = found.toSorted((a, b) => sign * (a[key] > b[key] ? 1 : a[key] < b[key] ? -1 : 0));
    const offset = Number(query.get("offset") ?? 0);
    const limit = query.get("limit") ? Number(query.get("limit")) : found.length;
    const page = found.slice(offset, offset + limit).map((record) => this.picked(record, fields));
    return { status: 200, body: { data: page, has_more: offset + limit < found.length, offset, limited: query.get("limit") ? limit : false } };
  }
}
