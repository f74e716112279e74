use super::*;

async fn refused(form: Refusals, body: Value) -> (u16, Value) {
    let world = world();
    world.seed("KV-1", "0912345678", "");
    world.crm.update_settings(|s| {
        s.refusals = form;
        s.refuse_duplicate_phone = true;
        s.required_fields = vec!["email".to_owned()];
    });
    let answer = world.post("account", body).await;
    assert_eq!(world.crm.accounts().len(), 1);
    answer
}

#[tokio::test]
async fn a_refusal_has_the_form_and_the_language_of_the_tenant() {
    let doubled = || {
        let email = "an@example.vn";
        json!({"account_name": "An", "email": email, "phone_office": "0912345678"})
    };
    let words = "Số điện thoại không cho phép trùng";
    let english = "The phone office has already been taken.";
    for (form, status, body) in [
        (
            Refusals::Listed,
            400,
            json!({"message": words, "errors": {"phone_office": [words]}}),
        ),
        (
            Refusals::Texts,
            400,
            json!({"errors": {"phone_office": words}}),
        ),
        (Refusals::Sentence, 400, json!({"msg": words})),
        (
            Refusals::English,
            422,
            json!({"message": "The given data was invalid.", "errors": {"phone_office": [english]}}),
        ),
        (
            Refusals::In200,
            200,
            json!({"error": true, "message": words}),
        ),
        (
            Refusals::Unsuccessful,
            200,
            json!({"success": false, "errors": {"phone_office": words}}),
        ),
        (
            Refusals::UnsuccessfulSentence,
            200,
            json!({"success": false, "message": words}),
        ),
        (
            Refusals::ErrorStatus,
            200,
            json!({"status": "error", "message": words}),
        ),
    ] {
        assert_eq!(refused(form, doubled()).await, (status, body), "{form:?}");
    }
    let (_, body) = refused(Refusals::Sentence, json!({"account_name": "An"})).await;
    assert_eq!(body, json!({"msg": "Email là bắt buộc"}));
    let (_, body) = refused(Refusals::English, json!({"account_name": "An"})).await;
    assert_eq!(body["errors"]["email"][0], "The email field is required.");
}

#[tokio::test]
async fn a_create_is_confirmed_and_a_missing_record_answered_in_the_tenants_form() {
    let world = world();
    let set = |change: fn(&mut GetflySettings)| world.crm.update_settings(change);
    set(|s| s.created = Created::IdOnly);
    let (_, made) = world.post("account", json!({"account_name": "A"})).await;
    assert_eq!(
        made,
        json!({"message": "Thêm mới thành công", "id": 10_001})
    );
    set(|s| s.created = Created::MessageOnly);
    let (_, made) = world.post("account", json!({"account_name": "B"})).await;
    assert_eq!(made, json!({"message": "Thêm mới thành công"}));
    set(|s| s.missing = Missing::Empty);
    let absent = world.get("account?account_code=none").await;
    assert_eq!(absent, (200, json!([])));
    set(|s| s.json_as_html = true);
    let answer = world.send("GET", "account?account_code=none", &Value::Null);
    let answer = answer.await;
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .is_ok_and(|t| t.starts_with("text/html"))
    );
}

#[tokio::test]
async fn a_phone_is_kept_in_the_tenants_form_and_compared_by_its_digits() {
    let world = world();
    let create = async |phone: &str| {
        let body = json!({"account_name": "A", "phone_office": phone});
        world.post("account", body).await.0
    };
    let set = |change: fn(&mut GetflySettings)| world.crm.update_settings(change);
    set(|s| s.phones = PhoneForm::Spaced);
    create("0912345678").await;
    create("0912345678 / 0987654321").await;
    set(|s| s.phones = PhoneForm::International);
    create("0912345678").await;
    let accounts = world.crm.accounts();
    let kept: Vec<&str> = accounts.iter().map(|a| a.phone_office.as_str()).collect();
    let should = ["0912 345 678", "0912345678 / 0987654321", "+84912345678"];
    assert_eq!(kept, should);
    set(|s| s.duplicates_by_digits = true);
    assert_eq!(create("0912.345.678").await, 400);
    assert_eq!(create("").await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_create_takes_its_time_and_an_emoji_is_too_wide() {
    let clock = Arc::new(crate::TokioClock::starting_at(Timestamp::UNIX_EPOCH));
    let crm = GetflySim::new(GetflySettings::default(), clock);
    let world = World { crm, ..world() };
    world.crm.update_settings(|s| {
        s.create_latency = Duration::from_secs(9);
        s.fails_on_wide_text = true;
    });
    let began = tokio::time::Instant::now();
    let (status, _) = world
        .post("account", json!({"account_name": "Chị Hoa 🌸"}))
        .await;
    assert_eq!((status, began.elapsed().as_secs()), (500, 9));
    world.get("users?fields=user_id").await;
    assert_eq!(began.elapsed().as_secs(), 9);
    let (status, _) = world
        .post("account", json!({"account_name": "Chị Hoa"}))
        .await;
    assert_eq!((status, world.crm.accounts().len()), (200, 1));
}

#[tokio::test]
async fn marks_of_letters_and_the_form_of_times_are_the_tenants() {
    let world = world();
    world.seed("KV-1", "", "hoa@example.vn");
    let find = "filtering[email:contains]=h%C3%B2%C3%A1@";
    assert!(world.codes(find).await.is_empty());
    world.crm.update_settings(|s| {
        s.folds_marks = true;
        s.times_in_seconds = true;
    });
    assert_eq!(world.codes(find).await, ["KV-1"]);
    let (_, shown) = world.get("account?account_code=KV-1").await;
    assert_eq!(shown["created_at"], 1_791_165_600);
    let day = "filtering[created_at:gte]=2026-10-05%2009:00:00";
    assert_eq!(world.codes(day).await, ["KV-1"]);
    let later = "filtering[created_at:gte]=2026-10-05%2009:00:01";
    assert!(world.codes(later).await.is_empty());
}

#[tokio::test]
async fn an_order_renames_its_account_and_is_summed_up_as_the_tenant_does() {
    let world = world();
    world.seed("KV-1", "", "");
    world.crm.update_settings(|s| s.renames_accounts = true);
    let body = json!({
        "order_code": "DH1",
        "account": {"account_code": "KV-1", "account_name": "Tên khác"},
        "saved_order_details": [{"product_code": "SP1", "quantity": "1.5", "price": "100.4"}],
        "vat_amount": 10,
    });
    world.post("sale_order", body).await;
    assert_eq!(world.crm.accounts()[0].account_name, "Tên khác");
    let mut sums = Vec::new();
    for form in [
        Sums::Exact,
        Sums::LinesRounded,
        Sums::WholeQuantities,
        Sums::NoTaxAmount,
    ] {
        world.crm.update_settings(|s| s.sums = form);
        let (_, order) = world.get("sale_order?order_code=DH1").await;
        sums.push(order["real_amount"].to_string());
    }
    assert_eq!(sums, ["160.6", "161", "110.4", "150.6"]);
    world.crm.update_settings(|s| s.products_refused = true);
    assert_eq!(world.get("product?product_code=SP1").await.0, 403);
}
