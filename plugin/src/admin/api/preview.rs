//! What a delivery would lead to, item by item, with nothing written anywhere: the worker it uses
//! can only read.

use crate::{
    admin::api::{problem::Problem, tenant, view},
    config::Ready,
    journal::{
        connections::{self, Connection, Switches},
        cursor,
        dead_reason::DeadReason,
        record::{self, Hint},
        trouble::Trouble,
    },
    kiotviet::{
        assumptions::MAX_ITEMS,
        envelope::{self, Kind},
    },
    rules::{phone::PhoneNumber, verdict::Reason},
    time::Timestamp,
    worker::{
        failure::Failure,
        permit::{Permit, Worker},
        plan::{self, decision::Plan},
        session::Session,
    },
    world::World,
};

/// What is looked at: its kind, id and code.
type Asked = (record::Kind, Option<i64>, Option<String>);

/// The items of `body`, a delivery.
fn delivered(body: &[u8]) -> Result<Vec<Asked>, String> {
    let delivery = envelope::parse(body, MAX_ITEMS).map_err(|e| e.as_str().to_owned())?;
    let items = delivery.items.into_iter();
    let asked = items.map(|item| match item.kind {
        Kind::Customer => (record::Kind::Customer, item.id, item.code),
        Kind::Invoice => (record::Kind::Invoice, item.id, item.code),
        Kind::Other => (record::Kind::Other, item.id, item.code),
    });
    Ok(asked.collect())
}

/// The most customers of one phone that are looked at.
const CUSTOMERS_MOST: usize = 5;

/// The invoice of this code, the customer of this code, or the customers of this phone.
async fn typed<W: World>(session: &Session<'_, W>, text: &str) -> Result<Vec<Asked>, Problem> {
    // KiotViet writes its codes in capitals.
    let text = text.to_uppercase();
    let text = text.as_str();
    let is_phone = text.chars().all(|c| !c.is_alphabetic());
    let phone = PhoneNumber::parse(text).filter(|_| is_phone);
    if phone.is_none() {
        let invoice = session
            .kiotviet(async |k| k.invoice_by_code(text).await)
            .await?;
        if let Some(invoice) = invoice {
            let code = invoice.code.as_str().to_owned();
            return Ok(vec![(record::Kind::Invoice, Some(invoice.id), Some(code))]);
        }
    }
    let field = if phone.is_some() {
        "contactNumber"
    } else {
        "code"
    };
    let mut found = session
        .kiotviet(async |k| k.customers_by(field, text).await)
        .await?;
    if let Some(phone) = phone.as_ref().filter(|_| found.is_empty()) {
        let number = phone.as_str();
        found = session
            .kiotviet(async |k| k.customers_by(field, number).await)
            .await?;
    }
    // KiotViet may find a part of a code.
    let same = found
        .into_iter()
        .filter(|(_, code)| phone.is_some() || code.eq_ignore_ascii_case(text));
    let asked = same.map(|(id, code)| (record::Kind::Customer, Some(id), Some(code)));
    Ok(asked.take(CUSTOMERS_MOST).collect())
}

/// What each of these would lead to.
async fn preview<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    asked: Vec<Asked>,
) -> Vec<view::Previewed> {
    let mut previewed = Vec::new();
    for (kind, id, code) in asked {
        let hint = id.filter(|_| kind != record::Kind::Other).map(|id| Hint {
            id,
            code: code.clone(),
            since: None,
            cancelled: false,
        });
        let result = match (kind, hint) {
            (record::Kind::Customer, Some(hint)) => {
                plan::customer::customer(session, switches, &hint).await
            }
            (record::Kind::Invoice, Some(hint)) => {
                // As after the wait for KiotViet to cancel what was edited.
                plan::invoice::invoice(session, switches, &hint, Timestamp::UNIX_EPOCH).await
            }
            (record::Kind::Other, _) => Ok(Plan::ignoring(Reason::NotSyncedType)),
            (_, None) => Err(Failure::dead(DeadReason::Unreadable, Trouble::NoReadableId)),
        };
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
    previewed
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

/// What is previewed.
#[derive(Clone, Copy)]
pub(in crate::admin) enum Wanted<'a> {
    /// The items of a delivery.
    Delivery(&'a [u8]),
    /// A code, or a phone.
    Typed(&'a str),
}

/// `POST /api/preview/{name}`: what a delivery to `connection`, or what was typed, would lead to.
pub(in crate::admin) async fn preview_items<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    wanted: Wanted<'_>,
) -> Result<view::Preview, Problem> {
    tenant::check(world, ready).await?;
    let unreadable = |why: String| {
        let title = "This is not a KiotViet webhook delivery";
        Problem::new(422, "unreadable", title, why)
    };
    let asked = match wanted {
        Wanted::Delivery(body) => Some(delivered(body).map_err(unreadable)?),
        Wanted::Typed(_) => None,
    };
    let opened = connection
        .open(&ready.sealer)
        .map_err(|e| unreadable(format!("the connection's secrets cannot be opened: {e}")))?;
    let calls = cursor::getfly_calls(world).await;
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    let switches = connections::switches(&worker, &connection.name).await?;
    let session = Session::new(&worker, ready, connection, &opened);
    let asked = match (asked, wanted) {
        (Some(asked), _) => asked,
        (None, Wanted::Typed(text)) => typed(&session, text).await?,
        (None, Wanted::Delivery(_)) => Vec::new(),
    };
    Ok(view::Preview {
        items: preview(&session, switches, asked).await,
    })
}
