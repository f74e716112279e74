//! Sales that KiotViet changed after their order was made: Getfly is never changed (R6), so a person corrects it there. The
//! worker keeps the newest of each shop; what a person has corrected is marked beside the list.

use crate::{
    journal::{connection_name::ConnectionName, keys},
    rules::{
        codes::{InvoiceCode, OrderCode},
        money::Money,
    },
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// Sales that are kept of a shop.
const KEPT: usize = 200;

/// A sale that changed after its order was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The order.
    pub order_code: OrderCode,
    /// The invoice that tells: the cancelled one, or the edit.
    pub invoice_code: InvoiceCode,
    /// The order's total; not known of older orders.
    pub pushed: Option<Money>,
    /// The sale's total now; none where it was cancelled.
    pub now: Option<Money>,
}

/// The same as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When it was seen.
    pub at: Timestamp,
    /// The change.
    pub change: Change,
    /// The event that told.
    pub seq: u64,
}

/// The changes of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// How many orders were ever found changed.
    pub total: u64,
    /// The newest of them, oldest first.
    pub newest: Vec<Kept>,
}

impl Changes {
    /// What is known of an order.
    pub fn of(&self, order: &OrderCode) -> Option<&Kept> {
        self.newest
            .iter()
            .find(|kept| kept.change.order_code == *order)
    }
}

/// The changes of a shop; a list that cannot be read counts as empty.
pub async fn load(store: &impl Store, name: &ConnectionName) -> Result<Changes, StoreError> {
    let bytes = store.get(&keys::changes(name)).await?;
    Ok(bytes
        .and_then(|bytes| stored::read(&bytes).ok())
        .unwrap_or_default())
}

/// Keeps a change in place of an earlier one of its order; doing so twice changes nothing.
pub async fn keep(store: &impl Store, name: &ConnectionName, kept: Kept) -> Result<(), StoreError> {
    let mut changes = load(store, name).await?;
    match changes.of(&kept.change.order_code) {
        Some(known) if known.change == kept.change => return Ok(()),
        Some(_) => {}
        None => changes.total = changes.total.saturating_add(1),
    }
    let order = kept.change.order_code.clone();
    changes.newest.retain(|one| one.change.order_code != order);
    changes.newest.push(kept);
    let surplus = changes.newest.len().saturating_sub(KEPT);
    for old in changes.newest.drain(..surplus) {
        store
            .delete(&keys::corrected(name, &old.change.order_code))
            .await?;
    }
    store
        .set(&keys::changes(name), &stored::write(&changes))
        .await
}

/// A person corrected this order in Getfly, as the event `seq` told its change.
pub async fn correct(
    store: &impl Store,
    name: &ConnectionName,
    order: &OrderCode,
    seq: u64,
) -> Result<(), StoreError> {
    let key = keys::corrected(name, order);
    store.set(&key, seq.to_string().as_bytes()).await
}

/// The changes of a shop that nobody has corrected, newest first.
pub async fn open(store: &impl Store, name: &ConnectionName) -> Result<Vec<Kept>, StoreError> {
    let mut open = Vec::new();
    for kept in load(store, name).await?.newest.into_iter().rev() {
        let mark = store
            .get(&keys::corrected(name, &kept.change.order_code))
            .await?;
        if mark.as_deref() != Some(kept.seq.to_string().as_bytes()) {
            open.push(kept);
        }
    }
    Ok(open)
}
