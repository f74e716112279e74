//! The operator's log: JSON lines with an event's number and rule, never a person's data.

use crate::{
    stored::json_bytes,
    sync::{
        record::Record,
        world::{Clock, Log},
    },
};
use serde_json::{Value, json};

fn write<W: Log + Clock>(world: &W, level: &str, message: &str, mut fields: Value) {
    if let Some(map) = fields.as_object_mut() {
        map.insert("at".to_owned(), json!(world.now().to_string()));
        map.insert("level".to_owned(), json!(level));
        map.insert("message".to_owned(), json!(message));
    }
    world.line(&String::from_utf8_lossy(&json_bytes(&fields)));
}

/// An event ended.
pub fn event<W: Log + Clock>(world: &W, record: &Record) {
    write(
        world,
        "info",
        "event ended",
        json!({
            "seq": record.seq,
            "connection": record.connection,
            "kind": record.kind,
            "state": record.state,
            "outcome": record.outcome,
            "reason": record.reason,
            "rule": record.rule,
            "attempts": record.attempts,
        }),
    );
}

/// A drain ended before its time.
pub fn drain_stopped<W: Log + Clock>(world: &W, why: &str) {
    write(
        world,
        "warn",
        "drain stopped; what waits is processed by the next one",
        json!({ "why": why }),
    );
}

/// A delivery could not be kept; KiotViet got 503.
pub fn not_kept<W: Log + Clock>(world: &W, connection: &str, why: &str) {
    write(
        world,
        "error",
        "delivery not kept, answered 503",
        json!({ "connection": connection, "why": why }),
    );
}
