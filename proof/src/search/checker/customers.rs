//! What the worker that stored something can have seen of a customer. KiotViet's own log says when
//! its record was fetched, and each fetch shows one version. The owner of an account (R7) is
//! decided right after a fetch, among the accounts that Getfly had then, and later edits do not
//! change it (R6).

use crate::search::{
    evidence::{Evidence, Reading, Shop},
    model,
    switched::UNDER_WAY,
};
use jiff::{SignedDuration, Timestamp};
use sim::{Habit, getfly::Account, kiotviet::Customer};
use std::collections::BTreeSet;

/// Every version of a customer.
pub(super) fn versions(shop: &Shop, id: i64) -> impl Iterator<Item = &Customer> {
    shop.kiotviet.customers.iter().filter(move |c| c.id == id)
}

/// How long a worker may be under way between its fetch of a customer and what it stores. If Getfly is slow and refuses
/// details, each refusal costs one more create before that.
fn under_way(evidence: &Evidence) -> SignedDuration {
    let has = |habit| evidence.personality.has(habit);
    match has(Habit::DetailsRefused) && has(Habit::TwentySeconds) {
        true => UNDER_WAY + UNDER_WAY,
        false => UNDER_WAY,
    }
}

/// The versions that were fetched shortly before `at`, for the worker that stored something then.
pub(super) fn fetched<'e>(
    evidence: &Evidence,
    shop: &'e Shop,
    id: i64,
    at: Timestamp,
) -> Vec<&'e Customer> {
    let under_way = under_way(evidence);
    let readings = readings(shop, id).filter(|r| r.found && r.at <= at && r.at + under_way >= at);
    readings
        .filter_map(|r| version_at(shop, id, r.at))
        .collect()
}

/// The codes of the accounts that the worker that stored something at `at` may have found for a
/// customer. An empty code means that KiotViet had deleted the customer before it had an account.
pub(super) fn owners(evidence: &Evidence, shop: &Shop, id: i64, at: Timestamp) -> BTreeSet<String> {
    let own = model::account_code(&shop.retailer, id);
    let is_own = |a: &&Account| is_code_of(evidence, &own, &a.account_code);
    let mut owners = BTreeSet::new();
    for reading in readings(shop, id).filter(|r| r.at <= at) {
        if !reading.found {
            let there = evidence.accounts.iter().filter(is_own);
            let there = there.filter(|a| created_at(a) <= reading.at);
            let mut codes: Vec<String> = there.map(|a| a.account_code.clone()).collect();
            if codes.is_empty() {
                codes.push(String::new());
            }
            owners.extend(codes);
            continue;
        }
        let Some(customer) = version_at(shop, id, reading.at) else {
            continue;
        };
        let related: Vec<&Account> = evidence
            .accounts
            .iter()
            .filter(|a| is_own(a) || model::same_person(customer, a))
            .collect();
        // It was searched for at the fetch, or when one of these had just been stored or removed.
        let end = at.min(reading.at.saturating_add(under_way(evidence)).unwrap_or(at));
        let stored = related.iter().map(|a| created_at(a));
        let removed = related.iter().filter_map(|a| evidence.gone.get(&a.id));
        let later = stored.chain(removed.copied());
        let later = later.filter(|moment| reading.at < *moment && *moment <= end);
        for searched in later.chain([reading.at]) {
            let there = related.iter().copied();
            let there = there.filter(|a| evidence.is_there(a, searched));
            match model::account_of(customer, |a| is_own(&a), there) {
                Some(owner) => {
                    owners.insert(owner.account_code.clone());
                }
                None => {
                    owners.insert(own.clone());
                    owners.extend(of_contact(evidence, customer, searched));
                }
            }
        }
    }
    owners
}

/// Whether an account that would be created under `own` may have this code: a next one (`…-2` and
/// so on), if people deleted the one before in Getfly, whose code stays taken.
pub(super) fn is_code_of(evidence: &Evidence, own: &str, code: &str) -> bool {
    let number = code
        .strip_prefix(own)
        .and_then(|rest| rest.strip_prefix('-'));
    let number = number.and_then(|number| number.parse::<usize>().ok());
    let mut accounts = evidence.accounts.iter();
    let gone = accounts.any(|a| a.account_code == own && a.deleted);
    code == own || (gone && number.is_some_and(|number| number >= 2))
}

/// R7: the one account whose contact person has a number of the customer. Whether it is found depends on what the worker
/// knows of this Getfly: a new account is right as well.
fn of_contact(evidence: &Evidence, customer: &Customer, at: Timestamp) -> Option<String> {
    let accounts = evidence.accounts.iter();
    let mut with_it =
        accounts.filter(|a| evidence.is_there(a, at) && model::same_contact(customer, a));
    let only = with_it.next()?;
    with_it.next().is_none().then(|| only.account_code.clone())
}

fn readings(shop: &Shop, id: i64) -> impl Iterator<Item = &Reading> {
    shop.readings.get(&id).into_iter().flatten()
}

/// The version of a customer's record at this moment.
fn version_at(shop: &Shop, id: i64, at: Timestamp) -> Option<&Customer> {
    let so_far = versions(shop, id).filter(|c| c.modified_at <= at);
    so_far.max_by_key(|c| c.modified_at)
}

fn created_at(account: &Account) -> Timestamp {
    account.created_at.unwrap_or_default()
}
