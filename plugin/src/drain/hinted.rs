//! What becomes of an event before KiotViet is asked about it, and what is remembered once it was ([`super::hints`]).

use crate::{
    drain::{
        hints::{Hinted, NotThere, Settled, has_begun, is_unsigned, subject},
        state::Drain,
    },
    journal::{
        connection_name::ConnectionName, connections, cursor::Spent, keys, note::Note,
        record::Record,
    },
    kiotviet::assumptions::MOST_CALLS_AN_HOUR,
    rules::verdict::{Outcome, Reason},
    stored,
    time::Timestamp,
    world::{Clock, Store, StoreError, World},
};
use core::time::Duration;

/// How long an id that KiotViet does not have is remembered.
const NOT_THERE: Duration = Duration::from_secs(600);
/// Ids that are remembered for a connection.
const MOST_NOT_THERE: usize = 1_000;
/// Records that are remembered in a drain.
const MOST_SETTLED: usize = 5_000;
/// The part of KiotViet's calls that unsigned hints to no new record may cost a connection that has seen a valid
/// signature: one in so many.
const OF_STRANGERS: u64 = 10;
/// The same of one that has not, whose genuine hints are unsigned too.
const OF_UNSIGNED: u64 = 2;
/// KiotViet calls of a hint that leads to nothing: the record, and the control that the shop's API works.
const CALLS_A_HINT: u64 = 2;

impl<W: World> Drain<'_, '_, W> {
    /// Whether KiotViet has to be asked about this event, and when.
    pub(super) async fn hinted(&mut self, record: &Record) -> Result<Hinted, StoreError> {
        let Some(subject) = subject(record) else {
            return Ok(Hinted::Attempt);
        };
        let unsigned = is_unsigned(record);
        if let Some(read) = self.hints.settled.get(&subject)
            && record.seq <= read.up_to
            && !has_begun(record)
            && (read.signed || unsigned)
        {
            return Ok(Hinted::Nothing(
                read.reason,
                Note::ReadFor { seq: read.seq },
            ));
        }
        if !unsigned {
            return Ok(Hinted::Attempt);
        }
        let now = self.worker.now();
        let not_there = self.not_there(&record.connection).await?;
        let same = |n: &NotThere| n.kind == record.kind && n.id == subject.2 && now < n.until;
        if not_there.iter().any(same) {
            return Ok(Hinted::Nothing(
                Reason::DeletedOnKiotviet,
                Note::NotThereLately,
            ));
        }
        self.budget(&record.connection, now).await
    }

    async fn budget(
        &mut self,
        connection: &ConnectionName,
        now: Timestamp,
    ) -> Result<Hinted, StoreError> {
        let hour = now.as_second().div_euclid(3600);
        let spent = self.spent_in(connection, hour);
        let part = if self.is_signed(connection).await? {
            OF_STRANGERS
        } else {
            OF_UNSIGNED
        };
        let budget = MOST_CALLS_AN_HOUR / part;
        if spent.calls < budget {
            return Ok(Hinted::Attempt);
        }
        // As many an hour as it pays for.
        let hours = 1 + spent.waiting / (budget / CALLS_A_HINT).max(1);
        let waiting = spent.waiting.saturating_add(1);
        let spent = Spent { waiting, ..spent };
        self.cursor.strangers.insert(connection.clone(), spent);
        let hours = i64::try_from(hours).unwrap_or(i64::MAX);
        let later = hour.saturating_add(hours).saturating_mul(3600);
        let later = Timestamp::from_second(later);
        Ok(later.map_or(Hinted::Attempt, Hinted::Wait))
    }

    /// What was spent in this hour. Those that waited for it have their turn.
    fn spent_in(&self, connection: &ConnectionName, hour: i64) -> Spent {
        let spent = self.cursor.strangers.get(connection).copied();
        let spent = spent.unwrap_or_default();
        if spent.hour == hour {
            return spent;
        }
        let turns = MOST_CALLS_AN_HOUR / OF_STRANGERS / CALLS_A_HINT;
        Spent {
            calls: 0,
            hour,
            waiting: spent.waiting.saturating_sub(turns),
        }
    }

    /// Remembers what an attempt at `record` came to, which had read the journal up to `read` as it began and made
    /// so many calls to KiotViet.
    pub(super) async fn hint_ended(
        &mut self,
        record: &Record,
        read: u64,
        calls: u64,
    ) -> Result<(), StoreError> {
        let Some(reason) = record.status.done() else {
            return Ok(());
        };
        if reason != Reason::DeletedOnKiotviet && !is_unsigned(record) {
            self.is_there(record).await?;
        }
        let Some(subject) = subject(record) else {
            return Ok(());
        };
        let unsigned = is_unsigned(record);
        let nothing = reason.outcome() == Outcome::Ignored && calls > 0;
        let gone = reason == Reason::DeletedOnKiotviet;
        let id = subject.2;
        // What is there already is another event's, and settled in the ledger.
        let told = reason != Reason::AlreadySynced;
        if nothing && told && self.hints.settled.len() < MOST_SETTLED {
            let settled = Settled {
                up_to: read,
                seq: record.seq,
                reason,
                signed: !unsigned,
            };
            self.hints.settled.insert(subject, settled);
        }
        if unsigned && nothing {
            let hour = self.worker.now().as_second().div_euclid(3600);
            let mut spent = self.spent_in(&record.connection, hour);
            spent.calls = spent.calls.saturating_add(calls);
            let connection = record.connection.clone();
            self.cursor.strangers.insert(connection, spent);
            if gone {
                self.remember_not_there(record, id).await?;
            }
        }
        Ok(())
    }

    /// KiotViet has this record, so nothing else is remembered of it.
    async fn is_there(&mut self, record: &Record) -> Result<(), StoreError> {
        let hour = self.worker.now().as_second().div_euclid(3600);
        let spent = self.cursor.strangers.get(&record.connection);
        let lately = spent.is_some_and(|spent| hour.saturating_sub(spent.hour) <= 1);
        let Some(hint) = record.hint.as_ref().filter(|_| lately) else {
            return Ok(());
        };
        let list = self.not_there(&record.connection).await?;
        let before = list.len();
        list.retain(|n| n.kind != record.kind || n.id != hint.id);
        if list.len() < before {
            self.hints.changed.push(record.connection.clone());
        }
        Ok(())
    }

    async fn remember_not_there(&mut self, record: &Record, id: i64) -> Result<(), StoreError> {
        let now = self.worker.now();
        let not_there = NotThere {
            kind: record.kind,
            id,
            until: now.saturating_add(NOT_THERE),
        };
        let list = self.not_there(&record.connection).await?;
        list.retain(|n| now < n.until);
        let surplus = (list.len() + 1).saturating_sub(MOST_NOT_THERE);
        list.drain(..surplus);
        list.push(not_there);
        self.hints.changed.push(record.connection.clone());
        Ok(())
    }

    async fn not_there(
        &mut self,
        connection: &ConnectionName,
    ) -> Result<&mut Vec<NotThere>, StoreError> {
        if self.hints.not_there.get(connection).is_none() {
            let kept = self.worker.get(&keys::not_there(connection)).await?;
            // What cannot be read costs a call again.
            let kept = kept.and_then(|bytes| stored::read(&bytes).ok());
            let kept: Vec<NotThere> = kept.unwrap_or_default();
            self.hints.not_there.insert(connection.clone(), kept);
        }
        let known = self.hints.not_there.get_mut(connection);
        known.ok_or_else(|| StoreError::failed("nothing is known of the connection's hints"))
    }

    /// Whether this connection has seen a valid signature.
    pub(super) async fn is_signed(
        &mut self,
        connection: &ConnectionName,
    ) -> Result<bool, StoreError> {
        if let Some(signed) = self.hints.signed.get(connection) {
            return Ok(*signed);
        }
        let signed = connections::has_signed(self.worker, connection).await?;
        self.hints.signed.insert(connection.clone(), signed);
        Ok(signed)
    }

    /// Writes which ids KiotViet does not have, where that has changed.
    pub(super) async fn keep_not_there(&mut self) {
        let mut changed = core::mem::take(&mut self.hints.changed);
        changed.sort_unstable();
        changed.dedup();
        for connection in changed {
            let list = self.hints.not_there.get(&connection);
            let bytes = stored::write(&list.map(Vec::as_slice).unwrap_or_default());
            // What is lost costs calls.
            let _ = self.worker.set(&keys::not_there(&connection), &bytes).await;
        }
    }
}
