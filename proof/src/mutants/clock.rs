//! A clock that was wrong and is set right.

use super::{Verdict, in_getfly, same};
use host_test::scene::{On, Scene, hoa, sale};
use jiff::SignedDuration;
use sim::getfly::User;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn set_right() -> Verdict {
    what_was_not_delivered_comes_in().await?;
    users_are_read_anew().await?;
    calls_do_not_wait().await
}

fn set(scene: &Scene, off: SignedDuration) {
    scene.app.skew.set(scene.clock.now(), Some(off));
}

/// A shop that was looked after while the clock was ahead.
async fn ahead() -> Scene {
    let scene = Scene::connected(On::Both).await;
    let user = User::new(2, "nhanvien1", "Nhân Viên Một", "0900000501");
    scene.getfly.add_user(user);
    scene.minutes(20).await;
    set(&scene, DAY);
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    scene.minutes(20).await;
    set(&scene, SignedDuration::ZERO);
    scene
}

async fn what_was_not_delivered_comes_in() -> Verdict {
    let scene = ahead().await;
    for hook in scene.kiotviet.webhooks() {
        scene.kiotviet.set_webhook_active(hook.id, false);
    }
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.minutes(60).await;
    in_getfly(&scene, 1, 2).await
}

async fn users_are_read_anew() -> Verdict {
    let scene = ahead().await;
    scene.getfly.change_users(|users| {
        users.retain(|user| user.user_name != "nhanvien1");
    });
    scene.pass(601).await;
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    let order = scene.getfly.orders().pop();
    let executor = order.and_then(|order| order.assigned_username);
    same("executor", executor, None)
}

async fn calls_do_not_wait() -> Verdict {
    let scene = ahead().await;
    let began = scene.clock.now();
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    let took = scene.clock.now().duration_since(began).as_secs();
    same("a customer waits for the ceiling", took > 60, false)?;
    in_getfly(&scene, 1, 1).await
}
