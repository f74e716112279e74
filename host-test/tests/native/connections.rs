//! Claims R1 and the connection routes: credentials are proved before they are stored; the two
//! webhooks switch on and off on their own, any number of times; no other system's webhook is
//! touched; our own that KiotViet switched off is repaired; new credentials and a rotated key keep
//! what works; a deleted connection leaves only its history. How: through the API, against
//! KiotViet's list of webhooks.

use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, ba, customer, hoa, sale},
    variables::{KIOTVIET, OTHER_MASTER_KEY, PUBLIC},
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

fn hooks(shop: &TestShop) -> Vec<(String, bool)> {
    let all = shop.kiotviet.webhooks().into_iter();
    all.map(|w| (w.kind, w.is_active)).collect()
}

#[tokio::test(start_paused = true)]
async fn credentials_are_proved_before_they_are_kept() {
    let shop = TestShop::unconnected();
    let good = shop.kiotviet.settings();
    for (retailer, id, secret) in [
        (&*good.retailer, &*good.client_id, "wrong"),
        (&*good.retailer, "wrong", &*good.client_secret),
        ("another", &*good.client_id, &*good.client_secret),
    ] {
        let body = json!({"retailer": retailer, "client_id": id, "client_secret": secret});
        let (status, problem) = shop.app.call("PUT", &path(), &body).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["type"], "kiotviet-refused-credentials");
        assert!(!problem.to_string().contains(secret));
        let (_, list) = shop.app.connections().await;
        assert_eq!(list["connections"], json!([]));
    }
    assert_eq!(shop.connect().await.0, 200);
    assert_eq!(hooks(&shop), [], "connecting registers nothing");
}

#[tokio::test(start_paused = true)]
async fn each_webhook_switches_on_its_own_and_again_changes_nothing() {
    let shop = TestShop::unconnected();
    shop.connect().await;
    let (_, first) = shop.switch("customer", true).await;
    assert_eq!(hooks(&shop), [("customer.update".to_owned(), true)]);
    shop.pass(60).await;
    let (_, again) = shop.switch("customer", true).await;
    assert_eq!(first["on_since"], again["on_since"]);
    assert_eq!(hooks(&shop).len(), 1);
    shop.switch("order", true).await;
    assert_eq!(hooks(&shop).len(), 2);
    for _ in 0..2 {
        assert_eq!(shop.switch("customer", false).await.0, 200);
        assert_eq!(hooks(&shop), [("invoice.update".to_owned(), true)]);
    }
    let (_, list) = shop.app.connections().await;
    let webhooks = &list["connections"][0]["webhooks"];
    assert_eq!(webhooks["customer"]["on"], false);
    assert_eq!(
        webhooks["order"]["kiotviet"],
        json!({"registered": true, "active": true})
    );
}

#[tokio::test(start_paused = true)]
async fn another_tools_webhook_is_never_touched() {
    let shop = TestShop::connected(On::Neither).await;
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
        shop.kiotviet.add_webhook(kind, url, None);
    }
    let before = shop.kiotviet.webhooks();
    for on in [true, true, false, true] {
        for webhook in ["customer", "order"] {
            assert_eq!(shop.switch(webhook, on).await.0, 200);
        }
    }
    assert_eq!(hooks(&shop).len(), before.len() + 2);
    assert_eq!(shop.app.disconnect(CONNECTION).await.0, 200);
    assert_eq!(shop.kiotviet.webhooks(), before);
}

#[tokio::test(start_paused = true)]
async fn our_own_webhook_that_kiotviet_switched_off_is_repaired() {
    let shop = TestShop::connected(On::Both).await;
    let on_since = shop.app.connections().await.1;
    let on_since = &on_since["connections"][0]["webhooks"]["customer"]["on_since"];
    shop.kiotviet.switch_off_webhooks();
    let (_, list) = shop.app.connections().await;
    let webhooks = &list["connections"][0]["webhooks"];
    assert_eq!(
        webhooks["order"]["kiotviet"],
        json!({"registered": true, "active": false})
    );
    let (_, repaired) = shop.switch("customer", true).await;
    assert_eq!(repaired["on_since"], *on_since);
    shop.switch("order", true).await;
    let mut now = hooks(&shop);
    now.sort();
    assert_eq!(
        now,
        [
            ("customer.update".to_owned(), true),
            ("invoice.update".to_owned(), true)
        ]
    );
    shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
}

/// The address of the app changed: the webhooks move with it.
#[tokio::test(start_paused = true)]
async fn a_webhook_at_a_former_address_is_registered_anew() {
    let shop = TestShop::connected(On::Customers).await;
    shop.app.set_variable("public_url", "https://moved.test");
    shop.switch("customer", true).await;
    let urls: Vec<String> = shop
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
    let shop = TestShop::connected(On::Neither).await;
    let fault = FaultRule::new(Fault::Status(500, None)).on(http::Method::POST, "/webhooks");
    shop.kiotviet_faults.add(fault.when(When::First(1)));
    let (status, problem) = shop.switch("customer", true).await;
    assert_eq!(
        (status, &problem["type"]),
        (502, &"kiotviet-unreachable".into())
    );
    let (_, list) = shop.app.connections().await;
    assert_eq!(list["connections"][0]["webhooks"]["customer"]["on"], false);

    // Only the reply was lost: the next attempt finds the registration.
    let lost = FaultRule::new(Fault::StoredButReplyLost).on(http::Method::POST, "/webhooks");
    shop.kiotviet_faults.add(lost.when(When::First(1)));
    assert_eq!(shop.switch("customer", true).await.0, 502);
    assert_eq!(shop.switch("customer", true).await.0, 200);
    assert_eq!(hooks(&shop).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_security_code_keeps_the_webhooks_working() {
    let shop = TestShop::connected(On::Both).await;
    let before = shop.kiotviet.webhooks();
    shop.kiotviet
        .update_settings(|s| s.client_secret = "F".repeat(40));
    shop.kiotviet.revoke_tokens();
    // Until the answer comes, events wait.
    shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.outcomes().await, ["retrying -"]);

    let (status, answer) = shop.connect().await;
    assert_eq!(
        (status, &answer["webhooks_need_switching_on"]),
        (200, &false.into())
    );
    assert_eq!(shop.kiotviet.webhooks(), before);
    shop.kiotviet.create_customer(ba());
    assert_eq!(shop.deliver().await, [200]);
    shop.settle().await;
    assert_eq!(shop.audit().await, [""; 0]);
    assert_eq!(shop.getfly.accounts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_not_given_to_another_shop() {
    for on in [On::Both, On::Neither] {
        let shop = TestShop::connected(on).await;
        let body = json!({"retailer": "another", "client_id": "x", "client_secret": "y"});
        let (status, problem) = shop.app.call("PUT", &path(), &body).await;
        assert_eq!((status, &problem["type"]), (409, &"another-shop".into()));
    }
}

/// The former `master_key` is gone for a while: nothing is lost, and no delivery gets 404.
#[tokio::test(start_paused = true)]
async fn under_another_master_key_deliveries_are_kept_and_wait() {
    let shop = TestShop::connected(On::Both).await;
    let right = host_test::variables::MASTER_KEY;
    let other = right.replace("AAEC", "BBBB");
    shop.app.set_variable("master_key", &other);
    shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.outcomes().await, ["retrying -"]);
    let (status, problem) = shop.switch("customer", true).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &"secrets-cannot-be-opened".into())
    );
    assert_eq!(shop.app.connections().await.0, 200);

    shop.app.set_variable("master_key", right);
    shop.pass_last_retry().await;
    shop.drain().await;
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_connection_leaves_its_history_and_nothing_else() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let hook = shop.kiotviet.webhooks()[0].url.clone();
    // Events that still wait end with the connection.
    shop.getfly_faults.add(FaultRule::new(Fault::Hang));
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;

    let (status, answer) = shop.app.disconnect(CONNECTION).await;
    assert_eq!((status, &answer["warning"]), (200, &Value::Null));
    assert_eq!(shop.kiotviet.webhooks(), []);
    let left = shop.app.store.dump().into_keys();
    let left: Vec<String> = left
        .filter(|k| {
            k.contains("/connection/") || k.contains("/token/") || k.contains("/kiotviet-users/")
        })
        .collect();
    assert_eq!(left, [""; 0]);
    let request = http::Request::post(hook).body("{}".into()).unwrap();
    assert_eq!(shop.app.request(request).await.status, 404);
    shop.settle().await;
    let outcomes = shop.outcomes().await;
    assert_eq!(
        outcomes,
        ["created customer_created", "ignored customer_webhook_off"]
    );
    assert_eq!(shop.app.disconnect(CONNECTION).await.0, 404);

    // Connected again, it is listed once, with a fresh token.
    shop.connect().await;
    let (_, list) = shop.app.connections().await;
    assert_eq!(list["connections"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_key_was_revoked_at_kiotviet_can_still_be_deleted() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet
        .update_settings(|s| s.client_secret = "F".repeat(40));
    shop.kiotviet.revoke_tokens();
    let (status, answer) = shop.app.disconnect(CONNECTION).await;
    assert_eq!(status, 200);
    assert!(answer["warning"].as_str().unwrap().contains("unregistered"));

    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet_faults.add(FaultRule::new(Fault::DropBefore));
    let (status, problem) = shop.app.disconnect(CONNECTION).await;
    assert_eq!(
        (status, &problem["type"]),
        (502, &"kiotviet-unreachable".into())
    );
    assert!(!problem.to_string().contains(KIOTVIET));
    assert_eq!(
        shop.app.connections().await.1["connections"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_webhook_switched_on_while_the_worker_works_counts_for_its_next_event() {
    let shop = Rc::new(TestShop::connected(On::Customers).await);
    shop.getfly
        .update_settings(|s| s.latency = Duration::from_secs(3));
    let id = shop.kiotviet.create_customer(hoa());
    let (working, selling) = (shop.clone(), shop.clone());
    let local = LocalSet::new();
    local.spawn_local(async move { working.deliver().await });
    local.spawn_local(async move {
        selling.pass(1).await;
        assert_eq!(selling.switch("order", true).await.0, 200);
        selling.pass(1).await;
        selling.kiotviet.create_invoice(sale(Some(id)));
        assert_eq!(selling.deliver().await, [200]);
    });
    local.await;
    assert_eq!(
        shop.outcomes().await,
        ["created customer_created", "created order_created"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_knows_a_connection_sees_at_once_what_another_changed() {
    let shop = TestShop::connected(On::Customers).await;
    shop.app.set_variable("signature_policy", "enforce");
    shop.kiotviet
        .create_customer(customer("Khách", "0911001111"));
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    let known = shop.kiotviet.request(&delivery);
    assert_eq!(shop.app.request(known.clone()).await.status, 200);

    let other = shop.app.another(8);
    let (status, gone) = other.disconnect(CONNECTION).await;
    assert_eq!(status, 200, "{gone}");
    assert_eq!(shop.app.request(known.clone()).await.status, 404);

    let settings = shop.kiotviet.settings();
    assert_eq!(other.connect(CONNECTION, &settings).await.0, 200);
    let on = other.switch(CONNECTION, "customer", true).await;
    assert_eq!(on.0, 200);
    shop.pass(1).await;
    assert_eq!(shop.app.request(known).await.status, 404, "the old token");
    shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await, [200]);
    let last = shop.outcomes().await.pop().unwrap();
    assert_eq!(last, "created customer_created", "the new secret");

    shop.app.set_variable("master_key", OTHER_MASTER_KEY);
    shop.kiotviet
        .create_customer(customer("Khách", "0922002222"));
    assert_eq!(shop.deliver().await, [200]);
    let last = shop.events().await.pop().unwrap();
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
        let (shop, others) = TestShop::beside([branch()]);
        let branch = others[0].clone();
        let mut shops = [(CONNECTION, shop.kiotviet.clone()), ("hai", branch.clone())];
        if branch_first {
            shops.reverse();
        }
        for (name, kiotviet) in &shops {
            assert_eq!(shop.connect_as(name, kiotviet).await.0, 200);
            assert_eq!(shop.app.switch(name, "order", true).await.0, 200);
        }
        shop.pass(1).await;
        for (code, kiotviet) in [("hai-HD1", &shop.kiotviet), ("HD1", &branch)] {
            kiotviet.create_invoice(NewInvoice {
                code: Some(code.to_owned()),
                ..sale(None)
            });
            for delivery in kiotviet.take_deliveries() {
                let request = kiotviet.request(&delivery);
                assert_eq!(shop.app.request(request).await.status, 200);
            }
        }
        shop.settle().await;
        let orders = shop.getfly.orders();
        let codes: Vec<&str> = orders.iter().map(|o| o.order_code.as_str()).collect();
        assert_eq!(codes, ["cuahangthu-hai-HD1", "cuahangthu-hai.HD1"]);
    }
}
