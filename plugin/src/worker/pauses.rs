//! Upstreams that failed and are left alone for a while. The cursor keeps them: Getfly's by its name, KiotViet's
//! by the connection's.

use crate::{
    journal::cursor::{Cursor, Pause},
    kiotviet::error::KiotVietError,
    time::Timestamp,
    vendor::fate::Fate,
    worker::retry,
    world::Clock,
};
use core::time::Duration;

/// Getfly's name among the pauses; no connection's name has a capital letter.
pub const GETFLY: &str = "Getfly";

/// Until when `side` is left alone after its failures; none when it may be called now.
pub fn until(cursor: &Cursor, side: &str, clock: &impl Clock) -> Option<Timestamp> {
    let pause = cursor.pauses.get(side).map(|pause| pause.until);
    pause.filter(|until| *until > clock.now() && !mutant!(PauseIgnored))
}

/// How many failures in a row one more makes, and how long `side` is left alone after it: what it asks for with
/// `after`, or by the schedule.
pub fn next(cursor: &Cursor, side: &str, after: Option<Duration>) -> (u32, Duration) {
    let before = cursor.pauses.get(side);
    let failures = before.map_or(1, |pause| pause.failures.saturating_add(1));
    (
        failures,
        after.unwrap_or_else(|| retry::pause_after(failures)),
    )
}

/// Leaves Getfly alone until then; this counts as no further failure.
pub fn pause_getfly(cursor: &mut Cursor, until: Timestamp) {
    let failures = cursor.pauses.get(GETFLY).map_or(0, |p| p.failures);
    let pause = Pause { until, failures };
    cursor.pauses.insert(GETFLY.to_owned(), pause);
}

/// Leaves a connection's KiotViet alone for a while after `e`.
pub fn pause_kiotviet(cursor: &mut Cursor, connection: &str, e: &KiotVietError, now: Timestamp) {
    let after = match e.fate() {
        Fate::Retry { after } => after,
        Fate::Dead => None,
    };
    let (failures, pause) = next(cursor, connection, after);
    let until = now.checked_add(pause).unwrap_or(now);
    cursor
        .pauses
        .insert(connection.to_owned(), Pause { until, failures });
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

    #[test]
    fn a_pause_ends_at_its_moment_and_leaves_other_sides_alone() {
        let mut cursor = Cursor::default();
        pause_getfly(&mut cursor, at(100));
        assert_eq!(until(&cursor, GETFLY, &At(99)), Some(at(100)));
        assert_eq!(until(&cursor, GETFLY, &At(100)), None);
        assert_eq!(until(&cursor, "shop", &At(99)), None);
    }

    #[test]
    fn failures_in_a_row_lengthen_the_pause_and_an_announced_wait_goes_before() {
        let mut cursor = Cursor::default();
        let busy = |after| KiotVietError::Busy {
            status: 503,
            retry_after: after,
        };
        pause_kiotviet(&mut cursor, "shop", &busy(None), at(0));
        assert_eq!(
            until(&cursor, "shop", &At(0)),
            at(0).checked_add(retry::pause_after(1))
        );
        pause_kiotviet(&mut cursor, "shop", &busy(None), at(0));
        assert_eq!(
            until(&cursor, "shop", &At(0)),
            at(0).checked_add(retry::pause_after(2))
        );
        pause_kiotviet(
            &mut cursor,
            "shop",
            &busy(Some(Duration::from_secs(7))),
            at(0),
        );
        assert_eq!(until(&cursor, "shop", &At(0)), Some(at(7)));
        assert_eq!(cursor.pauses.get("shop").map(|p| p.failures), Some(3));
    }
}
