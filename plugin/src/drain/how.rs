//! How to drain, and what a drain did.

use crate::{
    drain::outgoing::ToSend,
    reconcile::upkeep::Upkeep,
    time::Timestamp,
    worker::{failure::Stop, lease::Patience},
};
use core::time::Duration;

/// What a drain waits for before it ends, without the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Nothing.
    No,
    /// What is due within [`SOON`], where no other worker waits for it.
    ForDue,
    /// What may still take effect of the creates that a crash or a failure left open.
    ForSettling,
}

/// How long a worker waits for what is due.
pub const SOON: Duration = Duration::from_secs(30);

/// How to drain.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Whether to wait for the lease.
    pub patience: Patience,
    /// Begin no further event once this is over.
    pub time: Option<Duration>,
    /// Whether to look after the webhooks.
    pub upkeep: Upkeep,
    /// What to wait for.
    pub waits: Waits,
}

impl How {
    /// Process what waits, and nothing else, if nobody else does.
    pub const QUICK: Self = Self {
        patience: Patience::None,
        time: None,
        upkeep: Upkeep::None,
        waits: Waits::No,
    };

    /// What a scheduler asks for: everything that is due.
    pub const WHOLE: Self = Self {
        patience: Patience::TwoSlots,
        time: None,
        upkeep: Upkeep::Due,
        waits: Waits::ForSettling,
    };
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events that ended.
    pub ended: u64,
    /// Attempts that failed and are repeated.
    pub failed: u64,
    /// Events that wait, as far as the worker has looked.
    pub waiting: u64,
    /// Dead letters in all.
    pub dead: u64,
    /// Another worker holds the lease.
    pub busy: bool,
    /// When what was postponed may have settled.
    pub settles_at: Option<Timestamp>,
    /// When something is due that this drain waits for.
    pub goes_on_at: Option<Timestamp>,
    /// What people are to be told, once the lease was given back.
    pub to_send: ToSend,
    /// Why the drain stopped early, for people.
    pub stopped: Option<Stop>,
}
