//! Getfly's replies to every question and every create. Input: see `replies`.

use super::{
    memory::{ORIGINS, now},
    replies::{Vendor, is_short},
};
use plugin::{
    getfly::{
        client::Getfly,
        error::GetflyError,
        wire::{NewOpportunity, Stored},
    },
    rules::{
        codes::{AccountCode, OrderCode},
        email::EmailAddress,
        model::{NewAccount, NewOrder, OrderAccount},
        money::Money,
        phone::PhoneNumber,
    },
    secret::Secret,
    vendor::fate::Fate,
};
use std::collections::BTreeSet;

/// No record is taken for another, a create that may be stored is never taken for one that is not,
/// and no error shows personal data.
pub fn check(data: &[u8]) {
    let [origin, ..] = ORIGINS;
    for vendor in Vendor::both(data) {
        let key = Secret::new("key");
        let getfly = Getfly {
            http: &vendor,
            origin,
            api_key: &key,
        };
        let ask = || vendor.again();

        ask();
        let email = EmailAddress::parse("an@shop.test").expect("an address");
        let accounts = judged(&vendor, now(getfly.accounts_by_email(&email)), false);
        are_different(
            accounts
                .iter()
                .flat_map(|hits| &hits.accounts)
                .map(|account| account.id),
        );
        ask();
        let phone = PhoneNumber::parse("0912345678").expect("a number");
        let accounts = judged(&vendor, now(getfly.accounts_by_phone(&phone)), false);
        are_different(accounts.iter().flatten().map(|account| account.id));
        ask();
        let users = judged(&vendor, now(getfly.users()), false);
        are_different(users.iter().flatten().map(|user| user.user_id));
        for user in users.iter().flatten() {
            assert!(!user.user_name.trim().is_empty());
        }
        ask();
        let code = AccountCode::existing("KV-cuahangthu-1001".to_owned());
        let account = judged(&vendor, now(getfly.account_by_code(&code)), true);
        if let Some(account) = account.flatten() {
            assert!(
                account
                    .code
                    .as_str()
                    .trim()
                    .eq_ignore_ascii_case(code.as_str())
            );
        }
        ask();
        let code = OrderCode::existing("cuahangthu-HD000001".to_owned());
        let order = judged(&vendor, now(getfly.order_by_code(&code)), true);
        if let Some(order) = order.flatten() {
            assert!(order.code.trim().eq_ignore_ascii_case(code.as_str()));
        }
        ask();
        is_told_apart(&vendor, now(getfly.create_account(&new_account())));
        ask();
        is_told_apart(&vendor, now(getfly.create_order(&new_order())));
        ask();
        is_told_apart(&vendor, now(getfly.create_opportunity(&new_opportunity())));
    }
}

fn are_different(ids: impl Iterator<Item = i64>) {
    let mut seen = BTreeSet::new();
    for id in ids {
        assert!(id > 0 && seen.insert(id), "{id}");
    }
}

/// The result of a question, checked against the reply. `absent` if a 404 is an answer.
fn judged<T>(vendor: &Vendor, result: Result<T, GetflyError>, absent: bool) -> Option<T> {
    match result {
        Ok(found) => {
            vendor.is_an_answer(absent);
            Some(found)
        }
        Err(error) => {
            is_sound(vendor, &error);
            assert!(
                error.fate() != Fate::Dead || vendor.reply.status != 403,
                "{error}"
            );
            None
        }
    }
}

/// The result of a create: stored, refused, or unknown.
fn is_told_apart(vendor: &Vendor, result: Result<Stored, GetflyError>) {
    let status = vendor.reply.status;
    match result {
        Ok(stored) => {
            assert!(vendor.is_success(), "{status} is a success");
            assert!(stored.id.is_some() || stored.code.is_some());
            assert!(stored.id.is_none_or(|id| id > 0));
        }
        Err(error) => {
            is_sound(vendor, &error);
            let refused = matches!(status, 400..=499) || error.refusal().is_some();
            assert!(error.maybe_stored() || refused, "{status}: {error}");
            assert!(!(error.maybe_stored() && error.is_duplicate()), "{error}");
        }
    }
}

fn is_sound(vendor: &Vendor, error: &GetflyError) {
    vendor.shows_no_personal_data(&error.to_string());
    match error.fate() {
        Fate::Retry { after } => is_short(after),
        Fate::Dead => assert!(vendor.may_be_final(), "{error}"),
    }
    for (name, text) in error
        .refusal()
        .into_iter()
        .flat_map(|refusal| &refusal.fields)
    {
        vendor.shows_no_personal_data(name);
        vendor.shows_no_personal_data(text);
    }
    assert!(error.duplicate_field().is_none() || error.is_duplicate());
}

fn new_account() -> NewAccount {
    NewAccount {
        code: AccountCode::existing("KV-cuahangthu-1001".to_owned()),
        name: "An".to_owned(),
        phone: None,
        email: None,
        address: None,
        birthday: None,
        gender: None,
        tax_code: None,
        description: None,
        source: None,
        manager: None,
    }
}

fn new_order() -> NewOrder {
    NewOrder {
        code: OrderCode::existing("cuahangthu-HD000001".to_owned()),
        date: None,
        account: OrderAccount::default(),
        executor: None,
        lines: Vec::new(),
        discount: Money::ZERO,
        vat: Money::ZERO,
        transport: Money::ZERO,
        installation: Money::ZERO,
        campaign_code: None,
        terms: Vec::new(),
    }
}

fn new_opportunity() -> NewOpportunity {
    NewOpportunity {
        campaign_code: "campaign".to_owned(),
        account_code: AccountCode::existing("KV-cuahangthu-1001".to_owned()),
        account_name: "An".to_owned(),
        phone: None,
        email: None,
        recipient: None,
    }
}
