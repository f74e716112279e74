//! One event: its attempt, and how that ends: done, put off, to be attempted again, or a dead letter. Pauses
//! of a failing side are kept here.

use crate::{
    drain::{
        due_lists::bucket_of,
        state::{Drain, Pass},
    },
    journal::{
        connection_name::Upstream,
        cursor::due_time,
        dead_reason::DeadReason,
        entries,
        ledger::SETTLE,
        note::Note,
        pauses::Pause,
        record::{Record, State, Status},
        trouble::Trouble,
        unfinished,
    },
    log,
    time::Timestamp,
    worker::{
        attempt,
        failure::{Failure, Side, Stop},
        lease::Patience,
        outside::LOOK_AGAIN,
        pauses, retry,
    },
    world::{Clock, Random, Store, World},
};
use core::time::Duration;

impl<W: World> Drain<'_, '_, W> {
    /// Takes one event as far as it goes now, counts it where it ends, or lists it for later.
    /// `Paused`: it was not touched, and nothing after it should be.
    pub(super) async fn event(&mut self, mut record: Record) -> Result<Pass, Stop> {
        let now = self.worker.now();
        if self.command_is_ahead(&record).await? {
            // The command takes one dead letter away and counts the event where it now stands.
            self.cursor.counts.dead = self.cursor.counts.dead.saturating_add(1);
            return Ok(Pass::Complete);
        }
        if record.state().is_final() {
            self.count(&record).await?;
            return Ok(Pass::Complete);
        }
        let waits = |at: &Timestamp| bucket_of(*at) > now.as_second();
        if let Some(at) = record.status.next_attempt_at().filter(waits) {
            self.list_event(at, &record).await?;
            return Ok(Pass::Complete);
        }
        if pauses::until(&self.cursor.pauses, Upstream::Getfly, self.worker).is_some()
            || self.bounds.until.is_some_and(|until| now >= until)
        {
            return Ok(Pass::Paused);
        }
        let kiotviet = Upstream::KiotViet(&record.connection);
        if let Some(until) = pauses::until(&self.cursor.pauses, kiotviet, self.worker) {
            return self.postpone(record, until).await;
        }
        let old_body = record.body.clone();
        let mut patient = self.bounds.patience == Patience::TwoSlots;
        let result = loop {
            let result = attempt::attempt(self.worker, self.ready, &mut record).await;
            match result {
                Err(Failure::Unsettled(until)) if patient => patient = self.wait_until(until).await,
                result => break result,
            }
        };
        record.calls = self.worker.take_calls();
        match result {
            Ok(()) => {
                if !record.calls.is_empty() {
                    let kiotviet = Upstream::KiotViet(&record.connection);
                    self.cursor.pauses.clear(Upstream::Getfly);
                    self.cursor.pauses.clear(kiotviet);
                }
                // Its body first: once the record is final, nobody would look for the parts.
                entries::drop_body(self.worker, record.seq, old_body.as_ref()).await?;
                entries::write_event(self.worker, &record).await?;
                self.worker.settled();
                unfinished::unmark(self.worker, &record).await;
                self.ended(&record).await?;
                Ok(Pass::Complete)
            }
            Err(Failure::Abandoned(stop)) => Err(stop),
            Err(Failure::Later(until)) => self.postpone(record, until).await,
            Err(Failure::Unsettled(until)) => {
                let pass = self.postpone(record, until).await?;
                pauses::pause_until(&mut self.cursor.pauses, Upstream::Getfly, until);
                Ok(pass)
            }
            Err(Failure::NotShown(until)) => {
                record.misses = Some(record.misses.unwrap_or_default().saturating_add(1));
                self.postpone(record, until).await
            }
            Err(Failure::Outside { side, why }) => self.wait_outside(record, side, why).await,
            Err(Failure::NothingThere(failure)) => {
                self.attempt_again(record, Side::Getfly, failure.why(), None)
                    .await
            }
            Err(Failure::Dead { reason, why }) => {
                self.bury(record, reason, why).await?;
                Ok(Pass::Complete)
            }
            Err(Failure::Retry { side, why, after }) => {
                self.attempt_again(record, side, why, after).await
            }
        }
    }

    /// Waits for what settles soon; whether to attempt it again. After a clock was wrong it may be hours.
    async fn wait_until(&self, until: Timestamp) -> bool {
        let soon = until.saturating_since(self.worker.now()) <= SETTLE;
        if soon {
            self.worker.wait_until(until).await;
        }
        soon
    }

    pub(super) async fn ended(&mut self, record: &Record) -> Result<(), Stop> {
        self.count(record).await?;
        self.drained.ended = self.drained.ended.saturating_add(1);
        log::event(self.worker, record);
        Ok(())
    }

    /// Counts an event that is final, as the last thing that is done for it: what fails before is
    /// done and counted again by the next worker.
    async fn count(&mut self, record: &Record) -> Result<(), Stop> {
        let passed = record.seq < self.cursor.oldest || !self.worker.is_atomic();
        if passed && (record.state() != State::Dead || record.may_be_forged()) {
            self.list_removal(record).await?;
        }
        let now = self.worker.now();
        self.cursor.stats.ended(self.worker, record, now).await?;
        self.cursor.enter(record);
        Ok(())
    }

    async fn bury(
        &mut self,
        mut record: Record,
        reason: DeadReason,
        why: Trouble,
    ) -> Result<(), Stop> {
        record.bury(reason, self.worker.now());
        record.note(Note::Failed(why));
        unfinished::fold(self.worker, &mut record, reason).await?;
        unfinished::mark(self.worker, &mut record).await?;
        entries::write_event(self.worker, &record).await?;
        self.ended(&record).await
    }

    async fn postpone(&mut self, mut record: Record, until: Timestamp) -> Result<Pass, Stop> {
        let at = due_time(self.worker.now(), until);
        record.status = Status::Retrying {
            next_attempt_at: at,
        };
        unfinished::mark(self.worker, &mut record).await?;
        entries::write_event(self.worker, &record).await?;
        self.list_event(at, &record).await?;
        Ok(Pass::Complete)
    }

    /// Waits for people to mend what is outside, and leaves that side alone meanwhile; no attempt is used up.
    async fn wait_outside(
        &mut self,
        mut record: Record,
        side: Side,
        why: Trouble,
    ) -> Result<Pass, Stop> {
        self.drained.failed = self.drained.failed.saturating_add(1);
        record.failed(why);
        let now = self.worker.now();
        let until = now.checked_add(LOOK_AGAIN).unwrap_or(now);
        let connection = record.connection.clone();
        let pass = self.postpone(record, until).await?;
        let upstream = side.of(&connection);
        pauses::pause_until(&mut self.cursor.pauses, upstream, until);
        Ok(pass)
    }

    async fn attempt_again(
        &mut self,
        mut record: Record,
        side: Side,
        why: Trouble,
        after: Option<Duration>,
    ) -> Result<Pass, Stop> {
        self.drained.failed = self.drained.failed.saturating_add(1);
        record.attempts = record.attempts.saturating_add(1);
        let mut jitter = [0u8];
        self.worker.fill(&mut jitter);
        let [jitter] = jitter;
        let connection = record.connection.clone();
        let upstream = side.of(&connection);
        let now = self.worker.now();
        let (failures, pause) = pauses::next(&self.cursor.pauses, upstream, after);
        let until = now.checked_add(pause).unwrap_or(now);
        let Some(wait) = retry::wait_after(record.attempts, after, jitter) else {
            let reason = match side {
                Side::KiotViet => DeadReason::KiotvietUnavailable,
                Side::Getfly => DeadReason::GetflyUnavailable,
            };
            self.bury(record, reason, why).await?;
            // What it was sent may still be stored, and the next worker must see it.
            if self.worker.is_open() {
                self.cursor.pauses.set(upstream, Pause { until, failures });
            }
            return Ok(Pass::Complete);
        };
        record.failed(why);
        // Not before the pause ends, so that no pause outlasts the last retry time.
        let wanted = now.checked_add(wait.max(pause)).unwrap_or(now);
        let pass = self.postpone(record, wanted).await?;
        self.cursor.pauses.set(upstream, Pause { until, failures });
        Ok(pass)
    }
}
