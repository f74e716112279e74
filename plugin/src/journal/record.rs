//! A journal entry: the event that was answered 200, and what became of it. It is also what people
//! see, so it carries its own explanation.

use crate::time::Timestamp;
use crate::{
    json::{self, ToJson},
    rules::{
        codes::{AccountCode, OrderCode},
        matching::MatchedBy,
        verdict::{Outcome, Reason},
    },
    stored::{self, Damaged, Stored, stored_fields, stored_words},
};
use serde_json::Value;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `customer.update`.
    Customer,
    /// `invoice.update`.
    Invoice,
    /// Anything else, and what cannot be read.
    Other,
}

stored_words!(Kind { Customer = "customer", Invoice = "invoice", Other = "other" });

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

stored_words!(State {
    Received = "received",
    Retrying = "retrying",
    Done = "done",
    Dead = "dead",
    Dismissed = "dismissed",
});

impl State {
    /// Whether nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Dismissed)
    }

    /// Parses the word used in the API's filter.
    pub fn parse(word: &str) -> Option<Self> {
        Self::from_json(&Value::from(word)).ok()
    }
}

/// Where a record's raw body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Sealed under `master_key`.
    Sealed(String),
    /// Base64 without sealing: there was no usable `master_key` when it came.
    Plain(String),
    /// In this many keys of their own, each sealed or plain as above.
    Parts(usize),
}

impl ToJson for Body {
    fn to_json(&self) -> Value {
        match self {
            Self::Sealed(text) => stored::variant("sealed", text.to_json()),
            Self::Plain(text) => stored::variant("plain", text.to_json()),
            Self::Parts(count) => stored::variant("parts", count.to_json()),
        }
    }
}

impl Stored for Body {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match stored::read_variant(json)? {
            ("sealed", text) => Stored::from_json(text).map(Self::Sealed),
            ("plain", text) => Stored::from_json(text).map(Self::Plain),
            ("parts", count) => Stored::from_json(count).map(Self::Parts),
            _ => Err(Damaged::VALUE),
        }
    }
}

/// An account that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// Its code.
    pub account_code: AccountCode,
    /// Its numeric id.
    pub account_id: i64,
    /// What matched.
    pub matched_by: MatchedBy,
    /// As Getfly tells it.
    pub created_at: Option<String>,
    /// Whether it is the one that was linked.
    pub chosen: bool,
}

stored_fields!(Alternative {
    account_code,
    account_id,
    matched_by,
    created_at,
    chosen
});

/// An upstream call made for an event, without any value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// e.g. `KiotViet GET /customers/{id}`.
    pub endpoint: String,
    /// HTTP status, or none when no answer came.
    pub status: Option<u16>,
    /// How long it took, milliseconds.
    pub ms: i64,
}

stored_fields!(Call {
    endpoint,
    status,
    ms
});

/// What KiotViet's delivery pointed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Id of the customer or invoice.
    pub id: i64,
    /// Its code, where the delivery had one.
    pub code: Option<String>,
    /// A backfill reaches back to this moment: what was created from then on counts as new.
    pub since: Option<Timestamp>,
}

stored_fields!(Hint { id, code, since });

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Number in the journal.
    pub seq: u64,
    /// When the delivery came.
    pub received_at: Timestamp,
    /// Connection it came for.
    pub connection: String,
    /// What it is about.
    pub kind: Kind,
    /// For people: the customer's id, the invoice's code, or the delivery's action.
    pub key: String,
    /// Where it stands.
    pub state: State,
    /// Set when `done`.
    pub outcome: Option<Outcome>,
    /// Set when `done` or `dead`.
    pub reason: Option<String>,
    /// Tries that failed.
    pub attempts: u32,
    /// Set when `retrying`.
    pub next_attempt_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The Getfly account it led to.
    pub account_code: Option<AccountCode>,
    /// The Getfly order it led to.
    pub order_code: Option<OrderCode>,
    /// The ledger's key of the account that it announced.
    pub account_claim: Option<String>,
    /// The ledger's key of the order that it announced.
    pub order_claim: Option<String>,
    /// Remarks for people.
    pub notes: Vec<String>,
    /// The rule that decided, e.g. `R7`.
    pub rule: Option<String>,
    /// What it decided on.
    pub evidence: Vec<String>,
    /// Accounts that matched.
    pub alternatives: Vec<Alternative>,
    /// Calls of the last try.
    pub calls: Vec<Call>,
    /// What to look at; none for what cannot be processed.
    pub hint: Option<Hint>,
    /// The raw item, or the whole delivery where it could not be split; dropped when `done`.
    pub body: Option<Body>,
    /// The body is a whole delivery: a retry accepts it anew.
    pub whole_delivery: bool,
    /// The last command that was applied, so that applying it twice changes nothing.
    pub commanded_by: Option<u64>,
    /// It is marked as the unfinished event of what it is about.
    pub marked: bool,
    /// How often KiotViet did not show what it is about.
    pub misses: Option<u32>,
}

stored_fields!(Record {
    seq,
    received_at,
    connection,
    kind,
    key,
    state,
    outcome,
    reason,
    attempts,
    next_attempt_at,
    finished_at,
    account_code,
    order_code,
    account_claim,
    order_claim,
    notes,
    rule,
    evidence,
    alternatives,
    calls,
    hint,
    body,
    whole_delivery,
    commanded_by,
    marked,
    misses,
});

impl Record {
    /// A new event, waiting for its first try.
    pub fn new(
        seq: u64,
        received_at: Timestamp,
        connection: &str,
        kind: Kind,
        key: String,
    ) -> Self {
        Self {
            seq,
            received_at,
            connection: connection.to_owned(),
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

    /// Its bytes as a journal entry, without the fields that say nothing yet.
    pub fn to_event(&self) -> Vec<u8> {
        let members = self.members().into_iter();
        let mut text = b"{\"event\":".to_vec();
        let said = members.filter(|(_, json)| !stored::may_be_missing(json));
        json::write_object(&mut text, said);
        text.push(b'}');
        text
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Try this event again.
    Retry(u64),
    /// This event needs nothing more.
    Dismiss(u64),
    /// Read this shop's older customers and invoices.
    Backfill(Wanted),
    /// End this connection's backfill.
    StopBackfill(String),
}

/// Which backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of which connection.
    pub connection: String,
    /// Of what was created from then on,
    pub from: Timestamp,
    /// and until then.
    pub to: Timestamp,
}

stored_fields!(Wanted {
    connection,
    from,
    to
});

impl ToJson for Command {
    fn to_json(&self) -> Value {
        match self {
            Self::Retry(seq) => stored::variant("retry", seq.to_json()),
            Self::Dismiss(seq) => stored::variant("dismiss", seq.to_json()),
            Self::Backfill(wanted) => stored::variant("backfill", wanted.to_json()),
            Self::StopBackfill(name) => stored::variant("stop_backfill", name.to_json()),
        }
    }
}

impl Stored for Command {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match stored::read_variant(json)? {
            ("retry", seq) => Stored::from_json(seq).map(Self::Retry),
            ("dismiss", seq) => Stored::from_json(seq).map(Self::Dismiss),
            ("backfill", wanted) => Stored::from_json(wanted).map(Self::Backfill),
            ("stop_backfill", name) => Stored::from_json(name).map(Self::StopBackfill),
            _ => Err(Damaged::VALUE),
        }
    }
}

/// A journal entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An event.
    Event(Box<Record>),
    /// A person's wish.
    Command(Command),
}

impl Stored for Entry {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        match stored::read_variant(json)? {
            ("event", json) => Ok(Self::Event(Box::new(Stored::from_json(json)?))),
            ("command", json) => Stored::from_json(json).map(Self::Command),
            _ => Err(Damaged::VALUE),
        }
    }
}
