//! Claims: never more than `getfly_requests_per_second` calls to Getfly begin in any second, over
//! any number of drains, instances and crashes, and a preview or the list of staff right after
//! them; and the rate limit is used fully. How: the simulated Getfly records when each call
//! arrives.

use host_test::{
    admin::Admin,
    host_fault::HostFault,
    shop::{On, TestShop, customer, sale},
};
use jiff::SignedDuration;
use serde_json::json;
use sim::{Fault, FaultRule, When, getfly::User, kiotviet::Staff};
use std::rc::Rc;
use tokio::task::LocalSet;

fn millis(shop: &TestShop) -> Vec<i128> {
    let calls = shop.getfly.calls().into_iter();
    calls.map(|c| c.at.as_nanosecond() / 1_000_000).collect()
}

/// The most calls in any window of this many milliseconds.
fn most_within(window: i128, at: &[i128]) -> usize {
    let from = |start: i128| {
        at.iter()
            .filter(|t| (start..start + window).contains(t))
            .count()
    };
    at.iter().map(|start| from(*start)).max().unwrap_or(0)
}

fn open_shop(shop: &TestShop, customers: usize) {
    for n in 0..customers {
        let new = customer(&format!("Khách {n}"), &format!("09123456{n:02}"));
        let id = shop.kiotviet.create_customer(new);
        shop.kiotviet.create_invoice(sale(Some(id)));
    }
}

#[tokio::test(start_paused = true)]
async fn no_second_has_more_calls_than_allowed() {
    for (rate, calls, window) in [
        ("2", 2, 1000),
        ("5", 5, 1000),
        ("0.5", 1, 2000),
        ("1", 1, 1000),
    ] {
        let shop = TestShop::connected(On::Both).await;
        shop.app.set_variable("getfly_requests_per_second", rate);
        open_shop(&shop, 12);
        shop.deliver().await;
        shop.settle().await;
        let at = millis(&shop);
        assert!(at.len() >= 36, "{}", at.len());
        assert_eq!(most_within(window, &at), calls, "{rate} a second");
        let took = at.last().unwrap() - at.first().unwrap();
        let needed = i128::try_from(at.len() / calls).unwrap() * window;
        assert!(
            took <= needed + window,
            "{rate}: {took} ms, {needed} were needed"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn instances_at_once_keep_it_together() {
    let shop = Rc::new(TestShop::connected(On::Both).await);
    open_shop(&shop, 12);
    let deliveries = shop.kiotviet.take_deliveries();
    let local = LocalSet::new();
    for (instance, delivery) in (0..).zip(deliveries) {
        let app = shop.app.another(instance);
        let request = shop.kiotviet.request(&delivery);
        local.spawn_local(async move {
            tokio::time::sleep(std::time::Duration::from_millis(130 * instance)).await;
            assert_eq!(app.request(request).await.status, 200);
        });
    }
    local.await;
    shop.settle().await;
    assert_eq!(shop.getfly.orders().len(), 12);
    assert_eq!(most_within(1000, &millis(&shop)), 2);
}

/// The next worker, just after a second's calls were made at once, may be almost two seconds behind.
#[tokio::test(start_paused = true)]
async fn instances_whose_clocks_differ_keep_it_together() {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("getfly_requests_per_second", "19");
    let ahead = shop.app.another(7);
    let off = SignedDuration::from_millis(1_900);
    ahead.skew.set(shop.clock.now(), Some(off));
    open_shop(&shop, 20);
    for (n, delivery) in shop.kiotviet.take_deliveries().into_iter().enumerate() {
        // A customer takes two calls, an invoice one, the first one the list of users too.
        let app = if n < 12 { &ahead } else { &shop.app };
        let answer = app.request(shop.kiotviet.request(&delivery)).await;
        assert_eq!(answer.status, 200);
    }
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (20, 20));
    assert_eq!(most_within(1000, &millis(&shop)), 19);
}

#[tokio::test(start_paused = true)]
async fn a_crash_does_not_forget_it() {
    for dies_at in (20..200).step_by(7) {
        let shop = TestShop::connected(On::Both).await;
        open_shop(&shop, 4);
        shop.app.host_faults.arm([(dies_at, HostFault::DiesAfter)]);
        shop.deliver_under_faults().await;
        shop.app.host_faults.disarm();
        shop.drain().await;
        shop.settle().await;
        assert_eq!(shop.getfly.orders().len(), 4);
        assert!(most_within(1000, &millis(&shop)) <= 2, "died at {dies_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_asks_for_right_after_the_worker_keeps_it_too() {
    for rate in ["1", "2"] {
        let shop = TestShop::connected(On::Customers).await;
        shop.app.set_variable("getfly_requests_per_second", rate);
        open_shop(&shop, 3);
        shop.deliver().await;
        let previewed = shop
            .kiotviet
            .create_customer(customer("Chị Hoa", "0987654312"));
        shop.kiotviet.take_deliveries();
        let item = json!({"Action": "customer.update.1", "Data": [{"Id": previewed}]});
        let body = json!({"Notifications": [item]});
        let calls = shop.getfly.calls().len();
        let (status, preview) = shop.app.call("POST", "preview/shop", &body).await;
        assert_eq!(status, 200);
        assert_eq!(preview["items"][0]["reason"], "customer_created");
        assert_eq!(shop.getfly.calls().len(), calls + 1, "the search");
        let allowed: usize = rate.parse().unwrap();
        assert_eq!(most_within(1000, &millis(&shop)), allowed, "{rate}");

        // The next worker does not know the calls of a person's request.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        shop.kiotviet
            .edit_customer(previewed, |c| c.contact_number = Some("0911222333".into()));
        shop.deliver().await;
        let (status, _) = shop.app.look("connections/shop/staff").await;
        assert_eq!(status, 200);
        assert_eq!(most_within(1000, &millis(&shop)), allowed, "{rate}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_bears_less_than_configured_gets_one_call_at_a_time_for_a_while() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|settings| settings.requests_per_second = Some(1));
    open_shop(&shop, 5);
    shop.accept().await;
    shop.drain().await;
    shop.minutes(3).await;
    assert_eq!(shop.getfly.accounts().len(), 5);
    let busy = shop
        .getfly
        .calls()
        .into_iter()
        .filter(|c| c.status == Some(429));
    let busy = busy.count();
    assert!((1..=3).contains(&busy), "{busy} calls were refused");
    // And the configured rate once that is over.
    shop.getfly
        .update_settings(|settings| settings.requests_per_second = None);
    shop.pass(601).await;
    open_shop(&shop, 5);
    shop.accept().await;
    let before = shop.getfly.calls().len();
    shop.drain().await;
    let later = millis(&shop).split_off(before);
    assert_eq!(most_within(1000, &later), 2);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_came_too_soon_is_made_once_more_and_its_event_ends_at_its_first_attempt() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet
        .add_staff(Staff::new(5001, "lan", "Lan", "0918273645"));
    shop.getfly
        .add_user(User::new(7, "lan.nv", "Lan", "0918273645"));
    shop.getfly
        .update_settings(|settings| settings.requests_per_second = Some(1));
    for _ in 0..2 {
        shop.kiotviet.create_invoice(sale(None));
    }
    shop.accept().await;
    shop.drain().await;
    for event in shop.events().await {
        assert_eq!(
            (&event["state"], &event["attempts"]),
            (&"done".into(), &0.into())
        );
    }
    let orders = shop.getfly.orders();
    let executors = orders
        .iter()
        .map(|order| order.assigned_username.as_deref());
    assert!(executors.eq([Some("lan.nv"); 2]));
    // For a longer wait, the event itself waits.
    let busy = FaultRule::new(Fault::Status(429, Some(6))).when(When::First(1));
    shop.getfly_faults.add(busy);
    shop.kiotviet.create_invoice(sale(None));
    shop.accept().await;
    shop.drain().await;
    assert_eq!(shop.waiting().await.len(), 1);
    shop.settle().await;
    assert_eq!(shop.getfly.orders().len(), 3);
}
