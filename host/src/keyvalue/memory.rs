//! A store for tests: a map that lives as long as the process.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Backend, Cell, Reply, is_a_counter};

/// Holds everything in memory. Clones share one content, as two hosts on one Redis would.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<String, Cell>>>);

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A separate store with the same content, like a restored backup.
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.cells().clone())))
    }

    /// Everything in it, at once.
    pub fn dump(&self) -> BTreeMap<String, Cell> {
        self.cells().clone()
    }

    /// Removes everything whose key contains `part`.
    pub fn forget(&self, part: &str) {
        self.cells().retain(|key, _| !key.contains(part));
    }

    /// Removes a key, at once.
    pub fn remove(&self, key: &str) {
        self.cells().remove(key);
    }

    fn cells(&self) -> MutexGuard<'_, BTreeMap<String, Cell>> {
        // Every change is one insert or remove, so a panic elsewhere leaves the map sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: &str, value: Vec<u8>) -> Result<(), String> {
        let mut cells = self.cells();
        if let Some(Cell::Counter(_)) = cells.get(key) {
            return Err(is_a_counter(key));
        }
        cells.insert(key.to_owned(), Cell::Value(value));
        Ok(())
    }

    fn add(&self, key: &str, delta: i64) -> Result<i64, String> {
        let mut cells = self.cells();
        if delta == 0 {
            return Cell::plus(cells.get(key).cloned(), key, 0);
        }
        let sum = Cell::plus(cells.get(key).cloned(), key, delta)?;
        cells.insert(key.to_owned(), Cell::Counter(sum));
        Ok(sum)
    }
}

impl Backend for Memory {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        let cell = self.cells().get(key).cloned();
        Box::pin(ready(cell.map(|cell| cell.value(key)).transpose()))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(ready(self.write(key, value)))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        self.cells().remove(key);
        Box::pin(ready(Ok(())))
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        Box::pin(ready(Ok(self.cells().contains_key(key))))
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        Box::pin(ready(Ok(self.cells().keys().cloned().collect())))
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        Box::pin(ready(self.add(key, delta)))
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        let cells = self.cells();
        let all = cells
            .iter()
            .map(|(key, cell)| (key.clone(), cell.clone().shown()));
        Box::pin(ready(Ok(all.collect())))
    }
}
