//! The members of a record and the kinds of their values, without any value: what an edition that nobody has tried
//! sends.

use crate::world::Member;
use serde_json::{Map, Value};

/// Records within records are looked into this deep.
const DEEPEST: usize = 4;
/// The longest name that is told.
const LONGEST: usize = 40;

/// Each member of a record, in no order; a list tells all kinds of its items.
pub fn shape(record: &Value) -> Vec<Member> {
    let mut found = Vec::new();
    if let Value::Object(members) = record {
        object(members, "", DEEPEST, &mut found);
    }
    found
}

fn object(members: &Map<String, Value>, before: &str, deep: usize, found: &mut Vec<Member>) {
    for (name, value) in members {
        // A name of another form may hold data.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let name = match begins && name.chars().all(plain) && name.len() <= LONGEST {
            true => name.as_str(),
            false => "?",
        };
        add(value, &format!("{before}{name}"), deep, found);
    }
}

fn add(value: &Value, place: &str, deep: usize, found: &mut Vec<Member>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(text) if text.is_empty() => "empty text",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    let member = (place.to_owned(), kind);
    if !found.contains(&member) {
        found.push(member);
    }
    match (value, deep.checked_sub(1)) {
        (Value::Object(members), Some(deep)) => object(members, &format!("{place}."), deep, found),
        (Value::Array(items), Some(deep)) => {
            for item in items {
                add(item, &format!("{place}[]"), deep, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_and_kinds_are_told_and_no_value() {
        let record = json!({
            "id": 7, "statusValue": "Hoàn thành", "note": "", "customerId": null, "0912 345 678": true,
            "invoiceDetails": [{"price": 1.5}, {"price": "x", "toppings": [{"name": "Trân châu"}]}],
        });
        let mut told: Vec<String> = shape(&record)
            .into_iter()
            .map(|(place, kind)| format!("{place} {kind}"))
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "? boolean",
                "customerId null",
                "id number",
                "invoiceDetails list",
                "invoiceDetails[] object",
                "invoiceDetails[].price number",
                "invoiceDetails[].price text",
                "invoiceDetails[].toppings list",
                "invoiceDetails[].toppings[] object",
                "invoiceDetails[].toppings[].name text",
                "note empty text",
                "statusValue text",
            ]
        );
    }
}
