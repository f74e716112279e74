//! Claims: a finished event is removed once it is older than `retention_days`, whatever ended it; a
//! dead letter stays until a person has it retried or dismissed; and a removed event causes no
//! difference in the counts, no second account, no second order and no further call. How: months
//! pass in virtual time, with a drain now and then.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, sale},
};
use http::Method;
use plugin::journal::cursor;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When, kiotviet::NewInvoice};

const DAY: u64 = 86_400;

fn keys(shop: &TestShop, part: &str) -> Vec<String> {
    let all = shop.app.store.dump().into_keys();
    all.filter(|key| key.contains(part)).collect()
}

/// This many days pass, then a drain runs.
async fn days(shop: &TestShop, days: u64) {
    shop.pass(days * DAY).await;
    shop.drain().await;
}

/// More than `retention_days` pass; every event is removed.
async fn all_are_removed(shop: &TestShop) {
    days(shop, 31).await;
    assert_eq!(shop.events().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn finished_events_go_and_dead_letters_stay() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    shop.kiotviet.create_order(NewInvoice::default());
    shop.deliver().await;
    let refused = FaultRule::new(Fault::ErrorsIn200)
        .on(Method::POST, "/api/v6.1/sale_order")
        .when(When::First(1));
    shop.getfly_faults.add(refused);
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(
        shop.outcomes().await,
        ["created customer_created", "dead getfly_refused"]
    );

    days(&shop, 29).await;
    assert_eq!(shop.events().await.len(), 2);
    days(&shop, 2).await;
    assert_eq!(shop.outcomes().await, ["dead getfly_refused"]);

    // A person's command still works, and is itself stored for its time.
    assert_eq!(shop.app.dismiss(2).await.0, 200);
    days(&shop, 29).await;
    assert_eq!(shop.events().await.len(), 1);
    days(&shop, 2).await;
    assert_eq!(shop.events().await.len(), 0);
    assert_eq!(
        keys(&shop, "/journal/"),
        ["kvgf/journal/cursor", "kvgf/journal/tail"]
    );
    assert_eq!(keys(&shop, "/due/"), [""; 0]);
    let counts = cursor::load(&shop.app).await.unwrap().counts;
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
    let shop = TestShop::connected(On::Both).await;
    let fault = shop.getfly_faults.add(FaultRule::new(Fault::ErrorsIn200));
    shop.kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    shop.deliver().await;
    days(&shop, 40).await;
    assert_eq!(shop.outcomes().await, ["dead getfly_refused"]);
    shop.getfly_faults.remove(fault);
    assert_eq!(shop.app.retry(1).await.0, 200);
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
    all_are_removed(&shop).await;
    assert_eq!(keys(&shop, "/due/"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_longer_retention_counts_for_what_was_already_due_to_go() {
    let shop = TestShop::connected(On::Both).await;
    let fault = shop.getfly_faults.add(FaultRule::new(Fault::ErrorsIn200));
    shop.kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    shop.deliver().await;
    days(&shop, 40).await;
    shop.getfly_faults.remove(fault);
    // Its removal is listed for thirty days from now.
    shop.app.retry(1).await;
    shop.app.set_variable("retention_days", "60");
    days(&shop, 31).await;
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
    let counts = cursor::load(&shop.app).await.unwrap().counts;
    assert_eq!((counts.received, counts.created), (1, 1));
    days(&shop, 30).await;
    assert_eq!(shop.events().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_is_neither_doubled_nor_dearer() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    let sold = shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    all_are_removed(&shop).await;

    // A payment: R6 holds for removed events too.
    shop.app.take_calls();
    shop.kiotviet.set_invoice_status(sold, 1);
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["ignored already_synced"]);
    assert_eq!(shop.app.take_calls(), []);

    for _ in 0..2 {
        shop.app.take_calls();
        shop.kiotviet.create_invoice(sale(Some(id)));
        shop.deliver().await;
    }
    let calls = shop.app.take_calls();
    let calls: Vec<&str> = calls.iter().map(|c| c.endpoint).collect();
    assert_eq!(
        calls,
        ["KiotViet GET /invoices/{id}", "Getfly POST /sale_order"]
    );
    assert_eq!(shop.getfly.accounts().len(), 1);
    assert_eq!(shop.getfly.orders().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_was_refused_before_its_webhook_went_off_can_still_be_brought_in() {
    let shop = TestShop::connected(On::Orders).await;
    let began = shop.clock.now();
    let busy = FaultRule::new(Fault::Status(429, None)).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(busy);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.switch("order", false).await;
    shop.minutes(2).await;
    assert_eq!(shop.outcomes().await, ["ignored order_webhook_off"]);
    shop.getfly_faults.clear();
    all_are_removed(&shop).await;

    shop.switch("order", true).await;
    let wanted = json!({ "from": began.to_string() });
    assert_eq!(shop.backfill(wanted).await.0, 202);
    shop.settle().await;
    assert_eq!(shop.outcomes().await, ["created order_created"]);
    assert_eq!(shop.in_getfly(), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_a_person_dismissed_stays_out() {
    let shop = TestShop::connected(On::Orders).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refused.when(When::First(1)));
    let sold = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(shop.app.dismiss(1).await.0, 200);
    all_are_removed(&shop).await;
    shop.kiotviet.set_invoice_status(sold, 1);
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["dismissed getfly_refused"]);
    assert_eq!(shop.in_getfly(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_found_whatever_came_after_it() {
    let shop = TestShop::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200)
        .on(Method::POST, "/api/v6.1/sale_order")
        .when(When::First(1));
    shop.getfly_faults.add(refused);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    for _ in 0..2_500 {
        shop.kiotviet.create_order(NewInvoice::default());
    }
    shop.deliver().await;
    let dead = async || {
        let list = shop.app.events("state=dead").await.1;
        let numbers = list["events"].as_array().cloned().unwrap_or_default();
        let numbers: Vec<Value> = numbers.iter().map(|e| e["seq"].clone()).collect();
        (numbers, list["next_before"].clone())
    };
    assert_eq!(dead().await, (vec![json!(1)], Value::Null));
    assert_eq!(shop.app.retry(1).await.0, 200);
    shop.settle().await;
    assert_eq!(dead().await, (Vec::new(), Value::Null));
    assert_eq!(shop.in_getfly(), (0, 1));
}
