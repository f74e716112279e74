//! Claims R6 for codes that are used twice, also over an earlier version's ledger, which has
//! neither day nor total of an order: Getfly has them. How: the ledger's entries are overwritten by
//! hand.

use host_test::shop::{On, TestShop, sale};
use plugin::rules::codes::RetailerId;
use plugin::{journal::keys, world::Store};
use sim::kiotviet::{Line, NewInvoice};

/// An invoice with this code and this many pieces.
fn with_code(code: &str, pieces: i64) -> NewInvoice {
    NewInvoice {
        code: Some(code.to_owned()),
        lines: vec![Line::new("SP1", "Áo", pieces.into(), 150_000.into())],
        ..sale(None)
    }
}

/// A shop with the order of an invoice `HD1` of two pieces, as an earlier version knew it.
async fn earlier_version() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_invoice(with_code("HD1", 2));
    assert_eq!(shop.deliver().await, [200]);
    let retailer = RetailerId::parse(&shop.kiotviet.settings().retailer).expect("a shop");
    let key = keys::invoice(&retailer, "HD1");
    let entry = format!("{{\"ordered\":{{\"invoice_id\":{id}}}}}");
    shop.app.set(&key, entry.as_bytes()).await.expect("written");
    shop.app.take_calls();
    shop
}

#[tokio::test(start_paused = true)]
async fn r6_a_used_code_with_getflys_day_and_total_is_the_same_sale() {
    let shop = earlier_version().await;
    let restored = shop.kiotviet.create_invoice(with_code("HD1", 2));
    assert_eq!(shop.deliver().await, [200]);
    shop.kiotviet.set_invoice_status(restored, 3);
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(
        shop.outcomes().await[1..],
        ["ignored already_synced", "ignored already_synced"]
    );
    assert_eq!(shop.in_getfly(), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn r6_a_used_code_with_another_total_than_getflys_is_another_sale() {
    let shop = earlier_version().await;
    let id = shop.kiotviet.create_invoice(with_code("HD1", 3));
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.outcomes().await[1..], ["created order_created"]);
    let orders = shop.getfly.orders();
    let again = orders.last().expect("an order");
    let retailer = shop.kiotviet.settings().retailer.clone();
    assert_eq!(again.order_code, format!("{retailer}-HD1-{id}"));
    // Each sale of one code has a key of its own: neither is ordered twice.
    for invoice in [id, id - 1] {
        shop.kiotviet.set_invoice_status(invoice, 3);
    }
    shop.deliver().await;
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn r6_reading_back_passes_over_edits_and_used_codes_that_are_decided() {
    let shop = TestShop::connected(On::Both).await;
    let first = shop.kiotviet.create_invoice(with_code("HD1", 2));
    shop.deliver().await;
    shop.kiotviet.edit_invoice(first, |_| {});
    shop.kiotviet.create_invoice(with_code("HD2", 2));
    shop.kiotviet.create_invoice(with_code("HD2", 2));
    shop.deliver().await;
    shop.settle().await;
    let events = shop.events().await.len();
    for _ in 0..3 {
        shop.pass(3600).await;
        shop.heal().await;
        shop.settle().await;
    }
    assert_eq!(
        shop.events().await.len(),
        events,
        "nothing is read back twice"
    );
    assert_eq!(shop.in_getfly(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn r6_an_old_invoice_under_a_used_code_leaves_the_order_known() {
    let shop = TestShop::connected(On::Both).await;
    let first = shop.kiotviet.create_invoice(with_code("HD1", 2));
    let long_ago = "2026-01-02T03:00:00Z".parse().ok();
    shop.kiotviet.create_invoice(NewInvoice {
        created_at: long_ago,
        ..with_code("HD1", 3)
    });
    shop.deliver().await;
    shop.kiotviet.set_invoice_status(first, 3);
    shop.deliver().await;
    assert_eq!(
        shop.outcomes().await,
        [
            "created order_created",
            "ignored created_before_connection",
            "ignored already_synced"
        ]
    );
    assert_eq!(shop.in_getfly(), (0, 1));
}
