//! A part of a store: the keys with one prefix, without it. Whoever has it sees and reaches no other key.

use super::{Backend, Reply};
use crate::lock::lock;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A space is measured after this part of its quota was written.
const MEASURED_AFTER: u64 = 16;
/// A full one is measured again after this time.
const AGAIN: Duration = Duration::from_secs(10);
/// The owner of a full space can still finish its work within this part of its quota beyond it.
const BEYOND: u64 = 8;

/// See the module.
#[derive(Clone)]
pub struct Space {
    store: Arc<dyn Backend>,
    prefix: String,
    quota: Option<Arc<Quota>>,
}

/// How many bytes a space may hold. What it holds is measured from time to time beside its calls, so it may hold a
/// little more for a while.
pub struct Quota {
    most: u64,
    /// What it held when it was measured.
    measured: AtomicU64,
    /// What was written since then.
    written: AtomicU64,
    /// When it was measured; none while it is being measured.
    at: Mutex<Option<Instant>>,
}

impl Quota {
    /// At most so many bytes.
    pub fn of(most: u64) -> Arc<Self> {
        Arc::new(Self {
            most,
            measured: AtomicU64::new(0),
            written: AtomicU64::new(0),
            at: Mutex::new(Some(Instant::now())),
        })
    }

    /// Whether there is as much as there may be, or more.
    pub fn is_full(&self) -> bool {
        self.measured.load(Ordering::Relaxed) >= self.most
    }

    /// Counts a write of so many bytes. Whether it is allowed.
    fn count(&self, bytes: u64) -> bool {
        let written = self.written.fetch_add(bytes, Ordering::Relaxed);
        let measured = self.measured.load(Ordering::Relaxed);
        let sum = written.saturating_add(bytes).saturating_add(measured);
        let allowed = sum <= self.most + self.most / BEYOND;
        if !allowed {
            self.written.fetch_sub(bytes, Ordering::Relaxed);
        }
        allowed
    }

    /// Whether it is time to measure; then the caller does.
    fn is_time(&self) -> bool {
        let mut at = lock(&self.at);
        let Some(then) = *at else { return false };
        let written = self.written.load(Ordering::Relaxed);
        let full = self.is_full() && then.elapsed() > AGAIN;
        let is_time = full || written > self.most / MEASURED_AFTER;
        if is_time {
            *at = None;
        }
        is_time
    }
}

impl Space {
    /// The keys of `store` that begin with `prefix`.
    pub fn of(store: Arc<dyn Backend>, prefix: impl Into<String>) -> Self {
        Self {
            store,
            prefix: prefix.into(),
            quota: None,
        }
    }

    /// The same within a quota.
    pub fn within(self, quota: Arc<Quota>) -> Self {
        Self {
            quota: Some(quota),
            ..self
        }
    }

    /// Refuses a write of so many bytes beyond the quota.
    fn count(&self, bytes: usize) -> Result<(), String> {
        let Some(quota) = &self.quota else {
            return Ok(());
        };
        let allowed = quota.count(bytes as u64);
        if quota.is_time() {
            let space = self.clone();
            tokio::spawn(async move { space.measure().await });
        }
        let full = || "this tenant's part of the store is full".to_owned();
        allowed.then_some(()).ok_or_else(full)
    }

    async fn measure(&self) {
        let Some(quota) = &self.quota else { return };
        let before = quota.written.load(Ordering::Relaxed);
        if let Ok(bytes) = self.bytes().await {
            quota.measured.store(bytes, Ordering::Relaxed);
            quota.written.fetch_sub(before, Ordering::Relaxed);
        }
        *lock(&quota.at) = Some(Instant::now());
    }

    /// What its keys and values take.
    async fn bytes(&self) -> Result<u64, String> {
        let mut bytes = 0;
        for key in self.store.list_keys_below(&self.prefix).await? {
            // A counter is no value, and small.
            let value = self.store.get(&key).await.unwrap_or_default();
            bytes += (key.len() + value.map_or(0, |value| value.len())) as u64;
        }
        Ok(bytes)
    }

    /// The key as the store has it.
    fn whole(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// A failure names the key as its owner knows it.
    fn own<T>(&self, result: Result<T, String>) -> Result<T, String> {
        result.map_err(|why| why.replace(&self.prefix, ""))
    }
}

impl Backend for Space {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        Box::pin(async move { self.own(self.store.get(&self.whole(key)).await) })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(async move {
            let key = self.whole(key);
            self.count(key.len() + value.len())?;
            self.own(self.store.set(&key, value).await)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        Box::pin(async move { self.own(self.store.delete(&self.whole(key)).await) })
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        Box::pin(async move { self.own(self.store.exists(&self.whole(key)).await) })
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.list_keys_below("")
    }

    fn list_keys_below<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(async move {
            let keys = self.store.list_keys_below(&self.whole(prefix)).await;
            let keys = self.own(keys)?.into_iter();
            let own = |key: String| key.strip_prefix(&self.prefix).map(str::to_owned);
            Ok(keys.filter_map(own).collect())
        })
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        Box::pin(async move { self.own(self.store.increment(&self.whole(key), delta).await) })
    }

    fn handle(&self) -> Option<Arc<dyn Backend>> {
        let handle = self.store.handle()?;
        Some(Arc::new(Self {
            store: handle,
            ..self.clone()
        }))
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            let mut all = self.own(self.store.dump().await)?;
            all.retain_mut(|(key, _)| {
                let own = key.strip_prefix(&self.prefix).map(str::to_owned);
                own.map(|own| *key = own).is_some()
            });
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Quota, Space};
    use crate::keyvalue::{Backend, Embedded, Memory, conformance};
    use std::{sync::Arc, time::Duration};

    async fn apart(store: Arc<dyn Backend>) {
        let space =
            |prefix: &str| -> Arc<dyn Backend> { Arc::new(Space::of(store.clone(), prefix)) };
        let (a, b) = (space("t/a/"), space("t/b/"));
        for check in conformance::check(&a, "space/").await {
            assert_eq!(check.wrong, None, "{}", check.claim);
        }
        a.set("key", b"of a".to_vec()).await.expect("set");
        a.increment("count", 5).await.expect("counted");
        b.set("key", b"of b".to_vec()).await.expect("set");
        store.set("key", b"nobody's".to_vec()).await.expect("set");
        assert_eq!(a.get("key").await, Ok(Some(b"of a".to_vec())));
        let outside = ["../b/key", "t/b/key", "/t/b/key", "", "b/key", "\0"];
        for key in outside {
            assert_eq!(a.get(key).await, Ok(None), "{key}");
            assert_eq!(a.exists(key).await, Ok(false), "{key}");
            a.delete(key).await.expect("nothing there");
        }
        assert_eq!(b.increment("count", 1).await, Ok(1));
        let listed = a.list_keys().await.expect("listed");
        assert!(listed.contains(&"key".to_owned()) && listed.contains(&"count".to_owned()));
        assert!(listed.iter().all(|key| key != "t/b/key"), "{listed:?}");
        assert_eq!(
            b.list_keys().await,
            Ok(vec!["count".to_owned(), "key".to_owned()])
        );
        let dumped = b.dump().await.expect("dumped");
        let (count, key) = (("count", &b"1"[..]), ("key", &b"of b"[..]));
        let own = [count, key].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(dumped, own);
        let refused = a.get("count").await.expect_err("a counter");
        assert!(!refused.contains("t/a"), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_space_refuses_writes_until_something_is_deleted() {
        let quota = Quota::of(1000);
        let space = |prefix| Space::of(Arc::new(Memory::new()), prefix).within(quota.clone());
        let space = space("t/a/");
        let set = async |key: &str| {
            let written = space.set(key, vec![0; 95]).await;
            tokio::time::sleep(Duration::from_secs(11)).await;
            written.is_ok()
        };
        for n in 0..9 {
            assert!(set(&format!("{n}")).await);
            assert!(set(&format!("{n}")).await, "no more than it holds counts");
        }
        assert!(!quota.is_full());
        assert!(set("9").await);
        assert!(quota.is_full());
        assert!(set("a").await, "what is under way can be finished");
        assert!(!set("b").await);
        for n in 0..6 {
            space.delete(&format!("{n}")).await.expect("deleted");
        }
        set("c").await;
        assert!(!quota.is_full());
        assert!(set("d").await);
    }

    #[tokio::test]
    async fn two_spaces_of_one_store_see_nothing_of_each_other() {
        apart(Arc::new(Memory::new())).await;
        let folder = tempfile::tempdir().expect("a folder");
        apart(Arc::new(Embedded::open(folder.path()).expect("opened"))).await;
    }
}
