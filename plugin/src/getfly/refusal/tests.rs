use super::*;
use proptest::prelude::*;
use serde_json::json;

fn refusal(status: u16, body: Value) -> Refusal {
    Refusal::read(status, Some(&body))
}

#[test]
fn message_and_fields_are_read_in_every_shape_and_redacted() {
    let full = refusal(
        400,
        json!({"message": "Lỗi an@x.vn", "errors": {"phone_office": ["a", "b"], "x": {"y": "z"}}}),
    );
    assert_eq!(full.message, "Lỗi [hidden]");
    let fields: Vec<_> = full
        .fields
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(fields, [("phone_office", "a; b"), ("x", "z")]);
    assert_eq!(refusal(400, json!({"error": "E"})).message, "E");
    assert_eq!(
        refusal(400, json!({"message": "", "msg": "M"})).message,
        "M"
    );
    assert_eq!(
        refusal(400, json!({"errors": ["a", "b"]})).fields,
        [("errors".to_owned(), "a; b".to_owned())]
    );
    assert_eq!(full.words(), "Lỗi [hidden]; phone_office: a; b; x: z");
    let repeated = json!({"message": "Sai: b.", "errors": {"a": "b", "c": "", "d": "e"}});
    assert_eq!(refusal(400, repeated).words(), "Sai: b.; d: e");
    assert_eq!(refusal(400, json!({"errors": {"a": "b"}})).words(), "a: b");
    assert_eq!(Refusal::read(400, None).message, "");
    let many: serde_json::Map<String, Value> =
        (0..99).map(|n| (format!("f{n}"), json!("x"))).collect();
    assert_eq!(
        refusal(400, json!({"errors": many})).fields.len(),
        MAX_FIELDS
    );
}

#[test]
fn a_duplicate_is_known_by_its_words_or_by_409() {
    use DuplicateField::{Code, Email, Phone};
    for (status, body, field) in [
        (
            400,
            json!({"message": "Số điện thoại không cho phép trùng"}),
            Some(Phone),
        ),
        (
            400,
            json!({"message": "x", "errors": {"phone_office": ["Không cho phép trùng"]}}),
            Some(Phone),
        ),
        (
            400,
            json!({"errors": {"email": "EMAIL ĐÃ TỒN TẠI"}}),
            Some(Email),
        ),
        (
            422,
            json!({"message": "The email has already been taken."}),
            Some(Email),
        ),
        (
            400,
            json!({"message": "Mã khách hàng đã tồn tại"}),
            Some(Code),
        ),
        (
            400,
            json!({"errors": {"account_code": "duplicate"}}),
            Some(Code),
        ),
        (
            400,
            json!({"message": "Không thể lưu vì mã khách hàng đã tồn tại"}),
            Some(Code),
        ),
        (400, json!({"message": "Phone exists"}), Some(Phone)),
        (
            400,
            json!({"errors": {"order_code": ["already exists"]}}),
            Some(Code),
        ),
        (
            400,
            json!({"errors": {"email": "trùng", "account_code": "trùng"}}),
            Some(Code),
        ),
        (
            400,
            json!({"errors": {"email": "không hợp lệ", "phone_office": "trùng"}}),
            Some(Phone),
        ),
        (
            400,
            json!({"message": "Khách hàng đã có trong hệ thống"}),
            None,
        ),
        (
            400,
            json!({"message": "Khách hàng đã tồn tại. Người phụ trách: Nguyễn Văn A"}),
            None,
        ),
        (409, json!({}), None),
        (409, json!({"message": "conflict on email"}), Some(Email)),
        (
            200,
            json!({"errors": {"phone_office": "Số điện thoại đã tồn tại, người phụ trách là A"}}),
            Some(Phone),
        ),
        // Two reasons at once: the duplicate is one of them.
        (
            400,
            json!({"errors": {"phone_office": "trùng", "account_manager_username": "không tồn tại"}}),
            Some(Phone),
        ),
        (
            400,
            json!({"message": "Email đã tồn tại", "errors": {"gender": "sai"}}),
            Some(Email),
        ),
    ] {
        let refusal = refusal(status, body.clone());
        assert!(refusal.is_duplicate(), "{body}");
        assert_eq!(refusal.duplicate_field(), field, "{body}");
    }
}

#[test]
fn anything_else_is_no_duplicate() {
    for (status, body) in [
        (422, json!({"message": "Dữ liệu không hợp lệ"})),
        (400, json!({"message": "Khách hàng không tồn tại"})),
        (400, json!({"message": "Mã khách hàng không còn tồn tại"})),
        (400, json!({"message": "Mã KH này chưa hề tồn tại"})),
        (422, json!({"message": "The account_code does not exists"})),
        (
            422,
            json!({"errors": {"account_code": "No such account exists"}}),
        ),
        (
            400,
            json!({"message": "Sản phẩm KHÔNG TỒN TẠI", "errors": {"product_code": "chưa tồn tại"}}),
        ),
        (
            400,
            json!({"message": "Đã có lỗi xảy ra, vui lòng thử lại"}),
        ),
        (400, json!({"message": "Kho trung tâm không hợp lệ"})),
        (
            400,
            json!({"errors": {"account_manager_username": "Người phụ trách không tồn tại"}}),
        ),
        (400, json!({"message": "Nguồn khách hàng đã tồn tại"})),
        (
            400,
            json!({"message": "Dữ liệu đã tồn tại", "errors": {"source_code": "đã tồn tại"}}),
        ),
        (409, json!({"errors": {"source_name": "x"}})),
        (400, json!({})),
    ] {
        let refusal = refusal(status, body.clone());
        assert!(!refusal.is_duplicate(), "{body}");
        assert_eq!(refusal.duplicate_field(), None, "{body}");
    }
}

#[test]
fn a_refused_detail_is_known_by_key_or_name() {
    use Detail::{Executor, Gender, Manager, Source};
    for (body, detail) in [
        (
            json!({"errors": {"account_manager_username": "không tồn tại"}}),
            Some(Manager),
        ),
        (json!({"errors": {"Account_Manager": ["x"]}}), Some(Manager)),
        (
            json!({"message": "Người phụ trách không tồn tại"}),
            Some(Manager),
        ),
        (
            json!({"message": "account_manager_username is invalid"}),
            Some(Manager),
        ),
        (
            json!({"errors": {"assigned_username": "x"}}),
            Some(Executor),
        ),
        (
            json!({"message": "assigned_user không tồn tại"}),
            Some(Executor),
        ),
        (
            json!({"errors": {"account_source_names.0": "x"}}),
            Some(Source),
        ),
        (
            json!({"message": "x", "errors": {"source_code": "đã tồn tại"}}),
            Some(Source),
        ),
        (json!({"message": "source_name collides"}), Some(Source)),
        (json!({"errors": {"gender": "Unknown field"}}), Some(Gender)),
        (
            json!({"message": "Field gender is not allowed"}),
            Some(Gender),
        ),
        (
            json!({"errors": {"phone_office": "trùng", "gender": "x"}}),
            Some(Gender),
        ),
        (json!({"errors": {"order_source_name": "x"}}), None),
        (json!({"message": "order_source_name is unknown"}), None),
        (json!({"message": "engender"}), None),
        (
            json!({"message": "Số điện thoại đã tồn tại. Người phụ trách: A"}),
            None,
        ),
        (json!({"message": "Khách hàng không hợp lệ"}), None),
        (json!({}), None),
    ] {
        assert_eq!(
            refusal(400, body.clone()).refused_detail(),
            detail,
            "{body}"
        );
    }
}

#[test]
fn details_of_the_field_are_known_and_a_duplicate_phone_or_email_is_none() {
    use Detail::{Address, Birthday, Email, Phone, TaxCode};
    for (body, detail) in [
        (
            json!({"errors": {"birthday": "sai định dạng"}}),
            Some(Birthday),
        ),
        (json!({"message": "Ngày sinh không hợp lệ"}), Some(Birthday)),
        (
            json!({"message": "Mã số thuế đã tồn tại trong hệ thống",
                "errors": {"sic_code": ["Mã số thuế đã tồn tại"]}}),
            Some(TaxCode),
        ),
        (json!({"message": "Mã số thuế đã tồn tại"}), Some(TaxCode)),
        (
            json!({"message": "Mã số thuế không cho phép trùng"}),
            Some(TaxCode),
        ),
        (json!({"message": "Địa chỉ quá dài"}), Some(Address)),
        (
            json!({"errors": {"billing_address_street": "x"}}),
            Some(Address),
        ),
        (
            json!({"message": "Địa chỉ email không hợp lệ"}),
            Some(Email),
        ),
        (
            json!({"errors": {"email": ["The email must be a valid email address."]}}),
            Some(Email),
        ),
        (
            json!({"errors": {"phone_office": ["Số điện thoại không đúng định dạng"]}}),
            Some(Phone),
        ),
        (json!({"message": "SĐT không hợp lệ"}), Some(Phone)),
        // A phone without a word about its format may be refused for any reason.
        (
            json!({"errors": {"phone_office": ["đã được đăng ký"]}}),
            None,
        ),
        (json!({"message": "Số điện thoại đã được sử dụng"}), None),
        (
            json!({"message": "Email không hợp lệ, số điện thoại đã tồn tại"}),
            None,
        ),
    ] {
        let refusal = refusal(400, body.clone());
        assert_eq!(refusal.refused_detail(), detail, "{body}");
        if detail.is_some() {
            assert!(!refusal.is_duplicate(), "{body}");
        }
    }
    let conflict = refusal(409, json!({"message": "Email không hợp lệ"}));
    assert_eq!(conflict.refused_detail(), None);
}

#[test]
fn what_an_order_is_refused_for_is_told() {
    let of = |body: Value| {
        let refusal = refusal(400, body);
        (refusal.is_about_products(), refusal.is_about_accounts())
    };
    for body in [
        json!({"message": "Mã sản phẩm không tồn tại"}),
        json!({"message": "Hàng hoá không tồn tại"}),
        json!({"message": "Mã SP sai"}),
        json!({"errors": {"saved_order_details": "không hợp lệ"}}),
    ] {
        assert_eq!(of(body), (true, false));
    }
    assert_eq!(of(json!({"errors": {"product_code": "x"}})), (true, false));
    assert_eq!(
        of(json!({"message": "Mã khách hàng không hợp lệ"})),
        (false, true)
    );
    assert_eq!(
        of(json!({"errors": {"account.account_code": "x"}})),
        (false, true)
    );
    assert_eq!(
        of(json!({"message": "Chiến dịch không hợp lệ"})),
        (false, false)
    );
}

proptest! {
    #[test]
    fn no_words_make_it_panic(message in any::<String>(), key in any::<String>(), text in any::<String>()) {
        let refusal = refusal(400, json!({"message": message, "errors": {key: text}}));
        let _ = (refusal.is_duplicate(), refusal.duplicate_field(), refusal.refused_detail());
    }
}
