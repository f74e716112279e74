//! KiotViet's wire formats: its webhooks and their signature, its records, and the client of its
//! public API (manual "Public API", retail edition). Decides nothing about the sync.

pub mod assumptions;
pub mod client;
pub mod edition;
pub mod envelope;
pub mod error;
pub mod fields;
pub mod records;
pub mod shape;
pub mod signature;
pub mod time;
