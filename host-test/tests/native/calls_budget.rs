//! Claims the design's cost: calls to the vendors and writes to the store per ordinary event, none
//! for repeats, the searches go out together, and a drain that finds nothing costs the same after any number
//! of events. How: the calls are counted, and time is virtual.

use host_test::scene::{On, Scene, hoa, sale};
use sim::{Fault, FaultRule};
use std::time::Duration;

fn endpoints(scene: &Scene) -> Vec<&'static str> {
    scene
        .app
        .take_calls()
        .into_iter()
        .map(|c| c.endpoint)
        .collect()
}

/// Writes since this was last asked, besides the lease's and the cursor's.
fn writes(scene: &Scene) -> Vec<String> {
    let all = scene.app.take_stored().into_iter().filter(|s| s.is_write());
    let all = all.map(|s| format!("{} {}", s.call, s.key));
    all.filter(|s| !s.contains("/lease/") && !s.contains("/cursor"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_ordinary_event_costs_what_the_design_says() {
    let scene = Scene::connected(On::Both).await;
    // Tokens and lists of users are cached from here on; the first signature is kept.
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    endpoints(&scene);
    writes(&scene);

    let id = scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    let calls = endpoints(&scene);
    assert_eq!(
        calls,
        [
            "KiotViet GET /customers/{id}",
            "Getfly GET /accounts?email",
            "Getfly GET /accounts?phone",
            "Getfly POST /account"
        ]
    );
    let stored = writes(&scene);
    assert!(stored.len() <= 4, "{stored:?}");

    let sold = scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    assert_eq!(
        endpoints(&scene),
        ["KiotViet GET /invoices/{id}", "Getfly POST /sale_order"]
    );
    let stored = writes(&scene);
    assert!(stored.len() <= 4, "{stored:?}");

    for _ in 0..3 {
        scene.kiotviet.edit_customer(id, |_| {});
        scene.kiotviet.set_invoice_status(sold, 1);
        scene.deliver().await;
        assert_eq!(endpoints(&scene), [""; 0]);
        let stored = writes(&scene);
        assert!(stored.len() <= 2 * 3, "two repeats: {stored:?}");
    }
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn users_are_asked_for_about_every_ten_minutes() {
    let scene = Scene::connected(On::Both).await;
    let mut asked = 0;
    for _ in 0..60 {
        scene.kiotviet.create_invoice(sale(None));
        scene.deliver().await;
        asked += endpoints(&scene)
            .iter()
            .filter(|e| e.ends_with(" GET /users"))
            .count();
        scene.pass(60).await;
    }
    assert!(
        (12..=14).contains(&asked),
        "{asked} of both vendors in an hour"
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_drain_costs_the_same_after_a_hundred_and_two_thousand_events() {
    let scene = Scene::connected(On::Both).await;
    let id = scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    let mut costs = Vec::new();
    let mut told = 1;
    for events in [100, 2000] {
        while told < events {
            scene.kiotviet.edit_customer(id, |_| {});
            scene.deliver().await;
            told += 1;
        }
        scene.drain().await;
        scene.app.take_stored();
        scene.drain().await;
        costs.push(scene.app.take_stored().len());
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0] <= 5, "{costs:?}");
}

/// KiotViet's record, both searches together, the create.
#[tokio::test(start_paused = true)]
async fn a_new_customer_takes_two_round_trips_after_kiotviets_read() {
    const LATENCY: Duration = Duration::from_millis(50);
    let scene = Scene::connected(On::Both).await;
    scene.app.set_variable("getfly_requests_per_second", "100");
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    for vendor in [&scene.kiotviet_faults, &scene.getfly_faults] {
        vendor.add(FaultRule::new(Fault::Delay(LATENCY)));
    }
    scene.kiotviet.create_customer(hoa());
    let began = tokio::time::Instant::now();
    scene.deliver().await;
    assert_eq!(began.elapsed(), 3 * LATENCY);
    assert_eq!(scene.in_getfly(), (1, 1));
}
