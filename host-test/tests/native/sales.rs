//! Claims R6 for codes that are used twice, also over a ledger that an earlier version kept, which tells
//! neither day nor total of an order: Getfly does. How: the ledger's entries are written over by hand.

use host_test::scene::{On, Scene, sale};
use plugin::rules::codes::RetailerId;
use plugin::{journal::keys, world::Store};
use sim::kiotviet::{Line, NewInvoice};

/// An invoice with this code, of so many pieces.
fn with_code(code: &str, pieces: i64) -> NewInvoice {
    NewInvoice {
        code: Some(code.to_owned()),
        lines: vec![Line::new("SP1", "Áo", pieces.into(), 150_000.into())],
        ..sale(None)
    }
}

/// A shop with the order of an invoice `HD1` of two pieces, as an earlier version knew it.
async fn earlier_version() -> Scene {
    let scene = Scene::connected(On::Both).await;
    let id = scene.kiotviet.create_invoice(with_code("HD1", 2));
    assert_eq!(scene.deliver().await, [200]);
    let shop = RetailerId::parse(&scene.kiotviet.settings().retailer).expect("a shop");
    let key = keys::invoice(&shop, "HD1");
    let entry = format!("{{\"ordered\":{{\"invoice_id\":{id}}}}}");
    scene
        .app
        .set(&key, entry.as_bytes())
        .await
        .expect("written");
    scene.app.take_calls();
    scene
}

#[tokio::test(start_paused = true)]
async fn r6_a_used_code_with_getflys_day_and_total_is_the_same_sale() {
    let scene = earlier_version().await;
    let restored = scene.kiotviet.create_invoice(with_code("HD1", 2));
    assert_eq!(scene.deliver().await, [200]);
    scene.kiotviet.set_invoice_status(restored, 3);
    assert_eq!(scene.deliver().await, [200]);
    assert_eq!(
        scene.outcomes().await[1..],
        ["ignored already_synced", "ignored already_synced"]
    );
    assert_eq!(scene.in_getfly(), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn r6_a_used_code_with_another_total_than_getflys_is_another_sale() {
    let scene = earlier_version().await;
    let id = scene.kiotviet.create_invoice(with_code("HD1", 3));
    assert_eq!(scene.deliver().await, [200]);
    assert_eq!(scene.outcomes().await[1..], ["created order_created"]);
    let orders = scene.getfly.orders();
    let again = orders.last().expect("an order");
    let retailer = scene.kiotviet.settings().retailer.clone();
    assert_eq!(again.order_code, format!("{retailer}-HD1-{id}"));
    // Each sale of one code has a key of its own: neither is ordered twice.
    for invoice in [id, id - 1] {
        scene.kiotviet.set_invoice_status(invoice, 3);
    }
    scene.deliver().await;
    scene.settle().await;
    assert_eq!(scene.in_getfly(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn r6_reading_back_passes_over_edits_and_used_codes_that_are_decided() {
    let scene = Scene::connected(On::Both).await;
    let first = scene.kiotviet.create_invoice(with_code("HD1", 2));
    scene.deliver().await;
    scene.kiotviet.edit_invoice(first, |_| {});
    scene.kiotviet.create_invoice(with_code("HD2", 2));
    scene.kiotviet.create_invoice(with_code("HD2", 2));
    scene.deliver().await;
    scene.settle().await;
    let events = scene.events().await.len();
    for _ in 0..3 {
        scene.pass(3600).await;
        scene.heal().await;
        scene.settle().await;
    }
    assert_eq!(
        scene.events().await.len(),
        events,
        "nothing is read back twice"
    );
    assert_eq!(scene.in_getfly(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn r6_an_old_invoice_under_a_used_code_leaves_the_order_known() {
    let scene = Scene::connected(On::Both).await;
    let first = scene.kiotviet.create_invoice(with_code("HD1", 2));
    let long_ago = "2026-01-02T03:00:00Z".parse().ok();
    scene.kiotviet.create_invoice(NewInvoice {
        created_at: long_ago,
        ..with_code("HD1", 3)
    });
    scene.deliver().await;
    scene.kiotviet.set_invoice_status(first, 3);
    scene.deliver().await;
    assert_eq!(
        scene.outcomes().await,
        [
            "created order_created",
            "ignored created_before_connection",
            "ignored already_synced"
        ]
    );
    assert_eq!(scene.in_getfly(), (0, 1));
}
