//! What a preflight has found out so far.

use crate::{journal::trouble::Trouble, preflight::finding::Finding, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Most calls of one run, to both vendors together.
pub const MOST_CALLS: u64 = 80;
/// One thing that is looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whether Getfly has this version of its API, and takes the key.
    Version,
    /// What the key may read at Getfly.
    GetflyRights,
    /// What the connection may read at KiotViet.
    KiotVietRights,
    /// Whether another bridge delivers for this shop.
    OtherBridges,
    /// Whether each seller is a Getfly user.
    Sellers,
    /// Which fields Getfly demands.
    Fields,
    /// How phones stand in Getfly, and who is there twice.
    Accounts,
    /// What the shop's customers look like.
    Customers,
    /// What its last invoices look like, and whether Getfly's own integration has carried them.
    Invoices,
    /// Whether Getfly knows the products of these.
    Products,
}

impl Check {
    /// All of them, in their order.
    pub const ALL: [Self; 10] = [
        Self::Version,
        Self::GetflyRights,
        Self::KiotVietRights,
        Self::OtherBridges,
        Self::Sellers,
        Self::Fields,
        Self::Accounts,
        Self::Customers,
        Self::Invoices,
        Self::Products,
    ];
}

/// Why something could not be found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// A side failed.
    Failed(Trouble),
    /// The calls of the run are used up.
    CallsUsedUp,
}

/// What a check came to: nothing, where all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Which.
    pub check: Check,
    /// What was found.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Why it could not be found out, or not all of it.
    pub unknown: Option<Unknown>,
}

/// A run, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// When it began.
    pub began_at: Timestamp,
    /// Calls that it has made.
    pub calls: u64,
    /// What it has looked at.
    pub checked: Vec<Checked>,
    /// Starts of its last calls to Getfly, for the ceiling.
    #[serde(default)]
    pub(super) getfly_calls: Vec<Timestamp>,
    /// Product codes of the last invoices that are still to be looked up.
    #[serde(default)]
    pub(super) codes: Vec<String>,
    /// How many were looked up.
    #[serde(default)]
    pub(super) looked_up: usize,
    /// Those that Getfly does not have.
    #[serde(default)]
    pub(super) unknown_codes: Vec<String>,
}

impl Preflight {
    pub(super) fn beginning(now: Timestamp) -> Self {
        Self {
            began_at: now,
            calls: 0,
            checked: Vec::new(),
            getfly_calls: Vec::new(),
            codes: Vec::new(),
            looked_up: 0,
            unknown_codes: Vec::new(),
        }
    }

    /// Whether everything was looked at.
    pub fn is_complete(&self) -> bool {
        self.checked.len() >= Check::ALL.len()
    }

    pub(super) fn next(&self) -> Option<Check> {
        Check::ALL.get(self.checked.len()).copied()
    }
}
