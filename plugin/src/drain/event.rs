//! One event: its attempt, and how that ends: done, put off, to be attempted again, or a dead letter. Pauses
//! of a failing side are kept here.

use crate::{
    drain::{
        hints::Hinted,
        state::{Drain, Pass},
    },
    journal::{
        connection_name::Upstream,
        cursor::due_time,
        dead_reason::DeadReason,
        entries,
        held::Held,
        index,
        ledger::SETTLE,
        note::Note,
        pauses::Pauses,
        record::{Body, Record, State, Status},
        trouble::Trouble,
        unfinished,
    },
    log,
    time::Timestamp,
    worker::{
        attempt,
        failure::{Failure, Side, Stop},
        observe,
        outside::LOOK_AGAIN,
        pauses,
        permit::Reached,
        retry::{self, FailsAt},
    },
    world::{Clock, Random, Store, World},
};
use core::time::Duration;

/// A dead letter that is older than this is no news.
const NEWS: Duration = Duration::from_hours(1);

impl<W: World> Drain<'_, '_, W> {
    /// Takes one event as far as it goes now, counts it where it ends, or lists it for later.
    /// `Paused`: it was not touched, and nothing after it should be.
    pub(super) async fn event(&mut self, mut record: Record) -> Result<Pass, Stop> {
        let now = self.worker.now();
        if self.command_is_ahead(&record).await? {
            // The command takes one dead letter away and counts the event where it now stands.
            self.cursor.dead_still(&record);
            return Ok(Pass::Complete);
        }
        if record.state().is_final() {
            self.count(&record).await?;
            return Ok(Pass::Complete);
        }
        let waits = |at: &Timestamp| *at > now;
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
        match self.hinted(&record).await? {
            Hinted::Attempt => {}
            Hinted::Nothing(reason, note) => {
                let body = record.body.take();
                record.note(note);
                record.finish(reason, now);
                return self.done(record, body).await;
            }
            Hinted::Wait(until) => return self.postpone(record, until).await,
        }
        let body = record.body.clone();
        let read = self.queue.read;
        let is_shown = self.is_shown(&record);
        self.worker.keep_exchanges(is_shown);
        let held = &self.cursor.held;
        // Boxed for the stack's sake, as a stretch of work is.
        let result = Box::pin(attempt::attempt(self.worker, self.ready, held, &mut record)).await;
        record.calls = self.worker.take_calls();
        if is_shown {
            self.keep_sheet(&mut record);
        }
        let reached = self.worker.take_reached();
        if matches!(result, Ok(()) | Err(Failure::Dead { .. })) {
            self.works_again(reached, &record);
        }
        self.hint_ended(&record, read, reached.kiotviet).await?;
        match result {
            Ok(()) => self.done(record, body).await,
            Err(Failure::Abandoned(stop)) => Err(stop),
            Err(Failure::Later(until)) => {
                let now = self.worker.now();
                if until > now {
                    // When it is due again, which may be later than asked for.
                    let due = due_time(now, until);
                    let settles_at = &mut self.drained.settles_at;
                    *settles_at = Some(settles_at.map_or(due, |at| at.max(due)));
                }
                self.postpone(record, until).await
            }
            Err(Failure::NotShown(until)) => {
                record.misses = Some(record.misses.unwrap_or_default().saturating_add(1));
                self.postpone(record, until).await
            }
            Err(Failure::Outside { side, why }) => self.wait_outside(record, side, why).await,
            Err(Failure::NothingThere(failure)) => {
                let why = failure.why();
                self.attempt_again(record, Failed::at(Side::Getfly, why, None))
                    .await
            }
            Err(Failure::Dead { reason, why }) => {
                self.bury(record, reason, why).await?;
                Ok(Pass::Complete)
            }
            Err(Failure::Retry { side, why, after }) => {
                self.attempt_again(record, Failed::at(side, why, after))
                    .await
            }
            Err(Failure::Unknown { why, after, brings }) => {
                let until = self.worker.now().saturating_add(SETTLE);
                if let Some(brings) = brings {
                    let brings = *brings;
                    self.cursor.held.push(Held { brings, until });
                }
                let failed = Failed {
                    at: FailsAt::Creates,
                    not_before: SETTLE,
                    ..Failed::at(Side::Getfly, why, after)
                };
                self.attempt_again(record, failed).await
            }
        }
    }

    /// Keeps and counts an event that ended with an outcome; it had this body.
    async fn done(&mut self, mut record: Record, body: Option<Body>) -> Result<Pass, Stop> {
        observe::ended(self.worker, &mut record);
        self.owe_read_back(&record);
        // Its body first: once the record is final, no worker would look for the parts.
        entries::drop_body(self.worker, record.seq, body.as_ref()).await?;
        entries::write_event(self.worker, &record).await?;
        self.worker.settled().await;
        unfinished::unmark(self.worker, &record).await;
        self.ended(&record).await?;
        Ok(Pass::Complete)
    }

    /// The sides that answered an attempt which came to an end are not failing.
    fn works_again(&mut self, reached: Reached, record: &Record) {
        let kiotviet = Upstream::KiotViet(&record.connection);
        for (answered, upstream) in [
            (reached.getfly, Upstream::Getfly),
            (reached.kiotviet, kiotviet),
        ] {
            if answered == 0 {
                continue;
            }
            let pause = self.cursor.pauses.get(upstream);
            if pause.is_some_and(|pause| pause.matters(self.worker.now())) {
                log::goes_on(self.worker, upstream);
            }
            self.cursor.pauses.clear(upstream);
        }
    }

    /// Keeps the pauses after a failure of `upstream`, and says so in the log once it matters to people.
    fn set_pauses(&mut self, pauses: Pauses, upstream: Upstream<'_>) {
        let now = self.worker.now();
        let matters = |pauses: &Pauses| {
            let pause = pauses.get(upstream);
            pause.is_some_and(|pause| pause.matters(now))
        };
        if !matters(&self.cursor.pauses)
            && let Some(why) = pauses.get(upstream).and_then(|pause| pause.why.as_ref())
            && matters(&pauses)
        {
            log::paused(self.worker, upstream, &why.to_string());
        }
        self.cursor.pauses = pauses;
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
        if index::span_of(record.seq) < self.cursor.indexed.1 {
            index::add_late(self.worker, record, self.cursor.folded).await?;
        }
        let now = self.worker.now();
        self.list_first(record).await?;
        self.cursor.stats.ended(self.worker, record, now).await?;
        self.cursor.enter(record);
        self.tell_of_death(record, now);
        Ok(())
    }

    /// People are told of a new dead letter; one that is only counted anew is none.
    fn tell_of_death(&mut self, record: &Record, now: Timestamp) {
        if let Status::Dead {
            reason,
            finished_at,
        } = record.status
            && self.ready.alerts.is_some()
            && now.saturating_since(finished_at) < NEWS
        {
            self.cursor.alerts.died(&record.connection, reason, now);
        }
    }

    async fn bury(
        &mut self,
        mut record: Record,
        reason: DeadReason,
        why: Trouble,
    ) -> Result<(), Stop> {
        let now = self.worker.now();
        record.bury(reason, now);
        record.tried(now, why.clone());
        record.note(Note::Failed(why));
        observe::ended(self.worker, &mut record);
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
        let now = self.worker.now();
        record.tried(now, why.clone());
        record.failed(why.clone());
        let until = now.saturating_add(LOOK_AGAIN);
        let connection = record.connection.clone();
        let pass = self.postpone(record, until).await?;
        let upstream = side.of(&connection);
        let mut pauses = self.cursor.pauses.clone();
        pauses::pause_until(&mut pauses, upstream, until, &why, now);
        self.set_pauses(pauses, upstream);
        Ok(pass)
    }

    async fn attempt_again(&mut self, mut record: Record, failed: Failed) -> Result<Pass, Stop> {
        let Failed {
            side,
            why,
            after,
            not_before,
            at,
        } = failed;
        self.drained.failed = self.drained.failed.saturating_add(1);
        record.attempts = record.attempts.saturating_add(1);
        let mut jitter = [0u8];
        self.worker.fill(&mut jitter);
        let [jitter] = jitter;
        let connection = record.connection.clone();
        let upstream = side.of(&connection);
        let now = self.worker.now();
        let mut pauses = self.cursor.pauses.clone();
        let event = pauses::Failed {
            seq: record.seq,
            at,
            after,
            why: &why,
        };
        pauses::failed(&mut pauses, upstream, &event, now);
        let pause = pauses::until(&pauses, upstream, self.worker);
        let Some(wait) = retry::wait_after(record.attempts, after, jitter) else {
            let reason = match side {
                Side::KiotViet => DeadReason::KiotvietUnavailable,
                Side::Getfly => DeadReason::GetflyUnavailable,
            };
            self.bury(record, reason, why).await?;
            self.set_pauses(pauses, upstream);
            return Ok(Pass::Complete);
        };
        record.tried(now, why.clone());
        record.failed(why);
        let wanted = now.saturating_add(wait.max(not_before));
        // Not before the pause ends, so that no pause outlasts the last retry time.
        let wanted = pause.map_or(wanted, |until| until.max(wanted));
        let pass = self.postpone(record, wanted).await?;
        self.set_pauses(pauses, upstream);
        Ok(pass)
    }
}

/// A failed attempt that is repeated.
struct Failed {
    side: Side,
    /// For people.
    why: Trouble,
    /// What the side asks for.
    after: Option<Duration>,
    /// Not before this long from now.
    not_before: Duration,
    at: FailsAt,
}

impl Failed {
    fn at(side: Side, why: Trouble, after: Option<Duration>) -> Self {
        Self {
            side,
            why,
            after,
            not_before: Duration::ZERO,
            at: FailsAt::All,
        }
    }
}
