//! Creates whose end nobody sees: they are settled by reading, never by a second create.

use super::{AFTER_THE_LEASE, Verdict, accepted, drain, in_getfly};
use crate::{
    mishap::Mishap,
    native::{Native, test_variables},
    scene::{On, Scene, customer, sale},
    sim::{
        Boxed, Broken, Fault, FaultRule, GetflySim, Request, Response, Upstream, When,
        kiotviet::NewCustomer,
    },
};
use http::Method;
use std::{sync::Arc, time::Duration};

/// An instance works for so many seconds and dies; then its lease runs out.
pub(super) async fn works_for(scene: &Scene, seconds: u64) {
    let app = scene.app.another(31);
    let _ = tokio::time::timeout(Duration::from_secs(seconds), drain(&app)).await;
}

pub(super) async fn crash_after_a_create() -> Verdict {
    let scene = Scene::connected(On::Both).await;
    for path in ["/api/v6.1/account", "/api/v6.1/sale_order"] {
        let stored = FaultRule::new(Fault::StoredThenHang).on(Method::POST, path);
        scene.getfly_faults.add(stored.when(When::First(1)));
    }
    // No search finds this customer; only its code does.
    scene.kiotviet.create_customer(NewCustomer {
        name: "Khách".to_owned(),
        ..NewCustomer::default()
    });
    accepted(&scene).await;
    works_for(&scene, 5).await;
    scene.pass(AFTER_THE_LEASE).await;
    scene.settle().await;
    scene.kiotviet.create_invoice(sale(None));
    accepted(&scene).await;
    works_for(&scene, 5).await;
    scene.pass(AFTER_THE_LEASE).await;
    scene.settle().await;
    in_getfly(&scene, 1, 1).await
}

/// Getfly takes an order in and stores it long after its caller gave up.
struct Late {
    getfly: Arc<GetflySim>,
    by: Duration,
}

impl Upstream for Late {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        let (getfly, by) = (self.getfly.clone(), self.by);
        let is_late =
            request.method() == Method::POST && request.uri().path().ends_with("/sale_order");
        Box::pin(async move {
            if !is_late {
                return getfly.handle(request).await;
            }
            let stored = tokio::spawn(async move {
                tokio::time::sleep(by).await;
                getfly.handle(request).await
            });
            stored.await.unwrap_or(Err(Broken))
        })
    }
}

pub(super) async fn stored_late() -> Verdict {
    let mut scene = Scene::unconnected();
    let late = Late {
        getfly: scene.getfly.clone(),
        by: Duration::from_secs(25),
    };
    scene.app = Native::new(
        test_variables(&scene.getfly.settings().api_key),
        scene.kiotviet.clone(),
        Arc::new(late),
        scene.clock.clone(),
        7,
    );
    scene.connect().await;
    scene.switch("PUT", "order").await;
    // The worker dies late in its slot, so that the next one comes soon after.
    scene.pass(12).await;
    scene.kiotviet.create_invoice(sale(None));
    accepted(&scene).await;
    works_for(&scene, 5).await;
    scene.settle().await;
    scene.pass(AFTER_THE_LEASE).await;
    in_getfly(&scene, 0, 1).await?;
    let plain = account_stored_late(None).await.1;
    let lists = plain
        .iter()
        .position(|call| call.starts_with("set kvgf/due/"));
    let scene = account_stored_late(lists.map(|at| at + 1)).await.0;
    in_getfly(&scene, 1, 0).await
}

/// An account is stored late, and the store fails as the worker lists the next try; another customer has the
/// same phone. Gives the host calls of the first drain too.
async fn account_stored_late(fails_at: Option<usize>) -> (Scene, Vec<String>) {
    let scene = Scene::connected(On::Customers).await;
    let late = FaultRule::new(Fault::Late(Duration::from_secs(20)));
    let late = late.on(Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(late.when(When::First(1)));
    for name in ["Chị Hoa", "Anh Ba"] {
        scene.kiotviet.create_customer(customer(name, "0912345678"));
    }
    accepted(&scene).await;
    let fails = fails_at.map(|at| (at, Mishap::FailsBefore));
    scene.app.mishaps.arm(fails);
    scene.drain().await;
    let calls = scene.app.mishaps.disarm();
    scene.drain().await;
    scene.settle().await;
    (scene, calls)
}
