//! Claims that a recorded payload holds no personal data, and is still a payload: one person stays
//! one person everywhere, a phone looks like a phone, amounts and states are unchanged. How: the
//! disguise alone, on a payload with every member and on random ones.

use host::record::Disguise;
use plugin::{kiotviet::envelope, rules::phone::PhoneField};
use proptest::prelude::*;
use serde_json::{Value, json};

fn disguise() -> Disguise {
    Disguise::with_salt([7; 32])
}

fn disguised(disguise: &mut Disguise, payload: &Value) -> Value {
    let body = disguise.body(payload.to_string().as_bytes());
    serde_json::from_slice(&body.expect("it is JSON")).expect("it stays JSON")
}

/// A customer and an invoice, with every member that KiotViet may send, and more.
fn payload() -> Value {
    json!({
        "Id": "0b8f7a6e-1111-4222-8333-944455556666",
        "Attempt": 2,
        "Notifications": [
            { "Action": "customer.update.500987123", "Data": [{
                "__type": "KiotViet.OmniChannelCore.Api.Shared.Model.WebhookCustomerUpdateRes, KiotViet.OmniChannelCore.Api.Shared",
                "Id": 20_457_811, "Code": "KH004711", "Name": "Đặng Thị Mỹ Linh", "Gender": false,
                "BirthDate": "1988-03-29T00:00:00.0000000+07:00", "ContactNumber": "0912 345 678 - +84 983-111-222",
                "Address": "12 Hàng Bạc", "LocationName": "Hà Nội - Quận Hoàn Kiếm", "Email": "my.linh88@thatmail.vn",
                "ModifiedDate": "2026-10-05T10:00:00.1470000+07:00", "Type": 1, "Organization": "Cty Linh Sen",
                "TaxCode": "0101243150-001", "Comments": "hay gọi lúc 9h", "LoyaltyCard": "LC-556677",
                "NationalNumber": 79_188_001_234_i64, "Groups": ["VIP Linh"], "Spouse": { "FullName": "Lương Bằng" },
            }]},
            { "Action": "invoice.update.500987123", "Data": [{
                "id": 307_112_233, "code": "HD009912.01", "customerId": 20_457_811, "customerCode": "KH004711",
                "customerName": "Đặng Thị Mỹ Linh", "soldById": 50_331, "soldByName": "Thu ngân Sương",
                "branchId": 10_077, "branchName": "Quầy Sương", "purchaseDate": "2026-10-05T10:00:00.5000000+07:00",
                "total": 780_000, "totalPayment": "780000.5", "discount": 12_345.67, "status": 1, "statusValue": "Hoàn thành",
                "description": "giao cho chị Linh", "usingCod": true,
                "invoiceDelivery": { "receiver": "Đặng Thị Mỹ Linh", "contactNumber": "84912345678", "address": "12 Hàng Bạc" },
                "invoiceDetails": [{ "productId": 7_004_411, "productCode": "AO-LINH", "productName": "Áo may cho Linh", "quantity": 1.5, "price": 520_000 }],
                "payments": [{ "id": 907_112_233, "code": "TTHD009912", "amount": 780_000, "method": "Transfer", "bankAccount": "00110044556677" }],
            }, { "id": 307_112_234, "code": "HD009913", "customerName": "Khách lẻ" }]},
        ],
        "x-forwarded 0912345678": true,
    })
}

/// Texts by which a stranger could recognise a person.
const PERSONAL: [&str; 32] = [
    "0b8f7a6e",
    "500987123",
    "20457811",
    "004711",
    "Linh",
    "Đặng",
    "1988",
    "03-29",
    "0912",
    "345 678",
    "983-111-222",
    "912345678",
    "Hàng Bạc",
    "Hà Nội",
    "Hoàn Kiếm",
    "my.linh88",
    "thatmail",
    "Sen",
    "0101243150",
    "gọi",
    "556677",
    "79188001234",
    "Lương",
    "307112233",
    "009912",
    "50331",
    "Sương",
    "10077",
    "Quầy",
    "AO-",
    "7004411",
    "907112233",
];

#[test]
fn nothing_of_a_person_is_left() {
    let shown = disguised(&mut disguise(), &payload()).to_string();
    for personal in PERSONAL {
        assert!(
            payload().to_string().contains(personal),
            "{personal} is in it before"
        );
        assert!(!shown.contains(personal), "{personal} is left: {shown}");
    }
}

#[test]
fn the_same_is_the_same_everywhere_and_another_is_another() {
    let mut disguise = disguise();
    let told = disguised(&mut disguise, &payload());
    let customer = &told["Notifications"][0]["Data"][0];
    let invoice = &told["Notifications"][1]["Data"][0];
    let other = &told["Notifications"][1]["Data"][1];
    assert_eq!(customer["Id"], invoice["customerId"]);
    assert_eq!(customer["Code"], invoice["customerCode"]);
    assert_eq!(customer["Name"], invoice["customerName"]);
    assert_eq!(customer["Name"], invoice["invoiceDelivery"]["receiver"]);
    assert_ne!(invoice["id"], other["id"]);
    assert_ne!(invoice["code"], other["code"]);
    assert_eq!(other["customerName"], "Khách lẻ", "a walk-in stays one");
    let numbers = |text: &Value| {
        let field = PhoneField::parse(text.as_str().expect("text"));
        let numbers = field.numbers().iter().map(|n| format!("{n:?}"));
        numbers.collect::<Vec<_>>()
    };
    let (his, receiver) = (
        numbers(&customer["ContactNumber"]),
        numbers(&invoice["invoiceDelivery"]["contactNumber"]),
    );
    assert_eq!(his.len(), 2, "{customer}");
    assert_eq!(his[0], receiver[0], "one number in two writings");

    assert_eq!(
        disguised(&mut disguise, &payload()),
        told,
        "in the next delivery too"
    );
    let another = disguised(&mut Disguise::with_salt([8; 32]), &payload());
    assert_ne!(another["Notifications"][0]["Data"][0]["Id"], customer["Id"]);
}

#[test]
fn a_payload_stays_a_payload() {
    let told = disguised(&mut disguise(), &payload());
    let items = envelope::parse(told.to_string().as_bytes(), 100)
        .expect("a delivery")
        .items;
    let kinds: Vec<_> = items.iter().map(|item| item.action.as_str()).collect();
    assert_eq!(
        kinds,
        ["customer.update", "invoice.update", "invoice.update"]
    );
    assert!(items.iter().all(|item| item.id.is_some()));

    let (before, after) = (payload(), told);
    let customer = |value: &Value, name: &str| value["Notifications"][0]["Data"][0][name].clone();
    let invoice = |value: &Value, name: &str| value["Notifications"][1]["Data"][0][name].clone();
    for kept in ["__type", "Gender", "ModifiedDate", "Type"] {
        assert_eq!(customer(&before, kept), customer(&after, kept));
    }
    for kept in [
        "purchaseDate",
        "total",
        "totalPayment",
        "discount",
        "status",
        "statusValue",
        "usingCod",
    ] {
        assert_eq!(invoice(&before, kept), invoice(&after, kept));
    }
    let line = &invoice(&after, "invoiceDetails")[0];
    assert_eq!(
        (&line["quantity"], &line["price"]),
        (&json!(1.5), &json!(520_000))
    );
    assert_eq!(invoice(&after, "payments")[0]["method"], "Transfer");

    let text = |value: Value| value.as_str().expect("text").to_owned();
    let phone = text(customer(&after, "ContactNumber"));
    assert!(
        phone.starts_with("0900 000 ") && phone.contains(" - +84 900-000-"),
        "{phone}"
    );
    let email = text(customer(&after, "Email"));
    assert!(
        email.ends_with("@example.vn") && email.find('.') == Some(2),
        "{email}"
    );
    let tax = text(customer(&after, "TaxCode"));
    assert!(tax.len() == 14 && tax.find('-') == Some(10), "{tax}");
    assert!(text(customer(&after, "BirthDate")).ends_with("T00:00:00.0000000+07:00"));
    let code = text(invoice(&after, "code"));
    assert!(
        code.starts_with("HD") && code.ends_with(".01") && code.len() == 11,
        "{code}"
    );
    let payment = text(invoice(&after, "payments")[0]["code"].clone());
    assert_eq!(payment, format!("TT{}", code.trim_end_matches(".01")));
}

#[test]
fn deletions_are_disguised_with_the_same_numbers() {
    let mut disguise = disguise();
    let id = |value: &Value| value["Notifications"][0]["Data"][0].clone();
    let updated = json!({ "Notifications": [{ "Action": "customer.update.1", "Data": [{ "Id": 20_457_811 }] }] });
    let deleted =
        json!({ "Notifications": [{ "Action": "customer.delete.1", "Data": [20_457_811] }] });
    let bare = json!({ "RemoveId": [20_457_811] });
    let updated = id(&disguised(&mut disguise, &updated))["Id"].clone();
    assert_ne!(updated, json!(20_457_811));
    assert_eq!(id(&disguised(&mut disguise, &deleted)), updated);
    assert_eq!(disguised(&mut disguise, &bare)["RemoveId"][0], updated);
}

#[test]
fn what_stands_where_it_does_not_belong_is_replaced_too() {
    for (member, text) in [
        ("total", "0912345678"),
        ("status", "+84912345678"),
        ("ModifiedDate", "2026-10-05 gọi Linh"),
        ("ModifiedDate", "2026-10-050912345678"),
        ("statusValue", "Linh đã nhận"),
        ("__type", "KiotViet.Linh0912345678"),
        ("Action", "customer.update.Linh"),
        ("code", "LINH0912345678"),
        ("taxCode", "０９１２３４５６７８"),
        ("contactNumber", "chị Linh ０９１２３４５６７８"),
    ] {
        let told = disguised(&mut disguise(), &json!({ member: text })).to_string();
        for personal in ["912345678", "９１２", "Linh", "LINH"] {
            assert!(!told.contains(personal), "{member} {text}: {told}");
        }
    }
}

#[test]
fn what_is_no_json_is_not_recorded() {
    assert_eq!(disguise().body(b"Name=Linh&Phone=0912345678"), None);
}

/// Members of every kind, known and unknown.
const MEMBERS: [&str; 16] = [
    "Id",
    "code",
    "Name",
    "contactNumber",
    "Email",
    "taxCode",
    "BirthDate",
    "ModifiedDate",
    "total",
    "statusValue",
    "Action",
    "__type",
    "Comments",
    "Method",
    "Data",
    "somethingNew",
];

proptest! {
    #[test]
    fn no_text_survives_in_any_member(
        member in proptest::sample::select(&MEMBERS[..]),
        text in "[A-Za-zàảđêôưỹ ]{0,12}[0-9]{0,4}[A-Za-zđêôư]{5}[ @.+-]{0,2}[0-9a-z]{0,12}",
    ) {
        let told = disguised(&mut disguise(), &json!({ member: &text })).to_string();
        for part in text.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= 5) {
            prop_assert!(!told.contains(part), "{} of {} is left in {}", part, text, told);
        }
    }

    #[test]
    fn a_phone_keeps_its_shape(text in "(\\+84|0084|84|0)?[ .-]?[0-9]{2,4}[ .-]?[0-9]{3}[ .-]?[0-9]{3,4}") {
        let told = disguised(&mut disguise(), &json!({ "ContactNumber": &text }));
        let told = told["ContactNumber"].as_str().unwrap();
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "#");
        prop_assert_eq!(shape(told), shape(&text));
        prop_assert_ne!(told, text);
    }
}
