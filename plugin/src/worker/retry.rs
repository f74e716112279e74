//! The retry schedule, pure.

use core::time::Duration;

/// Wait after the first failure.
pub const FIRST: Duration = Duration::from_secs(5);
/// Longest wait between two attempts, unless the upstream asks for more.
pub const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// An event with this many failures becomes a dead letter. The waits before that add up to more
/// than 75 hours (the contract's third guarantee) without jitter, which only lengthens them.
pub const GIVE_UP_AFTER: u32 = 25;

/// The wait after the `failures`-th failure (from 1), or none for a dead letter. `retry_after` is
/// what the upstream asks for and can only lengthen the wait; `jitter` in 0..=255 adds up to a
/// quarter.
pub fn wait_after(failures: u32, retry_after: Option<Duration>, jitter: u8) -> Option<Duration> {
    if failures >= GIVE_UP_AFTER || (failures >= 5 && mutant!(GivesUpEarly)) {
        return None;
    }
    let doublings = failures.saturating_sub(1).min(20);
    let plain = FIRST.saturating_mul(1u32 << doublings).min(LONGEST);
    let spread = plain.saturating_mul(u32::from(jitter)) / (4 * 255);
    Some(
        plain
            .saturating_add(spread)
            .max(retry_after.unwrap_or_default()),
    )
}

/// First pause of an upstream that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// Longest pause of an upstream that keeps failing, unless it asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// First pause of a Getfly that answers questions but fails creates: the records may be to blame.
const FIRST_CREATES_PAUSE: Duration = Duration::from_secs(2);
/// Longest pause of such a Getfly.
const LONGEST_CREATES_PAUSE: Duration = Duration::from_secs(10);

/// Which calls an upstream fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailsAt {
    /// All calls.
    All,
    /// Creates alone.
    Creates,
}

/// The length of the `nth` pause in a row (from 1).
pub fn pause_after(nth: u32, fails_at: FailsAt) -> Duration {
    let (first, longest) = match fails_at {
        FailsAt::All => (FIRST_PAUSE, LONGEST_PAUSE),
        FailsAt::Creates => (FIRST_CREATES_PAUSE, LONGEST_CREATES_PAUSE),
    };
    first
        .saturating_mul(1u32 << nth.saturating_sub(1).min(10))
        .min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u64> = (1..=14)
            .filter_map(|n| wait_after(n, None, 0))
            .map(|d| d.as_secs())
            .collect();
        assert_eq!(
            waits,
            [
                5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 21600
            ]
        );
    }

    #[test]
    fn tries_go_on_for_at_least_75_hours_then_stop() {
        let total: Duration = (1..GIVE_UP_AFTER)
            .filter_map(|n| wait_after(n, None, 0))
            .sum();
        assert!(total >= Duration::from_secs(75 * 3600), "{total:?}");
        assert_eq!(wait_after(GIVE_UP_AFTER, None, 0), None);
        assert_eq!(wait_after(u32::MAX, None, 0), None);
    }

    #[test]
    fn retry_after_is_honoured_and_never_shortens() {
        assert_eq!(
            wait_after(1, Some(Duration::from_secs(300)), 0),
            Some(Duration::from_secs(300))
        );
        assert_eq!(wait_after(1, Some(Duration::from_secs(2)), 0), Some(FIRST));
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        assert_eq!(wait_after(1, None, 255), Some(Duration::from_millis(6_250)));
    }
}
