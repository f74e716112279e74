//! Claims about a new webhook path and secret: KiotViet gets them, the former registration goes,
//! and the former path stays valid for deliveries on their way, for an hour, or not at all if it
//! leaked; whatever fails in between, webhook health goes on with it, and no sale is missed. How:
//! the simulated KiotViet's webhooks, its deliveries made before, and hours of virtual time.

use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, customer},
    variables::{MASTER_KEY, OTHER_MASTER_KEY},
};
use serde_json::Value;
use sim::{Fault, FaultRule};

async fn shop() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("signature_policy", "enforce");
    shop
}

async fn rotate(shop: &TestShop, query: &str) -> Value {
    let path = format!("connections/{CONNECTION}/rotate{query}");
    let (status, rotated) = shop.app.call("POST", &path, &Value::Null).await;
    assert_eq!(status, 200, "{rotated}");
    rotated
}

/// A new customer's delivery, made now and sent later.
fn on_its_way(shop: &TestShop, phone: &str) -> http::Request<Bytes> {
    shop.kiotviet.create_customer(customer("Khách", phone));
    let told = shop.kiotviet.take_deliveries().remove(0);
    shop.kiotviet.request(&told)
}

async fn arrives(shop: &TestShop, delivery: &http::Request<Bytes>) -> u16 {
    shop.app.request(delivery.clone()).await.status
}

fn urls(shop: &TestShop) -> Vec<String> {
    let mut urls: Vec<String> = shop
        .kiotviet
        .webhooks()
        .into_iter()
        .map(|w| w.url)
        .collect();
    urls.sort();
    urls.dedup();
    urls
}

#[tokio::test(start_paused = true)]
async fn kiotviet_gets_the_new_path_and_the_former_one_is_valid_for_an_hour_more() {
    let shop = shop().await;
    let before = urls(&shop);
    let delivery = on_its_way(&shop, "0911111111");
    let secrets = |shop: &TestShop| -> Vec<_> {
        shop.kiotviet
            .webhooks()
            .into_iter()
            .map(|w| w.secret)
            .collect()
    };
    let secret = secrets(&shop);
    let rotated = rotate(&shop, "").await;
    assert_eq!(rotated["warning"], Value::Null);
    assert!(rotated["former_valid_until"].is_string(), "{rotated}");
    let after = urls(&shop);
    assert_eq!((shop.kiotviet.webhooks().len(), after.len()), (2, 1));
    assert_ne!(before, after);
    assert!(
        secrets(&shop).iter().all(|new| !secret.contains(new)),
        "another secret too"
    );

    assert_eq!(arrives(&shop, &delivery).await, 200);
    assert_eq!(shop.in_getfly(), (1, 0), "signed with the former secret");
    shop.kiotviet
        .create_customer(customer("Khách", "0922222222"));
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.in_getfly(), (2, 0));
    shop.pass(3500).await;
    let (_, list) = shop.app.connections().await;
    assert_eq!(list["connections"][0]["former_path_valid"], true);
    assert_eq!(arrives(&shop, &delivery).await, 200);
    shop.pass(100).await;
    assert_eq!(arrives(&shop, &delivery).await, 404);
    let (_, list) = shop.app.connections().await;
    assert_eq!(list["connections"][0].get("former_path_valid"), None);
    // Nothing of it is a dead letter, and healing finds nothing to do.
    shop.minutes(40).await;
    assert_eq!(urls(&shop), after);
    let outcomes = shop.outcomes().await;
    assert!(
        outcomes
            .iter()
            .all(|o| !o.contains("dead") && !o.contains("again")),
        "{outcomes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn now_cuts_the_former_path_off_and_what_it_would_have_told_is_read_back() {
    let shop = shop().await;
    shop.minutes(20).await;
    let delivery = on_its_way(&shop, "0911111111");
    let rotated = rotate(&shop, "?now=true").await;
    assert_eq!(rotated["warning"], Value::Null);
    assert_eq!(arrives(&shop, &delivery).await, 404);
    assert_eq!(shop.in_getfly(), (0, 0));
    shop.minutes(45).await;
    assert_eq!(shop.in_getfly(), (1, 0));
    for query in ["?now=perhaps", "?then=true"] {
        let path = format!("connections/{CONNECTION}/rotate{query}");
        assert_eq!(
            shop.app.call("POST", &path, &Value::Null).await.0,
            400,
            "{query}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn while_kiotviet_is_down_the_former_path_stays_valid_and_healing_goes_on() {
    let shop = shop().await;
    let before = urls(&shop);
    let delivery = on_its_way(&shop, "0911111111");
    shop.kiotviet_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    let rotated = rotate(&shop, "").await;
    assert!(rotated["warning"].is_string(), "{rotated}");
    assert_eq!(rotated["former_valid_until"], Value::Null);
    shop.minutes(120).await;
    assert_eq!(urls(&shop), before);
    assert_eq!(
        arrives(&shop, &delivery).await,
        200,
        "KiotViet has no other"
    );
    shop.kiotviet_faults.clear();
    shop.minutes(20).await;
    let after = urls(&shop);
    assert_eq!((shop.kiotviet.webhooks().len(), after.len()), (2, 1));
    assert_ne!(after, before);
    assert_eq!(arrives(&shop, &delivery).await, 200);
    shop.minutes(100).await;
    assert_eq!(arrives(&shop, &delivery).await, 404);
    assert_eq!(shop.in_getfly(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn former_paths_outlive_a_rotation_of_the_master_key_and_new_credentials() {
    let shop = shop().await;
    let delivery = on_its_way(&shop, "0911111111");
    rotate(&shop, "").await;
    shop.app
        .set_variable("master_key", &format!("{OTHER_MASTER_KEY},{MASTER_KEY}"));
    shop.heal().await;
    assert_eq!(shop.connect().await.0, 200);
    assert_eq!(arrives(&shop, &delivery).await, 200);
    assert_eq!(shop.in_getfly(), (1, 0));
    rotate(&shop, "?now=true").await;
    assert_eq!(arrives(&shop, &delivery).await, 404, "older ones too");
    assert_eq!((shop.kiotviet.webhooks().len(), urls(&shop).len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_registration_to_a_former_path_is_ours_and_another_systems_is_not() {
    let shop = shop().await;
    let former = urls(&shop).remove(0);
    let foreign = "https://other.test/hooks/shop/token";
    shop.kiotviet.add_webhook("invoice.update", foreign, None);
    rotate(&shop, "").await;
    // As if the deletion had been lost.
    shop.kiotviet.add_webhook("invoice.update", &former, None);
    shop.minutes(20).await;
    let left = urls(&shop);
    assert!(
        !left.contains(&former) && left.contains(&foreign.to_owned()),
        "{left:?}"
    );
    assert_eq!(shop.app.disconnect(CONNECTION).await.0, 200);
    assert_eq!(urls(&shop), [foreign]);
}
