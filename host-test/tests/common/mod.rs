//! What several tests of the real program share: the host as a child process, the simulated vendors
//! on loopback sockets, and a Redis of the test's own.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a module of each test, which takes what it needs"
)]

pub mod host;
pub mod redis;
pub mod vendors;
