//! A backfill brings a shop's earlier customers and invoices into the same journal and ledger as
//! live events. Only the worker writes it; people's commands come through the journal.

use crate::{
    journal::list_scan::ListScan,
    journal::{
        connection_name::ConnectionName, connections::Webhook, keys, record::Wanted,
        trouble::Trouble,
    },
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// The state of a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// KiotViet's lists are being scanned.
    Running,
    /// They were scanned to their end.
    Done,
    /// A person stopped it.
    Stopped,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The journal entry of its command, so that applying the command twice changes nothing.
    pub by: u64,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it waits, or waited last.
    pub note: Option<Trouble>,
    /// The list scans; only for lists whose webhook is on.
    #[serde(default)]
    pub readings: Vec<ListScan>,
    /// When it began.
    pub started_at: Timestamp,
    /// Its state.
    pub state: State,
    /// What was asked for.
    pub wanted: Wanted,
}

impl Backfill {
    /// From when on it wants records of this list, if it wants a record of this moment. A stopped
    /// backfill wants nothing more.
    pub fn wants(&self, webhook: Webhook, created_at: Timestamp) -> Option<Timestamp> {
        let mut readings = self.readings.iter();
        let reading = readings.find(|r| r.webhook == webhook && r.includes(created_at));
        let ended = self.state == State::Stopped;
        reading.map(|r| r.from).filter(|_| !ended)
    }
}

/// Reads a connection's backfill; a damaged one counts as none.
pub async fn load(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Option<Backfill>, StoreError> {
    let bytes = store.get(&keys::backfill(name)).await?;
    Ok(bytes.and_then(|b| stored::read(&b).ok()))
}

/// Writes it.
pub async fn save(store: &impl Store, backfill: &Backfill) -> Result<(), StoreError> {
    let key = keys::backfill(&backfill.wanted.connection);
    store.set(&key, &stored::write(backfill)).await
}
