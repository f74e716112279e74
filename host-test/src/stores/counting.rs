//! A store in memory that counts its calls.

use host::keyvalue::{Backend, Memory, Reply};
use std::sync::atomic::{AtomicUsize, Ordering};

/// See the module.
#[derive(Debug, Default)]
pub struct Counting {
    memory: Memory,
    reads: AtomicUsize,
    writes: AtomicUsize,
    lease: AtomicUsize,
    bytes: AtomicUsize,
}

/// The calls of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Reads, besides the lease's.
    pub reads: usize,
    /// Writes, besides the lease's.
    pub writes: usize,
    /// Calls of the lease.
    pub lease: usize,
    /// Bytes of keys and values that were written.
    pub bytes: usize,
}

impl Counting {
    /// The calls since this was last called.
    pub fn take(&self) -> Asked {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::Relaxed);
        Asked {
            reads: take(&self.reads),
            writes: take(&self.writes),
            lease: take(&self.lease),
            bytes: take(&self.bytes),
        }
    }

    fn count(&self, key: &str, of: &AtomicUsize, bytes: usize) {
        let of = if key.contains("/lease/") {
            &self.lease
        } else {
            of
        };
        of.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Backend for Counting {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        self.count(key, &self.reads, 0);
        self.memory.get(key)
    }
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        self.count(key, &self.writes, key.len() + value.len());
        self.memory.set(key, value)
    }
    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        self.count(key, &self.writes, key.len());
        self.memory.delete(key)
    }
    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        self.count(key, &self.reads, 0);
        self.memory.exists(key)
    }
    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.count("", &self.reads, 0);
        self.memory.list_keys()
    }
    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        let of = if delta == 0 {
            &self.reads
        } else {
            &self.writes
        };
        self.count(key, of, 0);
        self.memory.increment(key, delta)
    }
    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        Backend::dump(&self.memory)
    }
}
