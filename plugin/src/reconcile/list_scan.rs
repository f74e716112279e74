//! Reads one page of KiotViet's lists of customers and invoices, and decides what to do about its
//! records.

use crate::{
    journal::{
        changes,
        connections::{Connection, Webhook},
        ledger::{self, CustomerKnown},
        list_scan::{ListScan, Listing},
        unfinished,
    },
    kiotviet::{client::Page, error::KiotVietError, records::Listed},
    rules::codes::InvoiceCode,
    time::Timestamp,
    worker::session::Session,
    world::{Store, StoreError, World},
};
use core::time::Duration;

/// How many KiotViet calls an hour list scans may cost a shop. Less than 5,000 (manual) are then
/// made in any sixty minutes, and some are left for live events.
pub const CALLS_AN_HOUR: u64 = 2_200;

/// How many more pages an hour polls may read, whatever other list scans spent: live sales never wait for a backfill.
pub const POLLS_AN_HOUR: u64 = 1_200;

/// How many calls an event from a list usually costs at most: the record, and an invoice's
/// customer.
pub fn calls_an_event(webhook: Webhook) -> u64 {
    match webhook {
        Webhook::Customer => 1,
        Webhook::Order => 2,
    }
}

/// Windows overlap by this much, so that the two sides' clocks may differ by some seconds.
pub const OVERLAP: Duration = Duration::from_secs(60);

/// `lastModifiedFrom` may be read with another zone: a row that is older by more than this shows that it does not
/// filter.
const ZONE: Duration = Duration::from_hours(8);

/// Whether a page of what changed since `from` shows that this is no filter. Where rows do not tell when they were changed,
/// a few old ones may be edits; half of a page is not.
pub fn is_unfiltered(page: &Page, from: Timestamp) -> bool {
    let oldest = from.saturating_sub(OVERLAP).saturating_sub(ZONE);
    let changes = page.items.iter().filter_map(|item| item.modified_at);
    let created = page.items.iter().filter_map(|item| item.created_at);
    let untold = page.items.iter().all(|item| item.modified_at.is_none());
    let old = created.filter(|at| *at < oldest).count();
    changes.into_iter().any(|at| at < oldest)
        || (untold && old > 0 && old.saturating_mul(2) >= page.items.len())
}

/// The page of KiotViet's list that `reading` has reached.
pub async fn page<W: World>(
    session: &Session<'_, W>,
    scan: &ListScan,
) -> Result<Page, KiotVietError> {
    let from = scan.from.saturating_sub(OVERLAP);
    let offset = scan.offset;
    session
        .kiotviet(async |k| match scan.webhook {
            Webhook::Customer => k.customers_modified_since(from, offset).await,
            Webhook::Order => match scan.listing {
                Listing::Changes => k.invoices_modified_since(from, offset).await,
                Listing::NewestChanges => k.newest_invoices_modified_since(from, offset).await,
                Listing::NewestSales { .. } => k.newest_invoices_sold_since(from, offset).await,
            },
        })
        .await
}

/// Whether a backfill brings this record in: created within its window, and not cancelled.
pub fn is_in_backfill(scan: &ListScan, item: &Listed) -> bool {
    !item.cancelled && item.created_at.is_none_or(|at| scan.includes(at))
}

/// R6: whether an invoice that was cancelled has its order, and nobody was told yet.
pub async fn tells_cancellation<W: World>(
    session: &Session<'_, W>,
    item: &Listed,
) -> Result<bool, StoreError> {
    let (store, connection) = (session.world, session.connection);
    let code = InvoiceCode::new(&item.code);
    let known = ledger::invoices(store, &connection.retailer, &code, item.id).await?;
    let Some((order, _)) = known.order(&session.codes, item.id, &code) else {
        return Ok(false);
    };
    let (name, kind) = (&connection.name, Webhook::Order.kind());
    let told = changes::load(store, name).await?.of(&order).is_some();
    Ok(!told && !unfinished::is_marked(store, name, kind, item.id, false).await?)
}

/// Whether nothing is due for it: it has its outcome, or an event that is not done. A backfill asks
/// again about what was once found too old.
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
            // Its event ended so long ago that it has been removed.
            CustomerKnown::Before | CustomerKnown::Perhaps { by: None, .. } => !backfill,
            // The attempt may have been for an invoice that was cancelled since.
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
