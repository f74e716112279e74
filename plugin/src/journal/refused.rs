//! Bounds what refused and unreadable deliveries leave behind, for each connection: the first 20 of
//! an hour are stored whole, 50 MB of them at most. Further ones are counted, and one event an hour
//! shows the count. Of unsigned deliveries that are accepted as hints, 50 MB an hour are taken
//! apart; further ones are counted too. Any sender who knows a webhook's path can send them without
//! end.

use crate::{
    journal::{connection_name::ConnectionName, keys, note::Note, record::Record},
    time::Timestamp,
    world::{Store, StoreError},
};
use sha2::{Digest, Sha256};

/// Deliveries of an hour that are stored whole.
const KEPT_AN_HOUR: i64 = 20;
/// The most bytes of all of them, as they are stored.
const KEPT_BYTES: i64 = 50_000_000;
/// The most bytes of unsigned deliveries of an hour that are taken apart, as they are stored.
const HINTED_BYTES: i64 = 50_000_000;
/// The bytes that an event takes in the store besides its body.
const EVENT_BYTES: usize = 1_000;
/// The length of the time that one counting event covers, in seconds.
const HOUR: i64 = 3600;

/// The room that the bounds leave for one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It is stored whole, and its body counts as this many bytes.
    Whole(i64),
    /// It is counted, as the first one of this hour.
    FirstCounted,
    /// It is counted.
    Counted,
}

/// The hour of a moment, since 1970.
pub fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR)
}

/// Takes room for a delivery of `connection` that came now and whose body takes `bytes` in the
/// store. A delivery without room is counted, durably once this returns.
pub async fn take_room(
    store: &impl Store,
    connection: &ConnectionName,
    now: Timestamp,
    bytes: usize,
) -> Result<Room, StoreError> {
    let hour = hour(now);
    if let Some(bytes) = kept_whole(store, connection, hour, bytes).await? {
        return Ok(Room::Whole(bytes));
    }
    count(store, connection, now).await
}

/// Counts a delivery that is not stored.
pub async fn count(
    store: &impl Store,
    connection: &ConnectionName,
    now: Timestamp,
) -> Result<Room, StoreError> {
    let hour = hour(now);
    set_back(store, connection, now).await?;
    let counted = keys::refused_counted(connection, hour);
    let number = store.increment(&counted, 1).await?;
    let first = store.get(&keys::refused_event(connection, hour)).await?;
    Ok(if number == 1 || first.is_none() {
        Room::FirstCounted
    } else {
        Room::Counted
    })
}

/// Whether an unsigned delivery with this many items and bytes is taken apart; if not, it must be
/// counted.
pub async fn has_room_for_hints(
    store: &impl Store,
    connection: &ConnectionName,
    now: Timestamp,
    (items, bytes): (usize, usize),
) -> Result<bool, StoreError> {
    let takes = stored_bytes(bytes).saturating_add(items.saturating_mul(EVENT_BYTES));
    let takes = i64::try_from(takes).map_err(StoreError::failed)?;
    let hour = hour(now);
    let key = keys::hinted_bytes(connection, hour);
    let taken = store.increment(&key, takes).await?;
    if taken == takes {
        forget_last_hour(store, connection, hour).await?;
    }
    Ok(taken <= HINTED_BYTES)
}

async fn kept_whole(
    store: &impl Store,
    connection: &ConnectionName,
    hour: i64,
    bytes: usize,
) -> Result<Option<i64>, StoreError> {
    let bytes = i64::try_from(bytes).map_err(StoreError::failed)?;
    let (kept, all) = (
        keys::refused_kept(connection, hour),
        keys::refused_bytes(connection),
    );
    // Read before it is incremented: a flood costs one read here.
    if store.increment(&kept, 0).await? >= KEPT_AN_HOUR
        || store.increment(&all, 0).await?.saturating_add(bytes) > KEPT_BYTES
    {
        return Ok(None);
    }
    let number = store.increment(&kept, 1).await?;
    if number == 1 {
        forget_last_hour(store, connection, hour).await?;
    }
    // Several deliveries at once may have seen the same room.
    if number > KEPT_AN_HOUR {
        return Ok(None);
    }
    if store.increment(&all, bytes).await? > KEPT_BYTES {
        store.increment(&all, bytes.saturating_neg()).await?;
        return Ok(None);
    }
    Ok(Some(bytes))
}

async fn forget_last_hour(
    store: &impl Store,
    connection: &ConnectionName,
    hour: i64,
) -> Result<(), StoreError> {
    let key = keys::refused_hour(connection);
    let last = store.get(&key).await?;
    let last = last.and_then(|last| core::str::from_utf8(&last).ok()?.parse().ok());
    if let Some(last) = last.filter(|last| *last != hour) {
        store.delete(&keys::refused_kept(connection, last)).await?;
        store.delete(&keys::hinted_bytes(connection, last)).await?;
    }
    store.set(&key, hour.to_string().as_bytes()).await
}

/// `record` is the event that shows the count of its hour.
pub async fn told_by(store: &impl Store, record: &Record) -> Result<(), StoreError> {
    let key = keys::refused_event(&record.connection, hour(record.received_at));
    store.set(&key, record.seq.to_string().as_bytes()).await
}

/// Adds the count of its hour to an event that people are shown.
pub async fn with_count(store: &impl Store, record: &mut Record) -> Result<(), StoreError> {
    let key = keys::refused_counted(&record.connection, hour(record.received_at));
    for note in &mut record.notes {
        if let Note::OnlyCounted { deliveries, .. } = note {
            *deliveries = store.increment(&key, 0).await?.max(1).unsigned_abs();
        }
    }
    Ok(())
}

/// Called when an event is removed: frees its body's room and forgets the count that it showed.
pub async fn give_back(store: &impl Store, record: &Record) -> Result<(), StoreError> {
    let hour = hour(record.received_at);
    if record.notes.iter().any(Note::is_count) {
        store
            .delete(&keys::refused_counted(&record.connection, hour))
            .await?;
        store
            .delete(&keys::refused_event(&record.connection, hour))
            .await?;
    }
    if let Some(bytes) = record.kept_bytes {
        let key = keys::refused_bytes(&record.connection);
        store.increment(&key, bytes.saturating_neg()).await?;
    }
    Ok(())
}

/// The most bytes that a body of this length takes in the store.
pub fn stored_bytes(length: usize) -> usize {
    // Sealed and in Base64, with the record around it.
    length.div_ceil(3).saturating_mul(4).saturating_add(512)
}

/// The moment until which a dropped delivery of `connection` may have named a record; none if no
/// delivery was dropped since the last list scan.
pub async fn dropped_since(
    store: &impl Store,
    connection: &ConnectionName,
) -> Result<Option<Timestamp>, StoreError> {
    let mark = store.get(&keys::refused_since(connection)).await?;
    Ok(mark.and_then(|mark| core::str::from_utf8(&mark).ok()?.parse().ok()))
}

/// A list scan covers everything from there on. A delivery that is dropped meanwhile came after
/// that scan was planned, and the next scan covers it.
pub async fn is_read_back(
    store: &impl Store,
    connection: &ConnectionName,
) -> Result<(), StoreError> {
    store.delete(&keys::refused_since(connection)).await
}

/// The next list scan covers everything that changed at `at` or later.
pub async fn set_back(
    store: &impl Store,
    connection: &ConnectionName,
    at: Timestamp,
) -> Result<(), StoreError> {
    let key = keys::refused_since(connection);
    if store.exists(&key).await? {
        return Ok(());
    }
    store.set(&key, at.to_string().as_bytes()).await
}

/// The SHA-256 of a body, in hex.
pub fn fingerprint(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
