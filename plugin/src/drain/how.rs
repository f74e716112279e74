//! How to drain, and what a drain did.

use crate::{
    reconcile::upkeep::Upkeep,
    worker::{failure::Stop, lease::Patience},
};
use core::time::Duration;

/// How to drain.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Whether to wait for the lease.
    pub patience: Patience,
    /// Begin no further event once this is over.
    pub time: Option<Duration>,
    /// Whether to look after the webhooks.
    pub upkeep: Upkeep,
}

impl How {
    /// Process what waits, and nothing else, if nobody else does.
    pub const QUICK: Self = Self {
        patience: Patience::None,
        time: None,
        upkeep: Upkeep::None,
    };

    /// What a scheduler asks for: everything that is due.
    pub const WHOLE: Self = Self {
        patience: Patience::TwoSlots,
        time: None,
        upkeep: Upkeep::Due,
    };
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events that ended.
    pub ended: u64,
    /// Tries that failed and are tried again.
    pub failed: u64,
    /// Events that wait, as far as the worker has looked.
    pub waiting: u64,
    /// Dead letters in all.
    pub dead: u64,
    /// Somebody else holds the lease.
    pub busy: bool,
    /// Why the drain stopped early, for people.
    pub stopped: Option<Stop>,
}
