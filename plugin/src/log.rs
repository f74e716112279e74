//! The operator's log: JSON lines with an event's number and rule, never a person's data.

use crate::{
    failed_log_ins::Failure,
    journal::{
        acts::Act,
        connection_name::{ConnectionName, Side, Upstream},
        record::{Kind, Record, State},
    },
    json,
    rules::verdict::Outcome,
    time::Timestamp,
    world::{Clock, Log},
};
use core::net::{IpAddr, SocketAddr};
use serde::Serialize;

/// The end of an event, as one line.
#[derive(Serialize)]
struct EventLine<'a> {
    at: Timestamp,
    attempts: u32,
    connection: &'a ConnectionName,
    kind: Kind,
    level: &'static str,
    message: &'static str,
    outcome: Option<Outcome>,
    reason: Option<&'a str>,
    rule: Option<&'a str>,
    seq: u64,
    state: State,
}

/// Any other line.
#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<u64>,
    level: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// A failed log-in.
#[derive(Serialize)]
struct FailedLine<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    door: &'static str,
    failures_in_this_minute: u64,
    level: &'static str,
    message: &'static str,
    slowed: bool,
}

/// What a person did.
#[derive(Serialize)]
struct ActLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    act: &'static str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    level: &'static str,
    message: &'static str,
    token: &'static str,
}

/// A person, or a token, did something that matters for security; `about` is a connection's name or
/// an event's number. `client` comes from the host, and is left out if it is not an address.
pub fn act<W: Log + Clock>(
    world: &W,
    act: Act,
    token: &'static str,
    client: Option<&str>,
    about: Option<&str>,
) {
    let line = ActLine {
        about,
        act: act.as_str(),
        at: world.now(),
        client: client.filter(|client| is_address(client)),
        level: "info",
        message: "security",
        token,
    };
    write(world, &line);
}

/// A wrong token was offered. `client` comes from the host, and is left out if it is not an
/// address.
pub fn failed_log_in<W: Log + Clock>(
    world: &W,
    door: &'static str,
    client: Option<&str>,
    failure: Failure,
) {
    let line = FailedLine {
        at: world.now(),
        client: client.filter(|client| is_address(client)),
        door,
        failures_in_this_minute: failure.number,
        level: "warn",
        message: "failed log-in",
        slowed: failure.wait.is_some(),
    };
    write(world, &line);
}

/// Whether it is an address, perhaps with a port. If a host does not set it, the client may write
/// anything.
fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok()
}

fn write<W: Log>(world: &W, line: &impl Serialize) {
    world.line(&String::from_utf8_lossy(&json::text(line)));
}

fn line<W: Clock>(world: &W, level: &'static str, message: &'static str) -> Line<'static> {
    Line {
        at: world.now(),
        connection: None,
        events: None,
        level,
        message,
        why: None,
    }
}

/// An event ended.
pub fn event<W: Log + Clock>(world: &W, record: &Record) {
    let line = EventLine {
        at: world.now(),
        attempts: record.attempts,
        connection: &record.connection,
        kind: record.kind,
        level: "info",
        message: "event ended",
        outcome: record.status.outcome(),
        reason: record.status.reason(),
        rule: record.status.rule(),
        seq: record.seq,
        state: record.state(),
    };
    write(world, &line);
}

/// A drain ended early.
pub fn drain_stopped<W: Log + Clock>(world: &W, why: &str) {
    let message = "drain stopped; what waits is processed by the next one";
    let line = Line {
        why: Some(why),
        ..line(world, "warn", message)
    };
    write(world, &line);
}

/// An upstream fails: from now on each failure is followed by a pause.
pub fn paused<W: Log + Clock>(world: &W, upstream: Upstream<'_>, why: &str) {
    let line = Line {
        connection: connection_of(upstream),
        why: Some(why),
        ..line(
            world,
            "warn",
            match upstream.side() {
                Side::Getfly => "Getfly does not do what it is asked; events wait",
                Side::KiotViet => "KiotViet does not do what it is asked; events wait",
            },
        )
    };
    write(world, &line);
}

/// An upstream that failed works again.
pub fn goes_on<W: Log + Clock>(world: &W, upstream: Upstream<'_>) {
    let line = Line {
        connection: connection_of(upstream),
        ..line(
            world,
            "warn",
            match upstream.side() {
                Side::Getfly => "Getfly works again",
                Side::KiotViet => "KiotViet works again",
            },
        )
    };
    write(world, &line);
}

fn connection_of(upstream: Upstream<'_>) -> Option<&str> {
    match upstream {
        Upstream::Getfly => None,
        Upstream::KiotViet(name) => Some(name.as_str()),
    }
}

/// An alert, or the heartbeat, did not arrive.
pub fn alert_not_sent<W: Log + Clock>(world: &W, why: &str) {
    let line = Line {
        why: Some(why),
        ..line(world, "warn", "alert not sent; tried again later")
    };
    write(world, &line);
}

/// A worker brought the store up to this version's format.
pub fn brought_up<W: Log + Clock>(world: &W, from: u32, to: u32) {
    let why = format!("format {from} to {to}");
    let line = Line {
        why: Some(&why),
        ..line(world, "info", "the store was brought up to this version")
    };
    write(world, &line);
}

/// A connection's webhooks could not be checked, or not mended.
pub fn webhooks_not_sound<W: Log + Clock>(world: &W, connection: &str, why: &str) {
    let message = "webhooks not sound; looked at again in 15 minutes";
    let line = Line {
        connection: Some(connection),
        why: Some(why),
        ..line(world, "warn", message)
    };
    write(world, &line);
}

/// KiotViet had not delivered this many records; they are events now.
pub fn read_back<W: Log + Clock>(world: &W, connection: &str, events: u64) {
    let line = Line {
        connection: Some(connection),
        events: Some(events),
        ..line(world, "warn", "KiotViet had not delivered; read back")
    };
    write(world, &line);
}

/// Getfly's list of accounts is not filtered by when they were changed.
pub fn changes_unfiltered<W: Log + Clock>(world: &W) {
    let message = "Getfly does not filter accounts by updated_at; all are read once a day instead";
    write(world, &line(world, "warn", message));
}

/// A delivery could not be stored; KiotViet got 503.
pub fn not_kept<W: Log + Clock>(world: &W, connection: &str, why: &str) {
    let line = Line {
        connection: Some(connection),
        why: Some(why),
        ..line(world, "error", "delivery not kept, answered 503")
    };
    write(world, &line);
}
