// A shop's customers and sales through the host, which is killed once in the middle.
//   node vendors/play.js COMPONENT [SEED [PROCESSING]]
// Prints what happened as JSON, and ends with 1 where something was lost, doubled or wrong.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Getfly } from "./getfly.js";
import { chance } from "./http.js";
import { KiotViet } from "./kiotviet.js";

const HOST = fileURLToPath(new URL("../src/main.js", import.meta.url));
const ADMIN = "a-long-random-admin-token";
const PRODUCTS = [["SP000001", "Áo thun", 150000], ["SP000002", "Quần jean", 420000], ["SP000003", "Mũ vải", 85000]];
const ACTIONS = 60;
const SETTLED_WITHIN_MS = 240_000;

const component = resolve(process.argv[2]);
const seed = Number(process.argv[3] ?? 1);
const random = chance(seed);
const pick = (list) => list[Math.floor(random() * list.length)];
/** Each seed also meets other vendors: what the manuals leave open goes the other way. */
const odd = seed % 2 === 1;

const kiotviet = new KiotViet(
  { retailer: "cuahangthu", retailerId: 500123456, clientId: "c1", clientSecret: "s1" },
  { seed, invoiceCasing: odd ? "mixed" : "pascal", failuresBeforeOff: odd ? Infinity : 3 },
);
const getfly = new Getfly("0123456789abcdefghij0123456789", {
  seed,
  duplicates: odd ? "allowed" : "refused",
  orderWithoutCode: odd ? "alone" : "creates",
  created: odd ? 201 : 200,
  gender: odd ? "taken" : "refused",
  unknownSource: odd ? "created" : "refused",
  unknownProduct: odd ? "taken" : "refused",
  ordersCounted: odd,
  lostReplies: 0.1,
  failures: 0.03,
  tooMany: 0.03,
});
await kiotviet.start();
await getfly.start();

// What was there before the shop is connected.
const sellers = [
  { id: 5001, userName: "lan", givenName: "Lan", mobilePhone: "0977 100 001", email: "", retailerId: 500123456, createdDate: Date.now() - 1e10 },
  { id: 5002, userName: "chu", givenName: "Chủ", mobilePhone: "0977100002", retailerId: 500123456, createdDate: Date.now() - 1e10, isAdmin: true },
];
kiotviet.users = sellers;
getfly.users = [
  { user_id: 1, user_name: "admin", contact_name: "Quản trị", contact_mobile: "", email: "quantri@cuahang.vn" },
  { user_id: 7, user_name: "lan.nguyen", contact_name: "Nguyễn Lan", contact_mobile: "+84977100001", email: "lan@cuahang.vn" },
];
getfly.products = PRODUCTS.slice(0, 2).map(([product_code, product_name], i) => ({ id: i + 1, product_code, product_name }));

let number = 0;
const phone = () => `09${String(13572468 + 104729 * ++number).slice(-8)}`;
const inGetfly = Array.from({ length: 6 }, (_, i) => {
  const own = phone();
  return {
    id: 500 + i,
    account_code: `KH/2025/${i}`,
    account_name: `Khách cũ ${i}`,
    phone_office: i % 2 ? own : `+84${own.slice(1)}`,
    email: `cu${i}@khach.vn`,
    created_at: `2025-03-0${i + 1} 08:00:00`,
  };
});
getfly.accounts.push(...inGetfly);
const digits = (text) => (text ?? "").replace(/\D/g, "").replace(/^84/, "0");
/** A number's account, and the codes that this account may have: Getfly's own, or that of a customer with the number. */
const accountsWith = (number) => getfly.accounts.filter((a) => digits(a.phone_office) === number);
function codesFor(number) {
  const known = inGetfly.find((a) => digits(a.phone_office) === number);
  return known ? [known.account_code] : customers.filter((c) => c.contactNumber === number).map((c) => `KV-${kiotviet.shop.retailer}-${c.id}`);
}
const customers = [];
function customer(fields, created) {
  const record = kiotviet.customer(fields, created);
  customers.push(record);
  return record;
}
const before = Date.now() - 30 * 86_400_000;
for (let i = 0; i < 4; i++) customer({ name: `Khách quen ${i}`, contactNumber: phone() }, before);

// The host.
const directory = await mkdtemp(join(tmpdir(), "kvgf-play-"));
const port = await new Promise((found) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => found(port));
  });
});
const origin = `http://127.0.0.1:${port}`;
const config = join(directory, "config.json");
await writeFile(
  config,
  JSON.stringify({
    component,
    listen: `127.0.0.1:${port}`,
    variables: {
      getfly_url: getfly.origin,
      getfly_api_key: getfly.key,
      public_url: origin,
      admin_token: ADMIN,
      master_key: randomBytes(32).toString("base64"),
      kiotviet_api_url: kiotviet.origin,
      kiotviet_auth_url: kiotviet.origin,
      getfly_requests_per_second: "20",
      fallback_product_code: "SP000001",
      processing: process.argv[4] ?? "background",
    },
  }),
);
let host;
async function startHost() {
  host = spawn(process.execPath, [HOST, config], { stdio: ["ignore", "inherit", process.env.PLAY_LOG ? "inherit" : "ignore"] });
  for (let i = 0; i < 300; i++) {
    if (host.exitCode !== null) throw new Error(`the host ended with ${host.exitCode}`);
    if (await fetch(`${origin}/healthz`).then((r) => r.ok, () => false)) return;
    await sleep(200);
  }
  throw new Error("the host does not become healthy");
}
async function stopHost(signal) {
  const gone = new Promise((end) => host.once("exit", (code) => end(code)));
  host.kill(signal);
  return gone;
}
process.once("exit", () => host?.kill("SIGKILL"));

async function api(method, path, body) {
  const response = await fetch(`${origin}/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} /api/${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
async function events() {
  const all = [];
  for (let cursor = null; ; ) {
    const page = await api("GET", `events?limit=100${cursor === null ? "" : `&before=${cursor}`}`);
    all.push(...page.events);
    if ((cursor = page.next_before) === null) return all;
  }
}

// The day.
await startHost();
const { retailer, clientId: client_id, clientSecret: client_secret } = kiotviet.shop;
getfly.faulty = false;
await api("PUT", "connections/thu", { retailer, client_id, client_secret });
await api("PUT", "connections/thu/webhooks/customer");
await api("PUT", "connections/thu/webhooks/order");
getfly.faulty = true;
getfly.calls.clear();
await sleep(1100);

/** Sales by their first code: all versions of one. */
const sales = new Map();
const line = () => {
  const [code, name, price] = pick(PRODUCTS);
  return [code, name, 1 + Math.floor(random() * 3), price, random() < 0.3 ? 5000 : 0];
};
function sell(buyer) {
  const sale = kiotviet.invoice({
    customer: buyer,
    soldBy: pick(sellers),
    lines: Array.from({ length: 1 + Math.floor(random() * 2) }, line),
    discount: random() < 0.3 ? 10000 : 0,
    surcharge: random() < 0.2 ? 30000 : 0,
  });
  sales.set(sale.code, { buyer, versions: [sale] });
  return sale;
}
function act() {
  const what = random();
  const name = `Khách ${customers.length}`;
  if (what < 0.25) {
    const one = customer({ name, contactNumber: phone(), email: `moi${number}@khach.vn`, gender: random() < 0.5, address: "1 Đường Thử" });
    kiotviet.tell("customer.update", one);
  } else if (what < 0.32) {
    const one = customer({ name, contactNumber: digits(pick(inGetfly).phone_office) });
    kiotviet.tell("customer.update", one);
  } else if (what < 0.4) {
    // A new customer's sale is told before the customer.
    const one = customer({ name, contactNumber: phone() });
    kiotviet.tell("invoice.update", sell(one));
    kiotviet.tell("customer.update", one);
  } else if (what < 0.45) {
    const one = customer({ name, contactNumber: pick(customers).contactNumber });
    kiotviet.tell("customer.update", one);
  } else if (what < 0.55) {
    const one = pick(customers);
    kiotviet.changeCustomer(one, { comments: "đã đổi", modifiedDate: Date.now() });
  } else if (what < 0.62 && sales.size) {
    const sale = pick([...sales.values()]);
    if (sale.versions.length === 1) {
      const next = kiotviet.edit(sale.versions[0], [line()]);
      sale.versions.push(next);
      kiotviet.tell("invoice.update", sale.versions[0]);
      kiotviet.tell("invoice.update", next);
    }
  } else {
    kiotviet.tell("invoice.update", sell(random() < 0.25 ? undefined : pick(customers)));
  }
}

const killedAt = ACTIONS / 2;
let afterTheAnswer = false;
for (let i = 0; i < ACTIONS; i++) {
  act();
  await sleep(50 + 150 * random());
  if (i === killedAt) {
    afterTheAnswer = getfly.calls.size > 0; // no drain has run since the shop was connected
    await stopHost("SIGKILL");
    act();
    act();
    await sleep(4500); // some deliveries are given up meanwhile: only a list scan finds them
    await startHost();
  }
}
while (kiotviet.deliveries.underway) await sleep(100);
getfly.faulty = false;

// Everything comes to its end.
const deadline = Date.now() + SETTLED_WITHIN_MS;
const waits = (event) => event.state === "received" || event.state === "retrying";
let all = [];
let quiet = 0;
while (quiet < 2) {
  await api("POST", "drain?heal=now");
  all = await events();
  const ordered = new Set(getfly.orders.map((o) => o.order_code));
  const open = all.some(waits) || [...sales.keys()].some((code) => !ordered.has(`${retailer}-${code}`));
  quiet = open ? 0 : quiet + 1;
  if (Date.now() > deadline) break;
  await sleep(2000);
}

// What came of it.
const lost = [];
const doubled = [];
const wrong = [];
const told = (c) => c.createdDate > before || [...sales.values()].some((sale) => sale.buyer === c);
for (const number of new Set(customers.filter(told).map((c) => c.contactNumber))) {
  const found = accountsWith(number);
  if (found.length === 0) lost.push(`the account with ${number}`);
  if (found.length > 1) doubled.push(`the account with ${number}`);
  for (const { account_code } of found) if (!codesFor(number).includes(account_code)) wrong.push(`account ${account_code} with ${number}`);
}
for (const [code, { buyer, versions }] of sales) {
  const orders = getfly.orders.filter((o) => o.order_code.startsWith(`${retailer}-${code}`));
  if (orders.length === 0) lost.push(`order ${code}`);
  if (orders.length > 1) doubled.push(`order ${code}`);
  for (const order of orders) {
    if (!versions.some((sale) => sale.total === order.real_amount)) wrong.push(`order ${code}: ${order.real_amount} instead of ${versions[0].total}`);
    const account = buyer && accountsWith(buyer.contactNumber)[0]?.account_code;
    if (buyer && order.account_code !== account) wrong.push(`order ${code}: account ${order.account_code} instead of ${account}`);
    const executor = versions[0].soldById === 5001 ? 7 : undefined;
    if (order.assigned_user !== executor) wrong.push(`order ${code}: executor ${order.assigned_user} instead of ${executor}`);
  }
}
const walkIns = getfly.accounts.filter((a) => a.account_name === "Khách lẻ");
if (walkIns.length > 1) doubled.push(`${walkIns.length} walk-in accounts`);
const states = {};
for (const event of all) states[event.state] = (states[event.state] ?? 0) + 1;
for (const event of all.filter((e) => e.state !== "done")) wrong.push(`event ${event.seq} ${event.kind} ${event.key}: ${event.state} ${event.reason ?? ""}`);

if (!afterTheAnswer) wrong.push("nothing was processed after the answers");
const code = await stopHost("SIGTERM");
if (code !== 0) wrong.push(`the host ended with ${code} on SIGTERM`);
kiotviet.close();
getfly.close();
await rm(directory, { recursive: true });
const ok = lost.length + doubled.length + wrong.length === 0;
console.log(
  JSON.stringify(
    { seed, customers: customers.length, sales: sales.size, accounts: getfly.accounts.length - inGetfly.length, orders: getfly.orders.length, deliveries: kiotviet.deliveries, events: states, kills: 1, lost, doubled, wrong },
    null,
    2,
  ),
);
process.exit(ok ? 0 : 1);
