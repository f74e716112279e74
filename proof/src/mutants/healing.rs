//! What KiotViet failed to deliver, and whose webhooks those are.

use super::{Verdict, in_getfly, same};
use host_test::scene::{CONNECTION, On, Scene, hoa, sale};
use http::Method;
use serde_json::json;
use sim::{Fault, FaultRule};

pub(super) async fn healing() -> Verdict {
    the_gap_is_read_back().await?;
    what_waits_is_not_read_back().await?;
    an_edit_after_a_failed_try_is_read_back().await?;
    an_edit_during_a_backfill_comes_in().await?;
    others_are_left_alone().await
}

async fn the_gap_is_read_back() -> Verdict {
    let scene = Scene::connected(On::Both).await;
    scene.minutes(20).await;
    for hook in scene.kiotviet.webhooks() {
        scene.kiotviet.set_webhook_active(hook.id, false);
    }
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.minutes(60).await;
    let hooks = scene.kiotviet.webhooks();
    let active = hooks.iter().filter(|hook| hook.is_active).count();
    same("active webhooks", active, 2)?;
    in_getfly(&scene, 1, 1).await
}

async fn what_waits_is_not_read_back() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/customers/");
    scene.kiotviet_faults.add(down);
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    // KiotViet's pause is over, the next try is not due.
    scene.pass(15).await;
    scene.heal().await;
    scene.kiotviet_faults.clear();
    scene.settle().await;
    same("events of one customer", scene.events().await.len(), 1)?;
    in_getfly(&scene, 1, 0).await
}

/// An invoice from before the connection is edited after a person asked for it.
async fn an_edit_during_a_backfill_comes_in() -> Verdict {
    let scene = Scene::unconnected();
    let old = scene.kiotviet.create_invoice(sale(None));
    scene.pass(3600).await;
    scene.connect().await;
    scene.switch("PUT", "order").await;
    scene.pass(1).await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
    scene.kiotviet_faults.add(down);
    let path = format!("connections/{CONNECTION}/backfill");
    let body = json!({"from": "2026-10-05"});
    scene.app.api("POST", &path, &body).await;
    // The edit is younger than the backfill's window.
    scene.pass(1).await;
    scene.kiotviet.edit_invoice(old, |_| {});
    scene.kiotviet_faults.clear();
    scene.deliver().await;
    scene.minutes(10).await;
    in_getfly(&scene, 0, 1).await
}

/// The first try is refused, the shop edits the invoice, and the edit is never told.
async fn an_edit_after_a_failed_try_is_read_back() -> Verdict {
    let scene = Scene::connected(On::Orders).await;
    scene.minutes(20).await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::POST, "/api/v6.1/sale_order");
    scene.getfly_faults.add(down);
    let sold = scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    scene.pass(60).await;
    scene.kiotviet.edit_invoice(sold, |_| {});
    scene.kiotviet.take_deliveries();
    scene.getfly_faults.clear();
    scene.settle().await;
    in_getfly(&scene, 0, 0).await?;
    scene.minutes(60).await;
    in_getfly(&scene, 0, 1).await
}

async fn others_are_left_alone() -> Verdict {
    let scene = Scene::connected(On::Both).await;
    let url = "https://crm.example.vn/kiotviet";
    let theirs = scene.kiotviet.add_webhook("customer.update", url, None);
    scene.kiotviet.set_webhook_active(theirs, false);
    let hooks = || scene.kiotviet.webhooks().into_iter();
    let ids = || -> Vec<_> { hooks().map(|hook| (hook.id, hook.is_active)).collect() };
    let before = ids();
    scene.heal().await;
    same("webhooks", ids(), before)
}
