//! What deliveries that were refused or could not be read leave behind, bounded for each connection: the first 20 of an
//! hour are kept whole, 50 MB of them at most; further ones are counted, and one event an hour tells of them. Of those that
//! nobody signed and that are taken as hints, 50 MB an hour are taken apart; further ones are counted too. Whoever
//! knows a webhook's path can send them without end.

use crate::{
    journal::{connection_name::ConnectionName, keys, note::Note, record::Record},
    time::Timestamp,
    world::{Store, StoreError},
};
use sha2::{Digest, Sha256};

/// Deliveries of an hour that are kept whole.
const KEPT_AN_HOUR: i64 = 20;
/// Most bytes of them all, as they are stored.
const KEPT_BYTES: i64 = 50_000_000;
/// Most bytes of unsigned deliveries of an hour that are taken apart, as they are stored.
const HINTED_BYTES: i64 = 50_000_000;
/// What an event takes in the store besides its body, bytes.
const EVENT_BYTES: usize = 1_000;
/// What a connection's event of one hour is counted from.
const HOUR: i64 = 3600;

/// What is left of the bounds for one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It is kept whole, and its body counts for so many bytes.
    Whole(i64),
    /// It is counted; none of this hour was before.
    FirstCounted,
    /// It is counted.
    Counted,
}

/// The hour of a moment, since 1970.
pub fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR)
}

/// Takes room for a delivery of `connection` that came now and whose body takes `bytes` in the store. One that finds none
/// is counted: that is durable once this returns.
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

/// Counts a delivery that is not kept.
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

/// Whether a delivery that nobody signed, with so many items and bytes, is taken apart; otherwise it is to be counted.
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
    // Looked at first: a flood costs a reading here.
    if store.increment(&kept, 0).await? >= KEPT_AN_HOUR
        || store.increment(&all, 0).await?.saturating_add(bytes) > KEPT_BYTES
    {
        return Ok(None);
    }
    let number = store.increment(&kept, 1).await?;
    if number == 1 {
        forget_last_hour(store, connection, hour).await?;
    }
    // Several at once may have seen the same room.
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

/// The event that tells of all deliveries of its hour that are counted is this one.
pub async fn told_by(store: &impl Store, record: &Record) -> Result<(), StoreError> {
    let key = keys::refused_event(&record.connection, hour(record.received_at));
    store.set(&key, record.seq.to_string().as_bytes()).await
}

/// An event as people are shown it: with how many deliveries of its hour were counted so far.
pub async fn with_count(store: &impl Store, record: &mut Record) -> Result<(), StoreError> {
    let key = keys::refused_counted(&record.connection, hour(record.received_at));
    for note in &mut record.notes {
        if let Note::OnlyCounted { deliveries, .. } = note {
            *deliveries = store.increment(&key, 0).await?.max(1).unsigned_abs();
        }
    }
    Ok(())
}

/// An event is being removed: its body's room is free, and nothing is kept of what it told of.
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

/// How many bytes a body of this length takes in the store, at most.
pub fn stored_bytes(length: usize) -> usize {
    // Sealed and in Base64, with what stands around it.
    length.div_ceil(3).saturating_mul(4).saturating_add(512)
}

/// The moment up to which a dropped delivery of `connection` may have told of something; none was dropped since the
/// last list scan.
pub async fn dropped_since(
    store: &impl Store,
    connection: &ConnectionName,
) -> Result<Option<Timestamp>, StoreError> {
    let mark = store.get(&keys::refused_since(connection)).await?;
    Ok(mark.and_then(|mark| core::str::from_utf8(&mark).ok()?.parse().ok()))
}

/// A list scan reads from there on. One that is dropped meanwhile came after that scan was planned, and the next one
/// reads so far.
pub async fn is_read_back(
    store: &impl Store,
    connection: &ConnectionName,
) -> Result<(), StoreError> {
    store.delete(&keys::refused_since(connection)).await
}

/// The next list scan reads what was changed at `at` or later.
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
