//! How far a list of KiotViet's customers or invoices was read: for a backfill, or for what KiotViet
//! may have failed to deliver.

use crate::{journal::connections::Webhook, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A list that is being read, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListScan {
    /// The whole list was read.
    #[serde(default)]
    pub done: bool,
    /// The window's start.
    pub from: Timestamp,
    /// Those of them that needed nothing.
    pub known: u64,
    /// Records within the window.
    pub listed: u64,
    /// Records of the list before this one were looked at.
    pub offset: u64,
    /// Those that became events.
    pub queued: u64,
    /// The window's end.
    pub to: Timestamp,
    /// Records of the list, as KiotViet told last.
    pub total: u64,
    /// Customers or invoices.
    pub webhook: Webhook,
}

impl ListScan {
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
