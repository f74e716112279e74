//! What the API answers, as types: it writes them, the page draws them, and tests read them. Members stand in
//! alphabetical order, as every version has written them.

use crate::{
    journal::{
        account_index::AccountIndex,
        alerts::Cause,
        backfill,
        connection_name::ConnectionName,
        cursor::Counts,
        evidence::Evidence,
        list_scan::ListScan,
        note::Note,
        record::{Alternative, Call, Kind, Record, State},
        trouble::Trouble,
        webhook::Webhook,
    },
    rules::{
        codes::{AccountCode, Edition, OrderCode, RetailerId},
        verdict::{Outcome, Reason},
    },
    time::{Date, Timestamp},
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A fact that the API tells in its English sentence. Read back, it is that sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InWords<T>(pub T);

impl<T: fmt::Display> Serialize for InWords<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InWords<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As the journal reads a sentence of an earlier version.
        T::deserialize(deserializer).map(Self)
    }
}

/// `GET /api/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// Newest first.
    pub events: Vec<Event>,
    /// `before` of the next page; none when there is none.
    pub next_before: Option<u64>,
}

/// An event in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The Getfly account it led to.
    pub account_code: Option<AccountCode>,
    /// Attempts that failed.
    pub attempts: u32,
    /// Connection it came for.
    pub connection: ConnectionName,
    /// The customer's id, the invoice's code, or the delivery's action.
    pub key: String,
    /// What it is about.
    pub kind: Kind,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Remarks.
    pub notes: Vec<String>,
    /// The Getfly order it led to.
    pub order_code: Option<OrderCode>,
    /// Set when it is done.
    pub outcome: Option<Outcome>,
    /// Set when it is done or dead.
    pub reason: Option<String>,
    /// When the delivery came.
    pub received_at: Timestamp,
    /// Its number.
    pub seq: u64,
    /// Where it stands.
    pub state: State,
}

impl From<Record> for Event {
    fn from(record: Record) -> Self {
        Self {
            attempts: record.attempts,
            next_attempt_at: record.status.next_attempt_at(),
            notes: record.sentences(),
            outcome: record.status.outcome(),
            reason: record.status.reason().map(str::to_owned),
            received_at: record.received_at,
            seq: record.seq,
            state: record.state(),
            kind: record.kind,
            account_code: record.account_code,
            connection: record.connection,
            key: record.key,
            order_code: record.order_code,
        }
    }
}

/// `POST /api/events/{seq}/link`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// The account that the customer is from now on; null where the link was undone.
    pub account_code: Option<AccountCode>,
    /// KiotViet's id of the customer.
    pub customer_id: i64,
    /// His orders under another account, among the newest thousand journal entries.
    pub other_orders: Vec<OtherOrder>,
}

/// An order that is under another account than the one that was linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherOrder {
    /// That account.
    pub account_code: AccountCode,
    /// The order.
    pub order_code: OrderCode,
    /// Its event.
    pub seq: u64,
}

/// `POST /api/getfly`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The address that was the store's before; null where it was this one.
    pub former: Option<String>,
    /// The address that is the store's from now on.
    pub getfly_url: String,
}

/// `GET /api/connections/{name}/links`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// By KiotViet's id.
    pub links: Vec<CustomerLink>,
}

/// A customer whom a person linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLink {
    /// The account.
    pub account_code: AccountCode,
    /// KiotViet's id of the customer.
    pub customer_id: i64,
    /// Since when.
    pub since: Timestamp,
}

/// `GET /api/events/{seq}`: the same with what explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetail {
    /// See [`Event`].
    pub account_code: Option<AccountCode>,
    /// Accounts that matched.
    pub alternatives: Vec<Alternative>,
    /// See [`Event`].
    pub attempts: u32,
    /// The calls of its last attempt.
    pub calls: Vec<Call>,
    /// See [`Event`].
    pub connection: ConnectionName,
    /// What its rule decided on.
    pub evidence: Vec<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// See [`Event`].
    pub key: String,
    /// See [`Event`].
    pub kind: Kind,
    /// See [`Event`].
    pub next_attempt_at: Option<Timestamp>,
    /// See [`Event`].
    pub notes: Vec<String>,
    /// See [`Event`].
    pub order_code: Option<OrderCode>,
    /// See [`Event`].
    pub outcome: Option<Outcome>,
    /// See [`Event`].
    pub reason: Option<String>,
    /// See [`Event`].
    pub received_at: Timestamp,
    /// The rule that decided, e.g. `R7`.
    pub rule: Option<String>,
    /// See [`Event`].
    pub seq: u64,
    /// See [`Event`].
    pub state: State,
    /// Its newest ten attempts that failed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<FailedAttempt>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// When.
    pub at: Timestamp,
    /// Why, with the vendor's words.
    pub why: InWords<Trouble>,
}

impl From<Record> for EventDetail {
    fn from(record: Record) -> Self {
        let evidence = record.evidence.iter().map(ToString::to_string);
        let tried = record.tried.iter().map(|one| FailedAttempt {
            at: one.at,
            why: InWords(one.why.clone()),
        });
        let tried = tried.collect();
        Self {
            tried,
            evidence: evidence.collect(),
            attempts: record.attempts,
            finished_at: record.status.finished_at(),
            next_attempt_at: record.status.next_attempt_at(),
            notes: record.sentences(),
            outcome: record.status.outcome(),
            reason: record.status.reason().map(str::to_owned),
            received_at: record.received_at,
            rule: record.status.rule().map(str::to_owned),
            seq: record.seq,
            state: record.state(),
            kind: record.kind,
            account_code: record.account_code,
            alternatives: record.alternatives,
            calls: record.calls,
            connection: record.connection,
            key: record.key,
            order_code: record.order_code,
        }
    }
}

/// `POST /api/events/retry-dead`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// `before` of the next request; none when all are retried.
    pub next_before: Option<u64>,
    /// Dead letters that are tried again.
    pub retried: usize,
}

/// `POST /api/connections/{name}/rotate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// Until when the former path opens the connection; none while KiotViet still has a registration to it.
    pub former_valid_until: Option<Timestamp>,
    /// The connection.
    pub rotated: ConnectionName,
    /// Why KiotViet does not have the new path yet. Webhook health registers it.
    pub warning: Option<String>,
}

/// `POST /api/events/dismiss`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissed {
    /// Dead letters that are dismissed.
    pub dismissed: usize,
    /// `before` of the next request; none when all are.
    pub next_before: Option<u64>,
}

/// `GET /api/overview`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// What should be set otherwise on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The index of Getfly's accounts; none before its first scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<KnownAccounts>,
    /// Whether the counts add up.
    pub balanced: bool,
    /// The shops that can be read.
    pub connections: Vec<ShopOverview>,
    /// How many assumptions do not hold here.
    pub contradicted: usize,
    /// Events by where they stand.
    pub counts: Counts,
    /// When the oldest event came that is not final.
    pub oldest_waiting_at: Option<Timestamp>,
    /// What only people can mend.
    pub outside: Vec<InWords<Trouble>>,
    /// Upstreams that fail.
    pub paused: Vec<Paused>,
    /// Numbers that the worker has not looked at.
    pub unread: u64,
    /// What this host's store cannot promise.
    pub weaker: Option<String>,
}

/// How far the index of Getfly's accounts is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAccounts {
    /// Accounts that the last scan of all saw.
    pub accounts: u64,
    /// When it ended; none during the first one.
    pub filled_at: Option<Timestamp>,
    /// Whether marks are missing, because there is no room for them.
    pub is_full: bool,
    /// Whether Getfly lists accounts in no certain order.
    pub is_unsorted: bool,
    /// Why the last page could not be read.
    pub problem: Option<InWords<Trouble>>,
    /// Accounts that the scan of all under way has seen.
    pub scanned: Option<u64>,
    /// Since when Getfly is known not to filter accounts by when they were changed.
    pub unfiltered_since: Option<Timestamp>,
}

impl From<AccountIndex> for KnownAccounts {
    fn from(index: AccountIndex) -> Self {
        let scan = index.scan.filter(|scan| scan.since.is_none());
        Self {
            accounts: index.accounts,
            filled_at: index.filled_at,
            is_full: index.is_full,
            is_unsorted: index.is_unsorted,
            problem: index.problem.map(InWords),
            scanned: scan.map(|scan| scan.seen),
            unfiltered_since: index.unfiltered_since,
        }
    }
}

/// `GET /api/alerts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerts {
    /// What stands now.
    pub causes: Vec<StandingCause>,
    /// In which form people are told; none: nobody is.
    pub format: Option<String>,
    /// What became of the last message.
    pub last_sent: Option<LastAlert>,
    /// What nobody wants to be told of.
    pub muted: Vec<Cause>,
}

/// A cause that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingCause {
    /// The cause.
    pub cause: Cause,
    /// How many open dead letters; one for any other cause.
    pub count: u64,
    /// Since when.
    pub since: Timestamp,
    /// When people were told.
    pub told_at: Option<Timestamp>,
}

/// The last alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAlert {
    /// When it was sent.
    pub at: Timestamp,
    /// Why it is not known to have arrived.
    pub failed: Option<String>,
}

/// `POST /api/alerts/test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The receiver took it.
    pub arrived: bool,
}

/// An upstream that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// `Getfly`, or the connection whose KiotViet it is.
    pub side: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it is asked again; none where an event is due at any moment.
    pub until: Option<Timestamp>,
    /// How many events wait for it.
    pub waiting: u64,
    /// What it failed with last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<InWords<Trouble>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_retail(edition: &Edition) -> bool {
    *edition == Edition::Retail
}

fn name_alone<S: serde::Serializer>(shop: &RetailerId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(shop.name())
}

/// One shop in the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopOverview {
    /// When KiotViet's list of webhooks was last seen.
    pub checked_at: Option<Timestamp>,
    /// Days with events, oldest first.
    pub days: Vec<ShopDay>,
    /// How many of its first events a person may look at.
    pub first_events: usize,
    /// Whether one did, and said how they are.
    pub first_events_looked_at: bool,
    /// When its last event came.
    pub last_event_at: Option<Timestamp>,
    /// When last something was found that KiotViet had not delivered.
    pub missed_at: Option<Timestamp>,
    /// Its name.
    pub name: ConnectionName,
    /// What is wrong with its webhooks.
    pub problem: Option<InWords<Trouble>>,
    /// The shop's edition of KiotViet; retail where none is said.
    #[serde(default, skip_serializing_if = "is_retail")]
    pub edition: Edition,
    /// KiotViet's shop name.
    #[serde(serialize_with = "name_alone")]
    pub retailer: RetailerId,
    /// Its webhooks, as they were last seen.
    pub webhooks: Webhooks<SeenHook>,
}

/// How many events of a shop ended on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDay {
    /// Created.
    pub created: u64,
    /// The day in Vietnam.
    pub date: Date,
    /// Dead letters.
    pub dead: u64,
    /// Ignored.
    pub ignored: u64,
    /// Linked.
    pub linked: u64,
    /// Dead letters of that day that still need a person; for the page.
    #[serde(skip)]
    pub open: u64,
}

/// Something of both webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhooks<T> {
    /// Of the customer webhook.
    pub customer: T,
    /// Of the order webhook.
    pub order: T,
}

impl<T> Webhooks<T> {
    /// That of `webhook`.
    pub fn of(&self, webhook: Webhook) -> &T {
        match webhook {
            Webhook::Customer => &self.customer,
            Webhook::Order => &self.order,
        }
    }
}

/// A webhook as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenHook {
    /// Whether KiotViet delivers it; none while that is unknown, or while it is off.
    pub active: Option<bool>,
    /// Whether it is switched on.
    pub on: bool,
    /// The last poll that came through, where the list is polled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled_at: Option<Timestamp>,
}

/// `GET /api/connections`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Those that can be read, then the others.
    pub connections: Vec<Listed>,
}

/// A connection in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listed {
    /// One that can be read.
    Sound(Box<Connection>),
    /// One whose record cannot be read.
    Damaged {
        /// True.
        damaged: bool,
        /// Its name.
        name: ConnectionName,
    },
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// KiotViet's ClientId.
    pub client_id: String,
    /// When it was connected.
    pub connected_at: Timestamp,
    /// Whether a path that a rotation replaced still opens it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub former_path_valid: bool,
    /// Its name.
    pub name: ConnectionName,
    /// The shop's edition of KiotViet; retail where none is said.
    #[serde(default, skip_serializing_if = "is_retail")]
    pub edition: Edition,
    /// KiotViet's shop name.
    #[serde(serialize_with = "name_alone")]
    pub retailer: RetailerId,
    /// Whether a delivery with a valid signature has come.
    pub valid_signature_seen: bool,
    /// Its webhooks.
    pub webhooks: Webhooks<Hook>,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// What KiotViet says of it now.
    pub kiotviet: AtKiotViet,
    /// Whether it is switched on.
    pub on: bool,
    /// Since when.
    pub on_since: Option<Timestamp>,
}

/// What KiotViet says of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AtKiotViet {
    /// It was asked.
    Seen {
        /// Whether it delivers the webhook.
        active: bool,
        /// Whether it has it.
        registered: bool,
    },
    /// There is no such webhook in the shop's edition: its list is polled.
    Polled {
        /// Whether the last polls came through; none before the first one, or while it is off.
        comes_through: Option<bool>,
        /// The last poll that did.
        polled_at: Option<Timestamp>,
    },
    /// It could not be asked.
    Unseen {
        /// Why.
        error: InWords<Trouble>,
    },
}

impl AtKiotViet {
    /// Whether KiotViet has the webhook; none while that is unknown.
    pub fn registered(&self) -> Option<bool> {
        match self {
            Self::Seen { registered, .. } => Some(*registered),
            Self::Polled { .. } | Self::Unseen { .. } => None,
        }
    }

    /// Whether KiotViet delivers it; none while that is unknown.
    pub fn active(&self) -> Option<bool> {
        match self {
            Self::Seen { active, .. } => Some(*active),
            Self::Polled { comes_through, .. } => *comes_through,
            Self::Unseen { .. } => None,
        }
    }

    /// The last poll that came through, where the list is polled.
    pub fn polled(&self) -> Option<Option<Timestamp>> {
        match self {
            Self::Polled { polled_at, .. } => Some(*polled_at),
            Self::Seen { .. } | Self::Unseen { .. } => None,
        }
    }
}

/// `PUT /api/connections/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// How many branches the shop has; none where its edition does not list them.
    pub branches: Option<u64>,
    /// The guide's warning (R1).
    pub guide: String,
    /// Its name.
    pub name: ConnectionName,
    /// The shop's edition of KiotViet; retail where none is said.
    #[serde(default, skip_serializing_if = "is_retail")]
    pub edition: Edition,
    /// KiotViet's shop name.
    #[serde(serialize_with = "name_alone")]
    pub retailer: RetailerId,
    /// Its secrets are new, so that webhooks that were on deliver to an address that is no longer known.
    pub webhooks_need_switching_on: bool,
}

/// `DELETE /api/connections/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its name.
    pub removed: ConnectionName,
    /// What is left at KiotViet, and why.
    pub warning: Option<String>,
}

/// `PUT` and `DELETE /api/connections/{name}/webhooks/{webhook}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    /// Whether it is on now.
    pub on: bool,
    /// Since when, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_since: Option<Timestamp>,
    /// Which.
    pub webhook: Webhook,
}

/// `GET`, `POST` and `DELETE /api/connections/{name}/backfill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Backfill {
    /// There was none.
    Never(NoBackfill),
    /// The last one.
    Run(Box<BackfillRun>),
}

/// A connection without a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoBackfill {
    /// Its name.
    pub connection: ConnectionName,
    /// `none`.
    pub state: Never,
}

/// The word of a backfill that never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {
    /// The word.
    #[serde(rename = "none")]
    None,
}

/// How a backfill stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillRun {
    /// The number of its command; for the page.
    #[serde(skip)]
    pub by: u64,
    /// Of which connection.
    pub connection: ConnectionName,
    /// The list of customers, where that webhook was on.
    pub customers: Option<ListScan>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Of what was created from then on.
    pub from: Timestamp,
    /// The list of invoices, where that webhook was on.
    pub invoices: Option<ListScan>,
    /// Why it waits, or waited last.
    pub note: Option<InWords<Trouble>>,
    /// What its events came to; none where that was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Counts>,
    /// When it began.
    pub started_at: Timestamp,
    /// Where it stands.
    pub state: backfill::State,
    /// Of what was created until then.
    pub to: Timestamp,
}

/// `POST /api/connections/{name}/backfill` with `dry_run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillPreview {
    /// Whether every page of the lists was looked at.
    pub complete: bool,
    /// What it found of the customers, where that webhook is on.
    pub customers: Option<FoundInList>,
    /// True.
    pub dry_run: bool,
    /// Of what was created from then on.
    pub from: Timestamp,
    /// What it found of the invoices, where that webhook is on.
    pub invoices: Option<FoundInList>,
    /// How long bringing it all in takes.
    pub seconds: u64,
    /// Of what was created until then.
    pub to: Timestamp,
}

/// What a preview found of one list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundInList {
    /// Those that need nothing.
    pub known: u64,
    /// Records within the period.
    pub listed: u64,
    /// Those that would become events.
    pub to_process: u64,
}

/// What starting a backfill answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BackfillStarted {
    /// It was only looked at.
    Preview(Box<BackfillPreview>),
    /// It was asked for.
    Asked(Backfill),
}

/// `GET /api/connections/{name}/staff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// The shop's sellers.
    pub staff: Vec<Seller>,
}

/// A seller (R13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The Getfly user of the same phone.
    pub getfly_user: Option<SellerUser>,
    /// KiotViet's id.
    pub id: i64,
    /// Display name.
    pub name: String,
    /// As typed in; for the page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Why there is no user.
    pub problem: Option<SellerProblem>,
}

/// A seller's Getfly user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerUser {
    /// Getfly's id.
    pub id: i64,
    /// Login name.
    pub login: String,
    /// Display name.
    pub name: String,
}

/// Why a seller is no Getfly user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SellerProblem {
    /// He has no phone at KiotViet.
    SellerWithoutPhone,
    /// No Getfly user has his phone.
    NobodyWithThatPhone,
    /// He is not in KiotViet's list.
    UnknownSeller,
}

/// `POST /api/preview/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// What each item of the delivery would lead to.
    pub items: Vec<Previewed>,
}

/// What one item would lead to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Previewed {
    /// This.
    Plan(Box<PreviewedPlan>),
    /// Nothing can be said.
    Problem(PreviewedProblem),
}

/// A plan, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewedPlan {
    /// What would be done: the worker's own plan as JSON.
    pub action: Value,
    /// Accounts that matched.
    pub alternatives: Vec<Alternative>,
    /// KiotViet's code, where given.
    pub code: Option<String>,
    /// What it was decided on.
    pub evidence: Vec<InWords<Evidence>>,
    /// KiotViet's id, where readable.
    pub id: Option<i64>,
    /// What it is about.
    pub kind: Kind,
    /// Remarks.
    pub notes: Vec<InWords<Note>>,
    /// The outcome the event would have.
    pub outcome: Outcome,
    /// The reason it would end with.
    pub reason: Reason,
    /// The rule that decides.
    pub rule: String,
}

/// Why nothing can be said of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewedProblem {
    /// KiotViet's code, where given.
    pub code: Option<String>,
    /// KiotViet's id, where readable.
    pub id: Option<i64>,
    /// What it is about.
    pub kind: Kind,
    /// Why.
    pub problem: InWords<Trouble>,
}

/// `POST /api/drain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// Another worker holds the lease.
    pub busy: bool,
    /// Dead letters in all.
    pub dead: u64,
    /// Events that ended.
    pub ended: u64,
    /// Attempts that failed and are made again.
    pub failed: u64,
    /// Why it stopped early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Events that wait, as far as the worker has looked.
    pub waiting: u64,
}

/// An error, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemDetails {
    /// What was wrong and how to mend it.
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
    /// A short sentence.
    pub title: String,
    /// A stable word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Variables that need attention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Vec<Variable>>,
}

/// A variable that is missing or malformed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// What is wrong with it.
    pub problem: String,
    /// Its name.
    pub variable: String,
}

/// `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What should be set otherwise on this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<String>>,
    /// `ok` or `unavailable`.
    pub status: String,
    /// What this host's store cannot promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weaker: Option<String>,
}
