//! Claims: under `enforce` a delivery with a missing or wrong signature is kept as a dead letter and
//! acts on nothing; under `observe` it is taken as the hint that it is, with a note; `auto` observes
//! until the connection's first valid signature and enforces from then on; a person may accept a
//! refused delivery. How: the simulated KiotViet signs in the form it is told to.

use host_test::scene::{On, Scene, customer, hoa};
use serde_json::Value;
use sim::kiotviet::Signature;

async fn delivered(scene: &Scene, signature: Signature) -> String {
    scene.kiotviet.update_settings(|s| s.signature = signature);
    let number = scene.kiotviet.customers().len();
    let new = customer("Khách", &format!("091234560{number}"));
    scene.kiotviet.create_customer(new);
    assert_eq!(scene.deliver().await, [200]);
    scene.outcomes().await.pop().unwrap()
}

async fn valid_signature_seen(scene: &Scene) -> bool {
    let (_, list) = scene.app.get("connections").await;
    list["connections"][0]["valid_signature_seen"] == true
}

async fn shop(policy: &str) -> Scene {
    let scene = Scene::connected(On::Both).await;
    scene.app.set_variable("signature_policy", policy);
    scene
}

#[tokio::test(start_paused = true)]
async fn enforce_acts_on_nothing_without_a_valid_signature() {
    let scene = shop("enforce").await;
    for signature in [Signature::Wrong, Signature::Missing] {
        assert_eq!(delivered(&scene, signature).await, "dead bad_signature");
    }
    assert!(scene.kiotviet_faults.calls().len() < 10);
    assert!(scene.getfly.calls().is_empty());
    assert!(!valid_signature_seen(&scene).await);
    let valid = delivered(&scene, Signature::default()).await;
    assert_eq!(valid, "created customer_created");
    assert!(valid_signature_seen(&scene).await);
}

#[tokio::test(start_paused = true)]
async fn observe_takes_every_delivery_with_a_note() {
    let scene = shop("observe").await;
    for (signature, note) in [
        (Signature::Wrong, Some("signature did not match")),
        (Signature::Missing, Some("signature missing")),
        (Signature::Sha256Base64, None),
        (Signature::Wrong, Some("signature did not match")),
    ] {
        let outcome = delivered(&scene, signature).await;
        assert_eq!(outcome, "created customer_created");
        let notes = scene.events().await.pop().unwrap()["notes"].to_string();
        match note {
            Some(note) => assert!(notes.contains(note), "{notes}"),
            None => assert!(!notes.contains("signature"), "{notes}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn auto_enforces_after_the_first_valid_signature_of_each_connection() {
    let scene = shop("auto").await;
    let created = "created customer_created";
    assert_eq!(delivered(&scene, Signature::Missing).await, created);
    assert_eq!(delivered(&scene, Signature::Wrong).await, created);
    assert_eq!(delivered(&scene, Signature::Sha1).await, created);
    assert_eq!(
        delivered(&scene, Signature::Wrong).await,
        "dead bad_signature"
    );
    assert_eq!(
        delivered(&scene, Signature::Missing).await,
        "dead bad_signature"
    );
    assert_eq!(delivered(&scene, Signature::Sha256BareHex).await, created);
    assert!(valid_signature_seen(&scene).await);
}

#[tokio::test(start_paused = true)]
async fn a_person_can_accept_a_delivery_whose_signature_was_refused() {
    let scene = shop("enforce").await;
    scene
        .kiotviet
        .update_settings(|s| s.signature = Signature::Wrong);
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    let (status, event) = scene.app.api("POST", "events/1/retry", &Value::Null).await;
    assert_eq!((status, &event["state"]), (200, &"dismissed".into()));
    assert_eq!(scene.getfly.accounts().len(), 1);
    let outcomes = scene.outcomes().await;
    assert_eq!(
        outcomes,
        ["dismissed bad_signature", "created customer_created"]
    );
}
