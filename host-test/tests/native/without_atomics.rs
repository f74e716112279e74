//! Claims: on a host whose key-value store has no working atomics (hosted Spin at the edge) the
//! application works with `processing = inline`: each delivery is processed before its answer,
//! without a lease; an event that does not end within 4 s goes on with the next drain; nothing is
//! lost through crashes, and nothing doubled except in the one case that healthz and the overview
//! name; retries, commands, healing, counts and retention work as elsewhere. How: a store whose
//! `increment` always fails.

use host_test::{
    admin::Admin,
    host_fault::HostFault,
    shop::{On, TestShop, ba, customer, hoa, sale},
    visitor::Visitor,
};
use http::Method;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When};
use std::time::Duration;

fn edge() -> TestShop {
    let shop = TestShop::unconnected();
    shop.app.set_variable("processing", "inline");
    shop.app.break_atomics();
    shop
}

async fn connected() -> TestShop {
    let shop = edge();
    assert_eq!(shop.connect().await.0, 200);
    for webhook in ["customer", "order"] {
        assert_eq!(shop.switch(webhook, true).await.0, 200);
    }
    shop.pass(1).await;
    shop
}

async fn health(shop: &TestShop) -> (u16, Value) {
    let request = http::Request::get("https://bridge.test/healthz");
    let answer = shop
        .app
        .request(request.body(Default::default()).unwrap())
        .await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

/// Every event in the journal, by whatever number.
async fn states(shop: &TestShop) -> Vec<String> {
    let mut states = shop.outcomes().await;
    states.sort();
    states
}

/// The events' numbers, oldest first.
async fn numbers(shop: &TestShop) -> Vec<u64> {
    let events = shop.events().await;
    let numbers = events.iter().filter_map(|event| event["seq"].as_u64());
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(start_paused = true)]
async fn each_delivery_is_processed_before_its_answer() {
    let shop = connected().await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    assert_eq!(shop.deliver().await, [200, 200]);
    assert_eq!(shop.in_getfly(), (1, 1));
    assert_eq!(
        states(&shop).await,
        ["created customer_created", "created order_created"]
    );
    let leases = shop.app.store.dump().into_keys();
    assert!(
        leases.filter(|k| k.contains("/lease/")).count() == 0,
        "no lease"
    );

    // A drain counts them, and an idle one does nothing else.
    shop.minutes(2).await;
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["counts"]["created"], 2);
    assert_eq!(overview["balanced"], true);
    assert_eq!(overview["connections"][0]["days"][0]["created"], 2);
    let marks = shop.app.store.dump().into_keys();
    assert_eq!(marks.filter(|k| k.contains("/unlooked/")).count(), 0);
    shop.app.take_calls();
    shop.drain().await;
    assert_eq!(shop.app.take_calls(), []);
}

#[tokio::test(start_paused = true)]
async fn the_weaker_promise_is_said() {
    let shop = connected().await;
    let (status, health) = health(&shop).await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    let words = health["weaker"].as_str().unwrap();
    assert!(words.contains("at one instant"), "{words}");
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["weaker"], words);
    let page = Visitor::inside(&shop.app).await.get("/").await;
    assert!(page.html.contains("không có phép đếm nguyên tử"));
    let usual = TestShop::connected(On::Both).await;
    assert_eq!(usual.app.overview().await.1["weaker"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn without_inline_it_says_what_to_set_and_keeps_nothing() {
    let shop = edge();
    shop.app.set_variable("processing", "background");
    let (status, health) = health(&shop).await;
    assert_eq!(status, 503);
    let words = health["reasons"].to_string();
    assert!(words.contains("set processing to inline"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_counts_stays_with_the_lease_under_inline() {
    let shop = TestShop::unconnected();
    shop.app.set_variable("processing", "inline");
    shop.connect_with(On::Customers).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 0));
    let (_, health) = health(&shop).await;
    assert_eq!(health, json!({"status": "ok"}));
    assert!(shop.app.store.dump().contains_key("kvgf/journal/1"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_upstream_is_cut_at_three_seconds_and_the_drain_goes_on() {
    let shop = connected().await;
    let hangs = FaultRule::new(Fault::Hang).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(hangs.when(When::First(1)));
    shop.kiotviet.create_customer(hoa());
    let began = shop.clock.now();
    assert_eq!(shop.deliver().await, [200]);
    let took = shop.clock.now().duration_since(began).as_millis();
    assert!(took <= 3_000, "{took} ms");
    assert_eq!(states(&shop).await, ["received -"]);
    shop.minutes(3).await;
    assert_eq!(shop.in_getfly(), (1, 0));
    assert_eq!(states(&shop).await, ["created customer_created"]);
}

#[tokio::test(start_paused = true)]
async fn attempts_before_the_answer_are_kept_as_those_of_a_drain() {
    let shop = connected().await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let tried = |event: &Value| event["tried"].as_array().cloned().unwrap_or_default();
    let refused = shop.app.event(numbers(&shop).await[0]).await.1;
    let [one] = &tried(&refused)[..] else {
        panic!("{refused}");
    };
    let words = one["why"].to_string();
    assert!(words.contains("Getfly") && one["at"].is_string(), "{one}");

    // One that fails in passing, first before its answer and then in drains.
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(down);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    let number = numbers(&shop).await[1];
    assert_eq!(tried(&shop.app.event(number).await.1).len(), 1);
    shop.minutes(600).await;
    let failed = shop.app.event(number).await.1;
    assert_eq!(tried(&failed).len(), 10, "{failed}");
}

/// A customer's create is still under way at Getfly when its request is stopped.
#[tokio::test(start_paused = true)]
async fn nobody_with_the_same_phone_goes_before_a_create_that_was_cut() {
    for fault in [
        Fault::Late(Duration::from_secs(20)),
        Fault::StoredThenHang,
        Fault::StoredThen500,
    ] {
        let shop = connected().await;
        let slow = FaultRule::new(fault.clone()).on(Method::POST, "/api/v6.1/account");
        shop.getfly_faults.add(slow.when(When::First(1)));
        shop.kiotviet
            .create_customer(customer("Chị Hoa", "0912345678"));
        assert_eq!(shop.deliver().await, [200]);
        shop.pass(2).await;
        shop.kiotviet
            .create_customer(customer("Anh Hòa", "0912 345 678"));
        shop.deliver().await;
        shop.minutes(6).await;
        assert_eq!(shop.in_getfly(), (1, 0), "{fault:?}");
        let mut ends = states(&shop).await;
        ends.sort();
        assert_eq!(
            ends,
            ["created customer_created", "linked linked_by_phone"],
            "{fault:?}"
        );
        // Nothing holds up the next one.
        shop.kiotviet
            .create_customer(customer("Chị Ba", "0987654321"));
        shop.deliver().await;
        assert_eq!(shop.in_getfly(), (2, 0), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_retried_by_drains_and_dead_letters_obey() {
    let shop = connected().await;
    let down = shop
        .getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(5).await;
    assert_eq!(shop.in_getfly(), (0, 0));
    shop.getfly_faults.remove(down);
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (1, 0));

    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.minutes(3).await;
    let (_, dead) = shop.app.events("state=dead").await;
    let seq = dead["events"][0]["seq"].as_u64().unwrap();
    assert!(seq < 1 << 53, "exact in every JSON reader");
    let retry = format!("events/{seq}/retry");
    let (status, event) = shop.app.call("POST", &retry, &Value::Null).await;
    assert_eq!(status, 200, "{event}");
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (2, 0));
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["balanced"], true, "{overview}");
    assert_eq!(overview["counts"]["created"], 2);
    assert_eq!(overview["counts"]["dead"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_loses_and_doubles_nothing() {
    let calls = crash_at(None).await;
    assert!(calls > 20, "{calls}");
    for number in 1..=calls {
        for fault in HostFault::ALL {
            crash_at(Some((number, fault))).await;
        }
    }
}

/// A customer and an invoice, delivered and drained while one host call fails; returns how many
/// calls there were.
async fn crash_at(script: Option<(usize, HostFault)>) -> usize {
    let shop = connected().await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.app.host_faults.arm(script);
    shop.deliver_under_faults().await;
    shop.pass(61).await;
    shop.app.host_faults.live(shop.drain()).await;
    let calls = shop.app.host_faults.disarm().len();
    shop.minutes(12).await;
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (1, 1), "{script:?}");
    assert_eq!(shop.kiotviet.undelivered(), [], "{script:?}");
    let waiting = shop.waiting().await;
    assert_eq!(waiting, Vec::<Value>::new(), "{script:?}");
    calls
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_healed_and_old_events_go() {
    let shop = connected().await;
    shop.minutes(16).await;
    shop.kiotviet.switch_off_webhooks();
    shop.kiotviet.create_customer(hoa());
    shop.minutes(20).await;
    assert_eq!(shop.in_getfly(), (1, 0));
    assert!(shop.kiotviet.webhooks().iter().all(|h| h.is_active));
    for _ in 0..32 {
        shop.pass(86_400).await;
        shop.drain().await;
    }
    assert_eq!(states(&shop).await, [""; 0]);
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["balanced"], true);
    assert_eq!(overview["counts"]["received"], 3);
}

#[tokio::test(start_paused = true)]
async fn pages_of_events_go_on_where_the_last_ended() {
    let shop = connected().await;
    for n in 0..5 {
        let phone = format!("09{:08}", 12_345_670 + n);
        shop.kiotviet.create_customer(customer("Khách", &phone));
        shop.deliver().await;
        shop.pass(1).await;
    }
    let (_, first) = shop.app.events("limit=2").await;
    let next = &first["next_before"];
    let (_, second) = shop
        .app
        .look(&format!("events?limit=3&before={next}"))
        .await;
    let seqs = |page: &Value| -> Vec<u64> {
        let events = page["events"].as_array().unwrap().iter();
        events.map(|e| e["seq"].as_u64().unwrap()).collect()
    };
    let all = [seqs(&first), seqs(&second)].concat();
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
    assert_eq!(second["next_before"], Value::Null);
}
