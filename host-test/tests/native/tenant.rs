//! Claims: a store belongs to one Getfly. Nothing is sent to another `getfly_url` until a person
//! confirms it and known records read back there; meanwhile deliveries are stored, use up no
//! attempt, and are reported. How: the simulated Getfly moves to another address, or another tenant
//! answers there.

use host_test::{
    admin::{Admin, Reply},
    shop::{On, TestShop, ba, hoa, sale},
    variables::{GETFLY, PUBLIC},
};
use serde_json::{Value, json};
use sim::getfly::{GetflySettings, GetflySim};
use std::sync::Arc;

const NEW: &str = "https://crm.example.test";

/// A shop with a customer and an order in its Getfly; then `getfly_url` is `NEW`, where `other` answers or, without
/// one, the same Getfly.
async fn moved(other: Option<Arc<GetflySim>>) -> TestShop {
    let mut shop = TestShop::connected(On::Both).await;
    let customer = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(customer)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 1));
    let there = other.unwrap_or_else(|| shop.getfly.clone());
    shop.app = shop.app.serving(NEW, there);
    shop.app.set_variable("getfly_url", NEW);
    shop
}

async fn confirm(shop: &TestShop, url: &str) -> Reply {
    let asked = json!({"getfly_url": url});
    shop.app.call("POST", "getfly", &asked).await
}

async fn outside(shop: &TestShop) -> String {
    shop.app.overview().await.1["outside"].to_string()
}

async fn health(shop: &TestShop) -> (u16, String) {
    let request = http::Request::get(format!("{PUBLIC}/healthz")).body(bytes::Bytes::new());
    let answer = shop.app.request(request.expect("a request")).await;
    (answer.status, String::from_utf8(answer.body).expect("text"))
}

fn to_getfly(shop: &TestShop) -> usize {
    let calls = shop.app.take_calls().into_iter();
    calls
        .filter(|call| call.endpoint.starts_with("Getfly"))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_new_address_is_taken_after_one_confirmation_and_nothing_is_lost() {
    let shop = moved(None).await;
    shop.app.take_calls();
    shop.kiotviet.create_customer(ba());
    assert_eq!(shop.deliver().await, [200]);
    shop.minutes(90).await;
    assert_eq!(to_getfly(&shop), 0, "nothing is sent");
    let told = outside(&shop).await;
    assert!(told.contains(NEW) && told.contains(GETFLY), "{told}");
    let (status, words) = health(&shop).await;
    assert!(status == 503 && words.contains("another Getfly"), "{words}");
    assert!(!words.contains("crm.example.test"), "{words}");
    // Reads of Getfly for a person wait too.
    assert_eq!(shop.app.look("connections/shop/staff").await.0, 409);

    let (status, wrong) = confirm(&shop, "https://crm.example.tset").await;
    assert_eq!(status, 400, "{wrong}");
    let (status, taken) = confirm(&shop, NEW).await;
    assert_eq!((status, &taken["former"]), (200, &GETFLY.into()), "{taken}");
    shop.minutes(1).await;
    let event = shop.events().await.pop().expect("an event");
    assert_eq!(event["outcome"], "created");
    assert_eq!(event["attempts"], 0);
    assert_eq!(outside(&shop).await, "[]");
    assert_eq!(health(&shop).await.0, 200);
    // Repeated, it changes nothing.
    let (status, again) = confirm(&shop, NEW).await;
    assert_eq!((status, &again["former"]), (200, &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn another_tenant_is_refused_and_the_former_one_goes_on() {
    let clock = TestShop::unconnected().clock.clone();
    let other = Arc::new(GetflySim::new(GetflySettings::default(), clock));
    let shop = moved(Some(other.clone())).await;
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    let (status, problem) = confirm(&shop, NEW).await;
    assert_eq!((status, &problem["type"]), (422, &"another-getfly".into()));
    let detail = problem["detail"].as_str().expect("text");
    assert!(
        detail.contains("the account KV-") && detail.contains("the order "),
        "{detail}"
    );
    shop.minutes(10).await;
    assert_eq!(other.accounts().len(), 0);
    shop.app.set_variable("getfly_url", GETFLY);
    shop.minutes(1).await;
    assert_eq!(shop.in_getfly(), (2, 1));
    assert_eq!(outside(&shop).await, "[]");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_can_be_dismissed_while_the_tenant_is_unconfirmed() {
    let shop = moved(None).await;
    shop.app.set_variable("getfly_url", GETFLY);
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.app.set_variable("getfly_url", NEW);
    assert_eq!(shop.app.dismiss(3).await.0, 200);
}
