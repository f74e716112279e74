//! Claims: under `enforce` a delivery with a missing or wrong signature is stored as a dead letter
//! and has no effect; under `observe` it is accepted as the hint that it is, with a note; `auto`
//! observes until the connection's first valid signature and enforces from then on; a person may
//! accept a refused delivery. How: the simulated KiotViet signs in the form that the test chooses.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, hoa, sale},
};
use sim::kiotviet::Signature;

async fn delivered(shop: &TestShop, signature: Signature) -> String {
    shop.kiotviet.update_settings(|s| s.signature = signature);
    let number = shop.kiotviet.customers().len();
    let new = customer("Khách", &format!("091234560{number}"));
    shop.kiotviet.create_customer(new);
    assert_eq!(shop.deliver().await, [200]);
    shop.outcomes().await.pop().unwrap()
}

async fn valid_signature_seen(shop: &TestShop) -> bool {
    let (_, list) = shop.app.connections().await;
    list["connections"][0]["valid_signature_seen"] == true
}

async fn shop(policy: &str) -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("signature_policy", policy);
    shop
}

#[tokio::test(start_paused = true)]
async fn enforce_acts_on_nothing_without_a_valid_signature() {
    let shop = shop("enforce").await;
    for signature in [Signature::Wrong, Signature::Missing] {
        assert_eq!(delivered(&shop, signature).await, "dead bad_signature");
    }
    assert!(shop.kiotviet_faults.calls().len() < 10);
    assert!(shop.getfly.calls().is_empty());
    assert!(!valid_signature_seen(&shop).await);
    let valid = delivered(&shop, Signature::default()).await;
    assert_eq!(valid, "created customer_created");
    assert!(valid_signature_seen(&shop).await);
}

#[tokio::test(start_paused = true)]
async fn observe_takes_every_delivery_with_a_note() {
    let shop = shop("observe").await;
    for (signature, note) in [
        (Signature::Wrong, Some("signature did not match")),
        (Signature::Missing, Some("signature missing")),
        (Signature::Sha256Base64, None),
        (Signature::Wrong, Some("signature did not match")),
    ] {
        let outcome = delivered(&shop, signature).await;
        assert_eq!(outcome, "created customer_created");
        let notes = shop.events().await.pop().unwrap()["notes"].to_string();
        match note {
            Some(note) => assert!(notes.contains(note), "{notes}"),
            None => assert!(!notes.contains("signature"), "{notes}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn auto_enforces_after_the_first_valid_signature_of_each_connection() {
    let shop = shop("auto").await;
    let created = "created customer_created";
    assert_eq!(delivered(&shop, Signature::Missing).await, created);
    assert_eq!(delivered(&shop, Signature::Wrong).await, created);
    assert_eq!(delivered(&shop, Signature::Sha1).await, created);
    assert_eq!(
        delivered(&shop, Signature::Wrong).await,
        "dead bad_signature"
    );
    assert_eq!(
        delivered(&shop, Signature::Missing).await,
        "dead bad_signature"
    );
    assert_eq!(delivered(&shop, Signature::Sha256BareHex).await, created);
    assert!(valid_signature_seen(&shop).await);
}

#[tokio::test(start_paused = true)]
async fn a_person_can_accept_a_delivery_whose_signature_was_refused() {
    let shop = shop("enforce").await;
    shop.kiotviet
        .update_settings(|s| s.signature = Signature::Wrong);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let (status, event) = shop.app.retry(1).await;
    assert_eq!((status, &event["state"]), (200, &"dismissed".into()));
    assert_eq!(shop.getfly.accounts().len(), 1);
    let outcomes = shop.outcomes().await;
    assert_eq!(
        outcomes,
        ["dismissed bad_signature", "created customer_created"]
    );
}

#[tokio::test(start_paused = true)]
async fn auto_learns_each_webhook_type_by_itself() {
    let shop = shop("auto").await;
    // KiotViet signs customers, and not invoices: sales go on coming.
    let created = "created customer_created";
    assert_eq!(delivered(&shop, Signature::Sha1).await, created);
    shop.kiotviet
        .update_settings(|s| s.signature = Signature::Missing);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(
        shop.outcomes().await.last().expect("an event"),
        "created order_created"
    );
    assert_eq!(
        delivered(&shop, Signature::Missing).await,
        "dead bad_signature"
    );
    // From the first signed sale on, sales too.
    shop.kiotviet
        .update_settings(|s| s.signature = Signature::Sha1);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.kiotviet
        .update_settings(|s| s.signature = Signature::Wrong);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(
        shop.outcomes().await.last().expect("an event"),
        "dead bad_signature"
    );
    assert_eq!(shop.getfly.orders().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_version_learnt_counts_for_every_type() {
    let shop = shop("auto").await;
    let key = "kvgf/connection/shop/signed";
    shop.app
        .backend()
        .set(key, b"1".to_vec())
        .await
        .expect("it is put");
    assert_eq!(
        delivered(&shop, Signature::Missing).await,
        "dead bad_signature"
    );
}
