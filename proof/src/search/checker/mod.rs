//! The judge: from the evidence alone it says what is lost, doubled, stuck or wrong. It never sees
//! the plugin, its store or its code, and reads no clock. It does not depend on the order in which
//! events were processed. It asks of each existing record whether the rules explain it, and of each
//! owed record whether it exists.

mod accounts;
mod customers;
mod excuses;
mod orders;
mod people;

use super::{
    evidence::{Evidence, Shop},
    switched::UNDER_WAY,
};
use jiff::Timestamp;
use serde_json::Value;
use sim::getfly::Account;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Owed, but absent.
    Lost,
    /// Exists, or was sent, more than once.
    Doubled,
    /// Waits for good, or for a person.
    Stuck,
    /// Exists, but breaks the rules.
    Wrong,
}

/// A violation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Of what kind.
    pub kind: Kind,
    /// The finding in words.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

/// The findings so far.
#[derive(Debug, Default)]
struct Findings(BTreeSet<Finding>);

impl Findings {
    fn add(&mut self, kind: Kind, what: String) {
        self.0.insert(Finding { kind, what });
    }

    /// Wrong unless the two are the same.
    fn same<T: PartialEq + fmt::Debug>(&mut self, of: &str, is: &T, should: &T) {
        if is != should {
            self.add(Kind::Wrong, format!("{of} is {is:?}, not {should:?}"));
        }
    }
}

/// The end of the notes where only the status came of a refusal, because its answer was cut.
pub const CUT_WORDS: &str = "Getfly refuses (400): ";

/// All violations; empty if all is well.
pub fn check(evidence: &Evidence) -> BTreeSet<Finding> {
    let mut findings = Findings::default();
    for event in &evidence.unfinished {
        let words = excuses::of_event(evidence, event);
        let told = |word: &&str| event.notes.contains(*word) || event.notes.ends_with(CUT_WORDS);
        let says_why = event.is_dead && words.iter().any(told);
        if !says_why {
            findings.add(Kind::Stuck, format!("event {event}: {}", event.notes));
        }
    }
    for shop in &evidence.shops {
        for (action, id) in &shop.given_up {
            findings.add(Kind::Lost, format!("KiotViet gave up on {action} {id}"));
        }
        check_webhooks(shop, &mut findings);
    }
    findings.0.extend(check_records(evidence));
    findings.0
}

/// The violations that the two vendors' records of customers and invoices show. It also works while
/// a run is still under way, except for lost records.
pub fn check_records(evidence: &Evidence) -> BTreeSet<Finding> {
    let mut findings = Findings::default();
    check_writes(evidence, &mut findings);
    check_seeded(evidence, &mut findings);
    accounts::check(evidence, &mut findings);
    orders::check(evidence, &mut findings);
    findings.0
}

/// What people switched on is registered once and active, and no other registration of ours exists.
fn check_webhooks(shop: &Shop, findings: &mut Findings) {
    let mut should = Vec::new();
    let switched = [
        (&shop.since.customers, "customer.update"),
        (&shop.since.invoices, "invoice.update"),
    ];
    for (switched, kind) in switched {
        let pushed = kind == "customer.update" || !shop.polled;
        should.extend((pushed && switched.should_be_on()).then_some((kind, true)));
    }
    let hooks = shop.webhooks.iter();
    let mut is: Vec<_> = hooks.map(|h| (&*h.kind, h.is_active)).collect();
    is.sort_unstable();
    let of = format!("the list of webhooks of {}", shop.retailer);
    findings.same(&of, &is, &should);
}

/// Nothing that Getfly has stored is sent again, nothing is changed, nothing else is written.
fn check_writes(evidence: &Evidence, findings: &mut Findings) {
    let mut stored: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for call in &evidence.writes {
        let field = match (call.method.as_str(), &*call.path) {
            ("POST", "/api/v6.1/account") => "account_code",
            ("POST", "/api/v6.1/sale_order") => "order_code",
            (method, path) => {
                findings.add(Kind::Wrong, format!("{method} {path} was sent"));
                continue;
            }
        };
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let code = body[field].as_str().unwrap_or_default().to_owned();
        let times = stored.entry((field, code.clone())).or_default();
        let is_stored = matches!(call.status, Some(200..=299)) && is_on_record(evidence, &body);
        // An account that people deleted may be created again: only the answer shows whether its
        // code stays taken.
        let mut accounts = evidence.accounts.iter();
        let gone = accounts.any(|a| a.deleted && a.account_code == code);
        if *times > 0 && !gone {
            let what = format!("{field} {code} was sent again after Getfly had stored it");
            findings.add(Kind::Doubled, what);
        }
        *times += usize::from(is_stored);
    }
}

/// Whether Getfly stored this create: a refusal may come in a 200.
fn is_on_record(evidence: &Evidence, body: &Value) -> bool {
    let mut accounts = evidence.accounts.iter();
    let mut orders = evidence.orders.iter();
    accounts.any(|account| account.request == *body) || orders.any(|order| order.request == *body)
}

/// R6: what Getfly's people had typed in is as it was, unless they removed it.
fn check_seeded(evidence: &Evidence, findings: &mut Findings) {
    let kept = evidence.seeded.iter();
    for before in kept.filter(|account| !evidence.gone.contains_key(&account.id)) {
        if !evidence.accounts.contains(before) {
            let what = format!("account {} was changed or removed", before.account_code);
            findings.add(Kind::Wrong, what);
        }
    }
}

/// Accounts that a call created, with their position in the order of creation.
fn created(accounts: &[Account]) -> impl Iterator<Item = (usize, &Account)> {
    let all = accounts.iter().enumerate();
    all.filter(|(_, account)| !account.request.is_null())
}

/// The versions of one record that a fetch shortly before `at` can have seen. `from` returns the
/// moment of a version.
fn current<'a, T>(versions: &[&'a T], from: fn(&T) -> Timestamp, at: Timestamp) -> Vec<&'a T> {
    let mut versions = versions.to_vec();
    versions.sort_by_key(|version| from(version));
    let ends = versions.iter().skip(1).map(|next| Some(from(next)));
    let ends: Vec<_> = ends.chain([None]).collect();
    let over = |end: Option<Timestamp>| end.is_some_and(|end| end + UNDER_WAY < at);
    let with_ends = versions.into_iter().zip(ends);
    with_ends
        .filter(|(version, end)| from(version) <= at && !over(*end))
        .map(|(version, _)| version)
        .collect()
}

#[cfg(test)]
mod tests;
