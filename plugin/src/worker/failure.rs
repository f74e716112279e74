//! Why an attempt did not end the event, and what follows: another attempt now or later, a person,
//! or nothing.

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

/// Why a worker stops early. It concerns no event: the next worker goes on.
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
    /// The schedule attempts it again.
    Retry {
        /// The side that failed.
        side: Side,
        /// For people.
        why: Trouble,
        /// How long the upstream asks to wait.
        after: Option<Duration>,
    },
    /// A create whose answer is lost or holds no code. It may still take effect for
    /// [`SETTLE`](crate::journal::ledger::SETTLE). The schedule attempts it again, but not before
    /// that.
    Unknown {
        /// For people.
        why: Trouble,
        /// How long Getfly asks to wait.
        after: Option<Duration>,
        /// The account that the create would bring into Getfly, if it is one.
        brings: Option<Box<Brings>>,
    },
    /// To be attempted at this moment, when something has settled. It does not count as a failure.
    Later(Timestamp),
    /// KiotViet does not show the record: it is read again at this moment. It does not count as a
    /// failure.
    NotShown(Timestamp),
    /// Nothing can be done until a person mends this side's address or rights. It does not count as
    /// the event's failure.
    Outside {
        /// The side to mend.
        side: Side,
        /// For people, with the remedy.
        why: Trouble,
    },
    /// A 404 for something that every tenant with this API has: the tenant may have another version
    /// only.
    NothingThere(Box<Failure>),
    /// It needs a person.
    Dead {
        /// The dead letter's reason.
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

    /// A dead letter for a reason that Getfly or KiotViet stated.
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
