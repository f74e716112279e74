//! When to try again: a pure schedule.

use core::time::Duration;

/// Wait after the first failure.
pub const FIRST: Duration = Duration::from_secs(30);
/// Longest wait between two tries, unless the upstream asks for more.
pub const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// Failures after which an event is a dead letter. The waits before that add up to more than 75
/// hours (the contract's third guarantee) without jitter, which only lengthens them.
pub const GIVE_UP_AFTER: u32 = 24;

/// The wait after the `failures`-th failure (from 1), or none when it is time for a dead letter.
/// `retry_after` is the upstream's own wish and only lengthens; `jitter` in 0..=255 adds up to a
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

/// First pause of an upstream that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// Longest pause of an upstream that goes on failing, unless it asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long an upstream is left alone after `failures` failures in a row (from 1).
pub fn pause_after(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1u32 << failures.saturating_sub(1).min(10))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u64> = (1..=12)
            .filter_map(|n| wait_after(n, None, 0))
            .map(|d| d.as_secs())
            .collect();
        assert_eq!(
            waits,
            [
                30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600
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
        assert_eq!(
            wait_after(1, None, 255),
            Some(Duration::from_millis(37_500))
        );
    }
}
