//! Claims that the host's own stores and the models of Spin's keep what the plugin relies on:
//! nothing is lost, `increment` is atomic, `delete` resets it, and the embedded store is still
//! there after it was closed; that the models break where Spin's stores do; and that a store which
//! breaks a promise is refused in plain words. How: the self-test of `kvgf check` over each (Redis:
//! `redis.rs`).

use host::{
    check,
    keyvalue::{Backend, Embedded, Memory, conformance},
};
use host_test::stores::{
    broken::{Broken, How},
    spin::Spin,
};
use std::{fmt::Debug, fs::Permissions, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

async fn conforms(store: Arc<dyn Backend>) {
    for check in conformance::check(&store, "space/").await {
        assert_eq!(check.wrong, None, "{}", check.claim);
    }
    let check = conformance::survives(&store, "space/").await;
    assert_eq!(check.wrong, None, "{}", check.claim);
    let mut left = store.list_keys().await.expect("keys");
    left.retain(|key| key.starts_with("space/"));
    assert_eq!(left, [""; 0], "nothing is left");
}

/// A counter and a value are kept apart, without harm to other callers.
async fn keeps_counters_apart(store: Arc<dyn Backend>) {
    store.increment("n", 1).await.expect("increment");
    let refused = store.set("n", b"x".to_vec()).await;
    assert!(refused.is_err(), "a counter is no value");
    assert!(store.get("n").await.is_err(), "a counter is not read");
    store.set("text", b"text".to_vec()).await.expect("set");
    assert!(store.increment("text", 1).await.is_err());
    assert_eq!(store.get("text").await, Ok(Some(b"text".to_vec())));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_conforms() {
    conforms(Arc::new(Memory::new())).await;
    keeps_counters_apart(Arc::new(Memory::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(Embedded::open(folder.path()).expect("open"));
    conforms(store.clone()).await;
    keeps_counters_apart(store).await;
}

/// `what` returns the store's content, for comparison.
async fn adding_zero_writes_nothing<T: PartialEq + Debug>(
    store: &dyn Backend,
    what: impl AsyncFn() -> T,
) {
    store.increment("n", 5).await.expect("increment");
    let before = what().await;
    for _ in 0..20 {
        assert_eq!(store.increment("n", 0).await, Ok(5));
        assert_eq!(store.increment("none", 0).await, Ok(0));
    }
    assert_eq!(what().await, before);
    assert_eq!(store.exists("none").await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_a_counter_writes_nothing() {
    let memory = Memory::new();
    adding_zero_writes_nothing(&memory, async || memory.dump()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = Embedded::open(folder.path()).expect("open");
    let file = folder.path().join("store.redb");
    adding_zero_writes_nothing(&store, async || std::fs::read(&file).expect("its file")).await;
    store.set("text", b"text".to_vec()).await.expect("set");
    assert!(store.increment("text", 0).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_of_spins_stores_conform() {
    let sqlite = Spin::sqlite();
    conforms(Arc::new(sqlite.clone())).await;
    assert_eq!(sqlite.misused(), [""; 0]);
    let redis = Spin::redis_beside(&[("space", "another's"), ("spa", "7")]);
    conforms(Arc::new(redis.clone())).await;
    assert_eq!(redis.misused(), [""; 0]);
}

#[tokio::test]
async fn spins_sqlite_store_fails_for_good_once_a_text_was_counted() {
    let store = Spin::sqlite();
    store.increment("n", 258).await.expect("increment");
    let raw = store.get("n").await;
    assert_eq!(raw, Ok(Some(vec![2, 1, 0, 0, 0, 0, 0, 0])), "raw bytes");
    assert_eq!(store.misused(), ["get of the counter n"]);
    store.set("n", b"text".to_vec()).await.expect("set");
    assert!(store.increment("n", 1).await.is_err());
    assert!(store.get("other").await.is_err(), "for everybody");
    assert!(store.increment("other", 1).await.is_err(), "for good");
}

#[tokio::test]
async fn spins_redis_store_shares_its_keys_and_refuses_to_count_a_text() {
    let store = Spin::redis_beside(&[("another's", "text")]);
    store.increment("n", 12).await.expect("increment");
    assert_eq!(store.get("n").await, Ok(Some(b"12".to_vec())));
    assert_eq!(store.misused(), ["get of the counter n"]);
    assert!(store.increment("another's", 1).await.is_err());
    let keys = store.list_keys().await;
    assert_eq!(keys, Ok(vec!["n".to_owned(), "another's".to_owned()]));
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
async fn the_embedded_file_is_for_its_user_alone_and_so_is_a_new_folder() {
    let mode = |path: &Path| {
        let there = std::fs::metadata(path).expect("it is there");
        there.permissions().mode() & 0o777
    };
    let above = tempfile::tempdir().expect("a folder");
    let folder = above.path().join("state");
    let store = Embedded::open(&folder).expect("open");
    assert_eq!((mode(&folder), mode(store.path())), (0o700, 0o600));
    drop(store);
    // As an earlier version left it: the file is closed to other users, the folder may be the
    // user's choice.
    let wide = |path: &Path, bits| {
        std::fs::set_permissions(path, Permissions::from_mode(bits)).expect("changed");
    };
    wide(&folder, 0o755);
    wide(&folder.join("store.redb"), 0o644);
    let store = Embedded::open(&folder).expect("open again");
    assert_eq!((mode(&folder), mode(store.path())), (0o755, 0o600));
}

/// Readers of an old commit do not keep its space from being used again.
#[tokio::test]
async fn the_embedded_file_does_not_grow_with_what_is_written_again() {
    const KIB: usize = 1024;
    let folder = tempfile::tempdir().expect("a folder");
    let store = Embedded::open(folder.path()).expect("open");
    for n in 0..300_u16 {
        let value = vec![n.to_be_bytes()[1]; 100 * KIB];
        store.set("a", value.clone()).await.expect("set");
        assert_eq!(store.get("a").await, Ok(Some(value)), "who wrote reads it");
    }
    let bytes = std::fs::metadata(store.path()).expect("the file").len();
    assert!(bytes < 10 * 1024 * 1024, "{bytes} bytes");
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

/// `kvgf check` on a store that breaks a promise: for each broken claim, its words.
async fn refused(how: How) -> Vec<String> {
    let broken = Arc::new(Broken::new(how));
    let store: Arc<dyn Backend> = broken.clone();
    let mut checks = conformance::check(&store, "space/").await;
    broken.restart();
    checks.push(conformance::survives(&store, "space/").await);
    let findings = check::store("place", &checks).into_iter();
    let failed = findings.filter(|finding| finding.verdict == check::Verdict::Failed);
    failed
        .map(|f| format!("{}: {}", f.subject, f.words))
        .collect()
}

#[tokio::test]
async fn each_store_that_breaks_its_word_is_refused_in_plain_words() {
    let cases = [
        (
            How::ForgetsAtOnce,
            "whoever opens the store sees what others wrote: not so: another reads: None, not Some(\"shared\"). This store cannot be used: every request would find an empty store",
        ),
        (
            How::Evicts(100),
            "two hundred values are kept side by side: not so: kept: 100, not 200. This store cannot be used: deliveries answered 200 would be lost",
        ),
        (
            How::LosesAll,
            "what was written is there after it was opened again: not so: the value: None, not Some(\"kept\"). This store cannot be used: deliveries answered 200 would be lost at a restart",
        ),
        (
            How::LosesCounters,
            "what was written is there after it was opened again: not so: the counter: 1, not 6. This store cannot be used: deliveries answered 200 would be lost at a restart",
        ),
        (
            How::KeepsCounters,
            "delete starts a counter again: not so: after delete: 1000000000003, not 1. This store cannot be used: a lease that was given back would stay taken",
        ),
    ];
    for (how, words) in cases {
        let refused = refused(how).await;
        assert!(refused.iter().any(|r| r == words), "{how:?}: {refused:#?}");
    }
    let claims = [
        (How::CountsInTwoSteps, "fifty increments at once"),
        (How::NeverCounts, "a counter counts from zero"),
        (How::KeepsAll, "a deleted key is gone"),
        (How::WritesNothing, "a value is read as it was written"),
        (How::WithoutAtomics, "a counter counts from zero"),
    ];
    for (how, claim) in claims {
        let refused = refused(how).await;
        assert!(
            refused.iter().any(|r| r.starts_with(claim)),
            "{how:?}: {refused:#?}"
        );
    }
}
