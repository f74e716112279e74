//! Stores that break one promise each, to see that the self-test and `/healthz` report it.

use host::keyvalue::{Backend, Cell, Memory, Reply};
use sim::lock;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// Which promise a store breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Each handle has its own content, which is lost with it, like wasmtime's ready-made store.
    ForgetsAtOnce,
    /// Only this many keys are kept, those that were written last, like a Redis that evicts.
    Evicts(usize),
    /// Counters are not on the disk: [`Broken::restart`] removes them.
    LosesCounters,
    /// Nothing is on the disk.
    LosesAll,
    /// `increment` reads, and writes a moment later.
    CountsInTwoSteps,
    /// `increment` always returns one.
    NeverCounts,
    /// `delete` removes no counter.
    KeepsCounters,
    /// `delete` removes nothing.
    KeepsAll,
    /// `set` writes nothing and says that it did.
    WritesNothing,
    /// `increment` fails, as on hosted Spin at the edge.
    WithoutAtomics,
}

/// A store in memory that breaks one promise.
#[derive(Debug)]
pub struct Broken {
    memory: Memory,
    how: How,
    /// Keys in the order of their last write.
    written: Mutex<VecDeque<String>>,
}

impl Broken {
    /// An empty store that is broken in this way.
    pub fn new(how: How) -> Self {
        Self {
            memory: Memory::new(),
            how,
            written: Mutex::default(),
        }
    }

    /// Its content.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Its process ends and another one begins.
    pub fn restart(&self) {
        for (key, cell) in self.memory.dump() {
            let lost = match self.how {
                How::LosesAll => true,
                How::LosesCounters => matches!(cell, Cell::Counter(_)),
                _ => false,
            };
            if lost {
                self.memory.remove(&key);
            }
        }
    }

    fn note(&self, key: &str) {
        let How::Evicts(most) = self.how else { return };
        let mut written = lock(&self.written);
        written.retain(|known| known != key);
        written.push_back(key.to_owned());
        if written.len() > most
            && let Some(oldest) = written.pop_front()
        {
            self.memory.remove(&oldest);
        }
    }
}

impl Backend for Broken {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        self.memory.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        if self.how == How::WritesNothing {
            return Box::pin(async { Ok(()) });
        }
        self.note(key);
        self.memory.set(key, value)
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        let counter = matches!(self.memory.dump().get(key), Some(Cell::Counter(_)));
        match self.how {
            How::KeepsAll => Box::pin(async { Ok(()) }),
            How::KeepsCounters if counter => Box::pin(async { Ok(()) }),
            _ => self.memory.delete(key),
        }
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        self.memory.exists(key)
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.memory.list_keys()
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        self.note(key);
        match self.how {
            How::WithoutAtomics => Box::pin(async { Err("atomics are not supported".to_owned()) }),
            How::NeverCounts => Box::pin(async { Ok(1) }),
            How::CountsInTwoSteps => Box::pin(async move {
                let before = self.memory.increment(key, 0).await?;
                tokio::task::yield_now().await;
                self.memory.delete(key).await?;
                self.memory.increment(key, before + delta).await
            }),
            _ => self.memory.increment(key, delta),
        }
    }

    fn handle(&self) -> Option<Arc<dyn Backend>> {
        (self.how == How::ForgetsAtOnce).then(|| Arc::new(self.memory.copy()) as Arc<dyn Backend>)
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        Backend::dump(&self.memory)
    }
}
