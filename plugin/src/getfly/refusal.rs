//! Finds out what a refusal of Getfly's is about. Only `message` and `errors` are documented, so a
//! refusal is recognised by the keys and words of [`super::assumptions`]. Each clause is read by
//! itself, because one sentence may say that a phone is taken, and the next one whose customer it
//! is.

use crate::{
    getfly::assumptions::{
        ACCOUNT_NAMES, ADDRESS_NAMES, ALREADY_WORDS, BIRTHDAY_NAMES, CODE_NAMES, DUPLICATE_WORDS,
        EMAIL_NAMES, EXECUTOR_NAMES, EXIST_WORDS, FORMAT_WORDS, GENDER_NAMES, MANAGER_NAMES,
        NOT_DUPLICATE_PHRASES, NOT_WITHIN, NOT_WORDS, PHONE_NAMES, PRODUCT_NAMES, SOURCE_NAMES,
        TAX_CODE_NAMES,
    },
    vendor::redaction::{MAX_MESSAGE_CHARS, redact},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many field errors of one refusal are kept.
const MAX_FIELDS: usize = 32;

/// Getfly understood and refuses. Every text is redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// HTTP status; 200 for a refusal in an `errors` object.
    pub status: u16,
    /// Getfly's own words, may be empty.
    pub message: String,
    /// Getfly's words about each field.
    pub fields: Vec<(String, String)>,
}

/// A detail that the record can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// `account_manager_username` (R12).
    Manager,
    /// `assigned_username` (R13).
    Executor,
    /// `account_source_names` (R14).
    Source,
    /// `gender`.
    Gender,
    /// `birthday`.
    Birthday,
    /// `sic_code`, also as a duplicate.
    TaxCode,
    /// `billing_address_street`.
    Address,
    /// A phone of a wrong format. A duplicate phone is not a detail.
    Phone,
    /// An e-mail of a wrong format. A duplicate e-mail is not a detail.
    Email,
}

impl Detail {
    /// The number of details.
    pub const COUNT: usize = 9;

    /// In words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Executor => "executor",
            Self::Source => "source",
            Self::Gender => "gender",
            Self::Birthday => "birthday",
            Self::TaxCode => "tax code",
            Self::Address => "address",
            Self::Phone => "phone",
            Self::Email => "e-mail",
        }
    }
}

/// What another record already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateField {
    /// The account's or order's own code: the record exists already, or was deleted.
    Code,
    /// The e-mail.
    Email,
    /// The phone.
    Phone,
}

impl Refusal {
    /// Reads `{message, errors: {field: text | [text]}}`; `error` and `msg` stand in for `message`.
    pub(super) fn read(status: u16, body: Option<&Value>) -> Self {
        let words = |name| {
            body.and_then(|body| body.get(name))
                .map(flat_text)
                .unwrap_or_default()
        };
        let message = ["message", "error", "msg"]
            .into_iter()
            .map(words)
            .find(|text| !text.is_empty());
        let mut fields = Vec::new();
        match body.and_then(|body| body.get("errors")) {
            Some(Value::Object(errors)) => {
                for (field, text) in errors.iter().take(MAX_FIELDS) {
                    fields.push((redact(field), redact(&flat_text(text))));
                }
            }
            Some(other) if has_errors(other) => {
                fields.push(("errors".to_owned(), redact(&flat_text(other))));
            }
            _ => {}
        }
        Self {
            status,
            message: redact(&message.unwrap_or_default()),
            fields,
        }
    }

    /// Getfly's words for people: its message, and its words about each field.
    pub fn words(&self) -> String {
        let said = |text: &String| self.message.contains(text.as_str());
        let fields = self.fields.iter().filter(|(_, text)| !said(text));
        let fields = fields.map(|(field, text)| format!("{field}: {text}"));
        let message = Some(self.message.clone()).filter(|message| !message.is_empty());
        let all: Vec<String> = message.into_iter().chain(fields).collect();
        all.join("; ").chars().take(MAX_MESSAGE_CHARS).collect()
    }

    /// Whether a record with the same code, e-mail or phone is the reason. Never for a refused
    /// detail, though "người phụ trách không tồn tại" holds a duplicate's words.
    pub fn is_duplicate(&self) -> bool {
        self.says_duplicate() || (self.status == 409 && self.refused_detail().is_none())
    }

    /// Which value is the duplicate, if Getfly says so. The code comes first: only this sync uses
    /// it.
    pub fn duplicate_field(&self) -> Option<DuplicateField> {
        if !self.is_duplicate() {
            return None;
        }
        // The clauses that name a duplicate; for a bare 409, all clauses.
        let mut telling: Vec<Clause> = self
            .clauses()
            .into_iter()
            .filter(Clause::says_duplicate)
            .collect();
        if telling.is_empty() {
            telling = self.clauses();
        }
        [
            DuplicateField::Code,
            DuplicateField::Email,
            DuplicateField::Phone,
        ]
        .into_iter()
        .find(|&field| telling.iter().any(|clause| clause.names(field)))
    }

    /// The refused detail, by its field's key or by its name in the message; the first, if there
    /// are several.
    pub fn refused_detail(&self) -> Option<Detail> {
        if let Some(detail) = self.fields.iter().find_map(|(key, _)| detail_of_key(key)) {
            return Some(detail);
        }
        if self.says_duplicate() {
            // "Số điện thoại đã tồn tại. Người phụ trách: …" is not about the manager.
            return None;
        }
        let clauses = self.clauses();
        let named = clauses.iter().find_map(|clause| detail_in(&clause.text));
        named.or_else(|| self.misformed(&clauses))
    }

    /// A phone or an e-mail that is refused for its format.
    fn misformed(&self, clauses: &[Clause]) -> Option<Detail> {
        if self.status == 409 {
            return None;
        }
        clauses
            .iter()
            .filter(|clause| clause.says(&FORMAT_WORDS))
            .find_map(|clause| match clause {
                c if c.names(DuplicateField::Email) => Some(Detail::Email),
                c if c.names(DuplicateField::Phone) => Some(Detail::Phone),
                _ => None,
            })
    }

    /// Whether it names an order's account.
    pub fn is_about_accounts(&self) -> bool {
        self.clauses().iter().any(|c| c.has_any(&ACCOUNT_NAMES))
    }

    /// Whether it names a product.
    pub fn is_about_products(&self) -> bool {
        self.clauses().iter().any(|c| c.has_any(&PRODUCT_NAMES))
    }

    fn says_duplicate(&self) -> bool {
        self.clauses().iter().any(Clause::says_duplicate)
    }

    /// Every clause that may be about more than a detail's own field.
    fn clauses(&self) -> Vec<Clause> {
        let (details, others): (Vec<_>, Vec<_>) = self
            .fields
            .iter()
            .partition(|(key, _)| detail_of_key(key).is_some());
        let only_details = others.is_empty() && !details.is_empty();
        let mut clauses: Vec<Clause> = split(&self.message, "").collect();
        if only_details {
            // The message repeats the fields, unless it names another field itself.
            clauses.retain(Clause::names_any);
        }
        for (key, text) in others {
            clauses.extend(split(text, &key.to_lowercase()));
        }
        clauses
    }
}

/// A part of a sentence, lower case, and the field that it belongs to.
struct Clause {
    text: String,
    key: String,
}

fn split<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = Clause> + 'a {
    text.split(['.', ';', ',', ':', '!', '\n'])
        .map(|clause| Clause {
            text: clause.to_lowercase(),
            key: key.to_owned(),
        })
}

impl Clause {
    fn says_duplicate(&self) -> bool {
        let mut text = self.text.clone();
        for phrase in NOT_DUPLICATE_PHRASES {
            text = text.replace(phrase, " ");
        }
        let mut words = DUPLICATE_WORDS.iter();
        let says = words.any(|word| {
            let exist = EXIST_WORDS.contains(word);
            let mut said = text.match_indices(word);
            said.any(|(start, _)| !exist || !is_denied(text.get(..start).unwrap_or_default()))
        });
        says && (detail_in(&self.text).is_none() || self.names_any())
    }

    fn names(&self, field: DuplicateField) -> bool {
        let names: &[&str] = match field {
            DuplicateField::Code => &CODE_NAMES,
            DuplicateField::Email => &EMAIL_NAMES,
            DuplicateField::Phone => &PHONE_NAMES,
        };
        names
            .iter()
            .any(|name| has_name(&self.text, name) || has_name(&self.key, name))
    }

    /// Whether the clause or its key holds one of these names.
    fn has_any(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| has_name(&self.text, name) || has_name(&self.key, name))
    }

    /// Whether the clause holds one of these words.
    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| has_name(&self.text, word))
    }

    fn names_any(&self) -> bool {
        [
            DuplicateField::Code,
            DuplicateField::Email,
            DuplicateField::Phone,
        ]
        .into_iter()
        .any(|field| self.names(field))
    }
}

/// Whether "exist" after `before` means that something does not.
fn is_denied(before: &str) -> bool {
    let near = before.split_whitespace().rev().take(NOT_WITHIN);
    let mut near = near.filter_map(|word| {
        let denies = NOT_WORDS.contains(&word) || word.ends_with("n't");
        (denies || ALREADY_WORDS.contains(&word)).then_some(denies)
    });
    near.next().unwrap_or(false)
}

/// The detail whose key this is, or which it is part of: `account_source_names.0`.
fn detail_of_key(key: &str) -> Option<Detail> {
    detail_in(&key.to_lowercase())
}

/// The detail that a lower-case text names.
fn detail_in(text: &str) -> Option<Detail> {
    [
        (Detail::Manager, &MANAGER_NAMES[..]),
        (Detail::Executor, &EXECUTOR_NAMES),
        (Detail::Source, &SOURCE_NAMES),
        (Detail::Gender, &GENDER_NAMES),
        (Detail::Birthday, &BIRTHDAY_NAMES),
        (Detail::TaxCode, &TAX_CODE_NAMES),
        (Detail::Address, &ADDRESS_NAMES),
    ]
    .into_iter()
    .find(|(detail, names)| {
        // "Địa chỉ email" is not an address.
        let other = *detail == Detail::Address && EMAIL_NAMES.iter().any(|n| has_name(text, n));
        !other && names.iter().any(|name| has_name(text, name))
    })
    .map(|(detail, _)| detail)
}

/// Whether `text` holds `name` as whole words: `order_source_name` does not name `source_name`.
fn has_name(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(start, found)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text
            .get(start.saturating_add(found.len())..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

/// Whether an `errors` value holds any error.
pub(super) fn has_errors(errors: &Value) -> bool {
    match errors {
        Value::Null | Value::Bool(false) | Value::Number(_) => false,
        Value::Bool(true) => true,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// The texts inside a value, one after another.
fn flat_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(flat_text).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => fields
            .values()
            .map(flat_text)
            .collect::<Vec<_>>()
            .join("; "),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
