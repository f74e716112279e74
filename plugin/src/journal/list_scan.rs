//! How far a list of KiotViet's customers or invoices was scanned, for a backfill or for what
//! KiotViet may have failed to deliver.

use crate::{journal::connections::Webhook, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Which rows of a list are asked for, and in which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// What changed in the window, by id: no change between two pages lets a row pass unseen.
    #[default]
    Changes,
    /// What changed in the window, the last change first.
    NewestChanges,
    /// What was sold since the window's first day, the newest first.
    NewestSales {
        /// Whether a page of known rows ends the scan.
        until_known: bool,
    },
}

impl Listing {
    fn is_default(&self) -> bool {
        *self == Self::Changes
    }
}

/// The scan of a list, running or finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListScan {
    /// The whole list was read.
    #[serde(default)]
    pub done: bool,
    /// The window's start.
    pub from: Timestamp,
    /// How the list is asked for.
    #[serde(default, skip_serializing_if = "Listing::is_default")]
    pub listing: Listing,
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
            listing: Listing::Changes,
            offset: 0,
            total: 0,
            listed: 0,
            known: 0,
            queued: 0,
            done: false,
        }
    }

    /// The same, asked for in this way.
    #[must_use]
    pub fn by(self, listing: Listing) -> Self {
        Self { listing, ..self }
    }

    /// Whether this moment is within the window.
    pub fn includes(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment <= self.to
    }
}
