//! Claims: a dismissal holds, an invoice's for good, a customer's until the pushed members change;
//! it does not keep the customer's invoice from creating the account; and a record has one dead
//! letter. How: refusals, a person's dismissal, and any deliveries afterwards.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
};
use http::Method;
use plugin::journal::record::State;
use serde_json::json;
use sim::{Fault, FaultRule, When};

/// Makes Getfly refuse this many orders.
fn refuse_orders(shop: &TestShop, times: u64) {
    let refusal = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refusal.when(When::First(times)));
}

async fn states(shop: &TestShop) -> Vec<State> {
    let (counts, recount) = shop.counts().await;
    assert_eq!(counts, recount);
    shop.journal().await.iter().map(|r| r.state()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_invoice_that_was_dismissed_stays_so() {
    let shop = TestShop::connected(On::Both).await;
    refuse_orders(&shop, 1);
    let id = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(shop.app.dismiss(1).await.0, 200);
    shop.kiotviet.set_invoice_status(id, 1);
    shop.deliver().await;
    let from = json!({"from": "2026-10-05T00:00:00Z"});
    assert_eq!(shop.backfill(from).await.0, 202);
    shop.minutes(120).await;
    shop.settle().await;
    assert_eq!(shop.getfly.orders().len(), 0);
    let states = states(&shop).await;
    assert!(states.iter().all(|s| *s == State::Dismissed), "{states:?}");
    let notes = shop.events().await[1]["notes"].to_string();
    assert!(
        notes.contains("a person dismissed it before, as event 1"),
        "{notes}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_customer_that_was_dismissed_stays_so_until_what_is_pushed_changes() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.app.dismiss(1).await.0, 200);
    // Delivered again, as after a sale or a payment: no pushed member differs.
    shop.kiotviet.edit_customer(id, |_| {});
    shop.deliver().await;
    assert_eq!(states(&shop).await, [State::Dismissed; 2]);
    assert_eq!(shop.getfly.accounts().len(), 0);
    shop.kiotviet
        .edit_customer(id, |c| c.name = "Chị Hoa Mới".to_owned());
    shop.deliver().await;
    assert_eq!(shop.outcomes().await[2], "created customer_created");
}

#[tokio::test(start_paused = true)]
async fn a_dismissed_customers_invoice_creates_the_account() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.app.dismiss(1).await.0, 200);
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(shop.outcomes().await[1], "created order_created");
    assert_eq!(shop.in_getfly(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_of_one_record_are_one() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(3);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    for _ in 0..2 {
        shop.kiotviet.edit_customer(id, |_| {});
        shop.deliver().await;
    }
    let wanted = [State::Dead, State::Dismissed, State::Dismissed];
    assert_eq!(states(&shop).await, wanted);
    let notes = shop.events().await[2]["notes"].to_string();
    assert!(
        notes.contains("event 1 is its dead letter already"),
        "{notes}"
    );
    // The one is retried; the next delivery finds it done.
    assert_eq!(shop.app.retry(1).await.0, 200);
    assert_eq!(shop.outcomes().await[0], "created customer_created");
    shop.kiotviet.edit_customer(id, |_| {});
    shop.deliver().await;
    assert_eq!(shop.outcomes().await[3], "ignored already_synced");
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_another_event_goes_before_a_dismissal() {
    let shop = TestShop::connected(On::Customers).await;
    shop.refuse_accounts(2);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.app.dismiss(1).await.0, 200);
    shop.kiotviet
        .edit_customer(id, |c| c.name = "Chị Hoa Mới".to_owned());
    shop.deliver().await;
    assert_eq!(states(&shop).await, [State::Dismissed, State::Dead]);
    assert_eq!(shop.app.retry(3).await.0, 200);
    assert_eq!(shop.outcomes().await[1], "created customer_created");
}
