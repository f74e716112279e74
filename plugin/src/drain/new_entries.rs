//! What the journal holds that the worker has not looked at: new entries, and those whose number was
//! taken but whose entry had not been written.

use crate::{
    drain::{
        due::Due,
        hints::is_unsigned,
        queue::Waiting,
        state::{Drain, Pass},
    },
    journal::{
        cursor::{HOLE_SECONDS, Hole, LAST_LOOK, due_time},
        entries, keys, no_atomics,
        note::Note,
        record::{Entry, Kind, Record, State},
        webhook::Webhook,
    },
    worker::failure::Stop,
    world::{Clock, Store, World},
};
use core::time::Duration;

/// Entries read before the next event has its turn.
const READ_AT_ONCE: usize = 512;
/// A worker that goes on after an answer begins before this is over.
const LATE: Duration = Duration::from_secs(60);
/// Events that wait in memory.
const MOST_QUEUED: usize = 20_000;

impl<W: World> Drain<'_, '_, W> {
    /// Reads what is new in the journal, at most [`READ_AT_ONCE`] entries: events that wait for an attempt are
    /// queued, everything else is done at once.
    pub(super) async fn read_new(&mut self) -> Result<(), Stop> {
        let tail = entries::tail(self.worker).await?;
        let mut left = READ_AT_ONCE;
        while left > 0 && self.queue.len() < MOST_QUEUED {
            let seq = self.queue.read.max(self.cursor.low).saturating_add(1);
            if seq > tail {
                break;
            }
            self.queue.read = seq;
            if self.cursor.has_looked_at(seq) {
                continue;
            }
            left -= 1;
            match entries::read(self.worker, seq).await? {
                None if seq <= self.forgotten || mutant!(HoleForgotten) => {}
                None => self.cursor.holes.push(Hole {
                    seq,
                    since: self.worker.now(),
                }),
                Some(Entry::Event(record)) if record.waits_for_attempt(self.worker.now()) => {
                    let forged = is_unsigned(&record) && self.is_signed(&record.connection).await?;
                    self.queue.push(record, forged);
                    continue;
                }
                Some(entry) => {
                    self.first_look(seq, entry).await?;
                }
            }
            self.looked_at(seq).await?;
        }
        Ok(())
    }

    /// Attempts the new event that comes first.
    pub(super) async fn attempt_new(&mut self, next: Waiting) -> Result<Pass, Stop> {
        let entry = match next.record {
            Some(record) => Some(Entry::Event(record)),
            None => entries::read(self.worker, next.seq).await?,
        };
        if let Some(entry) = entry
            && self.first_look(next.seq, entry).await? == Pass::Paused
        {
            return Ok(Pass::Paused);
        }
        self.looked_at(next.seq).await?;
        Ok(Pass::Complete)
    }

    async fn looked_at(&mut self, seq: u64) -> Result<(), Stop> {
        self.cursor.look_at(seq);
        self.moved().await
    }

    pub(super) async fn holes(&mut self) -> Result<Pass, Stop> {
        let now = self.worker.now();
        for hole in self.cursor.holes.clone() {
            if let Some(entry) = entries::read(self.worker, hole.seq).await? {
                if self.first_look(hole.seq, entry).await? == Pass::Paused {
                    return Ok(Pass::Paused);
                }
            } else if now.as_second().saturating_sub(hole.since.as_second()) < HOLE_SECONDS {
                continue;
            } else {
                self.list_last_look(hole.seq).await?;
            }
            self.cursor.holes.retain(|h| h.seq != hole.seq);
        }
        Ok(Pass::Complete)
    }

    /// What is new in a store without atomics: by the marks that every entry has.
    pub(super) async fn unlooked_entries(&mut self) -> Result<Pass, Stop> {
        let marked = no_atomics::numbers(self.worker, keys::UNLOOKED).await;
        let mut looked_at = Vec::new();
        let mut pass = Pass::Complete;
        for seq in marked? {
            let now = self.worker.now();
            let age = no_atomics::came_at(seq).map_or(Duration::MAX, |at| now.saturating_since(at));
            match entries::read(self.worker, seq).await? {
                None if age.as_secs() < HOLE_SECONDS.unsigned_abs() => continue,
                None => self.list_last_look(seq).await?,
                // Its own request may be at it.
                Some(Entry::Event(record))
                    if !record.state().is_final() && age < no_atomics::REQUEST_OVER =>
                {
                    continue;
                }
                Some(entry) => pass = self.first_look(seq, entry).await?,
            }
            if pass == Pass::Paused {
                break;
            }
            looked_at.push(seq);
        }
        if !looked_at.is_empty() {
            // A crash must not take away what the cursor does not tell yet.
            self.save().await?;
        }
        for seq in looked_at {
            self.worker.delete(&keys::unlooked(seq)).await?;
        }
        Ok(pass)
    }

    async fn list_last_look(&mut self, seq: u64) -> Result<(), Stop> {
        if mutant!(NoLastLook) {
            return Ok(());
        }
        let now = self.worker.now();
        let wanted = now.saturating_add(LAST_LOOK);
        let at = due_time(now, wanted);
        self.list_due(at, Due::LateEntry(seq)).await
    }

    /// Notes it if this event has waited for its first attempt although its delivery left it to be done after its answer.
    fn note_lateness(&mut self, record: &Record) {
        let waited = self.worker.now().saturating_since(record.received_at);
        let is_new = record.state() == State::Received && record.as_assumed.is_some();
        if is_new && waited >= LATE && self.found_late.is_some() {
            self.found_late = Some(true);
        }
    }

    /// The webhook that pushed this event; none where a poll, a list scan, a backfill or a retry found it.
    fn pushed_by(&self, record: &Record) -> Option<Webhook> {
        let webhook = match record.kind {
            Kind::Customer => Webhook::Customer,
            Kind::Invoice if self.cursor.polled.get(&record.connection).is_none() => Webhook::Order,
            Kind::Invoice | Kind::Other => return None,
        };
        let is_found =
            |note: &Note| matches!(note, Note::ReadBack | Note::FromBackfill | Note::FromRetry);
        (!record.notes.iter().any(is_found)).then_some(webhook)
    }

    pub(super) async fn first_look(&mut self, seq: u64, entry: Entry) -> Result<Pass, Stop> {
        match entry {
            Entry::Command(command) => {
                self.command(seq, command).await?;
                if !self.worker.is_atomic() {
                    // Nothing else ever comes to it.
                    self.save().await?;
                    self.worker.delete(&keys::entry(seq)).await?;
                }
                Ok(Pass::Complete)
            }
            Entry::Event(record) => {
                let connection = record.connection.clone();
                self.note_lateness(&record);
                let pushed = self.pushed_by(&record);
                let stats = &mut self.cursor.stats;
                if stats.came(&connection, pushed, record.received_at) {
                    let first = &mut self.cursor.first_events;
                    first.insert(connection.clone(), Vec::new());
                }
                let pass = self.event(*record).await?;
                if pass == Pass::Complete {
                    self.cursor.received(&connection);
                }
                Ok(pass)
            }
        }
    }
}
