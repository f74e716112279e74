//! Going through the due lists: each event whose time has come, in order.

use crate::{
    drain::{
        new_entries::HOLE,
        retention::REMOVAL,
        state::{Drain, Pass, Stop, stop},
    },
    journal::{
        cursor::Bucket,
        entries, keys,
        record::{Entry, State},
    },
    world::{Store, World},
};

impl<W: World> Drain<'_, '_, W> {
    pub(super) async fn due_lists(&mut self) -> Result<Pass, Stop> {
        while let Some((start, Bucket { next, .. })) = self.next_due() {
            let key = keys::due(start, next);
            let bytes = self.worker.get(&key).await.map_err(stop)?;
            if mutant!(DueKeysDeletedEarly) {
                let _ = self.worker.delete(&key).await;
            }
            let due = bytes.and_then(|b| String::from_utf8(b).ok());
            if let Some(due) = &due
                && self.due(due).await? == Pass::Paused
            {
                return Ok(Pass::Paused);
            }
            if !due.is_some_and(|due| due.starts_with([REMOVAL, HOLE])) {
                let waiting = &mut self.cursor.counts.waiting;
                *waiting = waiting.saturating_sub(1);
            }
            if let Some(bucket) = self.cursor.due.get_mut(&start) {
                bucket.next = next.saturating_add(1);
            }
            self.moved().await?;
        }
        Ok(Pass::Complete)
    }

    /// One element of a due list: an event's number, marked where only its removal is due or a late
    /// entry is looked for.
    async fn due(&mut self, due: &str) -> Result<Pass, Stop> {
        let number = due.trim_start_matches([REMOVAL, HOLE]);
        let Ok(seq) = number.parse() else {
            return Ok(Pass::Complete);
        };
        let Some(entry) = entries::read(self.worker, seq).await.map_err(stop)? else {
            return Ok(Pass::Complete);
        };
        if due.starts_with(HOLE) {
            return self.first_look(seq, entry).await;
        }
        let Entry::Event(record) = entry else {
            return Ok(Pass::Complete);
        };
        if !due.starts_with(REMOVAL) {
            return self.event(*record).await;
        }
        if !self.remove_if_old(&record).await? && record.state != State::Dead {
            // `retention_days` was raised since.
            self.list_removal(&record).await?;
        }
        Ok(Pass::Complete)
    }
}
