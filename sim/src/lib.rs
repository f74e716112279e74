//! A simulated KiotViet and a simulated Getfly, used in process by tests and on loopback sockets by
//! the demo. They never reach a network by themselves, and read only the clock that they are given.
//! They wait through `tokio::time`, so that a test can pause it.
//!
//! Undocumented behaviour of the vendors is marked `ASSUMPTION` where it is decided, and is a
//! switch wherever a client could depend on it.
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

/// A request to a simulated vendor: any scheme and host; only path and query count.
pub type Request = http::Request<bytes::Bytes>;

/// Its answer.
pub type Response = http::Response<bytes::Bytes>;

/// A boxed future, so that the traits here stay object-safe.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The connection broke: no answer will come. Whether the request was processed is unknown.
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
    /// Answers one request, or breaks the connection. May wait, or never return (a hang).
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>>;
}

/// A lock that a panicking test does not poison for the others.
pub fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
