//! Decides how long a failed upstream is left alone. One failed record proves nothing about
//! another. An upstream pauses once three different records failed in a row, or when it asks for a
//! pause itself.

use crate::{
    journal::{
        connection_name::{ConnectionName, Upstream},
        pauses::{Pause, Pauses},
        trouble::Trouble,
    },
    kiotviet::error::KiotVietError,
    time::Timestamp,
    vendor::fate::Fate,
    worker::retry::{self, FailsAt},
    world::Clock,
};
use core::time::Duration;

/// Different records that fail in a row before their upstream pauses.
const IN_A_ROW: usize = 3;

/// Until when `upstream` is left alone after its failures; none when it may be called now.
pub fn until(pauses: &Pauses, upstream: Upstream<'_>, clock: &impl Clock) -> Option<Timestamp> {
    let pause = pauses.get(upstream).map(|pause| pause.until);
    pause.filter(|until| *until > clock.now() && !mutant!(PauseIgnored))
}

/// How an event failed.
#[derive(Debug, Clone)]
pub struct Failed<'f> {
    /// Its number.
    pub seq: u64,
    /// What failed: all calls, or creates alone.
    pub at: FailsAt,
    /// How long the upstream asks to be left alone. Its other records keep it only where all calls fail.
    pub after: Option<Duration>,
    /// For people.
    pub why: &'f Trouble,
}

/// Counts that an event failed at `upstream`.
pub fn failed(pauses: &mut Pauses, upstream: Upstream<'_>, failed: &Failed<'_>, now: Timestamp) {
    let seq = failed.seq;
    // A Getfly that fails creates alone may ask it for the one record.
    let after = failed.after.filter(|_| failed.at == FailsAt::All);
    let mut pause = pauses.get(upstream).cloned().unwrap_or_default();
    pause.since = pause.since.or(Some(now));
    pause.why = Some(failed.why.clone());
    if !pause.failing.contains(&seq) {
        pause.failing.push(seq);
    }
    if after.is_some() || pause.failing.len() >= IN_A_ROW {
        pause.failing.clear();
        pause.failures = pause.failures.saturating_add(1);
        let wait = after.unwrap_or_else(|| retry::pause_after(pause.failures, failed.at));
        pause.until = now.saturating_add(wait);
    }
    pauses.set(upstream, pause);
}

/// Leaves `upstream` alone until `until` for a trouble that only people can mend. It does not count
/// as a failure.
pub fn pause_until(
    pauses: &mut Pauses,
    upstream: Upstream<'_>,
    until: Timestamp,
    why: &Trouble,
    now: Timestamp,
) {
    let mut pause = pauses.get(upstream).cloned().unwrap_or_default();
    pause.since = pause.since.or(Some(now));
    pause.why = Some(why.clone());
    pauses.set(upstream, Pause { until, ..pause });
}

/// Leaves the lists of a connection's KiotViet alone for a while after `e`.
pub fn pause_lists(
    pauses: &mut Pauses,
    connection: &ConnectionName,
    e: &KiotVietError,
    now: Timestamp,
) {
    let after = match e.fate() {
        Fate::Retry { after } => after,
        Fate::Dead => None,
    };
    let before = pauses.lists(connection).map_or(0, |pause| pause.failures);
    let failures = before.saturating_add(1);
    let wait = after.unwrap_or_else(|| retry::pause_after(failures, FailsAt::All));
    let pause = Pause {
        failures,
        until: now.saturating_add(wait),
        ..Pause::default()
    };
    pauses.set_lists(connection, Some(pause));
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

    fn fail_at(
        pauses: &mut Pauses,
        upstream: Upstream<'_>,
        seq: u64,
        after: Option<Duration>,
        fails_at: FailsAt,
    ) {
        let why = &Trouble::Text("busy".to_owned());
        let event = Failed {
            seq,
            at: fails_at,
            after,
            why,
        };
        failed(pauses, upstream, &event, at(0));
    }

    fn fail(pauses: &mut Pauses, seq: u64, fails_at: FailsAt) -> Option<Timestamp> {
        fail_at(pauses, Upstream::Getfly, seq, None, fails_at);
        until(pauses, Upstream::Getfly, &At(0))
    }

    #[test]
    fn a_pause_ends_at_its_moment_and_leaves_other_upstreams_alone() {
        let mut pauses = Pauses::default();
        pause_until(
            &mut pauses,
            Upstream::Getfly,
            at(100),
            &Trouble::OldGetfly,
            at(0),
        );
        assert_eq!(until(&pauses, Upstream::Getfly, &At(99)), Some(at(100)));
        assert_eq!(until(&pauses, Upstream::Getfly, &At(100)), None);
        assert_eq!(until(&pauses, Upstream::KiotViet(&shop()), &At(99)), None);
    }

    #[test]
    fn one_record_never_pauses_its_upstream_however_often_it_fails() {
        let mut pauses = Pauses::default();
        for _ in 0..20 {
            assert_eq!(fail(&mut pauses, 1, FailsAt::Creates), None);
            assert_eq!(fail(&mut pauses, 2, FailsAt::Creates), None);
        }
    }

    #[test]
    fn three_records_in_a_row_pause_it_longer_each_time() {
        let mut pauses = Pauses::default();
        for (nth, all, creates) in [(1, 10, 2), (2, 20, 4), (3, 40, 8), (9, 300, 10)] {
            for (fails_at, seconds) in [(FailsAt::All, all), (FailsAt::Creates, creates)] {
                assert_eq!(retry::pause_after(nth, fails_at).as_secs(), seconds);
            }
        }
        for seconds in [2, 4] {
            fail(&mut pauses, 1, FailsAt::Creates);
            let before = fail(&mut pauses, 2, FailsAt::Creates);
            assert_ne!(before, Some(at(seconds)));
            assert_eq!(fail(&mut pauses, 3, FailsAt::Creates), Some(at(seconds)));
        }
        pauses.clear(Upstream::Getfly);
        assert_eq!(fail(&mut pauses, 4, FailsAt::Creates), None);
    }

    #[test]
    fn an_announced_wait_is_kept_at_once() {
        let mut pauses = Pauses::default();
        let shop = shop();
        let upstream = Upstream::KiotViet(&shop);
        let seven = Some(Duration::from_secs(7));
        fail_at(&mut pauses, upstream, 1, seven, FailsAt::All);
        assert_eq!(until(&pauses, upstream, &At(0)), Some(at(7)));
    }

    #[test]
    fn lists_that_fail_leave_the_live_events_of_their_shop_alone() {
        let mut pauses = Pauses::default();
        let (shop, busy) = (
            shop(),
            KiotVietError::Busy {
                status: 503,
                retry_after: None,
            },
        );
        for failures in [1, 2] {
            pause_lists(&mut pauses, &shop, &busy, at(0));
            let pause = at(0).checked_add(retry::pause_after(failures, FailsAt::All));
            assert_eq!(pauses.lists(&shop).map(|p| p.until), pause);
        }
        assert_eq!(until(&pauses, Upstream::KiotViet(&shop), &At(0)), None);
    }
}
