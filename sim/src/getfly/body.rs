//! The content of request and answer bodies.

use crate::{Response, wire};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A refusal: `{"message", "errors": {field: [text]}}`.
pub(super) fn refuse(field: &str, text: &str) -> Response {
    // ASSUMPTION: errors are arrays of texts and the message repeats them; clients accept both.
    wire::json(400, &json!({"message": text, "errors": {field: [text]}}))
}

/// A field's label in Getfly's forms; its name if it has none.
pub(super) fn label(field: &str) -> &str {
    match field {
        "account_name" => "Tên khách hàng",
        "account_code" => "Mã khách hàng",
        "phone_office" | "account_phone" => "Số điện thoại",
        "email" | "account_email" => "Email",
        "billing_address_street" | "account_address" => "Địa chỉ",
        "birthday" => "Ngày sinh",
        "sic_code" => "Mã số thuế",
        "gender" => "Giới tính",
        "account_manager_username" => "Người phụ trách",
        other => other,
    }
}

pub(super) fn not_found() -> Response {
    // ASSUMPTION: the body of a 404 is unknown.
    wire::json(404, &json!({"message": "Not found"}))
}

/// Wall time as Getfly prints it.
pub(super) fn printed(at: Timestamp) -> String {
    wire::wall(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A text member; a number counts as its digits, anything else as empty.
pub(super) fn text(body: &Value, key: &str) -> String {
    match body.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// A text member that is neither absent nor empty.
pub(super) fn given(body: &Value, key: &str) -> Option<String> {
    Some(text(body, key)).filter(|text| !text.is_empty())
}
