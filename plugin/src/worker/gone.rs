//! Whether a record that KiotViet does not show is gone. One answer is no proof: a record that was just
//! told of may not be readable yet, and a shop's whole API may answer so for a while.

use crate::{
    journal::{note::Note, record::Record},
    time::Timestamp,
    worker::{failure::Failure, session::Session},
    world::World,
};
use core::time::Duration;

/// A record that was told of less than this long ago is asked for again.
const YOUNG: Duration = Duration::from_secs(600);
/// After how long, each time.
const AGAIN: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(300),
];

/// How often `record`'s customer or invoice was asked for in vain, if it counts as gone only after
/// several times: it is young, and a signed delivery or KiotViet's own list told of it.
pub fn asked_in_vain(record: &Record, now: Timestamp) -> Option<usize> {
    let asked = record.misses.unwrap_or_default();
    let young = now.saturating_since(record.received_at) < YOUNG;
    let signed = !record.notes.iter().any(Note::is_unsigned);
    (signed && (young || asked > 0)).then(|| usize::try_from(asked).unwrap_or(usize::MAX))
}

/// What an event is about was not found: fails unless it counts as gone.
pub async fn confirm<W: World>(session: &Session<'_, W>) -> Result<(), Failure> {
    let wait = session.asked_in_vain.and_then(|asked| AGAIN.get(asked));
    if let Some(wait) = wait {
        let now = session.world.now();
        return Err(Failure::NotShown(now.checked_add(*wait).unwrap_or(now)));
    }
    control(session).await
}

/// The control for any "not found": the shop's API works, so that it is about the record.
pub async fn control<W: World>(session: &Session<'_, W>) -> Result<(), Failure> {
    session.kiotviet(async |k| k.branches().await).await?;
    Ok(())
}
