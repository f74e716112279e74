//! What forged hints may cost. A delivery without a valid signature is a hint that anybody may have sent who knows the
//! hook's address: it makes few calls, and takes nothing from those that KiotViet signed.
//!
//! - Waiting events of one record are settled by one read of it, which began after they had come.
//! - An id that KiotViet does not have is remembered for ten minutes, for unsigned hints only.
//! - Unsigned hints that lead to no new record have an hourly budget of KiotViet calls for each connection.

use crate::{
    journal::{
        connection_name::ConnectionName,
        note::Note,
        record::{Kind, Record},
        sorted_map::SortedMap,
    },
    rules::verdict::Reason,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A customer or an invoice of a connection.
pub(super) type Subject = (ConnectionName, &'static str, i64);

/// What a read of a record came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    /// The read began after every entry up to this number had come.
    pub(super) up_to: u64,
    /// The event that it was read for.
    pub(super) seq: u64,
    /// Nothing is due, for this reason.
    pub(super) reason: Reason,
    /// Whether that event was signed, or came from KiotViet's own list.
    pub(super) signed: bool,
}

/// An id that KiotViet does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NotThere {
    pub(super) kind: Kind,
    pub(super) id: i64,
    pub(super) until: Timestamp,
}

/// What a drain remembers of hints.
#[derive(Debug, Default)]
pub(super) struct Hints {
    pub(super) settled: SortedMap<Subject, Settled>,
    pub(super) not_there: SortedMap<ConnectionName, Vec<NotThere>>,
    pub(super) signed: SortedMap<ConnectionName, bool>,
    pub(super) changed: Vec<ConnectionName>,
}

/// What becomes of an event before KiotViet is asked.
pub(super) enum Hinted {
    /// It is attempted.
    Attempt,
    /// Nothing is due.
    Nothing(Reason, Note),
    /// It waits for the connection's budget.
    Wait(Timestamp),
}

/// What a live event is about.
pub(super) fn subject(record: &Record) -> Option<Subject> {
    let live = record.hint.as_ref().filter(|hint| hint.since.is_none())?;
    Some((record.connection.clone(), record.kind.as_str(), live.id))
}

/// Whether anybody may have sent it, and no person has asked for it since.
pub(super) fn is_unsigned(record: &Record) -> bool {
    record.commanded_by.is_none() && record.notes.iter().any(Note::is_unsigned)
}

/// Whether an attempt at it may have created something, or a person has asked for it: only an attempt of its own
/// ends it.
pub(super) fn has_begun(record: &Record) -> bool {
    record.commanded_by.is_some() || record.account_claim.is_some() || record.order_claim.is_some()
}
