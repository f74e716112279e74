//! Whether a record that KiotViet does not show is gone. One answer proves nothing: a new record
//! may not be readable yet, and a shop's whole API may answer 404 for a while.

use crate::{
    journal::{note::Note, record::Record},
    time::Timestamp,
    worker::{failure::Failure, session::Session},
    world::World,
};
use core::time::Duration;

/// A record whose delivery or list row is younger than this is read again.
const YOUNG: Duration = Duration::from_secs(600);
/// The wait before each further read.
const AGAIN: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(300),
];

/// How often `record`'s customer or invoice was read in vain, if it counts as gone only after
/// several reads: it is young, and a signed delivery or KiotViet's own list named it.
pub fn asked_in_vain(record: &Record, now: Timestamp) -> Option<usize> {
    let asked = record.misses.unwrap_or_default();
    let young = now.saturating_since(record.received_at) < YOUNG;
    let signed = !record.notes.iter().any(Note::is_unsigned);
    (signed && (young || asked > 0)).then(|| usize::try_from(asked).unwrap_or(usize::MAX))
}

/// Handles a record that was not found: fails unless the record counts as gone.
pub async fn confirm<W: World>(session: &Session<'_, W>) -> Result<(), Failure> {
    let wait = session.asked_in_vain.and_then(|asked| AGAIN.get(asked));
    if let Some(wait) = wait {
        let now = session.world.now();
        return Err(Failure::NotShown(now.saturating_add(*wait)));
    }
    control(session).await
}

/// The control read for any "not found": the shop's API works, so the answer is about the record.
pub async fn control<W: World>(session: &Session<'_, W>) -> Result<(), Failure> {
    session.kiotviet(async |k| k.branches().await).await?;
    Ok(())
}
