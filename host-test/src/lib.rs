//! The host, the harness, and a simulated KiotViet and Getfly.

pub mod fixture;
pub mod native;
pub mod scene;
pub mod sim;
