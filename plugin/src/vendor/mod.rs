//! What the two API clients share. Knows neither vendor.

pub mod body;
pub mod encoding;
pub mod fate;
pub mod redaction;
#[cfg(test)]
pub(crate) mod scripted;
