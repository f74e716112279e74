//! Stores for tests: models of Spin's two, one that counts what it is asked, and stores that break their
//! word, to see that it is noticed.

pub mod broken;
mod counting;
pub mod spin;

pub use counting::{Asked, Counting};
