//! Claims guarantee 3: whatever an upstream answers or fails to answer, the event is attempted
//! again and ends well once the fault is over, with one drain after the last retry time;
//! `Retry-After` is honoured; after at least 75 hours of failures it is a dead letter with a
//! reason, which stays until a person has it retried or dismissed. How: every fault at every
//! endpoint, in virtual time.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
};
use http::Method;
use sim::{Fault, FaultRule, When};
use std::time::Duration;

const HOUR: u64 = 3600;

fn passing_faults() -> Vec<Fault> {
    vec![
        Fault::Status(429, Some(40)),
        Fault::Status(429, None),
        Fault::Status(401, None),
        Fault::Status(403, None),
        Fault::Status(408, None),
        Fault::Status(500, None),
        Fault::Status(503, Some(3)),
        Fault::HtmlError(404),
        Fault::HtmlError(502),
        Fault::HtmlBody200,
        Fault::EmptyBody,
        Fault::Garbled,
        Fault::Hang,
        Fault::Delay(Duration::from_secs(20)),
        Fault::Delay(Duration::from_secs(40)),
        Fault::DropBefore,
        Fault::StoredButReplyLost,
        Fault::StoredThen500,
        Fault::StoredThenEmpty,
        Fault::StoredThenHang,
    ]
}

/// The faults are over: one drain after the last retry time, and all is well.
async fn recovers(shop: &TestShop, what: &str) {
    shop.kiotviet_faults.clear();
    shop.getfly_faults.clear();
    shop.pass_last_retry().await;
    shop.drain().await;
    assert_eq!(shop.audit().await, [""; 0], "{what}");
    assert_eq!(shop.getfly.accounts().len(), 1, "{what}");
    assert_eq!(shop.getfly.orders().len(), 1, "{what}");
}

/// A new customer and an invoice, redelivered too, while `rule` holds on one upstream.
async fn shop_under(rule: FaultRule, at_getfly: bool) -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    // No token is cached, so that fetching one fails too.
    shop.app.store.forget("/cache/");
    if at_getfly {
        shop.getfly_faults.add(rule);
    } else {
        shop.kiotviet_faults.add(rule);
    }
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    assert_eq!(shop.deliver().await, [200, 200]);
    shop.pass(33).await;
    // Delivered again while the first attempt's end is unknown.
    shop.kiotviet.edit_customer(id, |_| {});
    let sold = shop.kiotviet.invoices()[0].id;
    shop.kiotviet.set_invoice_status(sold, 1);
    assert_eq!(shop.deliver().await, [200, 200]);
    shop
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_endpoint_of_getfly_is_overcome() {
    for (method, path) in [
        (Method::GET, "/api/v6.1/accounts"),
        (Method::GET, "/api/v6.1/users"),
        (Method::GET, "/api/v6.1/sale_order"),
        (Method::POST, "/api/v6.1/account"),
        (Method::POST, "/api/v6.1/sale_order"),
    ] {
        for fault in passing_faults() {
            if method == Method::POST && fault == Fault::Status(403, None) {
                // For a create it is a refusal, not a passing fault.
                continue;
            }
            for when in [When::First(1), When::First(2), When::Nth(2), When::Every] {
                let what = format!("{method} {path} {fault:?} {when:?}");
                let rule = FaultRule::new(fault.clone()).on(method.clone(), path);
                let shop = shop_under(rule.when(when), true).await;
                recovers(&shop, &what).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_endpoint_of_kiotviet_is_overcome() {
    for (method, path) in [
        (Method::POST, "/connect/token"),
        (Method::GET, "/customers"),
        (Method::GET, "/invoices"),
        (Method::GET, "/users"),
    ] {
        for fault in passing_faults() {
            for when in [When::First(1), When::First(2), When::Nth(2), When::Every] {
                let what = format!("{method} {path} {fault:?} {when:?}");
                let rule = FaultRule::new(fault.clone()).on(method.clone(), path);
                let shop = shop_under(rule.when(when), false).await;
                recovers(&shop, &what).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_for_the_whole_upstream() {
    let shop = TestShop::connected(On::Both).await;
    let busy = FaultRule::new(Fault::Status(429, Some(900))).when(When::First(1));
    shop.getfly_faults.add(busy);
    let began = shop.clock.now();
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.settle().await;
    // Both searches of the first attempt were under way together.
    let calls = shop.getfly_faults.calls();
    let next = calls.get(2).map(|c| c.at.duration_since(began).as_secs());
    assert!(next >= Some(900), "{next:?}");
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_getfly_stores_after_its_caller_gave_up_is_not_stored_twice() {
    for path in ["/account", "/sale_order"] {
        for seconds in [7, 15, 24, 26, 40, 54] {
            let shop = TestShop::connected(On::Both).await;
            let late = FaultRule::new(Fault::Late(Duration::from_secs(seconds)));
            let path = format!("/api/v6.1{path}");
            shop.getfly_faults.add(late.on(Method::POST, &path));
            let id = shop.kiotviet.create_customer(hoa());
            shop.kiotviet.create_invoice(sale(Some(id)));
            shop.deliver().await;
            for _ in 0..16 {
                // A scheduler drains all the time, and KiotViet delivers it again.
                shop.pass(5).await;
                shop.kiotviet.edit_customer(id, |_| {});
                shop.kiotviet.set_invoice_status(300_000_001, 1);
                shop.deliver().await;
                shop.drain().await;
            }
            recovers(&shop, &format!("{path} {seconds} s")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_dead_letter_in_getflys_words_until_a_person_retries_it() {
    let shop = TestShop::connected(On::Both).await;
    let rule = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/account");
    let fault = shop.getfly_faults.add(rule);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.settle().await;
    let (_, event) = shop.app.event(1).await;
    assert_eq!(event["state"], "dead");
    assert_eq!(event["reason"], "getfly_refused");
    let notes = event["notes"].to_string();
    assert!(notes.contains("Có lỗi xảy ra"), "{notes}");

    // It blocks nothing, and stays.
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(shop.getfly.orders().len(), 1);
    shop.pass(20 * 24 * HOUR).await;
    shop.drain().await;
    assert_eq!(shop.app.event(1).await.1["state"], "dead");

    // Retried too early it is dead again; later it ends well.
    let retry = async || shop.app.retry(1).await;
    assert_eq!(retry().await.0, 200);
    assert_eq!(shop.app.event(1).await.1["state"], "dead");
    shop.getfly_faults.remove(fault);
    let (status, event) = retry().await;
    assert_eq!(
        (status, &event["reason"]),
        (200, &"customer_created".into())
    );
    assert_eq!(retry().await.0, 409);
    assert_eq!(shop.getfly.accounts().len(), 1);
    shop.kiotviet.edit_customer(id, |_| {});
    shop.deliver().await;
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn seventy_five_hours_of_failures_make_a_dead_letter_and_a_retry_starts_anew() {
    for at_getfly in [true, false] {
        let shop = TestShop::connected(On::Both).await;
        let down = FaultRule::new(Fault::Status(503, None));
        let (side, reason) = if at_getfly {
            (&shop.getfly_faults, "getfly_unavailable")
        } else {
            (&shop.kiotviet_faults, "kiotviet_unavailable")
        };
        let fault = side.add(down);
        let began = shop.clock.now();
        shop.kiotviet.create_customer(hoa());
        shop.deliver().await;
        for _ in 0..24 * 14 {
            shop.pass(HOUR / 2).await;
            shop.drain().await;
        }
        let (_, event) = shop.app.event(1).await;
        assert_eq!(
            (&event["state"], &event["reason"]),
            (&"dead".into(), &reason.into())
        );
        let ended: jiff::Timestamp = event["finished_at"].as_str().unwrap().parse().unwrap();
        let tried = ended.duration_since(began).as_hours();
        assert!((75..=7 * 24).contains(&tried), "{tried} hours");
        let (_, list) = shop.app.events("state=dead").await;
        assert_eq!(list["events"].as_array().unwrap().len(), 1);

        side.remove(fault);
        shop.pass(HOUR).await;
        let (status, event) = shop.app.retry(1).await;
        assert_eq!((status, &event["state"]), (200, &"done".into()), "{event}");
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_while_the_upstream_is_paused_waits_for_it() {
    let shop = TestShop::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).when(When::First(2));
    shop.getfly_faults.add(refused);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["dead getfly_refused"]);
    shop.getfly_faults.clear();
    let busy = FaultRule::new(Fault::Status(429, Some(600))).when(When::First(1));
    shop.getfly_faults.add(busy);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let (status, event) = shop.app.retry(1).await;
    assert_eq!((status, &event["state"]), (200, &"retrying".into()));
    shop.pass_last_retry().await;
    shop.drain().await;
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_never_sent_is_made_at_the_next_attempt() {
    let shop = TestShop::connected(On::Both).await;
    shop.app.refuse_connections(Some("Getfly POST /account"));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (0, 0));
    let event = &shop.events().await[0];
    assert_eq!(event["state"], "retrying", "{event}");
    shop.app.refuse_connections(None);
    shop.pass(10).await;
    shop.drain().await;
    assert_eq!(shop.in_getfly(), (1, 0));
    assert_eq!(shop.events().await[0]["outcome"], "created");
}
