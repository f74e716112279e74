//! Claims for shops of KiotViet F&B (facts, 7b): they connect by a pasted address or with `edition`; credentials of
//! the other edition are told as such; both editions may be connected to one Getfly at once, also under one name, and
//! their codes and keys never meet. How: through the API, over the simulated F&B edition.

use host_test::{
    admin::{Admin, credentials},
    shop::{CONNECTION, On, TestShop, hoa},
    variables::{KIOTVIET_FNB, KIOTVIET_FNB_ID},
};
use serde_json::json;
use sim::kiotviet::{ScopeField, Settings};
use std::sync::Arc;

/// An unconnected F&B shop.
fn restaurant() -> TestShop {
    TestShop::of_settings(Settings::fnb(), []).0
}

#[tokio::test(start_paused = true)]
async fn r1_a_shop_is_connected_by_its_pasted_address_or_with_its_edition() {
    let settings = Settings::fnb();
    for (retailer, edition) in [
        ("https://fnb.kiotviet.vn/QuanThu#/login", None),
        ("fnb.kiotviet.vn/quanthu", Some("fnb")),
        ("quanthu", Some("fnb")),
    ] {
        let shop = restaurant();
        let mut body = credentials(&settings);
        body["retailer"] = retailer.into();
        body["edition"] = edition.into();
        let (status, answer) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(status, 200, "{retailer}: {answer}");
        assert_eq!(
            (&answer["retailer"], &answer["edition"]),
            (&"quanthu".into(), &"fnb".into())
        );
        let (_, list) = shop.app.connections().await;
        let one = &list["connections"][0];
        assert_eq!(
            (&one["retailer"], &one["edition"]),
            (&"quanthu".into(), &"fnb".into())
        );
        let asked = shop.app.take_calls();
        let urls: Vec<&str> = asked.iter().map(|call| call.url.as_str()).collect();
        assert_eq!(urls[0], format!("{KIOTVIET_FNB_ID}/identity/connect/token"));
        let of_fnb = |url: &&str| url.starts_with(KIOTVIET_FNB) || url.starts_with(KIOTVIET_FNB_ID);
        assert!(urls.iter().all(of_fnb), "{urls:?}");
        assert!(asked[0].body.contains("scope=PublicApi.Access.FNB"));
    }
}

#[tokio::test(start_paused = true)]
async fn r1_an_address_and_an_edition_that_contradict_each_other_are_refused() {
    let shop = restaurant();
    for (retailer, edition, words) in [
        ("https://fnb.kiotviet.vn/quanthu", "retail", "KiotViet F&B"),
        ("quanthu.kiotviet.vn", "fnb", "KiotViet bán lẻ"),
        ("quanthu", "spa", "retail or fnb"),
        (
            "https://fnb.kiotviet.vn/",
            "fnb",
            "not a KiotViet shop name",
        ),
    ] {
        let body = json!({"retailer": retailer, "edition": edition, "client_id": "x", "client_secret": "y"});
        let (status, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(status, 400, "{retailer}: {problem}");
        assert!(problem["detail"].to_string().contains(words), "{problem}");
    }
    assert!(shop.app.take_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn r1_credentials_of_the_other_edition_are_told_as_such() {
    let (shop, others) = TestShop::of_settings(Settings::default(), [Settings::fnb()]);
    let (retail, fnb) = (shop.kiotviet.settings(), others[0].settings());
    for (of, edition, kind) in [
        (&fnb, "retail", "kiotviet-of-fnb"),
        (&retail, "fnb", "kiotviet-of-retail"),
    ] {
        let mut body = credentials(of);
        body["edition"] = edition.into();
        let (status, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!((status, &problem["type"]), (422, &kind.into()), "{problem}");
        let (_, list) = shop.app.connections().await;
        assert_eq!(list["connections"], json!([]), "nothing is kept");
        body["client_secret"] = "wrong".into();
        let (_, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(problem["type"], "kiotviet-refused-credentials");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_given_whichever_field_carries_the_scope() {
    for field in [ScopeField::Either, ScopeField::Scope, ScopeField::Scopes] {
        let shop = restaurant();
        shop.kiotviet.update_settings(|s| s.fnb.scope_field = field);
        assert_eq!(shop.connect().await.0, 200, "{field:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_editions_under_one_name_share_nothing() {
    let lan = |settings| Settings {
        retailer: "lan".to_owned(),
        ..settings
    };
    let (shop, others) = TestShop::of_settings(lan(Settings::default()), [lan(Settings::fnb())]);
    let fnb = Arc::clone(&others[0]);
    shop.connect_with(On::Customers).await;
    assert_eq!(shop.connect_as("quan", &fnb).await.0, 200);
    let (status, answer) = shop.app.switch("quan", "customer", true).await;
    assert_eq!(status, 200, "{answer}");
    shop.pass(1).await;
    // The same number and the same code on both sides are two customers.
    let ids = [&shop.kiotviet, &fnb].map(|kiotviet| {
        kiotviet.create_customer(sim::kiotviet::NewCustomer {
            contact_number: None,
            email: None,
            ..hoa()
        })
    });
    assert_eq!(ids[0], ids[1]);
    shop.deliver().await;
    for delivery in fnb.take_deliveries() {
        let (answer, after) = shop.app.answer(fnb.request(&delivery)).await;
        fnb.settle(delivery, Some(answer.status));
        shop.app.after(after).await;
    }
    let codes: Vec<String> = shop
        .getfly
        .accounts()
        .into_iter()
        .map(|a| a.account_code)
        .collect();
    let id = ids[0];
    assert_eq!(codes, [format!("KV-lan-{id}"), format!("KV-fnb.lan-{id}")]);
    // Another edition is another shop, so a connection's name does not pass to it.
    let (status, problem) = shop.app.connect(CONNECTION, &fnb.settings()).await;
    assert_eq!((status, &problem["type"]), (409, &"another-shop".into()));
}
