//! The operator's log: JSON lines with an event's number and rule, never a person's data.

use crate::{
    journal::record::Record,
    json::{self, ToJson, object},
    world::{Clock, Log},
};
use serde_json::Value;

fn write<W: Log + Clock>(world: &W, level: &str, message: &str, mut members: Vec<(&str, Value)>) {
    members.push(("at", world.now().to_json()));
    members.push(("level", level.to_json()));
    members.push(("message", message.to_json()));
    let line = json::text(&object(members));
    world.line(&String::from_utf8_lossy(&line));
}

/// An event ended.
pub fn event<W: Log + Clock>(world: &W, record: &Record) {
    write(
        world,
        "info",
        "event ended",
        vec![
            ("seq", record.seq.to_json()),
            ("connection", record.connection.to_json()),
            ("kind", record.kind.to_json()),
            ("state", record.state().to_json()),
            ("outcome", record.status.outcome().to_json()),
            ("reason", record.status.reason().to_json()),
            ("rule", record.status.rule().to_json()),
            ("attempts", record.attempts.to_json()),
        ],
    );
}

/// A drain ended before its time.
pub fn drain_stopped<W: Log + Clock>(world: &W, why: &str) {
    write(
        world,
        "warn",
        "drain stopped; what waits is processed by the next one",
        vec![("why", why.to_json())],
    );
}

/// A connection's webhooks could not be seen, or not mended.
pub fn webhooks_not_sound<W: Log + Clock>(world: &W, connection: &str, why: &str) {
    write(
        world,
        "warn",
        "webhooks not sound; looked at again in 15 minutes",
        vec![("connection", connection.to_json()), ("why", why.to_json())],
    );
}

/// KiotViet had not delivered so many records; they are events now.
pub fn read_back<W: Log + Clock>(world: &W, connection: &str, events: u64) {
    write(
        world,
        "warn",
        "KiotViet had not delivered; read back",
        vec![
            ("connection", connection.to_json()),
            ("events", events.to_json()),
        ],
    );
}

/// A delivery could not be kept; KiotViet got 503.
pub fn not_kept<W: Log + Clock>(world: &W, connection: &str, why: &str) {
    write(
        world,
        "error",
        "delivery not kept, answered 503",
        vec![("connection", connection.to_json()), ("why", why.to_json())],
    );
}
