//! Who may be the executor (R13) to whoever stored something: the lists of both vendors' people are
//! believed for ten minutes, so any version that was fetched since then may have been looked at.

use super::UNDER_WAY;
use crate::{
    proof::{
        evidence::{Evidence, People, Shop},
        model,
    },
    sim::kiotviet::Invoice,
};
use jiff::{SignedDuration, Timestamp};

/// How long a list of people is believed.
const BELIEVED: SignedDuration = SignedDuration::from_secs(600);

/// The executors that this invoice may have had for whoever stored something at `at`; nobody too where
/// Getfly no longer has him, and so refuses him by name.
pub(super) fn executors(
    evidence: &Evidence,
    shop: &Shop,
    invoice: &Invoice,
    at: Timestamp,
) -> Vec<Option<String>> {
    if invoice.content.sold_by.is_none() {
        return vec![None];
    }
    let there = evidence.users.at(at);
    let is_gone = |name: &String| !there.iter().any(|user| user.user_name == *name);
    let mut executors = Vec::new();
    for staff in believed(&shop.staff, at) {
        for users in believed(&evidence.users, at) {
            let executor = model::executor(invoice, staff, users);
            if executor.as_ref().is_some_and(is_gone) {
                executors.push(None);
            }
            executors.push(executor);
        }
    }
    executors
}

/// The versions that whoever stored something at `at` may have looked at.
fn believed<T>(people: &People<T>, at: Timestamp) -> impl Iterator<Item = &[T]> {
    let fetches = people.fetched.iter().copied();
    let recent = fetches.filter(move |f| *f <= at && at <= *f + BELIEVED + UNDER_WAY);
    recent.map(|fetch| people.at(fetch))
}
