//! The one worker: under the lease it goes through what waits, in order, until nothing is due. Its
//! cost depends on what is due, never on how long the history is.

use super::{
    connections::{self, Connection, Opened, Switches},
    cursor::{BUCKET_SECONDS, Bucket, Cursor, HOLE_SECONDS, Hole, Pause, due_time},
    execute,
    few::Few,
    journal, keys,
    lease::{Lease, SLOT_SECONDS},
    plan::{self, Failure, Side},
    record::{Command, Entry, Kind, Record, State},
    retry,
    session::Session,
    worker::{Permit, Worker},
    world::{Clock, Random, Store, StoreError, World},
};
use crate::time::Timestamp;
use crate::{
    config::Ready,
    json::{ToJson, object},
    log,
    rules::verdict::Reason,
    stored,
};
use core::time::Duration;
use serde_json::Value;

/// The cursor is written at least every so many entries; entries since then are looked at again
/// after a crash, which costs a read each.
const CURSOR_EVERY: u32 = 64;
/// Old entries removed in one drain.
const REMOVED_AT_ONCE: u32 = 200;
/// Getfly's name among the pauses; no connection's name has a capital letter.
const GETFLY: &str = "Getfly";
/// Marks an element of a due list whose event is finished and counted, and only waits to be removed.
const REMOVAL: &str = "x";
/// Pause between two looks at a lease that somebody else holds.
const LEASE_LOOK: Duration = Duration::from_secs(1);

/// Whether to wait for a lease that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Leave: whoever holds the lease sees the new entries.
    None,
    /// Wait for the rest of this slot and the next: a worker that crashed holds it no longer.
    TwoSlots,
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events that ended.
    pub ended: u64,
    /// Tries that failed and are tried again.
    pub failed: u64,
    /// Events that wait, as far as the worker has looked.
    pub waiting: u64,
    /// Dead letters in all.
    pub dead: u64,
    /// Somebody else holds the lease.
    pub busy: bool,
    /// Why the drain stopped early, for people.
    pub stopped: Option<String>,
}

impl ToJson for Drained {
    fn to_json(&self) -> Value {
        let mut members = vec![
            ("ended", self.ended.to_json()),
            ("failed", self.failed.to_json()),
            ("waiting", self.waiting.to_json()),
            ("dead", self.dead.to_json()),
            ("busy", self.busy.to_json()),
        ];
        if let Some(why) = &self.stopped {
            members.push(("stopped", why.to_json()));
        }
        object(members)
    }
}

/// Processes everything that is due. Safe to call at any time, from many places at once.
pub async fn drain<W: World>(world: &W, ready: &Ready, patience: Patience) -> Drained {
    drain_for(world, ready, patience, None).await
}

/// The same, beginning no further event once `time` is over.
pub async fn drain_for<W: World>(
    world: &W,
    ready: &Ready,
    patience: Patience,
    time: Option<Duration>,
) -> Drained {
    let until = time.and_then(|t| world.now().checked_add(t));
    let mut drained = Drained::default();
    loop {
        let lease = match acquire(world, patience).await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                drained.busy = true;
                return drained;
            }
            Err(e) => {
                drained.stopped = Some(e.to_string());
                return drained;
            }
        };
        let again = under_lease(world, ready, lease, until, &mut drained).await;
        match again {
            Ok(true) => {}
            Ok(false) => return drained,
            Err(stopped) => {
                log::drain_stopped(world, &stopped);
                drained.stopped = Some(stopped);
                return drained;
            }
        }
    }
}

async fn acquire<W: World>(
    world: &W,
    patience: Patience,
) -> Result<Option<Lease<'_, W>>, StoreError> {
    let looks = match patience {
        Patience::None => 1,
        Patience::TwoSlots => 2 * SLOT_SECONDS + 1,
    };
    for look in 0..looks {
        if look > 0 {
            world.sleep(LEASE_LOOK).await;
        }
        if let Some(lease) = Lease::acquire(world).await? {
            return Ok(Some(lease));
        }
    }
    Ok(None)
}

/// One stretch of work; true when the journal got new entries just as the lease was given back.
async fn under_lease<W: World>(
    world: &W,
    ready: &Ready,
    lease: Lease<'_, W>,
    until: Option<Timestamp>,
    drained: &mut Drained,
) -> Result<bool, String> {
    let cursor = load_cursor(world).await.map_err(|e| e.to_string());
    let cursor = match cursor {
        Ok(cursor) => cursor,
        Err(e) => {
            lease.release().await;
            return Err(e);
        }
    };
    let worker = Worker::new(
        world,
        Permit::Lease(lease),
        ready,
        cursor.getfly_calls.clone(),
    );
    let mut drain = Drain {
        worker: &worker,
        ready,
        saved: cursor.clone(),
        cursor,
        unsaved: 0,
        connections: Few::default(),
        until,
        drained,
    };
    let result = drain.work().await;
    drain.cursor.getfly_calls = worker.getfly_calls();
    let kept = drain.save().await;
    let Drain {
        cursor, drained, ..
    } = drain;
    drained.waiting = cursor.counts.waiting();
    drained.dead = cursor.counts.dead;
    worker.release().await;
    let pass = result?;
    kept?;
    match pass {
        // Somebody may have found the lease taken while it was being given back.
        Pass::Complete => arrived_meanwhile(world, &cursor)
            .await
            .map_err(|e| e.to_string()),
        Pass::Paused => Ok(false),
    }
}

async fn arrived_meanwhile<W: World>(world: &W, cursor: &Cursor) -> Result<bool, StoreError> {
    for hole in &cursor.holes {
        if journal::read(world, hole.seq).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(journal::tail(world).await? > cursor.low)
}

/// Reads the worker's place.
pub async fn load_cursor(store: &impl Store) -> Result<Cursor, StoreError> {
    match store.get(keys::CURSOR).await? {
        None => Ok(Cursor::default()),
        Some(bytes) => stored::read(&bytes)
            .map_err(|e| StoreError(format!("the journal's cursor is damaged: {e}"))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Nothing more is due.
    Complete,
    /// Getfly asked for a pause or failed, or the time is over.
    Paused,
}

/// Why the drain stops before its end.
type Stop = String;

/// A connection as the drain uses it.
enum Shop {
    Gone,
    Unopened(String),
    There(Box<(Connection, Opened, Switches)>),
}

struct Drain<'d, 'w, W> {
    worker: &'d Worker<'w, W>,
    ready: &'d Ready,
    cursor: Cursor,
    saved: Cursor,
    unsaved: u32,
    connections: Few<String, Shop>,
    until: Option<Timestamp>,
    drained: &'d mut Drained,
}

/// The start of the due list that is read from `at` on.
fn bucket_of(at: Timestamp) -> i64 {
    at.as_second()
        .div_euclid(BUCKET_SECONDS)
        .saturating_mul(BUCKET_SECONDS)
}

fn stop(e: StoreError) -> Stop {
    e.to_string()
}

impl<W: World> Drain<'_, '_, W> {
    async fn work(&mut self) -> Result<Pass, Stop> {
        loop {
            if self.due_lists().await? == Pass::Paused || self.new_entries().await? == Pass::Paused
            {
                return Ok(Pass::Paused);
            }
            if self.holes().await? == Pass::Paused {
                return Ok(Pass::Paused);
            }
            self.remove_old().await?;
            let more = journal::tail(self.worker).await.map_err(stop)? > self.cursor.low
                || self.next_due().is_some();
            if !more {
                return Ok(Pass::Complete);
            }
        }
    }

    /// Writes the place. The keys of consumed due lists go only after it: until then a worker that
    /// comes after a crash needs them to find the same events again.
    async fn save(&mut self) -> Result<(), Stop> {
        self.unsaved = 0;
        let mut consumed = Vec::new();
        self.cursor.due.retain(|start, bucket| {
            let over = bucket.next >= bucket.len;
            if over {
                consumed.push((*start, bucket.len));
            }
            !over
        });
        if self.cursor != self.saved {
            let bytes = stored::write(&self.cursor);
            if let Err(e) = self.worker.set(keys::CURSOR, &bytes).await {
                // Perhaps it is not written: their indices must not be given out anew.
                for (start, len) in consumed {
                    self.cursor.due.insert(start, Bucket { next: len, len });
                }
                return Err(stop(e));
            }
            self.saved = self.cursor.clone();
        }
        for (start, len) in consumed {
            for index in 0..len {
                // Only tidiness: a key that stays is small, and is overwritten before it is read.
                let _ = self.worker.delete(&keys::due(start, index)).await;
            }
        }
        Ok(())
    }

    async fn moved(&mut self) -> Result<(), Stop> {
        self.unsaved += 1;
        if self.unsaved >= CURSOR_EVERY {
            self.save().await
        } else {
            Ok(())
        }
    }

    fn next_due(&self) -> Option<(i64, Bucket)> {
        let now = self.worker.now().as_second();
        self.cursor
            .due
            .iter()
            .map(|(start, bucket)| (*start, *bucket))
            .take_while(|(start, _)| *start <= now)
            .find(|(_, bucket)| bucket.next < bucket.len)
    }

    async fn due_lists(&mut self) -> Result<Pass, Stop> {
        while let Some((start, Bucket { next, .. })) = self.next_due() {
            let key = keys::due(start, next);
            let bytes = self.worker.get(&key).await.map_err(stop)?;
            let due = bytes.and_then(|b| String::from_utf8(b).ok());
            if let Some(due) = due
                && self.due(&due).await? == Pass::Paused
            {
                return Ok(Pass::Paused);
            }
            if let Some(bucket) = self.cursor.due.get_mut(&start) {
                bucket.next = next.saturating_add(1);
            }
            self.moved().await?;
        }
        Ok(Pass::Complete)
    }

    /// One element of a due list: an event's number, marked where only its removal is due.
    async fn due(&mut self, due: &str) -> Result<Pass, Stop> {
        let number = due.strip_prefix(REMOVAL);
        let Ok(seq) = number.unwrap_or(due).parse() else {
            return Ok(Pass::Complete);
        };
        let Some(Entry::Event(record)) = journal::read(self.worker, seq).await.map_err(stop)?
        else {
            return Ok(Pass::Complete);
        };
        if number.is_none() {
            return self.event(*record).await;
        }
        if !self.remove_if_old(&record).await? && record.state != State::Dead {
            // `retention_days` was raised since.
            self.list_removal(&record).await?;
        }
        Ok(Pass::Complete)
    }

    async fn new_entries(&mut self) -> Result<Pass, Stop> {
        let tail = journal::tail(self.worker).await.map_err(stop)?;
        while self.cursor.low < tail {
            let seq = self.cursor.low.saturating_add(1);
            match journal::read(self.worker, seq).await.map_err(stop)? {
                None => self.cursor.holes.push(Hole {
                    seq,
                    since: self.worker.now(),
                }),
                Some(entry) => {
                    if self.first_look(seq, entry).await? == Pass::Paused {
                        return Ok(Pass::Paused);
                    }
                }
            }
            self.cursor.low = seq;
            self.moved().await?;
        }
        Ok(Pass::Complete)
    }

    async fn holes(&mut self) -> Result<Pass, Stop> {
        let now = self.worker.now();
        for hole in self.cursor.holes.clone() {
            if let Some(entry) = journal::read(self.worker, hole.seq).await.map_err(stop)? {
                if self.first_look(hole.seq, entry).await? == Pass::Paused {
                    return Ok(Pass::Paused);
                }
            } else if now.as_second().saturating_sub(hole.since.as_second()) < HOLE_SECONDS {
                continue;
            }
            self.cursor.holes.retain(|h| h.seq != hole.seq);
        }
        Ok(Pass::Complete)
    }

    async fn first_look(&mut self, seq: u64, entry: Entry) -> Result<Pass, Stop> {
        match entry {
            Entry::Command(command) => {
                self.command(seq, command).await?;
                Ok(Pass::Complete)
            }
            Entry::Event(record) => {
                let pass = self.event(*record).await?;
                if pass == Pass::Complete {
                    self.cursor.counts.received = self.cursor.counts.received.saturating_add(1);
                }
                Ok(pass)
            }
        }
    }

    /// Until when `side` is left alone after its failures.
    fn paused_until(&self, side: &str) -> Option<Timestamp> {
        self.cursor
            .pauses
            .get(side)
            .map(|pause| pause.until)
            .filter(|until| *until > self.worker.now())
    }

    /// Takes one event as far as it goes now, counts it where it ends, or lists it for later.
    /// `Paused`: it was not touched, and nothing after it should be.
    async fn event(&mut self, mut record: Record) -> Result<Pass, Stop> {
        let now = self.worker.now();
        if record.state.is_final() {
            self.count(&record).await?;
            return Ok(Pass::Complete);
        }
        let waits = |at: &Timestamp| bucket_of(*at) > now.as_second();
        if let Some(at) = record.next_attempt_at.filter(waits) {
            self.list_due(at, &record.seq.to_string()).await?;
            return Ok(Pass::Complete);
        }
        if self.paused_until(GETFLY).is_some() || self.until.is_some_and(|until| now >= until) {
            return Ok(Pass::Paused);
        }
        if let Some(until) = self.paused_until(&record.connection) {
            return self.postpone(record, until).await;
        }
        let old_body = record.body.clone();
        let result = self.process(&mut record).await;
        record.calls = self.worker.take_calls();
        match result {
            Ok(()) => {
                if !record.calls.is_empty() {
                    self.cursor.pauses.remove(GETFLY);
                    self.cursor.pauses.remove(&record.connection);
                }
                // Its body first: once the record is final, nobody would look for the parts.
                journal::drop_body(self.worker, record.seq, old_body.as_ref())
                    .await
                    .map_err(stop)?;
                journal::write_event(self.worker, &record)
                    .await
                    .map_err(stop)?;
                self.ended(&record).await?;
                Ok(Pass::Complete)
            }
            Err(Failure::Abandoned(why)) => Err(why),
            Err(Failure::Later(until)) => self.postpone(record, until).await,
            Err(Failure::Dead { reason, words }) => {
                self.bury(record, reason, words).await?;
                Ok(Pass::Complete)
            }
            Err(Failure::Retry { side, words, after }) => {
                self.try_again(record, side, words, after).await
            }
        }
    }

    async fn ended(&mut self, record: &Record) -> Result<(), Stop> {
        self.count(record).await?;
        self.drained.ended = self.drained.ended.saturating_add(1);
        log::event(self.worker, record);
        Ok(())
    }

    /// Counts an event that is final, as the last thing that is done for it: what fails before is
    /// done and counted again by the next worker.
    async fn count(&mut self, record: &Record) -> Result<(), Stop> {
        if record.seq < self.cursor.oldest && record.state != State::Dead {
            self.list_removal(record).await?;
        }
        self.cursor.counts.enter(record);
        Ok(())
    }

    async fn list_removal(&mut self, record: &Record) -> Result<(), Stop> {
        let at = due_time(self.worker.now(), self.removal_time(record));
        self.list_due(at, &format!("{REMOVAL}{}", record.seq)).await
    }

    async fn bury(&mut self, mut record: Record, reason: &str, words: String) -> Result<(), Stop> {
        record.bury(reason, self.worker.now());
        if !record.notes.contains(&words) {
            record.notes.push(words);
        }
        journal::write_event(self.worker, &record)
            .await
            .map_err(stop)?;
        self.ended(&record).await
    }

    async fn postpone(&mut self, mut record: Record, until: Timestamp) -> Result<Pass, Stop> {
        let at = due_time(self.worker.now(), until);
        record.state = State::Retrying;
        record.next_attempt_at = Some(at);
        journal::write_event(self.worker, &record)
            .await
            .map_err(stop)?;
        self.list_due(at, &record.seq.to_string()).await?;
        Ok(Pass::Complete)
    }

    async fn try_again(
        &mut self,
        mut record: Record,
        side: Side,
        words: String,
        after: Option<Duration>,
    ) -> Result<Pass, Stop> {
        self.drained.failed = self.drained.failed.saturating_add(1);
        record.attempts = record.attempts.saturating_add(1);
        let mut jitter = [0u8];
        self.worker.fill(&mut jitter);
        let [jitter] = jitter;
        let Some(wait) = retry::wait_after(record.attempts, after, jitter) else {
            let reason = match side {
                Side::KiotViet => "kiotviet_unavailable",
                Side::Getfly => "getfly_unavailable",
            };
            self.bury(record, reason, words).await?;
            return Ok(Pass::Complete);
        };
        let name = match side {
            Side::Getfly => GETFLY.to_owned(),
            Side::KiotViet => record.connection.clone(),
        };
        let now = self.worker.now();
        let failures = self
            .cursor
            .pauses
            .get(&name)
            .map_or(1, |p| p.failures.saturating_add(1));
        let pause = after.unwrap_or_else(|| retry::pause_after(failures));
        let until = now.checked_add(pause).unwrap_or(now);
        record.notes.retain(|n| !n.starts_with("last failure: "));
        record.notes.push(format!("last failure: {words}"));
        // Not before the pause ends, so that no pause outlasts the last retry time.
        let wanted = now.checked_add(wait.max(pause)).unwrap_or(now);
        let pass = self.postpone(record, wanted).await?;
        self.cursor.pauses.insert(name, Pause { until, failures });
        Ok(pass)
    }

    async fn list_due(&mut self, at: Timestamp, what: &str) -> Result<(), Stop> {
        let start = bucket_of(at);
        let bucket = self.cursor.due.get(&start).copied().unwrap_or_default();
        self.worker
            .set(&keys::due(start, bucket.len), what.as_bytes())
            .await
            .map_err(stop)?;
        self.cursor.due.insert(
            start,
            Bucket {
                len: bucket.len.saturating_add(1),
                ..bucket
            },
        );
        Ok(())
    }

    async fn shop(&mut self, name: &str) -> Result<&Shop, Failure> {
        if self.connections.get(name).is_none() {
            let shop = match connections::load(self.worker, name).await? {
                None => Shop::Gone,
                Some(connection) => match connection.open(&self.ready.sealer) {
                    Err(e) => Shop::Unopened(e.to_string()),
                    Ok(opened) => {
                        let switches = connections::switches(self.worker, name).await?;
                        Shop::There(Box::new((connection, opened, switches)))
                    }
                },
            };
            self.connections.insert(name.to_owned(), shop);
        }
        Ok(self.connections.get(name).unwrap_or(&Shop::Gone))
    }

    async fn process(&mut self, record: &mut Record) -> Result<(), Failure> {
        record.notes.retain(|n| {
            n.starts_with("signature") || n.starts_with("last failure: ") || n.starts_with("R11")
        });
        let (worker, ready) = (self.worker, self.ready);
        let Some(hint) = record.hint.clone() else {
            return Err(Failure::Dead {
                reason: "unreadable",
                words: "the item has no readable Id".to_owned(),
            });
        };
        let off = match record.kind {
            Kind::Customer => Reason::CustomerWebhookOff,
            Kind::Invoice => Reason::OrderWebhookOff,
            Kind::Other => Reason::NotSyncedType,
        };
        let (connection, opened, switches) = match self.shop(&record.connection).await? {
            Shop::There(shop) => &**shop,
            Shop::Gone => {
                record.notes.push("the connection was removed".to_owned());
                execute::finish(record, off, worker.now());
                return Ok(());
            }
            Shop::Unopened(why) => {
                return Err(Failure::Retry {
                    side: Side::KiotViet,
                    words: format!(
                        "the connection's secrets cannot be opened: {why}; connect the shop again"
                    ),
                    after: None,
                });
            }
        };
        let session = Session::new(worker, ready, connection, opened);
        let plan = match record.kind {
            Kind::Customer => plan::customer(&session, *switches, &hint).await?,
            Kind::Invoice => plan::invoice(&session, *switches, &hint).await?,
            Kind::Other => {
                execute::finish(record, Reason::NotSyncedType, worker.now());
                return Ok(());
            }
        };
        execute::execute(&session, record, plan).await
    }

    /// Applies a person's wish. After a crash it may come again: then it is only counted.
    async fn command(&mut self, seq: u64, command: Command) -> Result<(), Stop> {
        let (Command::Retry(target) | Command::Dismiss(target)) = command;
        let Some(mut record) = journal::read_event(self.worker, target)
            .await
            .map_err(stop)?
        else {
            return Ok(());
        };
        let applied = record.commanded_by == Some(seq);
        if record.state != State::Dead && !applied {
            return Ok(());
        }
        if !applied {
            record.commanded_by = Some(seq);
            self.obey(command, &mut record).await?;
            journal::write_event(self.worker, &record)
                .await
                .map_err(stop)?;
        }
        if record.state.is_final() {
            self.ended(&record).await?;
        } else {
            let at = record.next_attempt_at.unwrap_or_else(|| self.worker.now());
            self.list_due(at, &target.to_string()).await?;
        }
        // Last, as in `count`.
        self.cursor.counts.dead = self.cursor.counts.dead.saturating_sub(1);
        Ok(())
    }

    async fn obey(&mut self, command: Command, record: &mut Record) -> Result<(), Stop> {
        let now = self.worker.now();
        match command {
            Command::Dismiss(_) => {
                record.state = State::Dismissed;
                record.finished_at = Some(now);
            }
            Command::Retry(_) if record.whole_delivery => {
                let accepted = super::accept::accept_again(self.worker, &self.ready.sealer, record)
                    .await
                    .map_err(stop)?;
                match accepted {
                    Ok(remark) => {
                        record.state = State::Dismissed;
                        record.finished_at = Some(now);
                        record.notes.push(remark);
                    }
                    Err(why) => record.notes.push(why),
                }
            }
            Command::Retry(_) => {
                record.state = State::Retrying;
                record.reason = None;
                record.attempts = 0;
                record.finished_at = None;
                record.next_attempt_at = Some(now);
            }
        }
        Ok(())
    }

    fn removal_time(&self, record: &Record) -> Timestamp {
        let ended = record.finished_at.unwrap_or(record.received_at);
        let days = u64::try_from(self.ready.retention_days).unwrap_or(0);
        ended
            .checked_add(Duration::from_hours(days.saturating_mul(24)))
            .unwrap_or(ended)
    }

    fn is_old(&self, record: &Record) -> bool {
        matches!(record.state, State::Done | State::Dismissed)
            && self.removal_time(record) <= self.worker.now()
    }

    /// Past its retention, but it needs a person or another try.
    fn is_overdue(&self, record: &Record) -> bool {
        let unfinished = !matches!(record.state, State::Done | State::Dismissed);
        unfinished && self.removal_time(record) <= self.worker.now()
    }

    async fn remove_if_old(&mut self, record: &Record) -> Result<bool, Stop> {
        if !self.is_old(record) {
            return Ok(false);
        }
        journal::drop_body(self.worker, record.seq, record.body.as_ref())
            .await
            .map_err(stop)?;
        self.worker
            .delete(&keys::entry(record.seq))
            .await
            .map_err(stop)?;
        Ok(true)
    }

    /// Removes finished events past their retention, from the journal's old end. One that is not
    /// finished stays and is removed through the due lists later.
    async fn remove_old(&mut self) -> Result<(), Stop> {
        self.cursor.oldest = self.cursor.oldest.max(1);
        for _ in 0..REMOVED_AT_ONCE {
            let seq = self.cursor.oldest;
            if seq > self.cursor.low {
                return Ok(());
            }
            match journal::read(self.worker, seq).await.map_err(stop)? {
                None => {}
                Some(Entry::Command(_)) => {
                    self.worker.delete(&keys::entry(seq)).await.map_err(stop)?
                }
                Some(Entry::Event(record)) => {
                    let passed = self.remove_if_old(&record).await? || self.is_overdue(&record);
                    if !passed {
                        return Ok(());
                    }
                }
            }
            self.cursor.oldest = seq.saturating_add(1);
        }
        Ok(())
    }
}
