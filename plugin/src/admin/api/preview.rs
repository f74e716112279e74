//! What a delivery would lead to, item by item, with nothing written anywhere: the worker it uses
//! can only read.

use crate::{
    admin::api::problem::Problem,
    config::Ready,
    journal::{
        connections::{self, Connection},
        cursor,
        dead_reason::DeadReason,
        record::{self, Hint},
        trouble::Trouble,
    },
    json::{ToJson, object},
    kiotviet::{
        assumptions::MAX_ITEMS,
        envelope::{self, Kind},
    },
    rules::verdict::{Outcome, Reason},
    time::Timestamp,
    worker::{
        failure::Failure,
        permit::{Permit, Worker},
        plan::{
            self,
            decision::{Action, Plan, Remember},
        },
        session::Session,
    },
    world::{StoreError, World},
};
use serde_json::Value;

/// What one item would lead to.
#[derive(Debug)]
pub(in crate::admin) struct Previewed {
    /// `customer`, `invoice` or `other`.
    pub(in crate::admin) kind: record::Kind,
    /// KiotViet's id, where readable.
    pub(in crate::admin) id: Option<i64>,
    /// KiotViet's code, where given.
    pub(in crate::admin) code: Option<String>,
    /// What would happen.
    pub(in crate::admin) result: PreviewResult,
}

/// See [`Previewed`].
#[derive(Debug)]
pub(in crate::admin) enum PreviewResult {
    /// The plan, its reason where it is already certain, and the rule.
    Plan {
        /// What would be done.
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
        /// For people.
        problem: Trouble,
    },
}

/// In the sentences of the API.
fn sentences(all: &[impl ToString]) -> Value {
    all.iter().map(|one| Value::from(one.to_string())).collect()
}

impl ToJson for Previewed {
    fn to_json(&self) -> Value {
        let mut members = vec![
            ("kind", self.kind.to_json()),
            ("id", self.id.to_json()),
            ("code", self.code.to_json()),
        ];
        match &self.result {
            PreviewResult::Plan {
                plan,
                outcome,
                reason,
                rule,
            } => members.extend([
                ("action", plan.action.to_json()),
                ("evidence", sentences(&plan.evidence)),
                ("alternatives", plan.alternatives.to_json()),
                ("notes", sentences(&plan.notes)),
                ("outcome", outcome.to_json()),
                ("reason", reason.to_json()),
                ("rule", rule.to_json()),
            ]),
            PreviewResult::Problem { problem } => {
                members.push(("problem", problem.to_string().to_json()))
            }
        }
        object(members)
    }
}

impl ToJson for Action {
    fn to_json(&self) -> Value {
        let (name, members) = match self {
            Self::Ignore { reason, remember } => (
                "ignore",
                vec![
                    ("reason", reason.to_json()),
                    ("remember", remember.to_json()),
                ],
            ),
            Self::Customer {
                customer_id,
                account,
            } => (
                "customer",
                vec![
                    ("customer_id", customer_id.to_json()),
                    ("account", account.to_json()),
                ],
            ),
            Self::Order {
                invoice_id,
                invoice_code,
                account,
                order,
                claim: _,
            } => (
                "order",
                vec![
                    ("invoice_id", invoice_id.to_json()),
                    ("invoice_code", invoice_code.to_json()),
                    ("account", account.to_json()),
                    ("order", order.to_json()),
                ],
            ),
            Self::OrderIsThere {
                invoice_id,
                invoice_code,
                code,
                by,
                claim: _,
            } => (
                "order_is_there",
                vec![
                    ("invoice_id", invoice_id.to_json()),
                    ("invoice_code", invoice_code.to_json()),
                    ("code", code.to_json()),
                    ("by", by.to_json()),
                ],
            ),
        };
        object(vec![(name, object(members))])
    }
}

impl ToJson for Remember {
    fn to_json(&self) -> Value {
        match self {
            Self::Nothing => "nothing".to_json(),
            Self::OldCustomer(id) => object(vec![("old_customer", id.to_json())]),
            Self::Invoice { code, .. } => object(vec![("invoice", code.to_json())]),
        }
    }
}

/// What each item of `body` would lead to, as a delivery to `connection`.
async fn preview<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    body: &[u8],
) -> Result<Vec<Previewed>, String> {
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
                problem: failure.why(),
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

/// What each item of `body` would lead to as a delivery to `connection`; a problem where it is no delivery.
pub(in crate::admin) async fn previewed<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    body: &[u8],
) -> Result<Vec<Previewed>, Problem> {
    let found = preview(world, ready, connection, body).await;
    found.map_err(|why| {
        Problem::new(
            422,
            "unreadable",
            "This is not a KiotViet webhook delivery",
            why,
        )
    })
}

/// `POST /api/preview/{name}`.
pub(in crate::admin) async fn preview_items<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    body: &[u8],
) -> Result<Value, Problem> {
    let items = previewed(world, ready, connection, body).await?;
    let items = items.iter().map(Previewed::to_json).collect();
    Ok(object(vec![("items", items)]))
}
