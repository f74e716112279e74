//! Reads and writes journal entries and their bodies. Decides nothing.

use crate::{
    journal::{
        connection_name::ConnectionName,
        dead_reason::DeadReason,
        keys, no_atomics,
        note::Note,
        record::{Body, Command, Entry, Kind, Record},
    },
    seal::Sealer,
    stored,
    time::Timestamp,
    world::{Clock, Random, Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Larger bodies are stored in keys of their own. A value may have 1 MB, and sealing in Base64 adds
/// a third.
const INLINE_BODY_BYTES: usize = 64 * 1024;
/// Size of a part of a large body. Sealed and in Base64 it is just below 512 KiB: our own host's
/// store rounds a value up to the next power of two.
const PART_BYTES: usize = 380 * 1024;

/// Reserves `count` numbers; returns the first of them.
pub async fn reserve<W: Store + Clock + Random>(
    world: &W,
    count: usize,
) -> Result<u64, StoreError> {
    let count = i64::try_from(count).map_err(StoreError::failed)?;
    if !world.is_atomic() {
        return no_atomics::reserve(world, count.unsigned_abs()).await;
    }
    let tail = world.increment(keys::JOURNAL_TAIL, count).await?;
    u64::try_from(tail.saturating_sub(count).saturating_add(1)).map_err(StoreError::failed)
}

/// The last reserved number; zero if numbers are drawn by lot.
pub async fn tail(store: &impl Store) -> Result<u64, StoreError> {
    if !store.is_atomic() {
        return Ok(0);
    }
    let tail = store.increment(keys::JOURNAL_TAIL, 0).await?;
    u64::try_from(tail).map_err(StoreError::failed)
}

/// The numbers below `before` that may hold entries, newest first, at most `most`.
pub async fn numbers(
    store: &impl Store,
    before: Option<u64>,
    most: usize,
) -> Result<Vec<u64>, StoreError> {
    let is_below = |seq: &u64| before.is_none_or(|before| *seq < before);
    if !store.is_atomic() {
        let all = no_atomics::numbers(store, keys::ENTRIES).await?;
        return Ok(all.into_iter().rev().filter(is_below).take(most).collect());
    }
    let tail = tail(store).await?;
    let newest = before.map_or(tail, |before| before.saturating_sub(1).min(tail));
    Ok((1..=newest).rev().take(most).collect())
}

/// The entry at `seq`; none for a number that was reserved but not (yet) written, or whose entry
/// was removed. An unreadable entry is a dead letter, so that it never keeps the worker from the
/// entries after it.
pub async fn read(store: &impl Store, seq: u64) -> Result<Option<Entry>, StoreError> {
    let Some(bytes) = store.get(&keys::entry(seq)).await? else {
        return Ok(None);
    };
    Ok(Some(stored::read(&bytes).unwrap_or_else(|e| {
        let mut record = Record::new(
            seq,
            Timestamp::UNIX_EPOCH,
            &ConnectionName::unknown(),
            Kind::Other,
            String::new(),
        );
        record.bury(DeadReason::DamagedEntry, Timestamp::UNIX_EPOCH);
        record.note(Note::EntryDamaged { why: e.to_string() });
        Entry::Event(Box::new(record))
    })))
}

/// The event at `seq`; none for a command too.
pub async fn read_event(store: &impl Store, seq: u64) -> Result<Option<Record>, StoreError> {
    Ok(match read(store, seq).await? {
        Some(Entry::Event(record)) => Some(*record),
        _ => None,
    })
}

/// Writes a person's command.
pub async fn write_command(
    store: &impl Store,
    seq: u64,
    command: &Command,
) -> Result<(), StoreError> {
    store.set(&keys::entry(seq), &command.to_entry()).await
}

/// Writes an event at its own number.
pub async fn write_event(store: &impl Store, record: &Record) -> Result<(), StoreError> {
    store
        .set(&keys::entry(record.seq), &record.to_event())
        .await
}

fn wrap(sealer: Option<&Sealer>, place: &str, bytes: &[u8], random: &impl Random) -> Body {
    match sealer.and_then(|s| s.seal(place, bytes, random).ok()) {
        Some(sealed) => Body::Sealed(sealed),
        None => Body::Plain(STANDARD.encode(bytes)),
    }
}

fn unwrap(sealer: Option<&Sealer>, place: &str, body: &Body) -> Option<Vec<u8>> {
    match body {
        Body::Sealed(text) => sealer?.open(place, text).ok(),
        Body::Plain(text) => STANDARD.decode(text).ok(),
        Body::Parts(_) => None,
    }
}

/// Stores `bytes` as the body of entry `seq`, sealed if there is a sealer. Returns what the record
/// must hold. A large body is written to keys of its own first.
pub async fn keep_body<W: Store + Random>(
    world: &W,
    sealer: Option<&Sealer>,
    seq: u64,
    bytes: &[u8],
) -> Result<Body, StoreError> {
    if bytes.len() <= INLINE_BODY_BYTES {
        return Ok(wrap(sealer, &keys::entry(seq), bytes, world));
    }
    let mut parts = 0;
    for chunk in bytes.chunks(PART_BYTES) {
        let key = keys::body_part(seq, parts);
        let part = wrap(sealer, &key, chunk, world);
        world.set(&key, &stored::write(&part)).await?;
        parts += 1;
    }
    Ok(Body::Parts(parts))
}

/// The body of entry `seq`; none if this `master_key` cannot open it.
pub async fn open_body(
    store: &impl Store,
    sealer: Option<&Sealer>,
    seq: u64,
    body: &Body,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Body::Parts(parts) = body else {
        return Ok(unwrap(sealer, &keys::entry(seq), body));
    };
    let mut whole = Vec::new();
    for part in 0..*parts {
        let key = keys::body_part(seq, part);
        let Some(bytes) = store.get(&key).await? else {
            return Ok(None);
        };
        let opened = stored::read(&bytes)
            .ok()
            .and_then(|b| unwrap(sealer, &key, &b));
        let Some(opened) = opened else {
            return Ok(None);
        };
        whole.extend_from_slice(&opened);
    }
    Ok(Some(whole))
}

/// Removes the keys of a large body. An inline body goes with its record.
pub async fn drop_body(
    store: &impl Store,
    seq: u64,
    body: Option<&Body>,
) -> Result<(), StoreError> {
    if let Some(Body::Parts(parts)) = body {
        for part in 0..*parts {
            store.delete(&keys::body_part(seq, part)).await?;
        }
    }
    Ok(())
}
