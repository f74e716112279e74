//! The one worker: under the lease it goes through what waits, in order, until nothing is due. Its
//! cost depends on what is due, never on how long the history is.

mod commands;
mod due_lists;
mod event;
mod lists;
mod new_entries;
mod retention;
mod webhooks;

use crate::{
    config::Ready,
    journal::{
        cursor::{Bucket, Cursor},
        entries, keys, stats,
    },
    json::{ToJson, object},
    kiotviet::assumptions::MAX_ITEMS,
    log, stored,
    time::Timestamp,
    worker::{
        lease::{Lease, SLOT_SECONDS},
        permit::{Permit, Worker},
    },
    world::{Store, StoreError, World},
};
use core::{ops::Range, time::Duration};
use serde_json::Value;

/// The cursor is written at least every so many entries; entries since then are looked at again
/// after a crash, which costs a read each.
const CURSOR_EVERY: u32 = 64;

/// A drain reads KiotViet's lists for at most this long, so that whoever asked for it gets an answer;
/// the next one goes on.
const LISTS_TIME: Duration = Duration::from_secs(300);

/// Pause between two looks at a lease that somebody else holds.
const LEASE_LOOK: Duration = Duration::from_secs(1);

/// Whether to wait for a lease that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Leave: whoever holds the lease sees the new entries.
    None,
    /// Wait for the rest of this slot and the next: a worker that crashed holds it no longer. And then until
    /// what it may have sent has settled.
    TwoSlots,
}

/// Whether a drain also looks after the webhooks and reads KiotViet's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// No: somebody waits for an answer, or a scheduler does it.
    None,
    /// When it is time.
    Due,
    /// At once.
    Now,
}

/// How to drain.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Whether to wait for the lease.
    pub patience: Patience,
    /// Begin no further event once this is over.
    pub time: Option<Duration>,
    /// Whether to look after the webhooks.
    pub upkeep: Upkeep,
}

impl How {
    /// Process what waits, and nothing else, if nobody else does.
    pub const QUICK: Self = Self {
        patience: Patience::None,
        time: None,
        upkeep: Upkeep::None,
    };

    /// What a scheduler asks for: everything that is due.
    pub const WHOLE: Self = Self {
        patience: Patience::TwoSlots,
        time: None,
        upkeep: Upkeep::Due,
    };
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
pub async fn drain<W: World>(world: &W, ready: &Ready, how: How) -> Drained {
    drain_for(world, ready, how, 0..0).await
}

/// The same for somebody whose wishes have these numbers: where it stops before it has come to them,
/// those that need no Getfly are carried out all the same.
pub async fn drain_for<W: World>(
    world: &W,
    ready: &Ready,
    how: How,
    wishes: Range<u64>,
) -> Drained {
    let until = how.time.and_then(|t| world.now().checked_add(t));
    let mut upkeep = how.upkeep;
    let lists_until = world.now().checked_add(LISTS_TIME);
    let mut drained = Drained::default();
    loop {
        let lease = match acquire(world, how.patience).await {
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
        let bounds = Bounds {
            patience: how.patience,
            until,
            lists_until,
            upkeep,
        };
        let wishes = wishes.clone();
        let again = under_lease(world, ready, lease, bounds, wishes, &mut drained).await;
        if upkeep == Upkeep::Now {
            upkeep = Upkeep::Due;
        }
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

/// The lease; none when somebody else holds it for longer than `patience`.
pub async fn acquire<W: World>(
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
    bounds: Bounds,
    wishes: Range<u64>,
    drained: &mut Drained,
) -> Result<bool, String> {
    let cursor = match place(world).await {
        Ok(cursor) => cursor,
        Err(e) => {
            lease.release().await;
            return Err(e.to_string());
        }
    };
    let (cursor, forgotten) = cursor;
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
        forgotten,
        bounds,
        drained,
    };
    let mut result = drain.work().await;
    if result == Ok(Pass::Paused) {
        result = drain.wishes_ahead(wishes).await.map(|()| Pass::Paused);
    }
    drain.cursor.getfly_calls = worker.getfly_calls();
    let kept = drain.save().await;
    if result.is_ok() && kept.is_ok() {
        // What may still come of a create is among the pauses.
        worker.settled();
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
        // Somebody may have found the lease taken while it was being given back.
        Pass::Complete => arrived_meanwhile(world, &cursor)
            .await
            .map_err(|e| e.to_string()),
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

/// The worker's place, and up to which number a missing entry was removed rather than not written
/// yet: a place that cannot be read is made anew by looking at the whole journal again.
async fn place(store: &impl Store) -> Result<(Cursor, u64), StoreError> {
    let Some(bytes) = store.get(keys::CURSOR).await? else {
        return Ok((Cursor::default(), 0));
    };
    match stored::read(&bytes) {
        Ok(cursor) => Ok((cursor, 0)),
        Err(_) => {
            let tail = entries::tail(store).await?;
            Ok((Cursor::default(), tail.saturating_sub(MAX_ITEMS as u64)))
        }
    }
}

/// Reads the worker's place.
pub async fn load_cursor(store: &impl Store) -> Result<Cursor, StoreError> {
    match store.get(keys::CURSOR).await? {
        None => Ok(Cursor::default()),
        Some(bytes) => stored::read(&bytes)
            .map_err(|e| StoreError(format!("the journal's cursor is damaged: {e}"))),
    }
}

/// When the worker's last calls to Getfly began, as far as it has told: somebody else's calls keep the
/// ceiling together with them. None where the place cannot be read.
pub async fn getfly_calls(store: &impl Store) -> Vec<Timestamp> {
    let cursor = load_cursor(store).await;
    cursor.map(|c| c.getfly_calls).unwrap_or_default()
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

#[derive(Debug, Clone, Copy)]
struct Bounds {
    patience: Patience,
    /// No event is begun after this.
    until: Option<Timestamp>,
    /// No page of a list is read after this.
    lists_until: Option<Timestamp>,
    upkeep: Upkeep,
}

struct Drain<'d, 'w, W> {
    worker: &'d Worker<'w, W>,
    ready: &'d Ready,
    cursor: Cursor,
    saved: Cursor,
    unsaved: u32,
    forgotten: u64,
    bounds: Bounds,
    drained: &'d mut Drained,
}

fn stop(e: StoreError) -> Stop {
    e.to_string()
}

impl<W: World> Drain<'_, '_, W> {
    async fn work(&mut self) -> Result<Pass, Stop> {
        // First, because a webhook that is off must not wait for Getfly to come back.
        self.look_after_webhooks().await?;
        loop {
            let low = self.cursor.low;
            if self.due_lists().await? == Pass::Paused || self.new_entries().await? == Pass::Paused
            {
                return Ok(Pass::Paused);
            }
            if self.holes().await? == Pass::Paused {
                return Ok(Pass::Paused);
            }
            self.remove_old().await?;
            // Where nothing was new a moment ago, the look after the lease was given back is enough.
            let more = self.next_due().is_some()
                || self.cursor.low > low
                    && entries::tail(self.worker).await.map_err(stop)? > self.cursor.low;
            if !more && !self.read_lists().await? {
                return Ok(Pass::Complete);
            }
        }
    }

    /// Writes the place. The keys of consumed due lists go only after it: until then a worker that
    /// comes after a crash needs them to find the same events again.
    async fn save(&mut self) -> Result<(), Stop> {
        self.unsaved = 0;
        for (call, n) in self.worker.take_tally() {
            stats::add(&mut self.cursor.stats.calls, call, n);
        }
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
                    let bucket = Bucket {
                        next: len,
                        len,
                        since: None,
                    };
                    self.cursor.due.insert(start, bucket);
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
}
