//! Claims: what cannot be decided safely a person decides, once: an invoice whose code looks like
//! an edit's is an edit or a sale, and stays so. How: a dead letter that asks, its two commands,
//! and more deliveries afterwards.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
};
use serde_json::Value;
use sim::kiotviet::NewInvoice;

const DAY: u64 = 86_400;

/// A shop with an order, and the dead letter (event 3) of an invoice that may be its edit: the original is
/// cancelled, and this one was sold two days later.
async fn asking() -> (TestShop, i64) {
    let shop = TestShop::connected(On::Both).await;
    let original = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.pass(2 * DAY).await;
    shop.kiotviet.cancel_invoice(original);
    let code = shop.kiotviet.invoice(original).expect("an invoice").code;
    let id = shop.kiotviet.create_invoice(NewInvoice {
        code: Some(format!("{code}.01")),
        ..sale(None)
    });
    shop.deliver().await;
    let outcomes = shop.outcomes().await;
    assert_eq!(outcomes.last().expect("an event"), "dead edit_or_sale");
    (shop, id)
}

async fn tell(shop: &TestShop, seq: u64, word: &str) -> (u16, Value) {
    let path = format!("events/{seq}/{word}");
    shop.app.call("POST", &path, &Value::Null).await
}

#[tokio::test(start_paused = true)]
async fn r6_a_person_says_that_it_is_an_edit_or_a_sale_and_is_not_asked_again() {
    for (word, outcome, orders) in [
        ("edit", "ignored invoice_edited", 1),
        ("sale", "created order_created", 2),
    ] {
        let (shop, id) = asking().await;
        let (status, event) = tell(&shop, 3, word).await;
        assert_eq!(status, 200, "{event}");
        shop.settle().await;
        assert_eq!(shop.outcomes().await[2], outcome);
        assert_eq!(shop.getfly.orders().len(), orders, "{word}");
        assert!(
            event["notes"].to_string().contains("a person said"),
            "{event}"
        );
        // A later delivery of the same invoice, and a list scan with it.
        shop.kiotviet.set_invoice_status(id, 1);
        shop.deliver().await;
        shop.minutes(60).await;
        shop.settle().await;
        let outcomes = shop.outcomes().await;
        assert!(
            outcomes.iter().all(|o| !o.starts_with("dead")),
            "{outcomes:?}"
        );
        assert_eq!(shop.getfly.orders().len(), orders, "{word}");
        let (status, _) = tell(&shop, 3, word).await;
        assert_eq!(status, 409, "it asks no more");
    }
}

#[tokio::test(start_paused = true)]
async fn r6_the_answer_holds_for_deliveries_that_came_meanwhile() {
    let (shop, id) = asking().await;
    // Getfly is down while the person answers; the next delivery comes before it is up again.
    let down = sim::FaultRule::new(sim::Fault::Status(503, None));
    let rule = shop.getfly_faults.add(down);
    tell(&shop, 3, "sale").await;
    shop.kiotviet.set_invoice_status(id, 1);
    shop.deliver().await;
    shop.minutes(10).await;
    shop.getfly_faults.remove(rule);
    shop.settle().await;
    let outcomes = shop.outcomes().await;
    assert!(
        outcomes.iter().all(|o| !o.starts_with("dead")),
        "{outcomes:?}"
    );
    assert_eq!(shop.getfly.orders().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn only_a_dead_letter_that_asks_is_told_what_its_invoice_is() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let (status, problem) = tell(&shop, 1, "sale").await;
    assert_eq!((status, &problem["type"]), (409, &"nothing-asked".into()));
    let (status, _) = tell(&shop, 1, "neither").await;
    assert_eq!(status, 404);
}
