//! Claims: a sale or a customer is found by code, order code or phone among a million events, with few reads of the
//! store, at most 600 (the time is printed), also one that ended long after its neighbours; what is past its retention leaves no index. How: a real
//! history of a thousand events, and behind it the numbers and the index of a million.

use crate::upgrade::hold;
use host_test::{
    admin::{self, Admin},
    host_fault::HostFault,
    shop::{AFTER_THE_LEASE, On, TestShop, customer, hoa, sale},
    visitor::Visitor,
};
use plugin::{
    journal::{
        cursor,
        index::{CHUNK, SPAN},
        keys,
    },
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

/// The cursor tells that so many spans were looked at and indexed.
async fn indexed(shop: &TestShop, spans: u64) {
    let mut cursor = cursor::load(&shop.app).await.expect("a cursor");
    let last = i64::try_from(spans * SPAN).expect("a number");
    let tail = shop.app.increment(keys::JOURNAL_TAIL, 0).await;
    let missing = last - tail.expect("a store");
    let counted = shop.app.increment(keys::JOURNAL_TAIL, missing.max(0)).await;
    cursor.low = counted.expect("a store").unsigned_abs();
    cursor.indexed = (0, spans);
    let set = shop.app.set(keys::CURSOR, &stored::write(&cursor)).await;
    set.expect("a store");
}

/// The same, and the chunks of these spans are folded.
async fn folded(shop: &TestShop, spans: u64) {
    indexed(shop, spans).await;
    for _ in 0..=spans / CHUNK {
        shop.drain().await;
    }
    let cursor = cursor::load(&shop.app).await.expect("a cursor");
    assert_eq!(cursor.folded, spans / CHUNK);
}

/// The first events of a busy shop are found among so many with few reads, whatever is looked for.
async fn is_found(shop: &TestShop, events: u64) {
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
        assert_eq!(found(shop, what).await, numbers, "{what}");
        let took = began.elapsed();
        let reads = shop.app.take_stored().len();
        println!("{events} events, {what}: {reads} reads, {took:?}");
        assert!(reads < 600, "{events} events, {what}: {reads} reads");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sale_is_found_among_a_million_events_with_few_reads() {
    let shop = busy_shop().await;
    let cursor = cursor::load(&shop.app).await.expect("a cursor");
    assert_eq!(cursor.indexed, (0, 1), "the first span is indexed");
    let mut from = 1;
    for events in [10_000, 100_000, 1_000_000] {
        // The index of further events: rows of other words.
        let spans = events / SPAN + 1;
        let rows: Vec<u8> = (0_u64..320)
            .flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
            .collect();
        for span in from..spans {
            for part in 0..16 {
                let set = shop.app.set(&keys::index(span, part), &rows).await;
                set.expect("a store");
            }
        }
        folded(&shop, spans).await;
        from = spans;
        is_found(&shop, events).await;
    }
    let invoice = shop.kiotviet.invoices()[0].code.clone();
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get(&format!("/ui/events?q={invoice}")).await.html;
    assert!(page.contains("/ui/events/2\""), "{page}");
}

/// Its first event ends after its span was indexed, or also its chunk folded.
async fn ends_late(is_folded: bool) -> TestShop {
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
    if is_folded {
        folded(&shop, CHUNK).await;
    }
    let retried = shop
        .app
        .call("POST", "events/1/retry", &serde_json::Value::Null);
    assert_eq!(retried.await.0, 200);
    let event = shop.app.event(1).await.1;
    let code = event["account_code"].as_str().expect("a code");
    assert_eq!(found(&shop, code).await, [1]);
    shop
}

#[tokio::test(start_paused = true)]
async fn an_event_that_ends_after_its_span_was_indexed_is_found_by_what_it_shows_then() {
    ends_late(false).await;
}

#[tokio::test(start_paused = true)]
async fn so_is_one_that_ends_after_its_chunk_was_folded_and_a_removed_chunk_leaves_no_index() {
    let shop = ends_late(true).await;
    let mut cursor = cursor::load(&shop.app).await.expect("a cursor");
    // All of the chunk is removed.
    cursor.oldest = CHUNK * SPAN;
    let set = shop.app.set(keys::CURSOR, &stored::write(&cursor)).await;
    set.expect("a store");
    shop.drain().await;
    assert_eq!(index_keys(&shop), 0);
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_chunk_is_folded_hides_nothing() {
    let shop = busy_shop().await;
    indexed(&shop, CHUNK).await;
    let held = shop.app.store.dump();
    let mut ended_early = 0;
    for number in (1..650).step_by(16) {
        for fault in [
            HostFault::DiesBefore,
            HostFault::DiesAfter,
            HostFault::FailsBefore,
        ] {
            hold(&shop.app.store, &held).await;
            shop.app.host_faults.arm(Some((number, fault)));
            shop.app.host_faults.live(shop.drain()).await;
            ended_early += shop.app.host_faults.befallen().len();
            shop.app.host_faults.disarm();
            let what = format!("{fault:?} at {number}");
            assert_eq!(found(&shop, "0912 345 678").await, [2, 1], "{what}");
            shop.pass(AFTER_THE_LEASE).await;
            shop.drain().await;
            let cursor = cursor::load(&shop.app).await.expect("a cursor");
            assert_eq!(cursor.folded, 1, "{what}");
            assert_eq!(found(&shop, "0912 345 678").await, [2, 1], "{what}");
        }
    }
    assert!(ended_early > 90, "{ended_early}");
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
