//! The one worker: under the lease it goes through what waits, in order, until nothing is due. Its
//! cost depends on what is due, never on how long the history is.

use crate::{
    config::Ready,
    drain::{
        hints::Hints,
        how::{Drained, How},
        outgoing::{self, ToSend},
        queue::Queue,
        state::{Bounds, Drain, Pass},
    },
    journal::{
        alerts::Cause,
        cursor::{self, Cursor},
        entries,
        format::FORMAT,
        life,
    },
    log,
    reconcile::{filling::Filling, upkeep::Upkeep},
    worker::{
        failure::Stop,
        lease::{self, Lease},
        permit::{Permit, Worker},
        tenant::{self, Tenancy},
    },
    world::{Clock, Store, StoreError, World},
};
use core::{ops::Range, time::Duration};

/// The webhooks' health is looked at again after so many attempts, if it is time.
const UPKEEP_EVERY: u32 = 50;

/// A drain reads KiotViet's lists for at most this long, so that its caller gets an answer; the next one goes on.
const LISTS_TIME: Duration = Duration::from_secs(300);

/// In a long drain people are told what there is to tell at least this often, give or take an attempt.
const TOLD_EVERY: Duration = Duration::from_secs(30);

/// Processes everything that is due. Safe to call at any time, from many places at once.
pub async fn drain<W: World>(world: &W, ready: &Ready, how: How) -> Drained {
    drain_for(world, ready, how, 0..0).await
}

/// The same for a caller whose commands have these numbers: where it stops before it has come to them,
/// those that need no Getfly are carried out all the same.
pub async fn drain_for<W: World>(
    world: &W,
    ready: &Ready,
    how: How,
    commands: Range<u64>,
) -> Drained {
    let until = how.time.and_then(|t| world.now().checked_add(t));
    let mut upkeep = how.upkeep;
    let lists_until = world.now().checked_add(LISTS_TIME);
    let mut drained = Drained::default();
    loop {
        let lease = match lease::acquire(world, how.patience).await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                drained.busy = true;
                return drained;
            }
            Err(e) => {
                drained.stopped = Some(e.into());
                return drained;
            }
        };
        let bounds = Bounds {
            waits: how.waits,
            until,
            lists_until,
            upkeep,
        };
        let commands = commands.clone();
        // Boxed, as each caller's stack would hold it: a thread's may have no more than 2 MB.
        let again = under_lease(world, ready, lease, bounds, commands, &mut drained);
        let again = Box::pin(again).await;
        let to_send = core::mem::take(&mut drained.to_send);
        outgoing::send(world, ready, to_send, outgoing::TIMEOUT).await;
        if upkeep == Upkeep::Now {
            upkeep = Upkeep::Due;
        }
        match (again, drained.goes_on_at.take()) {
            (Ok(true), _) => {}
            (Ok(false), Some(at)) => world.sleep(at.saturating_since(world.now())).await,
            (Ok(false), None) => return drained,
            (Err(stopped), _) => {
                log::drain_stopped(world, &stopped.to_string());
                drained.stopped = Some(stopped);
                return drained;
            }
        }
    }
}

/// One stretch of work; true when the journal got new entries just as the lease was given back.
async fn under_lease<W: World>(
    world: &W,
    ready: &Ready,
    lease: Lease<'_, W>,
    bounds: Bounds,
    commands: Range<u64>,
    drained: &mut Drained,
) -> Result<bool, Stop> {
    let cursor = match cursor::load_or_rebuild(world).await {
        Ok(cursor) => cursor,
        Err(e) => {
            lease.release().await;
            return Err(e.into());
        }
    };
    let (cursor, forgotten) = cursor;
    let worker = Worker::new(
        world,
        Permit::Lease(lease),
        ready,
        cursor.getfly_calls.clone(),
    );
    worker.set_slow_until(cursor.slow_until);
    worker.set_seen(cursor.assumptions.clone());
    let is_paused = cursor.pauses.iter().next().is_some();
    let mut drain = Drain {
        worker: &worker,
        ready,
        saved: cursor.clone(),
        cursor,
        unsaved: 0,
        forgotten,
        bounds,
        queue: Queue::default(),
        hints: Hints::default(),
        filling: Filling::default(),
        tenancy: Tenancy::Ours,
        told_at: world.now(),
        found_late: (bounds.upkeep != Upkeep::None && !is_paused).then_some(false),
        drained,
    };
    let made = |drain: &Drain<'_, '_, W>| {
        let counts = &drain.cursor.counts;
        counts.created.saturating_add(counts.linked)
    };
    let made_before = made(&drain);
    let mut result = match life::begin_work(&worker, &drain.cursor).await {
        Ok(()) => match drain.bring_up().await {
            Ok(Pass::Complete) => drain.work().await,
            ends => ends,
        },
        Err(e) => Err(e.into()),
    };
    if result == Ok(Pass::Paused) {
        result = drain.commands_ahead(commands).await.map(|()| Pass::Paused);
    }
    if result.is_ok() {
        let kept = drain.upkeep().keep_accounts().await;
        result = result.and_then(|pass| Ok(kept.map(|()| pass)?));
    }
    if result.is_ok() && drain.tenancy == Tenancy::First && made(&drain) > made_before {
        let kept = tenant::keep_first(&worker, ready).await;
        result = result.and_then(|pass| kept.map(|()| pass));
    }
    drain.cursor.getfly_calls = worker.getfly_calls();
    let slow = worker.slow_until().filter(|until| *until > world.now());
    drain.cursor.slow_until = slow;
    drain.wait_for_more();
    drain.note_start();
    // Somebody waits for the answer of a drain with a bound: the next one tells. Nor is anything told of a store that is
    // not counted yet.
    let told = match drain.bounds.until {
        None if drain.cursor.format == FORMAT => drain.alerts(result.is_ok()).await,
        _ => Ok(ToSend::default()),
    };
    let kept = drain.save().await;
    if kept.is_ok()
        && let Ok(to_send) = told
    {
        drain.drained.to_send = to_send;
    }
    if result.is_ok() && kept.is_ok() {
        // The cursor tells what may still come of a create.
        worker.settled().await;
    }
    let Drain {
        cursor, drained, ..
    } = drain;
    drained.waiting = cursor.counts.waiting;
    drained.dead = cursor.counts.dead;
    worker.release().await;
    let pass = result?;
    kept?;
    match pass {
        Pass::Complete if mutant!(NoLookAfterRelease) => Ok(false),
        // An acceptor may have found the lease taken while it was being given back.
        Pass::Complete => Ok(arrived_meanwhile(world, &cursor).await?),
        Pass::Paused => Ok(false),
    }
}

async fn arrived_meanwhile<W: World>(world: &W, cursor: &Cursor) -> Result<bool, StoreError> {
    for hole in &cursor.holes {
        if entries::read(world, hole.seq).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(entries::tail(world).await? > cursor.low)
}

impl<W: World> Drain<'_, '_, W> {
    async fn work(&mut self) -> Result<Pass, Stop> {
        // First, because a webhook that is off must not wait for Getfly to come back.
        self.upkeep().look_after_webhooks().await?;
        if self.bounds.upkeep == Upkeep::Now {
            self.upkeep().poll().await?;
        }
        if self.bounds.upkeep == Upkeep::Now {
            self.bounds.upkeep = Upkeep::Due;
        }
        self.tenancy = tenant::tenancy(self.worker, self.ready).await?;
        let is_other = self.tenancy == Tenancy::Other;
        self.stands_if(is_other, Cause::AnotherGetfly, None);
        if is_other {
            return Ok(Pass::Paused);
        }
        loop {
            if !self.cursor.polled.is_empty() {
                self.upkeep().poll().await?;
            }
            if self.attempts().await? == Pass::Paused || self.holes().await? == Pass::Paused {
                return Ok(Pass::Paused);
            }
            self.remove_old().await?;
            self.index().await?;
            if self.next_due().is_none()
                && !self.upkeep().read_lists().await?
                && !self.upkeep().fill_account_index().await?
            {
                self.read_orders_back().await?;
                return Ok(Pass::Complete);
            }
        }
    }

    /// Attempts what is new or due, until nothing is. At least every second attempt is at a new event.
    async fn attempts(&mut self) -> Result<Pass, Stop> {
        if !self.worker.is_atomic() {
            return self.attempts_in_order().await;
        }
        let mut was_new = false;
        for attempts in 1_u32.. {
            self.read_new().await?;
            if !self.cursor.polled.is_empty() {
                self.poll_in_between().await?;
            }
            let due = self.next_due();
            let due = due.filter(|_| was_new || !self.queue.has_live());
            was_new = due.is_none();
            let pass = match due {
                Some((start, bucket)) => self.attempt_due(start, bucket.next).await?,
                None => match self.queue.pop() {
                    Some(next) => self.attempt_new(next).await?,
                    None => return Ok(Pass::Complete),
                },
            };
            if pass == Pass::Paused {
                return Ok(Pass::Paused);
            }
            if attempts % UPKEEP_EVERY == 0 {
                self.look_in_between().await?;
            }
            self.tell_in_between().await?;
        }
        Ok(Pass::Complete)
    }

    /// Looks after the webhooks where it is time, also in a drain that a delivery began: as long as that one has the lease, a
    /// scheduler's drain waits. Not where somebody waits for an answer.
    async fn look_in_between(&mut self) -> Result<(), Stop> {
        let asked = self.bounds.upkeep;
        if self.is_after_answer() {
            self.bounds.upkeep = Upkeep::Due;
        }
        let looked = self.upkeep().look_after_webhooks().await;
        self.bounds.upkeep = asked;
        Ok(looked?)
    }

    /// Polls in between, where it is time and nobody waits for an answer: what is sold must not wait for a backlog.
    async fn poll_in_between(&mut self) -> Result<(), Stop> {
        let asked = self.bounds.upkeep;
        if asked == Upkeep::None && self.bounds.until.is_none() {
            self.bounds.upkeep = Upkeep::Due;
        }
        let polled = self.upkeep().poll().await;
        self.bounds.upkeep = asked;
        Ok(polled?)
    }

    /// Tells people what there is to tell, where it is time and nobody waits for an answer. The cursor is kept first, as at
    /// the end of a drain. Their receiver is waited for briefly, under the lease.
    async fn tell_in_between(&mut self) -> Result<(), Stop> {
        let now = self.worker.now();
        let is_time = now.saturating_since(self.told_at) >= TOLD_EVERY;
        if !is_time || self.bounds.until.is_some() || self.ready.alerts.is_none() {
            return Ok(());
        }
        self.told_at = now;
        let to_send = self.alerts(true).await?;
        if to_send.is_empty() {
            return Ok(());
        }
        self.save().await?;
        outgoing::send(self.worker.world(), self.ready, to_send, outgoing::BRIEF).await;
        Ok(())
    }

    /// The same in a store without atomics.
    async fn attempts_in_order(&mut self) -> Result<Pass, Stop> {
        while let Some((start, bucket)) = self.next_due() {
            if self.attempt_due(start, bucket.next).await? == Pass::Paused {
                return Ok(Pass::Paused);
            }
            self.tell_in_between().await?;
        }
        self.unlooked_entries().await
    }
}
