//! Finished events are removed once their retention is over: from the journal's old end, or through
//! the due lists where something unfinished stood before them.

use crate::{
    drain::{due::Due, state::Drain},
    journal::{
        cursor::due_time,
        entries, first_events, index, keys, ledger,
        record::{Command, Entry, Record, State},
        refused, unfinished,
    },
    time::Timestamp,
    worker::failure::Stop,
    world::{Clock, Store, World},
};
use core::time::Duration;

/// Old entries removed in one drain.
const REMOVED_AT_ONCE: u32 = 200;

/// Spans of the journal that are indexed in one drain.
const INDEXED_AT_ONCE: u64 = 4;

/// From when a retention counts: an event's end, or that it came.
fn ended(record: &Record) -> Timestamp {
    record.status.finished_at().unwrap_or(record.received_at)
}

impl<W: World> Drain<'_, '_, W> {
    pub(super) async fn list_removal(&mut self, record: &Record) -> Result<(), Stop> {
        let at = due_time(self.worker.now(), self.removal_time(record));
        self.list_due(at, Due::Removal(record.seq)).await
    }

    fn removal_time(&self, record: &Record) -> Timestamp {
        self.kept_until(ended(record))
    }

    fn kept_until(&self, ended: Timestamp) -> Timestamp {
        let days = u64::try_from(self.ready.retention_days).unwrap_or(0);
        ended
            .checked_add(Duration::from_hours(days.saturating_mul(24)))
            .unwrap_or(ended)
    }

    fn is_old(&self, record: &Record) -> bool {
        matches!(record.state(), State::Done | State::Dismissed)
            && self.removal_time(record) <= self.worker.now()
    }

    /// Past its retention, but it needs a person or another attempt.
    fn is_overdue(&self, record: &Record) -> bool {
        let unfinished = !matches!(record.state(), State::Done | State::Dismissed);
        unfinished && self.removal_time(record) <= self.worker.now()
    }

    pub(super) async fn remove_if_old(&mut self, record: &Record) -> Result<bool, Stop> {
        if !self.is_old(record) {
            return Ok(false);
        }
        ledger::settle(self.worker, record).await?;
        entries::drop_body(self.worker, record.seq, record.body.as_ref()).await?;
        if record.sheet.is_some() {
            first_events::forget_read_back(self.worker, record.seq).await?;
        }
        self.worker.delete(&keys::entry(record.seq)).await?;
        refused::give_back(self.worker, record).await?;
        unfinished::unmark(self.worker, record).await;
        Ok(true)
    }

    /// Has a dead letter that may be forged dismissed, once it is past its retention: by a command, so that a crash
    /// counts it once. It is removed after that.
    pub(super) async fn expire(&mut self, record: &Record) -> Result<(), Stop> {
        if record.may_be_forged() && self.is_overdue(record) {
            let seq = entries::reserve(self.worker, 1).await?;
            entries::write_command(self.worker, seq, &Command::Expire(record.seq)).await?;
        }
        Ok(())
    }

    /// Indexes the spans of the journal whose events were all looked at, and forgets those that were removed.
    pub(super) async fn index(&mut self) -> Result<(), Stop> {
        if !self.worker.is_atomic() {
            return Ok(());
        }
        let (from, to) = self.cursor.indexed;
        let kept = index::span_of(self.cursor.oldest);
        for span in from..to.min(kept) {
            index::remove(self.worker, span).await?;
        }
        let complete = index::span_of(self.cursor.low.saturating_add(1));
        let first = to.max(kept);
        let next = complete.clamp(first, first.saturating_add(INDEXED_AT_ONCE));
        for span in first..next {
            index::add(self.worker, span).await?;
        }
        // Of a chunk only when all of it is removed.
        let folded = self.cursor.folded;
        for chunk in index::chunk_of(from)..folded.min(index::chunk_of(kept)) {
            index::remove_chunk(self.worker, chunk).await?;
        }
        let first_chunk = folded.max(index::chunk_of(from.max(kept)));
        if first_chunk < index::chunk_of(next) {
            index::fold(self.worker, first_chunk).await?;
            self.cursor.folded = first_chunk.saturating_add(1);
        } else {
            self.cursor.folded = first_chunk;
        }
        self.cursor.indexed = (from.max(kept), next);
        Ok(())
    }

    /// Removes finished events past their retention, from the journal's old end. One that is not
    /// finished stays and is removed through the due lists later.
    pub(super) async fn remove_old(&mut self) -> Result<(), Stop> {
        if !self.worker.is_atomic() {
            // Every event's removal is listed there.
            return Ok(());
        }
        self.cursor.oldest = self.cursor.oldest.max(1);
        for _ in 0..REMOVED_AT_ONCE {
            let seq = self.cursor.oldest;
            let kept = self.cursor.oldest_since.map(|at| self.kept_until(at));
            if seq > self.cursor.low || kept.is_some_and(|until| until > self.worker.now()) {
                return Ok(());
            }
            match entries::read(self.worker, seq).await? {
                None => {}
                Some(Entry::Command(_)) => {
                    // A crash must not take away what the cursor does not tell yet.
                    if seq > self.saved.low && !mutant!(CommandRemovedEarly) {
                        self.save().await?;
                    }
                    self.worker.delete(&keys::entry(seq)).await?;
                }
                Some(Entry::Event(record)) => {
                    self.expire(&record).await?;
                    let passed = self.remove_if_old(&record).await? || self.is_overdue(&record);
                    if !passed {
                        self.cursor.oldest_since = Some(ended(&record));
                        return Ok(());
                    }
                }
            }
            self.cursor.oldest = seq.saturating_add(1);
            self.cursor.oldest_since = None;
        }
        Ok(())
    }
}
