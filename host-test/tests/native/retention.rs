//! Claims: a finished event is removed once it is older than `retention_days`, whatever ended it; a
//! dead letter stays until a person has it retried or dismissed; and what was removed leaves no
//! trace in the counts, no second account, no second order and no dearer call. How: months pass in
//! virtual time, with a drain now and then.

use host_test::scene::{CONNECTION, On, Scene, customer, sale};
use http::Method;
use plugin::journal::cursor;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When, kiotviet::NewInvoice};

const DAY: u64 = 86_400;

fn keys(scene: &Scene, part: &str) -> Vec<String> {
    let all = scene.app.store.dump().into_keys();
    all.filter(|key| key.contains(part)).collect()
}

async fn api(scene: &Scene, path: &str) -> (u16, Value) {
    scene.app.api("POST", path, &Value::Null).await
}

/// More than `retention_days` pass; every event is removed.
async fn all_are_removed(scene: &Scene) {
    scene.pass(31 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.events().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn finished_events_go_and_dead_letters_stay() {
    let scene = Scene::connected(On::Both).await;
    let id = scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    scene.kiotviet.create_order(NewInvoice::default());
    scene.deliver().await;
    let refused = FaultRule::new(Fault::ErrorsIn200)
        .on(Method::POST, "/api/v6.1/sale_order")
        .when(When::First(1));
    scene.getfly_faults.add(refused);
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    assert_eq!(
        scene.outcomes().await,
        ["created customer_created", "dead getfly_refused"]
    );

    scene.pass(29 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.events().await.len(), 2);
    scene.pass(2 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.outcomes().await, ["dead getfly_refused"]);

    // A person's wish still works, and is itself kept for its time.
    assert_eq!(api(&scene, "events/2/dismiss").await.0, 200);
    scene.pass(29 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.events().await.len(), 1);
    scene.pass(2 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.events().await.len(), 0);
    assert_eq!(
        keys(&scene, "/journal/"),
        ["kvgf/journal/cursor", "kvgf/journal/tail"]
    );
    assert_eq!(keys(&scene, "/due/"), [""; 0]);
    let counts = cursor::load(&scene.app).await.unwrap().counts;
    assert_eq!(
        (
            counts.received,
            counts.created,
            counts.dead,
            counts.dismissed
        ),
        (2, 1, 0, 1)
    );
    assert_eq!(counts.waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_older_than_the_retention_can_be_retried_and_then_goes_too() {
    let scene = Scene::connected(On::Both).await;
    let fault = scene.getfly_faults.add(FaultRule::new(Fault::ErrorsIn200));
    scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    scene.deliver().await;
    scene.pass(40 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.outcomes().await, ["dead getfly_refused"]);
    scene.getfly_faults.remove(fault);
    assert_eq!(api(&scene, "events/1/retry").await.0, 200);
    assert_eq!(scene.outcomes().await, ["created customer_created"]);
    all_are_removed(&scene).await;
    assert_eq!(keys(&scene, "/due/"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_longer_retention_counts_for_what_was_already_due_to_go() {
    let scene = Scene::connected(On::Both).await;
    let fault = scene.getfly_faults.add(FaultRule::new(Fault::ErrorsIn200));
    scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    scene.deliver().await;
    scene.pass(40 * DAY).await;
    scene.drain().await;
    scene.getfly_faults.remove(fault);
    // Its removal is listed for thirty days from now.
    api(&scene, "events/1/retry").await;
    scene.app.set_variable("retention_days", "60");
    scene.pass(31 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.outcomes().await, ["created customer_created"]);
    let counts = cursor::load(&scene.app).await.unwrap().counts;
    assert_eq!((counts.received, counts.created), (1, 1));
    scene.pass(30 * DAY).await;
    scene.drain().await;
    assert_eq!(scene.events().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_is_neither_doubled_nor_dearer() {
    let scene = Scene::connected(On::Both).await;
    let id = scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    let sold = scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    all_are_removed(&scene).await;

    // A payment: R6 holds for what was forgotten too.
    scene.app.take_calls();
    scene.kiotviet.set_invoice_status(sold, 1);
    scene.deliver().await;
    assert_eq!(scene.outcomes().await, ["ignored already_synced"]);
    assert_eq!(scene.app.take_calls(), []);

    for _ in 0..2 {
        scene.app.take_calls();
        scene.kiotviet.create_invoice(sale(Some(id)));
        scene.deliver().await;
    }
    let calls = scene.app.take_calls();
    let calls: Vec<&str> = calls.iter().map(|c| c.endpoint).collect();
    assert_eq!(
        calls,
        ["KiotViet GET /invoices/{id}", "Getfly POST /sale_order"]
    );
    assert_eq!(scene.getfly.accounts().len(), 1);
    assert_eq!(scene.getfly.orders().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_was_refused_before_its_webhook_went_off_can_still_be_brought_in() {
    let scene = Scene::connected(On::Orders).await;
    let began = scene.clock.now();
    let busy = FaultRule::new(Fault::Status(429, None)).on(Method::POST, "/api/v6.1/sale_order");
    scene.getfly_faults.add(busy);
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    scene.switch("DELETE", "order").await;
    scene.minutes(2).await;
    assert_eq!(scene.outcomes().await, ["ignored order_webhook_off"]);
    scene.getfly_faults.clear();
    all_are_removed(&scene).await;

    scene.switch("PUT", "order").await;
    let wanted = json!({ "from": began.to_string() });
    let path = format!("connections/{CONNECTION}/backfill");
    assert_eq!(scene.app.api("POST", &path, &wanted).await.0, 202);
    scene.settle().await;
    assert_eq!(scene.outcomes().await, ["created order_created"]);
    assert_eq!(scene.in_getfly(), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_a_person_dismissed_stays_out() {
    let scene = Scene::connected(On::Orders).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    scene.getfly_faults.add(refused.when(When::First(1)));
    let sold = scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    assert_eq!(api(&scene, "events/1/dismiss").await.0, 200);
    all_are_removed(&scene).await;
    scene.kiotviet.set_invoice_status(sold, 1);
    scene.deliver().await;
    assert_eq!(scene.outcomes().await, ["ignored already_synced"]);
    assert_eq!(scene.in_getfly(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_found_whatever_came_after_it() {
    let scene = Scene::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200)
        .on(Method::POST, "/api/v6.1/sale_order")
        .when(When::First(1));
    scene.getfly_faults.add(refused);
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    for _ in 0..2_500 {
        scene.kiotviet.create_order(NewInvoice::default());
    }
    scene.deliver().await;
    let dead = async || {
        let list = scene.app.get("events?state=dead").await.1;
        let numbers = list["events"].as_array().cloned().unwrap_or_default();
        let numbers: Vec<Value> = numbers.iter().map(|e| e["seq"].clone()).collect();
        (numbers, list["next_before"].clone())
    };
    assert_eq!(dead().await, (vec![json!(1)], Value::Null));
    assert_eq!(api(&scene, "events/1/retry").await.0, 200);
    scene.settle().await;
    assert_eq!(dead().await, (Vec::new(), Value::Null));
    assert_eq!(scene.in_getfly(), (0, 1));
}
