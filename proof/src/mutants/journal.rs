//! Accepting deliveries and keeping the place among them, with a store that fails or is slow and
//! workers that die.

use super::{Verdict, accepted, dies_before, drain, in_getfly, same};
use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, hoa},
};
use serde_json::Value;
use sim::{Fault, FaultRule, When};
use std::time::Duration;

/// More host calls than accepting a delivery takes.
const ACCEPTING: usize = 6;

pub(super) async fn store_fails() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    for call in 1..=ACCEPTING {
        let new = customer("Khách", &format!("091234560{call}"));
        scene.kiotviet.create_customer(new);
        scene.app.mishaps.arm([(call, Mishap::FailsBefore)]);
        scene.deliver_mortally().await;
        scene.app.mishaps.disarm();
    }
    scene.settle().await;
    in_getfly(&scene, ACCEPTING, 0).await
}

/// A delivery whose acceptor is stopped so long between taking a number and writing the entry, while
/// drains go on.
async fn written_after(seconds: u64) -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    scene.kiotviet.create_customer(hoa());
    let slow = scene.app.another(5);
    slow.hold_up("set kvgf/journal/", Duration::from_secs(seconds));
    let Some(delivery) = scene.kiotviet.take_deliveries().pop() else {
        return Err("there is no delivery".to_owned());
    };
    let ((answer, _), ()) = tokio::join!(slow.answer(scene.kiotviet.request(&delivery)), async {
        for _ in 0..seconds / 4 {
            scene.pass(4).await;
            scene.drain().await;
        }
    });
    scene.kiotviet.settle(delivery, Some(answer.status));
    scene.drain().await;
    scene.deliver().await;
    // KiotViet's second delivery counts.
    same("accounts in Getfly", scene.getfly.accounts().len(), 1)?;
    // An entry written after ten minutes is looked at once more, after eighty hours.
    scene.pass(81 * 3600).await;
    scene.drain().await;
    in_getfly(&scene, 1, 0).await
}

/// A store that does not count: what a delivery's own request could not end is taken up by a drain.
pub(super) async fn without_atomics() -> Verdict {
    let scene = Scene::unconnected();
    scene.app.set_variable("processing", "inline");
    scene.app.break_atomics();
    scene.connect().await;
    scene.switch("PUT", "customer").await;
    scene.pass(5).await;
    let down = FaultRule::new(Fault::Status(503, None)).when(When::First(1));
    scene.getfly_faults.add(down);
    scene.kiotviet.create_customer(hoa());
    same("answers", scene.deliver().await, vec![200])?;
    scene.pass(61).await;
    scene.settle().await;
    in_getfly(&scene, 1, 0).await
}

pub(super) async fn slow_acceptor() -> Verdict {
    written_after(9).await?;
    // The worker looks at a missing entry for ten minutes.
    written_after(660).await
}

pub(super) async fn crash_after_a_retry() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    let down = FaultRule::new(Fault::Status(503, None));
    scene.getfly_faults.add(down);
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    scene.pass_last_retry().await;
    dies_before(&scene, "set kvgf/journal/cursor", drain).await;
    scene.getfly_faults.clear();
    scene.settle().await;
    in_getfly(&scene, 1, 0).await
}

pub(super) async fn crash_after_a_wish() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(1)));
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    same(
        "outcomes",
        scene.outcomes().await,
        vec!["dead getfly_refused".to_owned()],
    )?;
    // Past its retention, so that the wish is the oldest entry that may go.
    scene.pass(40 * 86_400).await;
    scene.drain().await;
    // It dies in the middle of the try that the person asked for.
    dies_before(&scene, "get kvgf/connection/", async |app| {
        app.api("POST", "events/1/retry", &Value::Null).await;
    })
    .await;
    scene.settle().await;
    in_getfly(&scene, 1, 0).await
}

pub(super) async fn counts_after_a_crash() -> Verdict {
    let scene = Scene::connected(On::Customers).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(1)));
    // The second customer keeps the worker busy until the wish for the first one has come.
    let slow = Fault::Delay(Duration::from_secs(5));
    let slow = FaultRule::new(slow).on(http::Method::GET, "/customers/20000002");
    scene.kiotviet_faults.add(slow);
    scene.kiotviet.create_customer(hoa());
    let second = customer("Anh Ba", "0987654312");
    scene.kiotviet.create_customer(second);
    accepted(&scene).await;
    let work = dies_before(&scene, "set kvgf/journal/cursor", drain);
    let asked = async {
        scene.pass(4).await;
        let wish = scene.app.api("POST", "events/1/dismiss", &Value::Null);
        wish.await.0
    };
    let ((), asked) = tokio::join!(work, asked);
    same("the wish's answer", asked, 202)?;
    scene.settle().await;
    let (_, overview) = scene.app.get("overview").await;
    same(
        "counts balanced",
        overview["balanced"].as_bool(),
        Some(true),
    )?;
    in_getfly(&scene, 1, 0).await
}
