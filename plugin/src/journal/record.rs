//! A journal entry: the event that was answered 200, and what became of it. It is also what people
//! see, so it carries its own explanation.

use crate::{
    journal::connection_name::ConnectionName,
    rules::{
        codes::{AccountCode, OrderCode},
        matching::MatchedBy,
        verdict::{Outcome, Reason},
    },
    stored,
    time::Timestamp,
};
use core::ops::Not;
use serde::{Deserialize, Serialize};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `customer.update`.
    Customer,
    /// `invoice.update`.
    Invoice,
    /// Anything else, and what cannot be read.
    Other,
}

impl Kind {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Invoice => "invoice",
            Self::Other => "other",
        }
    }
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its first try.
    Received,
    /// Waits for another try.
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
}

/// An event. What says nothing yet is not written, and read as such.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub state: State,
    /// Set when `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Set when `done` or `dead`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tries that failed.
    pub attempts: u32,
    /// Set when `retrying`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The Getfly account it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_code: Option<AccountCode>,
    /// The Getfly order it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_code: Option<OrderCode>,
    /// The ledger's key of the account that it announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_claim: Option<String>,
    /// The ledger's key of the order that it announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_claim: Option<String>,
    /// Remarks for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The rule that decided, e.g. `R7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What it decided on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Accounts that matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
    /// Calls of the last try.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// What to look at; none for what cannot be processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// The raw item, or the whole delivery where it could not be split; dropped when `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The body is a whole delivery: a retry accepts it anew.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub whole_delivery: bool,
    /// The last command that was applied, so that applying it twice changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commanded_by: Option<u64>,
    /// It is marked as the unfinished event of what it is about.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub marked: bool,
    /// How often KiotViet did not show what it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misses: Option<u32>,
}

impl Record {
    /// A new event, waiting for its first try.
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
            state: State::Received,
            outcome: None,
            reason: None,
            attempts: 0,
            next_attempt_at: None,
            finished_at: None,
            account_code: None,
            order_code: None,
            account_claim: None,
            order_claim: None,
            notes: Vec::new(),
            rule: None,
            evidence: Vec::new(),
            alternatives: Vec::new(),
            calls: Vec::new(),
            hint: None,
            body: None,
            whole_delivery: false,
            commanded_by: None,
            marked: false,
            misses: None,
        }
    }

    /// Its bytes as a journal entry.
    pub fn to_event(&self) -> Vec<u8> {
        stored::write(&Written::Event(self))
    }

    /// Ends it with `reason`.
    pub fn finish(&mut self, reason: Reason, now: Timestamp) {
        self.state = State::Done;
        self.outcome = Some(reason.outcome());
        self.reason = Some(reason.as_str().to_owned());
        self.rule = Some(reason.rule().to_owned());
        self.evidence.push(reason.explain().to_owned());
        self.next_attempt_at = None;
        self.finished_at = Some(now);
        self.body = None;
    }

    /// Adds a remark once. What an earlier attempt remarked stays: it may have created something.
    pub fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|n| n == text) {
            self.notes.push(text.to_owned());
        }
    }

    /// Ends it as a dead letter.
    pub fn bury(&mut self, reason: &str, now: Timestamp) {
        self.state = State::Dead;
        self.outcome = None;
        self.reason = Some(reason.to_owned());
        self.next_attempt_at = None;
        self.finished_at = Some(now);
    }
}

/// What a person asked for. It goes through the journal, so that only the worker ever changes a
/// record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Try this event again.
    Retry(u64),
    /// This event needs nothing more.
    Dismiss(u64),
    /// Read this shop's older customers and invoices.
    Backfill(Wanted),
    /// End this connection's backfill.
    StopBackfill(ConnectionName),
}

impl Command {
    /// Its bytes as a journal entry.
    pub fn to_entry(&self) -> Vec<u8> {
        stored::write(&Written::Command(self))
    }
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
    /// A person's wish.
    Command(Command),
}

/// The same, borrowed, to be written.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'e> {
    Event(&'e Record),
    Command(&'e Command),
}
