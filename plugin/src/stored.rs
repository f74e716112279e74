//! The bytes of stored values: JSON of types that derive it. A deserializer of our own reads them
//! from a [`Value`]. `serde_json`'s reads the text itself, reads structures from lists too, and
//! explains which value was wrong; that makes the derived code in the component three times as
//! large. Ours names the member only, and never shows a value.

use crate::json;
use core::fmt;
use serde::{
    Serialize,
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
        Unexpected, VariantAccess, Visitor, value::StrDeserializer,
    },
};
use serde_json::{Map, Value, map};

/// A stored value that is not what was written. It names the member, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is missing or malformed")]
pub struct Damaged(&'static str);

impl Damaged {
    /// The problem is the value itself.
    const VALUE: Self = Self("the value");
}

/// A type's own words about a value are dropped.
impl Error for Damaged {
    fn custom<T: fmt::Display>(_what: T) -> Self {
        Self::VALUE
    }

    fn invalid_type(_found: Unexpected<'_>, _expected: &dyn serde::de::Expected) -> Self {
        Self::VALUE
    }

    fn invalid_value(_found: Unexpected<'_>, _expected: &dyn serde::de::Expected) -> Self {
        Self::VALUE
    }

    fn invalid_length(_found: usize, _expected: &dyn serde::de::Expected) -> Self {
        Self::VALUE
    }

    fn unknown_variant(_found: &str, _expected: &'static [&'static str]) -> Self {
        Self::VALUE
    }

    fn missing_field(name: &'static str) -> Self {
        Self(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self(name)
    }
}

/// Reads a stored value. Members that its type does not name are passed over.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damaged> {
    let json = serde_json::from_slice(bytes).map_err(|_| Damaged("the JSON"))?;
    T::deserialize(Reader(&json))
}

/// The bytes of a value to be stored.
pub fn write(value: &impl Serialize) -> Vec<u8> {
    json::text(value)
}

/// Whether both are the same. In WebAssembly `==` goes byte by byte; this is for frequent
/// comparisons, and never for a token or password.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b) && a_rest == b_rest
}

/// Reads a type out of JSON that is parsed already.
pub struct Reader<'v>(pub &'v Value);

macro_rules! read_numbers {
    ($($deserialize:ident as $get:ident, $visit:ident;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
            visitor.$visit(self.0.$get().ok_or(Damaged::VALUE)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Damaged;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => {
                let read = number.clone().deserialize_any(visitor);
                read.map_err(|_| Damaged::VALUE)
            }
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter())),
            Value::Object(members) => visitor.visit_map(Members::of(members, &[])),
        }
    }

    read_numbers!(
        deserialize_bool as as_bool, visit_bool;
        deserialize_i8 as as_i64, visit_i64;
        deserialize_i16 as as_i64, visit_i64;
        deserialize_i32 as as_i64, visit_i64;
        deserialize_i64 as as_i64, visit_i64;
        deserialize_u8 as as_u64, visit_u64;
        deserialize_u16 as as_u64, visit_u64;
        deserialize_u32 as as_u64, visit_u64;
        deserialize_u64 as as_u64, visit_u64;
        deserialize_f32 as as_f64, visit_f64;
        deserialize_f64 as as_f64, visit_f64;
        deserialize_str as as_str, visit_str;
        deserialize_string as as_str, visit_str;
        deserialize_identifier as as_str, visit_str;
        deserialize_char as as_str, visit_str;
    );

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        let items = self.0.as_array().ok_or(Damaged::VALUE)?;
        let mut items = Items(items.iter());
        let read = visitor.visit_seq(&mut items)?;
        match items.0.next() {
            None => Ok(read),
            Some(_) => Err(Damaged::VALUE),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        let members = self.0.as_object().ok_or(Damaged::VALUE)?;
        visitor.visit_map(Members::of(members, fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        let variant = match self.0 {
            Value::String(name) => Some((name, &Value::Null)),
            Value::Object(members) => members.iter().next(),
            _ => None,
        };
        let (name, content) = variant.ok_or(Damaged::VALUE)?;
        visitor.visit_enum(Variant { name, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct }
}

/// The items of a list.
struct Items<'v>(core::slice::Iter<'v, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Damaged;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Damaged> {
        let next = self.0.next();
        next.map(|value| seed.deserialize(Reader(value)))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The members of an object; `fields` are the names that its type has.
struct Members<'v> {
    rest: map::Iter<'v>,
    fields: &'static [&'static str],
    member: Option<(&'v str, &'v Value)>,
}

impl<'v> Members<'v> {
    fn of(members: &'v Map<String, Value>, fields: &'static [&'static str]) -> Self {
        Self {
            rest: members.iter(),
            fields,
            member: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Damaged;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Damaged> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.member = Some((name, value));
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Damaged> {
        let (name, value) = self.member.take().ok_or(Damaged::VALUE)?;
        seed.deserialize(Reader(value)).map_err(|damaged| {
            let named = self.fields.iter().find(|field| **field == name);
            match named {
                Some(field) if damaged == Damaged::VALUE => Damaged(field),
                _ => damaged,
            }
        })
    }
}

/// A variant: a text alone, or the one member of an object with its content.
struct Variant<'v> {
    name: &'v str,
    content: &'v Value,
}

impl<'de, 'v> EnumAccess<'de> for Variant<'v> {
    type Error = Damaged;
    type Variant = Reader<'v>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Reader<'v>), Damaged> {
        let variant = seed.deserialize(StrDeserializer::<Damaged>::new(self.name))?;
        Ok((variant, Reader(self.content)))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = Damaged;

    fn unit_variant(self) -> Result<(), Damaged> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Damaged> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Damaged> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Damaged> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::verdict::Outcome, time::Timestamp};
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    struct All {
        number: u32,
        text: String,
        #[serde(default)]
        flag: bool,
        none: Option<i64>,
        #[serde(default)]
        pairs: Vec<(String, u16)>,
    }

    #[test]
    fn what_is_written_is_read_and_what_is_empty_may_be_missing() {
        let empty = All::default();
        assert_eq!(
            write(&empty),
            br#"{"number":0,"text":"","flag":false,"none":null,"pairs":[]}"#
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
    fn what_a_type_does_not_name_is_passed_over() {
        let newer = br#"{"number": 1, "later": {"a": [1, 2.5]}, "text": "t"}"#;
        let read = read::<All>(newer).map(|all| (all.number, all.text));
        assert_eq!(read, Ok((1, "t".to_owned())));
    }

    #[test]
    fn damage_is_told_by_its_place() {
        for (json, place) in [
            ("{", "the JSON"),
            ("7", "the value"),
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
            (
                r#"{"number": 1, "text": "", "pairs": [["a", 1, 2]]}"#,
                "pairs",
            ),
        ] {
            assert_eq!(read::<All>(json.as_bytes()), Err(Damaged(place)), "{json}");
        }
        assert_eq!(read::<Outcome>(b"\"lost\""), Err(Damaged::VALUE));
        assert_eq!(Damaged("seq").to_string(), "seq is missing or malformed");
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Any {
        Bare,
        Code(String),
        Pair(i64, Option<bool>),
        Whole { n: u16, more: Value },
    }

    #[test]
    fn variants_are_read_as_they_are_written() {
        for any in [
            Any::Bare,
            Any::Code("c".to_owned()),
            Any::Pair(-7, None),
            Any::Whole {
                n: 3,
                more: serde_json::json!({"a": [1, null, true, "t"], "b": {"n": -2}}),
            },
        ] {
            assert_eq!(read(&write(&any)), Ok(any));
        }
        let precise = br#"{"whole":{"more":1.50,"n":1}}"#;
        let read: Any = read(precise).unwrap();
        assert_eq!(write(&read), br#"{"whole":{"n":1,"more":1.50}}"#);
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
}
