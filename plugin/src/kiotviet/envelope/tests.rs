use super::{super::assumptions::MAX_ITEMS, *};
use crate::kiotviet::fields::tests::any_json;
use proptest::prelude::*;
use serde_json::json;

fn items(body: &Value) -> Vec<Item> {
    parse(body.to_string().as_bytes(), MAX_ITEMS).unwrap().items
}

fn one(action: &str, data: Value) -> Item {
    let mut items = items(&json!({"Notifications": [{"Action": action, "Data": [data]}]}));
    assert_eq!(items.len(), 1);
    items.remove(0)
}

fn raw(item: &Item) -> Value {
    serde_json::from_slice(&item.raw).unwrap()
}

#[test]
fn a_customer_delivery_in_pascal_case() {
    let body = r#"{"Id":"0b8f","Attempt":2,"Notifications":[{"Action":"customer.update.500123456",
        "Data":[{"__type":"KiotViet.X, KiotViet","Id":20000001,"Code":"KH000123","Name":"Khách"}]}]}"#;
    let delivery = parse(body.as_bytes(), MAX_ITEMS).unwrap();
    assert_eq!((delivery.id.as_str(), delivery.attempt), ("0b8f", Some(2)));
    let [item] = &delivery.items[..] else {
        panic!("one item")
    };
    assert_eq!(item.action, "customer.update");
    assert_eq!(item.retailer_id, Some(500_123_456));
    assert_eq!(item.kind, Kind::Customer);
    assert_eq!(item.id, Some(20_000_001));
    assert_eq!(item.code.as_deref(), Some("KH000123"));
    assert_eq!(raw(item)["Name"], "Khách");
}

#[test]
fn an_invoice_delivery_in_camel_case_with_a_byte_order_mark() {
    let body = "\u{FEFF}{\"id\":7,\"attempt\":\"1\",\"notifications\":[{\"action\":\"Invoice.Update\",\
        \"data\":[{\"id\":300000001,\"code\":\"HD010001\"}]}]}";
    let delivery = parse(body.as_bytes(), MAX_ITEMS).unwrap();
    assert_eq!((delivery.id.as_str(), delivery.attempt), ("7", Some(1)));
    assert_eq!(delivery.items[0].kind, Kind::Invoice);
    assert_eq!(delivery.items[0].retailer_id, None);
    assert_eq!(delivery.items[0].id, Some(300_000_001));
}

#[test]
fn only_two_types_are_synced_whatever_follows_them() {
    for (action, kind, name, retailer_id) in [
        (
            "customer.update.500",
            Kind::Customer,
            "customer.update",
            Some(500),
        ),
        (
            " CUSTOMER.UPDATE.500 ",
            Kind::Customer,
            "customer.update",
            Some(500),
        ),
        ("invoice.update", Kind::Invoice, "invoice.update", None),
        ("invoice.update.shop", Kind::Invoice, "invoice.update", None),
        (
            "invoice.update.5.6.7",
            Kind::Invoice,
            "invoice.update",
            Some(5),
        ),
        (
            "customer.update.99999999999999999999",
            Kind::Customer,
            "customer.update",
            None,
        ),
        ("order.update.500", Kind::Other, "order.update", Some(500)),
        (
            "product.update.500",
            Kind::Other,
            "product.update",
            Some(500),
        ),
        (
            "customer.delete.500",
            Kind::Other,
            "customer.delete",
            Some(500),
        ),
        (
            "customer.updated.500",
            Kind::Other,
            "customer.updated",
            Some(500),
        ),
        (
            "xcustomer.update.500",
            Kind::Other,
            "xcustomer.update",
            Some(500),
        ),
        ("customer", Kind::Other, "customer", None),
        ("", Kind::Other, "", None),
    ] {
        let item = one(action, json!({"Id": 1}));
        assert_eq!(
            (item.kind, item.action.as_str(), item.retailer_id),
            (kind, name, retailer_id),
            "{action}"
        );
    }
}

#[test]
fn every_item_of_every_notification_is_kept() {
    let items = items(&json!({"Notifications": [
        {"Action": "customer.update.5", "Data": [{"Id": 1}, {"Id": 2}]},
        {"Action": "invoice.update.5", "Data": {"Id": 3}},
        {"Action": "invoice.update.5", "Data": []},
        {"Action": "invoice.update.5"},
        "noise",
    ]}));
    let seen: Vec<_> = items.iter().map(|item| (item.kind, item.id)).collect();
    assert_eq!(
        seen,
        [
            (Kind::Customer, Some(1)),
            (Kind::Customer, Some(2)),
            (Kind::Invoice, Some(3)),
            (Kind::Other, None),
        ]
    );
}

#[test]
fn an_unreadable_id_is_none_and_the_item_stays() {
    for data in [
        json!({}),
        json!({"Id": null}),
        json!({"Id": 0}),
        json!({"Id": -5}),
        json!({"Id": 1.5}),
        json!({"Id": "KH"}),
        json!({"Id": {}}),
        json!(null),
        json!("KH000123"),
        json!([]),
    ] {
        let item = one("customer.update.5", data.clone());
        assert_eq!((item.kind, item.id), (Kind::Customer, None), "{data}");
        assert_eq!(raw(&item), data);
    }
    assert_eq!(one("customer.update.5", json!({"Id": "42"})).id, Some(42));
    assert_eq!(one("customer.update.5", json!(42)).id, Some(42));
}

#[test]
fn both_shapes_of_a_deletion_are_other_items() {
    let listed = items(
        &json!({"Id": "x", "Notifications": [{"Action": "customer.delete.5", "Data": [8, 9]}]}),
    );
    let removed = items(&json!({"RemoveId": [8, 9]}));
    for (items, action) in [(listed, "customer.delete"), (removed, "")] {
        let seen: Vec<_> = items
            .iter()
            .map(|i| (i.kind, i.id, i.action.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (Kind::Other, Some(8), action),
                (Kind::Other, Some(9), action)
            ]
        );
    }
    assert_eq!(items(&json!({"removeId": []})).len(), 1);
    assert_eq!(items(&json!({"RemoveId": 8}))[0].id, Some(8));
    // A deletion that claims to be an update is not synced either.
    assert_eq!(
        items(&json!({"RemoveId": [8], "Action": "customer.update.5"}))[0].kind,
        Kind::Other
    );
}

#[test]
fn an_empty_delivery_has_no_items() {
    assert!(items(&json!({"Notifications": []})).is_empty());
    assert!(
        items(&json!({"Notifications": [{"Action": "customer.update", "Data": null}]})).is_empty()
    );
}

#[test]
fn anything_else_is_no_envelope() {
    let many = json!({"RemoveId": vec![1; MAX_ITEMS + 1]}).to_string();
    for (body, why) in [
        (&b""[..], "not JSON"),
        (b"<html>", "not JSON"),
        (b"{\"Notifications\":[}", "not JSON"),
        (b"\xFF\xFE{}", "not JSON"),
        (b"[]", "not an object"),
        (b"5", "not an object"),
        (b"{}", "neither Notifications nor RemoveId"),
        (
            b"{\"Notifications\":null}",
            "neither Notifications nor RemoveId",
        ),
        (b"{\"Notifications\":\"x\"}", "Notifications is not a list"),
        (many.as_bytes(), "too many items"),
    ] {
        let read = parse(body, MAX_ITEMS).map_err(NotAnEnvelope::as_str);
        assert_eq!(read, Err(why));
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        parse(deep.as_bytes(), MAX_ITEMS),
        Err(NotAnEnvelope::NotJson)
    );
    assert_eq!(
        items(&json!({"RemoveId": vec![1; MAX_ITEMS]})).len(),
        MAX_ITEMS
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body, MAX_ITEMS);
    }

    #[test]
    fn no_json_makes_it_panic_and_ids_are_positive(value in any_json(), data in any_json()) {
        let _ = parse(value.to_string().as_bytes(), MAX_ITEMS);
        let body = json!({"Notifications": [{"Action": "customer.update.5", "Data": [data.clone()]}, value]});
        let items = items(&body);
        prop_assert_eq!(raw(&items[0]), data);
        prop_assert!(items.iter().all(|item| item.id.is_none_or(|id| id > 0)));
    }
}
