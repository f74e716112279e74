//! Tests whether the host's key-value store keeps what is written: once in a store's life, on keys
//! of its own; every health check then costs three reads. A store that has lost everything looks
//! like a new one, and one instance cannot see whether fifty increments at once are atomic: `host
//! check` tests both. Deliveries never come here: no shop can be connected on a store that fails,
//! and a request whose path opens no connection is refused meanwhile.

use crate::{
    journal::{entries, keys},
    time::Timestamp,
    world::{Clock, Random, Store, StoreError},
};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

/// How often a store that miscounts is tested before the result counts.
const PROBES: usize = 3;
/// A store that lost something is tested again this long after the loss was seen.
const ANEW: Duration = Duration::from_secs(3600);

/// [`keys::STORE_KIND`]: it counts.
pub const ATOMIC: &[u8] = b"atomic";
/// [`keys::STORE_KIND`]: it does not.
pub const PLAIN: &[u8] = b"plain";

/// [`keys::STORE_KEPT`]: the marks are being made.
const BEGUN: &[u8] = b"begun";
/// [`keys::STORE_KEPT`]: all marks are made.
const WHOLE: &[u8] = b"whole";
/// [`keys::STORE_KEPT`]: a mark was missing, at this many seconds after 1970.
const LOST: &[u8] = b"lost ";

/// The remedy for all of these.
const WHAT_TO_DO: &str = "No delivery is safe in it, so none is taken. Give this application a store that keeps its word (Spin's SQLite, Redis or Valkey, or the project's own host), and try it with kvgf check.";

/// Why a store that answers cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// A read returns something else than what was written.
    NotReadBack,
    /// What was written is gone when the store is opened again.
    Forgets,
    /// A mark is gone although it was never deleted.
    Lost,
    /// A deleted value is still there.
    NotDeleted,
    /// Increments return a number twice or leave one out.
    Miscounts,
    /// A counter goes on after it was deleted.
    NotReset,
}

impl Unfit {
    /// In a sentence for people, with what to do.
    pub fn words(self) -> String {
        let what = match self {
            Self::NotReadBack => "does not give back what was written to it",
            Self::Forgets => "forgets: what was written is gone when it is opened again",
            Self::Lost => {
                "has lost a key that was never deleted (does Redis evict? set maxmemory-policy noeviction; it is tried anew an hour after the loss was seen)"
            }
            Self::NotDeleted => "still has what was deleted",
            Self::Miscounts => "counts wrongly: increments gave one number twice or left one out",
            Self::NotReset => "goes on with a counter that was deleted",
        };
        format!("this host's key-value store {what}. {WHAT_TO_DO}")
    }
}

/// Finds out, once in a store's life, whether it counts; then `world` knows. Only under `processing
/// = inline`: otherwise a store that does not count is an error.
pub async fn find_out<W: Store + Clock + Random>(world: &W) -> Result<(), StoreError> {
    match world.get(keys::STORE_KIND).await?.as_deref() {
        Some(PLAIN) => world.count_plainly(),
        Some(_) => {}
        None => {
            try_out(world, true).await?;
        }
    }
    Ok(())
}

/// How long an instance relies on what it saw of the store. On Spin, reading a counter is a durable
/// write, and strangers may cause it.
const LATELY: Duration = Duration::from_secs(5);

/// What an instance has just seen of the store: that it counts, or why it cannot be used.
#[derive(Debug, Default)]
pub struct Lately(Mutex<Option<(Timestamp, Option<Unfit>)>>);

impl Lately {
    fn seen(&self, now: Timestamp) -> Option<Option<Unfit>> {
        let seen = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, what) = seen?;
        (at <= now && now.saturating_since(at) < LATELY).then_some(what)
    }

    fn remember(&self, now: Timestamp, what: Option<Unfit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, what));
    }

    /// Whether the store was seen counting a moment ago.
    pub fn counted(&self, now: Timestamp) -> bool {
        self.seen(now) == Some(None)
    }
}

/// What is wrong with the store, if anything, for an unknown caller: a counter is read, and a store
/// that cannot be used is tested, once in five seconds. The marks are read each time; otherwise a
/// path that opens no connection could be answered 404 on a store that has just lost that
/// connection.
pub async fn look_again<W: Store + Clock + Random>(
    world: &W,
    lately: &Lately,
) -> Result<Option<Unfit>, StoreError> {
    let now = world.now();
    let seen = lately.seen(now);
    if let Some(Some(unfit)) = seen {
        return Ok(Some(unfit));
    }
    let unfit = look_at(world, Some(lately)).await?;
    if unfit.is_some() {
        lately.remember(now, unfit);
    }
    Ok(unfit)
}

/// What is wrong with the store, if anything. Three reads for a store that was tested before.
pub async fn look<W: Store + Clock + Random>(world: &W) -> Result<Option<Unfit>, StoreError> {
    look_at(world, None).await
}

/// What is wrong with the store. Its counting is not tested if it was seen lately.
async fn look_at<W: Store + Clock + Random>(
    world: &W,
    lately: Option<&Lately>,
) -> Result<Option<Unfit>, StoreError> {
    if mutant!(StoreNotTried) {
        return Ok(None);
    }
    let kind = world.get(keys::STORE_KIND).await?;
    let kept = world.get(keys::STORE_KEPT).await?;
    if let Some(seen) = kept.as_deref().and_then(lost_at) {
        let over = world.now().saturating_since(seen) >= ANEW;
        return if over {
            try_out(world, false).await
        } else {
            Ok(Some(Unfit::Lost))
        };
    }
    let lost = match (kind.as_deref(), kept.as_deref()) {
        (Some(ATOMIC), Some(WHOLE)) => !counts(world, lately).await?,
        (Some(_), Some(WHOLE)) => false,
        // One is written before the other.
        (None, Some(WHOLE)) | (Some(_), None) => true,
        (_, kept) => {
            let unmarked = kept.is_none();
            if let Some(unfit) = try_out(world, false).await? {
                return Ok(Some(unfit));
            }
            // Nothing is accepted before a shop is connected, and no shop is connected before the
            // marks are made.
            unmarked && entries::tail(world).await? > 0
        }
    };
    if lost {
        let mut mark = LOST.to_vec();
        mark.extend_from_slice(world.now().as_second().to_string().as_bytes());
        world.set(keys::STORE_KEPT, &mark).await?;
    }
    Ok(lost.then_some(Unfit::Lost))
}

/// Whether the counter among the marks exists, or did a moment ago.
async fn counts<W: Store + Clock>(world: &W, lately: Option<&Lately>) -> Result<bool, StoreError> {
    let now = world.now();
    if lately.is_some_and(|lately| lately.counted(now)) {
        return Ok(true);
    }
    let counts = world.increment(keys::STORE_COUNTED, 0).await? != 0;
    if let Some(lately) = lately.filter(|_| counts) {
        lately.remember(now, None);
    }
    Ok(counts)
}

fn lost_at(kept: &[u8]) -> Option<Timestamp> {
    let seconds = core::str::from_utf8(kept.strip_prefix(LOST)?).ok()?;
    Timestamp::from_second(seconds.parse().ok()?)
}

/// Tests the store and makes the marks. A worker that crashes in between leaves at most two small
/// keys, and the next worker makes the marks. `inline`: a store that keeps values but miscounts is
/// used as one without atomics.
async fn try_out<W: Store + Random>(world: &W, inline: bool) -> Result<Option<Unfit>, StoreError> {
    let mut lot = [0u8; 8];
    world.fill(&mut lot);
    let lot = u64::from_le_bytes(lot);
    let value = keys::probe(lot, "value");
    if let Some(unfit) = walk(world, &value, KEEPS).await? {
        return Ok(Some(unfit));
    }
    let counter = keys::probe(lot, "counter");
    let mut counted = walk(world, &counter, COUNTS).await;
    for _ in 1..PROBES {
        if counted.is_err() && inline {
            counted = walk(world, &counter, COUNTS).await;
        }
    }
    match counted {
        Ok(Some(unfit)) => return Ok(Some(unfit)),
        Ok(None) => {}
        // It keeps values, so it is not merely down.
        Err(_) if inline => world.count_plainly(),
        Err(e) => return Err(e),
    }
    world.set(keys::STORE_KEPT, BEGUN).await?;
    world.increment(keys::STORE_COUNTED, 1).await?;
    let kind = if world.is_atomic() { ATOMIC } else { PLAIN };
    world.set(keys::STORE_KIND, kind).await?;
    world.set(keys::STORE_KEPT, WHOLE).await?;
    Ok(None)
}

/// A step of a test on one key.
#[derive(Debug, Clone, Copy)]
enum Step {
    Set,
    IsKept,
    OpenAgain,
    Delete,
    IsGone,
    CountsTo(i64),
}

/// The steps for values, with what a failed step proves.
const KEEPS: &[(Step, Unfit)] = &[
    (Step::Set, Unfit::NotReadBack),
    (Step::IsKept, Unfit::NotReadBack),
    (Step::OpenAgain, Unfit::Forgets),
    (Step::IsKept, Unfit::Forgets),
    (Step::Delete, Unfit::NotDeleted),
    (Step::IsGone, Unfit::NotDeleted),
];

/// The steps for counters. No other code uses this one, and what an earlier attempt left of it is
/// deleted first.
const COUNTS: &[(Step, Unfit)] = &[
    (Step::Delete, Unfit::Miscounts),
    (Step::CountsTo(1), Unfit::Miscounts),
    (Step::CountsTo(2), Unfit::Miscounts),
    (Step::OpenAgain, Unfit::Miscounts),
    (Step::CountsTo(3), Unfit::Miscounts),
    (Step::Delete, Unfit::NotReset),
    (Step::CountsTo(1), Unfit::NotReset),
    (Step::Delete, Unfit::NotReset),
];

/// Runs the steps on `key`, which is deleted in the end; returns what the first failed step proves.
async fn walk<W: Store>(
    world: &W,
    key: &str,
    steps: &[(Step, Unfit)],
) -> Result<Option<Unfit>, StoreError> {
    for (step, unfit) in steps {
        let holds = match step {
            Step::Set => world.set(key, WHOLE).await.map(|()| true)?,
            Step::IsKept => world.get(key).await?.as_deref() == Some(WHOLE),
            Step::OpenAgain => {
                if !mutant!(StoreNotOpenedAgain) {
                    world.reopen();
                }
                true
            }
            Step::Delete => world.delete(key).await.map(|()| true)?,
            Step::IsGone => !world.exists(key).await?,
            Step::CountsTo(sum) => world.increment(key, 1).await? == *sum,
        };
        if !holds {
            // If the delete fails, one small key stays.
            let _ = world.delete(key).await;
            return Ok(Some(*unfit));
        }
    }
    Ok(None)
}
