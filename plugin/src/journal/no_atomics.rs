//! Handles stores without working atomics (hosted Spin at the edge). Every entry gets a number that
//! no other request draws, with a mark until a drain has looked at it; `increment` is a read and a
//! write. Each delivery's own request processes it without the lease. So two customers with one
//! phone may both be created at one instant. Nothing is lost, and a record's code still prevents
//! its double.

use crate::{
    journal::keys,
    time::Timestamp,
    world::{Clock, Random, Store, StoreError},
};
use core::time::Duration;

/// For people: what such a store cannot promise.
pub const WEAKER: &str = "this host's key-value store has no atomics: two customers with one phone, or two deliveries of one invoice, that come at one instant may both be created in Getfly";

/// A request is certainly over this long after its delivery came; then a drain may process it.
pub const REQUEST_OVER: Duration = Duration::from_secs(60);

/// Numbers grow by this each eighth of a second; the part below it is drawn by lot.
const DRAWN: u64 = 1 << 22;
/// 2026-01-01T00:00:00Z.
const EPOCH_SECONDS: i64 = 1_767_225_600;

/// `increment` in two steps, for a store on which [`Store::count_plainly`] was called.
pub async fn increment(store: &impl Store, key: &str, delta: i64) -> Result<i64, StoreError> {
    let bytes = store.get(key).await?;
    let before = bytes.and_then(|b| String::from_utf8(b).ok()?.parse().ok());
    let sum = i64::saturating_add(before.unwrap_or(0), delta);
    if delta != 0 {
        store.set(key, sum.to_string().as_bytes()).await?;
    }
    Ok(sum)
}

fn ticks(now: Timestamp) -> u64 {
    let seconds = now.as_second().saturating_sub(EPOCH_SECONDS);
    let eighths = u64::from(now.subsec_nanosecond() / 125_000_000);
    let seconds = u64::try_from(seconds).unwrap_or(0);
    seconds.saturating_mul(8).saturating_add(eighths)
}

/// Draws `count` numbers in a row and marks them as not looked at; returns the first.
pub async fn reserve<W: Store + Clock + Random>(world: &W, count: u64) -> Result<u64, StoreError> {
    let mut lot = [0u8; 8];
    world.fill(&mut lot);
    let lot = u64::from_le_bytes(lot) % DRAWN.saturating_sub(count).max(1);
    let first = ticks(world.now()).saturating_mul(DRAWN).saturating_add(lot);
    for seq in first..first.saturating_add(count) {
        if mutant!(UnlookedNotMarked) {
            break;
        }
        world.set(&keys::unlooked(seq), b"1").await?;
    }
    Ok(first)
}

/// When the entry of this number came, within an eighth of a second.
pub fn came_at(seq: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(seq / DRAWN / 8).ok()?;
    Timestamp::from_second(EPOCH_SECONDS.checked_add(seconds)?)
}

/// The numbers after `prefix` among the store's keys, in order.
pub async fn numbers(store: &impl Store, prefix: &str) -> Result<Vec<u64>, StoreError> {
    let keys = store.list_keys().await?;
    let number = |key: &String| key.strip_prefix(prefix)?.parse().ok();
    let mut numbers: Vec<u64> = keys.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// A create begins whose request may be stopped at any moment, without a lease that would tell. It may take effect
/// `until` then; no other account is created before, as after a crash elsewhere.
pub async fn create_begins(store: &impl Store, until: Timestamp) -> Result<(), StoreError> {
    let until = until.as_second().to_string();
    store.set(keys::OPEN_CREATE, until.as_bytes()).await
}

/// The store shows what became of the create.
pub async fn create_settled(store: &impl Store) -> Result<(), StoreError> {
    store.delete(keys::OPEN_CREATE).await
}

/// Until when a create that began may take effect. What cannot be read says nothing.
pub async fn open_create(store: &impl Store) -> Result<Option<Timestamp>, StoreError> {
    let bytes = store.get(keys::OPEN_CREATE).await?;
    let seconds = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    Ok(seconds.and_then(Timestamp::from_second))
}
