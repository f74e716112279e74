//! What a delivery would lead to, item by item, with nothing written anywhere: the worker it uses
//! can only read.

use super::{
    connections::{self, Connection},
    plan::{self, Failure, Plan},
    session::Session,
    worker::{Permit, Worker},
    world::{StoreError, World},
};
use crate::{
    config::Ready,
    kiotviet::{
        assumptions::MAX_ITEMS,
        envelope::{self, Kind},
    },
    rules::verdict::{Outcome, Reason},
    sync::record::Hint,
};
use serde::Serialize;

/// What one item would lead to.
#[derive(Debug, Serialize)]
pub struct Previewed {
    /// `customer`, `invoice` or `other`.
    pub kind: super::record::Kind,
    /// KiotViet's id, where readable.
    pub id: Option<i64>,
    /// KiotViet's code, where given.
    pub code: Option<String>,
    /// What would happen.
    #[serde(flatten)]
    pub result: PreviewResult,
}

/// See [`Previewed`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum PreviewResult {
    /// The plan, its reason where it is already certain, and the rule.
    Plan {
        /// What would be done.
        #[serde(flatten)]
        plan: Box<Plan>,
        /// The outcome the event would have.
        outcome: Outcome,
        /// The reason it would end with.
        reason: Reason,
        /// The rule that decides.
        rule: &'static str,
    },
    /// Why there is no plan.
    Problem {
        /// In words.
        problem: String,
    },
}

/// The preview of `body` as a delivery to `connection`.
pub async fn preview<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    body: &[u8],
) -> Result<Vec<Previewed>, String> {
    let delivery = envelope::parse(body, MAX_ITEMS).map_err(|e| e.why.to_owned())?;
    let opened = connection
        .open(&ready.sealer)
        .map_err(|e| format!("the connection's secrets cannot be opened: {e}"))?;
    let worker = Worker::new(world, Permit::ReadOnly, ready, Vec::new());
    let switches = connections::switches(&worker, &connection.name)
        .await
        .map_err(|e: StoreError| e.to_string())?;
    let session = Session::new(&worker, ready, connection, &opened);
    let mut previewed = Vec::new();
    for item in delivery.items {
        let (kind, hint) = match (item.kind, item.id) {
            (Kind::Customer, id) => (super::record::Kind::Customer, id),
            (Kind::Invoice, id) => (super::record::Kind::Invoice, id),
            (Kind::Other, _) => (super::record::Kind::Other, None),
        };
        let hint = hint.map(|id| Hint {
            id,
            code: item.code.clone(),
        });
        let result = match (kind, hint) {
            (super::record::Kind::Customer, Some(hint)) => {
                plan::customer(&session, switches, &hint).await
            }
            (super::record::Kind::Invoice, Some(hint)) => {
                plan::invoice(&session, switches, &hint).await
            }
            (super::record::Kind::Other, _) => Ok(Plan::ignoring(Reason::NotSyncedType)),
            (_, None) => Err(Failure::Dead {
                reason: "unreadable",
                words: "the item has no readable Id".to_owned(),
            }),
        };
        let result = match result {
            Ok(plan) => {
                let reason = plan.reason();
                PreviewResult::Plan {
                    outcome: reason.outcome(),
                    reason,
                    rule: reason.rule(),
                    plan: Box::new(plan),
                }
            }
            Err(failure) => PreviewResult::Problem {
                problem: failure.words(),
            },
        };
        previewed.push(Previewed {
            kind,
            id: item.id,
            code: item.code,
            result,
        });
    }
    Ok(previewed)
}
