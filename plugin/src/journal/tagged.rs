//! The stored form of a remark: `{"is": …}` with what its enum derives. An earlier version stored
//! the English sentence itself. That is read as `Text`, or as its meaning where that matters.

use core::{fmt, marker::PhantomData};
use serde::{
    Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

/// The one member of a remark's object.
pub(super) const TAG: &str = "is";

/// An enum whose values were once stored as sentences.
pub(super) trait Tagged: Sized {
    /// The meaning of an earlier version's sentence.
    fn of_old(text: String) -> Self;
    /// From what the enum derives; none for a remark that this version does not know.
    fn of_value(value: Value) -> Option<Self>;
}

/// Reads either form. A remark of a later version is kept as its JSON: it must not damage its
/// event.
pub(super) fn read<'de, T: Tagged, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(EitherForm(PhantomData))
}

struct EitherForm<T>(PhantomData<T>);

impl<'de, T: Tagged> Visitor<'de> for EitherForm<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a remark")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::of_old(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        if map.next_key::<String>()?.as_deref() != Some(TAG) {
            return Err(A::Error::missing_field(TAG));
        }
        let value: Value = map.next_value()?;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        let text = value.to_string();
        Ok(T::of_value(value).unwrap_or_else(|| T::of_old(text)))
    }
}

/// Writes what `inner` derives as the member [`TAG`].
pub(super) fn write<S: serde::Serializer>(
    inner: impl Serialize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(TAG, &inner)?;
    map.end()
}

/// `tagged!(Type)`, for an enum with `#[serde(remote = "Self")]` and a variant `Text` that is skipped.
macro_rules! tagged {
    ($type:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                struct Inner<'a>(&'a $type);
                impl serde::Serialize for Inner<'_> {
                    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                        $type::serialize(self.0, s)
                    }
                }
                match self {
                    Self::Text(text) => serializer.serialize_str(text),
                    tagged => $crate::journal::tagged::write(Inner(tagged), serializer),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                $crate::journal::tagged::read(d)
            }
        }
    };
}
pub(super) use tagged;
