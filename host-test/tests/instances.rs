//! Claims: the own host's instances serve one request after another and are replaced in time; one that
//! was stopped or has grown serves nobody again. How: the fuel of a request tells a fresh instance, which
//! has to start, from one that has served before.

use bytes::Bytes;
use host_test::{
    harness::{self, Harness},
    runtime::{Finished, Instances, World},
};
use std::sync::Arc;

/// None yet, over a store that was tried; each request may use so much fuel.
async fn instances(limit: Option<u64>) -> Arc<Instances> {
    let app = Harness::builder().build().expect("a harness");
    assert_eq!(app.get("/hooks/nobody/nothing").await.status, 404);
    let world = World {
        seed: None,
        limit,
        ..app.world()
    };
    Instances::new(harness::component().expect("the component"), world)
}

async fn ask(instances: &Arc<Instances>, body: Bytes) -> Option<Finished> {
    let request = http::Request::post("http://bridge.test/hooks/nobody/nothing");
    let handled = instances.handle(request.body(body).expect("a request"));
    let handled = handled.await.ok()?;
    assert_eq!(handled.response.status(), 404);
    Some(handled.after.await.expect("it ends"))
}

async fn fuel(instances: &Arc<Instances>) -> u64 {
    ask(instances, Bytes::new()).await.expect("answered").fuel
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
    let app = Harness::builder().build().expect("a harness");
    let instances = instances(None).await;
    let fresh = fuel(&instances).await;
    assert!(fuel(&instances).await < fresh);
    let large = Bytes::from(vec![b' '; 5 * 1024 * 1024]);
    let token = app.world().variables.get("admin_token").cloned();
    let request = http::Request::put("http://bridge.test/api/connections/shop")
        .header(
            "authorization",
            format!("Bearer {}", token.unwrap_or_default()),
        )
        .body(large)
        .expect("a request");
    let handled = instances.handle(request).await.expect("answered");
    assert_eq!(handled.response.status(), 400);
    let finished = handled.after.await.expect("it ends");
    assert!(finished.memory > 4 << 20, "{}", finished.memory);
    assert_eq!(fuel(&instances).await, fresh, "a new one");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_stopped_serves_nobody_again() {
    let fresh = fuel(&instances(None).await).await;
    let stopping = instances(Some(fresh / 2)).await;
    assert_eq!(ask(&stopping, Bytes::new()).await, None, "out of fuel");
    assert_eq!(
        ask(&stopping, Bytes::new()).await,
        None,
        "a fresh one again"
    );
}
