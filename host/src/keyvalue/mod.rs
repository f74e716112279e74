//! The key-value store behind `wasi:keyvalue`: what a host must keep for the plugin, three ways to
//! keep it, and a check of a store's promises. There is no `cas` and no `batch`: the component
//! imports neither (a test checks its imports), because Spin's two stores break both.

pub mod conformance;
mod embedded;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(not(feature = "redis"))]
#[path = "no_redis.rs"]
mod redis;
mod space;

pub use embedded::{Embedded, InUse};
pub use memory::Memory;
pub use redis::{Redis, RedisAddress};
pub use space::{Quota, Space};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What a store's method returns: the value, or the reason of a failure in words fit for a log.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// A key-value store. Once a write is answered it is kept, as durably as this store keeps anything.
///
/// A key holds either a value or a counter. As in Spin's SQLite store, using one as the other is an
/// error; unlike there, the error harms no other caller. Redis keeps a counter as a number in text
/// (so does Spin's Redis store) and refuses only to count a text; the plugin never mixes the two.
pub trait Backend: Send + Sync {
    /// The value, or `None` for an absent key.
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>>;
    /// Writes a value over whatever value the key holds.
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()>;
    /// Removes a value or a counter; an absent key is no error.
    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()>;
    /// Whether the key holds a value or a counter.
    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool>;
    /// Every key, in order.
    fn list_keys(&self) -> Reply<'_, Vec<String>>;
    /// Every key that begins so, in order.
    fn list_keys_below<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(async move {
            let mut keys = self.list_keys().await?;
            keys.retain(|key| key.starts_with(prefix));
            Ok(keys)
        })
    }
    /// Adds to a counter, which starts at zero, and returns the sum. Atomic. Adding zero reads it and writes nothing.
    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64>;
    /// The store as a newly opened handle sees it, in a store where each handle sees something
    /// else; none where all see the same, as they must.
    fn handle(&self) -> Option<Arc<dyn Backend>> {
        None
    }
    /// Everything in the store, for tests and for people who inspect it; a counter as its number in
    /// text.
    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>>;
}

/// An open key-value store; every label leads to the same one.
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
