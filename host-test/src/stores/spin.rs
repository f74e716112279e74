//! Models of Spin's two key-value stores, after its source (Spin 4.1). Neither store separates
//! counters from values, and mixing them has the same consequences here as there. `cas` and
//! `get-many` are broken in both, each in its own way, and are absent here: the component cannot
//! call them.

use host::keyvalue::{Backend, Reply};
use sim::lock;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{Arc, Mutex},
};

/// One of them.
#[derive(Debug, Clone)]
pub struct Spin {
    kind: Kind,
    rows: Arc<Mutex<Rows>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One lock around everything. A counter is eight bytes, little-endian. Counting a value of
    /// another length panics with the lock held, and every later call fails.
    Sqlite,
    /// One key space for all applications, a counter is a number in text, `list-keys` is `KEYS *` in no
    /// order.
    Redis,
}

impl Kind {
    fn number(self, bytes: &[u8]) -> Option<i64> {
        match self {
            Self::Sqlite => bytes.try_into().ok().map(i64::from_le_bytes),
            Self::Redis => std::str::from_utf8(bytes).ok()?.parse().ok(),
        }
    }

    fn bytes(self, number: i64) -> Vec<u8> {
        match self {
            Self::Sqlite => number.to_le_bytes().into(),
            Self::Redis => number.to_string().into_bytes(),
        }
    }
}

#[derive(Debug, Default)]
struct Rows {
    values: BTreeMap<String, Vec<u8>>,
    /// The keys that `increment` wrote last.
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

    /// The sum; none: the bytes are not a number, or it is too large.
    fn count(&mut self, kind: Kind, key: &str, delta: i64) -> Option<i64> {
        let before = self.values.get(key);
        if before.is_some() && !self.counters.contains(key) {
            self.misused.push(format!("increment of the value {key}"));
        }
        let sum = before.map_or(Some(0), |bytes| kind.number(bytes))?;
        let sum = sum.checked_add(delta)?;
        self.values.insert(key.to_owned(), kind.bytes(sum));
        self.counters.insert(key.to_owned());
        Some(sum)
    }
}

impl Spin {
    /// An empty SQLite store.
    pub fn sqlite() -> Self {
        Self::new(Kind::Sqlite)
    }

    /// A Redis store that holds these keys of other applications.
    pub fn redis_beside(others: &[(&str, &str)]) -> Self {
        let store = Self::new(Kind::Redis);
        let others = others.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        lock(&store.rows).values.extend(others);
        store
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            rows: Arc::default(),
        }
    }

    /// Calls that used a counter as a value or the other way round.
    pub fn misused(&self) -> Vec<String> {
        lock(&self.rows).misused.clone()
    }

    fn with<'a, T: Send + 'a>(&self, act: impl FnOnce(&mut Rows) -> T) -> Reply<'a, T> {
        let mut rows = lock(&self.rows);
        Box::pin(ready(if rows.poisoned {
            Err(POISONED.to_owned())
        } else {
            Ok(act(&mut rows))
        }))
    }
}

impl Backend for Spin {
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
        self.with(|rows| {
            let keys = rows.values.keys().cloned();
            match self.kind {
                Kind::Sqlite => keys.collect(),
                Kind::Redis => keys.rev().collect(),
            }
        })
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        let mut rows = lock(&self.rows);
        let sum = if rows.poisoned {
            None
        } else {
            rows.count(self.kind, key, delta)
        };
        let refused = match self.kind {
            Kind::Sqlite => POISONED,
            Kind::Redis => "ERR value is not an integer or out of range",
        };
        rows.poisoned = sum.is_none() && self.kind == Kind::Sqlite;
        Box::pin(ready(sum.ok_or_else(|| refused.to_owned())))
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        self.with(|rows| rows.values.clone().into_iter().collect())
    }
}
