//! Claims R1 and the connection routes: credentials are proved before they are kept; the two
//! webhooks switch on and off on their own, any number of times; nobody else's webhook is touched;
//! our own that KiotViet switched off is repaired; new credentials and a rotated key keep what works;
//! a deleted connection leaves its history and nothing else. How: through the API, against KiotViet's
//! list of webhooks.

use host_test::{
    native::{KIOTVIET, OTHER_MASTER_KEY, PUBLIC},
    scene::{CONNECTION, On, Scene, customer, hoa, sale},
};
use serde_json::{Value, json};
use sim::{
    Fault, FaultRule, When,
    kiotviet::{NewInvoice, Settings},
};
use std::{rc::Rc, time::Duration};
use tokio::task::LocalSet;

fn path() -> String {
    format!("connections/{CONNECTION}")
}

fn hooks(scene: &Scene) -> Vec<(String, bool)> {
    let all = scene.kiotviet.webhooks().into_iter();
    all.map(|w| (w.kind, w.is_active)).collect()
}

#[tokio::test(start_paused = true)]
async fn credentials_are_proved_before_they_are_kept() {
    let scene = Scene::unconnected();
    let good = scene.kiotviet.settings();
    for (retailer, id, secret) in [
        (&*good.retailer, &*good.client_id, "wrong"),
        (&*good.retailer, "wrong", &*good.client_secret),
        ("another", &*good.client_id, &*good.client_secret),
    ] {
        let body = json!({"retailer": retailer, "client_id": id, "client_secret": secret});
        let (status, problem) = scene.app.api("PUT", &path(), &body).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["type"], "kiotviet-refused-credentials");
        assert!(!problem.to_string().contains(secret));
        let (_, list) = scene.app.get("connections").await;
        assert_eq!(list["connections"], json!([]));
    }
    assert_eq!(scene.connect().await.0, 200);
    assert_eq!(hooks(&scene), [], "connecting registers nothing");
}

#[tokio::test(start_paused = true)]
async fn each_webhook_switches_on_its_own_and_again_changes_nothing() {
    let scene = Scene::unconnected();
    scene.connect().await;
    let (_, first) = scene.switch("PUT", "customer").await;
    assert_eq!(hooks(&scene), [("customer.update".to_owned(), true)]);
    scene.pass(60).await;
    let (_, again) = scene.switch("PUT", "customer").await;
    assert_eq!(first["on_since"], again["on_since"]);
    assert_eq!(hooks(&scene).len(), 1);
    scene.switch("PUT", "order").await;
    assert_eq!(hooks(&scene).len(), 2);
    for _ in 0..2 {
        assert_eq!(scene.switch("DELETE", "customer").await.0, 200);
        assert_eq!(hooks(&scene), [("invoice.update".to_owned(), true)]);
    }
    let (_, list) = scene.app.get("connections").await;
    let webhooks = &list["connections"][0]["webhooks"];
    assert_eq!(webhooks["customer"]["on"], false);
    assert_eq!(
        webhooks["order"]["kiotviet"],
        json!({"registered": true, "active": true})
    );
}

#[tokio::test(start_paused = true)]
async fn another_tools_webhook_is_never_touched() {
    let scene = Scene::connected(On::Neither).await;
    let others = [
        (
            "customer.update",
            "https://crm.example.vn/kiotviet".to_owned(),
        ),
        (
            "invoice.update",
            format!("{PUBLIC}/hooks/{CONNECTION}/another-token"),
        ),
        ("customer.update", format!("{PUBLIC}/hooks/other/x")),
        ("stock.update", "https://crm.example.vn/kiotviet".to_owned()),
    ];
    for (kind, url) in &others {
        scene.kiotviet.add_webhook(kind, url, None);
    }
    let before = scene.kiotviet.webhooks();
    for method in ["PUT", "PUT", "DELETE", "PUT"] {
        for webhook in ["customer", "order"] {
            assert_eq!(scene.switch(method, webhook).await.0, 200);
        }
    }
    assert_eq!(hooks(&scene).len(), before.len() + 2);
    assert_eq!(scene.app.api("DELETE", &path(), &Value::Null).await.0, 200);
    assert_eq!(scene.kiotviet.webhooks(), before);
}

#[tokio::test(start_paused = true)]
async fn our_own_webhook_that_kiotviet_switched_off_is_repaired() {
    let scene = Scene::connected(On::Both).await;
    let on_since = scene.app.get("connections").await.1;
    let on_since = &on_since["connections"][0]["webhooks"]["customer"]["on_since"];
    for hook in scene.kiotviet.webhooks() {
        scene.kiotviet.set_webhook_active(hook.id, false);
    }
    let (_, list) = scene.app.get("connections").await;
    let webhooks = &list["connections"][0]["webhooks"];
    assert_eq!(
        webhooks["order"]["kiotviet"],
        json!({"registered": true, "active": false})
    );
    let (_, repaired) = scene.switch("PUT", "customer").await;
    assert_eq!(repaired["on_since"], *on_since);
    scene.switch("PUT", "order").await;
    let mut now = hooks(&scene);
    now.sort();
    assert_eq!(
        now,
        [
            ("customer.update".to_owned(), true),
            ("invoice.update".to_owned(), true)
        ]
    );
    scene.kiotviet.create_customer(hoa());
    assert_eq!(scene.deliver().await, [200]);
    assert_eq!(scene.outcomes().await, ["created customer_created"]);
}

/// The address of the app changed: the webhooks move along.
#[tokio::test(start_paused = true)]
async fn a_webhook_at_a_former_address_is_registered_anew() {
    let scene = Scene::connected(On::Customers).await;
    scene.app.set_variable("public_url", "https://moved.test");
    scene.switch("PUT", "customer").await;
    let urls: Vec<String> = scene
        .kiotviet
        .webhooks()
        .into_iter()
        .map(|w| w.url)
        .collect();
    assert_eq!(urls.len(), 1);
    assert!(urls[0].starts_with("https://moved.test/hooks/"), "{urls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_fails_leaves_the_switch_as_it_was() {
    let scene = Scene::connected(On::Neither).await;
    let fault = FaultRule::new(Fault::Status(500, None)).on(http::Method::POST, "/webhooks");
    scene.kiotviet_faults.add(fault.when(When::First(1)));
    let (status, problem) = scene.switch("PUT", "customer").await;
    assert_eq!(
        (status, &problem["type"]),
        (502, &"kiotviet-unreachable".into())
    );
    let (_, list) = scene.app.get("connections").await;
    assert_eq!(list["connections"][0]["webhooks"]["customer"]["on"], false);

    // The reply alone was lost: the next try finds the registration.
    let lost = FaultRule::new(Fault::StoredButReplyLost).on(http::Method::POST, "/webhooks");
    scene.kiotviet_faults.add(lost.when(When::First(1)));
    assert_eq!(scene.switch("PUT", "customer").await.0, 502);
    assert_eq!(scene.switch("PUT", "customer").await.0, 200);
    assert_eq!(hooks(&scene).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_security_code_keeps_the_webhooks_working() {
    let scene = Scene::connected(On::Both).await;
    let before = scene.kiotviet.webhooks();
    scene
        .kiotviet
        .update_settings(|s| s.client_secret = "F".repeat(40));
    scene.kiotviet.revoke_tokens();
    // Until it is told, events wait.
    scene.kiotviet.create_customer(hoa());
    assert_eq!(scene.deliver().await, [200]);
    assert_eq!(scene.outcomes().await, ["retrying -"]);

    let (status, answer) = scene.connect().await;
    assert_eq!(
        (status, &answer["webhooks_need_switching_on"]),
        (200, &false.into())
    );
    assert_eq!(scene.kiotviet.webhooks(), before);
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    assert_eq!(scene.deliver().await, [200]);
    scene.settle().await;
    assert_eq!(scene.audit().await, [""; 0]);
    assert_eq!(scene.getfly.accounts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_not_given_to_another_shop() {
    for on in [On::Both, On::Neither] {
        let scene = Scene::connected(on).await;
        let body = json!({"retailer": "another", "client_id": "x", "client_secret": "y"});
        let (status, problem) = scene.app.api("PUT", &path(), &body).await;
        assert_eq!((status, &problem["type"]), (409, &"another-shop".into()));
    }
}

/// The former `master_key` is gone for a while: nothing is lost, and nobody is told 404.
#[tokio::test(start_paused = true)]
async fn under_another_master_key_deliveries_are_kept_and_wait() {
    let scene = Scene::connected(On::Both).await;
    let right = host_test::native::MASTER_KEY;
    let other = right.replace("AAEC", "BBBB");
    scene.app.set_variable("master_key", &other);
    scene.kiotviet.create_customer(hoa());
    assert_eq!(scene.deliver().await, [200]);
    assert_eq!(scene.outcomes().await, ["retrying -"]);
    let (status, problem) = scene.switch("PUT", "customer").await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &"secrets-cannot-be-opened".into())
    );
    assert_eq!(scene.app.get("connections").await.0, 200);

    scene.app.set_variable("master_key", right);
    scene.pass_last_retry().await;
    scene.drain().await;
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_connection_leaves_its_history_and_nothing_else() {
    let scene = Scene::connected(On::Both).await;
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    let hook = scene.kiotviet.webhooks()[0].url.clone();
    // What still waits ends with the connection.
    scene.getfly_faults.add(FaultRule::new(Fault::Hang));
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;

    let (status, answer) = scene.app.api("DELETE", &path(), &Value::Null).await;
    assert_eq!((status, &answer["warning"]), (200, &Value::Null));
    assert_eq!(scene.kiotviet.webhooks(), []);
    let left = scene.app.store.dump().into_keys();
    let left: Vec<String> = left
        .filter(|k| {
            k.contains("/connection/") || k.contains("/token/") || k.contains("/kiotviet-users/")
        })
        .collect();
    assert_eq!(left, [""; 0]);
    let request = http::Request::post(hook).body("{}".into()).unwrap();
    assert_eq!(scene.app.request(request).await.status, 404);
    scene.settle().await;
    let outcomes = scene.outcomes().await;
    assert_eq!(
        outcomes,
        ["created customer_created", "ignored customer_webhook_off"]
    );
    assert_eq!(scene.app.api("DELETE", &path(), &Value::Null).await.0, 404);

    // Connected anew it is listed once, with a fresh token.
    scene.connect().await;
    let (_, list) = scene.app.get("connections").await;
    assert_eq!(list["connections"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_key_was_revoked_at_kiotviet_can_still_be_deleted() {
    let scene = Scene::connected(On::Both).await;
    scene
        .kiotviet
        .update_settings(|s| s.client_secret = "F".repeat(40));
    scene.kiotviet.revoke_tokens();
    let (status, answer) = scene.app.api("DELETE", &path(), &Value::Null).await;
    assert_eq!(status, 200);
    assert!(answer["warning"].as_str().unwrap().contains("unregistered"));

    let scene = Scene::connected(On::Both).await;
    scene.kiotviet_faults.add(FaultRule::new(Fault::DropBefore));
    let (status, problem) = scene.app.api("DELETE", &path(), &Value::Null).await;
    assert_eq!(
        (status, &problem["type"]),
        (502, &"kiotviet-unreachable".into())
    );
    assert!(!problem.to_string().contains(KIOTVIET));
    assert_eq!(
        scene.app.get("connections").await.1["connections"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_webhook_switched_on_while_the_worker_works_counts_for_its_next_event() {
    let scene = Rc::new(Scene::connected(On::Customers).await);
    scene
        .getfly
        .update_settings(|s| s.latency = Duration::from_secs(3));
    let id = scene.kiotviet.create_customer(hoa());
    let (working, selling) = (scene.clone(), scene.clone());
    let local = LocalSet::new();
    local.spawn_local(async move { working.deliver().await });
    local.spawn_local(async move {
        selling.pass(1).await;
        assert_eq!(selling.switch("PUT", "order").await.0, 200);
        selling.pass(1).await;
        selling.kiotviet.create_invoice(sale(Some(id)));
        assert_eq!(selling.deliver().await, [200]);
    });
    local.await;
    assert_eq!(
        scene.outcomes().await,
        ["created customer_created", "created order_created"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_knows_a_connection_sees_at_once_what_another_changed() {
    let scene = Scene::connected(On::Customers).await;
    scene.app.set_variable("signature_policy", "enforce");
    scene
        .kiotviet
        .create_customer(customer("Khách", "0911001111"));
    let delivery = scene.kiotviet.take_deliveries().remove(0);
    let known = scene.kiotviet.request(&delivery);
    assert_eq!(scene.app.request(known.clone()).await.status, 200);

    let other = scene.app.another(8);
    let (status, gone) = other.api("DELETE", &path(), &Value::Null).await;
    assert_eq!(status, 200, "{gone}");
    assert_eq!(scene.app.request(known.clone()).await.status, 404);

    let good = scene.kiotviet.settings();
    let body = json!({
        "retailer": good.retailer,
        "client_id": good.client_id,
        "client_secret": good.client_secret,
    });
    assert_eq!(other.api("PUT", &path(), &body).await.0, 200);
    let webhook = format!("{}/webhooks/customer", path());
    assert_eq!(other.api("PUT", &webhook, &Value::Null).await.0, 200);
    scene.pass(1).await;
    assert_eq!(scene.app.request(known).await.status, 404, "the old token");
    scene.kiotviet.create_customer(hoa());
    assert_eq!(scene.deliver().await, [200]);
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!(last, "created customer_created", "the new secret");

    scene.app.set_variable("master_key", OTHER_MASTER_KEY);
    scene
        .kiotviet
        .create_customer(customer("Khách", "0922002222"));
    assert_eq!(scene.deliver().await, [200]);
    let last = scene.events().await.pop().unwrap();
    let notes = last["notes"].to_string();
    assert!(notes.contains("cannot be opened"), "the new key: {notes}");
}

/// A shop whose name begins like the other one's codes.
fn branch() -> Settings {
    Settings {
        retailer: "cuahangthu-hai".to_owned(),
        retailer_id: 500_654_321,
        client_id: "22222222-3333-4444-8555-666666666666".to_owned(),
        client_secret: "89ABCDEF0123456789ABCDEF0123456789ABCDEF".to_owned(),
        ..Settings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_codes_of_two_shops_never_meet_whichever_is_connected_first() {
    for branch_first in [true, false] {
        let (scene, others) = Scene::beside([branch()]);
        let branch = others[0].clone();
        let mut shops = [
            (CONNECTION, scene.kiotviet.clone()),
            ("hai", branch.clone()),
        ];
        if branch_first {
            shops.reverse();
        }
        for (name, shop) in &shops {
            assert_eq!(scene.connect_as(name, shop).await.0, 200);
            let path = format!("connections/{name}/webhooks/order");
            assert_eq!(scene.app.api("PUT", &path, &Value::Null).await.0, 200);
        }
        scene.pass(1).await;
        for (code, shop) in [("hai-HD1", &scene.kiotviet), ("HD1", &branch)] {
            shop.create_invoice(NewInvoice {
                code: Some(code.to_owned()),
                ..sale(None)
            });
            for delivery in shop.take_deliveries() {
                assert_eq!(scene.app.request(shop.request(&delivery)).await.status, 200);
            }
        }
        scene.settle().await;
        let orders = scene.getfly.orders();
        let codes: Vec<&str> = orders.iter().map(|o| o.order_code.as_str()).collect();
        assert_eq!(codes, ["cuahangthu-hai-HD1", "cuahangthu-hai.HD1"]);
    }
}
