//! Claims: however many instances and drains run at once over one store, each event is processed
//! once; a crashed worker costs at most one slot; a worker that wakes late makes no call; and what
//! arrives while the lease is released is not forgotten. How: several instances as concurrent
//! tasks, every store call taking a random time, so that they interleave differently for each seed.
//! A control shows that the race exists: without the lease, accounts are doubled.

use host_test::{
    host_fault::HostFault,
    native::Native,
    shop::{On, TestShop, ba, customer, hoa, sale},
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
async fn fifty_equal_deliveries(seed: u64, lease_works: bool) -> Rc<TestShop> {
    let shop = Rc::new(TestShop::connected(On::Both).await);
    shop.kiotviet.create_customer(hoa());
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    let local = LocalSet::new();
    for instance in 0..5 {
        let app = Rc::new(shop.app.another(seed * 10 + instance));
        app.pace(seed * 10 + instance, Duration::from_millis(40));
        for _ in 0..10 {
            let (app, request) = (app.clone(), shop.kiotviet.request(&delivery));
            let shop = shop.clone();
            local.spawn_local(async move {
                if !lease_works {
                    shop.app.store.forget("/lease/");
                }
                assert_eq!(app.request(request).await.status, 200);
            });
        }
        if !lease_works {
            let shop = shop.clone();
            local.spawn_local(async move {
                for _ in 0..800 {
                    shop.app.store.forget("/lease/");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        }
    }
    local.await;
    shop.pass(61).await;
    shop.settle().await;
    shop
}

#[tokio::test(start_paused = true)]
async fn fifty_equal_deliveries_at_once_make_one_account() {
    for seed in 0..20 {
        let shop = fifty_equal_deliveries(seed, true).await;
        assert_eq!(shop.getfly.accounts().len(), 1, "seed {seed}");
        let outcomes = shop.outcomes().await;
        let count = |reason| outcomes.iter().filter(|o| o.ends_with(reason)).count();
        assert_eq!(count("customer_created"), 1, "{outcomes:?}");
        assert_eq!(count("already_synced"), 49, "{outcomes:?}");
        assert_eq!(shop.audit().await, [""; 0], "seed {seed}");
    }
}

/// The control: without the lease the same work races.
#[tokio::test(start_paused = true)]
async fn without_the_lease_the_same_work_is_done_twice() {
    let mut creates = 0;
    for seed in 0..20 {
        let shop = fifty_equal_deliveries(seed, false).await;
        let calls = shop.getfly.calls();
        creates += calls.iter().filter(|c| c.method == "POST").count();
    }
    assert!(creates > 20, "{creates} creates in 20 runs");
}

#[tokio::test(start_paused = true)]
async fn drains_at_once_process_each_event_once() {
    for seed in 0..20 {
        let shop = Rc::new(TestShop::connected(On::Both).await);
        for n in 0..12 {
            let new = customer(&format!("Khách {n}"), &format!("09123456{n:02}"));
            let id = shop.kiotviet.create_customer(new);
            shop.kiotviet.create_invoice(sale(Some(id)));
        }
        shop.accept().await;
        let local = LocalSet::new();
        for instance in 0..4 {
            let app = shop.app.another(instance);
            app.pace(seed * 10 + instance, Duration::from_millis(300));
            local.spawn_local(async move { drain_once(&app).await });
        }
        local.await;
        shop.settle().await;
        let calls = shop.getfly.calls();
        let creates = calls.iter().filter(|c| c.method == "POST").count();
        assert_eq!(creates, 24, "seed {seed}");
        assert_eq!(shop.audit().await, [""; 0], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_crashed_costs_at_most_a_slot_and_what_it_may_have_sent() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.app.host_faults.arm([(12, HostFault::DiesBefore)]);
    shop.deliver_under_faults().await;
    let calls = shop.app.host_faults.disarm();
    assert!(calls.len() >= 12, "it died: {calls:?}");
    assert_eq!(shop.getfly.accounts().len(), 0);

    let began = shop.clock.now();
    let other = shop.app.another(9);
    drain_once(&other).await;
    let waited = shop.clock.now().duration_since(began).as_secs();
    // Calls under a slot have settled 30 s after it.
    assert!(waited <= SLOT_SECONDS + 30 + 2, "{waited} s");
    assert_eq!(shop.getfly.accounts().len(), 1);
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
        let shop = TestShop::connected(On::Both).await;
        shop.kiotviet.create_customer(hoa());
        shop.kiotviet.create_customer(ba());
        shop.accept().await;
        let frozen = shop.app.another(1);
        frozen.hold_up(freezes_at, Duration::from_secs(65));
        let ready = frozen.config().ready.clone().unwrap();
        let (_, store) = tokio::join!(drain(&frozen, &ready, How::QUICK), async {
            tokio::time::sleep(Duration::from_secs(61)).await;
            shop.settle().await;
            shop.app.store.dump()
        });
        assert_eq!(frozen.take_calls(), [], "{freezes_at}");
        let same = |key: &String| !key.contains("/lease/");
        let mut now = shop.app.store.dump();
        let mut then = store;
        now.retain(|key, _| same(key));
        then.retain(|key, _| same(key));
        assert!(
            now == then,
            "{freezes_at}: it wrote after it had lost the lease"
        );
        assert_eq!(shop.getfly.accounts().len(), 2);
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

/// Two calls of one worker run at once (the e-mail and the phone search); near the slot's end both
/// want the next slot.
#[tokio::test(start_paused = true)]
async fn two_calls_at_once_near_the_end_of_a_slot_do_not_lose_the_lease() {
    for seed in 0..20 {
        let shop = TestShop::connected(On::Neither).await;
        let app = shop.app.another(seed);
        let into = shop.clock.now().as_second().rem_euclid(SLOT_SECONDS);
        shop.pass(u64::try_from(SLOT_SECONDS - into).unwrap()).await;
        let lease = Lease::acquire(&app).await.unwrap().unwrap();
        shop.pass(25).await;
        app.pace(seed, Duration::from_millis(100));
        let (first, second) = tokio::join!(lease.holds(), lease.holds());
        assert!(first && second, "seed {seed}: {first} {second}");
    }
}

/// Taking the next slot takes so long that another worker has had it meanwhile and released it.
#[tokio::test(start_paused = true)]
async fn a_next_slot_that_another_worker_had_in_between_is_not_taken() {
    let shop = TestShop::connected(On::Neither).await;
    let slow = shop.app.another(1);
    let slot = shop.clock.now().as_second().div_euclid(SLOT_SECONDS) + 1;
    let begins = u64::try_from(slot * SLOT_SECONDS - shop.clock.now().as_second()).unwrap();
    shop.pass(begins + 15).await;
    let lease = Lease::acquire(&slow).await.unwrap().unwrap();
    shop.pass(10).await;
    let next = format!("increment kvgf/lease/{}", slot + 1);
    slow.hold_up(&next, Duration::from_secs(10));
    let (holds, ()) = tokio::join!(lease.holds(), async {
        shop.pass(6).await;
        let other = Lease::acquire(&shop.app).await.unwrap();
        other.expect("the next slot is free").release().await;
    });
    assert!(!holds, "somebody may have worked in between");
    assert!(!lease.holds().await, "for good");
}

/// A drain that begins in a slot's last seconds takes the next one at once.
#[tokio::test(start_paused = true)]
async fn a_drain_works_whenever_in_a_slot_it_begins() {
    for second in 0..SLOT_SECONDS {
        let shop = TestShop::connected(On::Both).await;
        shop.kiotviet.create_customer(hoa());
        let delivery = shop.kiotviet.take_deliveries().remove(0);
        shop.app.answer(shop.kiotviet.request(&delivery)).await;
        let into = shop.clock.now().as_second().rem_euclid(SLOT_SECONDS);
        let wait = (second - into).rem_euclid(SLOT_SECONDS);
        shop.pass(u64::try_from(wait).unwrap()).await;
        let drained = shop.drain().await;
        assert_eq!(
            (&drained["ended"], &drained["busy"]),
            (&1.into(), &false.into()),
            "{second}"
        );
        assert_eq!(shop.getfly.accounts().len(), 1, "at second {second}");
    }
}

/// Deliveries that find the lease taken rely on its holder, to the very end of its work.
#[tokio::test(start_paused = true)]
async fn what_arrives_while_the_lease_is_given_back_is_processed() {
    for offset in 0..60 {
        let shop = Rc::new(TestShop::connected(On::Both).await);
        let first = shop.app.another(offset);
        first.pace(offset, Duration::from_millis(20));
        let second = shop.app.another(offset + 100);
        second.pace(offset + 100, Duration::from_millis(20));
        shop.kiotviet.create_customer(hoa());
        let one = shop.kiotviet.take_deliveries().remove(0);
        shop.kiotviet.create_customer(ba());
        let two = shop.kiotviet.take_deliveries().remove(0);
        let (one, two) = (shop.kiotviet.request(&one), shop.kiotviet.request(&two));
        let late = Duration::from_millis(10 * offset);
        tokio::join!(first.request(one), async {
            tokio::time::sleep(late).await;
            second.request(two).await;
        });
        // No drain comes any more.
        assert_eq!(shop.waiting().await.len(), 0, "offset {late:?}");
        assert_eq!(shop.getfly.accounts().len(), 2);
    }
}
