//! How far a list of KiotViet's customers or invoices was scanned, for a backfill or for what
//! KiotViet may have failed to deliver.

use crate::{journal::connections::Webhook, time::Timestamp};
use serde::{Deserialize, Serialize};

/// The scan of a list, running or finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListScan {
    /// The whole list was read.
    #[serde(default)]
    pub done: bool,
    /// The window's start.
    pub from: Timestamp,
    /// How many of them needed nothing.
    pub known: u64,
    /// How many records were within the window.
    pub listed: u64,
    /// How many records of the list were looked at.
    pub offset: u64,
    /// How many of them became events.
    pub queued: u64,
    /// The window's end.
    pub to: Timestamp,
    /// How many records the list has, as KiotViet last said.
    pub total: u64,
    /// Customers or invoices.
    pub webhook: Webhook,
}

impl ListScan {
    /// A scan from the list's start.
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
