//! Claims: a sale or a customer is found by code, order code or phone among a million events, with few reads of the
//! store (the time is printed), also one that ended long after its neighbours; what is past its retention leaves no index. How: a real
//! history of a thousand events, and behind it the numbers and the index of a million.

use host_test::{
    admin::{self, Admin},
    shop::{On, TestShop, customer, hoa, sale},
    visitor::Visitor,
};
use plugin::{
    journal::{cursor, index::SPAN, keys},
    stored,
    world::Store,
};
use std::time::Instant;

/// The numbers of the events that are found, newest first.
async fn found(shop: &TestShop, what: &str) -> Vec<u64> {
    let what: String = url::form_urlencoded::byte_serialize(what.as_bytes()).collect();
    let events = admin::listed(shop.app.events(&format!("q={what}")).await);
    let numbers = events.iter().map(|event| event["seq"].as_u64());
    numbers.collect::<Option<_>>().expect("numbers")
}

/// A shop whose first span of events is complete: a customer, his sale, and many others.
async fn busy_shop() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    for n in 0..SPAN {
        let other = customer("Khách", &format!("09345{n:05}"));
        shop.kiotviet.create_customer(other);
    }
    shop.deliver().await;
    shop
}

fn index_keys(shop: &TestShop) -> usize {
    let all = shop.app.store.dump().into_keys();
    all.filter(|key| key.contains("/index/")).count()
}

#[tokio::test(start_paused = true)]
async fn a_sale_is_found_among_a_million_events_with_few_reads() {
    let shop = busy_shop().await;
    let mut cursor = cursor::load(&shop.app).await.expect("a cursor");
    assert_eq!(cursor.indexed, (0, 1), "the first span is indexed");
    // The index of a million further events: rows of other words.
    let spans = 1_000_000 / SPAN;
    let rows: Vec<u8> = (0_u64..320)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
        .collect();
    for span in 1..=spans {
        for part in 0..16 {
            let set = shop.app.set(&keys::index(span, part), &rows).await;
            set.expect("a store");
        }
    }
    let tail = i64::try_from(spans * SPAN).expect("a number");
    let counted = shop.app.increment(keys::JOURNAL_TAIL, tail).await;
    let last = counted.expect("a store").unsigned_abs();
    cursor.low = last;
    cursor.indexed = (0, spans + 1);
    let set = shop.app.set(keys::CURSOR, &stored::write(&cursor)).await;
    set.expect("a store");

    let invoice = shop.kiotviet.invoices()[0].code.clone();
    let customer = shop.kiotviet.customers()[0].content.code.clone();
    let customer = customer.expect("a code");
    let order = shop.getfly.orders()[0].order_code.clone();
    for (what, numbers) in [
        (invoice.as_str(), vec![2]),
        (order.as_str(), vec![2]),
        ("0912 345 678", vec![2, 1]),
        (customer.as_str(), vec![2, 1]),
        ("0999999999", vec![]),
    ] {
        shop.app.take_stored();
        let began = Instant::now();
        assert_eq!(found(&shop, what).await, numbers, "{what}");
        let took = began.elapsed();
        let reads = shop.app.take_stored().len();
        println!("{what}: {reads} reads, {took:?}");
        assert!(reads < 9000, "{what}: {reads} reads");
    }
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get(&format!("/ui/events?q={invoice}")).await.html;
    assert!(page.contains("/ui/events/2\""), "{page}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_ends_after_its_span_was_indexed_is_found_by_what_it_shows_then() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    for n in 0..SPAN {
        let other = customer("Khách", &format!("09345{n:05}"));
        shop.kiotviet.create_customer(other);
    }
    shop.deliver().await;
    let cursor = cursor::load(&shop.app).await.expect("a cursor");
    assert_eq!(cursor.indexed, (0, 1));
    let retried = shop
        .app
        .call("POST", "events/1/retry", &serde_json::Value::Null);
    assert_eq!(retried.await.0, 200);
    let event = shop.app.event(1).await.1;
    let code = event["account_code"].as_str().expect("a code");
    assert_eq!(found(&shop, code).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_past_its_retention_leaves_no_index() {
    let shop = busy_shop().await;
    assert!(index_keys(&shop) > 0);
    shop.pass(31 * 86_400).await;
    for _ in 0..20 {
        shop.drain().await;
    }
    assert_eq!(index_keys(&shop), 0);
    assert_eq!(found(&shop, "0912345678").await, [0; 0]);
}
