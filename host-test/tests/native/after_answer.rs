//! Claims: a host that ends the application at its answer is found out, `/healthz`, the overview and the page then advise
//! `processing = inline`, and a host that goes on, a crash or a vendor that fails is never taken for one. How: deliveries
//! after whose answer nothing runs, and drains each minute.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, sale},
    visitor::Visitor,
};
use serde_json::Value;
use sim::{Fault, FaultRule};

async fn advice(shop: &TestShop) -> Value {
    let request = http::Request::get("https://bridge.test/healthz");
    let request = request.body(Default::default()).expect("a request");
    let answer = shop.app.request(request).await;
    assert_eq!(answer.status, 200);
    let health: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let (_, overview) = shop.app.overview().await;
    assert_eq!(health["advice"], overview["advice"]);
    health["advice"].clone()
}

/// Sales of which only the answers are seen, each of them found by a drain.
async fn ended_at_its_answer(shop: &TestShop, sales: u32) {
    for _ in 0..sales {
        shop.kiotviet.create_invoice(sale(None));
        shop.accept().await;
        shop.pass(70).await;
        shop.drain().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_ends_the_application_at_its_answer_is_advised_to_process_inline() {
    let shop = TestShop::connected(On::Both).await;
    ended_at_its_answer(&shop, 2).await;
    assert_eq!(advice(&shop).await, Value::Null);
    ended_at_its_answer(&shop, 1).await;
    let told = advice(&shop).await.to_string();
    assert!(told.contains("set processing to inline"), "{told}");
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/?lang=en").await.html;
    assert!(
        page.contains("This host ends the application at its answer"),
        "{page}"
    );
    // Where that is provided for, nothing is advised.
    shop.app.set_variable("processing", "inline");
    assert_eq!(advice(&shop).await, Value::Null);
    // And it goes when the host goes on.
    shop.app.set_variable("processing", "background");
    assert_ne!(advice(&shop).await, Value::Null);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(advice(&shop).await, Value::Null);
}

#[tokio::test(start_paused = true)]
async fn crashes_now_and_then_and_a_vendor_that_fails_are_not_taken_for_such_a_host() {
    let shop = TestShop::connected(On::Both).await;
    for _ in 0..6 {
        ended_at_its_answer(&shop, 1).await;
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
    }
    assert_eq!(advice(&shop).await, Value::Null);
    // Getfly is down: what comes waits for the drain that finds it back.
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    for _ in 0..6 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        shop.pass(70).await;
        shop.drain().await;
    }
    shop.getfly_faults.clear();
    shop.minutes(120).await;
    assert_eq!(shop.waiting().await, Vec::<Value>::new());
    assert_eq!(advice(&shop).await, Value::Null);
}
