//! Several workers over one store: stopped, woken late, and at once.

use super::{Verdict, accepted, drain, in_getfly};
use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, hoa, sale},
};
use jiff::SignedDuration;
use plugin::worker::lease::SLOT_SECONDS;
use sim::{Fault, FaultRule};
use std::time::Duration;

/// A sale that was answered and waits.
async fn a_sale_waits() -> Scene {
    let scene = Scene::connected(On::Orders).await;
    scene.kiotviet.create_invoice(sale(None));
    accepted(&scene).await;
    scene
}

/// One worker is stopped for so many seconds just before it announces its create; another one comes
/// two seconds after it, under these mishaps.
async fn overtaken(stopped: u64, mishaps: &[(usize, Mishap)]) -> Verdict {
    let scene = a_sale_waits().await;
    let (first, second) = (scene.app.another(1), scene.app.another(2));
    first.hold_up("set kvgf/invoice/", Duration::from_secs(stopped));
    second.mishaps.arm(mishaps.iter().copied());
    tokio::join!(drain(&first), async {
        scene.pass(2).await;
        drain(&second).await;
    });
    scene.settle().await;
    in_getfly(&scene, 0, 1).await
}

pub(super) async fn two_workers() -> Verdict {
    overtaken(5, &[]).await
}

pub(super) async fn lost_reply() -> Verdict {
    // The first host call of a drain is the lease's increment.
    overtaken(5, &[(1, Mishap::FailsAfter)]).await
}

pub(super) async fn late_worker() -> Verdict {
    // Within the next slot, which the other worker had and gave back; and long after it.
    overtaken(38, &[]).await?;
    overtaken(65, &[]).await
}

pub(super) async fn clocks_apart() -> Verdict {
    let scene = a_sale_waits().await;
    let (first, second) = (scene.app.another(1), scene.app.another(2));
    let ahead = SignedDuration::from_millis(1_990);
    second.skew.set(scene.clock.now(), Some(ahead));
    // Before the seconds in which a worker takes the next slot too.
    let into = scene.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    let wait = (19 - into).rem_euclid(SLOT_SECONDS);
    scene.pass(wait.unsigned_abs()).await;
    first.hold_up("set kvgf/invoice/", Duration::from_millis(9_500));
    tokio::join!(drain(&first), async {
        tokio::time::sleep(Duration::from_millis(9_100)).await;
        drain(&second).await;
    });
    scene.settle().await;
    in_getfly(&scene, 0, 1).await
}

pub(super) async fn late_place() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    let down = FaultRule::new(Fault::Status(503, None));
    scene.getfly_faults.add(down);
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    scene.pass_last_retry().await;
    let (first, second) = (scene.app.another(1), scene.app.another(2));
    first.hold_up("get kvgf/due/", Duration::from_secs(70));
    tokio::join!(drain(&first), async {
        scene.pass(1).await;
        drain(&second).await;
    });
    scene.getfly_faults.clear();
    scene.settle().await;
    in_getfly(&scene, 1, 0).await
}

pub(super) async fn given_back() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    let (first, second) = (scene.app.another(1), scene.app.another(2));
    first.hold_up("delete kvgf/lease/", Duration::from_secs(5));
    let mut requests = Vec::new();
    for new in [hoa(), customer("Anh Ba", "0987654312")] {
        scene.kiotviet.create_customer(new);
        let deliveries = scene.kiotviet.take_deliveries();
        requests.extend(deliveries.iter().map(|d| scene.kiotviet.request(d)));
    }
    let mut requests = requests.into_iter();
    let (Some(one), Some(two)) = (requests.next(), requests.next()) else {
        return Err("there are no deliveries".to_owned());
    };
    tokio::join!(first.request(one), async {
        scene.pass(3).await;
        second.request(two).await;
    });
    // Nobody drains any more.
    in_getfly(&scene, 2, 0).await
}
