use super::*;
use rust_decimal::Decimal;

fn order(code: &str) -> Value {
    json!({
        "order_code": code,
        "order_date": "2026-10-05",
        "account": {"account_name": "Khách lẻ"},
        "saved_order_details": [
            {"product_code": "SP1", "product_name": "Một", "quantity": 2,
             "price": 2_737_000, "cash_discount": 374_000},
            {"product_code": "SP2", "product_name": "Hai", "quantity": "0.335",
             "price": "120000.5", "cash_discount": 0},
        ],
        "discount_amount": 100_000,
        "vat_amount": "8000.25",
        "transport_amount": 30_000,
        "installation_amount": 5_000,
        "order_terms": [{"term_content": "Chênh lệch 1 đồng"}],
    })
}

#[tokio::test]
async fn an_order_keeps_its_decimals_and_computes_its_total() {
    let world = world();
    let (status, made) = world.post("sale_order", order("DH1")).await;
    assert_eq!(status, 200);
    assert_eq!(made["data"], json!({"order_id": 1, "order_code": "DH1"}));
    let stored = &world.crm.orders()[0];
    let expected: Decimal = "5083200.4175".parse().expect("decimal");
    assert_eq!(stored.total(), expected);
    assert_eq!(stored.terms, ["Chênh lệch 1 đồng"]);
    let path = "sale_order?order_code=DH1&fields=id,order_code,real_amount";
    let (_, shown) = world.get(path).await;
    assert_eq!(shown["real_amount"].to_string(), "5083200.4175");
    assert_eq!(world.get("sale_order?order_code=none").await.0, 404);
}

#[tokio::test]
async fn percentages_count_only_where_no_money_is_given() {
    let world = world();
    let mut body = order("DH1");
    body["saved_order_details"] =
        json!([{"product_code": "SP1", "quantity": 1, "price": 65_000, "product_sale_off": 1}]);
    body["discount"] = json!(50);
    world.post("sale_order", body).await;
    let stored = &world.crm.orders()[0];
    assert_eq!(stored.lines[0].amount(), Decimal::from(64_350));
    assert_eq!(stored.discount_amount, Decimal::from(100_000));
}

#[tokio::test]
async fn a_repeated_code_is_a_second_order_unless_refused() {
    let world = world();
    for _ in 0..2 {
        assert_eq!(world.post("sale_order", order("DH1")).await.0, 200);
    }
    assert_eq!(world.crm.orders().len(), 2);
    world
        .crm
        .update_settings(|s| s.refuse_repeated_order_code = true);
    let (status, refused) = world.post("sale_order", order("DH1")).await;
    assert_eq!(status, 400);
    assert!(
        refused["errors"]["order_code"]
            .to_string()
            .contains("tồn tại")
    );
    assert_eq!(world.crm.orders().len(), 2);
}

#[tokio::test]
async fn unknown_names_are_taken_unless_refused() {
    let world = world();
    let mut body = order("DH1");
    body["assigned_username"] = json!("nobody");
    body["account"]["account_code"] = json!("NONE");
    assert_eq!(world.post("sale_order", body.clone()).await.0, 200);
    world
        .crm
        .update_settings(|s| s.refuse_unknown_executor = true);
    let (_, refused) = world.post("sale_order", body.clone()).await;
    assert!(refused["errors"]["assigned_username"].is_array());
    body["assigned_username"] = json!("admin");
    world
        .crm
        .update_settings(|s| s.refuse_unknown_account = true);
    let (_, refused) = world.post("sale_order", body.clone()).await;
    assert!(refused["errors"]["account_code"].is_array());
    body["account"]["account_code"] = json!("");
    world
        .crm
        .update_settings(|s| s.products = Some(vec!["SP1".to_owned()]));
    let (_, refused) = world.post("sale_order", body).await;
    assert!(refused["errors"]["product_code"].is_array());
}

#[tokio::test]
async fn an_order_creates_an_account_only_when_switched() {
    let world = world();
    world.post("sale_order", order("DH1")).await;
    assert_eq!(world.crm.accounts(), []);
    world
        .crm
        .update_settings(|s| s.order_creates_account = true);
    world.post("sale_order", order("DH2")).await;
    assert_eq!(world.crm.accounts()[0].account_name, "Khách lẻ");
    assert_eq!(world.crm.orders()[1].account_code, "KH10001");
}

#[tokio::test]
async fn orders_are_listed_but_not_by_code() {
    let world = world();
    world.post("sale_order", order("DH1")).await;
    let (_, list) = world.get("sale_orders?fields=order_code&limit=1").await;
    assert_eq!(list["data"], json!([{"order_code": "DH1"}]));
    let path = "sale_orders?fields=id&filtering[order_code]=DH1";
    assert_eq!(world.get(path).await.0, 400);
}

#[tokio::test]
async fn an_opportunity_needs_its_documented_fields() {
    let world = world();
    let mut body = json!({
        "campaign_code": "CD0008",
        "account_name": "Khách",
        "account_phone": "0900000001",
        "contact_name": "Khách",
        "contact_phone": "0900000001",
    });
    let (status, refused) = world.post("opportunity", body.clone()).await;
    assert_eq!(status, 400);
    assert!(refused["errors"]["recipient_username"].is_array());
    body["recipient_username"] = json!("admin");
    assert_eq!(world.post("opportunity", body).await.0, 200);
    assert_eq!(world.crm.opportunities()[0].campaign_code, "CD0008");
}

#[tokio::test]
async fn changing_a_record_is_not_accepted() {
    let world = world();
    let put = world
        .send("PUT", "account", &json!({"account_name": "x"}))
        .await;
    assert_eq!(put.status(), 403);
}

#[tokio::test]
async fn orders_without_an_account_are_taken_attached_or_refused_as_switched() {
    let world = world();
    world.seed("KH-1", "0912345678", "");
    let set = |change: fn(&mut GetflySettings)| world.crm.update_settings(change);
    set(|s| s.order_takes_an_account = true);
    world.post("sale_order", order("DH1")).await;
    assert_eq!(world.crm.orders()[0].account_code, "KH-1");
    let id = world.crm.accounts()[0].id;
    let counted = format!("account/count_orders_status?account_id={id}");
    assert_eq!(world.get(&counted).await.1["total_orders_pending"], 1);
    set(|s| s.counts_orders = false);
    assert_eq!(world.get(&counted).await.0, 404);
    set(|s| s.order_needs_account = true);
    let (status, refused) = world.post("sale_order", order("DH2")).await;
    assert_eq!(status, 400);
    assert!(refused["errors"]["account_code"].is_array());
}

#[tokio::test]
async fn codes_are_getflys_own_where_it_numbers_itself_and_refusals_may_come_in_a_200() {
    let world = world();
    let set = |change: fn(&mut GetflySettings)| world.crm.update_settings(change);
    set(|s| s.numbers_itself = true);
    let (_, made) = world
        .post(
            "account",
            json!({"account_name": "A", "account_code": "KV-1"}),
        )
        .await;
    assert_eq!(made["data"]["account_code"], "KH10001");
    let (_, made) = world.post("sale_order", order("DH-X")).await;
    assert_eq!(made["data"]["order_code"], "DH0001");
    set(|s| s.refusals = Refusals::In200);
    let (status, refused) = world.post("account", json!({})).await;
    assert_eq!((status, &refused["error"]), (200, &json!(true)));
    assert_eq!(world.crm.accounts().len(), 1);
}

#[tokio::test]
async fn a_merged_account_and_its_code_are_gone_and_its_orders_are_the_others() {
    let world = world();
    world.seed("KH-1", "0912345678", "");
    world.seed("KH-2", "", "");
    let mut body = order("DH1");
    body["account"]["account_code"] = json!("KH-1");
    world.post("sale_order", body).await;
    let id = world.crm.accounts()[0].id;
    assert!(world.crm.merge_account(id, "KH-2"));
    assert_eq!(world.get("account?account_code=KH-1").await.0, 404);
    assert_eq!(world.crm.orders()[0].account_code, "KH-2");
    assert_eq!(
        world
            .codes("filtering[phone_office:contains]=0912345678")
            .await,
        [""; 0]
    );
    // Its code is free again.
    let again = json!({"account_name": "A", "account_code": "KH-1"});
    assert_eq!(world.post("account", again).await.0, 200);
}

#[tokio::test]
async fn the_old_version_answers_nothing_but_its_own_lists() {
    let world = world();
    world.crm.update_settings(|s| s.old_version = true);
    assert_eq!(world.get("users?fields=user_id").await.0, 404);
    assert_eq!(world.post("sale_order", order("DH1")).await.0, 404);
}
