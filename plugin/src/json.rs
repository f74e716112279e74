//! JSON of the outside: a bound on what is read, and the one way in which it is written.

use serde::Serialize;
use serde_json::Value;

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

/// The text of `value`. Nothing in this crate has a map whose keys are no texts, the one thing that cannot be
/// written to memory.
pub fn text(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
