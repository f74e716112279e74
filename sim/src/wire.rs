//! What both simulated vendors share on the wire: JSON answers, queries, Vietnam time, numbers.

use super::Response;
use bytes::Bytes;
use jiff::{
    Timestamp, civil,
    tz::{Offset, TimeZone},
};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

/// Vietnam keeps UTC+7 all year.
pub const VIETNAM: Offset = Offset::constant(7);

/// Wall time in Vietnam.
pub fn wall(at: Timestamp) -> civil::DateTime {
    VIETNAM.to_datetime(at)
}

/// The moment of a Vietnam wall time.
pub fn from_wall(at: civil::DateTime) -> Option<Timestamp> {
    TimeZone::fixed(VIETNAM).to_timestamp(at).ok()
}

/// `2021-11-19T15:01:00.3270000`: seven digits of fraction, no offset.
pub fn dotnet(at: civil::DateTime) -> String {
    format!(
        "{}.{:07}",
        at.strftime("%Y-%m-%dT%H:%M:%S"),
        at.subsec_nanosecond() / 100
    )
}

/// A JSON answer.
pub fn json(status: u16, body: &Value) -> Response {
    raw(
        status,
        "application/json; charset=utf-8",
        body.to_string().into_bytes(),
    )
}

/// An answer of any kind. A status that HTTP does not know becomes 500.
pub fn raw(status: u16, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    if !content_type.is_empty() {
        response.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static(content_type),
        );
    }
    response
}

/// Adds `Retry-After` in seconds.
pub fn retry_after(mut response: Response, seconds: u64) -> Response {
    response
        .headers_mut()
        .insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
    response
}

/// The query's pairs, decoded (so `[` and `%5B` are the same).
pub fn query(uri: &http::Uri) -> Vec<(String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

/// The last value of a query key.
pub fn find<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs
        .iter()
        .rev()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

/// A header as text; absent or not ASCII is empty.
pub fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// A decimal as a JSON number with every digit it has.
pub fn number(value: Decimal) -> Value {
    value
        .to_string()
        .parse::<Number>()
        .map_or(Value::Null, Value::Number)
}

/// A decimal from a JSON number or a text with one.
pub fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    text.parse()
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
}

/// An object without its null members: both vendors leave them out or never send them.
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
