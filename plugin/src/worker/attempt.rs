//! One attempt at an event: reads what a person may have changed, plans, and executes.

use crate::{
    config::Ready,
    journal::{
        connections::{self, Switches},
        dead_reason::DeadReason,
        held::Held,
        note::Note,
        record::{Hint, Kind, Record},
        trouble::Trouble,
    },
    rules::verdict::Reason,
    worker::{
        changed, dismissed,
        execute::{self, Carried},
        failure::{Failure, Side},
        gone, observe, outside,
        permit::Worker,
        plan,
        session::Session,
    },
    world::{Clock, World},
};

/// The most plans that one attempt makes.
const MOST_PLANS: usize = 3;

/// Attempts `record` once, and ends it on success. `held` are the creates whose outcome is not
/// known.
pub async fn attempt<W: World>(
    worker: &Worker<'_, W>,
    ready: &Ready,
    held: &[Held],
    record: &mut Record,
) -> Result<(), Failure> {
    let Some(hint) = record.hint.clone() else {
        return Err(Failure::dead(DeadReason::Unreadable, Trouble::NoReadableId));
    };
    let off = match record.kind {
        Kind::Customer => Reason::CustomerWebhookOff,
        Kind::Invoice => Reason::OrderWebhookOff,
        Kind::Other => Reason::NotSyncedType,
    };
    // Read again for each event: a person may have changed it since the last one.
    let unreadable = |why: String| Failure::Retry {
        side: Side::KiotViet,
        why: Trouble::ConnectionUnreadable { why },
        after: None,
    };
    let name = &record.connection;
    let connection = connections::load(worker, name).await;
    let Some(connection) = connection.map_err(|e| unreadable(e.to_string()))? else {
        record.note(Note::ConnectionRemoved);
        record.finish(off, worker.now());
        return Ok(());
    };
    let switches = connections::switches(worker, name).await;
    let switches = switches.map_err(|e| unreadable(e.to_string()))?;
    let switches = switches.reaching(hint.since);
    let opened = connection
        .open(&ready.sealer)
        .map_err(|e| unreadable(e.to_string()))?;
    let mut session = Session::new(worker, ready, &connection, &opened);
    session.left_open = worker.left_open().await?;
    session.held = held;
    session.asked_in_vain = gone::asked_in_vain(record, worker.now());
    if dismissed::applies(&session, record, &hint).await? {
        return Ok(());
    }
    let carried = carry_out(&session, switches, record, &hint).await;
    observe::delivered(worker, record, session.modified_at.take());
    let marks = session.marks.take();
    if !marks.is_empty() {
        record.marks = marks;
    }
    if ready.keep_names {
        let shown = session.shown.take();
        let sealed = shown.seal(&ready.sealer, record.seq, worker);
        record.shown = sealed.or(record.shown.take());
    }
    record.members = session.members.take().filter(|_| carried.is_err());
    match carried {
        Ok(()) => {
            outside::mended(worker, record).await;
            Ok(())
        }
        Err(failure) => Err(outside::explain(&session, failure).await),
    }
}

/// Plans and executes; plans again if a fact that the plan relies on proves wrong.
async fn carry_out<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    record: &mut Record,
    hint: &Hint,
) -> Result<(), Failure> {
    for _ in 0..MOST_PLANS {
        let plan = match record.kind {
            Kind::Customer => plan::customer::customer(session, switches, hint).await?,
            Kind::Invoice => {
                plan::invoice::invoice(session, switches, hint, record.received_at).await?
            }
            Kind::Other => {
                record.finish(Reason::NotSyncedType, session.world.now());
                return Ok(());
            }
        };
        // Before the ledger knows that it is an edit: a worker that crashes in between comes here again.
        if let Some(changed) = session.changed.take() {
            changed::keep(session, record, hint.id, changed).await?;
        }
        if execute::execute(session, record, plan).await? == Carried::Out {
            return Ok(());
        }
    }
    Err(Failure::Later(session.world.now()))
}
