//! Claims: our host's instances serve one request after another and are replaced in time; one that
//! was stopped or has grown serves no further request. How: the fuel of a request shows whether it
//! was served by a fresh instance, which must start, or by one that has served before.

use bytes::Bytes;
use host::runtime::{Finished, Instances, World};
use host_test::{
    admin::Admin,
    harness,
    shop::WasmShop,
    shop::{CONNECTION, On, customer},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// No instance yet, over a tested store, with a shop; each request may use this much fuel.
async fn instances(limit: Option<u64>) -> Arc<Instances> {
    let shop = WasmShop::connected_in_wasm(On::Customers, |b| b).await;
    let world = World {
        seed: None,
        limit,
        ..shop.expect("a shop").app.world()
    };
    Instances::new(harness::component().expect("the component"), world)
}

async fn ask(instances: &Arc<Instances>, body: Bytes) -> Option<Finished> {
    let request = http::Request::post("http://bridge.test/hooks/nobody/nothing");
    let handled = instances.handle(request.body(body).expect("a request"), ());
    let handled = handled.await.ok()?;
    assert_eq!(handled.response.status(), 404);
    Some(handled.after.await.expect("it ends"))
}

async fn fuel(instances: &Arc<Instances>) -> u64 {
    ask(instances, Bytes::new()).await.expect("answered").fuel
}

/// A request whose body is read whole and has no effect.
fn large(instances: &Instances) -> http::Request<Bytes> {
    let token = &instances.world().variables["admin_token"];
    http::Request::post(format!("http://bridge.test/api/preview/{CONNECTION}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Bytes::from(vec![b' '; 5 * 1024 * 1024]))
        .expect("a request")
}

#[tokio::test(start_paused = true)]
async fn an_instance_serves_again_and_is_replaced_after_128_requests() {
    let instances = instances(None).await;
    let fresh = fuel(&instances).await;
    for _ in 1..128 {
        assert!(fuel(&instances).await < fresh, "it had started before");
    }
    assert_eq!(fuel(&instances).await, fresh, "a new one");
}

#[tokio::test(start_paused = true)]
async fn one_that_has_grown_large_is_replaced() {
    let instances = instances(None).await;
    let fresh = fuel(&instances).await;
    assert!(fuel(&instances).await < fresh);
    let handled = instances
        .handle(large(&instances), ())
        .await
        .expect("answered");
    assert_eq!(handled.response.status(), 422);
    let finished = handled.after.await.expect("it ends");
    assert!(finished.memory > 4 << 20, "{}", finished.memory);
    assert_eq!(fuel(&instances).await, fresh, "a new one");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_stopped_serves_no_request_again() {
    let fresh = ask(&instances(None).await, Bytes::new()).await;
    let fresh = fresh.expect("answered");
    let stopping = instances(Some(2 * fresh.fuel)).await;
    let stopped = stopping.handle(large(&stopping), ()).await;
    assert!(stopped.is_err(), "out of fuel");
    // Its memory would show in an instance that served again.
    assert_eq!(ask(&stopping, Bytes::new()).await, Some(fresh), "a new one");
}

#[tokio::test(start_paused = true)]
async fn one_that_has_served_sees_what_another_changed() {
    let shop =
        WasmShop::connected_in_wasm(On::Customers, |b| b.variable("signature_policy", "enforce"));
    let shop = shop.await.expect("a shop");
    let component = harness::component().expect("the component");
    let warm = Instances::new(component, shop.app.world());
    let status = async |request| {
        let handled = warm.handle(request, ()).await.expect("answered");
        let finished = handled.after.await.expect("it ends");
        (handled.response.status().as_u16(), finished.fuel)
    };
    let told = |phone: &str| {
        shop.kiotviet.create_customer(customer("Khách", phone));
        shop.kiotviet
            .request(&shop.kiotviet.take_deliveries().remove(0))
    };
    let first = told("0911001111");
    assert_eq!(status(first.clone()).await.0, 200);
    shop.app.disconnect(CONNECTION).await;
    assert_eq!(status(first.clone()).await.0, 404);
    shop.connect_with(On::Customers).await;
    assert_eq!(status(first).await.0, 404, "the old token");
    assert_eq!(status(told("0922002222")).await.0, 200);
    assert_eq!(shop.in_getfly(), (2, 0), "each was signed with its secret");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_no_longer_waits_stops_nothing() {
    let shop = WasmShop::connected_in_wasm(On::Customers, |b| b).await;
    let shop = shop.expect("a shop");
    let component = harness::component().expect("the component");
    let instances = Instances::new(component, shop.app.world());
    let new = customer("Khách", "0911001111");
    shop.kiotviet.create_customer(new);
    let told = shop.kiotviet.take_deliveries().remove(0);
    let (taken, freed) = oneshot::channel::<()>();
    let handled = instances.handle(shop.kiotviet.request(&told), taken);
    let answer = tokio::time::timeout(Duration::ZERO, handled).await;
    assert!(answer.is_err(), "it was only begun");
    assert!(freed.await.is_err(), "what was taken is given back");
    assert_eq!(shop.in_getfly(), (1, 0), "only then");
}
