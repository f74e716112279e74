//! The customers whom people linked to an account by hand. Each link also stands in the ledger,
//! which decides about events; this list is for people.

use crate::{
    journal::{
        keys,
        ledger::{self, CustomerEntry},
        sorted_map::SortedMap,
    },
    rules::codes::{AccountCode, RetailerId},
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// The most links of a shop: their list is one value of the store.
pub const MOST: usize = 5_000;

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The account's code.
    pub account_code: AccountCode,
    /// Since when.
    pub since: Timestamp,
}

/// The links of a shop, by KiotViet's customer id. An unreadable list counts as empty: the ledger
/// still has each link.
pub async fn load(
    store: &impl Store,
    retailer: &RetailerId,
) -> Result<SortedMap<i64, Link>, StoreError> {
    let bytes = store.get(&keys::links(retailer)).await?;
    Ok(bytes
        .and_then(|bytes| stored::read(&bytes).ok())
        .unwrap_or_default())
}

/// Links a customer; without a code, removes the link, and what was known of the customer before
/// counts again. Doing either twice changes nothing.
pub async fn keep(
    store: &impl Store,
    retailer: &RetailerId,
    customer_id: i64,
    account_code: Option<&AccountCode>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut links = load(store, retailer).await?;
    let known = ledger::customer_entry(store, retailer, customer_id).await?;
    let (former, by_hand) = match known {
        Some(CustomerEntry::LinkedByHand { former, .. }) => (former, true),
        known => (known.map(Box::new), false),
    };
    match account_code {
        Some(code) => {
            let link = Link {
                account_code: code.clone(),
                since: now,
            };
            links.insert(customer_id, link);
            let entry = CustomerEntry::LinkedByHand {
                code: code.clone(),
                since: now,
                former,
            };
            ledger::keep_customer(store, retailer, customer_id, &entry).await?;
        }
        None => {
            links.remove(&customer_id);
            match former {
                _ if !by_hand => {}
                Some(former) => {
                    ledger::keep_customer(store, retailer, customer_id, &former).await?;
                }
                None => ledger::forget_customer(store, retailer, customer_id).await?,
            }
        }
    }
    store
        .set(&keys::links(retailer), &stored::write(&links))
        .await
}
