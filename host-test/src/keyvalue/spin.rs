//! Models of Spin's two key-value stores, from what its source does (Spin 4.1): a counter and a value
//! are told apart by nobody, and what follows from mixing them is here as it is there. `cas` and
//! `get-many` are broken in both, each in its own way, and are not here: the component cannot call them.

use super::{Backend, Reply};
use crate::sim::lock;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{Arc, Mutex},
};

/// Spin's SQLite store: one lock around everything; a counter is eight bytes, little-endian; counting
/// anything of another length panics with the lock held, and every later call fails.
#[derive(Debug, Clone, Default)]
pub struct SpinSqlite(Arc<Mutex<Rows>>);

/// Spin's Redis store: one key space for all applications, a counter is a number in text, `list-keys`
/// is `KEYS *` in no order.
#[derive(Debug, Clone, Default)]
pub struct SpinRedis(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    values: BTreeMap<String, Vec<u8>>,
    /// Which of them were last written by `increment`.
    counters: BTreeSet<String>,
    misused: Vec<String>,
    poisoned: bool,
}

const POISONED: &str = "the store's lock is poisoned: an earlier call panicked while it held it";

impl Rows {
    fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        if self.counters.contains(key) {
            self.misused.push(format!("get of the counter {key}"));
        }
        self.values.get(key).cloned()
    }

    fn set(&mut self, key: &str, value: Vec<u8>) {
        if self.counters.remove(key) {
            self.misused.push(format!("set of the counter {key}"));
        }
        self.values.insert(key.to_owned(), value);
    }

    fn delete(&mut self, key: &str) {
        self.values.remove(key);
        self.counters.remove(key);
    }

    /// Counts what `number` makes of the bytes that are there; none: they are no number.
    fn count(
        &mut self,
        key: &str,
        delta: i64,
        number: impl FnOnce(&[u8]) -> Option<i64>,
        bytes: impl FnOnce(i64) -> Vec<u8>,
    ) -> Option<i64> {
        let before = self.values.get(key);
        if before.is_some() && !self.counters.contains(key) {
            self.misused.push(format!("increment of the value {key}"));
        }
        let sum = before.map_or(Some(0), |bytes| number(bytes))?;
        let sum = sum.checked_add(delta)?;
        self.values.insert(key.to_owned(), bytes(sum));
        self.counters.insert(key.to_owned());
        Some(sum)
    }
}

impl SpinSqlite {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls that used a counter as a value or the other way round.
    pub fn misused(&self) -> Vec<String> {
        lock(&self.0).misused.clone()
    }

    fn with<'a, T: Send + 'a>(&self, act: impl FnOnce(&mut Rows) -> T) -> Reply<'a, T> {
        let mut rows = lock(&self.0);
        Box::pin(ready(if rows.poisoned {
            Err(POISONED.to_owned())
        } else {
            Ok(act(&mut rows))
        }))
    }
}

impl Backend for SpinSqlite {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        self.with(|rows| rows.get(key))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        self.with(|rows| rows.set(key, value))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        self.with(|rows| rows.delete(key))
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        self.with(|rows| rows.values.contains_key(key))
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.with(|rows| rows.values.keys().cloned().collect())
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        let mut rows = lock(&self.0);
        let number = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_le_bytes);
        let sum = match rows.poisoned {
            true => None,
            false => rows.count(key, delta, number, |sum| sum.to_le_bytes().into()),
        };
        rows.poisoned = sum.is_none();
        Box::pin(ready(sum.ok_or_else(|| POISONED.to_owned())))
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        self.with(|rows| rows.values.clone().into_iter().collect())
    }
}

impl SpinRedis {
    /// A store in which these keys of other applications are.
    pub fn beside(others: &[(&str, &str)]) -> Self {
        let store = Self::default();
        let others = others.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        lock(&store.0).values.extend(others);
        store
    }

    /// Calls that used a counter as a value or the other way round.
    pub fn misused(&self) -> Vec<String> {
        lock(&self.0).misused.clone()
    }

    fn with<'a, T: Send + 'a>(&self, act: impl FnOnce(&mut Rows) -> T) -> Reply<'a, T> {
        Box::pin(ready(Ok(act(&mut lock(&self.0)))))
    }
}

impl Backend for SpinRedis {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        self.with(|rows| rows.get(key))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        self.with(|rows| rows.set(key, value))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        self.with(|rows| rows.delete(key))
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        self.with(|rows| rows.values.contains_key(key))
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.with(|rows| rows.values.keys().rev().cloned().collect())
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
        let bytes = |sum: i64| sum.to_string().into_bytes();
        let sum = lock(&self.0).count(key, delta, number, bytes);
        let refused = || "ERR value is not an integer or out of range".to_owned();
        Box::pin(ready(sum.ok_or_else(refused)))
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        self.with(|rows| rows.values.clone().into_iter().collect())
    }
}
