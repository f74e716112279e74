//! Details that a record can do without: the record matters more than a detail that Getfly refuses
//! by name.

use crate::{
    getfly::{
        error::GetflyError,
        refusal::{Detail, DuplicateField},
    },
    journal::note::Note,
    rules::{
        email::EmailField,
        model::{NewAccount, NewOrder},
        phone::PhoneField,
        settings::RuleSettings,
    },
};

/// Removes the detail from an account; false if the account does not have it. A phone or an e-mail
/// moves into the description, so that its text is not lost.
pub fn drop_from_account(account: &mut NewAccount, detail: Detail) -> bool {
    match detail {
        Detail::Manager => account.manager.take().is_some(),
        Detail::Source => account.source.take().is_some(),
        Detail::Gender => account.gender.take().is_some(),
        Detail::Birthday => account.birthday.take().is_some(),
        Detail::TaxCode => account.tax_code.take().is_some(),
        Detail::Address => account.address.take().is_some(),
        Detail::Phone => {
            let text = account.phone.take();
            describe(account, "Điện thoại", text)
        }
        Detail::Email => {
            let text = account.email.take();
            describe(account, "E-mail", text)
        }
        Detail::Executor => false,
    }
}

fn describe(account: &mut NewAccount, name: &str, text: Option<String>) -> bool {
    let Some(text) = text else {
        return false;
    };
    let line = format!("{name}: {text}");
    account.description = Some(match account.description.take() {
        Some(description) => format!("{description}\n{line}"),
        None => line,
    });
    true
}

/// Removes the detail from an order; false if the order does not have it.
pub fn drop_from_order(order: &mut NewOrder, detail: Detail) -> bool {
    match detail {
        Detail::Executor => order.executor.take().is_some(),
        Detail::Phone => order.account.phone.take().is_some(),
        Detail::Email => order.account.email.take().is_some(),
        Detail::Address => order.account.address.take().is_some(),
        Detail::Manager | Detail::Source | Detail::Gender | Detail::Birthday | Detail::TaxCode => {
            false
        }
    }
}

/// Removes a placeholder phone or e-mail that Getfly refuses as a duplicate: many customers share a
/// placeholder, so it does not identify this one. Returns which one it was; none if both are real,
/// or the refusal is about the other one.
pub fn drop_placeholder(
    account: &mut NewAccount,
    error: &GetflyError,
    rules: &RuleSettings,
) -> Option<Detail> {
    let about = error.duplicate_field();
    let may_be = |field| about.is_none() || about == Some(field);
    let phone = |text: &String| {
        let phones = PhoneField::parse(text);
        phones.matchable(&rules.ignored_phones).next().is_none()
    };
    if may_be(DuplicateField::Phone) && account.phone.as_ref().is_some_and(phone) {
        account.phone = None;
        return Some(Detail::Phone);
    }
    let email = |text: &String| {
        let emails = EmailField::parse(text);
        emails.matchable(&rules.ignored_emails).next().is_none()
    };
    if may_be(DuplicateField::Email) && account.email.as_ref().is_some_and(email) {
        account.email = None;
        return Some(Detail::Email);
    }
    None
}

/// The note on a record that is created without a detail.
pub fn without(detail: Detail, error: &GetflyError) -> Note {
    Note::CreatedWithout {
        detail,
        why: error.clone().into(),
    }
}
