use super::*;

#[tokio::test]
async fn a_created_account_is_stored_as_given_and_read_back_by_code() {
    let world = world();
    let (status, made) = world
        .post(
            "account",
            json!({
                "account_code": "KV-cuahangthu-20000001",
                "account_name": "Khách Thử",
                "phone_office": "0900 000 001 - 0900000002",
                "gender": 2,
                "account_source_names": ["KiotViet"],
                "account_manager_username": "admin",
            }),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(made["message"], "Thêm mới thành công");
    assert_eq!(made["data"]["account_code"], "KV-cuahangthu-20000001");
    let stored = &world.crm.accounts()[0];
    assert_eq!(stored.phone_office, "0900 000 001 - 0900000002");
    assert_eq!(stored.gender, Some(2));
    assert_eq!(stored.manager.as_deref(), Some("admin"));
    assert_eq!(stored.sources, ["KiotViet"]);
    let path = "account?account_code=KV-cuahangthu-20000001&fields=id,created_at";
    let (_, shown) = world.get(path).await;
    let expected = json!({"id": stored.id, "created_at": "2026-10-05 09:00:00"});
    assert_eq!(shown, expected);
    assert_eq!(world.get("account?account_code=none").await.0, 404);
}

#[tokio::test]
async fn answers_take_the_shape_that_is_switched() {
    let world = world();
    world.crm.update_settings(|s| {
        s.success_status = 201;
        s.ids_as_strings = true;
        s.created = Created::TopLevel;
    });
    let made = world
        .post("account", json!({"account_name": "Khách"}))
        .await;
    let expected = json!({
        "message": "Thêm mới thành công",
        "account_id": "10001",
        "account_code": "KH10001",
    });
    assert_eq!(made, (201, expected));
}

#[tokio::test]
async fn a_code_is_taken_for_good_even_by_a_deleted_account() {
    let world = world();
    world.seed("A", "", "");
    let create = || world.post("account", json!({"account_name": "x", "account_code": "A"}));
    let (status, body) = create().await;
    assert_eq!(status, 400);
    let text = body["errors"]["account_code"].to_string();
    assert!(text.contains("tồn tại"), "{text}");
    world.crm.delete_account(10_001);
    assert_eq!(world.get("account?account_code=A").await.0, 404);
    assert_eq!(create().await.0, 400);
    let restored = world
        .post("account/restore", json!({"account_code": "A"}))
        .await;
    assert_eq!(restored.0, 200);
    assert_eq!(world.get("account?account_code=A").await.0, 200);
}

#[tokio::test]
async fn duplicates_are_taken_unless_the_tenant_forbids_them() {
    let world = world();
    world.seed("A", "0900000001", "an@example.com");
    let body = json!({
        "account_name": "x", "phone_office": "0900000001", "email": "AN@example.com",
    });
    assert_eq!(world.post("account", body.clone()).await.0, 200);
    world
        .crm
        .update_settings(|s| s.refuse_duplicate_email = true);
    let (status, refused) = world.post("account", body.clone()).await;
    assert_eq!(status, 400);
    let text = refused["errors"]["email"].to_string();
    assert!(text.contains("không cho phép trùng"), "{text}");
    world
        .crm
        .update_settings(|s| s.refuse_duplicate_phone = true);
    let (_, refused) = world.post("account", body).await;
    assert!(refused["errors"]["phone_office"].is_array());
    assert_eq!(world.crm.accounts().len(), 2);
}

#[tokio::test]
async fn each_refused_detail_names_its_field() {
    let world = world();
    world.crm.update_settings(|s| {
        s.refuse_gender = true;
        s.refuse_unknown_source = true;
    });
    let cases = [
        (json!({}), "account_name"),
        (
            json!({"account_name": "x", "account_manager_username": "nobody"}),
            "account_manager_username",
        ),
        (
            json!({"account_name": "x", "account_source_names": ["?"]}),
            "source_name",
        ),
        (json!({"account_name": "x", "gender": 1}), "gender"),
    ];
    for (body, field) in cases {
        let (status, refused) = world.post("account", body).await;
        assert_eq!(status, 400, "{field}");
        assert!(refused["errors"][field].is_array(), "{field}");
    }
    assert_eq!(world.crm.accounts(), []);
}

#[tokio::test]
async fn a_list_without_good_fields_names_the_available_ones() {
    let world = world();
    for path in ["accounts", "accounts?fields=", "accounts?fields=id,nope"] {
        let (status, body) = world.get(path).await;
        assert_eq!(status, 400, "{path}");
        assert!(body["available_fields"].is_array());
    }
}

#[tokio::test]
async fn filters_work_with_either_bracket_and_newest_first() {
    let world = world();
    world.seed("A", "0900000001", "an@example.com");
    world.seed("B", "+84900000001", "lan@example.com");
    world.seed("C", "0900000001 - 0900000009", "An@Example.com");
    let all = world.codes("").await;
    assert_eq!(all, ["C", "B", "A"]);
    assert_eq!(
        world.codes("filtering[email]=an@example.com").await,
        ["C", "A"]
    );
    let encoded = "filtering%5Bemail%3Acontains%5D=an%40example.com";
    assert_eq!(world.codes(encoded).await, ["C", "B", "A"]);
    let contains = world
        .codes("filtering[phone_office:contains]=0900000001")
        .await;
    assert_eq!(contains, ["C", "A"]);
    let plus = world
        .codes("filtering[phone_office:eq]=%2B84900000001")
        .await;
    assert_eq!(plus, ["B"]);
    let ids = "filtering[id:in][0]=10001&filtering[id:in][1]=10003";
    assert_eq!(world.codes(ids).await, ["C", "A"]);
    let since = "filtering[created_at:gte]=2026-10-05%2009:00:00";
    assert_eq!(world.codes(since).await.len(), 3);
    assert_eq!(
        world.codes("sort=account_code&direction=asc").await,
        ["A", "B", "C"]
    );
}

#[tokio::test]
async fn a_part_is_found_wherever_it_stands_and_however_short_it_is() {
    let world = world();
    world.seed("A", "0900000001", "an.nguyen@example.com");
    world.seed("B", "0900000002 - 0911111101", "ĐỨC.nguyen@example.com");
    world.seed("C", "", "");
    let email = async |part: &str| {
        let query = format!("filtering[email:contains]={part}");
        world.codes(&query).await
    };
    assert_eq!(email("Nguyen@Example").await, ["B", "A"]);
    assert_eq!(email("đức.nguyen@").await, ["B"]);
    assert_eq!(email("an").await, ["A"]);
    assert_eq!(email("").await, ["C", "B", "A"]);
    assert_eq!(email("nguyen@example.vn").await, [""; 0]);
    let phone = async |part: &str| {
        let query = format!("filtering[phone_office:contains]={part}");
        world.codes(&query).await
    };
    assert_eq!(phone("911111101").await, ["B"]);
    assert_eq!(phone("900000").await, ["B", "A"]);
    world.crm.delete_account(10_001);
    assert_eq!(phone("900000").await, ["B"]);
}

#[tokio::test]
async fn an_undocumented_filter_is_refused_ignored_or_honoured() {
    let world = world();
    world.seed("A", "0900000001", "");
    world.seed("B", "0900000002", "");
    let query = "filtering[phone_office:in][0]=0900000001";
    let path = format!("accounts?fields=id&{query}");
    assert_eq!(world.get(&path).await.0, 400);
    let set = |way| world.crm.update_settings(|s| s.undocumented_filter = way);
    set(UndocumentedFilter::Ignore);
    assert_eq!(world.codes(query).await.len(), 2);
    set(UndocumentedFilter::Honour);
    assert_eq!(world.codes(query).await, ["A"]);
}

#[tokio::test]
async fn pages_tell_whether_there_are_more() {
    let world = world();
    for n in 0..5 {
        world.seed(&format!("A{n}"), "", "");
    }
    let (_, first) = world.get("accounts?fields=id&limit=3").await;
    assert_eq!(first["has_more"], true);
    assert_eq!(first["limited"], 3);
    assert_eq!(first["sorted"], json!({"id": "DESC"}));
    let (_, second) = world.get("accounts?fields=id&limit=3&offset=3").await;
    assert_eq!(second["has_more"], false);
    assert_eq!(second["data"].as_array().map(Vec::len), Some(2));
    world.crm.update_settings(|s| s.max_limit = 2);
    let (_, cut) = world.get("accounts?fields=id&limit=100").await;
    assert_eq!(cut["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(cut["has_more"], true);
}
