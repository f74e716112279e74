//! The plugin's world in memory: a store that can be down, dead vendors, and a clock that waiting
//! moves.

use plugin::{
    time::Timestamp,
    world::{Clock, Http, HttpError, Log, Random, Request, Response, Store, StoreError},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The vendors' origins.
pub(super) const ORIGINS: [&str; 3] = [
    "https://shop.getfly.test",
    "https://kiotviet-api.test",
    "https://kiotviet-id.test",
];

/// What the store holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Value(Vec<u8>),
    Counter(i64),
}

/// The world.
pub(super) struct Memory {
    pub(super) store: RefCell<BTreeMap<String, Kept>>,
    pub(super) store_is_down: Cell<bool>,
    pub(super) log: RefCell<Vec<String>>,
    now: Cell<Timestamp>,
    drawn: Cell<u64>,
}

impl Memory {
    /// The world at a fixed moment, over this store.
    pub(super) fn over(store: BTreeMap<String, Kept>) -> Self {
        Self {
            store: RefCell::new(store),
            store_is_down: Cell::new(false),
            log: RefCell::default(),
            now: Cell::new(Timestamp::from_second(1_790_000_000).expect("a moment")),
            drawn: Cell::new(1),
        }
    }

    fn call<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<String, Kept>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.store_is_down.get() {
            return Err(StoreError::failed("down"));
        }
        act(&mut self.store.borrow_mut())
    }
}

/// Runs a future that never waits, as none does here.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a call in memory waited"),
    }
}

fn mixed(key: &str) -> StoreError {
    StoreError::Failed(format!("{key} is a counter and a value"))
}

impl Store for Memory {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.call(|store| match store.get(key) {
            None => Ok(None),
            Some(Kept::Value(value)) => Ok(Some(value.clone())),
            Some(Kept::Counter(_)) => Err(mixed(key)),
        })
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.call(|store| Ok(store.contains_key(key)))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.call(
            |store| match store.insert(key.to_owned(), Kept::Value(value.to_vec())) {
                Some(Kept::Counter(_)) => Err(mixed(key)),
                _ => Ok(()),
            },
        )
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call(|store| {
            store.remove(key);
            Ok(())
        })
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.call(|store| {
            if delta == 0 && !store.contains_key(key) {
                return Ok(0);
            }
            match store.entry(key.to_owned()).or_insert(Kept::Counter(0)) {
                Kept::Counter(count) => {
                    *count += delta;
                    Ok(*count)
                }
                Kept::Value(_) => Err(mixed(key)),
            }
        })
    }

    async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        self.call(|store| Ok(store.keys().cloned().collect()))
    }

    fn reopen(&self) {}

    fn is_atomic(&self) -> bool {
        true
    }

    fn count_plainly(&self) {}
}

impl Http for Memory {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let url = &request.url;
        let after = |origin: &str| {
            url.strip_prefix(origin)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        assert!(
            ORIGINS.into_iter().any(after),
            "a call to somebody else: {url}"
        );
        assert!(http::Uri::try_from(url).is_ok(), "no address: {url}");
        for (name, value) in &request.headers {
            assert!(
                http::HeaderValue::try_from(value).is_ok(),
                "a malformed header {name}"
            );
        }
        Err(HttpError::Connection("dead".to_owned()))
    }
}

impl Clock for Memory {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.now
            .set(self.now.get().checked_add(duration).expect("a moment"));
    }
}

impl Random for Memory {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            // Knuth's generator: it is good enough, because the values only have to differ.
            let next = self
                .drawn
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            self.drawn.set(next);
            *byte = next.to_be_bytes()[0];
        }
    }
}

impl Log for Memory {
    fn line(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
}
