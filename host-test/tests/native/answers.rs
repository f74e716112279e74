//! Claims the contract's "Answers to KiotViet": on a known connection and token 200, 503 or 413 and
//! nothing else, whatever the body, the signature and the method; 404 only for an unknown
//! connection or a wrong token; 200 only for what is stored; and never later than a second, even
//! while both upstreams hang. How: requests straight to the webhook's own address.

use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, ba, customer, hoa},
    variables::{GETFLY, KIOTVIET, PUBLIC},
};
use plugin::journal::record::{Body, State};
use sim::{
    Fault, FaultRule,
    kiotviet::{Chaos, Signature},
};
use std::time::Duration;

/// The limit on a delivery's body.
const LIMIT: usize = 5 * 1024 * 1024;

async fn ask(shop: &TestShop, method: &str, url: &str, body: impl Into<Bytes>) -> u16 {
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .body(body.into())
        .unwrap();
    shop.app.request(request).await.status
}

fn hook(shop: &TestShop) -> String {
    shop.kiotviet.webhooks().first().unwrap().url.clone()
}

const BODIES: [&str; 14] = [
    "",
    " ",
    "null",
    "[]",
    "{}",
    "\u{feff}{}",
    "{\"Notifications\":7}",
    "{\"Notifications\":[{\"Action\":\"customer.update\",\"Data\":[{}]}]}",
    "{\"Notifications\":[{\"Action\":\"invoice.update.1\",\"Data\":[{\"Id\":-3}, null, 1e400]}]}",
    "{\"Notifications\":[{\"Data\":[{\"Id\":1}]}]}",
    "{\"RemoveId\":[1,2]}",
    "<html>",
    "{\"Notifications\":[",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

#[tokio::test(start_paused = true)]
async fn any_method_and_body_is_answered_200_and_kept_or_without_content() {
    let shop = TestShop::connected(On::Both).await;
    let hook = hook(&shop);
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"] {
        // Twenty an hour are stored whole.
        shop.pass(3600).await;
        for body in BODIES {
            assert_eq!(
                ask(&shop, method, &hook, body).await,
                200,
                "{method} {body}"
            );
        }
        let not_text = vec![0xff_u8, 0xfe, 0, 0x80];
        assert_eq!(ask(&shop, method, &hook, not_text).await, 200);
    }
    for method in ["GET", "HEAD"] {
        assert_eq!(ask(&shop, method, &hook, "").await, 200);
    }
    let journal = shop.journal().await;
    assert!(journal.iter().all(|r| r.state().is_final()));
    let unreadable = journal
        .iter()
        .filter(|r| r.status.reason() == Some("unreadable"));
    assert!(unreadable.clone().count() > 60);
    assert!(
        unreadable
            .clone()
            .all(|r| r.state() == State::Dead && r.body.is_some())
    );
    assert!(shop.getfly.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_form_of_signature_is_answered_200() {
    for policy in ["auto", "enforce", "observe"] {
        for signature in [
            Signature::Sha256LabelledSha1,
            Signature::Sha256Labelled,
            Signature::Sha256BareHex,
            Signature::Sha256Base64,
            Signature::Sha256DecodedKey,
            Signature::Sha1,
            Signature::Missing,
            Signature::Wrong,
        ] {
            let shop = TestShop::connected(On::Both).await;
            shop.app.set_variable("signature_policy", policy);
            shop.kiotviet.update_settings(|s| s.signature = signature);
            shop.kiotviet.create_customer(hoa());
            assert_eq!(shop.deliver().await, [200], "{policy} {signature:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_an_unknown_connection_or_a_wrong_token_is_404() {
    let shop = TestShop::connected(On::Both).await;
    let hook = hook(&shop);
    let token = hook.rsplit('/').next().unwrap();
    let cut = &token[..token.len() - 1];
    for path in [
        format!("/hooks/{CONNECTION}/{cut}"),
        format!("/hooks/{CONNECTION}/{token}a"),
        format!("/hooks/{CONNECTION}/"),
        format!("/hooks/other/{token}"),
        format!("/hooks/{}/{token}", "x".repeat(5000)),
        format!("/hooks/..%2fjournal/{token}"),
        "/hooks/SHOP/x".to_owned(),
    ] {
        for method in ["GET", "POST"] {
            let status = ask(&shop, method, &format!("{PUBLIC}{path}"), "{}").await;
            assert_eq!(status, 404, "{method} {path}");
        }
    }
    assert!(shop.journal().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn five_mebibytes_of_garbage_are_kept_and_one_byte_more_is_413() {
    let shop = TestShop::connected(On::Both).await;
    let hook = hook(&shop);
    assert_eq!(ask(&shop, "POST", &hook, vec![b'['; LIMIT + 1]).await, 413);
    assert_eq!(ask(&shop, "POST", &hook, vec![0xfe; LIMIT]).await, 200);
    assert_eq!(ask(&shop, "POST", &hook, vec![b'['; LIMIT]).await, 200);
    for record in shop.journal().await {
        assert!(matches!(record.body, Some(Body::Parts(n)) if n >= 10));
    }
    assert_eq!(shop.journal().await.len(), 2);

    // Once dismissed and past its retention, nothing of it stays.
    for seq in [1, 2] {
        let path = format!("events/{seq}/dismiss");
        assert_eq!(
            shop.app
                .call("POST", &path, &serde_json::Value::Null)
                .await
                .0,
            200
        );
    }
    shop.pass(31 * 86_400).await;
    shop.drain().await;
    let left = shop.app.store.dump().into_keys();
    assert_eq!(left.filter(|key| key.contains("/body/")).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn forty_items_in_one_delivery_are_forty_events() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.set_chaos(Chaos {
        merge_items: 40,
        ..Chaos::default()
    });
    for n in 0..40 {
        let new = customer(&format!("Khách {n}"), &format!("09123456{n:02}"));
        shop.kiotviet.create_customer(new);
    }
    assert_eq!(shop.deliver().await, [200]);
    shop.settle().await;
    assert_eq!(shop.getfly.accounts().len(), 40);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_503_and_nothing_is_lost() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.app.break_store(true);
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    let answer = shop.app.request(shop.kiotviet.request(&delivery)).await;
    assert_eq!(answer.status, 503);
    shop.kiotviet.settle(delivery, Some(503));
    assert_eq!(shop.app.look("events").await.0, 503);
    let unknown = format!("{PUBLIC}/hooks/nobody/x");
    assert_eq!(ask(&shop, "POST", &unknown, "{}").await, 503);

    shop.app.break_store(false);
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.getfly.accounts().len(), 1);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn no_answer_waits_for_an_upstream() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly_faults.add(FaultRule::new(Fault::Hang));
    shop.kiotviet_faults.add(FaultRule::new(Fault::Hang));
    shop.kiotviet.create_customer(hoa());
    for delivery in shop.kiotviet.take_deliveries() {
        let request = shop.kiotviet.request(&delivery);
        let answer = tokio::time::timeout(Duration::from_secs(1), shop.app.answer(request));
        assert_eq!(answer.await.unwrap().0.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn processing_inline_answers_in_time_and_goes_on_with_the_next_drain() {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("processing", "inline");
    shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.getfly.accounts().len(), 1);

    let before = shop.clock.now();
    let hang = shop.getfly_faults.add(FaultRule::new(Fault::Hang));
    let other = ba();
    shop.kiotviet.create_customer(other);
    assert_eq!(shop.deliver().await, [200]);
    let waited = shop.clock.now().duration_since(before);
    assert!(waited.as_millis() <= 3_000, "{waited:?}");
    shop.getfly_faults.remove(hang);
    shop.settle().await;
    assert_eq!(shop.getfly.accounts().len(), 2);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn only_the_configured_hosts_are_called() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let calls = shop.app.take_calls();
    assert!(!calls.is_empty());
    for call in calls {
        assert!(
            call.url.starts_with(GETFLY) || call.url.starts_with(KIOTVIET),
            "{}",
            call.url
        );
    }
}
