//! How far a list of KiotViet's customers or invoices was read: for a backfill, or for what KiotViet
//! may have failed to deliver.

use super::{
    connections::{Connection, Webhook},
    ledger::{self, CustomerKnown},
    session::Session,
    unfinished,
    watch::OVERLAP,
    world::{Store, StoreError, World},
};
use crate::{
    kiotviet::{client::Page, error::KiotVietError, records::Listed},
    rules::codes::InvoiceCode,
    stored::stored_fields,
    time::Timestamp,
};

/// KiotViet's calls an hour that reading may cost a shop, so that less than 5,000 (manual) are made in
/// any sixty minutes and some are left for live events.
pub const CALLS_AN_HOUR: u64 = 2_200;

/// Calls that an event from a list costs at most, as a rule: the record, and an invoice's customer.
pub fn calls_an_event(webhook: Webhook) -> u64 {
    match webhook {
        Webhook::Customer => 1,
        Webhook::Order => 2,
    }
}

/// A list that is being read, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Customers or invoices.
    pub webhook: Webhook,
    /// The window's start.
    pub from: Timestamp,
    /// The window's end.
    pub to: Timestamp,
    /// Records of the list before this one were looked at.
    pub offset: u64,
    /// Records of the list, as KiotViet told last.
    pub total: u64,
    /// Records within the window.
    pub listed: u64,
    /// Those of them that needed nothing.
    pub known: u64,
    /// Those that became events.
    pub queued: u64,
    /// The whole list was read.
    pub done: bool,
}

stored_fields!(Reading {
    webhook,
    from,
    to,
    offset,
    total,
    listed,
    known,
    queued,
    done
});

impl Reading {
    /// A list to be read from its start.
    pub fn new(webhook: Webhook, from: Timestamp, to: Timestamp) -> Self {
        Self {
            webhook,
            from,
            to,
            offset: 0,
            total: 0,
            listed: 0,
            known: 0,
            queued: 0,
            done: false,
        }
    }

    /// Whether this moment is within the window.
    pub fn includes(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment <= self.to
    }
}

/// The page of KiotViet's list at which `reading` stands.
pub async fn page<W: World>(
    session: &Session<'_, W>,
    reading: &Reading,
) -> Result<Page, KiotVietError> {
    let from = reading.from.checked_sub(OVERLAP).unwrap_or(reading.from);
    let offset = reading.offset;
    session
        .kiotviet(async |k| match reading.webhook {
            Webhook::Customer => k.customers_modified_since(from, offset).await,
            Webhook::Order => k.invoices_modified_since(from, offset).await,
        })
        .await
}

/// Whether a backfill brings this record in: created within its window, and not cancelled.
pub fn is_in_backfill(reading: &Reading, item: &Listed) -> bool {
    !item.cancelled && item.created_at.is_none_or(|at| reading.includes(at))
}

/// Whether nothing is to be done about it: it has its outcome, or an event that is not done. A backfill
/// asks again about what was once found too old.
pub async fn is_known(
    store: &impl Store,
    connection: &Connection,
    webhook: Webhook,
    item: &Listed,
    backfill: bool,
) -> Result<bool, StoreError> {
    let retailer = &connection.retailer;
    let known = match webhook {
        Webhook::Customer => match ledger::customer(store, retailer, item.id).await? {
            CustomerKnown::Synced(_) => true,
            // Its event ended so long ago that it is removed.
            CustomerKnown::Before | CustomerKnown::Perhaps { by: None, .. } => !backfill,
            // Whoever tried may have been an invoice that was cancelled since.
            CustomerKnown::Perhaps { by: Some(_), .. } | CustomerKnown::Nothing => false,
        },
        Webhook::Order => {
            let code = InvoiceCode::new(&item.code);
            ledger::is_settled(store, retailer, &code, item.id, backfill).await?
        }
    };
    let (name, kind) = (&connection.name, webhook.kind());
    Ok(known || unfinished::is_marked(store, name, kind, item.id, backfill).await?)
}
