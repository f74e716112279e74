//! Every key of the store, in one place. All carry a prefix, because on Spin's Redis store all
//! applications share one key space. Counters and values never share a key.

use crate::{
    journal::{
        connection_name::{ConnectionName, Upstream},
        kind::Kind,
        webhook::Webhook,
    },
    rules::{
        codes::{OrderCode, RetailerId},
        money::Money,
    },
    time::Date,
};

/// Counter: the last journal number that was reserved.
pub const JOURNAL_TAIL: &str = "kvgf/journal/tail";
/// The worker's cursor in the journal ([`super::cursor::Cursor`]).
pub const CURSOR: &str = "kvgf/journal/cursor";
/// Counter: connections ever made.
pub const CONNECTION_COUNT: &str = "kvgf/connections/count";
/// Sealed list of Getfly users.
pub const GETFLY_USERS: &str = "kvgf/cache/getfly-users";

/// Since when each assumption is confirmed or contradicted ([`super::assumptions`]).
pub const ASSUMPTIONS: &str = "kvgf/assumptions";

/// The shape of F&B's first invoices ([`super::shapes`]).
pub const SHAPES: &str = "kvgf/shapes";

/// Mark: the tenant was found without this version of the API, and when.
pub const OLD_GETFLY: &str = "kvgf/old-getfly";

/// Mark: an account was seen whose contact person has a number that the account itself does not have.
pub const CONTACT_NUMBERS: &str = "kvgf/contact-numbers";

/// How far the index of Getfly's accounts is filled ([`super::account_index`]).
pub const ACCOUNTS: &str = "kvgf/accounts";

/// Which Getfly tenant the store's accounts and orders are in.
pub const TENANT: &str = "kvgf/tenant";

/// Since when the store knows what was done ([`super::life::Life`]).
pub const LIFE: &str = "kvgf/life";

/// Mark of a store that was tried: whether it counts (`atomic`) or not (`plain`).
pub const STORE_KIND: &str = "kvgf/store";
/// Mark: how far the trial is, or that a mark was lost ([`super::probe`]).
pub const STORE_KEPT: &str = "kvgf/store/kept";
/// Counter, a mark: how often the store was tried.
pub const STORE_COUNTED: &str = "kvgf/store/counted";
/// What became of the last alert.
pub const ALERT_SENT: &str = "kvgf/alerts/sent";
/// The causes that a person does not want to be told of.
pub const ALERTS_MUTED: &str = "kvgf/alerts/muted";
/// How often people did what ([`super::acts`]).
pub const ACTS: &str = "kvgf/acts";
/// The epoch in which the page's sessions are valid.
pub const SESSION_EPOCH: &str = "kvgf/sessions/epoch";
/// Sessions that were ended before their time.
pub const ENDED_SESSIONS: &str = "kvgf/sessions/ended";
/// Where journal entries are.
pub const ENTRIES: &str = "kvgf/journal/";
/// Until when a create may take effect whose request may have been stopped, in a store without atomics.
pub const OPEN_CREATE: &str = "kvgf/open-create";
/// Where the marks of [`unlooked`] are.
pub const UNLOOKED: &str = "kvgf/unlooked/";

/// Marks a session that was ended before its time.
pub fn ended_session(id: &str) -> String {
    format!("kvgf/sessions/ended/{id}")
}

/// A key of one trial of the store.
pub fn probe(lot: u64, name: &str) -> String {
    format!("kvgf/store/probe/{lot:016x}/{name}")
}

/// Marks an entry that no drain has looked at, in a store without atomics.
pub fn unlooked(seq: u64) -> String {
    format!("{UNLOOKED}{seq}")
}

/// A journal entry.
pub fn entry(seq: u64) -> String {
    format!("{ENTRIES}{seq}")
}

/// Where what people see of an event is sealed; a part of its entry.
pub fn shown(seq: u64) -> String {
    format!("{ENTRIES}{seq}/shown")
}

/// A part of the index of a span of journal numbers ([`super::index`]).
pub fn index(span: u64, part: u64) -> String {
    format!("kvgf/index/{span}/{part}")
}

/// A part of the index of a chunk of spans.
pub fn index_chunk(chunk: u64, part: u64) -> String {
    format!("kvgf/index/chunk/{chunk}/{part}")
}

/// A part of a large delivery body.
pub fn body_part(seq: u64, part: usize) -> String {
    format!("kvgf/journal/{seq}/body/{part}")
}

/// An element of a due list.
pub fn due(bucket: i64, index: u32) -> String {
    format!("kvgf/due/{bucket}/{index}")
}

/// Counter: who owns a time slot.
pub fn lease(slot: i64) -> String {
    format!("kvgf/lease/{slot}")
}

/// The outcome of a KiotViet customer.
pub fn customer(retailer: &RetailerId, id: i64) -> String {
    format!("kvgf/customer/{retailer}/{id}")
}

/// The customers of a shop whom people linked by hand.
pub fn links(retailer: &RetailerId) -> String {
    format!("kvgf/links/{retailer}")
}

/// The account that was created with this number among several (`fingerprint` of it).
pub fn number(fingerprint: &str) -> String {
    format!("kvgf/number/{fingerprint}")
}

/// A part of the index of Getfly's accounts.
pub fn account_marks(shard: u32) -> String {
    format!("kvgf/accounts/{shard}")
}

/// What a shop's orders without a customer are attached to.
pub fn walk_ins(retailer: &RetailerId) -> String {
    format!("kvgf/walk-ins/{retailer}")
}

/// The outcome of the sale of a code: an invoice's own, or the one before an edit's `.NN`.
pub fn invoice(retailer: &RetailerId, code: &str) -> String {
    format!("kvgf/invoice/{retailer}/{code}")
}

/// The outcome of another sale under a used code, by its invoice's id.
pub fn invoice_again(retailer: &RetailerId, id: i64) -> String {
    format!("kvgf/invoice-again/{retailer}/{id}")
}

/// The name of the n-th connection.
pub fn connection_name(n: i64) -> String {
    format!("kvgf/connections/{n}")
}

/// The endings of a day that is over.
pub fn day(date: Date) -> String {
    format!("kvgf/day/{date}")
}

/// The event that is, or was last, about a customer or an invoice and is not done.
pub fn open_event(connection: &ConnectionName, kind: Kind, id: i64) -> String {
    format!("kvgf/open/{connection}/{}/{id}", kind.as_str())
}

/// A dismissal of a shop's customer or invoice.
pub fn dismissed(retailer: &RetailerId, kind: Kind, id: i64) -> String {
    format!("kvgf/dismissed/{retailer}/{}/{id}", kind.as_str())
}

/// What was last seen of a connection's webhooks, and how far it was read back.
pub fn webhook_health(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/watch")
}

/// How far a connection's preflight has come.
pub fn preflight(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/preflight")
}

/// A connection's sales that changed after their orders were made.
pub fn changes(name: &ConnectionName) -> String {
    format!("kvgf/changes/{name}")
}

/// Mark: which event's change of this order a person has corrected in Getfly.
pub fn corrected(name: &ConnectionName, order: &OrderCode) -> String {
    format!("kvgf/changes/{name}/{order}")
}

/// Mark: which event tells, or told, a shop's Getfly account of this change of an invoice; `now` is its new total, none
/// where it was cancelled.
pub fn change_told(retailer: &RetailerId, invoice_id: i64, now: Option<Money>) -> String {
    let now = now.map_or_else(
        || "cancelled".to_owned(),
        |total| total.amount().normalize().to_string(),
    );
    format!("kvgf/change-told/{retailer}/{invoice_id}/{now}")
}

/// A connection's backfill.
pub fn backfill(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/backfill")
}

/// A connection.
pub fn connection(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}")
}

/// A connection's first events, once there are enough ([`super::first_events`]).
pub fn first_events(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/first-events")
}

/// What a person said of these.
pub fn first_events_looked(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/first-events/looked")
}

/// What was read back for one of these, sealed.
pub fn first_event(seq: u64) -> String {
    format!("kvgf/first-event/{seq}")
}

/// A webhook's switch.
pub fn switch(name: &ConnectionName, webhook: Webhook) -> String {
    format!("kvgf/connection/{name}/switch/{}", webhook.as_str())
}

/// Set once this connection has seen a valid signature.
pub fn signed(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/signed")
}

/// Ids that KiotViet does not have, as unsigned hints asked for them.
pub fn not_there(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/not-there")
}

/// Until when former path tokens open a connection.
pub fn former_until(name: &ConnectionName) -> String {
    format!("kvgf/connection/{name}/former-until")
}

/// Counter: refused deliveries of a connection that were kept whole in an hour.
pub fn refused_kept(name: &ConnectionName, hour: i64) -> String {
    format!("kvgf/refused/{name}/{hour}/kept")
}

/// Counter: further ones in that hour.
pub fn refused_counted(name: &ConnectionName, hour: i64) -> String {
    format!("kvgf/refused/{name}/{hour}/counted")
}

/// Counter: bytes of a connection's deliveries of that hour that nobody signed and that are taken as hints.
pub fn hinted_bytes(name: &ConnectionName, hour: i64) -> String {
    format!("kvgf/refused/{name}/{hour}/hinted")
}

/// The number of the event that tells of these.
pub fn refused_event(name: &ConnectionName, hour: i64) -> String {
    format!("kvgf/refused/{name}/{hour}/event")
}

/// The last hour in which a refused delivery was kept whole, or an unsigned one taken as a hint.
pub fn refused_hour(name: &ConnectionName) -> String {
    format!("kvgf/refused/{name}/hour")
}

/// Counter: bytes of a connection's refused deliveries that are kept.
pub fn refused_bytes(name: &ConnectionName) -> String {
    format!("kvgf/refused/{name}/bytes")
}

/// The moment of the first delivery that was dropped since the last list scan.
pub fn refused_since(name: &ConnectionName) -> String {
    format!("kvgf/refused/{name}/since")
}

/// Sealed access token of a connection.
pub fn token(name: &ConnectionName) -> String {
    format!("kvgf/cache/token/{name}")
}

/// Since when a list of users cannot be read: Getfly's, or a connection's at KiotViet.
pub fn users_unread(upstream: Upstream<'_>) -> String {
    match upstream {
        Upstream::Getfly => "kvgf/users-unread/getfly".to_owned(),
        Upstream::KiotViet(name) => format!("kvgf/users-unread/kiotviet/{name}"),
    }
}

/// Sealed list of sellers who were looked for in vain.
pub fn missed_sellers(name: &ConnectionName) -> String {
    format!("kvgf/cache/missed-sellers/{name}")
}

/// Sealed mark: the connection's edition has no list of users.
pub fn users_not_offered(name: &ConnectionName) -> String {
    format!("kvgf/cache/users-not-offered/{name}")
}

/// Sealed list of a connection's KiotViet users.
pub fn kiotviet_users(name: &ConnectionName) -> String {
    format!("kvgf/cache/kiotviet-users/{name}")
}
