//! Accounts: each one that was created is owed, the only one of its person, and follows the rules;
//! each one that is owed exists (R2, R4, R5, R7, R8, R9, R12, R14).

use super::{Findings, Kind, created, customers, excuses, orders, people};
use crate::search::{
    evidence::{Evidence, Shop},
    model,
};
use jiff::Timestamp;
use sim::{Habit, getfly::Account, kiotviet::Customer};
use std::collections::BTreeSet;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    for (place, account) in created(&evidence.accounts) {
        let code = &account.account_code;
        if is_walk_ins(evidence, account) {
            continue;
        }
        let Some((shop, customer)) = customer_of(evidence, code) else {
            findings.add(Kind::Wrong, format!("account {code} is of no customer"));
            continue;
        };
        let at = account.created_at.unwrap_or_default();
        if !(may_be_new(shop, customer, at) || is_of_an_invoice(shop, customer.id, at)) {
            findings.add(Kind::Wrong, format!("account {code} is not owed"));
        }
        let fetched = customers::fetched(evidence, shop, customer.id, at);
        let shown = shown(account);
        let as_shown = fetched.into_iter();
        let as_shown = as_shown.filter(|c| is_as_expected(evidence, c, &shown));
        // The versions from which it was created: these hold its phone and its e-mail.
        let as_shown: Vec<&Customer> = as_shown.collect();
        if as_shown.is_empty() {
            let what = format!("account {code} is not as KiotViet's record was");
            findings.add(Kind::Wrong, what);
        }
        check_rest(evidence, shop, customer.id, account, findings);
        check_only(evidence, place, account, &as_shown, findings);
    }
    let all = evidence.accounts.iter();
    let of_walk_ins = all.filter(|a| !a.deleted && a.account_name == model::WALK_IN);
    let count = of_walk_ins.count();
    if count > evidence.shops.len() {
        let what = format!("there are {count} accounts of walk-ins");
        findings.add(Kind::Doubled, what);
    }
    for shop in &evidence.shops {
        check_owed(evidence, shop, findings);
    }
}

/// R5: whether it is a shop's walk-in account, which has no personal data.
fn is_walk_ins(evidence: &Evidence, account: &Account) -> bool {
    let mut shops = evidence.shops.iter();
    shops.any(|shop| account.account_code == model::walk_in_code(&shop.retailer))
        && account.account_name == model::WALK_IN
        && account.phone_office.is_empty()
        && account.email.is_empty()
}

/// The customer to whom this code belongs, with the shop.
fn customer_of<'a>(evidence: &'a Evidence, code: &str) -> Option<(&'a Shop, &'a Customer)> {
    let mut shops = evidence.shops.iter();
    shops.find_map(|shop| {
        let mut all = shop.kiotviet.customers.iter();
        let own = |c: &&Customer| {
            customers::is_code_of(evidence, &model::account_code(&shop.retailer, c.id), code)
        };
        Some((shop, all.find(own)?))
    })
}

fn check_owed(evidence: &Evidence, shop: &Shop, findings: &mut Findings) {
    let owed = shop.kiotviet.customers.iter().filter(|c| is_owed(shop, c));
    let owed: BTreeSet<i64> = owed.map(|c| c.id).collect();
    for id in owed {
        let owners = customers::owners(evidence, shop, id, Timestamp::MAX);
        let mut accounts = evidence.accounts.iter();
        let is_told = !excuses::of_customer(evidence, shop, id).is_empty()
            && excuses::customer_is_told(evidence, shop, id);
        if !is_told && !accounts.any(|account| owners.contains(&account.account_code)) {
            let what = format!("customer {id} of {} has no account", shop.retailer);
            findings.add(Kind::Lost, what);
        }
    }
}

/// R2: delivered, newly created, still existing, and not dismissed.
fn is_owed(shop: &Shop, customer: &Customer) -> bool {
    shop.told_customers.contains(&customer.id)
        && !customers::versions(shop, customer.id).any(|version| version.deleted)
        && !shop.dismissed.customers.contains(&customer.id)
        && shop
            .since
            .customers
            .surely_new(customer.created_at, customer.created_at)
}

/// R2: delivered, and new to the worker that stored it then.
fn may_be_new(shop: &Shop, customer: &Customer, at: Timestamp) -> bool {
    let switched = &shop.since.customers;
    shop.told_customers.contains(&customer.id) && switched.perhaps_new(customer.created_at, at)
}

/// R4: whether an invoice that was delivered, and was new then, has this customer.
fn is_of_an_invoice(shop: &Shop, customer_id: i64, at: Timestamp) -> bool {
    let mut invoices = orders::new_invoices(shop, at);
    invoices.any(|i| i.content.customer_id == Some(customer_id))
}

/// R7: when it was created, the person had no other account.
fn check_only(
    evidence: &Evidence,
    place: usize,
    account: &Account,
    versions: &[&Customer],
    findings: &mut Findings,
) {
    let at = account.created_at.unwrap_or_default();
    let earlier = evidence.accounts[..place].iter();
    for other in earlier.filter(|other| evidence.is_there(other, at)) {
        let same = |c: &&Customer| model::same_person(c, other);
        if other.account_code == account.account_code || versions.iter().any(same) {
            let what = format!(
                "account {} has the person of {}",
                account.account_code, other.account_code
            );
            findings.add(Kind::Doubled, what);
        }
    }
}

/// Source and manager.
fn check_rest(
    evidence: &Evidence,
    shop: &Shop,
    customer_id: i64,
    account: &Account,
    findings: &mut Findings,
) {
    let code = &account.account_code;
    let at = account.created_at.unwrap_or_default();
    let is_refused = evidence.personality.has(Habit::DetailsRefused);
    let source = vec!["KiotViet".to_owned()].into_iter();
    let source: Vec<String> = source.filter(|_| !is_refused).collect();
    findings.same(&format!("{code}'s source"), &account.sources, &source);
    let may_manage = managers(evidence, shop, customer_id, at);
    if !may_manage.contains(&account.manager) {
        let what = format!("{code}'s manager is {:?}", account.manager);
        findings.add(Kind::Wrong, what);
    }
}

/// R12: none while the customer webhook is on, else the executor of one of the invoices.
fn managers(evidence: &Evidence, shop: &Shop, id: i64, at: Timestamp) -> Vec<Option<String>> {
    let switched = &shop.since.customers;
    let nobody = switched.perhaps(true, at).then_some(None);
    let executors = orders::new_invoices(shop, at)
        .filter(|invoice| invoice.content.customer_id == Some(id) && switched.perhaps(false, at))
        .flat_map(|invoice| people::executors(evidence, shop, invoice, at));
    nobody.into_iter().chain(executors).collect()
}

/// Name, phone, e-mail, address, birthday, tax code, description and gender, as texts.
type Shown = [String; 8];

fn shown(account: &Account) -> Shown {
    [
        account.account_name.clone(),
        account.phone_office.clone(),
        account.email.clone(),
        account.billing_address_street.clone(),
        account.birthday.clone(),
        account.sic_code.clone(),
        shown_description(account),
        account
            .gender
            .map_or_else(String::new, |code| code.to_string()),
    ]
}

/// The description without our code at its end, which every account carries.
fn shown_description(account: &Account) -> String {
    let (text, code) = (&account.description, &account.account_code);
    match text.strip_suffix(code.as_str()) {
        Some(rest) => rest.strip_suffix('\n').unwrap_or(rest).to_owned(),
        None => format!("{text} (without its code)"),
    }
}

/// Whether it is what the rules make of this version, without the details that these vendors
/// refuse.
fn is_as_expected(evidence: &Evidence, customer: &Customer, shown: &Shown) -> bool {
    let mut expected = expected(customer);
    let [.., birthday, tax_code, _, gender] = &mut expected;
    if evidence.personality.has(Habit::DetailsRefused) {
        birthday.clear();
        gender.clear();
    }
    let is_shown_tax_code = !shown[5].is_empty();
    if evidence.personality.has(Habit::TaxCodesUnique) && !is_shown_tax_code {
        tax_code.clear();
    }
    expected == *shown
}

fn expected(customer: &Customer) -> Shown {
    let content = &customer.content;
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let gender = match content.gender {
        None => "",
        Some(true) => "2",
        Some(false) => "1",
    };
    [
        content.name.clone(),
        model::written_phone(&text(&content.contact_number)),
        text(&content.email),
        model::address(customer),
        content
            .birth_date
            .map_or_else(String::new, |date| date.to_string()),
        text(&content.tax_code),
        text(&content.comments),
        gender.to_owned(),
    ]
}
