//! Finds the events of a customer, a sale or a phone. Visible texts of an event are compared as
//! they are. A customer's code and phones are compared by keyed fingerprints, so that the store
//! holds no phone.

use crate::{
    journal::{kind::Kind, record::Record},
    rules::{
        codes::AccountCode,
        phone::{PhoneField, PhoneNumber},
    },
    seal::Sealer,
};

/// The most fingerprints that an event keeps.
const MOST_MARKS: usize = 20;
/// Most words that are looked for at once.
const MOST_WORDS: usize = 4;

/// The form in which words are compared: without surrounding blanks, case and leading zeros.
fn plain(text: &str) -> String {
    text.trim().trim_start_matches('0').to_uppercase()
}

/// FNV-1a: what it takes as the same is compared afterwards.
fn hash(kind: u8, text: &str) -> u64 {
    let bytes = core::iter::once(kind).chain(text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Before a word that an event shows as it is, and before a keyed mark.
const WORD: u8 = b'w';
const MARK: u8 = b'm';

/// What an event shows as it is.
fn shown(record: &Record) -> Vec<String> {
    let hint = record.hint.as_ref();
    let ids = record.customer_id.into_iter().chain(hint.map(|h| h.id));
    let codes = [
        Some(record.key.as_str()),
        record.account_code.as_ref().map(|code| code.as_str()),
        record.order_code.as_ref().map(|code| code.as_str()),
        hint.and_then(|hint| hint.code.as_deref()),
    ];
    let codes = codes.into_iter().flatten().map(plain);
    let all = ids.map(|id| plain(&id.to_string())).chain(codes);
    all.filter(|word| !word.is_empty()).collect()
}

/// The hashes of what an event is found by.
pub fn hashes(record: &Record) -> Vec<u64> {
    let words = shown(record);
    let words = words.iter().map(|word| hash(WORD, word));
    let marks = record.marks.iter().map(|mark| hash(MARK, mark));
    words.chain(marks).collect()
}

/// The fingerprints of a customer's code and phones.
pub fn marks(sealer: &Sealer, code: &str, phones: &PhoneField) -> Vec<String> {
    let numbers = phones.numbers().iter().map(PhoneNumber::search_key);
    let words = numbers.map(str::to_owned).chain([plain(code)]);
    let words = words.filter(|word| !word.is_empty());
    let marks = words.map(|word| sealer.short_fingerprint(&format!("find {word}")));
    marks.take(MOST_MARKS).collect()
}

/// What a person looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
    marks: Vec<String>,
    phone: Option<PhoneNumber>,
}

impl Wanted {
    /// The typed text; none if it names nothing. Without a sealer, no customer's code and no phone
    /// is found.
    pub fn parse(typed: &str, sealer: Option<&Sealer>) -> Option<Self> {
        let word = plain(typed);
        if word.is_empty() {
            return None;
        }
        let phone = PhoneNumber::parse(typed);
        let key = phone.iter().map(|phone| phone.search_key().to_owned());
        let marked: Vec<String> = key.chain([word.clone()]).collect();
        let mut marks = Vec::new();
        if let Some(sealer) = sealer {
            for word in marked {
                let text = format!("find {word}");
                marks.extend(sealer.short_fingerprints(&text));
            }
        }
        marks.dedup();
        Some(Self {
            words: vec![word],
            marks,
            phone,
        })
    }

    /// The phone number that was typed.
    pub fn phone(&self) -> Option<&PhoneNumber> {
        self.phone.as_ref()
    }

    /// Looks for this account too; whether that is new.
    pub fn also(&mut self, account: &AccountCode) -> bool {
        self.add(plain(account.as_str()))
    }

    /// Looks for the customer of `record` too, where his code or phone was found: his sales show only who he is. Whether
    /// that is new.
    pub fn learn(&mut self, record: &Record) -> bool {
        if !record.marks.iter().any(|mark| self.marks.contains(mark)) {
            return false;
        }
        let id = match record.kind {
            Kind::Customer => record.hint.as_ref().map(|hint| hint.id),
            Kind::Invoice | Kind::Other => record.customer_id,
        };
        id.is_some_and(|id| self.add(plain(&id.to_string())))
    }

    fn add(&mut self, word: String) -> bool {
        let is_new = self.words.len() < MOST_WORDS && !self.words.contains(&word);
        if is_new {
            self.words.push(word);
        }
        is_new
    }

    /// The hashes of all that it may be.
    pub fn hashes(&self) -> Vec<u64> {
        let marks = self.marks.iter().map(|mark| hash(MARK, mark));
        let words = self.words.iter().map(|word| hash(WORD, word));
        marks.chain(words).collect()
    }

    /// Whether `record` is about it.
    pub fn is(&self, record: &Record) -> bool {
        shown(record).iter().any(|word| self.words.contains(word))
            || record.marks.iter().any(|mark| self.marks.contains(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::SHORT_CHARS;
    use crate::{journal::connection_name::ConnectionName, time::Timestamp};
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
    fn what_finds_an_event_has_one_of_its_hashes() {
        let hashes = hashes(&record());
        for typed in ["20000001", "KH000123", "+84 912 345 678"] {
            let wanted = Wanted::parse(typed, Some(&sealer(1))).unwrap();
            let of_wanted = wanted.hashes();
            assert!(
                of_wanted.iter().any(|hash| hashes.contains(hash)),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_phone_is_kept_as_a_keyed_mark_only() {
        let marks = record().marks;
        assert_eq!(marks.len(), 3);
        assert!(
            marks
                .iter()
                .all(|m| m.len() == SHORT_CHARS && !m.contains("912345678"))
        );
        let other = Wanted::parse("0912345678", Some(&sealer(2))).unwrap();
        assert!(!other.is(&record()));
        assert!(!Wanted::parse("0912345678", None).unwrap().is(&record()));
    }
}
