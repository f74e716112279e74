//! A run: it goes on for some seconds with each request.

use crate::{
    config::Ready,
    journal::{
        connections::{Connection, Opened},
        cursor, keys,
    },
    preflight::{
        checks,
        report::{Checked, MOST_CALLS, Preflight, Unknown},
    },
    stored,
    worker::{
        permit::{Permit, Worker},
        session::Session,
    },
    world::{StoreError, World},
};
use core::time::Duration;

/// No check is begun when a request has gone on for so long.
const AT_ONCE: Duration = Duration::from_secs(8);
/// A result that is older is found out anew.
const FRESH: Duration = Duration::from_secs(3600);

async fn load<W: World>(
    world: &W,
    connection: &Connection,
) -> Result<Option<Preflight>, StoreError> {
    let kept = world.get(&keys::preflight(&connection.name)).await?;
    // One of another version begins anew.
    Ok(kept.and_then(|bytes| stored::read(&bytes).ok()))
}

/// Goes on with the connection's run for some seconds, or begins one where there is none, it is old, or `anew` is
/// asked for; returns how far it has come.
pub async fn go_on<W: World>(
    world: &W,
    ready: &Ready,
    (connection, opened): (&Connection, &Opened),
    anew: bool,
) -> Result<Preflight, StoreError> {
    let began = world.now();
    let kept = load(world, connection).await?.filter(|run| {
        let age = began.saturating_since(run.began_at);
        !(anew || age > FRESH)
    });
    let mut run = kept.unwrap_or_else(|| Preflight::beginning(began));
    if run.is_complete() {
        return Ok(run);
    }
    let mut calls = cursor::getfly_calls(world).await;
    calls.extend(run.getfly_calls.iter().copied());
    calls.sort_unstable();
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    worker.limit_calls(MOST_CALLS.saturating_sub(run.calls));
    let session = Session::new(&worker, ready, connection, opened);
    while let Some(check) = run.next() {
        if world.now().saturating_since(began) >= AT_ONCE {
            break;
        }
        let until = began.saturating_add(AT_ONCE);
        let Some(checked) = checks::look(&session, &mut run, check, until).await else {
            continue;
        };
        let used_up = worker.calls_left() == 0;
        let unknown = match checked.unknown {
            Some(_) if used_up => Some(Unknown::CallsUsedUp),
            unknown => unknown,
        };
        run.checked.push(Checked { unknown, ..checked });
    }
    run.calls = MOST_CALLS.saturating_sub(worker.calls_left());
    run.getfly_calls = worker.getfly_calls();
    let key = keys::preflight(&connection.name);
    world.set(&key, &stored::write(&run)).await?;
    Ok(run)
}
