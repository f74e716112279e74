//! Claims that `/metrics` tells outcomes, what waits and what is dead of each shop, and that what has not happened yet stands
//! there as 0. How: two shops, one of which Getfly refuses.

use crate::observing::metrics;
use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, customer, hoa},
};
use http::Method;
use serde_json::Value;
use sim::{Fault, FaultRule, KiotVietSim, kiotviet::Settings};

const OTHER: &str = "second-shop";

fn ended(connection: &str, outcome: &str, reason: &str) -> String {
    format!(
        "kvgf_events_total{{connection=\"{connection}\",outcome=\"{outcome}\",reason=\"{reason}\"}}"
    )
}

/// A metric of both shops.
async fn both(shop: &TestShop, name: &str) -> [Option<u64>; 2] {
    let told = metrics(shop).await;
    let of = |connection| told.get(&format!("{name}{{connection=\"{connection}\"}}"));
    [CONNECTION, OTHER].map(|connection| of(connection).copied())
}

async fn deliver(shop: &TestShop, kiotviet: &KiotVietSim) {
    for delivery in kiotviet.take_deliveries() {
        shop.app.request(kiotviet.request(&delivery)).await;
        kiotviet.settle(delivery, Some(200));
    }
}

#[tokio::test(start_paused = true)]
async fn each_shop_is_told_by_itself_and_what_has_not_happened_is_0() {
    let (shop, others) = TestShop::beside([Settings {
        retailer: "second".to_owned(),
        retailer_id: 2,
        client_id: "22222222-3333-4444-8555-666666666666".to_owned(),
        ..Settings::default()
    }]);
    let other = others.into_iter().next().expect("the other shop");
    let without = metrics(&shop).await;
    assert_eq!(without["kvgf_dead_letters"], 0, "also without any shop");
    shop.connect_with(On::Both).await;
    shop.connect_as(OTHER, &other).await;
    let hook = format!("connections/{OTHER}/webhooks/customer");
    shop.app.call("PUT", &hook, &Value::Null).await;
    let quiet = metrics(&shop).await;
    for (outcome, reason) in [
        ("created", "customer_created"),
        ("created", "order_created"),
        ("ignored", "already_synced"),
        ("dead", "getfly_refused"),
        ("dismissed", "getfly_refused"),
    ] {
        for connection in [CONNECTION, OTHER] {
            assert_eq!(quiet[&ended(connection, outcome, reason)], 0);
        }
    }
    for name in [
        "kvgf_events_waiting",
        "kvgf_dead_letters",
        "kvgf_read_back_total",
        "kvgf_webhooks_registered_again_total",
    ] {
        assert_eq!(both(&shop, name).await, [Some(0), Some(0)], "{name}");
        assert!(!quiet.contains_key(name), "nothing beside the shops");
    }
    assert_eq!(quiet["kvgf_security_events_total{act=\"retry\"}"], 0);

    shop.pass(1).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(refused);
    other.create_customer(customer("Bà Sáu", "0966000006"));
    deliver(&shop, &other).await;
    shop.getfly_faults.clear();
    let busy = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/customers");
    shop.kiotviet_faults.add(busy);
    shop.kiotviet
        .create_customer(customer("Chị Mới", "0907000001"));
    shop.deliver().await;

    let told = metrics(&shop).await;
    assert_eq!(told[&ended(CONNECTION, "created", "customer_created")], 1);
    assert_eq!(told[&ended(CONNECTION, "dead", "getfly_refused")], 0);
    assert_eq!(told[&ended(OTHER, "created", "customer_created")], 0);
    assert_eq!(told[&ended(OTHER, "dead", "getfly_refused")], 1);
    assert_eq!(both(&shop, "kvgf_events_waiting").await, [Some(1), Some(0)]);
    assert_eq!(both(&shop, "kvgf_dead_letters").await, [Some(0), Some(1)]);

    // A dead letter that is retried is none any more, and ends again.
    shop.kiotviet_faults.clear();
    let dead = shop.app.events("state=dead").await.1;
    let retry = format!("events/{}/retry", dead["events"][0]["seq"]);
    shop.app.call("POST", &retry, &Value::Null).await;
    shop.settle().await;
    let told = metrics(&shop).await;
    assert_eq!(both(&shop, "kvgf_events_waiting").await, [Some(0), Some(0)]);
    assert_eq!(both(&shop, "kvgf_dead_letters").await, [Some(0), Some(0)]);
    assert_eq!(told[&ended(OTHER, "created", "customer_created")], 1);
    assert_eq!(told[&ended(CONNECTION, "created", "customer_created")], 2);
}
