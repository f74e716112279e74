use super::*;
use crate::json;
use crate::rules::{
    codes::OrderCode,
    model::{OrderAccount, OrderLine},
};
use crate::time::{DateTime, tests::date};
use rust_decimal::Decimal;
use serde_json::json;

fn datetime(text: &str) -> DateTime {
    text.parse().unwrap()
}

/// A body as Getfly reads it, after checking that its members are in alphabetical order.
fn sent(body: &impl Serialize) -> Value {
    let text = json::text(body);
    let read: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(text, serde_json::to_vec(&read).unwrap());
    read
}

fn money(text: &str) -> Money {
    Money::parse(&text.parse().unwrap()).unwrap()
}

/// An account with every field. Shared with the client's tests.
pub(in crate::getfly) fn full_account() -> NewAccount {
    NewAccount {
        code: AccountCode::existing("KV-shop-5".into()),
        name: "Khách Thử".into(),
        phone: Some("0900000001".into()),
        email: Some("thu@example.com".into()),
        address: Some("1 Đường Thử".into()),
        birthday: Some(date(1995, 5, 20)),
        gender: Some(2),
        tax_code: Some("0101".into()),
        description: Some("VIP".into()),
        source: Some("KiotViet".into()),
        manager: Some("an.nv".into()),
    }
}

/// An order without anything that may be left out. Shared with the client's tests.
pub(in crate::getfly) fn bare_order() -> NewOrder {
    NewOrder {
        code: OrderCode::existing("shop-HD1".to_owned()),
        date: None,
        account: OrderAccount {
            name: Some("Khách lẻ".into()),
            ..OrderAccount::default()
        },
        executor: None,
        lines: Vec::new(),
        discount: money("0"),
        vat: money("0.00"),
        transport: money("0"),
        installation: money("0"),
        campaign_code: None,
        terms: Vec::new(),
    }
}

#[test]
fn an_account_is_sent_with_every_field() {
    assert_eq!(
        sent(&account_body(&full_account())),
        json!({
            "account_name": "Khách Thử", "account_code": "KV-shop-5", "phone_office": "0900000001",
            "email": "thu@example.com", "billing_address_street": "1 Đường Thử", "birthday": "1995-05-20",
            "sic_code": "0101", "description": "VIP\nKV-shop-5", "account_manager_username": "an.nv",
            "account_source_names": ["KiotViet"], "gender": 2,
        })
    );
    let bare = NewAccount {
        phone: None,
        email: None,
        address: None,
        birthday: None,
        gender: None,
        tax_code: None,
        description: None,
        source: None,
        manager: None,
        ..full_account()
    };
    assert_eq!(
        sent(&account_body(&bare)),
        json!({"account_name": "Khách Thử", "account_code": "KV-shop-5", "description": "KV-shop-5"})
    );
}

#[test]
fn an_order_is_sent_with_every_field_and_its_digits() {
    let order = NewOrder {
        date: Some(date(2026, 10, 5)),
        account: OrderAccount {
            code: Some(AccountCode::existing("KV-shop-5".into())),
            name: Some("Khách Thử".into()),
            phone: Some("0900000001".into()),
            email: Some("thu@example.com".into()),
            address: Some("1 Đường Thử".into()),
        },
        executor: Some("an.nv".into()),
        lines: vec![OrderLine {
            product_code: "SP1".into(),
            is_deleted: true,
            product_name: "Hàng 1".into(),
            quantity: Decimal::new(1250, 4),
            price: money("2737000.10"),
            cash_discount: money("0"),
            note: Some("Quà".into()),
        }],
        discount: money("1000"),
        vat: money("8"),
        transport: money("25000"),
        installation: money("7"),
        campaign_code: Some("CD0008".into()),
        terms: vec!["Một".into(), "Hai".into()],
        ..bare_order()
    };
    let expected: Value = serde_json::from_str(
        r#"{"account":{"account_code":"KV-shop-5","account_name":"Khách Thử","account_phone":"0900000001",
            "account_email":"thu@example.com","account_address":"1 Đường Thử"},
            "order_code":"shop-HD1","order_date":"2026-10-05","assigned_username":"an.nv","campaign_code":"CD0008",
            "saved_order_details":[{"product_code":"SP1","product_name":"Hàng 1","quantity":0.125,"price":2737000.1,
                "cash_discount":0,"note":"Quà"}],
            "discount_amount":1000,"vat_amount":8,"transport_amount":25000,"installation_amount":7,
            "order_terms":[{"term_content":"shop-HD1"},{"term_content":"Một"},{"term_content":"Hai"}]}"#,
    )
    .unwrap();
    assert_eq!(sent(&order_body(&order)), expected);
}

#[test]
fn a_bare_order_leaves_out_zeros_and_absent_parts() {
    assert_eq!(
        sent(&order_body(&bare_order())),
        json!({"account": {"account_name": "Khách lẻ"}, "order_code": "shop-HD1", "saved_order_details": [],
            "order_terms": [{"term_content": "shop-HD1"}]})
    );
}

#[test]
fn an_opportunity_names_its_account_as_contact() {
    let body = sent(&opportunity_body(&NewOpportunity {
        campaign_code: "CD0008".into(),
        account_code: AccountCode::existing("KV-shop-5".into()),
        account_name: "Khách Thử".into(),
        phone: Some("0900000001".into()),
        email: None,
        recipient: Some("an.nv".into()),
    }));
    assert_eq!(
        body,
        json!({"campaign_code": "CD0008", "account_code": "KV-shop-5", "account_name": "Khách Thử",
            "account_phone": "0900000001", "contact_name": "Khách Thử", "contact_phone": "0900000001",
            "recipient_username": "an.nv"})
    );
}

#[test]
fn an_account_is_read_from_undocumented_types_too() {
    let read = account(
        &json!({"id": "10001", "account_code": "KH/2025/1", "account_name": "ABC",
        "phone_office": 912345678, "email": null, "created_at": "2025-02-25 09:12:32"}),
    )
    .unwrap();
    assert_eq!(read.id, 10001);
    assert_eq!(read.code.as_str(), "KH/2025/1");
    assert_eq!(
        (read.phone.as_str(), read.email.as_str()),
        ("912345678", "")
    );
    assert_eq!(read.created_at, Some(datetime("2025-02-25T09:12:32")));
    assert_eq!(
        account(&json!({"id": 1, "phone_office": ["09", "08"]}))
            .unwrap()
            .phone,
        "09; 08"
    );
    for value in [
        json!({}),
        json!({"id": null}),
        json!({"id": 0}),
        json!({"id": "x"}),
        json!(5),
        json!(null),
    ] {
        assert_eq!(account(&value), None, "{value}");
    }
}

#[test]
fn a_creation_time_is_wall_time_or_unix_seconds() {
    let read = |value: Value| {
        account(&json!({"id": 1, "created_at": value}))
            .unwrap()
            .created_at
    };
    let morning = Some(datetime("2025-02-25T09:12:32"));
    for value in [
        json!("2025-02-25 09:12:32"),
        json!("2025-02-25T09:12:32"),
        json!(1_740_449_552),
        json!("1740449552"),
    ] {
        assert_eq!(read(value.clone()), morning, "{value}");
    }
    assert_eq!(
        read(json!("2025-02-25")),
        Some(datetime("2025-02-25T00:00:00"))
    );
    for value in [
        json!("0000-00-00 00:00:00"),
        json!(""),
        json!(null),
        json!(0),
        json!(i64::MAX),
        json!([]),
    ] {
        assert_eq!(read(value.clone()), None, "{value}");
    }
}

#[test]
fn one_record_is_found_wherever_it_is() {
    let here = json!({"id": 1});
    for answer in [
        here.clone(),
        json!({"data": here}),
        json!([here]),
        json!({"data": [here]}),
    ] {
        assert_eq!(record(&answer), Ok(Some(&here)), "{answer}");
    }
    for answer in [
        json!({}),
        json!([]),
        json!({"data": null}),
        json!({"data": []}),
        json!({"data": {}}),
    ] {
        assert_eq!(record(&answer), Ok(None), "{answer}");
    }
    assert!(record(&json!({"data": [here, here]})).is_err());
    assert!(record(&json!("x")).is_err());
}

#[test]
fn a_creates_answer_tells_id_and_code_wherever_they_are() {
    let read = |answer: Value| stored(&answer, &["account_id", "id"], "account_code");
    let of = |id, code: Option<&str>| {
        Some(Stored {
            id,
            code: code.map(str::to_owned),
        })
    };
    for (answer, expected) in [
        (
            json!({"message": "x", "data": {"account_id": 7, "account_code": "KH7"}}),
            of(Some(7), Some("KH7")),
        ),
        (
            json!({"account_id": "7", "account_code": "KH7"}),
            of(Some(7), Some("KH7")),
        ),
        (
            json!({"data": {"account_code": "KH7"}}),
            of(None, Some("KH7")),
        ),
        (
            json!({"message": "Successfully added", "id": 4}),
            of(Some(4), None),
        ),
        (json!({"data": 4}), of(Some(4), None)),
        (json!({"data": [], "id": 4}), of(Some(4), None)),
        (json!({"message": "x"}), None),
        (json!({"data": {"account_id": 0, "account_code": ""}}), None),
        (json!([]), None),
        (json!("ok"), None),
    ] {
        assert_eq!(read(answer.clone()), expected, "{answer}");
    }
}
