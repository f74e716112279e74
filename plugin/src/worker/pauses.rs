//! How long an upstream that failed is left alone.

use crate::{
    journal::{
        connection_name::{ConnectionName, Upstream},
        pauses::{Pause, Pauses},
    },
    kiotviet::error::KiotVietError,
    time::Timestamp,
    vendor::fate::Fate,
    worker::retry,
    world::Clock,
};
use core::time::Duration;

/// Until when `upstream` is left alone after its failures; none when it may be called now.
pub fn until(pauses: &Pauses, upstream: Upstream<'_>, clock: &impl Clock) -> Option<Timestamp> {
    let pause = pauses.get(upstream).map(|pause| pause.until);
    pause.filter(|until| *until > clock.now() && !mutant!(PauseIgnored))
}

/// How many failures in a row one more makes, and how long `upstream` is left alone after it: what it asks for
/// with `after`, or by the schedule.
pub fn next(pauses: &Pauses, upstream: Upstream<'_>, after: Option<Duration>) -> (u32, Duration) {
    let before = pauses.get(upstream);
    let failures = before.map_or(1, |pause| pause.failures.saturating_add(1));
    (
        failures,
        after.unwrap_or_else(|| retry::pause_after(failures)),
    )
}

/// Leaves `upstream` alone until then; this counts as no further failure.
pub fn pause_until(pauses: &mut Pauses, upstream: Upstream<'_>, until: Timestamp) {
    let failures = pauses.get(upstream).map_or(0, |pause| pause.failures);
    pauses.set(upstream, Pause { until, failures });
}

/// Leaves a connection's KiotViet alone for a while after `e`.
pub fn pause_kiotviet(
    pauses: &mut Pauses,
    connection: &ConnectionName,
    e: &KiotVietError,
    now: Timestamp,
) {
    let after = match e.fate() {
        Fate::Retry { after } => after,
        Fate::Dead => None,
    };
    let upstream = Upstream::KiotViet(connection);
    let (failures, pause) = next(pauses, upstream, after);
    let until = now.checked_add(pause).unwrap_or(now);
    pauses.set(upstream, Pause { until, failures });
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            at(self.0)
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn shop() -> ConnectionName {
        ConnectionName::parse("shop").unwrap()
    }

    #[test]
    fn a_pause_ends_at_its_moment_and_leaves_other_upstreams_alone() {
        let mut pauses = Pauses::default();
        pause_until(&mut pauses, Upstream::Getfly, at(100));
        assert_eq!(until(&pauses, Upstream::Getfly, &At(99)), Some(at(100)));
        assert_eq!(until(&pauses, Upstream::Getfly, &At(100)), None);
        assert_eq!(until(&pauses, Upstream::KiotViet(&shop()), &At(99)), None);
    }

    #[test]
    fn failures_in_a_row_lengthen_the_pause_and_an_announced_wait_goes_before() {
        let mut pauses = Pauses::default();
        let (shop, busy) = (shop(), |retry_after| KiotVietError::Busy {
            status: 503,
            retry_after,
        });
        let upstream = Upstream::KiotViet(&shop);
        for failures in [1, 2] {
            pause_kiotviet(&mut pauses, &shop, &busy(None), at(0));
            let pause = at(0).checked_add(retry::pause_after(failures));
            assert_eq!(until(&pauses, upstream, &At(0)), pause);
        }
        let seven = Some(Duration::from_secs(7));
        pause_kiotviet(&mut pauses, &shop, &busy(seven), at(0));
        assert_eq!(until(&pauses, upstream, &At(0)), Some(at(7)));
        assert_eq!(pauses.get(upstream).map(|p| p.failures), Some(3));
    }
}
