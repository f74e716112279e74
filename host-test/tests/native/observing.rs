//! Claims: `/api/overview` and `/metrics` show where every event stands, with a loss equation whose
//! numbers are counted separately; days, reasons, calls, the oldest waiting event, the lease, each
//! shop's webhooks and its last event; only with the admin token, and never personal data. How: a
//! shop sells while upstreams fail, in virtual time, and the text is read as Prometheus would.

use host_test::{
    admin::{self, Admin},
    shop::{On, TestShop, ba, customer, hoa, sale},
    variables::{ADMIN_TOKEN, PUBLIC},
};
use http::Method;
use plugin::worker::lease::Lease;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When};
use std::collections::BTreeMap;

async fn metrics_as(shop: &TestShop, method: &str, token: Option<&str>) -> (u16, String) {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("{PUBLIC}/metrics"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Default::default()).unwrap();
    let answer = shop.app.request(request).await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// Every sample by its name and labels.
pub(crate) async fn metrics(shop: &TestShop) -> BTreeMap<String, u64> {
    let (status, text) = metrics_as(shop, "GET", Some(ADMIN_TOKEN)).await;
    assert_eq!(status, 200);
    let mut samples = BTreeMap::new();
    let mut declared = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            declared = rest.split(' ').next().unwrap();
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(sample.split('{').next(), Some(declared), "{line}");
            let twice = samples.insert(sample.to_owned(), value.parse().unwrap());
            assert_eq!(twice, None, "{line}");
        }
    }
    samples
}

async fn overview(shop: &TestShop) -> Value {
    let (status, overview) = shop.app.overview().await;
    assert_eq!(status, 200);
    let counts = &overview["counts"];
    let number = |name: &str| counts[name].as_u64().unwrap();
    let known = [
        "created",
        "linked",
        "ignored",
        "dead",
        "dismissed",
        "waiting",
    ];
    assert_eq!(number("received"), known.map(number).iter().sum::<u64>());
    assert_eq!(overview["balanced"], true);
    overview
}

/// One customer created, one linked, one order created, one dead letter, one that waits.
async fn a_days_work() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet
        .create_customer(customer("Hoa (chợ)", "+84 912 345 678"));
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refused.when(When::First(1)));
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let down = FaultRule::new(Fault::Status(503, Some(60))).on(Method::GET, "/invoices");
    shop.kiotviet_faults.add(down);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop
}

#[tokio::test(start_paused = true)]
async fn the_overview_tells_where_everything_stands() {
    let shop = a_days_work().await;
    let seen = overview(&shop).await;
    assert_eq!(
        seen["counts"],
        json!({"received": 5, "created": 2, "linked": 1, "ignored": 0, "dead": 1, "dismissed": 0, "waiting": 1})
    );
    assert_eq!(seen["unread"], 0);
    let shown = &seen["connections"][0];
    assert_eq!(
        shown["days"],
        json!([{"date": "2026-10-05", "created": 2, "linked": 1, "ignored": 0, "dead": 1}])
    );
    let waits = shop.waiting().await;
    assert_eq!(seen["oldest_waiting_at"], waits[0]["received_at"]);
    assert_eq!(shown["last_event_at"], waits[0]["received_at"]);
    assert_eq!(seen["paused"][0]["side"], "shop");

    // No event waits any more, and the dead letter is dismissed.
    shop.kiotviet_faults.clear();
    shop.settle().await;
    let dead = admin::listed(shop.app.events("state=dead").await);
    shop.app.dismiss(dead[0]["seq"].as_u64().unwrap()).await;
    let seen = overview(&shop).await;
    assert_eq!(seen["counts"]["waiting"], 0);
    assert_eq!(seen["counts"]["dismissed"], 1);
    assert_eq!(seen["oldest_waiting_at"], Value::Null);
    assert_eq!(seen["paused"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn thirty_days_are_kept_by_vietnams_calendar() {
    let shop = TestShop::connected(On::Both).await;
    for day in 0..40 {
        shop.kiotviet.create_customer(customer(
            &format!("Khách {day}"),
            &format!("09{:08}", 11_223_344 + day),
        ));
        shop.deliver().await;
        // 23:00 in Vietnam on the first day, and a day later each time.
        shop.pass(if day == 0 { 13 * 3600 } else { 86_400 }).await;
    }
    let seen = overview(&shop).await;
    let days = seen["connections"][0]["days"].as_array().unwrap();
    assert_eq!(days.len(), 31, "thirty and today");
    assert_eq!(days[30]["date"], "2026-11-12");
    assert_eq!(days[0]["date"], "2026-10-13");
    assert!(days.iter().all(|d| d["created"] == 1));
    let kept = shop.app.store.dump().into_keys();
    assert_eq!(kept.filter(|k| k.contains("/day/")).count(), 30);
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_the_same_as_the_overview() {
    let shop = a_days_work().await;
    shop.pass(100).await;
    let seen = metrics(&shop).await;
    let get = |name: &str| seen.get(name).copied();
    assert_eq!(get("kvgf_events_received_total"), Some(5));
    for (outcome, reason, n) in [
        ("created", "customer_created", 1),
        ("created", "order_created", 1),
        ("linked", "linked_by_phone", 1),
        ("dead", "getfly_refused", 1),
    ] {
        let name = format!(
            "kvgf_events_total{{connection=\"shop\",outcome=\"{outcome}\",reason=\"{reason}\"}}"
        );
        assert_eq!(get(&name), Some(n), "{seen:#?}");
    }
    assert_eq!(get("kvgf_events_waiting{connection=\"shop\"}"), Some(1));
    assert_eq!(get("kvgf_dead_letters{connection=\"shop\"}"), Some(1));
    assert_eq!(get("kvgf_oldest_waiting_seconds"), Some(100));
    assert_eq!(
        get("kvgf_last_event_seconds{connection=\"shop\"}"),
        Some(100)
    );
    assert_eq!(get("kvgf_configuration_problems"), Some(0));
    assert_eq!(get("kvgf_backfill_running{connection=\"shop\"}"), Some(0));
    let call = |endpoint: &str, code: &str| {
        let (vendor, endpoint) = endpoint.split_once(' ').unwrap();
        let name = "kvgf_upstream_calls_total";
        get(&format!(
            "{name}{{vendor=\"{vendor}\",endpoint=\"{endpoint}\",code=\"{code}\"}}"
        ))
    };
    assert_eq!(call("Getfly POST /account", "200"), Some(1), "{seen:#?}");
    assert_eq!(call("KiotViet GET /invoices/{id}", "503"), Some(1));
    assert_eq!(call("Getfly POST /sale_order", "200"), Some(2));

    // Every call is counted, and nothing else.
    let made = shop.app.take_calls().len();
    let counted: u64 = seen
        .iter()
        .filter(|(name, _)| name.starts_with("kvgf_upstream_calls_total"))
        .map(|(_, n)| n)
        .sum();
    assert_eq!(counted, made as u64);
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_of_webhooks_and_of_what_was_not_delivered() {
    let shop = TestShop::connected(On::Orders).await;
    shop.drain().await;
    shop.pass(1200).await;
    shop.drain().await;
    let seen = metrics(&shop).await;
    let of = |name: &str| format!("{name}{{connection=\"shop\"}}");
    let active = "kvgf_webhook_active{connection=\"shop\",webhook=\"order\"}";
    assert_eq!(seen.get(active), Some(&1));
    let others = seen.keys().filter(|k| k.contains("webhook_active")).count();
    assert_eq!(others, 1, "only webhooks that are on");
    assert_eq!(seen.get(&of("kvgf_read_back_total")), Some(&0));
    shop.kiotviet.switch_off_webhooks();
    shop.kiotviet.create_invoice(sale(None));
    shop.pass(1200).await;
    shop.drain().await;
    shop.pass(30).await;
    let seen = metrics(&shop).await;
    // The drain went on for three seconds after that: Getfly's ceiling, the search for an order of which a store that
    // stood still may not know, and a page for the index of accounts.
    let checked = seen.get(&of("kvgf_webhooks_checked_seconds"));
    assert!(matches!(checked, Some(30..=33)), "{checked:?}");
    assert_eq!(
        seen.get(&of("kvgf_webhooks_registered_again_total")),
        Some(&1)
    );
    assert_eq!(seen.get(&of("kvgf_read_back_total")), Some(&1));
    assert_eq!(seen.get(active), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn silence_is_told_of_a_shop_with_a_webhook_on_only() {
    let shop = a_days_work().await;
    let last = "kvgf_last_event_seconds{connection=\"shop\"}";
    assert!(metrics(&shop).await.contains_key(last));
    for webhook in ["customer", "order"] {
        shop.switch(webhook, false).await;
    }
    assert!(!metrics(&shop).await.contains_key(last));
}

#[tokio::test(start_paused = true)]
async fn the_lease_shows_while_it_is_held() {
    let shop = TestShop::connected(On::Both).await;
    shop.drain().await;
    assert_eq!(metrics(&shop).await["kvgf_lease_held"], 0);
    let lease = Lease::acquire(&shop.app).await.unwrap().unwrap();
    assert_eq!(metrics(&shop).await["kvgf_lease_held"], 1);
    lease.release().await;
    assert_eq!(metrics(&shop).await["kvgf_lease_held"], 0);
}

#[tokio::test(start_paused = true)]
async fn only_the_admin_sees_them_and_no_person_is_in_them() {
    let shop = a_days_work().await;
    for token in [None, Some(""), Some("an-admin-token-for-test")] {
        assert_eq!(metrics_as(&shop, "GET", token).await.0, 401);
    }
    assert_eq!(metrics_as(&shop, "POST", Some(ADMIN_TOKEN)).await.0, 405);
    let (_, text) = metrics_as(&shop, "GET", Some(ADMIN_TOKEN)).await;
    let overview = overview(&shop).await.to_string();
    for personal in ["912345678", "hoa@example.vn", "Hoa", ADMIN_TOKEN] {
        assert!(!text.contains(personal), "{personal}");
        assert!(!overview.contains(personal), "{personal}");
    }
}

#[tokio::test(start_paused = true)]
async fn they_work_while_variables_are_missing() {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("getfly_url", "");
    let seen = metrics(&shop).await;
    assert_eq!(seen["kvgf_configuration_problems"], 1);
    overview(&shop).await;
}

#[tokio::test(start_paused = true)]
async fn events_are_found_by_code_id_and_phone_whole_and_without_leading_zeros() {
    let shop = TestShop::connected(On::Both).await;
    let hoa = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.kiotviet.create_invoice(sale(Some(hoa)));
    shop.deliver().await;
    let find = async |what: &str| {
        let what: String = url::form_urlencoded::byte_serialize(what.as_bytes()).collect();
        let found = admin::listed(shop.app.events(&format!("q={what}")).await);
        found
            .iter()
            .map(|e| e["seq"].as_u64().expect("a number"))
            .collect::<Vec<_>>()
    };
    let order = &shop.getfly.orders()[0];
    let customer = &shop.kiotviet.customers()[0];
    let invoice = shop.kiotviet.invoices()[0].code.clone();
    for (what, seqs) in [
        ("0912 345 678", vec![3, 1]),
        ("912345678", vec![3, 1]),
        ("+84912345678", vec![3, 1]),
        (
            customer.content.code.as_deref().expect("a code"),
            vec![3, 1],
        ),
        (&hoa.to_string(), vec![3, 1]),
        (&invoice, vec![3]),
        (&invoice.to_lowercase(), vec![3]),
        (&order.order_code, vec![3]),
        (&order.account_code, vec![3, 1]),
        ("91234567", vec![]),
        ("HD", vec![]),
    ] {
        assert_eq!(find(what).await, seqs, "{what}");
    }
    for (wrong, part) in [("q=00", "q must be a code"), ("quest=1", "is no parameter")] {
        let (status, problem) = shop.app.events(wrong).await;
        assert_eq!(status, 400);
        assert!(problem["detail"].to_string().contains(part), "{problem}");
    }
    // No phone stands in the store.
    for (key, cell) in shop.app.store.dump() {
        let host::keyvalue::Cell::Value(bytes) = cell else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("912345678"), "{key}: {text}");
    }
}
