//! Since when the store knows everything that was done. A store that is new, restored from a copy,
//! or had no write for a while may not know earlier creates. Those are read in Getfly by their code
//! before a create.

use crate::{
    journal::{cursor::Cursor, keys},
    stored::{self, Damaged},
    time::Timestamp,
    world::{Clock, Store, StoreError},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// A store without a write for longer than this may be an older copy.
const GAP: Duration = Duration::from_secs(600);
/// A drain writes at least this often, so that a quiet night is no gap.
const BEAT: Duration = Duration::from_secs(300);

/// What the store remembers of this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// When the first shop was connected; none in a store of an earlier version.
    pub born: Option<Timestamp>,
    /// When the last gap ended.
    pub resumed: Option<Timestamp>,
}

async fn load(store: &impl Store) -> Result<Option<Result<Life, Damaged>>, StoreError> {
    let bytes = store.get(keys::LIFE).await?;
    Ok(bytes.map(|bytes| stored::read(&bytes)))
}

async fn save(store: &impl Store, life: Life) -> Result<(), StoreError> {
    store.set(keys::LIFE, &stored::write(&life)).await
}

/// Called before a shop is connected: a store without shops, in which nothing was done, is born
/// now.
pub async fn begin<W: Store + Clock>(world: &W) -> Result<(), StoreError> {
    if world.exists(keys::LIFE).await? || world.exists(keys::CURSOR).await? {
        return Ok(());
    }
    let life = Life {
        born: Some(world.now()),
        resumed: None,
    };
    save(world, life).await
}

/// Called when a worker begins with this cursor: if there was no write for too long, a gap ends
/// now.
pub async fn begin_work<W: Store + Clock>(world: &W, cursor: &Cursor) -> Result<(), StoreError> {
    let now = world.now();
    let is_new = *cursor == Cursor::default();
    let is_gap = match cursor.last_write {
        Some(last) => now.saturating_since(last) > GAP,
        None => !is_new,
    };
    if !is_gap {
        return Ok(());
    }
    let life = load(world).await?.and_then(Result::ok).unwrap_or_default();
    let resumed = Some(now);
    save(world, Life { resumed, ..life }).await
}

/// Whether the cursor must be written although nothing changed.
pub fn is_beat_due(cursor: &Cursor, now: Timestamp) -> bool {
    let fresh = |last: Timestamp| last <= now && now.saturating_since(last) < BEAT;
    !cursor.last_write.is_some_and(fresh)
}

/// Whether Getfly may have a record that KiotViet created at this moment, without this store's
/// knowledge.
pub async fn is_in_doubt(
    store: &impl Store,
    created: Option<Timestamp>,
) -> Result<bool, StoreError> {
    if mutant!(StoreKnowsAll) {
        return Ok(false);
    }
    let known_since = match load(store).await? {
        None => None,
        Some(Ok(life)) => life.born.max(life.resumed),
        // The moment is unknown.
        Some(Err(_)) => return Ok(true),
    };
    Ok(known_since.is_some_and(|since| created.is_none_or(|created| created < since)))
}
