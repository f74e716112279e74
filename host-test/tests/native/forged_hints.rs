//! Claims that forged hints cost little: an id that is named many times is read a few times;
//! unsigned hints that lead to nothing use up a bounded part of KiotViet's calls an hour and delay
//! no genuine event; and what they ask about in vain never overrules a signed delivery. How:
//! unsigned deliveries, in virtual time.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, ba, customer, hoa},
};
use http::Method;
use serde_json::json;
use sim::{Fault, FaultRule, kiotviet::Signature};
use std::time::Duration;

fn told(ids: impl Iterator<Item = i64>) -> String {
    let data: Vec<_> = ids
        .map(|id| json!({"Id": id, "Code": format!("KH{id}")}))
        .collect();
    json!({"Notifications": [{"Action": "customer.update.1", "Data": data}]}).to_string()
}

/// How often a customer, or the control read, was requested from KiotViet since the last time.
fn reads(shop: &TestShop) -> usize {
    let calls = shop.app.take_calls().into_iter();
    let asked =
        |endpoint: &str| endpoint.contains("/customers/{id}") || endpoint.contains("/branches");
    calls.filter(|call| asked(call.endpoint)).count()
}

/// A shop that accepts deliveries with any signature, after a genuine one.
async fn observing() -> TestShop {
    let shop = TestShop::connected(On::Customers).await;
    shop.app.set_variable("signature_policy", "observe");
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.getfly.accounts().len(), 1);
    shop.app.take_calls();
    shop
}

#[tokio::test(start_paused = true)]
async fn one_id_told_of_four_hundred_times_is_read_once() {
    for signed_before in [false, true] {
        let shop = if signed_before {
            observing().await
        } else {
            TestShop::connected(On::Customers).await
        };
        // Both deliveries wait for their turn.
        let ids = || told(std::iter::repeat_n(7_000_001, 100));
        for _ in 0..4 {
            assert_eq!(shop.post(ids()).await, 200);
        }
        shop.drain().await;
        let cost = reads(&shop);
        assert!(cost <= 2, "{cost} calls");
        let outcomes = shop.outcomes().await;
        let gone = outcomes
            .iter()
            .filter(|o| *o == "ignored deleted_on_kiotviet");
        assert_eq!(gone.count(), 200, "of the newest 200");
    }
}

#[tokio::test(start_paused = true)]
async fn five_thousand_forged_hints_cost_five_hundred_calls_an_hour_and_delay_no_genuine_event() {
    let shop = observing().await;
    for lot in 0..25 {
        let first = 8_000_000 + lot * 200;
        assert_eq!(shop.post(told(first..first + 200)).await, 200);
    }
    shop.kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    shop.deliver().await;
    assert_eq!(shop.getfly.accounts().len(), 2);
    shop.drain().await;
    let cost = reads(&shop);
    assert!(cost <= 505, "{cost} calls");
    for hour in 1..4 {
        shop.minutes(60).await;
        shop.kiotviet
            .create_customer(customer("Chị Tư", &format!("097765432{hour}")));
        shop.deliver().await;
        assert_eq!(shop.getfly.accounts().len(), 2 + hour);
        let cost = reads(&shop);
        assert!((400..=510).contains(&cost), "{cost} calls in hour {hour}");
    }
    for _ in 0..24 {
        shop.minutes(60).await;
    }
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["counts"]["waiting"], 0, "{overview}");
    assert_eq!(overview["balanced"], true);
}

#[tokio::test(start_paused = true)]
async fn a_shop_whose_signature_was_never_seen_keeps_half_of_kiotviets_calls() {
    let shop = TestShop::connected(On::Customers).await;
    for lot in 0..25 {
        let first = 8_000_000 + lot * 200;
        assert_eq!(shop.post(told(first..first + 200)).await, 200);
    }
    let cost = reads(&shop);
    assert!((1_000..=2_505).contains(&cost), "{cost} calls");
}

#[tokio::test(start_paused = true)]
async fn what_an_unsigned_hint_did_not_find_is_found_by_a_signed_one() {
    let shop = observing().await;
    // Its number is known before it exists.
    let next = shop.kiotviet.customers().last().expect("a customer").id + 1;
    assert_eq!(shop.post(told(next..=next)).await, 200);
    assert_eq!(reads(&shop), 2);
    assert_eq!(shop.post(told(next..=next)).await, 200);
    assert_eq!(reads(&shop), 0);
    let id = shop
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    assert_eq!(id, next);
    shop.deliver().await;
    assert_eq!(shop.getfly.accounts().len(), 2);
    // And an unsigned one after ten minutes.
    let after = next + 1;
    assert_eq!(shop.post(told(after..=after)).await, 200);
    shop.kiotviet
        .create_customer(customer("Chị Tư", "0977654321"));
    shop.kiotviet.take_deliveries();
    shop.pass(601).await;
    assert_eq!(shop.post(told(after..=after)).await, 200);
    assert_eq!(shop.getfly.accounts().len(), 3);
}

/// Ids are in order, so a sender who knows the webhook's path can name records before they exist.
#[tokio::test(start_paused = true)]
async fn customers_who_were_foretold_come_in_with_the_next_list_scan() {
    for signature in [Signature::Missing, Signature::default()] {
        let shop = TestShop::connected(On::Customers).await;
        shop.heal().await;
        shop.kiotviet.update_settings(|s| s.signature = signature);
        shop.kiotviet.create_customer(hoa());
        shop.deliver().await;
        let next = shop.kiotviet.customers().last().expect("a customer").id + 1;
        assert_eq!(shop.post(told(next..next + 20)).await, 200);
        shop.pass(60).await;
        let id = shop.kiotviet.create_customer(ba());
        assert_eq!(id, next);
        shop.deliver().await;
        let signed = signature == Signature::default();
        let at_once = shop.getfly.accounts().len() == 2;
        assert_eq!(at_once, signed, "{signature:?}");
        shop.minutes(20).await;
        assert_eq!(shop.getfly.accounts().len(), 2, "{signature:?}");
    }
}

/// A record that a list scan has read exists for an unsigned hint, too.
#[tokio::test(start_paused = true)]
async fn a_list_scan_clears_what_was_not_there() {
    let shop = observing().await;
    let next = shop.kiotviet.customers().last().expect("a customer").id + 1;
    assert_eq!(shop.post(told(next..=next)).await, 200);
    shop.kiotviet.create_customer(ba());
    shop.kiotviet.take_deliveries();
    shop.heal().await;
    assert_eq!(shop.getfly.accounts().len(), 2, "read back");
    assert_eq!(shop.post(told(next..=next)).await, 200);
    let outcomes = shop.outcomes().await;
    let gone = "ignored deleted_on_kiotviet";
    assert_eq!(
        outcomes.iter().filter(|o| *o == gone).count(),
        1,
        "{outcomes:?}"
    );
}

/// Each item of a delivery is an event, and waits if the hour's calls are used up.
#[tokio::test(start_paused = true)]
async fn hints_without_end_take_fifty_megabytes_an_hour_and_what_is_only_counted_is_read_back() {
    let shop = TestShop::connected(On::Customers).await;
    shop.heal().await;
    shop.kiotviet
        .update_settings(|s| s.signature = Signature::Missing);
    let large = "x".repeat(200_000);
    let lot = |lot: i64| {
        let ids = 8_000_000 + lot * 20..8_000_020 + lot * 20;
        let data: Vec<_> = ids.map(|id| json!({"Id": id, "Comments": large})).collect();
        json!({"Notifications": [{"Action": "customer.update.1", "Data": data}]}).to_string()
    };
    for n in 0..10 {
        assert_eq!(shop.post(lot(n)).await, 200);
    }
    let before = shop.app.store.dump().len();
    for n in 10..13 {
        assert_eq!(shop.post(lot(n)).await, 200);
    }
    let more = shop.app.store.dump().len() - before;
    assert!(more <= 8, "{more} more keys");
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.getfly.accounts().len(), 0, "only counted");
    shop.minutes(20).await;
    assert_eq!(shop.getfly.accounts().len(), 1, "read back");
}

#[tokio::test(start_paused = true)]
async fn healing_goes_on_while_forged_hints_are_worked_through() {
    let shop = TestShop::connected(On::Customers).await;
    shop.heal().await;
    // Two calls for each of them: three quarters of an hour in one drain.
    let slow = FaultRule::new(Fault::Delay(Duration::from_secs(7)));
    shop.kiotviet_faults.add(slow.on(Method::GET, "/"));
    let at_work = async {
        assert_eq!(shop.post(told(8_000_000..8_000_200)).await, 200);
        shop.drain().await;
    };
    let meanwhile = async {
        shop.pass(60).await;
        shop.kiotviet.switch_off_webhooks();
        shop.pass(30 * 60).await;
        shop.kiotviet.webhooks().iter().all(|hook| hook.is_active)
    };
    tokio::select! {
        () = at_work => panic!("it is over too early"),
        healed = meanwhile => assert!(healed),
    }
}
