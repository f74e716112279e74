use super::*;
use crate::kiotviet::fields::tests::any_json;
use crate::time::tests::date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(&text.parse().unwrap()).unwrap()
}

const CUSTOMER: &str = r#"{"id":20000001,"code":"KH000123","name":"Khách Thử","gender":true,
    "birthDate":"1995-05-20T00:00:00.0000000","contactNumber":"0900000001 - 0900000002","address":"1 Đường Thử",
    "locationName":"Hà Nội - Quận Thử","wardName":"Phường Thử","email":"thu@example.com","taxCode":"0101","comments":"VIP","debt":5,
    "createdDate":"2026-10-05T09:30:15.1230000","retailerId":500}"#;

const INVOICE: &str = r#"{"id":300000001,"code":"HD010001.01","purchaseDate":"2026-10-05T00:30:00.5000000",
    "soldById":5001,"customerId":20000001,"customerName":"Khách Thử","total":5110000.50,"discount":1000,
    "discountRatio":2.5,"totalTax":8,"status":1,"createdDate":"2026-10-05T00:30:01.0000000",
    "invoiceDetails":[{"productCode":"SP1","productName":"Hàng 1","quantity":2.0,"price":2737000,
        "discount":187000,"discountRatio":6.83,"subTotal":5100000},
        {"productCode":"SP2","productName":"Hàng 2","quantity":0.125,"price":80000.0}],
    "invoiceOrderSurcharges":[{"surchargeCode":"THK1","surchargeName":"Phí giao","surValue":30000,"price":25000},
        {"surchargeCode":"THK2","surValue":7,"price":7},{"surchargeCode":"THK3","surValue":9}]}"#;

#[test]
fn of_fnb_the_words_tell_whether_an_invoice_is_cancelled() {
    for (number, words, cancelled) in [
        (json!(2), Some("Hoàn thành"), false),
        (json!(2), None, true),
        (json!(4), Some("Đã hủy"), true),
        (json!(4), Some("Hủy"), true),
        (json!(4), Some("ĐÃ HUỶ (khách đổi ý)"), true),
        (json!(3), Some("Cancelled"), true),
        (json!(3), Some("Đang vận chuyển"), false),
        (json!(3), Some("Đã chuyển khoản"), false),
        (json!(1), Some("Chuyển bàn"), false),
        (json!(null), Some("Đã huỷ"), true),
        (json!(null), Some("Hoàn thành"), false),
        (json!(1), None, false),
    ] {
        let row = json!({"id": 1, "code": "HD1", "status": number, "statusValue": words});
        let row = listed(&row, Edition::Fnb).unwrap();
        assert_eq!(row.cancelled, cancelled, "{number} {words:?}");
    }
    let retail = json!({"id": 1, "code": "HD1", "status": 1, "statusValue": "Đã hủy"});
    assert!(!listed(&retail, Edition::Retail).unwrap().cancelled);
}

#[test]
fn a_customer_has_every_field_of_the_model() {
    let expected = Customer {
        id: 20_000_001,
        code: "KH000123".into(),
        name: "Khách Thử".into(),
        gender: Some(Gender::Male),
        birth_date: Some(date(1995, 5, 20)),
        contact_number: "0900000001 - 0900000002".into(),
        address: "1 Đường Thử".into(),
        ward: "Phường Thử".into(),
        district: "Quận Thử".into(),
        province: "Hà Nội".into(),
        email: "thu@example.com".into(),
        tax_code: "0101".into(),
        comments: "VIP".into(),
        created_at: Some("2026-10-05T02:30:15.123Z".parse().unwrap()),
        modified_at: None,
        unreadable: vec![],
    };
    assert_eq!(customer(20_000_001, &parsed(CUSTOMER)), Ok(expected));
}

#[test]
fn a_customer_may_have_nothing_but_an_id() {
    let bare = Customer {
        id: 5,
        ..Customer::default()
    };
    assert_eq!(customer(5, &json!({"Id": 5})), Ok(bare));
    let female = customer(
        5,
        &json!({"Id": 5, "Gender": false, "BirthDate": "1995-05-20T00:00:00+07:00"}),
    )
    .unwrap();
    assert_eq!(female.gender, Some(Gender::Female));
    assert_eq!(female.birth_date, Some(date(1995, 5, 20)));
}

#[test]
fn an_invoice_has_every_field_of_the_model() {
    let invoice = invoice(300_000_001, &parsed(INVOICE), Edition::Retail).unwrap();
    assert_eq!(invoice.code, InvoiceCode::new("HD010001.01"));
    assert_eq!(
        invoice.created_at,
        Some("2026-10-04T17:30:01Z".parse().unwrap())
    );
    assert_eq!(invoice.purchase_date, Some(date(2026, 10, 5)));
    assert_eq!(
        (invoice.status, invoice.sold_by_id, invoice.customer_id),
        (1, Some(5001), Some(20_000_001))
    );
    assert_eq!(invoice.total, money("5110000.50"));
    assert_eq!(invoice.discount, Some(money("1000")));
    assert_eq!(invoice.discount_ratio, Some(Decimal::new(25, 1)));
    assert_eq!(invoice.total_tax, Some(money("8")));
    let [first, second] = &invoice.lines[..] else {
        panic!("two lines")
    };
    assert_eq!(
        (first.quantity, first.discount),
        (Decimal::from(2), money("187000"))
    );
    assert_eq!(first.sub_total, Some(money("5100000")));
    assert_eq!(
        (second.quantity, second.discount, second.sub_total),
        (Decimal::new(125, 3), money("0"), None)
    );
    let surcharges: Vec<_> = invoice
        .surcharges
        .iter()
        .map(|s| (s.name.as_str(), s.amount))
        .collect();
    assert_eq!(
        surcharges,
        [
            ("Phí giao", money("25000")),
            ("THK2", money("7")),
            ("THK3", Money::ZERO)
        ]
    );
    assert_eq!(
        (invoice.pricing_mode, invoice.discount_after_tax),
        (None, None)
    );
}

#[test]
fn r3_the_members_of_shops_with_tax_are_read() {
    let mut with_tax = parsed(INVOICE);
    with_tax["totalTax"] = Value::Null;
    with_tax["pricingMode"] = json!(1);
    with_tax["discountAfterTax"] = json!(1100);
    with_tax["invoiceDetails"] = parsed(
        r#"[{"productCode":"SP1","quantity":1,"price":90909.0909090909,"allocationDiscount":0.5,
            "invoiceDetailTaxs":[{"detailTax":9091,"value":10,"priceAfterTax":100000,"discountAfterTax":5}]},
        {"productCode":"SP2","quantity":2,"price":100,"priceAfterTax":108,"invoiceDetailTaxs":[{"detailTax":8}]},
        {"productCode":"SP3","quantity":2,"price":100,"invoiceDetailTaxs":"none"}]"#,
    );
    let invoice = invoice(300_000_001, &with_tax, Edition::Retail).unwrap();
    assert_eq!(invoice.total_tax, Some(money("9099")));
    assert_eq!(invoice.pricing_mode, Some(1));
    assert_eq!(invoice.discount_after_tax, Some(money("1100")));
    let with_tax: Vec<_> = invoice
        .lines
        .iter()
        .map(|line| (line.price, line.price_after_tax, line.discount_after_tax))
        .collect();
    assert_eq!(
        with_tax,
        [
            (
                money("90909.0909090909"),
                Some(money("100000")),
                Some(money("5"))
            ),
            (money("100"), Some(money("108")), None),
            (money("100"), None, None),
        ]
    );
}

#[test]
fn a_walk_in_invoice_in_pascal_case_with_one_line_as_an_object() {
    let value = json!({"Id": 1, "Code": "HD1", "Total": 0, "Status": 3, "CustomerId": 0, "SoldById": 0,
        "InvoiceDetails": {"ProductCode": "SP1", "Quantity": 1, "Price": 5}});
    let invoice = invoice(1, &value, Edition::Retail).unwrap();
    assert_eq!(
        (invoice.customer_id, invoice.sold_by_id, invoice.lines.len()),
        (None, None, 1)
    );
    assert_eq!(
        (invoice.discount, invoice.discount_ratio, invoice.created_at),
        (None, None, None)
    );
    assert!(invoice.surcharges.is_empty());
}

#[test]
fn what_decides_is_read_exactly_or_refused() {
    let broken = |field: &str, value: Value| {
        let mut invoice_json = parsed(INVOICE);
        invoice_json[field] = value;
        invoice(300_000_001, &invoice_json, Edition::Retail)
            .unwrap_err()
            .to_string()
    };
    for (field, value, error) in [
        (
            "id",
            json!(300_000_002),
            "the field `id` is another record's",
        ),
        ("id", json!(null), "the field `id` is missing"),
        ("code", json!(" "), "the field `code` is missing"),
        ("total", json!(null), "the field `total` is missing"),
        ("total", json!("5"), "the field `total` is not a number"),
        ("status", json!(null), "the field `status` is missing"),
        (
            "createdDate",
            json!("soon"),
            "the field `createdDate` is not a time",
        ),
        (
            "invoiceDetails",
            json!(null),
            "the field `invoiceDetails` is missing",
        ),
        (
            "invoiceDetails",
            json!([5]),
            "the field `invoiceDetails` is not an object",
        ),
        (
            "invoiceDetails",
            json!([{"price": 5}]),
            "the field `quantity` is missing",
        ),
        (
            "invoiceDetails",
            json!([{"quantity": 5}]),
            "the field `price` is missing",
        ),
        (
            "invoiceOrderSurcharges",
            json!([{"name": "x", "price": "1.000"}]),
            "the field `price` is not a number",
        ),
    ] {
        assert_eq!(broken(field, value), error);
    }
    assert!(customer(6, &json!({"id": 5})).is_err());
    assert!(customer(5, &json!([])).is_err());
}

#[test]
fn r2_province_and_district_are_told_apart() {
    for (location, expected) in [
        (
            "Hà Nội - Quận Hai Bà Trưng",
            ("Hà Nội", "Quận Hai Bà Trưng"),
        ),
        ("Hà Nội", ("Hà Nội", "")),
        (
            "Bà Rịa - Vũng Tàu - Thành phố Vũng Tàu",
            ("Bà Rịa - Vũng Tàu", "Thành phố Vũng Tàu"),
        ),
        ("Bà Rịa - Vũng Tàu", ("Bà Rịa - Vũng Tàu", "")),
        ("Phan Rang-Tháp Chàm", ("Phan Rang-Tháp Chàm", "")),
        ("", ("", "")),
    ] {
        let (province, district) = areas(location);
        assert_eq!(
            (province.as_str(), district.as_str()),
            expected,
            "{location}"
        );
    }
}

#[test]
fn r3_the_mark_of_a_deletion_is_no_part_of_a_name() {
    let mut marked = parsed(INVOICE);
    marked["code"] = json!("HD010001.01{DEL}");
    marked["customerName"] = json!("Khách Thử{DEL}");
    marked["invoiceDetails"][0]["productCode"] = json!("SP1{DEL}");
    marked["invoiceDetails"][0]["productName"] = json!("Hàng 1{DEL}");
    let invoice = invoice(300_000_001, &marked, Edition::Retail).unwrap();
    assert_eq!(invoice.code.as_str(), "HD010001.01");
    assert_eq!(invoice.customer_name, "Khách Thử");
    let lines: Vec<_> = invoice
        .lines
        .iter()
        .map(|line| {
            (
                line.product_code.as_str(),
                line.product_name.as_str(),
                line.is_deleted,
            )
        })
        .collect();
    assert_eq!(lines, [("SP1", "Hàng 1", true), ("SP2", "Hàng 2", false)]);
    let customer = customer(
        5,
        &json!({"id": 5, "code": "KH5{DEL}", "name": "An {del}1"}),
    )
    .unwrap();
    assert_eq!(
        (customer.code.as_str(), customer.name.as_str()),
        ("KH5", "An")
    );
}

#[test]
fn details_that_cannot_be_read_are_left_out_and_named() {
    let mut broken = parsed(CUSTOMER);
    broken["birthDate"] = json!("0000-05-20T00:00:00.0000000");
    broken["gender"] = json!("nam");
    broken["comments"] = json!(["VIP"]);
    let customer = customer(20_000_001, &broken).unwrap();
    assert_eq!((customer.birth_date, customer.gender), (None, None));
    assert_eq!(customer.name, "Khách Thử");
    assert_eq!(customer.unreadable, ["gender", "birthDate", "comments"]);
    for field in ["contactNumber", "email", "createdDate"] {
        let mut broken = parsed(CUSTOMER);
        broken[field] = json!({});
        assert!(super::customer(20_000_001, &broken).is_err(), "{field}");
    }
    let mut broken = parsed(INVOICE);
    broken["soldById"] = json!("Lan");
    broken["customerName"] = json!(false);
    let invoice = invoice(300_000_001, &broken, Edition::Retail).unwrap();
    assert_eq!(
        (invoice.sold_by_id, invoice.customer_name.as_str()),
        (None, "")
    );
    assert_eq!(invoice.unreadable, ["soldById", "customerName"]);
}

#[test]
fn members_of_an_invoice_that_decide_nothing_are_left_out_and_named() {
    let mut broken = parsed(INVOICE);
    for field in ["discountRatio", "discountAfterTax", "pricingMode"] {
        broken[field] = json!("mười");
    }
    broken["discount"] = json!(1000);
    broken["invoiceOrderSurcharges"] = json!([{"surchargeName": {}, "price": 5000}]);
    let read = invoice(300_000_001, &broken, Edition::Retail).unwrap();
    assert_eq!(read.discount_ratio, None);
    assert_eq!(read.surcharges[0].amount, Money::dong(5000).unwrap());
    let named = [
        "surchargeName",
        "discountRatio",
        "discountAfterTax",
        "pricingMode",
    ];
    assert_eq!(read.unreadable, named);
    // The discount is known from its ratio alone.
    broken["discount"] = json!(null);
    assert!(invoice(300_000_001, &broken, Edition::Retail).is_err());
}

#[test]
fn ids_below_one_name_no_record() {
    for id in [json!(0), json!(-1), json!(null), json!("x"), json!({})] {
        assert_eq!(
            listed(&json!({"id": id, "code": "KH1"}), Edition::Retail),
            None,
            "{id}"
        );
    }
    for row in [json!(null), json!([]), json!(5)] {
        assert_eq!(listed(&row, Edition::Retail), None, "{row}");
    }
    let row = json!({"id": 5, "code": {}, "createdDate": "soon", "status": "x"});
    let expected = Listed {
        id: 5,
        code: String::new(),
        created_at: None,
        modified_at: None,
        cancelled: false,
    };
    assert_eq!(listed(&row, Edition::Retail), Some(expected));
    assert_eq!(user(&json!({"id": -1, "givenName": 5})), Ok(None));
    assert!(customer(-1, &json!({"id": -1})).is_err());
    let mut walk_in = parsed(INVOICE);
    walk_in["customerId"] = json!(-1);
    assert_eq!(
        invoice(300_000_001, &walk_in, Edition::Retail)
            .unwrap()
            .customer_id,
        None
    );
}

#[test]
fn users_and_webhooks_are_read_and_a_webhooks_address_is_not_shown() {
    let user = user(&json!({"id": 7, "givenName": "An{DEL}", "mobilePhone": null}))
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            user.id,
            user.given_name.as_str(),
            user.mobile_phone.as_str()
        ),
        (7, "An", "")
    );
    let hook = webhook(
        &json!({"id": 500_218_992, "type": "customer.update", "url": "https://x/hooks/shop/tok",
        "isActive": false, "modifiedDate": "2026-10-05T00:00:00"}),
    )
    .unwrap();
    assert!(!hook.is_active);
    assert_eq!(hook.kind_type, "customer.update");
    assert!(!format!("{hook:?}").contains("tok"));
    assert!(webhook(&json!({"id": 1})).unwrap().is_active);
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(value in any_json()) {
        let _ = (customer(1, &value).is_ok(), any_invoice(&value, Edition::Retail).is_ok(), user(&value).is_ok());
        let _ = (listed(&value, Edition::Retail).is_some(), webhook(&value).is_ok());
        let inside = json!({"id": 1, "code": "x", "total": 1, "status": 1, "invoiceDetails": [value]});
        let _ = invoice(1, &inside, Edition::Retail);
    }
}
