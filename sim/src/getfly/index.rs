//! A tenant's accounts, indexed so that a search among a hundred thousand does not look at each: by
//! code, and by parts of phones and e-mails.

use super::Account;
use jiff::Timestamp;
use std::collections::HashMap;

/// The bytes of a part that is looked up; a shorter one is searched for everywhere.
const RUN: usize = 6;

/// In order of creation. Code and e-mail of a stored account never change.
#[derive(Default)]
pub(super) struct Accounts {
    all: Vec<Account>,
    by_code: HashMap<String, Vec<usize>>,
    phones: Parts,
    emails: Parts,
    last_id: Option<i64>,
}

/// A field that is searched for parts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Phone,
    Email,
}

impl Accounts {
    pub(super) fn push(&mut self, account: Account) {
        let at = self.all.len();
        let code = account.account_code.clone();
        self.by_code.entry(code).or_default().push(at);
        self.phones.add(at, &account.phone_office);
        self.emails.add(at, &account.email);
        self.last_id = self.last_id.max(Some(account.id));
        self.all.push(account);
    }

    pub(super) fn all(&self) -> &[Account] {
        &self.all
    }

    pub(super) fn all_mut(&mut self) -> &mut [Account] {
        &mut self.all
    }

    /// Gives an account another phone. False when there is none.
    pub(super) fn change_phone(&mut self, id: i64, phone: &str, now: Timestamp) -> bool {
        let Some(at) = self.all.iter().position(|account| account.id == id) else {
            return false;
        };
        let Some(account) = self.all.get_mut(at) else {
            return false;
        };
        phone.clone_into(&mut account.phone_office);
        account.updated_at = Some(now);
        self.phones.add(at, phone);
        true
    }

    /// Removes an account for good; returns its code.
    pub(super) fn remove(&mut self, id: i64) -> Option<String> {
        let at = self.all.iter().position(|account| account.id == id)?;
        // The indexes of the others must not change: it stays as an account that no search finds.
        let account = self.all.get_mut(at)?;
        account.deleted = true;
        let code = std::mem::take(&mut account.account_code);
        if let Some(found) = self.by_code.get_mut(&code) {
            found.retain(|other| *other != at);
        }
        Some(code)
    }

    /// The largest number so far.
    pub(super) fn last_id(&self) -> Option<i64> {
        self.last_id
    }

    /// Deleted ones too.
    pub(super) fn with_code(&self, code: &str) -> impl Iterator<Item = &Account> {
        let found = self.by_code.get(code).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|at| self.all.get(*at))
    }

    /// At least the accounts whose field holds this part, whatever its case; all accounts if the
    /// index cannot help.
    pub(super) fn perhaps_with(&self, field: Field, part: &str) -> Vec<&Account> {
        let parts = match field {
            Field::Phone => &self.phones,
            Field::Email => &self.emails,
        };
        match parts.perhaps_in(part) {
            Some(found) => found.iter().filter_map(|at| self.all.get(*at)).collect(),
            None => self.all.iter().collect(),
        }
    }
}

/// The texts in which each run of [`RUN`] bytes occurs.
#[derive(Default)]
struct Parts(HashMap<[u8; RUN], Vec<usize>>);

impl Parts {
    fn add(&mut self, at: usize, text: &str) {
        for run in runs(&text.to_lowercase()) {
            let texts = self.0.entry(run).or_default();
            if texts.last() != Some(&at) {
                texts.push(at);
            }
        }
    }

    /// The texts with the rarest run of a part; none if it is too short for one.
    fn perhaps_in(&self, part: &str) -> Option<&[usize]> {
        let part = part.to_lowercase();
        let texts = runs(&part).map(|run| self.0.get(&run).map_or(&[][..], Vec::as_slice));
        texts.min_by_key(|texts| texts.len())
    }
}

fn runs(text: &str) -> impl Iterator<Item = [u8; RUN]> {
    let windows = text.as_bytes().windows(RUN);
    windows.filter_map(|run| run.try_into().ok())
}
