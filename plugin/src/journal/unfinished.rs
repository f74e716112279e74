//! Marks a customer or an invoice that has an event which is not done: waiting for another attempt, or a
//! dead letter. Reading KiotViet's lists passes over it; what is done stands in the ledger instead.

use crate::{
    journal::{
        connection_name::ConnectionName,
        entries, keys,
        record::{Kind, Record, State},
    },
    world::{Store, StoreError},
};

fn key(record: &Record) -> Option<String> {
    let id = record.hint.as_ref()?.id;
    Some(keys::open_event(&record.connection, record.kind, id))
}

/// Marks `record`; the caller writes it afterwards.
pub async fn mark(store: &impl Store, record: &mut Record) -> Result<(), StoreError> {
    if record.marked || mutant!(UnfinishedNotMarked) {
        return Ok(());
    }
    if let Some(key) = key(record) {
        store.set(&key, record.seq.to_string().as_bytes()).await?;
        record.marked = true;
    }
    Ok(())
}

/// Takes the mark away, once `record` is written as done or removed.
pub async fn unmark(store: &impl Store, record: &Record) {
    if let Some(key) = key(record).filter(|_| record.marked) {
        // Only tidiness: a mark whose event is done or gone marks nothing.
        let _ = store.delete(&key).await;
    }
}

/// Whether there is an unfinished event about it. For a backfill only a backfill's own event counts: any
/// other one may end as too old.
pub async fn is_marked(
    store: &impl Store,
    connection: &ConnectionName,
    kind: Kind,
    id: i64,
    backfill: bool,
) -> Result<bool, StoreError> {
    let key = keys::open_event(connection, kind, id);
    let bytes = store.get(&key).await?;
    let seq = bytes.and_then(|b| String::from_utf8(b).ok()?.parse().ok());
    let Some(seq) = seq else {
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
