//! Who may be the executor (R13) to the worker that stored something: the lists of both vendors' people are
//! believed for ten minutes, by the clock of the worker that looks, so any version that was fetched since then may
//! have been looked at.

use crate::search::{
    evidence::{Clocks, Evidence, Listed, Shop},
    model,
    switched::UNDER_WAY,
};
use jiff::{SignedDuration, Timestamp};
use sim::kiotviet::Invoice;

/// How long a list of people is believed.
pub(super) const BELIEVED: SignedDuration = SignedDuration::from_secs(600);

/// The executors that this invoice may have had for the worker that stored something at `at`; nobody too where
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
    let there = evidence.users.people.at(at);
    let is_gone = |name: &String| !there.iter().any(|user| user.user_name == *name);
    let mut executors = Vec::new();
    if shop.staff.failed || evidence.users.failed {
        // It is not worth a sale.
        executors.push(None);
    }
    for staff in believed(&evidence.clocks, &shop.staff, at) {
        for users in believed(&evidence.clocks, &evidence.users, at) {
            let executor = model::executor(invoice, staff, users);
            if executor.as_ref().is_some_and(is_gone) {
                executors.push(None);
            }
            executors.push(executor);
        }
    }
    executors
}

/// The versions that the worker that stored something at `at` may have looked at.
fn believed<'p, T>(
    clocks: &Clocks,
    listed: &'p Listed<T>,
    at: Timestamp,
) -> impl Iterator<Item = &'p [T]> {
    let fetches = listed.fetched.iter().copied();
    let young = fetches.filter(move |fetch| *fetch <= at && is_young(clocks, *fetch, at));
    young.map(|fetch| listed.people.at(fetch))
}

/// Whether what was fetched then may have been younger than ten minutes to the worker that stored something at
/// `at`: by the clocks of both.
fn is_young(clocks: &Clocks, fetch: Timestamp, at: Timestamp) -> bool {
    let looked = at.checked_sub(UNDER_WAY).unwrap_or(at).max(fetch);
    let kept = clocks.off(fetch, fetch + UNDER_WAY);
    let seen = clocks.off(looked, at);
    let mut ages = kept.iter().flat_map(|kept| {
        let (youngest, oldest) = (looked.duration_since(fetch), at.duration_since(fetch));
        seen.iter()
            .map(move |seen| (youngest + *seen - *kept, oldest + *seen - *kept))
    });
    ages.any(|(youngest, oldest)| youngest < BELIEVED && oldest >= SignedDuration::ZERO)
}
