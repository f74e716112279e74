//! Why a try did not end the event, and what follows: another try, a later one, a person, or nothing.

use crate::{
    getfly::error::GetflyError,
    journal::connection_name::{ConnectionName, Upstream},
    kiotviet::error::KiotVietError,
    time::Timestamp,
    vendor::fate::Fate,
    world::{HttpError, StoreError},
};
use core::time::Duration;

/// Which upstream failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This connection's KiotViet.
    KiotViet,
    /// The Getfly tenant.
    Getfly,
}

impl Side {
    /// The upstream of this side for an event of `connection`.
    pub fn of(self, connection: &ConnectionName) -> Upstream<'_> {
        match self {
            Self::KiotViet => Upstream::KiotViet(connection),
            Self::Getfly => Upstream::Getfly,
        }
    }
}

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
    /// Try again by the schedule.
    Retry {
        /// Who failed.
        side: Side,
        /// In words, for people.
        words: String,
        /// The upstream's own wish.
        after: Option<Duration>,
    },
    /// Not before this moment; no failure.
    Later(Timestamp),
    /// The same for an account that was announced and is not there, or that somebody may have sent who
    /// crashed: until then it may still come, and nobody else with its phone or e-mail would find it.
    Unsettled(Timestamp),
    /// KiotViet does not show what the event is about: asked again then. No failure.
    NotShown(Timestamp),
    /// Nothing can be done until people mend this side's address or rights; no failure of the event's.
    Outside {
        /// Which side.
        side: Side,
        /// In words, with what to do.
        words: String,
    },
    /// A 404 for what every tenant with this API has: it may have another version only.
    NothingThere(Box<Failure>),
    /// It needs a person.
    Dead {
        /// A stable word.
        reason: &'static str,
        /// In words.
        words: String,
    },
    /// The lease ended or the store failed.
    Abandoned(Stop),
}

impl Failure {
    /// What happened, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Retry { words, .. } | Self::Dead { words, .. } | Self::Outside { words, .. } => {
                words.clone()
            }
            Self::Abandoned(stop) => stop.to_string(),
            Self::NothingThere(failure) => failure.words(),
            Self::NotShown(until) => {
                format!("KiotViet does not show the record; it is asked again at {until}")
            }
            Self::Later(until) | Self::Unsettled(until) => {
                format!("an earlier try is not settled before {until}")
            }
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
        match e {
            KiotVietError::Unreachable(HttpError::LeaseEnded) => {
                return Self::Abandoned(Stop::LeaseEndedBeforeKiotViet);
            }
            KiotVietError::Denied { .. } => {
                let words = e.to_string();
                let side = Side::KiotViet;
                return Self::Outside { side, words };
            }
            _ => {}
        }
        match e.fate() {
            Fate::Retry { after } => Self::Retry {
                side: Side::KiotViet,
                words: e.to_string(),
                after,
            },
            Fate::Dead if matches!(e, KiotVietError::Unreadable { .. }) => Self::Dead {
                reason: "record_unreadable",
                words: e.to_string(),
            },
            Fate::Dead => Self::Dead {
                reason: "kiotviet_refused",
                words: e.to_string(),
            },
        }
    }
}

impl From<GetflyError> for Failure {
    fn from(e: GetflyError) -> Self {
        let side = Side::Getfly;
        let words = e.to_string();
        let failure = match e {
            GetflyError::Unreachable(HttpError::LeaseEnded) => {
                return Self::Abandoned(Stop::LeaseEndedBeforeGetfly);
            }
            GetflyError::Denied => return Self::Outside { side, words },
            _ => match e.fate() {
                Fate::Retry { after } => Self::Retry { side, words, after },
                Fate::Dead => Self::Dead {
                    reason: "getfly_refused",
                    words,
                },
            },
        };
        if e.is_404() {
            Self::NothingThere(Box::new(failure))
        } else {
            failure
        }
    }
}

pub(crate) fn no_creation_date(what: &str) -> Failure {
    Failure::Dead {
        reason: "creation_date_missing",
        words: format!("KiotViet's {what} has no createdDate, so new and old cannot be told apart"),
    }
}
