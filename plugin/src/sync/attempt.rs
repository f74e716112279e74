//! One try of an event: reads what a person may have changed, plans, and executes.

use super::{
    connections,
    execute::{self, note},
    plan::{self, Failure, Side},
    record::{Kind, Record},
    session::Session,
    worker::Worker,
    world::{Clock, World},
};
use crate::{config::Ready, rules::verdict::Reason};

/// Tries `record` once, and ends it where that succeeds.
pub async fn attempt<W: World>(
    worker: &Worker<'_, W>,
    ready: &Ready,
    record: &mut Record,
) -> Result<(), Failure> {
    let Some(hint) = record.hint.clone() else {
        return Err(Failure::Dead {
            reason: "unreadable",
            words: "the item has no readable Id".to_owned(),
        });
    };
    let off = match record.kind {
        Kind::Customer => Reason::CustomerWebhookOff,
        Kind::Invoice => Reason::OrderWebhookOff,
        Kind::Other => Reason::NotSyncedType,
    };
    // Read anew for each event: a person may have changed it since the last one.
    let unreadable = |why: String| Failure::Retry {
        side: Side::KiotViet,
        words: format!("the connection cannot be read: {why}; connect the shop again"),
        after: None,
    };
    let name = &record.connection;
    let connection = connections::load(worker, name).await;
    let Some(connection) = connection.map_err(|e| unreadable(e.to_string()))? else {
        note(record, "the connection was removed");
        execute::finish(record, off, worker.now());
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
    let plan = match record.kind {
        Kind::Customer => plan::customer(&session, switches, &hint).await?,
        Kind::Invoice => plan::invoice(&session, switches, &hint, record.received_at).await?,
        Kind::Other => {
            execute::finish(record, Reason::NotSyncedType, worker.now());
            return Ok(());
        }
    };
    execute::execute(&session, record, plan).await
}
