//! What a delivery would lead to, item by item, with nothing written anywhere: the worker it uses
//! can only read.

use crate::{
    admin::api::{problem::Problem, tenant, view},
    config::Ready,
    journal::{
        connections::{self, Connection},
        cursor,
        dead_reason::DeadReason,
        record::{self, Hint},
        trouble::Trouble,
    },
    kiotviet::{
        assumptions::MAX_ITEMS,
        envelope::{self, Kind},
    },
    rules::verdict::Reason,
    time::Timestamp,
    worker::{
        failure::Failure,
        permit::{Permit, Worker},
        plan::{self, decision::Plan},
        session::Session,
    },
    world::{StoreError, World},
};

/// What each item of `body` would lead to, as a delivery to `connection`.
async fn preview<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    body: &[u8],
) -> Result<Vec<view::Previewed>, String> {
    let delivery = envelope::parse(body, MAX_ITEMS).map_err(|e| e.as_str().to_owned())?;
    let opened = connection
        .open(&ready.sealer)
        .map_err(|e| format!("the connection's secrets cannot be opened: {e}"))?;
    let calls = cursor::getfly_calls(world).await;
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    let switches = connections::switches(&worker, &connection.name)
        .await
        .map_err(|e: StoreError| e.to_string())?;
    let session = Session::new(&worker, ready, connection, &opened);
    let mut previewed = Vec::new();
    for item in delivery.items {
        let (kind, hint) = match (item.kind, item.id) {
            (Kind::Customer, id) => (record::Kind::Customer, id),
            (Kind::Invoice, id) => (record::Kind::Invoice, id),
            (Kind::Other, _) => (record::Kind::Other, None),
        };
        let hint = hint.map(|id| Hint {
            id,
            code: item.code.clone(),
            since: None,
            cancelled: false,
        });
        let result = match (kind, hint) {
            (record::Kind::Customer, Some(hint)) => {
                plan::customer::customer(&session, switches, &hint).await
            }
            (record::Kind::Invoice, Some(hint)) => {
                // As after the wait for KiotViet to cancel what was edited.
                plan::invoice::invoice(&session, switches, &hint, Timestamp::UNIX_EPOCH).await
            }
            (record::Kind::Other, _) => Ok(Plan::ignoring(Reason::NotSyncedType)),
            (_, None) => Err(Failure::dead(DeadReason::Unreadable, Trouble::NoReadableId)),
        };
        let (id, code) = (item.id, item.code);
        previewed.push(match result {
            Ok(plan) => view::Previewed::Plan(Box::new(planned(plan, kind, id, code))),
            Err(failure) => view::Previewed::Problem(view::PreviewedProblem {
                code,
                id,
                kind,
                problem: view::InWords(failure.why()),
            }),
        });
    }
    Ok(previewed)
}

fn planned(
    plan: Plan,
    kind: record::Kind,
    id: Option<i64>,
    code: Option<String>,
) -> view::PreviewedPlan {
    let reason = plan.reason();
    view::PreviewedPlan {
        // Every member of a plan can be written.
        action: serde_json::to_value(&plan.action).unwrap_or_default(),
        alternatives: plan.alternatives,
        code,
        evidence: plan.evidence.into_iter().map(view::InWords).collect(),
        id,
        kind,
        notes: plan.notes.into_iter().map(view::InWords).collect(),
        outcome: reason.outcome(),
        reason,
        rule: reason.rule().to_owned(),
    }
}

/// `POST /api/preview/{name}`: what `body` would lead to as a delivery to `connection`.
pub(in crate::admin) async fn preview_items<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    body: &[u8],
) -> Result<view::Preview, Problem> {
    tenant::check(world, ready).await?;
    let items = preview(world, ready, connection, body)
        .await
        .map_err(|why| {
            Problem::new(
                422,
                "unreadable",
                "This is not a KiotViet webhook delivery",
                why,
            )
        })?;
    Ok(view::Preview { items })
}
