use super::*;
use proptest::prelude::*;
use serde_json::json;

fn fields(value: &Value) -> Fields<'_> {
    Fields::of(value, "record").unwrap()
}

/// JSON from its text, so that numbers keep their digits.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn names_match_in_any_case_and_the_exact_one_wins() {
    let value = json!({"CODE": "upper", "Code": "pascal", "code": "exact", "MobilePhone": "1", "name": null, "Name": "N"});
    assert_eq!(fields(&value).text("code").unwrap(), "exact");
    assert_eq!(fields(&value).text("mobilePhone").unwrap(), "1");
    assert_eq!(fields(&value).text("name").unwrap(), "N");
    assert_eq!(fields(&value).text("email").unwrap(), "");
}

#[test]
fn a_text_may_come_as_a_number_and_keeps_its_digits() {
    let value = parsed(r#"{"a":"0912","b":912345678,"c":1.50,"d":null,"e":true,"f":[]}"#);
    let read = |name| fields(&value).text(name);
    assert_eq!(read("a").unwrap(), "0912");
    assert_eq!(read("b").unwrap(), "912345678");
    assert_eq!(read("c").unwrap(), "1.50");
    assert_eq!(read("d").unwrap(), "");
    assert_eq!(
        read("e").unwrap_err().to_string(),
        "the field `e` is not a text"
    );
    assert!(read("f").is_err());
}

#[test]
fn whole_numbers_have_64_bits_and_no_fraction() {
    for (text, number) in [
        ("1009707292000", Some(1_009_707_292_000)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-1", Some(-1)),
        ("5.0", Some(5)),
        ("5.5", None),
        ("1e3", Some(1000)),
        ("1e99", None),
        ("\" 42 \"", Some(42)),
        ("\"\"", None),
        ("\"KH\"", None),
        ("true", None),
        ("{}", None),
    ] {
        let value = parsed(&format!(r#"{{"id":{text}}}"#));
        assert_eq!(
            fields(&value).integer("id").ok().flatten(),
            number,
            "{text}"
        );
        assert_eq!(
            fields(&value).integer("id").is_ok(),
            number.is_some(),
            "{text}"
        );
    }
    assert_eq!(fields(&json!({"id": 0})).reference("id"), Ok(None));
    assert_eq!(fields(&json!({"id": null})).integer("id"), Ok(None));
}

#[test]
fn amounts_come_from_the_digits_never_through_floating_point() {
    let value = parsed(
        r#"{"a":0.1,"b":149000.0,"c":12345678901234.56,"d":1.5e3,"e":"5","f":null,"g":1e99}"#,
    );
    let read = |name| fields(&value).decimal(name);
    assert_eq!(read("a").unwrap(), Some(Decimal::new(1, 1)));
    assert_eq!(read("b").unwrap(), Some(Decimal::from(149_000)));
    assert_eq!(read("c").unwrap().unwrap().to_string(), "12345678901234.56");
    assert_eq!(read("d").unwrap(), Some(Decimal::from(1500)));
    assert_eq!(read("e").unwrap_err().problem, "is not a number");
    assert_eq!(read("f").unwrap(), None);
    assert!(read("g").is_err());
    assert_eq!(
        fields(&value).money("c").unwrap(),
        Some(Money::parse(&"12345678901234.56".parse().unwrap()).unwrap())
    );
    assert!(fields(&value).money("e").is_err());
}

#[test]
fn lists_objects_and_booleans_are_what_they_say() {
    let value = json!({"a": [1, 2], "b": {"C": 1}, "d": true, "e": "true"});
    assert_eq!(fields(&value).array("a").unwrap().unwrap().len(), 2);
    assert_eq!(fields(&value).array("b").unwrap().unwrap().len(), 1);
    assert!(fields(&value).array("d").is_err());
    assert_eq!(fields(&value).array("x"), Ok(None));
    assert_eq!(
        fields(&value).object("b").unwrap().unwrap().integer("c"),
        Ok(Some(1))
    );
    assert!(fields(&value).object("a").is_err());
    assert_eq!(fields(&value).boolean("d"), Ok(Some(true)));
    assert!(fields(&value).boolean("e").is_err());
    assert!(Fields::of(&json!([]), "record").is_err());
}

#[test]
fn times_that_mean_none_are_none_and_unreadable_ones_are_errors() {
    let value = json!({"a": "", "b": "0001-01-01T00:00:00.0000000", "c": "1995-05-20T00:00:00", "d": "x", "e": 5});
    assert_eq!(fields(&value).time("a"), Ok(None));
    assert_eq!(fields(&value).time("b"), Ok(None));
    assert_eq!(fields(&value).date("b"), Ok(None));
    assert_eq!(
        fields(&value).date("c"),
        Ok(Some(crate::time::tests::date(1995, 5, 20)))
    );
    assert_eq!(
        fields(&value).time("d").unwrap_err().problem,
        "is not a time"
    );
    assert!(fields(&value).date("e").is_err());
}

/// Any JSON, a few levels deep, with the names that the code reads among its keys.
pub(in crate::kiotviet) fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("Id"),
        Just("id"),
        Just("Code"),
        Just("Data"),
        Just("data"),
        Just("Action"),
        Just("RemoveId"),
        Just("Notifications"),
        Just("notifications"),
        Just("Attempt"),
        Just("total"),
        Just("invoiceDetails"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        Just(json!("customer.update.5")),
        Just(json!("invoice.update")),
        Just(json!("2026-10-05T09:30:15")),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_makes_a_getter_panic(value in any_json()) {
        let value = json!({"x": value});
        let view = fields(&value);
        let _ = (view.text("X"), view.integer("x"), view.decimal("x"), view.money("x"), view.boolean("x"));
        let _ = (view.array("x"), view.object("x").is_ok(), view.time("x"), view.date("x"), view.reference("x"));
    }
}
