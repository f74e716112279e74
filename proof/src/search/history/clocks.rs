//! The clocks of a history. Either two instances have clocks that differ by less than two seconds, as README
//! asks for, and may be set within that at any time: then everything must hold. Or the one machine's clock is
//! wrong by a minute, an hour or a day, and is set right in the end.

use super::super::run::Run;
use jiff::SignedDuration;
use std::time::Duration;

/// Steps below this are within what README asks for.
const ALLOWED: SignedDuration = SignedDuration::from_secs(2);
/// What Getfly was sent without an answer is stored by then, or never. A clock that is set forwards before
/// that makes a worker take it for over: a limit that `docs/proof.md` tells.
const SETTLED: u64 = 60;

/// The clock of the instance in use is set.
pub(super) async fn set(run: &Run, millis: i32) {
    let off = SignedDuration::from_millis(millis.into());
    let step = off - run.shop.app.skew.off();
    if step > ALLOWED {
        run.shop.pass(SETTLED).await;
    }
    run.set_clock(off);
    if step < -ALLOWED {
        // A scheduler drains every minute: at any rate before the time comes that the clock showed.
        run.heal_beside().await;
    }
}

/// The same as the n-th host call from here is made; `by` so much where it is not `to` so much.
pub(super) fn set_at_call(run: &Run, call: u8, millis: i32, relative: bool) {
    let app = &run.shop.app;
    let (skew, clock) = (app.skew.clone(), run.shop.clock.clone());
    let millis = SignedDuration::from_millis(millis.into());
    app.host_faults.happens_later(call.into(), move || {
        let off = if relative {
            skew.off() + millis
        } else {
            millis
        };
        skew.set(clock.now(), Some(off));
    });
}

/// A clock that is wrong is right from now on, and what was put off until a time that it showed has its
/// turn.
pub(super) async fn set_right(run: &Run) {
    let log = run.shop.app.skew.log();
    let all = || log.iter().filter_map(|(_, off)| *off);
    if all().all(|off| off.abs() < ALLOWED) {
        return;
    }
    set(run, 0).await;
    run.heal_beside().await;
    let ahead = all().max().unwrap_or_default();
    run.shop
        .pass(Duration::try_from(ahead).unwrap_or_default().as_secs())
        .await;
}
