//! Claims: a backfill brings a shop's earlier customers and invoices through the same journal,
//! rules and ledger as live events, once (the proof's scenario `backfill` shows that no fault in
//! between loses or doubles anything). Its preview says what it would bring and writes nothing. It
//! keeps KiotViet's calls an hour and lets live events pass. Wrong input is reported and loses
//! nothing. How: a simulated shop with a past, through the API, in virtual time.

use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, ba, customer, hoa, sale},
    visitor::Visitor,
};
use http::Method;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When, kiotviet::NewCustomer};

const FROM: &str = "2026-10-05T00:00:00+07:00";

async fn state(shop: &TestShop) -> Value {
    shop.app.backfill_state(CONNECTION).await.1
}

/// A shop with two customers and three invoices (one of them a walk-in's, one cancelled) from before
/// anything was switched on.
async fn shop_with_a_past(on: On) -> TestShop {
    let shop = TestShop::unconnected();
    let hoa = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(ba());
    shop.kiotviet.create_invoice(sale(Some(hoa)));
    shop.kiotviet.create_invoice(sale(None));
    let cancelled = shop.kiotviet.create_invoice(sale(Some(hoa)));
    shop.kiotviet.cancel_invoice(cancelled);
    shop.pass(3600).await;
    shop.connect().await;
    if on != On::Orders {
        shop.switch("customer", true).await;
    }
    if on != On::Customers {
        shop.switch("order", true).await;
    }
    shop.pass(1).await;
    shop
}

#[tokio::test(start_paused = true)]
async fn a_preview_says_what_would_come_and_writes_nothing() {
    let shop = shop_with_a_past(On::Both).await;
    let before = shop.app.store.dump();
    let (status, preview) = shop.backfill(json!({"from": FROM, "dry_run": true})).await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(
        preview["customers"],
        json!({"listed": 2, "known": 0, "to_process": 2})
    );
    assert_eq!(
        preview["invoices"],
        json!({"listed": 2, "known": 0, "to_process": 2})
    );
    assert_eq!(preview["complete"], true);
    assert_eq!(preview["seconds"], 6, "three calls each at two a second");
    assert_eq!(shop.app.store.dump(), before);
    assert_eq!(shop.in_getfly(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn it_brings_in_what_is_older_than_the_switch_once() {
    let shop = shop_with_a_past(On::Both).await;
    // A delivery of an old record is ignored, and does not hinder a backfill.
    let old = shop.kiotviet.customers()[1].id;
    shop.kiotviet
        .edit_customer(old, |c| c.name = "Anh Ba (sửa)".to_owned());
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["ignored created_before_connection"]);

    let (status, begun) = shop.backfill(json!({"from": FROM})).await;
    assert_eq!(status, 202, "{begun}");
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly(), (2, 2));
    let done = state(&shop).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(done["customers"]["queued"], 2);
    assert_eq!(done["invoices"]["listed"], 2);
    assert_eq!(done["invoices"]["queued"], 2);
    assert!(done["finished_at"].is_string());
    // Its own events only, whatever else the shop had.
    let outcomes = &done["outcomes"];
    assert_eq!(outcomes["received"], 4, "{outcomes}");
    assert_eq!(outcomes["created"], 4, "{outcomes}");
    let events = shop.events().await;
    let event = events.iter().find(|e| e["kind"] == "invoice").unwrap();
    assert_eq!(event["notes"][0], "from a backfill");

    // Again: everything is known.
    let (_, preview) = shop.backfill(json!({"from": FROM, "dry_run": true})).await;
    assert_eq!(preview["customers"]["to_process"], 0, "{preview}");
    assert_eq!(preview["invoices"]["known"], 2, "{preview}");
    let before = shop.events().await.len();
    assert_eq!(shop.backfill(json!({"from": FROM})).await.0, 202);
    shop.minutes(2).await;
    assert_eq!(state(&shop).await["state"], "done");
    assert_eq!(shop.events().await.len(), before);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn it_tells_what_its_events_came_to_also_after_a_retry() {
    let shop = shop_with_a_past(On::Customers).await;
    let refused = FaultRule::new(Fault::Status(422, None)).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(refused.when(When::First(1)));
    assert_eq!(shop.backfill(json!({"from": FROM})).await.0, 202);
    shop.minutes(2).await;
    let outcomes = state(&shop).await["outcomes"].clone();
    let of = |outcomes: &Value| ["created", "dead", "waiting"].map(|one| outcomes[one].clone());
    assert_eq!(of(&outcomes), [1, 1, 0].map(Value::from), "{outcomes}");
    let page = Visitor::inside(&shop.app).await;
    let page = { page }.get("/ui/shops/shop/backfill?lang=en").await.html;
    assert!(page.contains("What came of them"), "{page}");

    let events = shop.events().await;
    let dead = events.iter().find(|e| e["state"] == "dead").unwrap();
    shop.app.retry(dead["seq"].as_u64().unwrap()).await;
    shop.minutes(1).await;
    let outcomes = state(&shop).await["outcomes"].clone();
    assert_eq!(of(&outcomes), [2, 0, 0].map(Value::from), "{outcomes}");

    // The next one counts its own.
    assert_eq!(shop.backfill(json!({"from": FROM})).await.0, 202);
    shop.minutes(2).await;
    let outcomes = state(&shop).await["outcomes"].clone();
    assert_eq!(of(&outcomes), [0, 0, 0].map(Value::from), "{outcomes}");
}

#[tokio::test(start_paused = true)]
async fn a_live_event_that_waits_does_not_stand_in_its_way() {
    let shop = shop_with_a_past(On::Both).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/customers/");
    shop.kiotviet_faults.add(down);
    let old = shop.kiotviet.customers()[1].id;
    shop.kiotviet.edit_customer(old, |_| {});
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["retrying -"]);
    // Judged by its age, it will end as too old.
    shop.pass(15).await;
    assert_eq!(shop.backfill(json!({"from": FROM})).await.0, 202);
    shop.minutes(2).await;
    shop.kiotviet_faults.clear();
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (2, 2));
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_old_invoice_that_is_edited_meanwhile_comes_as_its_edit() {
    let shop = shop_with_a_past(On::Both).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/invoices");
    shop.kiotviet_faults.add(down);
    assert_eq!(shop.backfill(json!({"from": FROM})).await.0, 202);
    let old = shop.kiotviet.invoices();
    let edit = |id| {
        shop.kiotviet
            .edit_invoice(id, |i| i.lines[0].quantity = 5.into())
    };
    shop.pass(1).await;
    let edited = edit(old[0].id).unwrap();
    shop.deliver().await;
    shop.kiotviet_faults.clear();
    shop.minutes(10).await;
    assert_eq!(state(&shop).await["state"], "done");
    assert_eq!(shop.in_getfly(), (2, 2));
    let order = &shop.getfly.orders()[0];
    assert_eq!(order.order_code, "cuahangthu-HD000001");
    assert_eq!(order.total(), 750_000.into());

    // R6: it has its order now, and so has the other one.
    edit(edited).unwrap();
    edit(old[1].id).unwrap();
    shop.deliver().await;
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly(), (2, 2));
    let edits = shop.outcomes().await.split_off(6);
    assert!(
        edits.contains(&"ignored invoice_edited".to_owned()),
        "{edits:?}"
    );
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_what_no_backfill_wants_stays_out() {
    for (window, ended) in [
        (json!({"from": FROM}), true),
        (json!({"from": FROM, "to": "2026-10-05T02:59:59Z"}), false),
    ] {
        let shop = shop_with_a_past(On::Both).await;
        let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/invoices");
        shop.kiotviet_faults.add(down);
        assert_eq!(shop.backfill(window).await.0, 202);
        if ended {
            shop.app.stop_backfill(CONNECTION).await;
        }
        let old = shop.kiotviet.invoices()[0].id;
        shop.kiotviet.edit_invoice(old, |_| {});
        shop.kiotviet_faults.clear();
        shop.deliver().await;
        shop.minutes(10).await;
        assert_eq!(shop.getfly.orders().len(), 0);
        let outcomes = shop.outcomes().await;
        assert!(
            outcomes.contains(&"ignored invoice_edited".to_owned()),
            "{outcomes:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r4_with_the_customer_webhook_off_only_sales_bring_their_customers() {
    let shop = shop_with_a_past(On::Orders).await;
    let (_, preview) = shop.backfill(json!({"from": FROM, "dry_run": true})).await;
    assert_eq!(preview["customers"], Value::Null);
    shop.backfill(json!({"from": FROM})).await;
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn only_the_window_comes() {
    let shop = shop_with_a_past(On::Both).await;
    let to = "2026-10-05T03:30:00Z";
    shop.kiotviet
        .create_customer(customer("Chị Mai", "0933003333"));
    shop.kiotviet.take_deliveries();
    shop.backfill(json!({"from": "2026-10-05", "to": to})).await;
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly(), (2, 2));
    assert_eq!(state(&shop).await["to"], to);
    let window =
        json!({"from": "2026-10-05T03:30:01Z", "to": "2026-10-05T03:30:02Z", "dry_run": true});
    let (_, none) = shop.backfill(window).await;
    assert_eq!(none["customers"]["listed"], 0);
}

#[tokio::test(start_paused = true)]
async fn it_keeps_to_kiotviets_calls_an_hour_and_lets_live_events_pass() {
    let shop = TestShop::unconnected();
    shop.app.set_variable("getfly_requests_per_second", "100");
    for n in 0..2_500 {
        shop.kiotviet.create_customer(NewCustomer {
            name: format!("Khách {n}"),
            contact_number: Some(format!("09{n:08}")),
            ..NewCustomer::default()
        });
    }
    shop.pass(60).await;
    shop.connect_with(On::Customers).await;
    shop.backfill(json!({"from": FROM})).await;
    let began = shop.clock.now();
    let mut live = None;
    let mut done_after = 0;
    for minute in 1..=120 {
        if minute == 2 {
            live = Some(shop.kiotviet.create_customer(hoa()));
            shop.deliver().await;
        }
        shop.pass(60).await;
        shop.drain().await;
        if minute == 3 {
            let name = |a: &sim::getfly::Account| a.account_name == "Chị Hoa";
            assert!(shop.getfly.accounts().iter().any(name), "{live:?}");
        }
        if state(&shop).await["state"] == "done" {
            done_after = minute;
            break;
        }
    }
    assert!(
        (57..=61).contains(&done_after),
        "in the second hour: {done_after}"
    );
    assert_eq!(shop.in_getfly().0, 2_501);
    let calls = shop.kiotviet.calls();
    let in_the_hour = calls
        .iter()
        .filter(|c| c.at.duration_since(began).as_secs() < 3600);
    assert!(in_the_hour.count() < 5_000);
}

#[tokio::test(start_paused = true)]
async fn it_can_be_ended_and_begun_again() {
    let shop = shop_with_a_past(On::Both).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(http::Method::GET, "/customers");
    let rule = shop.kiotviet_faults.add(down);
    shop.backfill(json!({"from": FROM})).await;
    shop.drain().await;
    let waits = state(&shop).await;
    assert_eq!(waits["state"], "running");
    assert!(
        waits["note"].as_str().unwrap().contains("busy or down"),
        "{waits}"
    );
    let (status, problem) = shop.backfill(json!({"from": FROM})).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &Value::from("backfill-running"))
    );
    let (status, ended) = shop.app.stop_backfill(CONNECTION).await;
    assert_eq!((status, &ended["state"]), (202, &Value::from("stopped")));
    shop.kiotviet_faults.remove(rule);
    shop.minutes(10).await;
    assert_eq!(shop.in_getfly(), (0, 0));
    shop.backfill(json!({"from": FROM})).await;
    shop.minutes(10).await;
    assert_eq!(shop.in_getfly(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn wrong_input_is_told() {
    let shop = shop_with_a_past(On::Neither).await;
    for webhook in ["customer", "order"] {
        shop.switch(webhook, false).await;
    }
    for (body, status, kind) in [
        (json!({}), 400, "invalid-request"),
        (json!({"from": "yesterday"}), 400, "invalid-request"),
        (json!({"from": "2026-13-01"}), 400, "invalid-request"),
        (json!({"from": "2027-01-01"}), 400, "invalid-request"),
        (
            json!({"from": FROM, "to": "2026-10-04"}),
            400,
            "invalid-request",
        ),
        (json!({"from": FROM}), 409, "webhooks-are-off"),
    ] {
        let (got, problem) = shop.backfill(body.clone()).await;
        assert_eq!(
            (got, problem["type"].as_str()),
            (status, Some(kind)),
            "{body}"
        );
    }
    let body = json!({"from": FROM});
    assert_eq!(shop.app.backfill("nobody", &body).await.0, 404);
    assert_eq!(state(&shop).await["state"], "none");
}
