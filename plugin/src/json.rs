//! JSON from and to the outside: the bound on what is read, and the one way to write it.

use serde::Serialize;
use serde_json::Value;

/// A text with more JSON values than this is not even parsed, so that memory stays bounded: each
/// value takes about 60 bytes. An invoice of forty lines has about five hundred.
const MAX_VALUES: usize = 200_000;

/// A text from outside that is refused.
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
    // A shorter text cannot have that many, and need not be counted.
    if bytes.len() > MAX_VALUES && values().count() > MAX_VALUES {
        return Err(NotJson::TooLarge);
    }
    serde_json::from_slice(bytes).map_err(|_| NotJson::Malformed)
}

/// The JSON text of `value`. Writing to memory fails only for a map with keys that are not texts,
/// and this crate has none.
pub fn text(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
