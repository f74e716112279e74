//! Accounts: each one that was created is owed, the only one of its person, and as the rules say;
//! each one that is owed is there (R2, R4, R5, R7, R8, R9, R12, R14).

use super::{Findings, Kind, created, current, orders};
use crate::{
    proof::{evidence::Evidence, model},
    sim::{getfly::Account, kiotviet::Customer},
};
use jiff::Timestamp;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    for (place, account) in created(&evidence.accounts) {
        let code = &account.account_code;
        let of_account = |c: &&Customer| model::account_code(&evidence.retailer, c.id) == *code;
        let versions: Vec<&Customer> = evidence
            .kiotviet
            .customers
            .iter()
            .filter(of_account)
            .collect();
        let Some(customer) = versions.first() else {
            findings.add(Kind::Wrong, format!("account {code} is of no customer"));
            continue;
        };
        let at = account.created_at.unwrap_or_default();
        if !(may_be_new(evidence, customer, at) || is_of_an_invoice(evidence, customer.id, at)) {
            findings.add(Kind::Wrong, format!("account {code} is not owed"));
        }
        check_values(evidence, account, &versions, findings);
        check_only(&evidence.accounts[..place], account, &versions, findings);
    }
    let customers = &evidence.kiotviet.customers;
    for customer in customers.iter().filter(|c| is_owed(evidence, c)) {
        let id = customer.id;
        if model::account_of(&evidence.retailer, customer, &evidence.accounts).is_none() {
            findings.add(Kind::Lost, format!("customer {id} has no account"));
        }
    }
}

/// R2: told, newly created, and dismissed by nobody.
fn is_owed(evidence: &Evidence, customer: &Customer) -> bool {
    let since = evidence.since.customers.new_since();
    evidence.told_customers.contains(&customer.id)
        && !evidence.dismissed.customers.contains(&customer.id)
        && since.is_some_and(|since| customer.created_at >= since)
}

/// R2: told, and new to whoever stored it then.
fn may_be_new(evidence: &Evidence, customer: &Customer, at: Timestamp) -> bool {
    let switched = &evidence.since.customers;
    evidence.told_customers.contains(&customer.id) && switched.perhaps_new(customer.created_at, at)
}

/// R4: an invoice that is told, and was new then, has this customer.
fn is_of_an_invoice(evidence: &Evidence, customer_id: i64, at: Timestamp) -> bool {
    let mut invoices = orders::new_invoices(evidence, at);
    invoices.any(|i| i.content.customer_id == Some(customer_id))
}

/// R7: when it was created there was no other account of the person.
fn check_only(
    earlier: &[Account],
    account: &Account,
    versions: &[&Customer],
    findings: &mut Findings,
) {
    for other in earlier.iter().filter(|other| !other.deleted) {
        let same = |c: &&Customer| model::same_email(c, other) || model::same_phone(c, other);
        if other.account_code == account.account_code || versions.iter().any(same) {
            let what = format!(
                "account {} has the person of {}",
                account.account_code, other.account_code
            );
            findings.add(Kind::Doubled, what);
        }
    }
}

fn check_values(
    evidence: &Evidence,
    account: &Account,
    versions: &[&Customer],
    findings: &mut Findings,
) {
    let code = &account.account_code;
    let at = account.created_at.unwrap_or_default();
    let current = current(versions, |c| c.modified_at, at);
    let shown = shown(account);
    if !current.iter().any(|customer| expected(customer) == shown) {
        let what = format!("account {code} is not as KiotViet's record was");
        findings.add(Kind::Wrong, what);
    }
    let source = vec!["KiotViet".to_owned()];
    findings.same(&format!("{code}'s source"), &account.sources, &source);
    let may_manage = managers(evidence, versions, at);
    if !may_manage.contains(&account.manager) {
        let what = format!("{code}'s manager is {:?}", account.manager);
        findings.add(Kind::Wrong, what);
    }
}

/// R12: nobody while the customer webhook is on, else the executor of one of the invoices.
fn managers(evidence: &Evidence, versions: &[&Customer], at: Timestamp) -> Vec<Option<String>> {
    let switched = &evidence.since.customers;
    let nobody = switched.perhaps(true, at).then_some(None);
    let id = versions.first().map(|customer| customer.id);
    let executors = orders::new_invoices(evidence, at)
        .filter(|invoice| invoice.content.customer_id == id && switched.perhaps(false, at))
        .map(|invoice| model::executor(invoice, &evidence.staff, &evidence.users));
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
        account.description.clone(),
        account
            .gender
            .map_or_else(String::new, |code| code.to_string()),
    ]
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
        text(&content.address),
        content
            .birth_date
            .map_or_else(String::new, |date| date.to_string()),
        text(&content.tax_code),
        text(&content.comments),
        gender.to_owned(),
    ]
}
