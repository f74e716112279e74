//! Why an attempt did not end the event, and what follows: another attempt, a later one, a person, or nothing.

use crate::{
    getfly::error::GetflyError,
    journal::{
        dead_reason::DeadReason,
        held::Brings,
        trouble::{Source, Trouble},
    },
    kiotviet::error::KiotVietError,
    time::Timestamp,
    vendor::fate::Fate,
    world::{HttpError, StoreError},
};
use core::time::Duration;

pub use crate::journal::connection_name::Side;

/// Why a worker stops before its end. Nothing about any event: the next worker goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The store failed, or the lease ended before a write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lease ended before a call to KiotViet.
    #[error("{}", KiotVietError::Unreachable(HttpError::LeaseEnded))]
    LeaseEndedBeforeKiotViet,
    /// The lease ended before a call to Getfly.
    #[error("{}", GetflyError::Unreachable(HttpError::LeaseEnded))]
    LeaseEndedBeforeGetfly,
}

/// Why an attempt did not end the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Attempted again by the schedule.
    Retry {
        /// Who failed.
        side: Side,
        /// For people.
        why: Trouble,
        /// What the upstream asks for.
        after: Option<Duration>,
    },
    /// A create without an answer, or with one that does not tell: it may still take effect for
    /// [`SETTLE`](crate::journal::ledger::SETTLE). Attempted again by the schedule, and not before that.
    Unknown {
        /// For people.
        why: Trouble,
        /// What Getfly asks for.
        after: Option<Duration>,
        /// What it would bring into Getfly, where it is an account.
        brings: Option<Box<Brings>>,
    },
    /// Not before this moment, when something has settled; no failure.
    Later(Timestamp),
    /// KiotViet does not show what the event is about: asked again then. No failure.
    NotShown(Timestamp),
    /// Nothing can be done until people mend this side's address or rights; no failure of the event's.
    Outside {
        /// Which side.
        side: Side,
        /// For people, with what to do.
        why: Trouble,
    },
    /// A 404 for what every tenant with this API has: it may have another version only.
    NothingThere(Box<Failure>),
    /// It needs a person.
    Dead {
        /// Of the dead letter.
        reason: DeadReason,
        /// For people.
        why: Trouble,
    },
    /// The lease ended or the store failed.
    Abandoned(Stop),
}

impl Failure {
    /// What happened, for people.
    pub fn why(self) -> Trouble {
        match self {
            Self::Retry { why, .. }
            | Self::Unknown { why, .. }
            | Self::Dead { why, .. }
            | Self::Outside { why, .. } => why,
            Self::Abandoned(stop) => Trouble::Stopped {
                why: stop.to_string(),
            },
            Self::NothingThere(failure) => failure.why(),
            Self::NotShown(until) => Trouble::NotShown { until },
            Self::Later(until) => Trouble::Unsettled { until },
        }
    }

    /// A dead letter for what Getfly or KiotViet told.
    pub(crate) fn dead(reason: DeadReason, why: impl Into<Trouble>) -> Self {
        Self::Dead {
            reason,
            why: why.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self::Abandoned(e.into())
    }
}

impl From<KiotVietError> for Failure {
    fn from(e: KiotVietError) -> Self {
        let side = Side::KiotViet;
        match (&e, e.fate()) {
            (KiotVietError::Unreachable(HttpError::LeaseEnded), _) => {
                Self::Abandoned(Stop::LeaseEndedBeforeKiotViet)
            }
            (KiotVietError::Denied { .. }, _) => Self::Outside {
                side,
                why: e.into(),
            },
            (_, Fate::Retry { after }) => Self::Retry {
                side,
                why: e.into(),
                after,
            },
            (KiotVietError::Unreadable { .. }, Fate::Dead) => {
                Self::dead(DeadReason::RecordUnreadable, e)
            }
            (_, Fate::Dead) => Self::dead(DeadReason::KiotvietRefused, e),
        }
    }
}

impl From<GetflyError> for Failure {
    fn from(e: GetflyError) -> Self {
        let side = Side::Getfly;
        let is_404 = e.is_404();
        let failure = match (&e, e.fate()) {
            (GetflyError::Unreachable(HttpError::LeaseEnded), _) => {
                return Self::Abandoned(Stop::LeaseEndedBeforeGetfly);
            }
            (GetflyError::Denied, _) => {
                return Self::Outside {
                    side,
                    why: e.into(),
                };
            }
            (_, Fate::Retry { after }) => Self::Retry {
                side,
                why: e.into(),
                after,
            },
            (_, Fate::Dead) => Self::dead(DeadReason::GetflyRefused, e),
        };
        if is_404 {
            Self::NothingThere(Box::new(failure))
        } else {
            failure
        }
    }
}

pub(crate) fn no_creation_date(of: Source) -> Failure {
    Failure::dead(
        DeadReason::CreationDateMissing,
        Trouble::NoCreationDate { of },
    )
}
