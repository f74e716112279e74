//! Processes a delivery's own entries before its answer, in a store without atomics, where there is
//! no lease ([`crate::journal::no_atomics`]).

use crate::{
    config::Ready,
    journal::{entries, note::Note, record::State, unfinished},
    log,
    time::Timestamp,
    worker::{
        attempt::attempt,
        failure::{Failure, Stop},
        permit::{Permit, Worker},
        tenant::{self, Tenancy},
    },
    world::World,
};
use core::ops::Range;

/// Processes a delivery's own entries, beginning none after `until`. The next drain goes on with
/// the rest.
pub async fn process<W: World>(
    world: &W,
    ready: &Ready,
    entries: Range<u64>,
    until: Option<Timestamp>,
) -> Result<(), Stop> {
    let worker = Worker::new(world, Permit::Person, ready, Vec::new());
    let mut tenancy = tenant::tenancy(&worker, ready).await?;
    if tenancy == Tenancy::Other {
        return Ok(());
    }
    for seq in entries {
        if until.is_some_and(|until| world.now() >= until) {
            return Ok(());
        }
        let Some(mut record) = entries::read_event(world, seq).await? else {
            continue;
        };
        if record.state() != State::Received {
            continue;
        }
        let body = record.body.clone();
        let tried = attempt(&worker, ready, &[], &mut record).await;
        record.calls = worker.take_calls();
        let mut is_unknown = false;
        match tried {
            Ok(()) => {
                if tenancy == Tenancy::First {
                    tenant::keep_first(&worker, ready).await?;
                    tenancy = Tenancy::Ours;
                }
                entries::drop_body(world, seq, body.as_ref()).await?;
                log::event(world, &record);
            }
            Err(Failure::Dead { reason, why }) => {
                record.bury(reason, world.now());
                record.tried(world.now(), why.clone());
                record.note(Note::Failed(why));
                unfinished::fold(&worker, &mut record, reason).await?;
                unfinished::mark(world, &mut record).await?;
                log::event(world, &record);
            }
            Err(Failure::Abandoned(stop)) => return Err(stop),
            Err(failure) => {
                is_unknown = matches!(failure, Failure::Unknown { .. });
                let is_failed = !matches!(failure, Failure::Later(_) | Failure::NotShown(_));
                let why = failure.why();
                if is_failed {
                    record.tried(world.now(), why.clone());
                }
                record.failed(why);
            }
        }
        entries::write_event(world, &record).await?;
        if !is_unknown {
            worker.settled().await;
        }
    }
    Ok(())
}
