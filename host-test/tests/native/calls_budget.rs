//! Claims the design's cost: calls to the vendors and writes to the store per ordinary event, none
//! for repeats, the searches go out together, and a drain that finds nothing costs the same after any number
//! of events. How: the calls are counted, and time is virtual.

use host_test::shop::{On, TestShop, customer, hoa, sale};
use sim::{Fault, FaultRule};
use std::time::Duration;

fn endpoints(shop: &TestShop) -> Vec<&'static str> {
    shop.app
        .take_calls()
        .into_iter()
        .map(|c| c.endpoint)
        .collect()
}

/// Writes since this was last asked, besides the lease's and the cursor's.
fn writes(shop: &TestShop) -> Vec<String> {
    let all = shop.app.take_stored().into_iter().filter(|s| s.is_write());
    let all = all.map(|s| format!("{} {}", s.call, s.key));
    all.filter(|s| !s.contains("/lease/") && !s.contains("/cursor"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_ordinary_event_costs_what_the_design_says() {
    let shop = TestShop::connected(On::Both).await;
    // Tokens and lists of users are cached from here on; the first signature of each webhook is
    // stored.
    shop.kiotviet.create_invoice(sale(None));
    shop.kiotviet
        .create_customer(customer("Khách", "0977777777"));
    shop.deliver().await;
    endpoints(&shop);
    writes(&shop);

    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let calls = endpoints(&shop);
    assert_eq!(
        calls,
        [
            "KiotViet GET /customers/{id}",
            "Getfly GET /accounts?email",
            "Getfly GET /accounts?phone",
            "Getfly POST /account"
        ]
    );
    // One for the phone: Getfly may store it in a form that its search does not find.
    let stored = writes(&shop);
    assert!(stored.len() <= 5, "{stored:?}");

    let sold = shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(
        endpoints(&shop),
        ["KiotViet GET /invoices/{id}", "Getfly POST /sale_order"]
    );
    let stored = writes(&shop);
    assert!(stored.len() <= 4, "{stored:?}");

    for _ in 0..3 {
        shop.kiotviet.edit_customer(id, |_| {});
        shop.kiotviet.set_invoice_status(sold, 1);
        shop.deliver().await;
        assert_eq!(endpoints(&shop), [""; 0]);
        let stored = writes(&shop);
        assert!(stored.len() <= 2 * 3, "two repeats: {stored:?}");
    }
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn users_are_asked_for_about_every_ten_minutes() {
    let shop = TestShop::connected(On::Both).await;
    let mut asked = 0;
    for _ in 0..60 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        asked += endpoints(&shop)
            .iter()
            .filter(|e| e.ends_with(" GET /users"))
            .count();
        shop.pass(60).await;
    }
    assert!(
        (12..=14).contains(&asked),
        "{asked} of both vendors in an hour"
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_drain_costs_the_same_after_a_hundred_and_two_thousand_events() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let mut costs = Vec::new();
    let mut told = 1;
    for events in [100, 2000] {
        while told < events {
            shop.kiotviet.edit_customer(id, |_| {});
            shop.deliver().await;
            told += 1;
        }
        shop.drain().await;
        shop.app.take_stored();
        shop.drain().await;
        costs.push(shop.app.take_stored().len());
    }
    assert_eq!(costs[0], costs[1]);
    // The last one is the tenant's: one Getfly for one store.
    assert!(costs[0] <= 6, "{costs:?}");
}

/// KiotViet's record, both searches together, the create.
#[tokio::test(start_paused = true)]
async fn a_new_customer_takes_two_round_trips_after_kiotviets_read() {
    const LATENCY: Duration = Duration::from_millis(50);
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("getfly_requests_per_second", "100");
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    for vendor in [&shop.kiotviet_faults, &shop.getfly_faults] {
        vendor.add(FaultRule::new(Fault::Delay(LATENCY)));
    }
    shop.kiotviet.create_customer(hoa());
    let began = tokio::time::Instant::now();
    shop.deliver().await;
    assert_eq!(began.elapsed(), 3 * LATENCY);
    assert_eq!(shop.in_getfly(), (1, 1));
}
