//! The forms that a record may be sent in before it is given up, and what a create without an answer comes to.

use crate::{
    getfly::refusal::Detail,
    journal::{
        dead_reason::DeadReason,
        held::Brings,
        trouble::{Target, Trouble},
    },
    rules::codes::AccountCode,
    worker::failure::Failure,
};

/// Highest number behind an account's code: so many accounts of one customer were deleted in Getfly.
pub(super) const LAST_NUMBER: u32 = 9;

/// Forms of one record that are sent before it is given up: whole, without each detail that Getfly may
/// refuse by name, and under each further code.
pub(super) const MOST_FORMS: usize = 1 + Detail::COUNT + LAST_NUMBER as usize;

/// The code of an account whose first code is used by a deleted one.
pub(super) fn numbered(first: &AccountCode, number: u32) -> AccountCode {
    AccountCode::existing(format!("{first}-{number}"))
}

/// Nothing of it is left to leave out.
pub(super) fn every_form_refused(of: Target) -> Failure {
    Failure::dead(DeadReason::GetflyRefused, Trouble::EveryFormRefused { of })
}

/// A create that ended with `failure` without telling whether it is stored: it may still come, and bring this
/// account.
pub(super) fn unknown(failure: impl Into<Failure>, brings: Option<Brings>) -> Failure {
    let failure = match failure.into() {
        Failure::NothingThere(failure) => *failure,
        failure => failure,
    };
    match failure {
        Failure::Retry { why, after, .. } => Failure::Unknown {
            why,
            after,
            brings: brings.map(Box::new),
        },
        other => other,
    }
}
