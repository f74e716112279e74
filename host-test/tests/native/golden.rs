//! Claims that what an earlier version left in its store is read, shown and finished as that version would have
//! done, and that the same facts are written in the same bytes today. How: `golden/format-0/` holds what the last version
//! that wrote its JSON by hand had in its store in the middle of a busy week, what its API showed of it, and how
//! its events ended. The same week is played again here.

use bytes::Bytes;
use host::keyvalue::{Backend, Cell, Memory};
use host_test::{
    admin::Admin,
    shop::{CONNECTION, TestShop, customer, hoa, sale},
    variables::{ADMIN_TOKEN, MASTER_KEY, PUBLIC},
};
use http::Method;
use plugin::{
    journal::{
        backfill::Backfill,
        connections::{Connection, Switch},
        cursor::Cursor,
        keys,
        ledger::{CustomerEntry, InvoiceEntry},
        record::{Entry, Record},
        stats::Day,
    },
    reconcile::webhook_health::WebhookHealth,
    rules::{
        codes::AccountCode,
        model::{GetflyUser, KiotVietUser},
    },
    seal::Sealer,
    stored,
    time::Timestamp,
    worker::lease::SLOT_SECONDS,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sim::{
    Fault, FaultRule, KiotVietSim, When,
    getfly::Account,
    kiotviet::{NewCustomer, Settings},
};
use std::{collections::BTreeSet, sync::Arc};

pub(crate) const OTHER: &str = "second-shop";

/// A busy week of two shops that ends in an outage, with entries in every state, each of the ledger's entries, and
/// a person's command that no worker has seen.
pub(crate) async fn week() -> (TestShop, Arc<KiotVietSim>) {
    let (bridge, others) = TestShop::beside([Settings {
        retailer: "second".to_owned(),
        retailer_id: 2,
        client_id: "22222222-3333-4444-8555-666666666666".to_owned(),
        ..Settings::default()
    }]);
    let other = others.into_iter().next().expect("the other shop");
    let past = with_a_past(&bridge);
    bridge.pass(3600).await;
    with_a_past(&bridge);
    other.create_customer(customer("Bà Sáu", "0966000006"));
    bridge.pass(3600).await;
    bridge.connect().await;
    bridge.connect_as(OTHER, &other).await;
    bridge.switch("customer", true).await;
    bridge.switch("order", true).await;
    let hook = format!("connections/{OTHER}/webhooks/customer");
    bridge.app.call("PUT", &hook, &Value::Null).await;
    bridge.pass(1).await;
    done_and_ignored(&bridge, past).await;
    dead_letters(&bridge).await;
    the_next_days(&bridge, &other).await;
    in_an_outage(&bridge, &other).await;
    (bridge, other)
}

/// A customer and an invoice from before the connection; the customer's id.
fn with_a_past(bridge: &TestShop) -> i64 {
    let past = bridge
        .kiotviet
        .create_customer(customer("Cô Năm", "0955000005"));
    bridge.kiotviet.create_invoice(sale(Some(past)));
    past
}

async fn done_and_ignored(bridge: &TestShop, past: i64) {
    let account = |name: &str, phone: &str, email: &str| Account {
        account_name: name.to_owned(),
        phone_office: phone.to_owned(),
        email: email.to_owned(),
        ..Account::default()
    };
    bridge
        .getfly
        .seed_account(account("Anh Tám", "0988000008", ""));
    bridge
        .getfly
        .seed_account(account("Anh Tám (cũ)", "0988000008", ""));
    bridge
        .getfly
        .seed_account(account("Chị Chín", "", "chin@example.vn"));
    let shop = &bridge.kiotviet;
    let hoa = shop.create_customer(hoa());
    let sold = shop.create_invoice(sale(Some(hoa)));
    shop.create_customer(customer("Anh Tám", "0988000008"));
    shop.create_customer(NewCustomer {
        email: Some("chin@example.vn".to_owned()),
        ..customer("Chị Chín", "0999000009")
    });
    shop.create_customer(customer("Hai Số", "0911000111 - 0911000222"));
    shop.create_invoice(sale(None));
    bridge.deliver().await;
    let new = shop.create_customer(customer("Anh Mười", "0910000010"));
    shop.create_invoice(sale(Some(new)));
    bridge.deliver().await;
    shop.edit_customer(hoa, |c| c.name = "Chị Hoa (sửa)".to_owned());
    shop.edit_customer(past, |c| c.name = "Cô Năm (sửa)".to_owned());
    shop.edit_invoice(sold, |_| {});
    let cancelled = shop.create_invoice(sale(Some(hoa)));
    shop.cancel_invoice(cancelled);
    let old = shop.invoices().first().map(|invoice| invoice.id);
    shop.edit_invoice(old.expect("an old invoice"), |_| {});
    let gone = shop.create_customer(customer("Đã Xóa", "0900000009"));
    shop.delete_customer(gone);
    bridge.deliver().await;
    raw(
        bridge,
        r#"{"Notifications":[{"Action":"customer.update.1","Data":[{"Id":1}]}]}"#,
    )
    .await;
    bridge.app.set_variable("signature_policy", "observe");
    raw(
        bridge,
        r#"{"Notifications":[{"Action":"product.update.1","Data":[{"Id":1}]}]}"#,
    )
    .await;
}

/// Four dead letters, one dismissed and one retried.
async fn dead_letters(bridge: &TestShop) {
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/account");
    bridge.getfly_faults.add(refused.when(When::First(3)));
    for n in 0..3 {
        let new = customer("Bị Từ Chối", &format!("093300000{n}"));
        bridge.kiotviet.create_customer(new);
    }
    bridge.deliver().await;
    raw(
        bridge,
        r#"{"Notifications":[{"Action":"customer.update.1","Data":[{"Name":"x"}]}]}"#,
    )
    .await;
    raw(bridge, "no JSON at all").await;
    bridge.app.set_variable("signature_policy", "auto");
    let dead: Vec<u64> = bridge
        .events()
        .await
        .iter()
        .filter(|event| event["state"] == "dead")
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    let [first, second, ..] = dead[..] else {
        panic!("{dead:?}");
    };
    ask(bridge, "POST", &format!("events/{first}/dismiss")).await;
    ask(bridge, "POST", &format!("events/{second}/retry")).await;
    bridge.minutes(2).await;
}

/// Days pass; KiotViet switches a webhook off, and both shops are brought in from before.
async fn the_next_days(bridge: &TestShop, other: &KiotVietSim) {
    bridge.minutes(20).await;
    let hook = bridge.kiotviet.webhooks()[0].id;
    bridge.kiotviet.set_webhook_active(hook, false);
    bridge
        .kiotviet
        .create_customer(customer("Không Báo", "0944000004"));
    bridge.pass(24 * 3600).await;
    bridge.minutes(40).await;
    let path = format!("connections/{CONNECTION}/backfill");
    let from = json!({"from": "2026-10-05T03:30:00Z"});
    bridge.app.call("POST", &path, &from).await;
    bridge.minutes(3).await;
    let busy = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/customers");
    let busy = bridge.kiotviet_faults.add(busy);
    let path = format!("connections/{OTHER}/backfill");
    bridge.app.call("POST", &path, &from).await;
    bridge.minutes(1).await;
    ask(bridge, "DELETE", &path).await;
    bridge.kiotviet_faults.remove(busy);
    other.create_customer(customer("Bà Bảy", "0977000007"));
    deliver_other(bridge, other).await;
    bridge.pass(24 * 3600).await;
    bridge.minutes(20).await;
}

/// A create whose end is unknown, then vendors that do not answer, then deliveries and a command that no worker
/// has seen.
async fn in_an_outage(bridge: &TestShop, other: &KiotVietSim) {
    let path = "/api/v6.1/sale_order";
    let hang = FaultRule::new(Fault::StoredThenHang).on(Method::POST, path);
    bridge.getfly_faults.add(hang.when(When::First(1)));
    let unread = FaultRule::new(Fault::Status(503, None)).on(Method::GET, path);
    bridge.getfly_faults.add(unread);
    let shop = &bridge.kiotviet;
    let new = shop.create_customer(customer("Chưa Rõ", "0922000002"));
    shop.create_invoice(sale(Some(new)));
    bridge.deliver().await;
    bridge.pass(600).await;
    bridge.getfly_faults.clear();
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
    bridge.kiotviet_faults.add(down);
    shop.create_invoice(sale(None));
    bridge.deliver().await;
    let busy = FaultRule::new(Fault::Status(429, Some(3600)));
    bridge.getfly_faults.add(busy);
    other.create_customer(customer("Đang Chờ", "0921000001"));
    deliver_other(bridge, other).await;
    bridge.pass(60).await;
    // Somebody holds the lease from here on.
    let slot = bridge.clock.now().as_second().div_euclid(SLOT_SECONDS);
    for slot in slot..slot + 3 {
        let held = bridge.app.store.increment(&keys::lease(slot), 1).await;
        held.expect("the lease is held");
    }
    shop.create_customer(customer("Chưa Xem", "0923000003"));
    bridge.deliver().await;
    let events = bridge.events().await;
    let dead = events.iter().find(|event| event["state"] == "dead");
    let seq = &dead.expect("a dead letter")["seq"];
    ask(bridge, "POST", &format!("events/{seq}/retry")).await;
}

async fn deliver_other(bridge: &TestShop, other: &KiotVietSim) {
    for delivery in other.take_deliveries() {
        bridge.app.request(other.request(&delivery)).await;
        other.settle(delivery, Some(200));
    }
}

async fn ask(bridge: &TestShop, method: &str, path: &str) -> (u16, Value) {
    bridge.app.call(method, path, &Value::Null).await
}

/// A delivery in these words.
async fn raw(bridge: &TestShop, body: &'static str) {
    let hook = bridge.kiotviet.webhooks()[0].url.clone();
    let request = http::Request::post(hook).body(body.into());
    bridge.app.request(request.expect("a request")).await;
}

/// What the API shows of everything; nothing of it asks a vendor.
pub(crate) async fn shown(bridge: &TestShop) -> Value {
    let mut shown = Map::new();
    let mut paths = vec![
        "events?limit=200".to_owned(),
        "events?state=dead&limit=2".to_owned(),
        "overview".to_owned(),
        format!("connections/{CONNECTION}/backfill"),
        format!("connections/{OTHER}/backfill"),
    ];
    for event in bridge.events().await {
        paths.push(format!("events/{}", event["seq"]));
    }
    for path in paths {
        let (status, answer) = bridge.app.look(&path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        shown.insert(path, answer);
    }
    let request = http::Request::get(format!("{PUBLIC}/metrics"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(Bytes::new());
    let answer = bridge.app.request(request.expect("a request")).await;
    let metrics = String::from_utf8_lossy(&answer.body);
    // Ages are of this moment.
    let lines = metrics.lines().filter(|line| !line.contains("_seconds"));
    shown.insert("metrics".to_owned(), lines.collect());
    Value::Object(shown)
}

/// The vendors answer again; how every event ends.
pub(crate) async fn finished(bridge: &TestShop) -> Value {
    bridge.getfly_faults.clear();
    bridge.kiotviet_faults.clear();
    bridge.pass(3600).await;
    bridge.settle().await;
    let codes = |event: &Value| {
        let members = [
            "seq",
            "state",
            "outcome",
            "reason",
            "account_code",
            "order_code",
        ];
        members.map(|member| event[member].clone()).into()
    };
    let events: Vec<Vec<Value>> = bridge.events().await.iter().map(codes).collect();
    let (accounts, orders) = bridge.in_getfly();
    json!({"events": events, "accounts": accounts, "orders": orders})
}

/// What the earlier version left.
const STORE: &str = include_str!("../../golden/format-0/store.txt");

/// Each key of a golden store with its value (`key = value`) or its count (`key + count`).
fn cells(store: &str) -> Vec<(&str, Cell)> {
    let cell = |line| match str::split_once(line, " = ") {
        Some((key, value)) => (key, Cell::Value(value.as_bytes().to_vec())),
        None => {
            let (key, count) = line.split_once(" + ").expect("a value or a count");
            (key, Cell::Counter(count.parse().expect("a count")))
        }
    };
    store.lines().map(cell).collect()
}

/// What the store holds is this golden store.
pub(crate) async fn put_back(store: &Memory, golden: &str) {
    store.forget("");
    for (key, cell) in cells(golden) {
        let put = match cell {
            Cell::Value(value) => store.set(key, value).await,
            Cell::Counter(count) => store.increment(key, count).await.map(drop),
        };
        put.expect("it is put");
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Told since.
const NEWER_METRICS: [&str; 6] = [
    "kvgf_assumptions_contradicted",
    "kvgf_build_info",
    "kvgf_failed_log_ins_total",
    "kvgf_orders_changed_total",
    "kvgf_other_bridges",
    "kvgf_security_events_total",
];

#[tokio::test(start_paused = true)]
async fn a_store_of_an_earlier_version_is_shown_as_it_showed_it() {
    let (bridge, _) = week().await;
    put_back(&bridge.app.store, STORE).await;
    let mut now = shown(&bridge).await;
    // Told since: what only people can mend, and what does not hold, which is nothing here.
    let overview = now["overview"].as_object_mut().expect("an object");
    assert_eq!(overview.remove("outside"), Some(json!([])));
    assert_eq!(overview.remove("contradicted"), Some(json!(0)));
    // And how many wait for a paused side, the unread ones too.
    let paused = overview["paused"][0].as_object_mut().expect("an object");
    assert_eq!(paused.remove("waiting"), Some(json!(5)));
    // Nor is any of its shops new.
    for shop in overview["connections"].as_array_mut().expect("shops") {
        let shop = shop.as_object_mut().expect("an object");
        assert_eq!(shop.remove("first_events"), Some(json!(0)));
        assert_eq!(shop.remove("first_events_looked_at"), Some(json!(false)));
    }
    let lines = now["metrics"].as_array_mut().expect("lines");
    // And what has not happened yet is told of each shop.
    let is_newer = |line: &str| {
        let zero = line.contains("{connection=") && line.ends_with(" 0");
        let before = line.starts_with("kvgf_backfill_running");
        (zero && !before) || NEWER_METRICS.iter().any(|metric| line.contains(metric))
    };
    lines.retain(|line| !line.as_str().is_some_and(is_newer));
    let before = json_of(include_str!("../../golden/format-0/shown.json"));
    let paths = |shown: &Value| shown.as_object().map(|all| all.keys().cloned().collect());
    let all: Option<Vec<String>> = paths(&before);
    assert_eq!(paths(&now), all);
    for path in all.expect("paths") {
        assert_eq!(now[&path], before[&path], "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_a_store_of_an_earlier_version_ends_as_it_would_have() {
    let (bridge, _) = week().await;
    put_back(&bridge.app.store, STORE).await;
    let before = json_of(include_str!("../../golden/format-0/finished.json"));
    assert_eq!(finished(&bridge).await, before);
}

/// The one thing that is written in another form since: pauses have a field for each vendor.
const PAUSES: [&str; 2] = [
    r#""pauses":[["Getfly",{"failures":2,"until":"2026-10-07T07:36:25Z"}],["shop",{"failures":1,"until":"2026-10-07T06:36:35Z"}]]"#,
    r#""pauses":{"getfly":{"failures":2,"until":"2026-10-07T07:36:25Z"},"kiotviet":[["shop",{"failures":1,"until":"2026-10-07T06:36:35Z"}]]}"#,
];

/// The bytes of a value that is read as `T` and written again.
fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Vec<u8> {
    stored::write(&stored::read::<T>(bytes).expect("it is read"))
}

/// The same for what is sealed at `key`.
fn again_inside<T: Serialize + DeserializeOwned>(key: &str, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let sealer = Sealer::from_base64(MASTER_KEY).expect("the key");
    let sealed = std::str::from_utf8(bytes).expect("a text");
    let plain = sealer.open(key, sealed).expect("it is opened");
    let written = again::<T>(&plain);
    (plain, written)
}

/// An event's bytes without its notes, which are written as facts since; told, they are the same.
fn event_again(bytes: &[u8], record: &Record) -> (Vec<u8>, Vec<u8>) {
    let told: Value = json_of(&String::from_utf8_lossy(bytes));
    let notes = told["event"].get("notes").cloned();
    assert_eq!(json!(record.sentences()), notes.unwrap_or(json!([])));
    let bare = Record {
        notes: Vec::new(),
        last_failure: None,
        ..record.clone()
    };
    let mut before = String::from_utf8_lossy(bytes).into_owned();
    if let Some(start) = before.find("\"notes\":[") {
        let end = before[start..].find("],").expect("the notes' end");
        before.replace_range(start..start + end + 2, "");
    }
    (before.into_bytes(), bare.to_event())
}

/// What stood at `key` and how the same is written today; none for a mark or a name.
fn rewritten(key: &str, bytes: Vec<u8>) -> Option<(Vec<u8>, Vec<u8>)> {
    let parts: Vec<&str> = key.split('/').skip(1).collect();
    let written = match parts[..] {
        ["cache", "token", _] => return Some(again_inside::<(Timestamp, String)>(key, &bytes)),
        ["cache", "getfly-users"] => {
            return Some(again_inside::<(Timestamp, Vec<GetflyUser>)>(key, &bytes));
        }
        ["cache", "kiotviet-users", _] => {
            return Some(again_inside::<(Timestamp, Vec<KiotVietUser>)>(key, &bytes));
        }
        ["cache", "missed-sellers", _] => {
            return Some(again_inside::<(Timestamp, Vec<i64>)>(key, &bytes));
        }
        ["connection", _] => again::<Connection>(&bytes),
        ["connection", _, "backfill"] => again::<Backfill>(&bytes),
        ["connection", _, "switch", _] => again::<Switch>(&bytes),
        ["connection", _, "watch"] => again::<WebhookHealth>(&bytes),
        ["customer", ..] => again::<CustomerEntry>(&bytes),
        ["invoice", ..] => again::<InvoiceEntry>(&bytes),
        ["number", _] => again::<AccountCode>(&bytes),
        ["day", _] => again::<Day>(&bytes),
        ["journal", "cursor"] => again::<Cursor>(&bytes),
        ["journal", _] => match stored::read(&bytes).expect("an entry") {
            Entry::Event(record) => return Some(event_again(&bytes, &record)),
            Entry::Command(command) => command.to_entry(),
        },
        _ => return None,
    };
    Some((bytes, written))
}

#[test]
fn the_same_facts_are_written_in_the_same_bytes() {
    let mut kinds = BTreeSet::new();
    for (key, cell) in cells(STORE) {
        let Cell::Value(bytes) = cell else { continue };
        let Some((before, written)) = rewritten(key, bytes) else {
            continue;
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let before = text(&before).replace(PAUSES[0], PAUSES[1]);
        assert_eq!(text(&written), before, "{key}");
        kinds.extend(key.split('/').nth(1));
    }
    let all = [
        "cache",
        "connection",
        "customer",
        "day",
        "invoice",
        "journal",
        "number",
    ];
    assert!(kinds.into_iter().eq(all), "one of each kind is there");
}
