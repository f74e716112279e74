//! The key-value store behind `wasi:keyvalue`: what a host must keep for the plugin, three ways to keep
//! it, and a check of whether a store keeps its word. No `cas` and no `batch`: the component imports
//! neither (a test holds its imports), because Spin's two stores break both.

pub mod conformance;
mod embedded;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(not(feature = "redis"))]
#[path = "no_redis.rs"]
mod redis;

pub use embedded::{Embedded, InUse};
pub use memory::Memory;
pub use redis::{Redis, RedisAddress};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What a store's method gives: the value, or why not in words fit for a log.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// A key-value store. When a write is answered it is kept, as far as this store keeps anything.
///
/// A key holds either a value or a counter. Like Spin's SQLite store, using one as the other is an
/// error; unlike there, it does no harm to anybody else. Redis keeps a counter as a number in text
/// (so does Spin's Redis store) and refuses only to count a text; the plugin never mixes the two.
pub trait Backend: Send + Sync {
    /// The value, or `None` for a key that is not there.
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>>;
    /// Writes a value over whatever value is there.
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()>;
    /// Forgets a value or a counter; a key that is not there is no error.
    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()>;
    /// Whether the key holds a value or a counter.
    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool>;
    /// Every key, in order.
    fn list_keys(&self) -> Reply<'_, Vec<String>>;
    /// Adds to a counter, which starts at zero, and returns the sum. Atomic. Adding zero reads it and writes nothing.
    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64>;
    /// What a handle that is opened now sees, in a store where each handle sees something of its own;
    /// none where all see the same, as they must.
    fn handle(&self) -> Option<Arc<dyn Backend>> {
        None
    }
    /// Everything there is, for tests and for looking into a store; a counter as its number in text.
    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>>;
}

/// An open key-value store; there is one behind every label.
pub struct Bucket(pub(crate) Arc<dyn Backend>);

/// A compare-and-swap, which this host does not offer: no two of Spin's backends agree on it.
pub struct Cas;

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Written by `set`.
    Value(Vec<u8>),
    /// Counted by `increment`.
    Counter(i64),
}

impl Cell {
    fn value(self, key: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Counter(_) => Err(is_a_counter(key)),
        }
    }

    fn plus(cell: Option<Self>, key: &str, delta: i64) -> Result<i64, String> {
        match cell {
            None => Ok(delta),
            Some(Self::Counter(number)) => number
                .checked_add(delta)
                .ok_or_else(|| format!("counter `{key}` would overflow")),
            Some(Self::Value(_)) => Err(format!("key `{key}` holds a value, not a counter")),
        }
    }

    fn shown(self) -> Vec<u8> {
        match self {
            Self::Value(value) => value,
            Self::Counter(number) => number.to_string().into_bytes(),
        }
    }
}

fn is_a_counter(key: &str) -> String {
    format!("key `{key}` holds a counter: only increment and delete may touch it")
}
