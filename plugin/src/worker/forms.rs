//! The forms in which a record is sent before it is given up, and the outcome of a create without
//! an answer.

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

/// The highest number behind an account's code. That many accounts of one customer may have been
/// deleted in Getfly.
pub(super) const LAST_NUMBER: u32 = 9;

/// How many forms of one record are sent before it is given up: whole, without each detail that
/// Getfly may refuse by name, and under each further code.
pub(super) const MOST_FORMS: usize = 1 + Detail::COUNT + LAST_NUMBER as usize;

/// The code of an account whose first code belongs to a deleted one.
pub(super) fn numbered(first: &AccountCode, number: u32) -> AccountCode {
    AccountCode::existing(format!("{first}-{number}"))
}

/// The failure when no detail is left to leave out.
pub(super) fn every_form_refused(of: Target) -> Failure {
    Failure::dead(DeadReason::GetflyRefused, Trouble::EveryFormRefused { of })
}

/// A create that ended with `failure` and may be stored: it may still take effect, and bring this
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
