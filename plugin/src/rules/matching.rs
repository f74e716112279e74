//! R7: finds the Getfly account that a KiotViet customer already has. Getfly searches by substring,
//! so the hits are compared again here, exactly. It never asks for more hits.

use super::{
    email::{self, EmailField},
    model::Account,
    phone::{self, PhoneField},
    settings::RuleSettings,
    verdict::Reason,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an account has in common with the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// An e-mail address; decides first.
    Email,
    /// A phone number.
    Phone,
    /// A number of one of its contact persons.
    Contact,
    /// An e-mail address of one of its contact persons.
    ContactEmail,
}

impl MatchedBy {
    /// Whether only a contact person has it, so that it comes last and links one account alone.
    pub fn is_of_contact(self) -> bool {
        matches!(self, Self::Contact | Self::ContactEmail)
    }

    /// The reason of an event that ends with this link.
    pub fn reason(self) -> Reason {
        match self {
            Self::Email | Self::ContactEmail => Reason::LinkedByEmail,
            Self::Phone | Self::Contact => Reason::LinkedByPhone,
        }
    }
}

/// The account to link, and the other matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// None: no account matches, or several match by their contact persons only; a new account is
    /// due.
    pub linked: Option<(Account, MatchedBy)>,
    /// The other matches, best first, for the explanation.
    pub alternatives: Vec<(Account, MatchedBy)>,
}

/// Chooses among the hits of the e-mail search and of the phone search (all pages of both, in any
/// order, with repeats): e-mail before phone, then the account created first, then the smallest id.
/// An account without a code comes last: no order can name it. A number or an address that stands only on a contact person comes last, and links only where it is one account's. Unreadable creation times come last. Placeholders, also those of `settings`, match nobody.
pub fn choose(
    email_hits: &[Account],
    phone_hits: &[Account],
    emails: &EmailField,
    phones: &PhoneField,
    settings: &RuleSettings,
) -> Choice {
    let mut seen = BTreeSet::new();
    let mut matches: Vec<(Account, MatchedBy)> = email_hits
        .iter()
        .chain(phone_hits)
        .filter_map(|account| Some((account, matched_by(account, emails, phones, settings)?)))
        .filter(|(account, _)| seen.insert(account.id))
        .map(|(account, by)| (account.clone(), by))
        .collect();
    if !mutant!(FirstSearchHit) {
        // The ids differ, so that an unstable sort has one result.
        matches.sort_unstable_by_key(|(account, by)| {
            (
                account.code.as_str().trim().is_empty(),
                *by,
                account.created_at.is_none(),
                account.created_at,
                account.id,
            )
        });
    }
    if mutant!(PhoneBeforeEmail) {
        matches.sort_by_key(|(_, by)| core::cmp::Reverse(*by));
    }
    let only_contacts = matches.first().is_some_and(|(_, by)| by.is_of_contact());
    let is_shared = only_contacts && matches.len() > 1;
    let mut matches = matches.into_iter();
    Choice {
        linked: if is_shared { None } else { matches.next() },
        alternatives: matches.collect(),
    }
}

/// Whether a contact person of the account has a number that the account itself does not have.
pub fn has_contact_numbers(account: &Account) -> bool {
    let own = PhoneField::parse(&account.phone);
    let contacts = account.contacts.iter().map(|text| PhoneField::parse(text));
    let mut numbers = contacts.flat_map(|field| field.numbers().to_vec());
    numbers.any(|number| !own.numbers().contains(&number))
}

fn matched_by(
    account: &Account,
    emails: &EmailField,
    phones: &PhoneField,
    settings: &RuleSettings,
) -> Option<MatchedBy> {
    let email = EmailField::parse(&account.email);
    let phone = || PhoneField::parse(&account.phone);
    if email::fields_match(emails, &email, &settings.ignored_emails) {
        Some(MatchedBy::Email)
    } else if phone::fields_match(phones, &phone(), &settings.ignored_phones) {
        Some(MatchedBy::Phone)
    } else {
        let mut numbers = account.contacts.iter().map(|text| PhoneField::parse(text));
        let mut addresses = account.contact_emails.iter();
        let has = |text: &String| {
            email::fields_match(emails, &EmailField::parse(text), &settings.ignored_emails)
        };
        if numbers.any(|field| phone::fields_match(phones, &field, &settings.ignored_phones)) {
            Some(MatchedBy::Contact)
        } else {
            addresses.any(has).then_some(MatchedBy::ContactEmail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{codes::AccountCode, email::EmailAddress, phone::PhoneNumber};

    fn account(id: i64, phone: &str, email: &str, created_at: Option<&str>) -> Account {
        Account {
            id,
            code: AccountCode::existing(format!("KH{id}")),
            name: String::new(),
            phone: phone.to_owned(),
            email: email.to_owned(),
            created_at: created_at.map(|text| text.parse().unwrap()),
            contacts: Vec::new(),
            contact_emails: Vec::new(),
        }
    }

    fn with_contact(mut account: Account, number: &str) -> Account {
        account.contacts.push(number.to_owned());
        account
    }

    fn ids(hits: (&[Account], &[Account]), phones: &str, emails: &str) -> Vec<(i64, MatchedBy)> {
        let settings = RuleSettings {
            ignored_phones: vec![PhoneNumber::parse("0900111222").unwrap()],
            ignored_emails: vec![EmailAddress::parse("shop@x.vn").unwrap()],
            ..RuleSettings::default()
        };
        let (emails, phones) = (EmailField::parse(emails), PhoneField::parse(phones));
        let choice = choose(hits.0, hits.1, &emails, &phones, &settings);
        let all = choice.linked.into_iter().chain(choice.alternatives);
        all.map(|(account, by)| (account.id, by)).collect()
    }

    const EARLY: Option<&str> = Some("2024-01-01T08:00:00");
    const LATE: Option<&str> = Some("2024-01-01T08:00:01");

    #[test]
    fn r7_email_match_beats_phone_match() {
        let a = account(1, "0912345678", "", EARLY);
        let b = account(2, "", "an@x.vn", LATE);
        let found = ids((&[b], &[a]), "0912345678", "an@x.vn");
        assert_eq!(found, [(2, MatchedBy::Email), (1, MatchedBy::Phone)]);
    }

    #[test]
    fn r7_the_account_created_first_wins() {
        let phone = "0912345678";
        let hits = [
            account(1, phone, "", LATE),
            account(2, phone, "", EARLY),
            account(3, phone, "", None),
        ];
        let found: Vec<_> = ids((&[], &hits), "+84912345678", "")
            .into_iter()
            .map(|m| m.0)
            .collect();
        assert_eq!(found, [2, 1, 3]);
    }

    #[test]
    fn r7_equal_creation_times_go_by_smallest_id() {
        let hits = [
            account(10, "", "an@x.vn", EARLY),
            account(9, "", "AN@x.vn", EARLY),
        ];
        assert_eq!(
            ids((&hits, &[]), "", "an@x.vn").first(),
            Some(&(9, MatchedBy::Email))
        );
    }

    #[test]
    fn r7_substring_hits_are_dropped() {
        let hits = [
            account(1, "09123456789", "lan@x.vn", EARLY),
            account(2, "10912345678", "an@x.vn.com", EARLY),
        ];
        assert_eq!(ids((&hits, &hits), "0912345678", "an@x.vn"), []);
    }

    #[test]
    fn r7_any_number_of_a_merged_field_matches() {
        let hit = account(1, "02563 847 745 - 0903 596 729", "", EARLY);
        assert_eq!(
            ids((&[], &[hit]), "84903596729", ""),
            [(1, MatchedBy::Phone)]
        );
    }

    #[test]
    fn r7_a_contact_persons_number_comes_last_and_links_one_account_only() {
        let number = "0912345678";
        let on_contact =
            |id| with_contact(account(id, "02838123456", "", EARLY), "+84 912 345 678");
        let own = account(3, number, "", LATE);
        assert_eq!(
            ids((&[], &[on_contact(1)]), number, ""),
            [(1, MatchedBy::Contact)]
        );
        assert_eq!(
            ids((&[], &[on_contact(1), own]), number, ""),
            [(3, MatchedBy::Phone), (1, MatchedBy::Contact)]
        );
        let both = [on_contact(1), on_contact(2)];
        let (emails, phones) = (EmailField::default(), PhoneField::parse(number));
        let settings = RuleSettings::default();
        let choice = choose(&[], &both, &emails, &phones, &settings);
        assert_eq!((choice.linked, choice.alternatives.len()), (None, 2));
        let placeholder = with_contact(account(4, "", "", EARLY), "0000000000");
        assert_eq!(ids((&[], &[placeholder]), "0000000000", ""), []);
    }

    #[test]
    fn r7_a_contact_persons_address_comes_last_too() {
        let on_contact = |id| Account {
            contact_emails: vec!["An@x.vn".to_owned()],
            ..account(id, "", "", EARLY)
        };
        let lone = [on_contact(1)];
        assert_eq!(
            ids((&[], &lone), "", "an@x.vn"),
            [(1, MatchedBy::ContactEmail)]
        );
        let both = [
            on_contact(1),
            with_contact(account(2, "", "", EARLY), "0912345678"),
        ];
        let (emails, phones) = (
            EmailField::parse("an@x.vn"),
            PhoneField::parse("0912345678"),
        );
        let choice = choose(&[], &both, &emails, &phones, &RuleSettings::default());
        assert_eq!((choice.linked, choice.alternatives.len()), (None, 2));
    }

    #[test]
    fn r7_a_contact_with_the_accounts_own_number_says_nothing_new() {
        let same = with_contact(account(1, "0912345678", "", EARLY), "84912345678");
        assert!(!has_contact_numbers(&same));
        assert!(has_contact_numbers(&with_contact(same, "0987654322")));
    }

    #[test]
    fn r7_placeholders_and_empty_fields_match_nobody() {
        let hits = [
            account(1, "0000000000", "", EARLY),
            account(2, "0900 111 222", "shop@x.vn", EARLY),
            account(3, "", "khongco@gmail.com", EARLY),
        ];
        assert_eq!(ids((&hits, &hits), "0000000000", ""), []);
        assert_eq!(ids((&hits, &hits), "0900111222", ""), []);
        assert_eq!(ids((&hits, &hits), "", "khongco@gmail.com"), []);
        assert_eq!(ids((&hits, &hits), "", "SHOP@x.vn"), []);
        assert_eq!(ids((&hits, &hits), "", ""), []);
    }

    #[test]
    fn r7_an_account_that_matches_twice_counts_once_by_email() {
        let both = account(1, "0912345678", "an@x.vn", EARLY);
        let found = ids((&[], &[both.clone(), both]), "0912345678", "an@x.vn");
        assert_eq!(found, [(1, MatchedBy::Email)]);
    }
}
