//! The JSON of what is kept in the store. A type lists its fields or words once more, and what is
//! generated from that goes through [`Value`]; derived code, which reads the text by itself, is several
//! times as large in the component.

use crate::{
    json::{self, ToJson},
    rules::{
        codes::{AccountCode, OrderCode, RetailerId},
        matching::MatchedBy,
        money::Money,
        verdict::Outcome,
    },
    time::{Date, Timestamp},
};
use serde_json::Value;

/// What is stored is not what was written; tells where, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is missing or malformed")]
pub struct Damaged(&'static str);

impl Damaged {
    /// The value itself.
    pub const VALUE: Self = Self("the value");
}

/// Something that is kept in the store.
pub trait Stored: Sized {
    /// From its JSON; `null` when there is none.
    fn from_json(json: &Value) -> Result<Self, Damaged>;
}

/// Reads a stored value.
pub fn read<T: Stored>(bytes: &[u8]) -> Result<T, Damaged> {
    let json = serde_json::from_slice(bytes).map_err(|_| Damaged("the JSON"))?;
    T::from_json(&json)
}

/// Whether both are the same. In WebAssembly `==` goes byte by byte; this is for what is compared often, and
/// never for what somebody offers to be let in.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b) && a_rest == b_rest
}

/// The bytes of a value to be stored.
pub fn write(value: &impl ToJson) -> Vec<u8> {
    json::text(&value.to_json())
}

/// Whether a field of this value may be left out: it is read alike when it is not there.
pub fn may_be_missing(json: &Value) -> bool {
    match json {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Reads a field; what is not there is read like `null`.
pub fn field<T: Stored>(json: &Value, name: &'static str) -> Result<T, Damaged> {
    let value = T::from_json(json.get(name).unwrap_or(&Value::Null));
    value.map_err(|e| {
        if e == Damaged::VALUE {
            Damaged(name)
        } else {
            e
        }
    })
}

/// `{"name": json}`: a variant with its content.
pub fn variant(name: &str, json: Value) -> Value {
    json::object(vec![(name, json)])
}

/// The name and content of a variant; a text is a variant without content.
pub fn read_variant(json: &Value) -> Result<(&str, &Value), Damaged> {
    let found = match json {
        Value::String(name) => Some((name.as_str(), &Value::Null)),
        Value::Object(fields) => fields
            .iter()
            .next()
            .map(|(name, json)| (name.as_str(), json)),
        _ => None,
    };
    found.ok_or(Damaged::VALUE)
}

/// `stored_fields!(Type { field, … })`: a structure is an object of its fields.
macro_rules! stored_fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        $crate::json::json_fields!($type { $($field),* });

        impl $crate::stored::Stored for $type {
            fn from_json(json: &serde_json::Value) -> Result<Self, $crate::stored::Damaged> {
                Ok(Self { $($field: $crate::stored::field(json, stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use stored_fields;

/// `stored_words!(Type { Variant = "word", … })`: each variant is a word.
macro_rules! stored_words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $crate::json::ToJson for $type {
            fn to_json(&self) -> serde_json::Value {
                let word = match self {
                    $(Self::$variant => $word,)*
                };
                serde_json::Value::from(word)
            }
        }

        impl $crate::stored::Stored for $type {
            fn from_json(json: &serde_json::Value) -> Result<Self, $crate::stored::Damaged> {
                match json.as_str() {
                    $(Some($word) => Ok(Self::$variant),)*
                    _ => Err($crate::stored::Damaged::VALUE),
                }
            }
        }
    };
}
pub(crate) use stored_words;

macro_rules! stored_numbers {
    ($($type:ident from $read:ident),*) => {$(
        impl Stored for $type {
            fn from_json(json: &Value) -> Result<Self, Damaged> {
                let number = json.$read().and_then(|n| n.try_into().ok());
                number.ok_or(Damaged::VALUE)
            }
        }
    )*};
}

stored_numbers!(i64 from as_i64, u64 from as_u64, usize from as_u64, u32 from as_u64, u16 from as_u64);

impl Stored for bool {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match json {
            Value::Null => Ok(false),
            Value::Bool(value) => Ok(*value),
            _ => Err(Damaged::VALUE),
        }
    }
}

fn text(json: &Value) -> Result<&str, Damaged> {
    json.as_str().ok_or(Damaged::VALUE)
}

impl Stored for String {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        text(json).map(str::to_owned)
    }
}

impl Stored for Timestamp {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        text(json)?.parse().map_err(|_| Damaged::VALUE)
    }
}

impl Stored for Date {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        text(json)?.parse().map_err(|_| Damaged::VALUE)
    }
}

impl Stored for Money {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match json {
            Value::Number(number) => Self::parse(number).map_err(|_| Damaged::VALUE),
            _ => Err(Damaged::VALUE),
        }
    }
}

impl<T: Stored> Stored for Option<T> {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match json {
            Value::Null => Ok(None),
            some => T::from_json(some).map(Some),
        }
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match json {
            Value::Null => Ok(Self::new()),
            Value::Array(items) => items.iter().map(T::from_json).collect(),
            _ => Err(Damaged::VALUE),
        }
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match json.as_array().map(Vec::as_slice) {
            Some([a, b]) => Ok((A::from_json(a)?, B::from_json(b)?)),
            _ => Err(Damaged::VALUE),
        }
    }
}

macro_rules! stored_codes {
    ($($type:ident by $from_text:expr),*) => {$(
        impl Stored for $type {
            fn from_json(json: &Value) -> Result<Self, Damaged> {
                text(json).and_then($from_text)
            }
        }
    )*};
}

stored_codes!(
    AccountCode by |code| Ok(AccountCode::existing(code.to_owned())),
    OrderCode by |code| Ok(OrderCode::existing(code.to_owned())),
    RetailerId by |name| RetailerId::parse(name).map_err(|_| Damaged::VALUE)
);
stored_words!(MatchedBy { Email = "email", Phone = "phone" });
stored_words!(Outcome { Created = "created", Linked = "linked", Ignored = "ignored" });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Default, PartialEq, Eq)]
    struct All {
        number: u32,
        text: String,
        flag: bool,
        none: Option<i64>,
        pairs: Vec<(String, u16)>,
    }
    stored_fields!(All {
        number,
        text,
        flag,
        none,
        pairs
    });

    #[test]
    fn what_is_written_is_read_and_what_is_empty_may_be_missing() {
        let empty = All::default();
        assert_eq!(
            empty.to_json(),
            json!({"number": 0, "text": "", "flag": false, "none": null, "pairs": []})
        );
        assert_eq!(read(br#"{"number": 0, "text": ""}"#), Ok(All::default()));
        assert_eq!(read(&write(&empty)), Ok(empty));
        let full = All {
            number: 7,
            text: "ấ\"\\\u{0}".to_owned(),
            flag: true,
            none: Some(i64::MIN),
            pairs: vec![("a".to_owned(), 1), ("b".to_owned(), 65535)],
        };
        assert_eq!(read(&write(&full)), Ok(full));
    }

    #[test]
    fn damage_is_told_by_its_place() {
        for (json, place) in [
            ("{", "the JSON"),
            ("7", "number"),
            ("{}", "number"),
            (r#"{"number": -1}"#, "number"),
            (r#"{"number": 1.5}"#, "number"),
            (r#"{"number": 4294967296}"#, "number"),
            (r#"{"number": 1}"#, "text"),
            (r#"{"number": 1, "text": 1}"#, "text"),
            (r#"{"number": 1, "text": "", "flag": "true"}"#, "flag"),
            (
                r#"{"number": 1, "text": "", "pairs": [["a", 1], ["a"]]}"#,
                "pairs",
            ),
        ] {
            assert_eq!(read::<All>(json.as_bytes()), Err(Damaged(place)), "{json}");
        }
        assert_eq!(read::<Outcome>(b"\"lost\""), Err(Damaged::VALUE));
        assert_eq!(Damaged("seq").to_string(), "seq is missing or malformed");
    }

    #[test]
    fn bytes_are_the_same_only_when_each_of_them_is() {
        let all: Vec<u8> = (0..40).collect();
        for length in 0..all.len() {
            let a = &all[..length];
            assert!(is_same(a, &all.clone()[..length]));
            assert!(!is_same(a, &all[..=length]) && !is_same(&all[..=length], a));
            for changed in 0..length {
                let mut b = a.to_vec();
                b[changed] ^= 1;
                assert!(!is_same(a, &b));
            }
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in ["2026-10-05T09:30:15Z", "2026-10-05T09:30:15.1234567Z"] {
            let json = format!("\"{text}\"").into_bytes();
            let read: Timestamp = self::read(&json).unwrap();
            assert_eq!(write(&read), json);
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        assert_eq!(Outcome::Created.to_json(), json!("created"));
        for outcome in [Outcome::Created, Outcome::Linked, Outcome::Ignored] {
            assert_eq!(Outcome::from_json(&outcome.to_json()), Ok(outcome));
        }
        for by in [MatchedBy::Email, MatchedBy::Phone] {
            assert_eq!(MatchedBy::from_json(&by.to_json()), Ok(by));
        }
    }
}
