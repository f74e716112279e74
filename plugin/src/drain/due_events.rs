//! Going through the due lists: each event whose time has come, in order.

use crate::{
    drain::{
        due::Due,
        state::{Drain, Pass},
    },
    journal::{
        entries, keys,
        record::{Entry, State},
    },
    worker::failure::Stop,
    world::{Store, World},
};

impl<W: World> Drain<'_, '_, W> {
    /// Does what the next element of a due list, at this place, asks for.
    pub(super) async fn attempt_due(&mut self, start: i64, next: u32) -> Result<Pass, Stop> {
        let key = keys::due(start, next);
        let bytes = self.worker.get(&key).await?;
        if mutant!(DueKeysDeletedEarly) {
            let _ = self.worker.delete(&key).await;
        }
        let due = bytes.and_then(|bytes| Due::parse(&bytes));
        if let Some(due) = due
            && self.due(due).await? == Pass::Paused
        {
            return Ok(Pass::Paused);
        }
        // One that is lost was most likely an attempt.
        if due.is_none_or(Due::is_waiting) {
            let waiting = &mut self.cursor.counts.waiting;
            *waiting = waiting.saturating_sub(1);
        }
        if let Some(bucket) = self.cursor.due.get_mut(&start) {
            bucket.next = next.saturating_add(1);
        }
        self.moved().await?;
        Ok(Pass::Complete)
    }

    async fn due(&mut self, due: Due) -> Result<Pass, Stop> {
        let (Due::Attempt(seq) | Due::Removal(seq) | Due::LateEntry(seq)) = due;
        let Some(entry) = entries::read(self.worker, seq).await? else {
            return Ok(Pass::Complete);
        };
        match (due, entry) {
            (Due::LateEntry(_), entry) => self.first_look(seq, entry).await,
            (_, Entry::Command(_)) => Ok(Pass::Complete),
            (Due::Attempt(_), Entry::Event(record)) => self.event(*record).await,
            (Due::Removal(_), Entry::Event(record)) => {
                if record.state() == State::Dead {
                    self.expire(&record).await?;
                } else if !self.remove_if_old(&record).await? {
                    // `retention_days` was raised since.
                    self.list_removal(&record).await?;
                }
                Ok(Pass::Complete)
            }
        }
    }
}
