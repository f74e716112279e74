//! One worker per Getfly tenant, from `increment`, `delete` and the clock alone: the worker whose
//! increment brings a time slot's key to one owns the slot. A crashed worker costs at most one
//! slot; where an account is to be created, it costs the time until the crashed worker's calls have
//! settled. The hosts' clocks may differ by about two seconds: each call begins only if it ends
//! that long before the lease does.

use crate::{
    journal::{keys, ledger::SETTLE},
    time::Timestamp,
    world::{Clock, Store, StoreError},
};
use core::cell::{Cell, RefCell};
use core::time::Duration;

/// Length of a slot, seconds.
pub const SLOT_SECONDS: i64 = 30;
/// No write begins in a lease's last seconds. A call begins only if the lease outlasts its timeout
/// by [`SKEW_SECONDS`]. So what begins under the lease ends under it.
pub const MARGIN_SECONDS: i64 = 10;

/// How far the hosts' clocks may differ. The longest call leaves this much of the lease.
pub const SKEW_SECONDS: i64 = 2;

/// A slot that ended this many slots ago certainly has no owner, whatever the clocks show.
const FORGOTTEN_SLOTS: i64 = 3;

/// Added to the count of a past slot when its holder releases the lease: far more than the workers
/// that ever try to get it. A past slot with less was left by a crash.
const GIVEN_BACK: i64 = 1 << 32;

/// How long after a slot's end the last call that began under it may still take effect. The call
/// has ended [`SKEW_SECONDS`] before the slot does, by a clock that may be as much behind.
const SETTLES: Duration = SETTLE;

/// Pause between two looks at a lease that another worker holds.
const LEASE_LOOK: Duration = Duration::from_secs(1);

/// Whether to wait for a lease that another worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Leave: the holder of the lease sees the new entries.
    None,
    /// Wait for the rest of this slot and the next: a crashed worker holds no more.
    TwoSlots,
}

/// The right to work, for the slots counted so far.
#[derive(Debug)]
pub struct Lease<'w, W> {
    world: &'w W,
    held: RefCell<Vec<i64>>,
    first: i64,
    /// What [`left_open`](Self::left_open) found.
    left_open: Cell<Option<Option<Timestamp>>>,
}

fn slot_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(SLOT_SECONDS)
}

/// Whether a worker holds the present slot.
pub async fn is_held<W: Store + Clock>(world: &W) -> Result<bool, StoreError> {
    world.exists(&keys::lease(slot_of(world.now()))).await
}

impl<'w, W: Store + Clock> Lease<'w, W> {
    /// Tries to own the present slot, and near its end the next one too; none if another worker
    /// owns it. After an error the increment may have happened, so the slot counts as not ours.
    pub async fn acquire(world: &'w W) -> Result<Option<Self>, StoreError> {
        let slot = slot_of(world.now());
        let count = world.increment(&keys::lease(slot), 1).await;
        let unknown = count.is_err() && mutant!(LeaseErrorIsMine);
        if !(unknown || count? == 1 || mutant!(NoLease)) {
            return Ok(None);
        }
        let lease = Self {
            world,
            held: RefCell::new(vec![slot]),
            first: slot,
            left_open: Cell::new(None),
        };
        // The worker has read nothing yet that another could change in between, so this may be
        // late, and the increment may have taken long.
        let now = world.now();
        let last = now.as_second().saturating_add(MARGIN_SECONDS);
        let first = slot_of(now).max(slot.saturating_add(1));
        for slot in first..=last.div_euclid(SLOT_SECONDS) {
            let mine = world.increment(&keys::lease(slot), 1).await? == 1;
            if !(mine || mutant!(NoLease)) {
                lease.release().await;
                return Ok(None);
            }
            lease.held.borrow_mut().push(slot);
        }
        Ok(Some(lease))
    }

    /// Whether a write may begin now ([`Self::outlasts`]).
    pub async fn holds(&self) -> bool {
        self.outlasts(Duration::from_secs(
            (MARGIN_SECONDS - SKEW_SECONDS).unsigned_abs(),
        ))
        .await
    }

    /// Whether work that takes at most `lasting` (no longer than a slot) may begin now. If the
    /// present slot ends before that, the next slot is taken too. Past the slot's end (less the
    /// clocks' difference) the lease is lost for good, even if the next slot is free: another
    /// worker may have had it in between and released it.
    pub async fn outlasts(&self, lasting: Duration) -> bool {
        let lasting = i64::try_from(lasting.as_secs()).unwrap_or(SLOT_SECONDS);
        let margin = lasting.saturating_add(SKEW_SECONDS);
        let now = self.world.now();
        let Some(last) = self.held.borrow().last().copied() else {
            return false;
        };
        let ends = last.saturating_add(1).saturating_mul(SLOT_SECONDS);
        let skew = if mutant!(ClocksAgree) {
            0
        } else {
            SKEW_SECONDS
        };
        let latest = ends.saturating_sub(skew);
        if now.as_second() >= latest && !mutant!(LeaseTakenBackLate) {
            return false;
        }
        if now.as_second() < ends.saturating_sub(margin) {
            return true;
        }
        let next = last.saturating_add(1);
        let counted = self.world.increment(&keys::lease(next), 1).await;
        let mine = matches!(counted, Ok(1)) || mutant!(NoLease);
        // Calls of one worker run at once: another of them may just have taken the slot for all.
        let ours = self.held.borrow().contains(&next);
        if !ours {
            // The increment took time of its own. If it came too late, another worker may have had
            // the next slot and released it, so that this count of one is a second one.
            let late = self.world.now().as_second() >= latest;
            if !mine || (late && !mutant!(LeaseTakenBackLate)) {
                return false;
            }
            self.held.borrow_mut().push(next);
        }
        let forgotten: Vec<i64> = {
            let mut held = self.held.borrow_mut();
            let (old, kept) = held
                .iter()
                .partition(|s| **s < last.saturating_sub(FORGOTTEN_SLOTS));
            *held = kept;
            old
        };
        for slot in forgotten {
            // Only housekeeping: a slot that stays costs one small key.
            let _ = self.world.delete(&keys::lease(slot)).await;
        }
        let longer = ends.saturating_add(SLOT_SECONDS);
        self.world.now().as_second() < longer.saturating_sub(margin)
    }

    /// Until when a request may still take effect that was sent under the slot before this lease's
    /// first. It exists if that slot's worker did not release it and so may have begun a call in
    /// its last seconds. A request under an earlier slot has settled. None: nothing to wait for.
    /// Reads the store once.
    pub async fn left_open(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Some(known) = self.left_open.get() {
            return Ok(known);
        }
        let key = keys::lease(self.first.saturating_sub(1));
        let left = !mutant!(CrashForgotten)
            && self.world.exists(&key).await?
            && self.world.increment(&key, 0).await? < GIVEN_BACK;
        let over = Timestamp::from_second(self.first.saturating_mul(SLOT_SECONDS));
        let settled = over.and_then(|over| over.checked_add(SETTLES));
        let until = settled.filter(|_| left);
        self.left_open.set(Some(until));
        Ok(until)
    }

    /// Releases what is left of the slots. The caller then looks at the journal's tail once more:
    /// an acceptor may have found the lease taken in between.
    pub async fn release(self) {
        let present = slot_of(self.world.now());
        let held = self.held.into_inner();
        let former = present.saturating_sub(1);
        if held.contains(&former) {
            // If this is lost, the next worker waits as after a crash.
            let _ = self.world.increment(&keys::lease(former), GIVEN_BACK).await;
        }
        for slot in held.into_iter().rev().filter(|s| *s >= present) {
            // If this is lost, only the rest of the slot is lost.
            let _ = self.world.delete(&keys::lease(slot)).await;
        }
    }
}

/// The lease; none if another worker holds it for longer than `patience`.
pub async fn acquire<W: Store + Clock>(
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
