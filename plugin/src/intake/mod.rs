//! From a delivery's arrival to the 200 that KiotViet gets.

pub mod accept;
pub mod known;
mod signature_policy;
