//! Claims that both of the host's stores keep what `wasi:keyvalue` promises: nothing is forgotten,
//! `increment` is atomic, `delete` resets it, counters and values do not mix, and the embedded one is
//! still there after its process ended. How: the same conformance suite over each.

use host_test::keyvalue::{Backend, Embedded, Memory};
use std::sync::Arc;

async fn conforms(store: Arc<dyn Backend>) {
    assert_eq!(store.get("a").await, Ok(None));
    store.set("a", b"1".to_vec()).await.expect("set");
    store.set("a", b"2".to_vec()).await.expect("set again");
    assert_eq!(store.get("a").await, Ok(Some(b"2".to_vec())));
    assert_eq!(store.exists("a").await, Ok(true));
    store.delete("a").await.expect("delete");
    store.delete("a").await.expect("delete of nothing");
    assert_eq!(store.get("a").await, Ok(None));

    assert_eq!(store.increment("n", 0).await, Ok(0));
    assert_eq!(store.increment("n", 3).await, Ok(3));
    assert_eq!(store.increment("n", -1).await, Ok(2));
    store.delete("n").await.expect("delete of a counter");
    assert_eq!(
        store.increment("n", 1).await,
        Ok(1),
        "delete starts it again"
    );
    assert!(
        store.set("n", b"x".to_vec()).await.is_err(),
        "a counter is no value"
    );
    assert!(store.get("n").await.is_err(), "a counter is not read");
    store.set("v", b"x".to_vec()).await.expect("set");
    assert!(
        store.increment("v", 1).await.is_err(),
        "a value is not counted"
    );

    let count = 200;
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.increment("race", 1).await.expect("increment") })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.expect("no panic"));
    }
    seen.sort_unstable();
    assert_eq!(
        seen,
        (1..=count).collect::<Vec<i64>>(),
        "no number twice, none left out"
    );

    let large = vec![7u8; 1_000_000];
    store.set("large", large.clone()).await.expect("1 MB");
    assert_eq!(store.get("large").await, Ok(Some(large)));
    let keys = store.list_keys().await.expect("keys");
    assert_eq!(keys, ["large", "n", "race", "v"]);
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
