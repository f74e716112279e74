//! Claims: however many instances and drains run at once over one store, each event is processed
//! once; a worker that crashed costs at most one slot; one that wakes late makes no call; and what
//! arrives while the lease is given back is not forgotten. How: several instances as concurrent
//! tasks, every store call taking a random time, so that they interleave differently for each seed.
//! A control shows that the race is there: without the lease, accounts are doubled.

use host_test::{
    mishap::Mishap,
    native::Native,
    scene::{On, Scene, customer, hoa, sale},
};
use plugin::{
    drain::{how::How, run::drain},
    worker::lease::{Lease, SLOT_SECONDS},
};
use std::{rc::Rc, time::Duration};
use tokio::task::LocalSet;

async fn drain_once(app: &Native) {
    let ready = app.config().ready.clone().unwrap();
    drain(app, &ready, How::WHOLE).await;
}

/// Fifty equal deliveries to five instances at once.
async fn fifty_equal_deliveries(seed: u64, lease_works: bool) -> Rc<Scene> {
    let scene = Rc::new(Scene::connected(On::Both).await);
    scene.kiotviet.create_customer(hoa());
    let delivery = scene.kiotviet.take_deliveries().remove(0);
    let local = LocalSet::new();
    for instance in 0..5 {
        let app = Rc::new(scene.app.another(seed * 10 + instance));
        app.pace(seed * 10 + instance, Duration::from_millis(40));
        for _ in 0..10 {
            let (app, request) = (app.clone(), scene.kiotviet.request(&delivery));
            let scene = scene.clone();
            local.spawn_local(async move {
                if !lease_works {
                    scene.app.store.forget("/lease/");
                }
                assert_eq!(app.request(request).await.status, 200);
            });
        }
        if !lease_works {
            let scene = scene.clone();
            local.spawn_local(async move {
                for _ in 0..200 {
                    scene.app.store.forget("/lease/");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        }
    }
    local.await;
    scene.pass(61).await;
    scene.settle().await;
    scene
}

#[tokio::test(start_paused = true)]
async fn fifty_equal_deliveries_at_once_make_one_account() {
    for seed in 0..20 {
        let scene = fifty_equal_deliveries(seed, true).await;
        assert_eq!(scene.getfly.accounts().len(), 1, "seed {seed}");
        let tally = scene.tally().await;
        assert_eq!(tally.get("customer_created"), Some(&1), "{tally:?}");
        assert_eq!(tally.get("already_synced"), Some(&49), "{tally:?}");
        assert_eq!(scene.audit().await, [""; 0], "seed {seed}");
    }
}

/// The control: the same without the lease is seen to race.
#[tokio::test(start_paused = true)]
async fn without_the_lease_the_same_work_is_done_twice() {
    let mut creates = 0;
    for seed in 0..20 {
        let scene = fifty_equal_deliveries(seed, false).await;
        let calls = scene.getfly.calls();
        creates += calls.iter().filter(|c| c.method == "POST").count();
    }
    assert!(creates > 20, "{creates} creates in 20 runs");
}

#[tokio::test(start_paused = true)]
async fn drains_at_once_process_each_event_once() {
    for seed in 0..20 {
        let scene = Rc::new(Scene::connected(On::Both).await);
        for n in 0..12 {
            let new = customer(&format!("Khách {n}"), &format!("09123456{n:02}"));
            let id = scene.kiotviet.create_customer(new);
            scene.kiotviet.create_invoice(sale(Some(id)));
        }
        for delivery in scene.kiotviet.take_deliveries() {
            let request = scene.kiotviet.request(&delivery);
            assert_eq!(scene.app.answer(request).await.0.status, 200);
        }
        let local = LocalSet::new();
        for instance in 0..4 {
            let app = scene.app.another(instance);
            app.pace(seed * 10 + instance, Duration::from_millis(300));
            local.spawn_local(async move { drain_once(&app).await });
        }
        local.await;
        scene.settle().await;
        let calls = scene.getfly.calls();
        let creates = calls.iter().filter(|c| c.method == "POST").count();
        assert_eq!(creates, 24, "seed {seed}");
        assert_eq!(scene.audit().await, [""; 0], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_crashed_costs_at_most_a_slot_and_what_it_may_have_sent() {
    let scene = Scene::connected(On::Both).await;
    scene.kiotviet.create_customer(hoa());
    scene.app.mishaps.arm([(12, Mishap::DiesBefore)]);
    scene.deliver_mortally().await;
    let calls = scene.app.mishaps.disarm();
    assert!(calls.len() >= 12, "it died: {calls:?}");
    assert_eq!(scene.getfly.accounts().len(), 0);

    let began = scene.clock.now();
    let other = scene.app.another(9);
    drain_once(&other).await;
    let waited = scene.clock.now().duration_since(began).as_secs();
    // What was sent under a slot has settled 22 s after it.
    assert!(waited <= SLOT_SECONDS + 22 + 2, "{waited} s");
    assert_eq!(scene.getfly.accounts().len(), 1);
}

/// A worker whose host stops it for a minute in the middle of its work, while another goes on.
#[tokio::test(start_paused = true)]
async fn a_worker_that_wakes_late_makes_no_call_and_writes_nothing() {
    for freezes_at in [
        "get kvgf/journal/cursor",
        "look kvgf/journal/tail",
        "get kvgf/journal/1",
        "get kvgf/connection/shop",
        "get kvgf/customer/",
        "get kvgf/cache/token/",
    ] {
        let scene = Scene::connected(On::Both).await;
        scene.kiotviet.create_customer(hoa());
        scene
            .kiotviet
            .create_customer(customer("Anh Ba", "0987654312"));
        for delivery in scene.kiotviet.take_deliveries() {
            let request = scene.kiotviet.request(&delivery);
            assert_eq!(scene.app.answer(request).await.0.status, 200);
        }
        let frozen = scene.app.another(1);
        frozen.hold_up(freezes_at, Duration::from_secs(65));
        let ready = frozen.config().ready.clone().unwrap();
        let (_, store) = tokio::join!(drain(&frozen, &ready, How::QUICK), async {
            tokio::time::sleep(Duration::from_secs(61)).await;
            scene.settle().await;
            scene.app.store.dump()
        });
        assert_eq!(frozen.take_calls(), [], "{freezes_at}");
        let same = |key: &String| !key.contains("/lease/");
        let mut now = scene.app.store.dump();
        let mut then = store;
        now.retain(|key, _| same(key));
        then.retain(|key, _| same(key));
        assert!(
            now == then,
            "{freezes_at}: it wrote after it had lost the lease"
        );
        assert_eq!(scene.getfly.accounts().len(), 2);
        assert_eq!(scene.audit().await, [""; 0]);
    }
}

/// Two calls of one worker run at once (the e-mail and the phone search); near the slot's end both
/// want the next slot.
#[tokio::test(start_paused = true)]
async fn two_calls_at_once_near_the_end_of_a_slot_do_not_lose_the_lease() {
    for seed in 0..20 {
        let scene = Scene::connected(On::Neither).await;
        let app = scene.app.another(seed);
        let into = scene.clock.now().as_second().rem_euclid(SLOT_SECONDS);
        scene
            .pass(u64::try_from(SLOT_SECONDS - into).unwrap())
            .await;
        let lease = Lease::acquire(&app).await.unwrap().unwrap();
        scene.pass(25).await;
        app.pace(seed, Duration::from_millis(100));
        let (first, second) = tokio::join!(lease.holds(), lease.holds());
        assert!(first && second, "seed {seed}: {first} {second}");
    }
}

/// Taking the next slot takes so long that somebody else has had it meanwhile and given it back.
#[tokio::test(start_paused = true)]
async fn a_next_slot_that_somebody_had_in_between_is_not_taken() {
    let scene = Scene::connected(On::Neither).await;
    let slow = scene.app.another(1);
    let slot = scene.clock.now().as_second().div_euclid(SLOT_SECONDS) + 1;
    let begins = u64::try_from(slot * SLOT_SECONDS - scene.clock.now().as_second()).unwrap();
    scene.pass(begins + 15).await;
    let lease = Lease::acquire(&slow).await.unwrap().unwrap();
    scene.pass(10).await;
    let next = format!("increment kvgf/lease/{}", slot + 1);
    slow.hold_up(&next, Duration::from_secs(10));
    let (holds, ()) = tokio::join!(lease.holds(), async {
        scene.pass(6).await;
        let other = Lease::acquire(&scene.app).await.unwrap();
        other.expect("the next slot is free").release().await;
    });
    assert!(!holds, "somebody may have worked in between");
    assert!(!lease.holds().await, "for good");
}

/// A drain that begins in a slot's last seconds takes the next one at once.
#[tokio::test(start_paused = true)]
async fn a_drain_works_whenever_in_a_slot_it_begins() {
    for second in 0..SLOT_SECONDS {
        let scene = Scene::connected(On::Both).await;
        scene.kiotviet.create_customer(hoa());
        let delivery = scene.kiotviet.take_deliveries().remove(0);
        scene.app.answer(scene.kiotviet.request(&delivery)).await;
        let into = scene.clock.now().as_second().rem_euclid(SLOT_SECONDS);
        let wait = (second - into).rem_euclid(SLOT_SECONDS);
        scene.pass(u64::try_from(wait).unwrap()).await;
        let drained = scene.drain().await;
        assert_eq!(
            (&drained["ended"], &drained["busy"]),
            (&1.into(), &false.into()),
            "{second}"
        );
        assert_eq!(scene.getfly.accounts().len(), 1, "at second {second}");
    }
}

/// Deliveries that find the lease taken rely on its holder, to the very end of its work.
#[tokio::test(start_paused = true)]
async fn what_arrives_while_the_lease_is_given_back_is_processed() {
    for offset in 0..60 {
        let scene = Rc::new(Scene::connected(On::Both).await);
        let first = scene.app.another(offset);
        first.pace(offset, Duration::from_millis(20));
        let second = scene.app.another(offset + 100);
        second.pace(offset + 100, Duration::from_millis(20));
        scene.kiotviet.create_customer(hoa());
        let one = scene.kiotviet.take_deliveries().remove(0);
        scene
            .kiotviet
            .create_customer(customer("Anh Ba", "0987654312"));
        let two = scene.kiotviet.take_deliveries().remove(0);
        let (one, two) = (scene.kiotviet.request(&one), scene.kiotviet.request(&two));
        let late = Duration::from_millis(10 * offset);
        tokio::join!(first.request(one), async {
            tokio::time::sleep(late).await;
            second.request(two).await;
        });
        // Nobody drains any more.
        assert_eq!(scene.waiting().await.len(), 0, "offset {late:?}");
        assert_eq!(scene.getfly.accounts().len(), 2);
    }
}
