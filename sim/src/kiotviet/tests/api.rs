use super::*;
use serde_json::json;

#[tokio::test]
async fn a_token_lives_a_day_and_tells_its_scope() {
    let world = world();
    let token = world.token().await;
    let get = || request("GET", "/branches", "");
    assert_eq!(world.with(&token, get()).await.status(), 200);
    world.clock.advance(Duration::from_secs(86_399));
    assert_eq!(world.with(&token, get()).await.status(), 200);
    world.clock.advance(Duration::from_secs(1));
    let refused = world.with(&token, get()).await;
    assert_eq!(refused.status(), 401);
    let code = &body_of(&refused)["responseStatus"]["errorCode"];
    assert_eq!(code, "TokenException");
}

#[tokio::test]
async fn scope_may_be_singular_plural_or_absent_and_a_wrong_secret_is_refused() {
    let world = world();
    for scope in ["scopes=PublicApi.Access&", "scope=PublicApi.Access&", ""] {
        let form = format!(
            "{scope}grant_type=client_credentials&client_id={}&client_secret={}",
            Settings::default().client_id,
            Settings::default().client_secret
        );
        let (status, body) = world.form(form.leak()).await;
        assert_eq!(status, 200);
        assert_eq!(body["scope"], "PublicApi.Access");
        assert_eq!(body["expires_in"], 86_400);
    }
    let wrong = "grant_type=client_credentials&client_id=x&client_secret=y";
    let refused = (400, json!({"error": "invalid_client"}));
    assert_eq!(world.form(wrong).await, refused);
}

#[tokio::test]
async fn a_revoked_token_and_a_missing_retailer_are_refused() {
    let world = world();
    let token = world.token().await;
    let mut bare = request("GET", "/branches", "");
    let bearer = format!("Bearer {token}").parse().expect("header");
    bare.headers_mut().insert("authorization", bearer);
    let refused = world.shop.handle(bare).await.expect("answered");
    assert_eq!(refused.status(), 401);
    world.shop.revoke_tokens();
    let refused = world.with(&token, request("GET", "/branches", "")).await;
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn a_customer_is_shown_without_nulls_and_in_vietnam_time() {
    let world = world();
    let id = world.shop.create_customer(NewCustomer {
        birth_date: Some(jiff::civil::date(1995, 5, 20)),
        ..named("Khách Thử")
    });
    let shown = world.get(&format!("/customers/{id}")).await;
    assert_eq!(shown["createdDate"], "2026-10-05T09:00:00.1230000");
    assert_eq!(shown["birthDate"], "1995-05-20T00:00:00.0000000");
    assert_eq!(shown["contactNumber"], "0900 000 001 - 0900000002");
    assert!(shown.get("email").is_none() && shown.get("gender").is_none());
    assert_eq!(world.get("/customers/code/KH000001").await, shown);
    let (status, _) = world.call("GET", "/customers/1", "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn lists_are_cut_to_twenty_by_default_and_a_hundred_at_most() {
    let world = world();
    for n in 0..130 {
        world.shop.create_customer(named(&format!("Khách {n}")));
    }
    let sizes = [("", 20), ("?pageSize=50", 50), ("?pageSize=500", 100)];
    for (query, size) in sizes {
        let list = world.get(&format!("/customers{query}")).await;
        assert_eq!(list["data"].as_array().map(Vec::len), Some(size), "{query}");
        assert_eq!(list["total"], 130);
        assert_eq!(list["timestamp"], "2026-10-05T09:00:00.1230000+07:00");
    }
    let last = world.get("/customers?pageSize=100&currentItem=100").await;
    assert_eq!(last["data"].as_array().map(Vec::len), Some(30));
    let newest = "/customers?orderBy=id&orderDirection=Desc&pageSize=1";
    assert_eq!(world.get(newest).await["data"][0]["name"], "Khách 129");
}

#[tokio::test]
async fn last_modified_from_takes_utc_and_wall_time_and_shows_removed_ids() {
    let world = world();
    let old = world.shop.create_customer(named("Cũ"));
    let gone = world.shop.create_customer(named("Xóa"));
    world.clock.advance(Duration::from_secs(60));
    world.shop.create_customer(named("Mới"));
    world.shop.delete_customer(gone);
    for from in ["2026-10-05T02:01:00Z", "2026-10-05T09:01:00"] {
        let path = format!("/customers?lastModifiedFrom={from}&includeRemoveIds=true");
        let list = world.get(&path).await;
        assert_eq!(list["total"], 1, "{from}");
        assert_eq!(list["data"][0]["name"], "Mới");
        assert_eq!(list["removeId"], json!([gone]));
    }
    world.shop.edit_customer(old, |c| c.name = "Sửa".to_owned());
    let list = world
        .get("/customers?lastModifiedFrom=2026-10-05T09:01:00")
        .await;
    assert_eq!(list["total"], 2);
    assert!(list.get("removeId").is_none());
    let (status, body) = world
        .call("GET", "/customers?lastModifiedFrom=yesterday", "")
        .await;
    assert_eq!(status, 420);
    assert!(body["responseStatus"]["message"].is_string());
}

#[tokio::test]
async fn an_invoice_has_per_unit_discounts_and_an_authoritative_sub_total() {
    let world = world();
    let customer = world.shop.create_customer(named("Khách"));
    let id = world.shop.create_invoice(NewInvoice {
        discount: Some(dong(100_000)),
        surcharges: vec![Surcharge {
            name: "Phí ship".to_owned(),
            price: dong(30_000),
        }],
        ..sale(Some(customer))
    });
    let shown = world.get(&format!("/invoices/{id}")).await;
    assert_eq!(shown["code"], "HD000001");
    assert_eq!(shown["total"], 5_030_000);
    assert_eq!(shown["customerName"], "Khách");
    assert_eq!(shown["soldByName"], "Nhân Viên Một");
    assert_eq!(shown["invoiceOrderSurcharges"][0]["price"], 30_000);
    let line = &shown["invoiceDetails"][0];
    assert_eq!(line["price"].to_string(), "2737000.0");
    assert_eq!(line["discount"].to_string(), "187000.0");
    assert_eq!(line["subTotal"].to_string(), "5100000.0");
    assert_eq!(world.get("/invoices/code/HD000001").await, shown);
    let list = world.get("/invoices?status=1,3&includePayment=true").await;
    assert_eq!(list["data"][0]["payments"][0]["amount"], 5_030_000);
    assert_eq!(world.get("/invoices?status=2").await["total"], 0);
    assert!(list["data"][0].get("invoiceDelivery").is_none());
}

#[tokio::test]
async fn a_walk_in_invoice_names_no_customer() {
    let world = world();
    let id = world.shop.create_invoice(sale(None));
    let shown = world.get(&format!("/invoices/{id}")).await;
    assert!(shown.get("customerId").is_none() && shown.get("customerName").is_none());
}

#[tokio::test]
async fn an_edited_invoice_is_cancelled_and_comes_back_with_a_suffix() {
    let world = world();
    let first = world.shop.create_invoice(sale(None));
    let second = world.shop.edit_invoice(first, |_| ()).expect("edited");
    let third = world.shop.edit_invoice(second, |_| ()).expect("edited");
    assert_eq!(world.shop.edit_invoice(first, |_| ()), None);
    let shown = |id| world.shop.invoice(id).map(|i| (i.code, i.status));
    assert_eq!(shown(first), Some(("HD000001".to_owned(), 2)));
    assert_eq!(shown(second), Some(("HD000001.01".to_owned(), 2)));
    assert_eq!(shown(third), Some(("HD000001.02".to_owned(), 1)));
}

#[tokio::test]
async fn admins_are_not_listed() {
    let world = world();
    let users = world.get("/users").await;
    assert_eq!(users["total"], 1);
    assert_eq!(users["data"][0]["mobilePhone"], "0900000501");
    assert_eq!(world.get("/branches").await["data"][0]["id"], 1001);
}

#[tokio::test]
async fn a_webhook_needs_its_wrapper_and_never_shows_its_secret() {
    let world = world();
    let bare = r#"{"Type":"customer.update","Url":"https://app.example/h"}"#;
    assert_eq!(world.call("POST", "/webhooks", bare).await.0, 420);
    let unknown = r#"{"Webhook":{"Type":"customer.created","Url":"https://app.example/h"}}"#;
    assert_eq!(world.call("POST", "/webhooks", unknown).await.0, 420);

    let good = r#"{"Webhook":{"Type":"customer.update","Url":"https://app.example/h",
        "IsActive":true,"Description":"d","Secret":"not shown"}}"#;
    let (status, made) = world.call("POST", "/webhooks", good).await;
    assert_eq!(status, 200);
    assert_eq!(made["isActive"], true);
    let list = world.get("/webhooks?pageSize=100").await;
    assert_eq!(list["total"], 1);
    assert!(!list.to_string().contains("not shown"));

    let path = format!("/webhooks/{}", made["id"]);
    assert_eq!(world.get(&path).await, made);
    assert_eq!(world.call("PUT", &path, good).await.0, 405);
    let (status, message) = world.call("DELETE", &path, "").await;
    assert_eq!(status, 200);
    assert_eq!(message["message"], "Hủy đăng ký webhook thành công");
    assert_eq!(world.call("DELETE", &path, "").await.0, 404);
}

#[tokio::test]
async fn too_many_gets_in_an_hour_are_refused_until_it_is_over() {
    let world = world();
    world.shop.update_settings(|s| s.gets_per_hour = 2);
    let token = world.token().await;
    let get = || request("GET", "/branches", "");
    for _ in 0..2 {
        assert_eq!(world.with(&token, get()).await.status(), 200);
    }
    world.clock.advance(Duration::from_secs(600));
    let refused = world.with(&token, get()).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "3000");
    world.clock.advance(Duration::from_secs(3000));
    assert_eq!(world.with(&token, get()).await.status(), 200);
}

#[tokio::test]
async fn several_shops_share_one_address() {
    let world = world();
    let other = Settings {
        retailer: "cuahanghai".to_owned(),
        client_id: "other".to_owned(),
        ..Settings::default()
    };
    let other = Arc::new(KiotVietSim::new(other, world.clock.clone()));
    let cloud = Clouds::new(world.shop.clone(), [other.clone()]);
    let form = "grant_type=client_credentials&client_id=other&client_secret=no";
    let _ = cloud.handle(request("POST", "/connect/token", form)).await;
    let mut get = request("GET", "/branches", "");
    let retailer = http::HeaderValue::from_static("cuahanghai");
    get.headers_mut().insert("retailer", retailer);
    let _ = cloud.handle(get).await;
    let _ = cloud.handle(request("GET", "/users", "")).await;
    assert_eq!(other.calls().len(), 2);
    assert_eq!(world.shop.calls().len(), 1);
}
