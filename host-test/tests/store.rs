//! Claims that the host's own stores keep what `wasi:keyvalue` promises: nothing is forgotten,
//! `increment` is atomic, `delete` resets it, counters and values do not mix, and the embedded one is
//! still there after it was closed. How: the self-test of `host check` over each (Redis: `redis.rs`),
//! and over a store that lies, to see that it tells.

use host_test::keyvalue::{Backend, Embedded, Memory, Reply, conformance};
use std::sync::Arc;

async fn conforms(store: Arc<dyn Backend>) {
    for check in conformance::check(&store, "space/").await {
        assert_eq!(check.wrong, None, "{}", check.claim);
    }
    let check = conformance::survives(&store, "space/").await;
    assert_eq!(check.wrong, None, "{}", check.claim);
    assert_eq!(store.list_keys().await, Ok(Vec::new()), "nothing is left");

    store.increment("n", 1).await.expect("increment");
    let refused = store.set("n", b"x".to_vec()).await;
    assert!(refused.is_err(), "a counter is no value");
    assert!(store.get("n").await.is_err(), "a counter is not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_conforms() {
    conforms(Arc::new(Memory::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    conforms(Arc::new(Embedded::open(folder.path()).expect("open"))).await;
}

#[tokio::test]
async fn the_embedded_store_is_there_after_it_was_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Embedded::open(folder.path()).expect("open");
    store.set("a", b"1".to_vec()).await.expect("set");
    store.increment("n", 5).await.expect("increment");
    drop(store);
    let store = Embedded::open(folder.path()).expect("open again");
    assert_eq!(store.get("a").await, Ok(Some(b"1".to_vec())));
    assert_eq!(store.increment("n", 1).await, Ok(6));
}

#[tokio::test]
async fn a_second_host_on_the_same_folder_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = Embedded::open(folder.path()).expect("open");
    let why = Embedded::open(folder.path())
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    assert!(why.contains("in use by another host"), "{why}");
}

/// Memory that keeps a counter when it is deleted, and gives a number twice when it is asked at once.
struct Liar(Memory);

impl Backend for Liar {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        self.0.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        self.0.set(key, value)
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        // As a store does that keeps counters elsewhere.
        if key.ends_with("counter") {
            return Box::pin(std::future::ready(Ok(())));
        }
        self.0.delete(key)
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        self.0.exists(key)
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.0.list_keys()
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        Box::pin(async move {
            let now = self.0.increment(key, 0).await?;
            tokio::task::yield_now().await;
            self.0.increment(key, delta).await?;
            Ok(now + delta)
        })
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        self.0.dump()
    }
}

#[tokio::test]
async fn a_store_that_lies_is_found_out() {
    let store: Arc<dyn Backend> = Arc::new(Liar(Memory::new()));
    let checks = conformance::check(&store, "space/").await;
    let failed = checks.iter().filter(|check| check.wrong.is_some());
    let failed: Vec<&str> = failed.map(|check| check.claim).collect();
    assert_eq!(
        failed,
        [
            "delete starts a counter again",
            "fifty increments at once give fifty numbers",
            "every key is listed, in order"
        ]
    );
}
