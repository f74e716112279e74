//! Getfly's wire formats and the client of its open API, version 6.1. Decides nothing about the
//! sync: what a refusal means is told, what to do about it is not.

pub mod assumptions;
pub mod client;
pub mod error;
pub mod refusal;
pub mod wire;
