//! When the webhooks are looked after and KiotViet's lists are read, and what that works on.

use crate::{
    config::Ready,
    journal::{connection_name::ConnectionName, cursor::Cursor},
    reconcile::filling::Filling,
    time::Timestamp,
    worker::permit::Worker,
};

/// Whether a drain also looks after the webhooks and reads KiotViet's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// No: somebody waits for an answer, or a scheduler does it.
    None,
    /// When it is time.
    Due,
    /// At once.
    Now,
}

/// What looks after the webhooks and reads KiotViet's lists: a worker, and its cursor.
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
    /// Puts `name` among the connections whose lists are read.
    pub(super) fn begin_scan(&mut self, name: &ConnectionName) {
        if !self.cursor.reading.iter().any(|n| n == name) {
            self.cursor.reading.push(name.clone());
        }
    }
}
