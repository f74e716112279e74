//! Getfly's wire formats and the client of its open API, version 6.1. It says what a refusal means,
//! never what to do about it: it decides nothing about the sync.

pub mod assumptions;
pub mod client;
pub mod error;
pub mod refusal;
pub mod wire;
