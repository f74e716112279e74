//! Writing JSON: to the store, to people and to the vendors. A type lists its fields once more, and
//! everything goes through [`Value`]; derived code is several times as large in the component.

use serde::Serialize;
use serde_json::{Map, Value};

/// Something that can be written as JSON.
pub trait ToJson {
    /// Its JSON.
    fn to_json(&self) -> Value;
}

/// An object of these members.
pub fn object(members: Vec<(&str, Value)>) -> Value {
    let mut fields = Map::new();
    for (name, json) in members {
        fields.insert(name.to_owned(), json);
    }
    Value::Object(fields)
}

/// JSON values above which a text is not even parsed, so that memory stays bounded: each takes some
/// 60 bytes. An invoice of forty lines has about five hundred.
const MAX_VALUES: usize = 200_000;

/// A text from outside that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotJson {
    /// It has too many values.
    TooLarge,
    /// It is no JSON.
    Malformed,
}

/// Parses a text from outside.
pub fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    let values = || bytes.iter().filter(|b| matches!(b, b',' | b'[' | b'{'));
    // A shorter text cannot have so many, and need not be counted.
    if bytes.len() > MAX_VALUES && values().count() > MAX_VALUES {
        return Err(NotJson::TooLarge);
    }
    serde_json::from_slice(bytes).map_err(|_| NotJson::Malformed)
}

/// The text of `json`. Everything in this crate is written here: each further kind of writer is
/// more code.
pub fn text(json: &Value) -> Vec<u8> {
    // Writing a `Value` to memory cannot fail.
    serde_json::to_vec(json).unwrap_or_default()
}

impl<T: Serialize + ?Sized> ToJson for T {
    fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
