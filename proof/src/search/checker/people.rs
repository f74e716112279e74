//! Who may be the executor (R13) for the worker that stored something. A cached list of users
//! counts for ten minutes by the clock of the worker that reads it, so the worker may have used any
//! version that was fetched since then.

use crate::search::{
    evidence::{Clocks, Evidence, Listed, Shop},
    model,
    switched::UNDER_WAY,
};
use jiff::{SignedDuration, Timestamp};
use sim::kiotviet::Invoice;

/// How long a cached list of users counts.
pub(super) const BELIEVED: SignedDuration = SignedDuration::from_secs(600);

/// The executors that this invoice may have had for the worker that stored something at `at`; also
/// none, if Getfly no longer has the user, and so refuses the name.
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
        // An executor is not worth a sale.
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

/// The versions that the worker that stored something at `at` may have used.
fn believed<'p, T>(
    clocks: &Clocks,
    listed: &'p Listed<T>,
    at: Timestamp,
) -> impl Iterator<Item = &'p [T]> {
    let fetches = listed.fetched.iter().copied();
    let young = fetches.filter(move |fetch| *fetch <= at && is_young(clocks, *fetch, at));
    young.map(|fetch| listed.people.at(fetch))
}

/// Whether a list fetched at `fetch` may have been younger than ten minutes for the worker that
/// stored something at `at`, by the clocks of both.
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
