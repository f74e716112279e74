//! A connection's first events, for a person to look at: what was sent for each, how Getfly answered, and what Getfly has
//! now. Reading goes on for some seconds with each request.

use crate::{
    admin::api::{
        problem::{self, Problem},
        request::known,
        tenant, view,
    },
    config::Ready,
    getfly::{client::Getfly, error::GetflyError},
    journal::{
        connections::Connection,
        cursor, entries,
        first_events::{self as kept, Exchange, FIRST, Looked},
        record::{Record, Status},
        trouble::Trouble,
    },
    json,
    time::Timestamp,
    worker::permit::{Permit, Worker},
    world::World,
};
use core::time::Duration;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// No record is read when a request has gone on for so long.
const AT_ONCE: Duration = Duration::from_secs(8);

/// An exchange in the API: its bodies are JSON where they are.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct Shown {
    pub(in crate::admin) answer: Value,
    pub(in crate::admin) at: Timestamp,
    pub(in crate::admin) call: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(in crate::admin) sent: Value,
    pub(in crate::admin) status: Option<u16>,
}

impl From<Exchange> for Shown {
    fn from(exchange: Exchange) -> Self {
        let value = |text: String| match json::parse(text.as_bytes()) {
            Ok(value) => value,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        Self {
            answer: value(exchange.answer),
            at: exchange.at,
            call: exchange.call,
            sent: value(exchange.sent),
            status: exchange.status,
        }
    }
}

/// One of the events.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct FirstEvent {
    /// Members that Getfly has otherwise than they were sent.
    pub(in crate::admin) differs: Vec<String>,
    #[serde(serialize_with = "as_event")]
    pub(in crate::admin) event: Record,
    /// What Getfly has; none where that is not known yet.
    pub(in crate::admin) read_back: Option<Vec<Shown>>,
    pub(in crate::admin) sent: Vec<Shown>,
}

fn as_event<S: Serializer>(record: &Record, serializer: S) -> Result<S::Ok, S::Error> {
    view::Event::from(record.clone()).serialize(serializer)
}

/// `GET /api/connections/{name}/first-day`.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct FirstDay {
    /// What a person said of them.
    pub(in crate::admin) answer: Option<Looked>,
    /// Whether everything was read back that can be.
    pub(in crate::admin) complete: bool,
    /// In the order in which they ended.
    pub(in crate::admin) events: Vec<FirstEvent>,
    /// How many there will be.
    pub(in crate::admin) of: usize,
    /// Why Getfly could not be read.
    pub(in crate::admin) unread: Option<view::InWords<Trouble>>,
}

/// What is known so far; `again` reads everything anew.
pub(in crate::admin) async fn first_day<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    again: bool,
) -> Result<FirstDay, Problem> {
    let Connection { name, .. } = known(world, name).await?;
    let cursor = cursor::load(world).await?;
    let mut calls = cursor.getfly_calls.clone();
    let mut events = Vec::new();
    for seq in kept::list(world, &cursor, &name).await? {
        let Some(record) = entries::read_event(world, seq).await? else {
            // Its retention is over.
            continue;
        };
        let mut read = kept::read_back(world, &ready.sealer, seq).await?;
        calls.extend(read.iter().flatten().map(|exchange| exchange.at));
        if again && read.take().is_some() {
            kept::forget_read_back(world, seq).await?;
        }
        events.push((record, read));
    }
    calls.sort_unstable();
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    let unread = read_back(&worker, ready, &mut events).await?;
    let is_open = |(record, read): &(Record, Option<_>)| read.is_none() && has_something(record);
    Ok(FirstDay {
        answer: kept::looked(world, &name).await?,
        complete: !events.iter().any(is_open),
        events: events.into_iter().map(|one| shown(ready, one)).collect(),
        of: FIRST,
        unread: unread.map(view::InWords),
    })
}

/// Whether Getfly has something of this event.
fn has_something(record: &Record) -> bool {
    let is_done = matches!(record.status, Status::Done { .. });
    is_done && (record.account_code.is_some() || record.order_code.is_some())
}

/// Reads back what was not; returns what Getfly failed with.
async fn read_back<W: World>(
    worker: &Worker<'_, W>,
    ready: &Ready,
    events: &mut [(Record, Option<Vec<Exchange>>)],
) -> Result<Option<Trouble>, Problem> {
    let world = worker.world();
    let began = world.now();
    let open = |(record, read): &&mut (Record, Option<_>)| read.is_none() && has_something(record);
    for (at, (record, read)) in events.iter_mut().filter(open).enumerate() {
        if at == 0 {
            tenant::check(world, ready).await?;
        }
        if world.now().saturating_since(began) >= AT_ONCE {
            break;
        }
        match of_event(worker, ready, record).await {
            Ok(found) => {
                kept::keep_read_back(world, &ready.sealer, record.seq, &found).await?;
                *read = Some(found);
            }
            Err(error) => return Ok(Some(error.into())),
        }
    }
    Ok(None)
}

/// The account and the order of an event, as Getfly shows them.
pub(in crate::admin) async fn of_event<W: World>(
    worker: &Worker<'_, W>,
    ready: &Ready,
    record: &Record,
) -> Result<Vec<Exchange>, GetflyError> {
    let getfly = Getfly {
        http: worker,
        origin: &ready.getfly_url,
        api_key: &ready.getfly_api_key,
    };
    worker.keep_exchanges(true);
    let mut found = Vec::new();
    let mut add = |read: Result<(), GetflyError>| match read {
        // What it refuses to show is told as it came, too.
        Ok(()) | Err(GetflyError::Refused(_) | GetflyError::NothingThere) => {
            found.extend(worker.take_exchanges().pop());
            Ok(())
        }
        Err(error) => Err(error),
    };
    if let Some(code) = &record.account_code {
        add(getfly.show_account(code).await)?;
    }
    if let Some(code) = &record.order_code {
        add(getfly.show_order(code).await)?;
    }
    Ok(found)
}

/// What was sent to Getfly for an event and how it answered, as far as that is kept.
pub(in crate::admin) fn sent(ready: &Ready, event: &Record) -> Vec<Shown> {
    let kept = kept::exchanges(&ready.sealer, event);
    kept.into_iter().map(Shown::from).collect()
}

fn shown(ready: &Ready, (event, read): (Record, Option<Vec<Exchange>>)) -> FirstEvent {
    let sent = sent(ready, &event);
    let read_back: Option<Vec<Shown>> =
        read.map(|read| read.into_iter().map(Shown::from).collect());
    FirstEvent {
        differs: differs(&sent, read_back.as_deref().unwrap_or_default()),
        event,
        read_back,
        sent,
    }
}

/// The members that were sent with one value and are shown with another. What is sent in one form and shown in another is
/// not compared.
fn differs(sent: &[Shown], read: &[Shown]) -> Vec<String> {
    let mut found = Vec::new();
    for read in read {
        let path = read.call.strip_prefix("Getfly GET ").unwrap_or_default();
        let is_of = |sent: &&Shown| sent.call.strip_prefix("Getfly POST ") == Some(path);
        let Some(sent) = sent.iter().rfind(is_of) else {
            continue;
        };
        let record = read.answer.get("data").unwrap_or(&read.answer);
        compare(&sent.sent, record, &mut found);
    }
    found
}

fn compare(sent: &Value, record: &Value, found: &mut Vec<String>) {
    for (name, value) in sent.as_object().into_iter().flatten() {
        if value.is_object() {
            compare(value, record, found);
        } else if let (Some(sent), Some(read)) = (plain(value), record.get(name).and_then(plain))
            && sent != read
            && !found.contains(name)
        {
            found.push(name.clone());
        }
    }
}

/// A number's or a text's own text, of a number without the zeros behind it.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let number = text.parse::<rust_decimal::Decimal>();
    let is_code = text.starts_with('0') && text.len() > 1 && !text.starts_with("0.");
    match number {
        Ok(number) if !is_code => Some(number.normalize().to_string()),
        _ => Some(text),
    }
}

/// `{"all_right": true}` or false.
pub(in crate::admin) fn asked(body: &Value) -> Result<bool, Problem> {
    let said = body.get("all_right").and_then(Value::as_bool);
    said.ok_or_else(|| problem::invalid("Send {\"all_right\":true}, or false."))
}

/// `POST /api/connections/{name}/first-day`: what a person says of them.
pub(in crate::admin) async fn answer<W: World>(
    world: &W,
    name: &str,
    all_right: bool,
) -> Result<Looked, Problem> {
    let connection = known(world, name).await?;
    let at = world.now();
    let looked = Looked { all_right, at };
    kept::keep_looked(world, &connection.name, &looked).await?;
    Ok(looked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(sent: Value, answer: Value) -> Vec<String> {
        let shown = |call: &str, sent, answer| Shown {
            answer,
            at: Timestamp::UNIX_EPOCH,
            call: call.to_owned(),
            sent,
            status: Some(200),
        };
        differs(
            &[shown("Getfly POST /account", sent, Value::Null)],
            &[shown("Getfly GET /account", Value::Null, answer)],
        )
    }

    #[test]
    fn what_getfly_has_otherwise_is_named_and_another_writing_of_the_same_is_not() {
        let sent = json!({
            "account_name": "Chị Hoa", "phone_office": "0912345678", "gender": 1, "birthday": "1990-05-20",
            "account": {"account_email": "hoa@example.vn"}, "discount_amount": 1000.5, "account_source_names": ["KiotViet"],
        });
        let same = json!({
            "account_name": " Chị Hoa ", "phone_office": "0912345678", "gender": "1", "account_email": "hoa@example.vn",
            "discount_amount": "1000.50", "account_source_names": "KiotViet",
        });
        assert_eq!(of(sent.clone(), same), [""; 0]);
        let other = json!({"data": {"account_name": "Hoa", "phone_office": "912345678", "gender": 2, "account_email": "x@y.vn", "discount_amount": 1000}});
        assert_eq!(
            of(sent, other),
            [
                "account_email",
                "account_name",
                "discount_amount",
                "gender",
                "phone_office"
            ]
        );
    }
}
