//! Which account a customer is, as a person says: linking by hand, undoing it, and what is linked so.

use crate::{
    admin::api::{
        connections::open,
        events,
        problem::{self, Problem},
        request::known,
        tenant, view,
    },
    config::Ready,
    drain::run::drain_for,
    getfly::client::Getfly,
    journal::{
        connections::{self, Connection},
        cursor, entries,
        kind::Kind,
        links::{self, Link},
        record::{AccountLink, Command, Record},
    },
    rules::codes::AccountCode,
    worker::{
        permit::{Permit, Worker},
        session::Session,
    },
    world::World,
};
use serde_json::Value;

/// Longest code that is taken.
const CODE_CHARS: usize = 100;
/// Newest journal entries among which orders under another account are looked for.
const LOOKED_AT: usize = 1000;

/// The account code of `{"account_code": …}`; none to undo.
pub(in crate::admin) fn asked(body: &Value) -> Result<Option<AccountCode>, Problem> {
    let wrong = || {
        problem::invalid(
            "Send {\"account_code\":\"…\"} with the account's code as Getfly shows it, or {\"account_code\":null} to undo the link.",
        )
    };
    let members = body.as_object().ok_or_else(wrong)?;
    if members.len() != 1 {
        return Err(wrong());
    }
    match members.get("account_code") {
        Some(Value::Null) => Ok(None),
        Some(Value::String(code)) => read_code(code).map(Some),
        _ => Err(wrong()),
    }
}

/// A code that a person typed.
pub(in crate::admin) fn read_code(typed: &str) -> Result<AccountCode, Problem> {
    let code = typed.trim();
    if code.is_empty() || code.chars().count() > CODE_CHARS || code.chars().any(char::is_control) {
        return Err(problem::invalid(
            "account_code must have 1 to 100 characters and no line breaks: copy it from the account in Getfly.",
        ));
    }
    Ok(AccountCode::existing(code.to_owned()))
}

/// `POST /api/events/{seq}/link`: 200 when the link is kept or undone, 202 when another worker is about to. The
/// account is read in Getfly first.
pub(in crate::admin) async fn link<W: World>(
    world: &W,
    ready: &Ready,
    seq: &str,
    code: Option<AccountCode>,
) -> Result<(u16, view::Linked), Problem> {
    tenant::check(world, ready).await?;
    let record = events::read(world, seq).await?;
    let connection = connections::load(world, &record.connection).await?;
    let connection =
        connection.ok_or_else(|| problem::unknown_connection(record.connection.as_str()))?;
    let customer_id = customer_of(world, ready, &record, &connection).await?;
    let linked = links::load(world, &connection.retailer).await?;
    match &code {
        Some(code) => {
            let getfly = Getfly {
                http: world,
                origin: &ready.getfly_url,
                api_key: &ready.getfly_api_key,
            };
            if getfly.account_by_code(code).await?.is_none() {
                return Err(Problem::new(
                    422,
                    "unknown-account",
                    "Getfly has no such account",
                    format!(
                        "Getfly has no account with the code “{code}”. Copy the code from the account in Getfly; a deleted or merged one has none."
                    ),
                ));
            }
            if linked.get(&customer_id).is_none() && linked.iter().count() >= links::MOST {
                return Err(Problem::new(
                    409,
                    "too-many-links",
                    "Too many links",
                    format!(
                        "At most {} customers of a shop are linked by hand; undo others first.",
                        links::MOST
                    ),
                ));
            }
        }
        None if linked.get(&customer_id).is_none() => {
            return Err(Problem::new(
                409,
                "not-linked",
                "Not linked by hand",
                "This event's customer is not linked by hand, so there is nothing to undo.",
            ));
        }
        None => {}
    }
    let command = Command::Link(AccountLink {
        event: record.seq,
        customer_id,
        account_code: code.clone(),
    });
    let number = entries::reserve(world, 1).await?;
    entries::write_command(world, number, &command).await?;
    let commands = number..number.saturating_add(1);
    drain_for(world, ready, events::AT_ONCE, commands).await;
    let linked = links::load(world, &connection.retailer).await?;
    let now = linked.get(&customer_id).map(|link| &link.account_code);
    let status = if now == code.as_ref() { 200 } else { 202 };
    let other_orders = match &code {
        Some(code) => other_orders(world, &connection, customer_id, code).await?,
        None => Vec::new(),
    };
    let done = view::Linked {
        account_code: code,
        customer_id,
        other_orders,
    };
    Ok((status, done))
}

/// The KiotViet customer whom an event is about. An invoice that was planned by an earlier version, or not yet, is
/// read at KiotViet.
async fn customer_of<W: World>(
    world: &W,
    ready: &Ready,
    record: &Record,
    connection: &Connection,
) -> Result<i64, Problem> {
    let nobody = || {
        Problem::new(
            422,
            "no-customer",
            "This event has no customer",
            "Only an event about a customer, or about an invoice with a customer, can be linked. For walk-ins set walk_in_account_code.",
        )
    };
    let id = record
        .hint
        .as_ref()
        .map(|hint| hint.id)
        .ok_or_else(nobody)?;
    match (record.kind, record.customer_id) {
        (Kind::Customer, _) => Ok(id),
        (Kind::Invoice, Some(customer)) => Ok(customer),
        (Kind::Invoice, None) => {
            let opened = open(connection, ready)?;
            let calls = cursor::getfly_calls(world).await;
            let worker = Worker::new(world, Permit::Person, ready, calls);
            let session = Session::new(&worker, ready, connection, &opened);
            let invoice = session.kiotviet(async |k| k.invoice(id).await).await?;
            invoice
                .and_then(|invoice| invoice.customer_id)
                .ok_or_else(nobody)
        }
        (Kind::Other, _) => Err(nobody()),
    }
}

/// The customer whom an event is known to be about, and the link that a person made of him.
pub(in crate::admin) async fn known_link<W: World>(
    world: &W,
    record: &Record,
) -> Result<Option<(i64, Link)>, Problem> {
    let id = match record.kind {
        Kind::Customer => record.hint.as_ref().map(|hint| hint.id),
        _ => record.customer_id,
    };
    let connection = connections::load(world, &record.connection).await?;
    let (Some(id), Some(connection)) = (id, connection) else {
        return Ok(None);
    };
    let links = links::load(world, &connection.retailer).await?;
    Ok(links.get(&id).cloned().map(|link| (id, link)))
}

/// The customer's orders under another account, among the newest journal entries.
pub(in crate::admin) async fn other_orders<W: World>(
    world: &W,
    connection: &Connection,
    customer_id: i64,
    code: &AccountCode,
) -> Result<Vec<view::OtherOrder>, Problem> {
    let mut found = Vec::new();
    for seq in entries::numbers(world, None, LOOKED_AT).await? {
        let Some(record) = entries::read_event(world, seq).await? else {
            continue;
        };
        let his = record.customer_id == Some(customer_id) && record.connection == connection.name;
        if let (true, Some(order_code), Some(account_code)) =
            (his, record.order_code, record.account_code)
            && account_code != *code
        {
            found.push(view::OtherOrder {
                account_code,
                order_code,
                seq,
            });
        }
    }
    Ok(found)
}

/// `GET /api/connections/{name}/links`.
pub(in crate::admin) async fn list<W: World>(
    world: &W,
    name: &str,
) -> Result<view::Links, Problem> {
    let connection = known(world, name).await?;
    let links = links::load(world, &connection.retailer).await?;
    let links = links
        .into_iter()
        .map(|(customer_id, link)| view::CustomerLink {
            account_code: link.account_code,
            customer_id,
            since: link.since,
        });
    Ok(view::Links {
        links: links.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_names_one_account_or_undoes() {
        let code = |body| asked(&body).map(|code| code.map(|code| code.to_string()));
        assert_eq!(
            code(json!({"account_code": " KH1 "})).unwrap().as_deref(),
            Some("KH1")
        );
        assert_eq!(code(json!({"account_code": null})).unwrap(), None);
        for wrong in [
            json!(null),
            json!({}),
            json!({"account_code": 7}),
            json!({"account_code": ""}),
            json!({"account_code": "K\nH"}),
            json!({"account_code": "x".repeat(101)}),
            json!({"account_code": "KH1", "other": 1}),
        ] {
            let problem = code(wrong.clone()).unwrap_err();
            assert_eq!(problem.status, 400, "{wrong}");
        }
    }
}
