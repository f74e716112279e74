//! A drain under way: its worker, its cursor, what bounds it, and keeping the cursor.

use crate::{
    config::Ready,
    drain::{
        hints::Hints,
        how::{Drained, SOON, Waits},
        queue::Queue,
    },
    journal::{
        assumptions,
        connection_name::Upstream,
        cursor::{Bucket, Cursor},
        entries, keys, life,
        record::{Entry, Record},
        shapes, stats,
    },
    reconcile::{
        filling::Filling,
        upkeep::{Reconciler, Upkeep},
    },
    stored,
    time::Timestamp,
    worker::{failure::Stop, permit::Worker, tenant::Tenancy},
    world::{Clock, Store, World},
};
use core::time::Duration;

/// The cursor is written at least every so many entries; entries since then are looked at again
/// after a crash, which costs a read each.
const CURSOR_EVERY: u32 = 64;

/// The longest that a drain waits for what has not settled: a create's call, and what it may do after it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How far a pass over what waits has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nothing more is due.
    Complete,
    /// Getfly asked for a pause or failed, or the time is over.
    Paused,
}

/// What bounds a drain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) waits: Waits,
    /// No event is begun after this.
    pub(super) until: Option<Timestamp>,
    /// No page of a list is read after this.
    pub(super) lists_until: Option<Timestamp>,
    pub(super) upkeep: Upkeep,
}

/// A drain under way.
pub(super) struct Drain<'d, 'w, W> {
    pub(super) worker: &'d Worker<'w, W>,
    pub(super) ready: &'d Ready,
    pub(super) cursor: Cursor,
    pub(super) saved: Cursor,
    pub(super) unsaved: u32,
    pub(super) forgotten: u64,
    pub(super) bounds: Bounds,
    pub(super) queue: Queue,
    pub(super) hints: Hints,
    pub(super) filling: Filling,
    pub(super) tenancy: Tenancy,
    /// When people were last told what there is to tell, or the drain began.
    pub(super) told_at: Timestamp,
    /// Whether a delivery was found waiting at which nobody had worked after its answer; none where that would show nothing.
    pub(super) found_late: Option<bool>,
    pub(super) drained: &'d mut Drained,
}

impl<'w, W: World> Drain<'_, 'w, W> {
    /// What looks after the webhooks and reads KiotViet's lists, over this drain's cursor.
    pub(super) fn upkeep(&mut self) -> Reconciler<'_, 'w, W> {
        Reconciler {
            worker: self.worker,
            ready: self.ready,
            cursor: &mut self.cursor,
            filling: &mut self.filling,
            upkeep: self.bounds.upkeep,
            lists_until: self.bounds.lists_until,
        }
    }

    /// Whether the cursor comes to this number later.
    pub(super) fn is_ahead(&self, seq: u64) -> bool {
        self.cursor.is_to_come(seq) && self.worker.is_atomic()
    }

    /// Whether a command for `record` was carried out before the cursor came to it (the worker crashed before
    /// it saved the cursor, or the queue stood still): until then the event is the dead letter that it was.
    pub(super) async fn command_is_ahead(&self, record: &Record) -> Result<bool, Stop> {
        match record.commanded_by {
            Some(command) if self.is_ahead(command) && !mutant!(WishCountedTwice) => {
                let entry = entries::read(self.worker, command).await?;
                Ok(matches!(entry, Some(Entry::Command(_))))
            }
            _ => Ok(false),
        }
    }

    /// Writes the cursor. The keys of consumed due lists go only after it: until then a worker that
    /// comes after a crash needs them to find the same events again.
    pub(super) async fn save(&mut self) -> Result<(), Stop> {
        self.unsaved = 0;
        self.keep_not_there().await;
        for (call, n) in self.worker.take_tally() {
            stats::add(&mut self.cursor.stats.calls, call, n);
        }
        let firsts = self.worker.take_firsts();
        if !firsts.is_empty() {
            assumptions::keep_first(self.worker, &firsts, self.worker.now()).await?;
        }
        let shapes = self.worker.take_shapes();
        if !shapes.is_empty() {
            shapes::keep(self.worker, &shapes).await?;
        }
        self.cursor.assumptions = self.worker.seen();
        let mut consumed = Vec::new();
        self.cursor.due.retain(|start, bucket| {
            let over = bucket.next >= bucket.len;
            if over {
                consumed.push((*start, bucket.len));
            }
            !over
        });
        let now = self.worker.now();
        if self.cursor != self.saved || life::is_beat_due(&self.cursor, now) {
            self.cursor.last_write = Some(now);
            let bytes = stored::write(&self.cursor);
            if let Err(e) = self.worker.set(keys::CURSOR, &bytes).await {
                // Perhaps it is not written: their indices must not be given out anew.
                for (start, len) in consumed {
                    let bucket = Bucket {
                        next: len,
                        len,
                        since: None,
                    };
                    self.cursor.due.insert(start, bucket);
                }
                return Err(e.into());
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

    /// Whether a delivery began this drain after its answer, and nobody waits for it.
    pub(super) fn is_after_answer(&self) -> bool {
        self.bounds.upkeep == Upkeep::None && self.bounds.until.is_none()
    }

    /// Notes whether anybody works after an answer on this host: a scheduler's drain found that nobody had, or this
    /// one does.
    pub(super) fn note_start(&mut self) {
        if self.found_late == Some(true) {
            self.cursor.late_starts.found();
        } else if self.is_after_answer() {
            self.cursor.late_starts.went_on();
        }
    }

    /// Prepares to go on after the lease was given back, once what this drain waits for is due.
    pub(super) fn wait_for_more(&mut self) {
        let now = self.worker.now();
        self.cursor.held.retain(|held| now < held.until);
        let at = match self.bounds.waits {
            Waits::No => None,
            // What was due at the end of this pass is due now.
            Waits::ForSettling => self.drained.settles_at.map(|at| at.max(now)),
            Waits::ForDue => self.due_soon(now),
        };
        self.drained.settles_at = None;
        let at = at.filter(|at| *at >= now && at.saturating_since(now) <= LONGEST_WAIT);
        if self.bounds.waits == Waits::ForDue && at.is_some() {
            self.cursor.waits_until = at;
        }
        self.drained.goes_on_at = at;
    }

    /// When something is due within [`SOON`] that no other worker waits for.
    fn due_soon(&self, now: Timestamp) -> Option<Timestamp> {
        let lists = self.cursor.due.iter().filter(|(_, b)| b.next < b.len);
        let events = lists.filter(|(_, b)| b.since.is_some());
        let next = events.map(|(start, _)| *start).next();
        let next = next.and_then(Timestamp::from_second);
        let pause = self.cursor.pauses.get(Upstream::Getfly);
        let pause = pause.map(|pause| pause.until).filter(|until| *until > now);
        let is_new = self.queue.read > self.cursor.low;
        let next = if is_new { Some(now) } else { next }?;
        // Nothing is attempted while Getfly pauses.
        let at = pause.map_or(next, |pause| pause.max(next));
        let waited_for = self.cursor.waits_until.filter(|until| *until > now);
        let soon = at.saturating_since(now) <= SOON;
        (soon && waited_for.is_none_or(|until| at < until)).then_some(at)
    }

    /// The cursor has moved on by an entry; now and then it is written.
    pub(super) async fn moved(&mut self) -> Result<(), Stop> {
        self.unsaved += 1;
        if self.unsaved >= CURSOR_EVERY {
            self.save().await
        } else {
            Ok(())
        }
    }
}
