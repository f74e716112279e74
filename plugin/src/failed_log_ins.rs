//! Counts failed log-ins over page, API and metrics together, in an instance's memory: a stranger
//! causes no durable write. Only wrong tokens are slowed. The right token is never refused and
//! never waits.

use crate::time::Timestamp;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many failures in a window are answered at once: people mistype.
const AT_ONCE: u64 = 5;
/// Length of a window.
const WINDOW: Duration = Duration::from_secs(60);
/// How long a further failure in the window waits for its answer. It is short, because a waiting
/// request keeps its instance from others.
const WAIT: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub struct FailedLogIns(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    since: Timestamp,
    in_window: u64,
    total: u64,
}

/// One failed log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Its number within this one-minute window.
    pub number: u64,
    /// How long its answer waits.
    pub wait: Option<Duration>,
}

impl Failure {
    /// Whether it gets a log line: the first ones do, then fewer and fewer, so that a flood does
    /// not fill the log.
    pub fn is_told(self) -> bool {
        self.number <= AT_ONCE || self.number.is_power_of_two()
    }
}

impl Default for FailedLogIns {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            since: Timestamp::UNIX_EPOCH,
            in_window: 0,
            total: 0,
        }))
    }
}

impl FailedLogIns {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a failure.
    pub fn count(&self, now: Timestamp) -> Failure {
        let mut counts = self.counts();
        if now < counts.since || now.saturating_since(counts.since) >= WINDOW {
            counts.since = now;
            counts.in_window = 0;
        }
        counts.in_window = counts.in_window.saturating_add(1);
        counts.total = counts.total.saturating_add(1);
        let number = counts.in_window;
        Failure {
            number,
            wait: (number > AT_ONCE).then_some(WAIT),
        }
    }

    /// All failures that this instance has seen.
    pub fn total(&self) -> u64 {
        self.counts().total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_failure_of_a_minute_is_slowed_and_a_flood_is_told_in_few_lines() {
        let failed = FailedLogIns::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let numbers: Vec<Failure> = (0..1000).map(|_| failed.count(at(1000))).collect();
        let slowed = numbers.iter().filter(|one| one.wait == Some(WAIT)).count();
        assert_eq!(slowed, 995);
        assert_eq!(numbers.iter().filter(|one| one.is_told()).count(), 5 + 7);
        assert_eq!(failed.count(at(1059)).number, 1001);
        assert_eq!(failed.count(at(1060)).wait, None);
        assert_eq!(failed.count(at(900)).number, 1, "a clock that was set back");
        assert_eq!(failed.total(), 1003);
    }
}
