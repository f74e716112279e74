//! Claims: a store that is new, restored from a copy, or that stood still doubles nothing, even if
//! Getfly accepts a used order code again; in ordinary operation this costs no call; two hosts with
//! a store each for one shop are reported. How: a copy of the store is restored after the shop went
//! on.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, hoa, sale},
    variables::PUBLIC,
};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

fn endpoints(shop: &TestShop) -> Vec<&'static str> {
    let calls = shop.app.take_calls().into_iter();
    calls.map(|call| call.endpoint).collect()
}

/// A customer without phone or e-mail: only its code shows that it exists.
fn nameless() -> sim::kiotviet::NewCustomer {
    customer("Chị Không Số", "")
}

/// Sales after the copy are delivered again once the copy is restored.
async fn put_back_after(minutes: u64) -> TestShop {
    put_back(minutes, false).await
}

/// The same; `numbers_itself`: Getfly keeps no code that is sent.
async fn put_back(minutes: u64, numbers_itself: bool) -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.numbers_itself = numbers_itself);
    shop.minutes(20).await;
    let copy = shop.app.store.copy();
    shop.minutes(minutes).await;
    let who = shop.kiotviet.create_customer(nameless());
    let first = shop.kiotviet.create_invoice(sale(Some(who)));
    let walk_in = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 2));
    let shop = shop.over(Arc::new(copy));
    // Delivered again by an edit on KiotViet, and by its lists.
    shop.kiotviet.edit_customer(who, |_| {});
    shop.kiotviet.set_invoice_status(first, 1);
    shop.kiotviet.edit_invoice(walk_in, |_| {});
    shop.deliver().await;
    shop.minutes(60).await;
    shop.settle().await;
    shop
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_put_back_doubles_nothing() {
    let shop = put_back_after(30).await;
    assert_eq!(shop.in_getfly(), (1, 2), "{:?}", shop.outcomes().await);
    let notes = shop.events().await;
    let notes = Value::from(notes).to_string();
    assert!(notes.contains("Getfly has the order already"), "{notes}");
    // A later delivery finds it in the ledger, and calls no vendor.
    let invoices = shop.kiotviet.invoices();
    shop.app.take_calls();
    shop.kiotviet.set_invoice_status(invoices[0].id, 1);
    shop.deliver().await;
    assert!(endpoints(&shop).iter().all(|e| !e.starts_with("Getfly")));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_put_back_doubles_nothing_where_getfly_numbers_itself() {
    let shop = put_back(30, true).await;
    assert_eq!(shop.in_getfly(), (1, 2), "{:?}", shop.outcomes().await);
    let invoice = shop.kiotviet.invoices().remove(0);
    let events = shop.events().await;
    let order = &shop.getfly.orders()[0];
    let mut codes = events.iter().map(|event| &event["order_code"]);
    assert!(codes.any(|code| *code == *order.order_code), "{invoice:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_store_asks_for_what_is_older_than_itself() {
    for numbers_itself in [false, true] {
        a_new_store(numbers_itself).await;
    }
}

async fn a_new_store(numbers_itself: bool) {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.numbers_itself = numbers_itself);
    let who = shop.kiotviet.create_customer(nameless());
    shop.kiotviet.create_invoice(sale(Some(who)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 1));
    shop.pass(5).await;
    // Everything is lost; the shop is connected again, and its older sales are brought in.
    let shop = shop.over(Arc::new(host::keyvalue::Memory::new()));
    shop.connect_with(On::Both).await;
    let from = json!({"from": "2026-10-05T00:00:00Z"});
    assert_eq!(shop.backfill(from).await.0, 202);
    shop.minutes(5).await;
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (1, 1), "{:?}", shop.outcomes().await);
    // Another sale of the same customer is an ordinary one.
    shop.kiotviet.create_invoice(sale(Some(who)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn in_ordinary_running_nothing_more_is_asked_also_after_a_quiet_night() {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(8 * 60).await;
    shop.app.take_calls();
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(endpoints(&shop).len(), 4);
    shop.minutes(30).await;
    let known = shop.kiotviet.customers()[0].id;
    shop.kiotviet.create_invoice(sale(Some(known)));
    shop.app.take_calls();
    shop.deliver().await;
    let asked = endpoints(&shop);
    assert!(!asked.contains(&"Getfly GET /sale_order"), "{asked:?}");
    // Without any drain the store stood still: the next sale is first read in Getfly.
    shop.pass(3600).await;
    shop.kiotviet.create_invoice(sale(Some(known)));
    shop.pass(1).await;
    shop.deliver().await;
    assert!(endpoints(&shop).contains(&"Getfly GET /sale_order"));
    assert_eq!(shop.in_getfly(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn another_code_under_a_used_code_is_ordered_all_the_same() {
    let shop = TestShop::connected(On::Orders).await;
    let sold = |quantity: i64| sim::kiotviet::NewInvoice {
        code: Some("HD9".to_owned()),
        lines: vec![sim::kiotviet::Line::new(
            "SP1",
            "Áo",
            quantity.into(),
            150_000.into(),
        )],
        ..sale(None)
    };
    shop.kiotviet.create_invoice(sold(1));
    shop.deliver().await;
    shop.pass(3 * 86_400).await;
    let shop = shop.over(Arc::new(host::keyvalue::Memory::new()));
    // Another sale, made before the new store, on another day and of another total.
    shop.kiotviet.create_invoice(sold(5));
    shop.kiotviet.take_deliveries();
    shop.pass(60).await;
    shop.connect_with(On::Orders).await;
    let from = shop.clock.now() - std::time::Duration::from_secs(3600);
    assert_eq!(
        shop.backfill(json!({"from": from.to_string()})).await.0,
        202
    );
    shop.minutes(5).await;
    shop.settle().await;
    assert_eq!(shop.getfly.orders().len(), 2, "{:?}", shop.outcomes().await);
}

#[tokio::test(start_paused = true)]
async fn another_bridge_for_the_same_shop_is_told() {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(31).await;
    let problem = async |shop: &TestShop| {
        let overview = shop.app.overview().await.1;
        overview["connections"][0]["problem"].to_string()
    };
    assert_eq!(problem(&shop).await, "null");
    // Another store; its host answers at the same address.
    let shop = shop.over(Arc::new(host::keyvalue::Memory::new()));
    shop.connect_with(On::Both).await;
    shop.minutes(31).await;
    let told = problem(&shop).await;
    assert!(
        told.contains("another KiotViet → Getfly bridge") && told.contains(PUBLIC),
        "{told}"
    );
    let request = http::Request::builder()
        .method(Method::GET)
        .uri(format!("{PUBLIC}/metrics"))
        .header(
            "authorization",
            format!("Bearer {}", host_test::variables::ADMIN_TOKEN),
        )
        .body(bytes::Bytes::new());
    let metrics = shop.app.request(request.expect("a request")).await.body;
    let metrics = String::from_utf8(metrics).expect("text");
    assert!(
        metrics.contains("kvgf_other_bridges{connection=\"shop\"} 1"),
        "{metrics}"
    );
    // Once its registrations are deleted, all is well.
    let ours = shop.kiotviet.webhooks().len() / 2;
    let others: Vec<i64> = shop.kiotviet.webhooks()[..ours]
        .iter()
        .map(|w| w.id)
        .collect();
    others.iter().for_each(|id| {
        shop.kiotviet.remove_webhook(*id);
    });
    shop.minutes(31).await;
    assert_eq!(problem(&shop).await, "null");
}
