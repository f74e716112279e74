//! Reading KiotViet's lists of customers and invoices: a page of one, and what is to be done about its records.

use crate::{
    journal::{
        connections::{Connection, Webhook},
        ledger::{self, CustomerKnown},
        list_scan::ListScan,
        unfinished,
    },
    kiotviet::{client::Page, error::KiotVietError, records::Listed},
    rules::codes::InvoiceCode,
    worker::session::Session,
    world::{Store, StoreError, World},
};
use core::time::Duration;

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

/// Windows overlap by this much, so that the two sides' clocks need not agree to the second.
pub const OVERLAP: Duration = Duration::from_secs(60);

/// The page of KiotViet's list at which `reading` stands.
pub async fn page<W: World>(
    session: &Session<'_, W>,
    scan: &ListScan,
) -> Result<Page, KiotVietError> {
    let from = scan.from.checked_sub(OVERLAP).unwrap_or(scan.from);
    let offset = scan.offset;
    session
        .kiotviet(async |k| match scan.webhook {
            Webhook::Customer => k.customers_modified_since(from, offset).await,
            Webhook::Order => k.invoices_modified_since(from, offset).await,
        })
        .await
}

/// Whether a backfill brings this record in: created within its window, and not cancelled.
pub fn is_in_backfill(scan: &ListScan, item: &Listed) -> bool {
    !item.cancelled && item.created_at.is_none_or(|at| scan.includes(at))
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
