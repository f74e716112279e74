//! The clocks of a history. Either two instances have clocks that differ by less than two seconds,
//! as README requires, and may be set within that at any time: then everything must hold. Or the
//! one machine's clock is wrong by a minute, an hour or a day, and is corrected in the end.

use super::super::run::Run;
use jiff::SignedDuration;
use std::time::Duration;

/// Steps below this are within README's requirement.
const ALLOWED: SignedDuration = SignedDuration::from_secs(2);
/// A create without an answer is stored by then, or never. A clock that is set forwards before that
/// makes a worker take it for settled: a limit that `docs/proof.md` states.
const SETTLED: u64 = 60;

/// Sets the clock of the instance in use.
pub(super) async fn set(run: &Run, millis: i32) {
    let off = SignedDuration::from_millis(millis.into());
    let step = off - run.shop.app.skew.off();
    if step > ALLOWED {
        run.shop.pass(SETTLED).await;
    }
    run.set_clock(off);
    if step < -ALLOWED {
        // A scheduler drains every minute: in any case before the time that the clock showed.
        run.heal_beside().await;
    }
}

/// Sets the clock's deviation as the n-th host call from here is made: `millis` more than it was
/// if `relative`, else `millis`.
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

/// Corrects a wrong clock from now on; what was put off until a time that it showed is due.
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
