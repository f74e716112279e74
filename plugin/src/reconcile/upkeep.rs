//! When the webhooks are checked and KiotViet's lists are scanned, and the state that this needs.

use crate::{
    config::Ready,
    journal::{connection_name::ConnectionName, cursor::Cursor},
    reconcile::filling::Filling,
    time::Timestamp,
    worker::permit::Worker,
};

/// Whether a drain also checks the webhooks and scans KiotViet's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// No: a caller waits for an answer, or a scheduler does it.
    None,
    /// When it is time.
    Due,
    /// At once.
    Now,
}

/// Checks the webhooks and scans KiotViet's lists: a worker, and its cursor.
#[derive(Debug)]
pub struct Reconciler<'r, 'w, W> {
    /// The worker.
    pub worker: &'r Worker<'w, W>,
    /// The configuration.
    pub ready: &'r Ready,
    /// Its cursor.
    pub cursor: &'r mut Cursor,
    /// What was read of Getfly's accounts.
    pub filling: &'r mut Filling,
    /// Whether it is time.
    pub upkeep: Upkeep,
    /// No page of a list is read after this.
    pub lists_until: Option<Timestamp>,
}

impl<W> Reconciler<'_, '_, W> {
    /// Adds `name` to the connections whose lists are scanned.
    pub(super) fn begin_scan(&mut self, name: &ConnectionName) {
        if !self.cursor.reading.iter().any(|n| n == name) {
            self.cursor.reading.push(name.clone());
        }
    }
}
