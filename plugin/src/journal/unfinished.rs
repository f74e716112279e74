//! Marks a customer or an invoice that has an unfinished event: one that waits for another attempt,
//! or a dead letter. A list scan passes over it; finished ones are in the ledger instead.

use crate::{
    journal::{
        connection_name::ConnectionName,
        dead_reason::DeadReason,
        entries, keys,
        note::Note,
        record::{Kind, Record, State},
    },
    world::{Clock, Store, StoreError},
};

fn key(record: &Record) -> Option<String> {
    let id = record.hint.as_ref()?.id;
    Some(keys::open_event(&record.connection, record.kind, id))
}

/// The dead letter of an earlier event about the same customer or invoice.
pub async fn dead_letter(store: &impl Store, record: &Record) -> Result<Option<u64>, StoreError> {
    let Some(key) = key(record) else {
        return Ok(None);
    };
    let Some(seq) = seq_at(store, &key).await?.filter(|seq| *seq != record.seq) else {
        return Ok(None);
    };
    let event = entries::read_event(store, seq).await?;
    let reaches = |r: &Record| r.hint.as_ref().is_some_and(|hint| hint.since.is_some());
    let same = |other: &Record| {
        // A backfill asks again about a record that was found too old.
        other.state() == State::Dead && (reaches(other) || !reaches(record))
    };
    Ok(event.filter(same).map(|_| seq))
}

/// Keeps one dead letter for each customer or invoice: ends `record`, which just became one for
/// `reason`, if an earlier event is one already.
pub async fn fold<W: Store + Clock>(
    world: &W,
    record: &mut Record,
    reason: DeadReason,
) -> Result<(), StoreError> {
    if let Some(event) = dead_letter(world, record).await? {
        record.dismiss(reason, Note::SameDeadLetter { event }, world.now());
    }
    Ok(())
}

/// Marks `record`, unless its customer or invoice has a dead letter, whose mark stays. The caller
/// writes `record` afterwards.
pub async fn mark(store: &impl Store, record: &mut Record) -> Result<(), StoreError> {
    if record.marked || mutant!(UnfinishedNotMarked) {
        return Ok(());
    }
    if dead_letter(store, record).await?.is_some() {
        return Ok(());
    }
    if let Some(key) = key(record) {
        store.set(&key, record.seq.to_string().as_bytes()).await?;
        record.marked = true;
    }
    Ok(())
}

async fn seq_at(store: &impl Store, key: &str) -> Result<Option<u64>, StoreError> {
    let bytes = store.get(key).await?;
    Ok(bytes.and_then(|b| String::from_utf8(b).ok()?.parse().ok()))
}

/// Removes the mark, once `record` is written as done or removed.
pub async fn unmark(store: &impl Store, record: &Record) {
    if let Some(key) = key(record).filter(|_| record.marked) {
        // Only housekeeping: the mark of a finished or removed event marks nothing.
        let _ = store.delete(&key).await;
    }
}

/// Whether there is an unfinished event about it. For a backfill only a backfill's own event
/// counts: any other may end as too old.
pub async fn is_marked(
    store: &impl Store,
    connection: &ConnectionName,
    kind: Kind,
    id: i64,
    backfill: bool,
) -> Result<bool, StoreError> {
    let key = keys::open_event(connection, kind, id);
    let Some(seq) = seq_at(store, &key).await? else {
        return Ok(false);
    };
    let event = entries::read_event(store, seq).await?;
    Ok(event.is_some_and(|record| {
        let whatever_age = record
            .hint
            .as_ref()
            .is_some_and(|hint| hint.since.is_some());
        record.state() != State::Done && (whatever_age || !backfill)
    }))
}
