//! The rules (R3 to R9, R12, R13) once more, as naively as possible: no calls, no order of events,
//! no memory; records of both vendors in, yes or no out. It shares no code with the plugin. Of
//! phones it knows only what the scenarios need: digits, `+84`, and `/`, `;` or `,` between
//! several.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use sim::{
    getfly::{Account, User},
    kiotviet::{Customer, Invoice, Staff, Surcharge},
};

/// The numbers of a phone field, each as `0…`.
pub fn phones(field: &str) -> Vec<String> {
    let numbers = unmasked(field).map(with_zero);
    numbers.filter(|number| number.len() > 1).collect()
}

/// The parts of a phone field that nothing masks.
fn unmasked(field: &str) -> impl Iterator<Item = &str> {
    let parts = field.split(['/', ';', ',']);
    parts.filter(|part| !part.contains('*'))
}

fn with_zero(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.strip_prefix("84") {
        Some(rest) if rest.len() == 9 => rest,
        _ => digits.trim_start_matches('0'),
    };
    format!("0{national}")
}

/// R8, R9: a phone field as Getfly must have it: one number as `0…`; several as they were written,
/// with only the first one's zero added.
pub fn written_phone(field: &str) -> String {
    match phones(field).as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        _ if field.trim_start().starts_with('0') => field.trim().to_owned(),
        _ => format!("0{}", field.trim()),
    }
}

/// The day in Vietnam, as Getfly has it.
pub fn day(at: Timestamp) -> String {
    let there = at + SignedDuration::from_hours(7);
    there.to_string().chars().take("2026-10-05".len()).collect()
}

/// R3: the sums of the surcharges for shipping and of all others. It knows the one word for
/// shipping that the scenarios use.
pub fn surcharges(invoice: &Invoice) -> (Decimal, Decimal) {
    let all = invoice.content.surcharges.iter();
    let (transport, other): (Vec<_>, Vec<_>) = all.partition(|s| s.name.contains("giao hàng"));
    let sum = |of: Vec<&Surcharge>| of.into_iter().map(|s| s.price).sum();
    (sum(transport), sum(other))
}

fn emails(field: &str) -> Vec<String> {
    let all = field.split([';', ',']);
    let all = all.map(|email| email.trim().to_lowercase());
    all.filter(|email| !email.is_empty()).collect()
}

fn share(one: &[String], other: &[String]) -> bool {
    let mut shared = one.iter().filter(|value| other.contains(value));
    shared.any(|value| !is_placeholder(value))
}

/// Whether a text has a character of four bytes.
pub fn is_wide(text: &str) -> bool {
    text.chars().any(|c| c.len_utf8() > 3)
}

/// R7: whether a number is a placeholder. It knows the one kind that the scenarios use: one digit
/// repeated.
pub fn is_placeholder(number: &str) -> bool {
    let digits = number.trim_start_matches('0');
    !number.contains('@') && digits.chars().all(|digit| digits.starts_with(digit))
}

/// Whether this customer and this account have an e-mail in common.
pub fn same_email(customer: &Customer, account: &Account) -> bool {
    let own = customer.content.email.as_deref().unwrap_or_default();
    share(&emails(own), &emails(&account.email))
}

/// Whether they have a phone in common.
pub fn same_phone(customer: &Customer, account: &Account) -> bool {
    let own = customer.content.contact_number.as_deref();
    share(
        &phones(own.unwrap_or_default()),
        &phones(&account.phone_office),
    )
}

/// R2: street, ward, district, province. It ignores repeated parts, which the scenarios do not
/// have.
pub fn address(customer: &Customer) -> String {
    let content = &customer.content;
    let location = content.location_name.as_deref().unwrap_or_default();
    let (province, district) = location.split_once(" - ").unwrap_or((location, ""));
    let street = content.address.as_deref().unwrap_or_default();
    let ward = content.ward_name.as_deref().unwrap_or_default();
    let parts = [street, ward, district, province].into_iter();
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The code of the account that a customer is created under.
pub fn account_code(retailer: &str, customer_id: i64) -> String {
    format!("KV-{retailer}-{customer_id}")
}

/// R5: the name on orders of walk-ins, and of their one account.
pub const WALK_IN: &str = "Khách lẻ";

/// R5: the code of the account that a shop's walk-ins are created under.
pub fn walk_in_code(retailer: &str) -> String {
    format!("KV-{retailer}-KHACHLE")
}

/// R7: whether they are the same person.
pub fn same_person(customer: &Customer, account: &Account) -> bool {
    same_email(customer, account) || same_phone(customer, account)
}

/// Whether a contact person of the account has a phone of the customer.
pub fn same_contact(customer: &Customer, account: &Account) -> bool {
    let own = customer.content.contact_number.as_deref();
    let own = phones(own.unwrap_or_default());
    let mut contacts = account.contacts.iter();
    contacts.any(|text| share(&own, &phones(text)))
}

/// R7: which of these accounts a customer belongs to: its own, else the first created with its e-mail,
/// else the first created with its phone.
pub fn account_of<'a>(
    customer: &Customer,
    is_own: impl Fn(&Account) -> bool,
    accounts: impl Iterator<Item = &'a Account> + Clone,
) -> Option<&'a Account> {
    let first = |fits: &dyn Fn(&Account) -> bool| {
        let fitting = accounts.clone().filter(|a| fits(a));
        fitting.min_by_key(|a| (a.created_at, a.id))
    };
    first(&|a| is_own(a))
        .or_else(|| first(&|a| same_email(customer, a)))
        .or_else(|| first(&|a| same_phone(customer, a)))
}

/// R13: the login name of the Getfly user with the phone of the invoice's seller, unless KiotViet does
/// not list the seller; of several the seller's namesake, else the smallest id.
pub fn executor(invoice: &Invoice, staff: &[Staff], users: &[User]) -> Option<String> {
    let seller = staff
        .iter()
        .find(|s| Some(s.id) == invoice.content.sold_by && !s.is_admin)?;
    let phone = phones(seller.mobile_phone.as_deref()?);
    let fitting = users
        .iter()
        .filter(|u| share(&phone, &phones(&u.contact_mobile)));
    let best = fitting.min_by_key(|u| (u.contact_name != seller.given_name, u.user_id));
    best.map(|user| user.user_name.clone())
}
