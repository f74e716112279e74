//! What people read of facts, in Vietnamese and in English: on the page, and in an alert. A fact without a sentence
//! does not compile.

pub mod alerts;
pub mod money;
pub mod reasons;
#[cfg(test)]
pub(crate) mod samples;
pub mod sentences;
pub mod text;
pub mod times;
