//! Two instances of the plugin, each on a machine with its own clock. An instance keeps only its
//! last loaded configuration between two requests, so one object stands for both while they take
//! turns.

use super::{evidence::Clocks, run::Run, switched::Shown};
use host_test::admin::Admin;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Seconds that a store call takes at most, where two work at once. README allows less than eight.
const SLOW: [u64; 3] = [1, 3, 7];

impl Run {
    /// The machine's clock is set: it is off by so much from now on.
    pub(super) fn set_clock(&self, off: SignedDuration) {
        self.shop.app.skew.set(self.shop.clock.now(), Some(off));
    }

    /// How far the clocks of the two machines are off, at the start.
    pub(super) fn set_clocks(&self, millis: [i32; 2]) {
        let [one, other] = millis.map(|ms| SignedDuration::from_millis(ms.into()));
        self.set_clock(one);
        self.other_clock.set(other);
    }

    /// The other instance is asked from here on.
    pub(super) fn other_instance(&self) {
        let off = self.shop.app.skew.off();
        self.set_clock(self.other_clock.replace(off));
        self.shop.app.exchange_loaded(&self.beside);
    }

    /// Both do something at once, and their calls to the store take some seconds.
    pub(super) async fn both<T>(&self, seed: u8, work: impl Future<Output = T>) -> T {
        let (one, other) = (&self.shop.app, &self.beside);
        let longest = Duration::from_secs(SLOW[usize::from(seed / 2) % SLOW.len()]);
        one.pace(seed.into(), longest);
        other.pace(u64::from(seed) + 256, longest);
        let done = self.running_beside(self.other_clock.get(), work).await;
        one.hurry();
        done
    }

    /// A scheduler's drain that no fault befalls; it looks after the webhooks.
    pub(super) async fn heal_beside(&self) {
        self.beside.hurry();
        let heal = self.beside.heal();
        self.running_beside(self.shop.app.skew.off(), heal).await;
    }

    async fn running_beside<T>(&self, off: SignedDuration, work: impl Future<Output = T>) -> T {
        self.beside.skew.set(self.shop.clock.now(), Some(off));
        let done = work.await;
        self.beside.skew.set(self.shop.clock.now(), None);
        done
    }

    /// How far each clock was off, and when.
    pub(super) fn clocks(&self) -> Clocks {
        let instances = [&self.shop.app, &self.beside];
        Clocks(instances.map(|instance| instance.skew.log()).into())
    }

    /// What the clocks may have shown since `at`.
    pub(super) fn shown(&self, at: Timestamp) -> Shown {
        let now = self.shop.clock.now();
        let off = self.clocks().off(at, now);
        let first = off.first().and_then(|off| at.checked_add(*off).ok());
        let last = off.last().and_then(|off| now.checked_add(*off).ok());
        first.unwrap_or(at)..=last.unwrap_or(now)
    }
}
