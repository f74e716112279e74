//! A journal entry: the event that was answered 200, and what became of it. It is also what people
//! see, so it carries its own explanation.

use crate::{
    journal::{
        connection_name::ConnectionName, dead_reason::DeadReason, evidence::Evidence, note::Note,
        trouble::Trouble,
    },
    rules::{
        codes::{AccountCode, OrderCode},
        matching::MatchedBy,
        sale::EditOrSale,
        verdict::{Outcome, Reason},
    },
    stored,
    time::Timestamp,
};
use core::ops::Not;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

pub use crate::journal::kind::Kind;

/// Where an event stands, in the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its first attempt.
    Received,
    /// Waits for another attempt.
    Retrying,
    /// Ended with an outcome.
    Done,
    /// Ended without one: needs a person.
    Dead,
    /// A person said that it needs nothing more.
    Dismissed,
}

impl State {
    /// Whether nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Dismissed)
    }

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Retrying => "retrying",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Dismissed => "dismissed",
        }
    }

    /// Parses the word used in the API's filter.
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [State; 5] = [
            State::Received,
            State::Retrying,
            State::Done,
            State::Dead,
            State::Dismissed,
        ];
        ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Where a record's raw body is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Sealed under `master_key`.
    Sealed(String),
    /// Base64 without sealing: there was no usable `master_key` when it came.
    Plain(String),
    /// In this many keys of their own, each sealed or plain as above.
    Parts(usize),
}

/// An account that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// Its code.
    pub account_code: AccountCode,
    /// Its numeric id.
    pub account_id: i64,
    /// Whether it is the one that was linked.
    #[serde(default)]
    pub chosen: bool,
    /// As Getfly tells it.
    pub created_at: Option<String>,
    /// What matched.
    pub matched_by: MatchedBy,
}

/// An upstream call made for an event, without any value of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// e.g. `KiotViet GET /customers/{id}`.
    pub endpoint: String,
    /// How long it took, milliseconds.
    pub ms: i64,
    /// HTTP status, or none when no answer came.
    pub status: Option<u16>,
}

/// What KiotViet's delivery pointed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Its code, where the delivery had one.
    pub code: Option<String>,
    /// Id of the customer or invoice.
    pub id: i64,
    /// A backfill reaches back to this moment: what was created from then on counts as new.
    pub since: Option<Timestamp>,
    /// The delivery says that the invoice is cancelled.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub cancelled: bool,
}

/// Where an event stands, with what belongs to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waits for its first attempt.
    Received,
    /// Waits for another attempt.
    Retrying {
        /// Not before then.
        next_attempt_at: Timestamp,
    },
    /// Ended with an outcome.
    Done {
        /// Why, which tells the outcome and the rule too.
        reason: Reason,
        /// When.
        finished_at: Timestamp,
    },
    /// Ended without one: needs a person.
    Dead {
        /// Why.
        reason: DeadReason,
        /// When.
        finished_at: Timestamp,
    },
    /// A person said that it needs nothing more.
    Dismissed {
        /// Why it was a dead letter.
        reason: DeadReason,
        /// When.
        finished_at: Timestamp,
    },
}

impl Status {
    /// The word for it.
    pub fn state(self) -> State {
        match self {
            Self::Received => State::Received,
            Self::Retrying { .. } => State::Retrying,
            Self::Done { .. } => State::Done,
            Self::Dead { .. } => State::Dead,
            Self::Dismissed { .. } => State::Dismissed,
        }
    }

    /// The reason of one that is done.
    pub fn done(self) -> Option<Reason> {
        match self {
            Self::Done { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The reason of one that is, or was, a dead letter.
    pub fn dead(self) -> Option<DeadReason> {
        match self {
            Self::Dead { reason, .. } | Self::Dismissed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The outcome of one that is done.
    pub fn outcome(self) -> Option<Outcome> {
        self.done().map(Reason::outcome)
    }

    /// The reason's word in the API, of one that ended.
    pub fn reason(self) -> Option<&'static str> {
        let done = self.done().map(Reason::as_str);
        done.or(self.dead().map(DeadReason::as_str))
    }

    /// The rule that decided about one that is done, e.g. `R7`.
    pub fn rule(self) -> Option<&'static str> {
        self.done().map(Reason::rule)
    }

    /// When it ended.
    pub fn finished_at(self) -> Option<Timestamp> {
        match self {
            Self::Received | Self::Retrying { .. } => None,
            Self::Done { finished_at, .. }
            | Self::Dead { finished_at, .. }
            | Self::Dismissed { finished_at, .. } => Some(finished_at),
        }
    }

    /// Not before when it is attempted again.
    pub fn next_attempt_at(self) -> Option<Timestamp> {
        match self {
            Self::Retrying { next_attempt_at } => Some(next_attempt_at),
            _ => None,
        }
    }
}

/// What the last attempt failed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// The notes that had been made before: it is told among them.
    pub after_notes: usize,
    /// Why.
    pub why: Trouble,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Trouble,
}

/// Attempts that are kept of an event.
const TRIED_KEPT: usize = 10;

/// How an earlier version began the note that told the last failure, and how the API tells it.
const LAST_FAILURE: &str = "last failure: ";

/// What people are told of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'r> {
    /// A remark.
    Note(&'r Note),
    /// What the last attempt failed for.
    LastFailure(&'r Trouble),
}

impl Told<'_> {
    /// The English sentence, with times as `time` shows them.
    pub fn english(self, time: fn(Timestamp) -> String) -> String {
        match self {
            Self::Note(note) => note.english(time),
            Self::LastFailure(why) => format!("{LAST_FAILURE}{}", why.english(time)),
        }
    }
}

/// How it stands with reading an order's total back. Amounts are texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBack {
    /// It is to be read.
    Owed {
        /// What was sent adds up to.
        ours: String,
    },
    /// It was read.
    Read {
        /// Getfly's total.
        total: String,
    },
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Flat", into = "Flat")]
pub struct Record {
    /// Number in the journal.
    pub seq: u64,
    /// When the delivery came.
    pub received_at: Timestamp,
    /// Connection it came for.
    pub connection: ConnectionName,
    /// What it is about.
    pub kind: Kind,
    /// For people: the customer's id, the invoice's code, or the delivery's action.
    pub key: String,
    /// Where it stands.
    pub status: Status,
    /// Attempts that failed.
    pub attempts: u32,
    /// The Getfly account it led to.
    pub account_code: Option<AccountCode>,
    /// The Getfly order it led to.
    pub order_code: Option<OrderCode>,
    /// The KiotViet customer of an invoice, once it was planned.
    pub customer_id: Option<i64>,
    /// The ledger's key of the account that it announced.
    pub account_claim: Option<String>,
    /// The ledger's key of the order that it announced.
    pub order_claim: Option<String>,
    /// Remarks for people.
    pub notes: Vec<Note>,
    /// What the last attempt failed for.
    pub last_failure: Option<LastFailure>,
    /// What it was decided on.
    pub evidence: Vec<Evidence>,
    /// Accounts that matched.
    pub alternatives: Vec<Alternative>,
    /// Calls of the last attempt.
    pub calls: Vec<Call>,
    /// What to look at; none for what cannot be processed.
    pub hint: Option<Hint>,
    /// The raw item, or the whole delivery where it could not be split; dropped when `done`.
    pub body: Option<Body>,
    /// The body is a whole delivery: a retry accepts it anew.
    pub whole_delivery: bool,
    /// What its body counts for among the connection's refused deliveries, bytes.
    pub kept_bytes: Option<i64>,
    /// How many of its items retries have taken as events.
    pub taken: Option<usize>,
    /// The last command that was applied, so that applying it twice changes nothing.
    pub commanded_by: Option<u64>,
    /// It is marked as the unfinished event of what it is about.
    pub marked: bool,
    /// How often KiotViet did not show what it is about.
    pub misses: Option<u32>,
    /// A keyed mark of what a customer would have been pushed as, of one that was not.
    pub members: Option<String>,
    /// Keyed marks of its customer's code and phones ([`super::finding`]).
    pub marks: Vec<String>,
    /// What people see of its customer or sale, sealed ([`super::shown`]).
    pub shown: Option<String>,
    /// The newest attempts that failed, oldest first.
    pub tried: Vec<Tried>,
    /// Whether its delivery was signed, and its members named, as is taken for granted; until it ends.
    pub as_assumed: Option<(Option<bool>, Option<bool>)>,
    /// Whether its order is read back later, and the total that was read.
    pub read_back: Option<ReadBack>,
    /// What was sent for it and how Getfly answered, sealed, of a new connection's events ([`super::first_events`]).
    pub sheet: Option<String>,
}

impl Record {
    /// A new event, waiting for its first attempt.
    pub fn new(
        seq: u64,
        received_at: Timestamp,
        connection: &ConnectionName,
        kind: Kind,
        key: String,
    ) -> Self {
        Self {
            seq,
            received_at,
            connection: connection.clone(),
            kind,
            key,
            status: Status::Received,
            attempts: 0,
            account_code: None,
            order_code: None,
            customer_id: None,
            account_claim: None,
            order_claim: None,
            notes: Vec::new(),
            last_failure: None,
            evidence: Vec::new(),
            alternatives: Vec::new(),
            calls: Vec::new(),
            hint: None,
            body: None,
            whole_delivery: false,
            kept_bytes: None,
            taken: None,
            commanded_by: None,
            marked: false,
            misses: None,
            members: None,
            marks: Vec::new(),
            shown: None,
            tried: Vec::new(),
            as_assumed: None,
            read_back: None,
            sheet: None,
        }
    }

    /// The word for where it stands.
    pub fn state(&self) -> State {
        self.status.state()
    }

    /// Its bytes as a journal entry.
    pub fn to_event(&self) -> Vec<u8> {
        stored::write(&Written::Event(self))
    }

    /// Whether it is to be attempted now.
    pub fn waits_for_attempt(&self, now: Timestamp) -> bool {
        match self.status {
            Status::Received => true,
            Status::Retrying { next_attempt_at } => next_attempt_at <= now,
            Status::Done { .. } | Status::Dead { .. } | Status::Dismissed { .. } => false,
        }
    }

    /// Ends it with `reason`.
    pub fn finish(&mut self, reason: Reason, now: Timestamp) {
        self.status = Status::Done {
            reason,
            finished_at: now,
        };
        self.evidence.push(Evidence::Decided(reason));
        self.body = None;
    }

    /// Whether it waits for a person and may be forged: it is kept no longer than a finished event.
    pub fn may_be_forged(&self) -> bool {
        self.state() == State::Dead && self.status.dead().is_some_and(DeadReason::may_be_forged)
    }

    /// Adds a remark once. What an earlier attempt remarked stays: it may have created something.
    pub fn note(&mut self, note: impl Into<Note>) {
        let note = note.into();
        // Also one that an earlier version kept as its sentence.
        let same = |other: &Note| match other {
            Note::Text(text) => *text == note.to_string(),
            other => *other == note,
        };
        if !self.notes.iter().any(same) {
            self.notes.push(note);
        }
    }

    /// Notes what an attempt failed for, in place of what an earlier one did.
    pub fn failed(&mut self, why: Trouble) {
        self.last_failure = Some(LastFailure {
            after_notes: self.notes.len(),
            why,
        });
    }

    /// Keeps that an attempt failed, among the newest of them.
    pub fn tried(&mut self, at: Timestamp, why: Trouble) {
        self.tried.push(Tried { at, why });
        let surplus = self.tried.len().saturating_sub(TRIED_KEPT);
        self.tried.drain(..surplus);
    }

    /// A person wants another attempt. What an earlier one failed with is no answer to that.
    pub fn queue_again(&mut self, now: Timestamp) {
        self.status = Status::Retrying {
            next_attempt_at: now,
        };
        self.attempts = 0;
        self.last_failure = None;
    }

    /// Whether another attempt was asked for and has not failed yet.
    pub fn is_queued_again(&self) -> bool {
        let is_new = self.attempts == 0 && self.last_failure.is_none();
        is_new && self.commanded_by.is_some() && self.state() == State::Retrying
    }

    /// Ends it as a dead letter.
    pub fn bury(&mut self, reason: DeadReason, now: Timestamp) {
        self.status = Status::Dead {
            reason,
            finished_at: now,
        };
    }

    /// Ends it as what was dismissed already, or stands as a dead letter already, with the note that says so.
    pub fn dismiss(&mut self, reason: DeadReason, note: Note, now: Timestamp) {
        self.status = Status::Dismissed {
            reason,
            finished_at: now,
        };
        self.note(note);
    }

    /// The remarks, with the last failure where it came.
    pub fn told(&self) -> Vec<Told<'_>> {
        let mut all: Vec<Told<'_>> = self.notes.iter().map(Told::Note).collect();
        if let Some(last) = &self.last_failure {
            let at = last.after_notes.min(all.len());
            all.insert(at, Told::LastFailure(&last.why));
        }
        all
    }

    /// The same in the sentences of the API.
    pub fn sentences(&self) -> Vec<String> {
        let told = self.told().into_iter();
        told.map(|one| one.english(|time| time.to_string()))
            .collect()
    }
}

/// A record as it is kept: what says nothing yet is not written, and read as such.
#[derive(Serialize, Deserialize)]
struct Flat {
    seq: u64,
    received_at: Timestamp,
    connection: ConnectionName,
    kind: Kind,
    key: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'static, str>>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_code: Option<AccountCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_code: Option<OrderCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_claim: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<LastFailure>,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Alternative>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(default, skip_serializing_if = "Not::not")]
    whole_delivery: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commanded_by: Option<u64>,
    #[serde(default, skip_serializing_if = "Not::not")]
    marked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    misses: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tried: Vec<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_assumed: Option<(Option<bool>, Option<bool>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_back: Option<ReadBack>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<String>,
}

impl From<Record> for Flat {
    fn from(record: Record) -> Self {
        let status = record.status;
        Self {
            seq: record.seq,
            received_at: record.received_at,
            connection: record.connection,
            kind: record.kind,
            key: record.key,
            state: status.state(),
            outcome: status.outcome(),
            reason: status.reason().map(Cow::Borrowed),
            attempts: record.attempts,
            next_attempt_at: status.next_attempt_at(),
            finished_at: status.finished_at(),
            account_code: record.account_code,
            order_code: record.order_code,
            customer_id: record.customer_id,
            account_claim: record.account_claim,
            order_claim: record.order_claim,
            notes: record.notes,
            last_failure: record.last_failure,
            rule: status.rule(),
            evidence: record.evidence,
            alternatives: record.alternatives,
            calls: record.calls,
            hint: record.hint,
            body: record.body,
            whole_delivery: record.whole_delivery,
            kept_bytes: record.kept_bytes,
            taken: record.taken,
            commanded_by: record.commanded_by,
            marked: record.marked,
            misses: record.misses,
            members: record.members,
            marks: record.marks,
            shown: record.shown,
            tried: record.tried,
            as_assumed: record.as_assumed,
            read_back: record.read_back,
            sheet: record.sheet,
        }
    }
}

/// A record ended for a reason that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason")]
struct UnknownReason;

impl Flat {
    fn status(&self) -> Result<Status, UnknownReason> {
        let word = self.reason.as_deref().unwrap_or_default();
        let finished_at = self.finished_at.unwrap_or(self.received_at);
        let dead = || {
            let mut all = DeadReason::ALL.into_iter();
            all.find(|reason| reason.as_str() == word)
                .ok_or(UnknownReason)
        };
        Ok(match self.state {
            State::Received => Status::Received,
            State::Retrying => Status::Retrying {
                next_attempt_at: self.next_attempt_at.unwrap_or(self.received_at),
            },
            State::Done => {
                let mut all = Reason::ALL.into_iter();
                let reason = all.find(|reason| reason.as_str() == word);
                Status::Done {
                    reason: reason.ok_or(UnknownReason)?,
                    finished_at,
                }
            }
            State::Dead => Status::Dead {
                reason: dead()?,
                finished_at,
            },
            State::Dismissed => Status::Dismissed {
                reason: dead()?,
                finished_at,
            },
        })
    }
}

/// Takes the last failure out of the notes, where an earlier version kept it.
fn take_last_failure(notes: &mut Vec<Note>) -> Option<LastFailure> {
    let why = |note: &Note| match note {
        Note::Text(text) => text.strip_prefix(LAST_FAILURE).map(Trouble::of_text),
        _ => None,
    };
    let (after_notes, why) = notes
        .iter()
        .enumerate()
        .find_map(|(n, note)| Some((n, why(note)?)))?;
    notes.remove(after_notes);
    Some(LastFailure { after_notes, why })
}

impl TryFrom<Flat> for Record {
    type Error = UnknownReason;

    fn try_from(mut flat: Flat) -> Result<Self, UnknownReason> {
        let status = flat.status()?;
        let last_failure = flat
            .last_failure
            .take()
            .or_else(|| take_last_failure(&mut flat.notes));
        Ok(Self {
            seq: flat.seq,
            received_at: flat.received_at,
            connection: flat.connection,
            kind: flat.kind,
            key: flat.key,
            status,
            attempts: flat.attempts,
            account_code: flat.account_code,
            order_code: flat.order_code,
            customer_id: flat.customer_id,
            account_claim: flat.account_claim,
            order_claim: flat.order_claim,
            notes: flat.notes,
            last_failure,
            evidence: flat.evidence,
            alternatives: flat.alternatives,
            calls: flat.calls,
            hint: flat.hint,
            body: flat.body,
            whole_delivery: flat.whole_delivery,
            kept_bytes: flat.kept_bytes,
            taken: flat.taken,
            commanded_by: flat.commanded_by,
            marked: flat.marked,
            misses: flat.misses,
            members: flat.members,
            marks: flat.marks,
            shown: flat.shown,
            tried: flat.tried,
            as_assumed: flat.as_assumed,
            read_back: flat.read_back,
            sheet: flat.sheet,
        })
    }
}

/// What a person asked for. It goes through the journal, so that only the worker ever changes a
/// record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Attempt this event again.
    Retry(u64),
    /// This event needs nothing more.
    Dismiss(u64),
    /// This event was kept long enough for a delivery that may be forged. The worker's own.
    Expire(u64),
    /// What the invoice of this dead letter is, which could not be told.
    Answer {
        /// The event.
        event: u64,
        /// What it is.
        is: EditOrSale,
    },
    /// Which account a customer is.
    Link(AccountLink),
    /// Read this shop's older customers and invoices.
    Backfill(Wanted),
    /// End this connection's backfill.
    StopBackfill(ConnectionName),
    /// Poll this connection's invoices from now on.
    Poll(ConnectionName),
}

impl Command {
    /// Its bytes as a journal entry.
    pub fn to_entry(&self) -> Vec<u8> {
        stored::write(&Written::Command(self))
    }
}

/// Which account a customer is, as a person says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLink {
    /// An event about the customer or about an invoice of his.
    pub event: u64,
    /// KiotViet's id of the customer.
    pub customer_id: i64,
    /// The account's code, which Getfly has; none to undo.
    pub account_code: Option<AccountCode>,
}

/// Which backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Of which connection.
    pub connection: ConnectionName,
    /// Of what was created from then on,
    pub from: Timestamp,
    /// and until then.
    pub to: Timestamp,
}

/// A journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// An event.
    Event(Box<Record>),
    /// A person's command.
    Command(Command),
}

/// The same, borrowed, to be written.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'e> {
    Event(&'e Record),
    Command(&'e Command),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the version before wrote it.
    fn old(members: &str) -> Record {
        let head = r#"{"seq":7,"received_at":"2026-10-05T03:00:00Z","connection":"shop","kind":"invoice","key":"HD1","attempts":2,"#;
        stored::read(format!("{head}{members}}}").as_bytes()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_state_of_an_earlier_version_is_read_with_what_belongs_to_it() {
        let time = at("2026-10-05T04:00:00Z");
        for (members, status) in [
            (r#""state":"received""#, Status::Received),
            (
                r#""state":"retrying","next_attempt_at":"2026-10-05T04:00:00Z""#,
                Status::Retrying {
                    next_attempt_at: time,
                },
            ),
            (
                r#""state":"done","outcome":"linked","reason":"linked_by_email","finished_at":"2026-10-05T04:00:00Z","rule":"R7""#,
                Status::Done {
                    reason: Reason::LinkedByEmail,
                    finished_at: time,
                },
            ),
            (
                r#""state":"dead","reason":"getfly_refused","finished_at":"2026-10-05T04:00:00Z""#,
                Status::Dead {
                    reason: DeadReason::GetflyRefused,
                    finished_at: time,
                },
            ),
            (
                r#""state":"dismissed","reason":"unreadable","finished_at":"2026-10-05T04:00:00Z""#,
                Status::Dismissed {
                    reason: DeadReason::Unreadable,
                    finished_at: time,
                },
            ),
        ] {
            let record = old(members);
            assert_eq!(record.status, status);
            let bytes = String::from_utf8(stored::write(&record)).unwrap();
            for member in members.split(',') {
                assert!(bytes.contains(member), "{member} in {bytes}");
            }
            assert_eq!(stored::read(bytes.as_bytes()), Ok(record));
        }
    }

    #[test]
    fn the_last_failure_of_an_earlier_version_is_told_where_it_stood_and_replaced() {
        let notes = r#""state":"retrying","notes":["signature missing","last failure: Getfly is busy or down (503)","R5: x"]"#;
        let mut record = old(notes);
        let sentences = record.sentences();
        assert_eq!(
            sentences,
            [
                "signature missing",
                "last failure: Getfly is busy or down (503)",
                "R5: x"
            ]
        );
        assert_eq!(record.notes.len(), 2);
        record.failed(Trouble::OldGetfly);
        assert_eq!(record.sentences().len(), 3);
        assert!(record.sentences()[2].starts_with("last failure: Getfly 4.x"));
        let again: Record = stored::read(&stored::write(&record)).unwrap();
        assert_eq!(again, record);
    }

    #[test]
    fn a_remark_is_made_once_also_over_its_sentence_of_an_earlier_version() {
        let mut record = old(r#""state":"received","notes":["accepted anew as 2 event(s)"]"#);
        record.note(Note::AcceptedAnew { events: 2 });
        record.note(Note::WalkIn);
        record.note(Note::WalkIn);
        assert_eq!(record.notes.len(), 2);
    }
}
