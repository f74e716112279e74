//! Tests a real store for what the plugin relies on. `kvgf check` and the tests of every store run
//! the same checks. It touches only keys below the space it is given, and leaves none of them.

use super::Backend;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Increments that run at once.
const AT_ONCE: i64 = 50;
/// Largest value that `wasi:keyvalue` promises.
const LARGE: usize = 1_000_000;
/// How many small values must all be kept.
const MANY: usize = 200;

/// One claim and whether it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The claim.
    pub claim: &'static str,
    /// What is wrong, and what follows from it, if the claim does not hold.
    pub wrong: Option<String>,
}

type Tried = Result<(), String>;

/// Checks every claim that needs no restart, below `space` (a prefix of unused keys), and leaves
/// what [`survives`] looks for. Returns every claim with its result.
pub async fn check(store: &Arc<dyn Backend>, space: &str) -> Vec<Check> {
    vec![
        told(
            "a value is read as it was written",
            "no delivery would be kept",
            values(store, space),
        )
        .await,
        told(
            "a deleted key is gone",
            "what has ended would begin again",
            deleted(store, space),
        )
        .await,
        told(
            "whoever opens the store sees what others wrote",
            "every request would find an empty store",
            seen_by_others(store, space),
        )
        .await,
        told(
            "a counter counts from zero",
            "a delivery would be written over another",
            counted(store, space),
        )
        .await,
        told(
            "delete starts a counter again",
            "a lease that was given back would stay taken",
            reset(store, space),
        )
        .await,
        told(
            "fifty increments at once give fifty numbers",
            "two workers would work at once and create records twice",
            atomic(store, space),
        )
        .await,
        told(
            "two hundred values are kept side by side",
            "deliveries answered 200 would be lost",
            many(store, space),
        )
        .await,
        told(
            "a value of 1 MB is kept",
            "a large delivery could not be kept",
            large(store, space),
        )
        .await,
        told(
            "every key is listed",
            "without atomics, what waits would not be found",
            listed(store, space),
        )
        .await,
        told(
            "what is left for a restart is written",
            "no delivery would be kept",
            leave(store, space),
        )
        .await,
    ]
}

/// Whether a reopened store still holds what [`check`] left there. Removes it.
pub async fn survives(store: &Arc<dyn Backend>, space: &str) -> Check {
    let found = async {
        let value = store.get(&key(space, "kept")).await?;
        let counter = store.increment(&key(space, "kept-counter"), 1).await?;
        for name in ["kept", "kept-counter"] {
            store.delete(&key(space, name)).await?;
        }
        same("the value", text(value), Some("kept".to_owned()))?;
        same("the counter", counter, 6)
    };
    told(
        "what was written is there after it was opened again",
        "deliveries answered 200 would be lost at a restart",
        found,
    )
    .await
}

async fn told(claim: &'static str, otherwise: &str, tried: impl Future<Output = Tried>) -> Check {
    let refused = |wrong| format!("{wrong}. This store cannot be used: {otherwise}");
    Check {
        claim,
        wrong: tried.await.err().map(refused),
    }
}

fn key(space: &str, name: &str) -> String {
    format!("{space}{name}")
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Tried {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: {got:?}, not {wanted:?}"))
    }
}

fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

async fn values(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "value");
    same("before it was written", store.get(&key).await?, None)?;
    // Bytes that are not text.
    for value in [b"1".to_vec(), vec![0, 255, b'\r', b'\n'], Vec::new()] {
        store.set(&key, value.clone()).await?;
        same("read back", store.get(&key).await?, Some(value))?;
    }
    same("it exists", store.exists(&key).await?, true)
}

async fn deleted(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "value");
    store.delete(&key).await?;
    store.delete(&key).await?;
    same("after delete", store.get(&key).await?, None)?;
    same("it exists", store.exists(&key).await?, false)
}

async fn counted(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "counter");
    for (delta, sum) in [
        (0, 0),
        (3, 3),
        (-1, 2),
        (1_000_000_000_000, 1_000_000_000_002),
    ] {
        same("the sum", store.increment(&key, delta).await?, sum)?;
    }
    same("it exists", store.exists(&key).await?, true)
}

async fn reset(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "counter");
    store.delete(&key).await?;
    same("after delete", store.increment(&key, 1).await?, 1)?;
    store.delete(&key).await
}

async fn atomic(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "race");
    let mut racing = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (store, key) = (store.clone(), key.clone());
        racing.spawn(async move { store.increment(&key, 1).await });
    }
    let mut seen = Vec::new();
    for sum in racing.join_all().await {
        seen.push(sum?);
    }
    store.delete(&key).await?;
    seen.sort_unstable();
    let all: Vec<i64> = (1..=AT_ONCE).collect();
    same("the numbers given", seen, all)
}

async fn seen_by_others(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "shared");
    let open = || store.handle().unwrap_or_else(|| store.clone());
    open().set(&key, b"shared".to_vec()).await?;
    let read = open().get(&key).await;
    open().delete(&key).await?;
    same("another reads", text(read?), Some("shared".to_owned()))
}

async fn many(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let keys: Vec<String> = (0..MANY)
        .map(|n| key(space, &format!("many-{n}")))
        .collect();
    // All at once: a store that flushes needs few flushes for them.
    let mut writing = JoinSet::new();
    for key in keys.clone() {
        let store = store.clone();
        writing.spawn(async move { store.set(&key, key.clone().into_bytes()).await });
    }
    writing.join_all().await.into_iter().collect::<Tried>()?;
    let mut kept = 0;
    for key in &keys {
        kept += usize::from(store.get(key).await?.as_deref() == Some(key.as_bytes()));
    }
    let mut deleting = JoinSet::new();
    for key in keys {
        let store = store.clone();
        deleting.spawn(async move { store.delete(&key).await });
    }
    deleting.join_all().await.into_iter().collect::<Tried>()?;
    same("kept", kept, MANY)
}

async fn large(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let key = key(space, "large");
    store.set(&key, vec![7; LARGE]).await?;
    let read = store.get(&key).await?;
    store.delete(&key).await?;
    same("read back", read == Some(vec![7; LARGE]), true)
}

async fn listed(store: &Arc<dyn Backend>, space: &str) -> Tried {
    let names = ["a", "b", "c"].map(|name| key(space, &format!("listed-{name}")));
    for name in names.iter().rev() {
        store.set(name, Vec::new()).await?;
    }
    let mut keys = store.list_keys().await?;
    for name in &names {
        store.delete(name).await?;
    }
    keys.retain(|key| key.starts_with(space));
    keys.sort();
    same("the keys", keys, names.to_vec())
}

async fn leave(store: &Arc<dyn Backend>, space: &str) -> Tried {
    store.set(&key(space, "kept"), b"kept".to_vec()).await?;
    let counter = key(space, "kept-counter");
    same("the counter", store.increment(&counter, 5).await?, 5)
}
