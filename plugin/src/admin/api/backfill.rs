//! Backfill for people: a preview that writes nothing, the wish to begin or end one, and how far it is.

use crate::{
    admin::api::{
        connections::{open, person_reading},
        problem::{self, Detail, Problem},
        request::known,
    },
    config::{CallRate, Ready},
    drain::{how::How, run::drain},
    journal::{
        backfill::{self, Backfill, State},
        connections::{self, Connection, Switches, Webhook},
        entries,
        list_scan::ListScan,
        record::{Command, Wanted},
        trouble::Trouble,
    },
    json::{ToJson, object},
    kiotviet::assumptions::SHOP_HOURS_AHEAD,
    reconcile::{
        backfill::scans,
        list_scan::{self, CALLS_AN_HOUR, calls_an_event},
    },
    time::{DateTime, Timestamp},
    worker::session::Session,
    world::World,
};
use core::time::Duration;
use serde::Serialize;
use serde_json::Value;

/// Pages of one list that a preview looks at; beyond that it says that there is more.
const PREVIEW_PAGES: u32 = 50;
/// Getfly's calls for one event: two searches and a create, as a rule.
const CALLS_AN_EVENT: u64 = 3;

/// What a preview found of one list.
#[derive(Serialize)]
struct Found {
    listed: u64,
    known: u64,
    to_process: u64,
    #[serde(skip)]
    complete: bool,
}

/// A moment as RFC 3339, or a day of Vietnam's calendar: its start, or for `end` its last second.
fn moment(text: &str, name: &str, end: bool) -> Result<Timestamp, Problem> {
    let wrong = || {
        problem::invalid(format!(
            "{name} must be a day like 2026-10-05 or a moment like 2026-10-05T09:30:00+07:00."
        ))
    };
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let day: DateTime = text.parse().map_err(|_| wrong())?;
    let start = day.to_timestamp(SHOP_HOURS_AHEAD).ok_or_else(wrong)?;
    if end && !text.contains('T') {
        return start
            .checked_add(Duration::from_secs(86_399))
            .ok_or_else(wrong);
    }
    Ok(start)
}

fn wanted(connection: &Connection, body: &Value, now: Timestamp) -> Result<Wanted, Problem> {
    let text = |name| body.get(name).and_then(Value::as_str).map(str::trim);
    let from = text("from").unwrap_or_default();
    let from = moment(from, "from", false)?;
    let to = match text("to").filter(|to| !to.is_empty()) {
        Some(to) => moment(to, "to", true)?.min(now),
        None => now,
    };
    if from >= to {
        return Err(problem::invalid(Detail::FromTooLate));
    }
    Ok(Wanted {
        connection: connection.name.clone(),
        from,
        to,
    })
}

/// `POST /api/connections/{name}/backfill`: `{"from","to"?,"dry_run"?}`. A preview answers 200 with
/// what would be brought in; a command 202 with how it stands.
pub(in crate::admin) async fn start<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    body: &Value,
) -> Result<(u16, Value), Problem> {
    let connection = known(world, name).await?;
    let wanted = wanted(&connection, body, world.now())?;
    let switches = connections::switches(world, &connection.name).await?;
    if switches == Switches::default() {
        return Err(Problem::new(
            409,
            "webhooks-are-off",
            "No webhook of this connection is on",
            "Switch on the customer webhook, the order webhook or both: a backfill brings in what they would.",
        ));
    }
    if body.get("dry_run").and_then(Value::as_bool) == Some(true) {
        return Ok((
            200,
            preview(world, ready, &connection, switches, &wanted).await?,
        ));
    }
    let running = backfill::load(world, &connection.name).await?;
    if running.is_some_and(|b| b.state == State::Running) {
        return Err(Problem::new(
            409,
            "backfill-running",
            "A backfill of this connection is running",
            "Wait for its end, or end it with DELETE.",
        ));
    }
    ask(world, ready, name, Command::Backfill(wanted)).await
}

/// `DELETE /api/connections/{name}/backfill`: ends it; what it has queued goes on.
pub(in crate::admin) async fn stop<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
) -> Result<(u16, Value), Problem> {
    let name = known(world, name).await?.name;
    ask(
        world,
        ready,
        name.as_str(),
        Command::StopBackfill(name.clone()),
    )
    .await
}

async fn ask<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    command: Command,
) -> Result<(u16, Value), Problem> {
    let number = entries::reserve(world, 1).await?;
    entries::write_command(world, number, &command).await?;
    drain(world, ready, How::QUICK).await;
    Ok((202, state(world, name).await?))
}

/// `GET /api/connections/{name}/backfill`.
pub(in crate::admin) async fn state<W: World>(world: &W, name: &str) -> Result<Value, Problem> {
    Ok(stands(world, name).await?.0)
}

/// How the backfill stands, as the API answers it, and why it waits.
pub(in crate::admin) async fn stands<W: World>(
    world: &W,
    name: &str,
) -> Result<(Value, Option<Trouble>), Problem> {
    let connection = known(world, name).await?;
    let mut members = vec![("connection", connection.name.to_json())];
    Ok(match backfill::load(world, &connection.name).await? {
        None => {
            members.push(("state", "none".to_json()));
            (object(members), None)
        }
        Some(job) => {
            members.extend(describe(&job));
            (object(members), job.note)
        }
    })
}

fn describe(job: &Backfill) -> Vec<(&'static str, Value)> {
    let list = |webhook| job.readings.iter().find(|r| r.webhook == webhook).to_json();
    let note = job.note.as_ref().map(Trouble::to_string);
    vec![
        ("state", job.state.to_json()),
        ("from", job.wanted.from.to_json()),
        ("to", job.wanted.to.to_json()),
        ("started_at", job.started_at.to_json()),
        ("finished_at", job.finished_at.to_json()),
        ("customers", list(Webhook::Customer)),
        ("invoices", list(Webhook::Order)),
        ("note", note.to_json()),
    ]
}

async fn preview<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    switches: Switches,
    wanted: &Wanted,
) -> Result<Value, Problem> {
    let opened = open(connection, ready)?;
    let worker = person_reading(world, ready);
    let session = Session::new(&worker, ready, connection, &opened);
    let (mut customers, mut invoices) = (None, None);
    let mut complete = true;
    let (mut to_process, mut of_kiotviet) = (0_u64, 0_u64);
    for scan in scans(switches, wanted) {
        let webhook = scan.webhook;
        let found = look(&session, scan).await?;
        complete &= found.complete;
        to_process = to_process.saturating_add(found.to_process);
        let calls = found.to_process.saturating_mul(calls_an_event(webhook));
        of_kiotviet = of_kiotviet.saturating_add(calls);
        match webhook {
            Webhook::Customer => customers = Some(found),
            Webhook::Order => invoices = Some(found),
        }
    }
    Ok(object(vec![
        ("dry_run", true.to_json()),
        ("from", wanted.from.to_json()),
        ("to", wanted.to.to_json()),
        ("customers", customers.to_json()),
        ("invoices", invoices.to_json()),
        ("complete", complete.to_json()),
        (
            "seconds",
            seconds(to_process, ready.getfly_rate)
                .max(of_kiotviet / CALLS_AN_HOUR * 3600)
                .to_json(),
        ),
    ]))
}

async fn look<W: World>(session: &Session<'_, W>, mut scan: ListScan) -> Result<Found, Problem> {
    let mut found = Found {
        listed: 0,
        known: 0,
        to_process: 0,
        complete: false,
    };
    for _ in 0..PREVIEW_PAGES {
        let page = list_scan::page(session, &scan).await?;
        for item in &page.items {
            if !list_scan::is_in_backfill(&scan, item) {
                continue;
            }
            found.listed = found.listed.saturating_add(1);
            let connection = session.connection;
            let known =
                list_scan::is_known(session.world, connection, scan.webhook, item, true).await?;
            let count = if known {
                &mut found.known
            } else {
                &mut found.to_process
            };
            *count = count.saturating_add(1);
        }
        match page.next_offset {
            Some(next) => scan.offset = next,
            None => {
                found.complete = true;
                break;
            }
        }
    }
    Ok(found)
}

/// How long Getfly's ceiling makes that many events take.
fn seconds(events: u64, rate: CallRate) -> u64 {
    let calls = u64::try_from(rate.calls).unwrap_or(u64::MAX).max(1);
    let millis = u64::try_from(rate.window.as_millis()).unwrap_or(u64::MAX);
    let all = events.saturating_mul(CALLS_AN_EVENT).saturating_mul(millis);
    all.div_ceil(calls).div_ceil(1000)
}
