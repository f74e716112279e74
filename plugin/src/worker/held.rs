//! Which customers must wait for a create that may still take effect: those who share a phone or an
//! e-mail with it.

use crate::{
    journal::held::Brings,
    rules::{
        codes::AccountCode,
        email::EmailField,
        model::{Customer, NewAccount},
        phone::PhoneField,
    },
    time::Timestamp,
    worker::{failure::Failure, session::Session},
    world::World,
};

/// The phones and e-mails that `account` brings into Getfly once its create takes effect.
pub(super) fn brings<W: World>(session: &Session<'_, W>, account: &NewAccount) -> Brings {
    let phone = account.phone.as_deref().unwrap_or_default();
    let email = account.email.as_deref().unwrap_or_default();
    Brings {
        code: account.code.clone(),
        marks: marks(session, phone, email),
    }
}

/// Fails while a create may still take effect that would bring a phone or an e-mail of `customer`,
/// whose own account has the code `own`.
pub(super) fn wait<W: World>(
    session: &Session<'_, W>,
    customer: &Customer,
    own: &AccountCode,
) -> Result<(), Failure> {
    if session.held.is_empty() {
        return Ok(());
    }
    let marks = marks(session, &customer.contact_number, &customer.email);
    let now: Timestamp = session.world.now();
    let held = session.held.iter().filter(|held| now < held.until);
    let concerned = held.filter(|held| held.concerns(own, &marks));
    match concerned.map(|held| held.until).max() {
        Some(until) => Err(Failure::Later(until)),
        None => Ok(()),
    }
}

/// Keyed fingerprints of the numbers and addresses that may match another customer's.
fn marks<W: World>(session: &Session<'_, W>, phone: &str, email: &str) -> Vec<String> {
    let rules = &session.ready.rules;
    let (phones, emails) = (PhoneField::parse(phone), EmailField::parse(email));
    let numbers = phones.matchable(&rules.ignored_phones).map(|p| p.as_str());
    let addresses = emails.matchable(&rules.ignored_emails).map(|e| e.as_str());
    let sealer = &session.ready.sealer;
    let all = numbers.chain(addresses);
    all.map(|text| sealer.fingerprint(text)).collect()
}
