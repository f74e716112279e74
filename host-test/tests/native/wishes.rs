//! Claims: a person's retry or dismissal of a dead letter survives any failed host call and any
//! crash: asked for until it is confirmed, it is carried out once, nothing is doubled, and the counts
//! add up. One that needs no Getfly does not wait for it, and a huge delivery that is taken apart again
//! leaves a small place after a crash. How: as in `crash_points`, each host call of the wish fails or is
//! the last before a crash.

use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, hoa},
};
use plugin::journal::{
    cursor::{self, Counts},
    record::State,
};
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When, kiotviet::Signature};
use std::time::Duration;

/// Two dead letters (the first two events), made by refusals that are over.
async fn two_dead_letters() -> Scene {
    let scene = Scene::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(2)));
    scene.kiotviet.create_customer(hoa());
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;
    assert_eq!(
        scene.outcomes().await,
        ["dead getfly_refused", "dead getfly_refused"]
    );
    scene
}

async fn ask(scene: &Scene, wish: &str) -> Option<u16> {
    let path = format!("events/{wish}");
    let answer = scene.app.api("POST", &path, &Value::Null);
    let (status, _) = scene.app.mishaps.live(answer).await?;
    Some(status)
}

/// A person asks until it is confirmed; gives the host calls of the first time.
async fn asked_for(scene: &Scene, script: Vec<(usize, Mishap)>, wishes: &[&str]) -> Vec<String> {
    scene.app.mishaps.arm(script);
    for wish in wishes {
        for _ in 0..5 {
            match ask(scene, wish).await {
                Some(200 | 409) => break,
                _ => scene.pass(61).await,
            }
            scene.app.mishaps.live(scene.drain()).await;
        }
    }
    let calls = scene.app.mishaps.disarm();
    scene.pass(61).await;
    scene.pass_last_retry().await;
    scene.drain().await;
    calls
}

async fn check(scene: &Scene, wanted: &[State], what: &str) {
    let journal = scene.journal().await;
    let states: Vec<State> = journal.iter().map(|r| r.state()).collect();
    assert_eq!(states, wanted, "{what}");
    counts_add_up(scene, what).await;
    let done = wanted.iter().filter(|s| **s == State::Done).count();
    assert_eq!(scene.getfly.accounts().len(), done, "{what}");
}

async fn counts_add_up(scene: &Scene, what: &str) {
    let journal = scene.journal().await;
    let mut recount = Counts::default();
    for record in &journal {
        recount.received += 1;
        recount.enter(record);
    }
    let counts = cursor::load(&scene.app).await.unwrap().counts;
    assert_eq!(counts, recount, "{what}");
}

async fn every_point(wishes: &[&str], wanted: &[State]) {
    let scene = two_dead_letters().await;
    let calls = asked_for(&scene, Vec::new(), wishes).await;
    check(&scene, wanted, "without mishaps").await;
    for (number, call) in (1..).zip(&calls) {
        for mishap in Mishap::ALL {
            let scene = two_dead_letters().await;
            asked_for(&scene, vec![(number, mishap)], wishes).await;
            let what = format!("{wishes:?}: {number} {call} {mishap:?}");
            check(&scene, wanted, &what).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry() {
    every_point(&["1/retry"], &[State::Done, State::Dead]).await;
}

#[tokio::test(start_paused = true)]
async fn a_dismissal() {
    every_point(&["2/dismiss"], &[State::Dead, State::Dismissed]).await;
}

#[tokio::test(start_paused = true)]
async fn both() {
    let wanted = [State::Dismissed, State::Done];
    every_point(&["1/dismiss", "2/retry"], &wanted).await;
}

#[tokio::test(start_paused = true)]
async fn asked_for_twice_at_once_it_is_carried_out_once() {
    let scene = two_dead_letters().await;
    let (one, two) = tokio::join!(ask(&scene, "1/retry"), ask(&scene, "1/retry"));
    assert!(
        matches!((one, two), (Some(200), Some(200 | 202 | 409))),
        "{one:?} {two:?}"
    );
    check(&scene, &[State::Done, State::Dead], "twice").await;
    assert_eq!(ask(&scene, "1/retry").await, Some(409));
    assert_eq!(ask(&scene, "1/dismiss").await, Some(409));
}

/// A worker makes a dead letter, carries a person's wish for it out, and dies, all before it has saved
/// its place.
async fn wished_and_dead_in_one_stretch(wish: &str, wanted: State) {
    let scene = Scene::connected(On::Customers).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(1)));
    let slow = Fault::Delay(Duration::from_secs(5));
    let slow = FaultRule::new(slow).on(http::Method::GET, "/customers/20000002");
    scene.kiotviet_faults.add(slow);
    scene.kiotviet.create_customer(hoa());
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    for delivery in scene.kiotviet.take_deliveries() {
        scene.app.answer(scene.kiotviet.request(&delivery)).await;
        scene.kiotviet.settle(delivery, Some(200));
    }
    let dies = scene.app.another(3);
    dies.hold_up("set kvgf/journal/cursor", Duration::from_secs(3600));
    let work = dies.api("POST", "drain", &Value::Null);
    let (worked, asked) =
        tokio::join!(tokio::time::timeout(Duration::from_secs(25), work), async {
            scene.pass(4).await;
            ask(&scene, &format!("1/{wish}")).await
        });
    assert!(worked.is_err(), "it died");
    assert_eq!(asked, Some(202), "the other worker was at it");
    scene.pass(61).await;
    scene.settle().await;
    check(&scene, &[wanted, State::Done], wish).await;
}

#[tokio::test(start_paused = true)]
async fn a_wish_carried_out_just_before_a_crash_is_counted_once() {
    wished_and_dead_in_one_stretch("dismiss", State::Dismissed).await;
    wished_and_dead_in_one_stretch("retry", State::Done).await;
}

/// What a delivery could not say stays a dead letter, however often it is retried.
#[tokio::test(start_paused = true)]
async fn an_item_without_an_id_stays_dead() {
    let scene = Scene::connected(On::Both).await;
    let hook = scene.kiotviet.webhooks()[0].url.clone();
    let body = r#"{"Notifications":[{"Action":"customer.update.1","Data":[{"Name":"x"}]}]}"#;
    let request = http::Request::post(hook).body(body.into()).unwrap();
    scene.app.request(request).await;
    assert_eq!(scene.outcomes().await, ["dead unreadable"]);
    assert_eq!(ask(&scene, "1/retry").await, Some(200));
    assert_eq!(scene.outcomes().await, ["dead unreadable"]);
    check(&scene, &[State::Dead], "retried").await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_huge_delivery_is_taken_apart_leaves_a_small_place() {
    for dies_at in [500, 1100, 2300] {
        let scene = Scene::connected(On::Customers).await;
        let id = scene.kiotviet.create_customer(hoa());
        scene.kiotviet.take_deliveries();
        let others = json!({"Action": "product.update.1", "Data": vec![json!({"Id": 1}); 3000]});
        let hoa = json!({"Action": "customer.update.1", "Data": [{"Id": id}]});
        let body = json!({"Notifications": [others, hoa]}).to_string();
        let hook = scene.kiotviet.webhooks()[0].url.clone();
        let request = http::Request::post(hook).body(body.into()).unwrap();
        assert_eq!(scene.app.request(request).await.status, 200);
        assert_eq!(scene.outcomes().await, ["dead too_many_items"]);

        scene.app.mishaps.arm([(dies_at, Mishap::DiesBefore)]);
        let asked = scene.app.api("POST", "events/1/retry", &Value::Null);
        assert!(scene.app.mishaps.live(asked).await.is_none(), "it died");
        scene.app.mishaps.disarm();
        scene.pass(61).await;
        scene.drain().await;
        let holes = cursor::load(&scene.app).await.unwrap().holes.len();
        assert!(holes <= 200, "{holes} numbers without an entry");
        let journal = scene.journal().await;
        assert_eq!(journal.first().map(|r| r.state()), Some(State::Dismissed));
        assert!(journal.len() > 3001, "all of it again: {}", journal.len());
        assert!(journal.iter().all(|r| r.state().is_final()));
        assert_eq!(scene.getfly.accounts().len(), 1);
        counts_add_up(&scene, "died").await;
    }
}

/// Getfly asks for a long pause. A customer of before it is to be tried again, one of after it waits in
/// the queue, and a delivery whose signature was refused stands first or behind both; gives its number.
async fn in_an_outage(refused_first: bool) -> (Scene, u64) {
    let scene = Scene::connected(On::Customers).await;
    scene.app.set_variable("signature_policy", "enforce");
    if refused_first {
        deliver_refused(&scene).await;
    }
    let busy = FaultRule::new(Fault::Status(429, Some(3600))).when(When::First(1));
    scene.getfly_faults.add(busy);
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;
    if !refused_first {
        deliver_refused(&scene).await;
    }
    assert_eq!(scene.waiting().await.len(), 2);
    (scene, if refused_first { 1 } else { 3 })
}

async fn deliver_refused(scene: &Scene) {
    let sign = |how| scene.kiotviet.update_settings(|s| s.signature = how);
    sign(Signature::Wrong);
    scene
        .kiotviet
        .create_customer(customer("Cô Tư", "0911222333"));
    scene.deliver().await;
    sign(Signature::default());
}

/// Once all is over: the refused delivery is dismissed, all else is done, with so many accounts.
async fn outage_is_over(scene: &Scene, refused: u64, accounts: usize, what: &str) {
    for record in scene.journal().await {
        let wanted = if record.seq == refused {
            State::Dismissed
        } else {
            State::Done
        };
        assert_eq!(record.state(), wanted, "{what}: event {}", record.seq);
    }
    counts_add_up(scene, what).await;
    assert_eq!(scene.getfly.accounts().len(), accounts, "{what}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_needs_no_getfly_does_not_wait_for_it() {
    for refused_first in [true, false] {
        for (wish, accounts) in [("dismiss", 2), ("retry", 3)] {
            let (scene, refused) = in_an_outage(refused_first).await;
            let path = format!("{refused}/{wish}");
            let what = format!("{path}, first: {refused_first}");
            let calls = scene.getfly.calls().len();
            let calls_of_wish = asked_for_in_an_outage(&scene, Vec::new(), &path, &what).await;
            let (_, event) = scene.app.get(&format!("events/{refused}")).await;
            assert_eq!(event["state"], "dismissed", "{what}");
            assert_eq!(scene.getfly.calls().len(), calls, "Getfly is left alone");
            let waits = scene.waiting().await.len();
            assert_eq!(waits, accounts, "{what}: all else waits");
            scene.pass(3600).await;
            scene.settle().await;
            outage_is_over(&scene, refused, accounts, &what).await;

            for (number, call) in (1..).zip(&calls_of_wish) {
                for mishap in Mishap::ALL {
                    let (scene, refused) = in_an_outage(refused_first).await;
                    let what = format!("{what}: {number} {call} {mishap:?}");
                    asked_for_in_an_outage(&scene, vec![(number, mishap)], &path, &what).await;
                    scene.pass(3600).await;
                    scene.settle().await;
                    outage_is_over(&scene, refused, accounts, &what).await;
                }
            }
        }
    }
}

/// A person asks until it is confirmed, which takes no end of the outage.
async fn asked_for_in_an_outage(
    scene: &Scene,
    script: Vec<(usize, Mishap)>,
    path: &str,
    what: &str,
) -> Vec<String> {
    scene.app.mishaps.arm(script);
    let mut confirmed = false;
    for _ in 0..3 {
        match ask(scene, path).await {
            Some(200 | 409) => {
                confirmed = true;
                break;
            }
            _ => scene.pass(61).await,
        }
    }
    assert!(confirmed, "{what}");
    scene.app.mishaps.disarm()
}
