//! Claims: a journal number that was reserved and never written (an acceptor died) blocks nothing;
//! one that is written late, within ten minutes, is processed by the next drain; and one that an
//! upstream's pause holds back is neither lost nor makes a drain spin. How: an acceptor that dies or
//! sleeps between reserving and writing.

use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, hoa},
};
use plugin::journal::cursor;
use sim::{Fault, FaultRule, When};
use std::{rc::Rc, time::Duration};
use tokio::task::LocalSet;

/// The host call with which an acceptor writes its entry.
async fn call_that_writes(scene: &Scene) -> usize {
    scene
        .kiotviet
        .create_customer(customer("Mẫu", "0911001111"));
    let delivery = scene.kiotviet.take_deliveries().remove(0);
    scene.app.mishaps.arm([]);
    scene.app.answer(scene.kiotviet.request(&delivery)).await;
    let calls = scene.app.mishaps.disarm();
    scene.drain().await;
    1 + calls
        .iter()
        .position(|call| call.starts_with("set kvgf/journal/"))
        .unwrap()
}

async fn holes(scene: &Scene) -> usize {
    cursor::load(&scene.app).await.unwrap().holes.len()
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_never_written_blocks_nothing() {
    let scene = Scene::connected(On::Both).await;
    // The first delivery of all also keeps that its signature was valid.
    call_that_writes(&scene).await;
    let write = call_that_writes(&scene).await;
    scene.kiotviet.create_customer(hoa());
    let delivery = scene.kiotviet.take_deliveries().remove(0);
    scene.app.mishaps.arm([(write, Mishap::DiesBefore)]);
    let request = scene.kiotviet.request(&delivery);
    assert!(
        scene
            .app
            .mishaps
            .live(scene.app.answer(request))
            .await
            .is_none()
    );
    scene.app.mishaps.disarm();
    scene.kiotviet.settle(delivery, None);

    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;
    assert_eq!(scene.getfly.accounts().len(), 3);
    assert_eq!(holes(&scene).await, 1);
    scene.pass(590).await;
    scene.drain().await;
    assert_eq!(holes(&scene).await, 1, "looked at for ten minutes");
    scene.pass(15).await;
    scene.drain().await;
    assert_eq!(holes(&scene).await, 0, "and no longer");
    assert_eq!(scene.audit().await, [""; 0]);
}

/// Delivers to an acceptor that sleeps so long between reserving and writing; gives its answer.
async fn deliver_slowly(scene: &Rc<Scene>, sleep: Duration) -> u16 {
    let delivery = scene.kiotviet.take_deliveries().remove(0);
    let slow = scene.app.another(5);
    slow.hold_up("set kvgf/journal/", sleep);
    let answer = slow.answer(scene.kiotviet.request(&delivery)).await;
    let status = answer.0.status;
    scene.kiotviet.settle(delivery, Some(status));
    status
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_written_late_is_processed() {
    for (late, status) in [(9, 200), (11, 503), (590, 503)] {
        let scene = Rc::new(Scene::connected(On::Both).await);
        scene.kiotviet.create_customer(hoa());
        let local = LocalSet::new();
        let drains = scene.clone();
        local.spawn_local(async move {
            for _ in 0..late {
                tokio::time::sleep(Duration::from_secs(1)).await;
                drains.drain().await;
            }
        });
        let shop = scene.clone();
        local
            .run_until(async move {
                let answered = deliver_slowly(&shop, Duration::from_secs(late)).await;
                assert_eq!(answered, status, "written after {late} s");
            })
            .await;
        local.await;
        scene.drain().await;
        assert_eq!(scene.getfly.accounts().len(), 1, "written after {late} s");
        assert_eq!(holes(&scene).await, 0);
        // KiotViet sends again what was answered 503.
        scene.deliver().await;
        assert_eq!(scene.getfly.accounts().len(), 1);
        assert_eq!(scene.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_written_late_into_a_pause_waits_for_its_end_without_a_spin() {
    let scene = Rc::new(Scene::connected(On::Both).await);
    scene.kiotviet.create_customer(hoa());
    let late = scene.clone();
    let local = LocalSet::new();
    local.spawn_local(async move {
        deliver_slowly(&late, Duration::from_secs(9)).await;
    });
    let shop = scene.clone();
    local
        .run_until(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let busy = FaultRule::new(Fault::Status(429, Some(120))).when(When::First(1));
            shop.getfly_faults.add(busy);
            shop.kiotviet
                .create_customer(customer("Anh Ba", "0987654312"));
            shop.deliver().await;
            assert_eq!(holes(&shop).await, 1);
            tokio::time::sleep(Duration::from_secs(10)).await;
            shop.app.take_stored();
            shop.drain().await;
            let stored = shop.app.take_stored().len();
            assert!(stored < 20, "{stored} store calls in a pause");
            tokio::time::sleep(Duration::from_secs(125)).await;
            shop.drain().await;
        })
        .await;
    local.await;
    assert_eq!(scene.getfly.accounts().len(), 2);
    assert_eq!(scene.audit().await, [""; 0]);
}
