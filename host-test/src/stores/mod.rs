//! Stores for tests: models of Spin's two, one that counts its calls, and stores that break a
//! promise, to see that it is noticed.

pub mod broken;
mod counting;
pub mod spin;

pub use counting::{Asked, Counting};
