//! A simulated KiotViet and a simulated Getfly: used in process by tests and on loopback sockets
//! by the demo. They never reach a network of their own accord, and read no clock but the one
//! they are given; waiting goes through `tokio::time`, so a test can pause it.
//!
//! What the vendors leave undocumented is marked `ASSUMPTION` where it is decided, and is a
//! switch wherever a client could come to depend on it.
#![expect(
    clippy::result_large_err,
    reason = "a refusal is an answer like any other; a simulator can afford to move it"
)]

pub mod clock;
pub mod fault;
pub mod getfly;
pub mod guard;
pub mod kiotviet;
pub mod people;
pub mod personality;
pub mod receiver;
pub mod serve;
pub mod wire;

pub use clock::{ManualClock, SimClock, Skew, TokioClock};
pub use fault::{Call, CallLog, Fault, FaultRule, Faulty, When};
pub use getfly::GetflySim;
pub use guard::Guard;
pub use kiotviet::{Clouds, Deliverer, KiotVietSim};
pub use people::People;
pub use personality::{Habit, Personality};
pub use receiver::Receiver;
pub use serve::{HttpDeliverer, Server, serve};

use std::{future::Future, pin::Pin};

/// What a simulated vendor is asked: any scheme and host, the path and query count.
pub type Request = http::Request<bytes::Bytes>;

/// What it answers.
pub type Response = http::Response<bytes::Bytes>;

/// A boxed future, so that the traits here stay object-safe.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The connection broke: nobody will ever answer. Whether the request was processed is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection broke before an answer")
    }
}

impl std::error::Error for Broken {}

/// A server that answers requests: a simulated vendor, or a layer around one.
pub trait Upstream: Send + Sync {
    /// Answers one request, or breaks the connection. May wait, or never come back (a hang).
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>>;
}

/// A lock that a panicking test elsewhere does not poison for everybody.
pub fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
