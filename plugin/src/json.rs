//! Writing JSON: to the store, to people and to the vendors. A type lists its fields once more, and
//! everything goes through [`Value`]; derived code is several times as large in the component.

use crate::{
    rules::{
        codes::{AccountCode, InvoiceCode, OrderCode, RetailerId},
        money::{self, Money},
        verdict::Reason,
    },
    time::{Date, Timestamp},
};
use rust_decimal::Decimal;
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

/// Writes the text of an object of these members, whose names need no escapes. It spares the [`Map`], for
/// what is written often.
pub fn write_object(out: &mut Vec<u8>, members: impl Iterator<Item = (&'static str, Value)>) {
    out.push(b'{');
    for (n, (name, json)) in members.enumerate() {
        out.extend_from_slice(if n == 0 { b"\"" } else { b",\"" });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        out.extend_from_slice(&text(&json));
    }
    out.push(b'}');
}

/// `json_fields!(Type { field, … })`: a structure is an object of its fields.
macro_rules! json_fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl $type {
            fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
                vec![$((stringify!($field), $crate::json::ToJson::to_json(&self.$field)),)*]
            }
        }

        impl $crate::json::ToJson for $type {
            fn to_json(&self) -> serde_json::Value {
                $crate::json::object(self.members())
            }
        }
    };
}
pub(crate) use json_fields;

macro_rules! json_numbers {
    ($($type:ident),*) => {$(
        impl ToJson for $type {
            fn to_json(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}

json_numbers!(i64, u64, usize, u32, u16, bool);

macro_rules! json_texts {
    ($($type:ident as $text:ident),*) => {$(
        impl ToJson for $type {
            fn to_json(&self) -> Value {
                Value::from(self.$text())
            }
        }
    )*};
}

json_texts!(
    str as to_owned,
    String as as_str,
    AccountCode as as_str,
    InvoiceCode as as_str,
    OrderCode as as_str,
    RetailerId as as_str,
    Reason as as_str,
    Date as to_string,
    Timestamp as to_string
);

impl ToJson for Money {
    fn to_json(&self) -> Value {
        Value::Number(self.to_number())
    }
}

impl ToJson for Decimal {
    fn to_json(&self) -> Value {
        Value::Number(money::to_number(*self))
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Value {
        (**self).to_json()
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(T::to_json).collect())
    }
}

impl<A: ToJson, B: ToJson> ToJson for (A, B) {
    fn to_json(&self) -> Value {
        Value::Array(vec![self.0.to_json(), self.1.to_json()])
    }
}
