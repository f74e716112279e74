//! Backfill for people: a preview that writes nothing, the wish to begin or end one, and how far it is.

use crate::{
    admin::api::{
        connections::{open, person_reading},
        problem::{self, Detail, Problem},
        request::known,
        view,
    },
    config::{CallRate, Ready},
    drain::{how::How, run::drain},
    journal::{
        backfill::{self, Backfill, State},
        connection_name::ConnectionName,
        connections::{self, Connection, Switches, Webhook},
        cursor::{self, Counts},
        entries,
        list_scan::ListScan,
        record::{Command, Wanted},
    },
    kiotviet::assumptions::SHOP_HOURS_AHEAD,
    reconcile::{
        backfill::{of_its_list, scans},
        list_scan::{self, CALLS_AN_HOUR, calls_an_event},
    },
    time::{DateTime, Timestamp},
    worker::session::Session,
    world::World,
};
use core::time::Duration;
use serde_json::Value;

/// Pages of one list that a preview looks at; beyond that it says that there is more.
const PREVIEW_PAGES: u32 = 50;
/// Getfly's calls for one event: two searches and a create, as a rule.
const CALLS_AN_EVENT: u64 = 3;

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

/// What `POST /api/connections/{name}/backfill` asks for. A member of another type is missing.
pub(in crate::admin) struct Asked {
    /// Whether to look only.
    pub(in crate::admin) dry_run: bool,
    /// A day or a moment.
    pub(in crate::admin) from: String,
    /// The same; empty for now.
    pub(in crate::admin) to: String,
}

impl Asked {
    /// From a request's body.
    pub(in crate::admin) fn read(body: &Value) -> Self {
        let text = |name| body.get(name).and_then(Value::as_str).map(str::trim);
        Self {
            dry_run: body.get("dry_run").and_then(Value::as_bool) == Some(true),
            from: text("from").unwrap_or_default().to_owned(),
            to: text("to").unwrap_or_default().to_owned(),
        }
    }
}

fn wanted(connection: &Connection, asked: &Asked, now: Timestamp) -> Result<Wanted, Problem> {
    let from = moment(&asked.from, "from", false)?;
    let to = match Some(asked.to.as_str()).filter(|to| !to.is_empty()) {
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
/// what would be brought in; a command 202 with how it stands, and its number.
pub(in crate::admin) async fn start<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    asked: &Asked,
) -> Result<(u16, view::BackfillStarted, u64), Problem> {
    let connection = known(world, name).await?;
    let wanted = wanted(&connection, asked, world.now())?;
    let switches = connections::switches(world, &connection.name).await?;
    if switches == Switches::default() {
        return Err(Problem::new(
            409,
            "webhooks-are-off",
            "No webhook of this connection is on",
            "Switch on the customer webhook, the order webhook or both: a backfill brings in what they would.",
        ));
    }
    if asked.dry_run {
        let preview = preview(world, ready, &connection, switches, &wanted).await?;
        return Ok((200, view::BackfillStarted::Preview(Box::new(preview)), 0));
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
    let (number, asked) = ask(world, ready, name, Command::Backfill(wanted)).await?;
    Ok((202, view::BackfillStarted::Asked(asked), number))
}

/// `DELETE /api/connections/{name}/backfill`: ends it; what it has queued goes on.
pub(in crate::admin) async fn stop<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
) -> Result<(u16, view::Backfill), Problem> {
    let name = known(world, name).await?.name;
    let command = Command::StopBackfill(name.clone());
    let (_, stands) = ask(world, ready, name.as_str(), command).await?;
    Ok((202, stands))
}

/// Gives a command; returns its number, and how the backfill stands now.
async fn ask<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    command: Command,
) -> Result<(u64, view::Backfill), Problem> {
    let number = entries::reserve(world, 1).await?;
    entries::write_command(world, number, &command).await?;
    drain(world, ready, How::QUICK).await;
    Ok((number, state(world, name).await?))
}

/// Whether the worker has not come to this command yet.
pub(in crate::admin) async fn is_queued<W: World>(
    world: &W,
    command: u64,
) -> Result<bool, Problem> {
    let tail = entries::tail(world).await?;
    Ok(command <= tail && cursor::load(world).await?.is_to_come(command))
}

/// `GET /api/connections/{name}/backfill`.
pub(in crate::admin) async fn state<W: World>(
    world: &W,
    name: &str,
) -> Result<view::Backfill, Problem> {
    let connection = known(world, name).await?;
    let connection = connection.name;
    Ok(match backfill::load(world, &connection).await? {
        None => view::Backfill::Never(view::NoBackfill {
            connection,
            state: view::Never::None,
        }),
        Some(job) => {
            let ended = cursor::load(world).await?.backfilled;
            let ended = ended.get(&connection).copied();
            view::Backfill::Run(Box::new(describe(connection, job, ended)))
        }
    })
}

fn describe(
    connection: ConnectionName,
    job: Backfill,
    ended: Option<(Timestamp, Counts)>,
) -> view::BackfillRun {
    let queued = job.readings.iter().map(|scan| scan.queued);
    let queued = queued.fold(0, u64::saturating_add);
    let ended = ended.filter(|(began, _)| *began == job.started_at);
    let outcomes = ended.map(|(_, counts)| counts.of_all(queued));
    let list = |webhook| {
        let mut lists = job.readings.iter();
        lists.find(|r| r.webhook == webhook).cloned()
    };
    view::BackfillRun {
        by: job.by,
        connection,
        customers: list(Webhook::Customer),
        finished_at: job.finished_at,
        from: job.wanted.from,
        invoices: list(Webhook::Order),
        note: job.note.map(view::InWords),
        outcomes,
        started_at: job.started_at,
        state: job.state,
        to: job.wanted.to,
    }
}

async fn preview<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
    switches: Switches,
    wanted: &Wanted,
) -> Result<view::BackfillPreview, Problem> {
    let opened = open(connection, ready)?;
    let worker = person_reading(world, ready);
    let session = Session::new(&worker, ready, connection, &opened);
    let (mut customers, mut invoices) = (None, None);
    let mut complete = true;
    let (mut to_process, mut of_kiotviet) = (0_u64, 0_u64);
    for scan in scans(switches, wanted) {
        let scan = of_its_list(scan, connection);
        let webhook = scan.webhook;
        let (found, whole) = look(&session, scan).await?;
        complete &= whole;
        to_process = to_process.saturating_add(found.to_process);
        let calls = found.to_process.saturating_mul(calls_an_event(webhook));
        of_kiotviet = of_kiotviet.saturating_add(calls);
        match webhook {
            Webhook::Customer => customers = Some(found),
            Webhook::Order => invoices = Some(found),
        }
    }
    let of_getfly = seconds(to_process, ready.getfly_rate);
    Ok(view::BackfillPreview {
        complete,
        customers,
        dry_run: true,
        from: wanted.from,
        invoices,
        seconds: of_getfly.max(of_kiotviet / CALLS_AN_HOUR * 3600),
        to: wanted.to,
    })
}

/// What is found of one list, and whether the whole list was looked at.
async fn look<W: World>(
    session: &Session<'_, W>,
    mut scan: ListScan,
) -> Result<(view::FoundInList, bool), Problem> {
    let mut found = view::FoundInList::default();
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
            None => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

/// How long Getfly's ceiling makes that many events take.
fn seconds(events: u64, rate: CallRate) -> u64 {
    let calls = u64::try_from(rate.calls).unwrap_or(u64::MAX).max(1);
    let millis = u64::try_from(rate.window.as_millis()).unwrap_or(u64::MAX);
    let all = events.saturating_mul(CALLS_AN_EVENT).saturating_mul(millis);
    all.div_ceil(calls).div_ceil(1000)
}
