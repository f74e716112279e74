//! Finds the events of a customer, a sale or a phone. Visible texts of an event are compared as
//! they are. A customer's code and phones are compared by keyed fingerprints, so that the store
//! holds no phone.

use crate::{
    journal::record::Record,
    rules::phone::{PhoneField, PhoneNumber},
    seal::Sealer,
};

/// The most fingerprints that an event keeps.
const MOST_MARKS: usize = 20;
/// How much of a fingerprint is kept: 66 bits.
const MARK_CHARS: usize = 11;

/// The form in which words are compared: without surrounding blanks, case and leading zeros.
fn plain(text: &str) -> String {
    text.trim().trim_start_matches('0').to_uppercase()
}

fn cut(fingerprint: String) -> String {
    fingerprint.chars().take(MARK_CHARS).collect()
}

/// The fingerprints of a customer's code and phones.
pub fn marks(sealer: &Sealer, code: &str, phones: &PhoneField) -> Vec<String> {
    let numbers = phones.numbers().iter().map(PhoneNumber::search_key);
    let words = numbers.map(str::to_owned).chain([plain(code)]);
    let words = words.filter(|word| !word.is_empty());
    let marks = words.map(|word| cut(sealer.fingerprint(&format!("find {word}"))));
    marks.take(MOST_MARKS).collect()
}

/// What a person looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    plain: String,
    marks: Vec<String>,
}

impl Wanted {
    /// The typed text; none if it names nothing. Without a sealer, no customer's code and no phone
    /// is found.
    pub fn parse(typed: &str, sealer: Option<&Sealer>) -> Option<Self> {
        let plain = plain(typed);
        if plain.is_empty() {
            return None;
        }
        let phone = PhoneNumber::parse(typed);
        let phone = phone.iter().map(|phone| phone.search_key().to_owned());
        let words: Vec<String> = phone.chain([plain.clone()]).collect();
        let marks = sealer.into_iter().flat_map(|sealer| {
            let marks = words.iter().flat_map(|word| {
                let text = format!("find {word}");
                sealer.fingerprints(&text).map(cut).collect::<Vec<_>>()
            });
            marks.collect::<Vec<_>>()
        });
        Some(Self {
            marks: marks.collect(),
            plain,
        })
    }

    /// Whether `record` is about it.
    pub fn is(&self, record: &Record) -> bool {
        let same = |text: &str| plain(text) == self.plain;
        let same_id = |id: i64| same(&id.to_string());
        let hint = record.hint.as_ref();
        same(&record.key)
            || record
                .account_code
                .as_ref()
                .is_some_and(|c| same(c.as_str()))
            || record.order_code.as_ref().is_some_and(|c| same(c.as_str()))
            || record.customer_id.is_some_and(same_id)
            || hint.is_some_and(|hint| same_id(hint.id))
            || hint.is_some_and(|hint| hint.code.as_deref().is_some_and(same))
            || record.marks.iter().any(|mark| self.marks.contains(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{connection_name::ConnectionName, kind::Kind},
        time::Timestamp,
    };
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    fn sealer(byte: u8) -> Sealer {
        Sealer::from_base64(&STANDARD.encode([byte; 32])).unwrap()
    }

    fn record() -> Record {
        let name = ConnectionName::parse("shop").unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let mut record = Record::new(1, at, &name, Kind::Customer, "20000001".to_owned());
        let phones = PhoneField::parse("0912 345 678 - 0987654321");
        record.marks = marks(&sealer(1), "KH000123", &phones);
        record
    }

    fn finds(typed: &str) -> bool {
        let wanted = Wanted::parse(typed, Some(&sealer(1)));
        wanted.is_some_and(|wanted| wanted.is(&record()))
    }

    #[test]
    fn a_code_an_id_and_a_phone_in_any_form_are_found_whole_only() {
        for found in [
            "20000001",
            " kh000123 ",
            "0912345678",
            "912345678",
            "+84 912.345.678",
            "84987654321",
        ] {
            assert!(finds(found), "{found}");
        }
        for other in ["2000000", "KH00012", "091234567", "0", "", "  "] {
            assert!(!finds(other), "{other}");
        }
    }

    #[test]
    fn a_phone_is_kept_as_a_keyed_mark_only() {
        let marks = record().marks;
        assert_eq!(marks.len(), 3);
        assert!(
            marks
                .iter()
                .all(|m| m.len() == MARK_CHARS && !m.contains("912345678"))
        );
        let other = Wanted::parse("0912345678", Some(&sealer(2))).unwrap();
        assert!(!other.is(&record()));
        assert!(!Wanted::parse("0912345678", None).unwrap().is(&record()));
    }
}
