// A KiotViet after its public manual and what was seen in the field. Each doubtful behaviour is a switch.
import { createHmac, randomUUID } from "node:crypto";
import { chance, listen, moment, vietnam } from "./http.js";

const TYPES = new Set(
  ["customer", "product", "pricebook", "pricebookdetail", "category", "branch"]
    .flatMap((kind) => [`${kind}.update`, `${kind}.delete`])
    .concat("stock.update", "order.update", "invoice.update"),
);
const ENDS_A_SUBSCRIPTION = new Set([400, 401, 403, 404, 405]);
const ANSWER_WITHIN_MS = 5000;

/** Seven digits of fraction; lists have no offset, deliveries have one. */
const listTime = (ms) => `${vietnam(ms)}0000`;
const deliveryTime = (ms) => `${vietnam(ms)}0000+07:00`;

const refusal = (status, errorCode, message) => ({ status, body: { responseStatus: { errorCode, message, errors: [] } } });
const pascal = (name) => name[0].toUpperCase() + name.slice(1);

function recased(value, rename) {
  if (Array.isArray(value)) return value.map((item) => recased(item, rename));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rename(name), recased(inner, rename)]));
}

/** Members without a value are absent. */
const present = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));

export class KiotViet {
  constructor(shop, switches = {}) {
    this.shop = shop; // { retailer, retailerId, clientId, clientSecret }
    this.switches = {
      seed: 1,
      invoiceCasing: "mixed", // "camel", "pascal", "mixed"
      retries: 2, // how often a failed delivery is repeated
      retryMs: 1000,
      duplicates: 0.2, // how often one is delivered twice
      shuffledMs: 300, // how late a delivery may be
      failuresBeforeOff: Infinity, // failed deliveries in a row after which a webhook is switched off
      ...switches,
    };
    this.chance = chance(this.switches.seed);
    this.customers = new Map();
    this.invoices = new Map();
    this.users = [];
    this.branches = [{ id: 1001, branchName: "Chi nhánh trung tâm", branchCode: "CN1", contactNumber: "+84900000000", retailerId: shop.retailerId, email: "", address: "", createdDate: Date.now() - 1e10 }];
    this.webhooks = [];
    this.tokens = new Set();
    this.deliveries = { sent: 0, accepted: 0, failed: 0, underway: 0 };
    this.nextId = 20000001;
  }

  async start() {
    const { origin, close } = await listen((request) => this.answer(request));
    this.origin = origin;
    this.close = close;
  }

  // What happens in the shop.

  customer(fields, created = Date.now()) {
    const id = this.nextId++;
    const record = { id, code: `KH${String(id % 1000000).padStart(6, "0")}`, retailerId: this.shop.retailerId, branchId: 1001, type: 0, createdDate: created, modifiedDate: created, ...fields };
    this.customers.set(id, record);
    return record;
  }

  changeCustomer(customer, fields) {
    Object.assign(customer, fields, { modifiedDate: Date.now() });
    this.tell("customer.update", customer);
  }

  /** An invoice. `lines` are `[code, name, quantity, price, discount per unit]`. */
  invoice({ code, customer, soldBy, lines, discount = 0, surcharge = 0, purchased = Date.now() }) {
    const id = this.nextId++;
    const details = lines.map(([productCode, productName, quantity, price, off = 0], i) => ({
      productId: 7000 + i, productCode, productName, quantity, price, discount: off, subTotal: Math.round(quantity * (price - off)),
    }));
    const total = details.reduce((sum, line) => sum + line.subTotal, 0) - discount + surcharge;
    const record = {
      id,
      code: code ?? `HD${String(id % 1000000).padStart(6, "0")}`,
      purchaseDate: purchased,
      branchId: 1001,
      branchName: "Chi nhánh trung tâm",
      soldById: soldBy?.id,
      soldByName: soldBy?.givenName,
      customerId: customer?.id,
      customerCode: customer?.code,
      customerName: customer?.name ?? "Khách lẻ",
      total,
      totalPayment: total,
      discount,
      status: 1,
      statusValue: "Hoàn thành",
      usingCod: false,
      createdDate: Date.now(),
      modifiedDate: Date.now(),
      invoiceDetails: details,
      invoiceOrderSurcharges: surcharge ? [{ id: 1, surchargeId: 1, surName: "Phí giao hàng", surValue: surcharge, price: surcharge }] : [],
      payments: [],
    };
    this.invoices.set(id, record);
    return record;
  }

  cancel(invoice) {
    Object.assign(invoice, { status: 2, statusValue: "Đã hủy", modifiedDate: Date.now() });
  }

  /** An edit: the invoice is cancelled, and one with a new id and `.01` behind its code takes its place. */
  edit(invoice, lines) {
    this.cancel(invoice);
    const customer = this.customers.get(invoice.customerId);
    const soldBy = this.users.find((user) => user.id === invoice.soldById);
    return this.invoice({ code: `${invoice.code}.01`, customer, soldBy, lines, purchased: invoice.purchaseDate });
  }

  // Webhooks.

  /** Delivers a record's change to each webhook of its type. */
  tell(type, ...records) {
    for (const hook of this.webhooks.filter((hook) => hook.type === type && hook.isActive)) {
      const times = this.chance() < this.switches.duplicates ? 2 : 1;
      for (let i = 0; i < times; i++) this.deliver(hook, this.envelope(type, records));
    }
  }

  envelope(type, records) {
    const casing = this.switches.invoiceCasing;
    const camel = type === "invoice.update" && (casing === "camel" || (casing === "mixed" && this.chance() < 0.5));
    const data = records.map((record) => {
      const item = type === "customer.update" ? this.customerItem(record) : this.invoiceItem(record);
      const name = type === "customer.update" ? "WebhookCustomerUpdateRes" : "WebhookInvoiceUpdateRes";
      return {
        __type: `KiotViet.OmniChannelCore.Api.Shared.Model.${name}, KiotViet.OmniChannelCore.Api.Shared`,
        ...(camel ? item : recased(item, pascal)),
      };
    });
    return { Id: randomUUID(), Attempt: 1, Notifications: [{ Action: `${type}.${this.shop.retailerId}`, Data: data }] };
  }

  customerItem(c) {
    return present({
      id: c.id, code: c.code, name: c.name, gender: c.gender, birthDate: c.birthDate && deliveryTime(c.birthDate),
      contactNumber: c.contactNumber, address: c.address, locationName: c.locationName, email: c.email,
      modifiedDate: deliveryTime(c.modifiedDate), type: c.type, organization: c.organization ?? "", taxCode: c.taxCode ?? "", comments: c.comments ?? "",
    });
  }

  /** Neither the customer's phone, nor when it was created, nor surcharges. */
  invoiceItem(i) {
    const { createdDate, invoiceOrderSurcharges, ...rest } = i;
    const invoiceDetails = i.invoiceDetails.map(({ subTotal, ...line }) => line);
    return present({ ...rest, invoiceDetails, purchaseDate: deliveryTime(i.purchaseDate), modifiedDate: deliveryTime(i.modifiedDate) });
  }

  async deliver(hook, envelope) {
    this.deliveries.underway++;
    await new Promise((resolve) => setTimeout(resolve, this.chance() * this.switches.shuffledMs));
    for (let attempt = 1; attempt <= 1 + this.switches.retries && hook.isActive; attempt++) {
      if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, this.switches.retryMs));
      const body = JSON.stringify({ ...envelope, Attempt: attempt });
      const headers = { "content-type": "application/json; charset=utf-8" };
      if (hook.secret) headers["x-hub-signature"] = `sha1=${createHmac("sha256", hook.secret).update(body).digest("hex")}`;
      this.deliveries.sent++;
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const status = await fetch(hook.url, { method: "POST", headers, body, signal, redirect: "manual" }).then(
        async (response) => (await response.arrayBuffer(), response.status),
        () => 0,
      );
      if (status >= 200 && status < 300) {
        this.deliveries.accepted++;
        hook.failures = 0;
        break;
      }
      this.deliveries.failed++;
      hook.failures++;
      if (ENDS_A_SUBSCRIPTION.has(status) || hook.failures >= this.switches.failuresBeforeOff) hook.isActive = false;
    }
    this.deliveries.underway--;
  }

  // The API.

  answer(request) {
    if (request.path === "/connect/token") return this.token(request);
    const [kind, ...token] = (request.headers.authorization ?? "").split(" ");
    const known = kind === "Bearer" && this.tokens.has(token.join(" "));
    if (!known || request.headers.retailer !== this.shop.retailer)
      return refusal(401, "TokenException", "Token không hợp lệ hoặc đã hết hạn");
    const [, collection, id, code] = request.path.split("/").map(decodeURIComponent);
    if (collection === "webhooks") return this.webhook(request, id);
    if (request.method !== "GET") return refusal(405, "MethodNotAllowed", "Phương thức không được hỗ trợ");
    const one = (records, item) => {
      const found = id === "code" ? [...records.values()].find((record) => record.code === code) : records.get(Number(id));
      return found ? { status: 200, body: item(found) } : refusal(404, "NotFoundException", `Không tìm thấy ${collection} ${id}`);
    };
    switch (collection) {
      case "branches":
        return this.list(request, this.branches, (b) => ({ ...b, createdDate: listTime(b.createdDate) }));
      case "users":
        // Administrators are not listed.
        return this.list(request, this.users.filter((u) => !u.isAdmin), ({ isAdmin, ...u }) => ({ ...u, createdDate: listTime(u.createdDate) }));
      case "customers":
        return id ? one(this.customers, this.customerRow) : this.list(request, [...this.customers.values()], this.customerRow);
      case "invoices":
        return id ? one(this.invoices, this.invoiceRow) : this.list(request, [...this.invoices.values()], this.invoiceRow);
      default:
        return refusal(404, "NotFoundException", "Không tìm thấy");
    }
  }

  token({ method, headers, text }) {
    const form = new URLSearchParams(text);
    const scopes = form.get("scopes") ?? form.get("scope") ?? "PublicApi.Access";
    const right =
      method === "POST" &&
      headers["content-type"]?.startsWith("application/x-www-form-urlencoded") &&
      form.get("grant_type") === "client_credentials" &&
      form.get("client_id") === this.shop.clientId &&
      form.get("client_secret") === this.shop.clientSecret &&
      scopes === "PublicApi.Access";
    if (!right) return { status: 400, body: { error: "invalid_client" } };
    const token = `token-${randomUUID()}`;
    this.tokens.add(token);
    return { status: 200, body: { access_token: token, expires_in: 86400, token_type: "Bearer", scope: "PublicApi.Access" } };
  }

  webhook({ method, text, query }, id) {
    const row = ({ secret, failures, ...hook }) => ({ ...hook, modifiedDate: listTime(hook.modifiedDate) });
    const found = id && this.webhooks.find((hook) => hook.id === Number(id));
    if (id && !found) return refusal(404, "NotFoundException", "Không tìm thấy webhook");
    switch (method) {
      case "GET": {
        if (found) return { status: 200, body: row(found) };
        const pageSize = Math.min(Number(query.get("pageSize") ?? 20), 100);
        return { status: 200, body: { total: this.webhooks.length, pageSize, data: this.webhooks.slice(0, pageSize).map(row) } };
      }
      case "DELETE":
        if (!found) return refusal(405, "MethodNotAllowed", "Phương thức không được hỗ trợ");
        this.webhooks = this.webhooks.filter((hook) => hook !== found);
        found.isActive = false;
        return { status: 200, body: { message: "Hủy đăng ký webhook thành công" } };
      case "POST": {
        const wanted = JSON.parse(text).Webhook;
        if (!wanted?.Url || !TYPES.has(wanted.Type)) return refusal(420, "KvValidateWebhookException", "Webhook không hợp lệ");
        const hook = {
          id: this.nextId++, type: wanted.Type, url: wanted.Url, isActive: wanted.IsActive, retailerId: this.shop.retailerId,
          description: wanted.Description, secret: wanted.Secret, modifiedDate: Date.now(), failures: 0,
        };
        this.webhooks.push(hook);
        const { modifiedDate, ...answered } = row(hook);
        return { status: 200, body: answered };
      }
      default:
        return refusal(405, "MethodNotAllowed", "Phương thức không được hỗ trợ");
    }
  }

  customerRow = (c) =>
    present({ ...c, createdDate: listTime(c.createdDate), modifiedDate: listTime(c.modifiedDate), birthDate: c.birthDate && listTime(c.birthDate) });

  invoiceRow = (i) =>
    present({ ...i, purchaseDate: listTime(i.purchaseDate), createdDate: listTime(i.createdDate), modifiedDate: listTime(i.modifiedDate) });

  list({ query }, records, row) {
    const pageSize = Math.min(Number(query.get("pageSize") ?? 20), 100);
    const from = Number(query.get("currentItem") ?? 0);
    const since = query.get("lastModifiedFrom");
    const until = query.get("toDate");
    const created = query.get("createdDate");
    let found = records.filter(
      (record) =>
        (!since || (record.modifiedDate ?? record.createdDate) >= moment(since)) &&
        (!until || (record.modifiedDate ?? record.createdDate) <= moment(until)) &&
        (!created || record.createdDate >= moment(created)) &&
        ["code", "name", "contactNumber"].every((name) => !query.get(name) || record[name] === query.get(name)),
    );
    const by = query.get("orderBy") ?? "id";
    const sign = query.get("orderDirection")?.toLowerCase() === "desc" ? -1 : 1;
    found = found.toSorted((a, b) => sign * (a[by] > b[by] ? 1 : a[by] < b[by] ? -1 : a.id - b.id));
    return {
      status: 200,
      body: { total: found.length, pageSize, data: found.slice(from, from + pageSize).map(row), removeId: [], timestamp: deliveryTime(Date.now()) },
    };
  }
}
