//! The simulated vendors' time.

use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;

/// The only clock a simulator reads.
pub trait SimClock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves to `to`, forwards or backwards.
    pub fn set(&self, to: Timestamp) {
        *super::lock(&self.0) = to;
    }

    /// Moves on by `by`.
    pub fn advance(&self, by: std::time::Duration) {
        let mut now = super::lock(&self.0);
        *now = later(*now, by);
    }
}

impl SimClock for ManualClock {
    fn now(&self) -> Timestamp {
        *super::lock(&self.0)
    }
}

/// A clock that showed a given moment when it was made and has followed tokio's time since: real
/// time in the demo, paused or advanced time in tests.
#[derive(Debug)]
pub struct TokioClock {
    start: Timestamp,
    since: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            since: tokio::time::Instant::now(),
        }
    }
}

impl SimClock for TokioClock {
    fn now(&self) -> Timestamp {
        later(self.start, self.since.elapsed())
    }
}

/// How far a machine's clock deviates from the true time, with each change. None while it
/// synchronises with no other clock.
#[derive(Debug, Default)]
pub struct Skew(Mutex<Vec<(Timestamp, Option<SignedDuration>)>>);

impl Skew {
    /// The deviation now; ahead is positive.
    pub fn off(&self) -> SignedDuration {
        let last = super::lock(&self.0).last().and_then(|(_, off)| *off);
        last.unwrap_or_default()
    }

    /// Sets the deviation from this moment on.
    pub fn set(&self, at: Timestamp, off: Option<SignedDuration>) {
        super::lock(&self.0).push((at, off));
    }

    /// Every change so far.
    pub fn log(&self) -> Vec<(Timestamp, Option<SignedDuration>)> {
        super::lock(&self.0).clone()
    }
}

/// `at` moved forwards by `by`, stopping at the end of time instead of overflowing.
pub(crate) fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_tokio_clock_follows_paused_time() {
        let clock = TokioClock::starting_at(Timestamp::UNIX_EPOCH);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.now().as_second(), 90);
    }
}
