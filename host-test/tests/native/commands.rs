//! Claims: a person's retry or dismissal of a dead letter survives any failed host call and any
//! crash: repeated until it is confirmed, it is carried out once, nothing is doubled, and the
//! counts add up. A command that needs no Getfly does not wait for it, and a huge delivery that is
//! taken apart again leaves a small cursor after a crash. How: each host call of the command fails
//! or is the last before a crash.

use host_test::{
    admin::Admin,
    host_fault::HostFault,
    shop::{On, TestShop, ba, customer, hoa},
};
use plugin::journal::{cursor, record::State};
use serde_json::json;
use sim::{Fault, FaultRule, When, kiotviet::Signature};
use std::time::Duration;

/// Two dead letters (the first two events), made by refusals that are over.
async fn two_dead_letters() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(2);
    shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    assert_eq!(
        shop.outcomes().await,
        ["dead getfly_refused", "dead getfly_refused"]
    );
    shop
}

/// Sends a command: `1/retry`.
async fn ask(shop: &TestShop, command: &str) -> Option<u16> {
    let (seq, what) = command.split_once('/').unwrap();
    let seq = seq.parse().unwrap();
    let asked = async {
        match what {
            "retry" => shop.app.retry(seq).await,
            _ => shop.app.dismiss(seq).await,
        }
    };
    Some(shop.app.host_faults.live(asked).await?.0)
}

/// A person repeats a command until it is confirmed; returns the host calls of the first time.
async fn asked_for(
    shop: &TestShop,
    script: Vec<(usize, HostFault)>,
    commands: &[&str],
) -> Vec<String> {
    shop.app.host_faults.arm(script);
    for command in commands {
        for _ in 0..5 {
            match ask(shop, command).await {
                Some(200 | 409) => break,
                _ => shop.pass(61).await,
            }
            shop.app.host_faults.live(shop.drain()).await;
        }
    }
    let calls = shop.app.host_faults.disarm();
    shop.pass(61).await;
    shop.pass_last_retry().await;
    shop.drain().await;
    calls
}

async fn check(shop: &TestShop, wanted: &[State], what: &str) {
    let journal = shop.journal().await;
    let states: Vec<State> = journal.iter().map(|r| r.state()).collect();
    assert_eq!(states, wanted, "{what}");
    counts_add_up(shop, what).await;
    let done = wanted.iter().filter(|s| **s == State::Done).count();
    assert_eq!(shop.getfly.accounts().len(), done, "{what}");
}

async fn counts_add_up(shop: &TestShop, what: &str) {
    let (counts, recount) = shop.counts().await;
    assert_eq!(counts, recount, "{what}");
}

async fn every_point(commands: &[&str], wanted: &[State]) {
    let shop = two_dead_letters().await;
    let calls = asked_for(&shop, Vec::new(), commands).await;
    check(&shop, wanted, "without faults").await;
    for (number, call) in (1..).zip(&calls) {
        for fault in HostFault::ALL {
            let shop = two_dead_letters().await;
            asked_for(&shop, vec![(number, fault)], commands).await;
            let what = format!("{commands:?}: {number} {call} {fault:?}");
            check(&shop, wanted, &what).await;
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
    let shop = two_dead_letters().await;
    let (one, two) = tokio::join!(ask(&shop, "1/retry"), ask(&shop, "1/retry"));
    assert!(
        matches!((one, two), (Some(200), Some(200 | 202 | 409))),
        "{one:?} {two:?}"
    );
    check(&shop, &[State::Done, State::Dead], "twice").await;
    assert_eq!(ask(&shop, "1/retry").await, Some(409));
    assert_eq!(ask(&shop, "1/dismiss").await, Some(409));
}

/// A worker makes a dead letter, carries out a person's command for it, and dies, all before it has
/// saved its cursor.
async fn asked_for_and_dead_in_one_stretch(command: &str, wanted: State) {
    let shop = TestShop::connected(On::Customers).await;
    shop.refuse_accounts(1);
    let slow = Fault::Delay(Duration::from_secs(5));
    let slow = FaultRule::new(slow).on(http::Method::GET, "/customers/20000002");
    shop.kiotviet_faults.add(slow);
    shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(ba());
    shop.accept().await;
    let dies = shop.app.another(3);
    dies.hold_up("set kvgf/journal/cursor", Duration::from_secs(3600));
    let work = dies.drain();
    let (worked, asked) =
        tokio::join!(tokio::time::timeout(Duration::from_secs(25), work), async {
            shop.pass(4).await;
            ask(&shop, &format!("1/{command}")).await
        });
    assert!(worked.is_err(), "it died");
    assert_eq!(asked, Some(202), "the other worker was at it");
    shop.pass(61).await;
    shop.settle().await;
    check(&shop, &[wanted, State::Done], command).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_carried_out_just_before_a_crash_is_counted_once() {
    asked_for_and_dead_in_one_stretch("dismiss", State::Dismissed).await;
    asked_for_and_dead_in_one_stretch("retry", State::Done).await;
}

/// An item without an id stays a dead letter, however often it is retried.
#[tokio::test(start_paused = true)]
async fn an_item_without_an_id_stays_dead() {
    let shop = TestShop::connected(On::Both).await;
    let body = r#"{"Notifications":[{"Action":"customer.update.1","Data":[{"Name":"x"}]}]}"#;
    shop.post(body).await;
    assert_eq!(shop.outcomes().await, ["dead unreadable"]);
    assert_eq!(ask(&shop, "1/retry").await, Some(200));
    assert_eq!(shop.outcomes().await, ["dead unreadable"]);
    check(&shop, &[State::Dead], "retried").await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_huge_delivery_is_taken_apart_leaves_a_small_cursor() {
    for dies_at in [50, 150, 350] {
        let shop = TestShop::connected(On::Customers).await;
        let id = shop.kiotviet.create_customer(hoa());
        shop.kiotviet.take_deliveries();
        let others = json!({"Action": "product.update.1", "Data": vec![json!({"Id": 1}); 3000]});
        let hoa = json!({"Action": "customer.update.1", "Data": [{"Id": id}]});
        let body = json!({"Notifications": [others, hoa]}).to_string();
        assert_eq!(shop.post(body).await, 200);
        assert_eq!(shop.outcomes().await, ["dead too_many_items"]);

        shop.app.host_faults.arm([(dies_at, HostFault::DiesBefore)]);
        let asked = shop.app.retry(1);
        assert!(shop.app.host_faults.live(asked).await.is_none(), "it died");
        shop.app.host_faults.disarm();
        shop.pass(61).await;
        shop.drain().await;
        let holes = cursor::load(&shop.app).await.unwrap().holes.len();
        assert!(holes <= 200, "{holes} numbers without an entry");
        let journal = shop.journal().await;
        assert_eq!(journal.first().and_then(|r| r.taken), Some(200));
        // Each takes two hundred items.
        for _ in 1..3001_usize.div_ceil(200) {
            assert_eq!(ask(&shop, "1/retry").await, Some(200));
        }
        let journal = shop.journal().await;
        assert_eq!(journal.first().map(|r| r.state()), Some(State::Dismissed));
        assert!(journal.len() > 3001, "all of it again: {}", journal.len());
        assert!(journal.iter().all(|r| r.state().is_final()));
        assert_eq!(shop.getfly.accounts().len(), 1);
        counts_add_up(&shop, "died").await;
    }
}

/// Getfly asks for a long pause. A customer from before it is due again, one from after it waits in
/// the queue, and a delivery whose signature was refused stands first or behind both; returns its
/// number.
async fn in_an_outage(refused_first: bool) -> (TestShop, u64) {
    let shop = TestShop::connected(On::Customers).await;
    shop.app.set_variable("signature_policy", "enforce");
    if refused_first {
        deliver_refused(&shop).await;
    }
    let busy = FaultRule::new(Fault::Status(429, Some(3600))).when(When::First(1));
    shop.getfly_faults.add(busy);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    if !refused_first {
        deliver_refused(&shop).await;
    }
    assert_eq!(shop.waiting().await.len(), 2);
    (shop, if refused_first { 1 } else { 3 })
}

async fn deliver_refused(shop: &TestShop) {
    let sign = |how| shop.kiotviet.update_settings(|s| s.signature = how);
    sign(Signature::Wrong);
    shop.kiotviet
        .create_customer(customer("Cô Tư", "0911222333"));
    shop.deliver().await;
    sign(Signature::default());
}

/// After the outage: the refused delivery is dismissed, all other events are done, with this many
/// accounts.
async fn outage_is_over(shop: &TestShop, refused: u64, accounts: usize, what: &str) {
    for record in shop.journal().await {
        let wanted = if record.seq == refused {
            State::Dismissed
        } else {
            State::Done
        };
        assert_eq!(record.state(), wanted, "{what}: event {}", record.seq);
    }
    counts_add_up(shop, what).await;
    assert_eq!(shop.getfly.accounts().len(), accounts, "{what}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_needs_no_getfly_does_not_wait_for_it() {
    for refused_first in [true, false] {
        for (command, accounts) in [("dismiss", 2), ("retry", 3)] {
            let (shop, refused) = in_an_outage(refused_first).await;
            let path = format!("{refused}/{command}");
            let what = format!("{path}, first: {refused_first}");
            let calls = shop.getfly.calls().len();
            let calls_of_command = asked_for_in_an_outage(&shop, Vec::new(), &path, &what).await;
            let (_, event) = shop.app.look(&format!("events/{refused}")).await;
            assert_eq!(event["state"], "dismissed", "{what}");
            assert_eq!(shop.getfly.calls().len(), calls, "Getfly is left alone");
            let waits = shop.waiting().await.len();
            assert_eq!(waits, accounts, "{what}: all else waits");
            shop.pass(3600).await;
            shop.settle().await;
            outage_is_over(&shop, refused, accounts, &what).await;

            for (number, call) in (1..).zip(&calls_of_command) {
                for fault in HostFault::ALL {
                    let (shop, refused) = in_an_outage(refused_first).await;
                    let what = format!("{what}: {number} {call} {fault:?}");
                    asked_for_in_an_outage(&shop, vec![(number, fault)], &path, &what).await;
                    shop.pass(3600).await;
                    shop.settle().await;
                    outage_is_over(&shop, refused, accounts, &what).await;
                }
            }
        }
    }
}

/// A person repeats a command until it is confirmed, during the outage.
async fn asked_for_in_an_outage(
    shop: &TestShop,
    script: Vec<(usize, HostFault)>,
    path: &str,
    what: &str,
) -> Vec<String> {
    shop.app.host_faults.arm(script);
    let mut confirmed = false;
    for _ in 0..3 {
        match ask(shop, path).await {
            Some(200 | 409) => {
                confirmed = true;
                break;
            }
            _ => shop.pass(61).await,
        }
    }
    assert!(confirmed, "{what}");
    shop.app.host_faults.disarm()
}
