//! Creates whose end nobody sees: they are settled by reading, never by a second create.

use super::{AFTER_THE_LEASE, Verdict, accepted, drain, in_getfly, same};
use host_test::{
    mishap::{LATE, Mishap},
    native::{Native, test_variables},
    scene::{On, Scene, customer, sale},
};
use http::Method;
use plugin::worker::lease::SLOT_SECONDS;
use sim::{
    Boxed, Broken, Fault, FaultRule, GetflySim, Request, Response, Upstream, When,
    kiotviet::NewCustomer,
};
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
    in_getfly(&scene, 1, 0).await?;
    let dies = beside_a_retry(true, None).await.0;
    in_getfly(&dies, 1, 0).await?;
    let whole = beside_a_retry(false, None).await;
    in_getfly(&whole.0, 1, 0).await?;
    let created = whole
        .1
        .iter()
        .position(|call| call.contains("POST /account"));
    let kept = whole.1.iter().enumerate().skip(created.unwrap_or_default());
    let mut kept = kept.filter(|(_, call)| call.starts_with("set kvgf/journal/"));
    let (fails_at, _) = kept.next().ok_or("the record is not written")?;
    let fails = beside_a_retry(false, Some(fails_at + 1)).await.0;
    in_getfly(&fails, 1, 0).await
}

/// A customer's second try is due as another one with the same phone is created, which Getfly stores half a
/// minute later; its worker dies meanwhile, or its store fails. Gives the host calls of its drain too.
async fn beside_a_retry(dies: bool, fails_at: Option<usize>) -> (Scene, Vec<String>) {
    let scene = Scene::connected(On::Customers).await;
    let into = scene.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    scene.pass((SLOT_SECONDS + 1 - into).unsigned_abs()).await;
    let down = FaultRule::new(Fault::Status(503, None));
    scene.kiotviet_faults.add(down.when(When::First(1)));
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0912345678"));
    scene.deliver().await;
    scene.pass(15).await;
    let late = FaultRule::new(Fault::Late(LATE));
    let late = late.on(Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(late.when(When::First(1)));
    scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    accepted(&scene).await;
    let mut calls = Vec::new();
    let began = tokio::time::Instant::now();
    if dies {
        works_for(&scene, 3).await;
    } else {
        scene
            .app
            .mishaps
            .arm(fails_at.map(|at| (at, Mishap::FailsBefore)));
        scene.drain().await;
        calls = scene.app.mishaps.disarm();
    }
    // In the next slot, when the second try is due.
    tokio::time::sleep_until(began + Duration::from_secs(25)).await;
    scene.drain().await;
    scene.settle().await;
    (scene, calls)
}

pub(super) async fn after_the_retention() -> Verdict {
    let scene = Scene::connected(On::Both).await;
    let id = scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    scene.deliver().await;
    let sale = scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    in_getfly(&scene, 1, 1).await?;
    scene.pass(31 * 86_400).await;
    scene.drain().await;
    same("events that are left", scene.events().await.len(), 0)?;
    for account in scene.getfly.accounts() {
        scene.getfly.delete_account(account.id);
    }
    scene.kiotviet.edit_customer(id, |_| {});
    scene.kiotviet.edit_invoice(sale, |_| {});
    scene.deliver().await;
    scene.settle().await;
    in_getfly(&scene, 1, 1).await?;
    let outcomes = scene.outcomes().await;
    let edit = |outcome: &String| outcome.ends_with("invoice_edited");
    same(
        "an edit among the outcomes",
        outcomes.iter().any(edit),
        true,
    )?;
    let dead = |outcome: &String| outcome.starts_with("dead");
    same("dead letters", outcomes.iter().any(dead), false)
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
