//! The host, the harness, and a simulated KiotViet and Getfly.

pub mod mishap;
pub mod native;
pub mod scene;
pub mod sim;
pub mod story;
