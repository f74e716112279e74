//! E-mail fields (R7, R8): the addresses in a free text, and exact comparison of them. It never
//! changes what is written to Getfly.

use super::text::{filled, is_invisible};
use core::fmt;
use std::collections::BTreeSet;

/// One address in canonical form: trimmed, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Takes one address, with or without `<…>`. A text without something on both sides of an `@`
    /// is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_wrapping).to_lowercase();
        let (local, domain) = text.split_once('@')?;
        (!local.is_empty() && !domain.is_empty()).then_some(Self(text))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What people put around an address.
fn is_wrapping(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
        || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '\'')
}

/// A field that holds none, one or several addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmailField {
    text: String,
    addresses: Vec<EmailAddress>,
}

impl EmailField {
    /// Finds the addresses in `text`, which are separated by white space or `, ; / |`; each one once,
    /// in the order of the text.
    pub fn parse(text: &str) -> Self {
        let mut seen = BTreeSet::new();
        let addresses = text
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '|'))
            .filter_map(EmailAddress::parse)
            .filter(|address| seen.insert(address.clone()))
            .collect();
        Self {
            text: text.to_owned(),
            addresses,
        }
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> &[EmailAddress] {
        &self.addresses
    }

    /// R8: what is written to Getfly: the text as it was, trimmed; none when it is blank.
    pub fn as_written(&self) -> Option<String> {
        filled(&self.text)
    }
}

/// R7: whether the fields share an address, exactly: `an@x.vn` is not `lan@x.vn`.
pub fn fields_match(a: &EmailField, b: &EmailField) -> bool {
    let mut sought = BTreeSet::new();
    sought.extend(a.addresses.iter().cloned());
    if mutant!(EmailBySubstring) {
        let within = |part: &EmailAddress| b.addresses.iter().any(|b| b.0.contains(&part.0));
        return sought.iter().any(within);
    }
    b.addresses.iter().any(|address| sought.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<String> {
        EmailField::parse(text)
            .addresses()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn r8_addresses_are_found_in_a_merged_field() {
        for (text, expected) in [
            ("", vec![]),
            ("không có", vec![]),
            ("an.x.vn", vec![]),
            ("@x.vn", vec![]),
            ("an@", vec![]),
            (" An@X.vn ", vec!["an@x.vn"]),
            (
                "a@x.vn, b@x.vn;c@x.vn/d@x.vn|e@x.vn\nf@x.vn g@x.vn",
                vec![
                    "a@x.vn", "b@x.vn", "c@x.vn", "d@x.vn", "e@x.vn", "f@x.vn", "g@x.vn",
                ],
            ),
            ("a@x.vn - A@x.vn", vec!["a@x.vn"]),
            ("An <an@x.vn>", vec!["an@x.vn"]),
            ("\u{200B}an@x.vn\u{FEFF}", vec!["an@x.vn"]),
        ] {
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn r8_the_text_is_written_as_it_was() {
        assert_eq!(
            EmailField::parse(" An@X.vn ; b@x.vn ")
                .as_written()
                .unwrap(),
            "An@X.vn ; b@x.vn"
        );
        assert_eq!(EmailField::parse(" \n").as_written(), None);
    }

    #[test]
    fn r7_addresses_match_exactly_and_never_by_substring() {
        let matches = |a: &str, b: &str| fields_match(&EmailField::parse(a), &EmailField::parse(b));
        assert!(matches("an@x.vn", "AN@X.VN"));
        assert!(matches("an@x.vn, b@x.vn", "c@x.vn; b@x.vn"));
        assert!(!matches("an@x.vn", "lan@x.vn"));
        assert!(!matches("an@x.vn", "an@x.vn.com"));
        assert!(!matches("", ""));
        assert!(!matches("none", "none"));
    }

    proptest! {
        #[test]
        fn r7_canonical_form_is_stable(text in any::<String>()) {
            for address in EmailField::parse(&text).addresses() {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Some(address.clone()));
            }
        }

        #[test]
        fn r7_case_and_space_never_matter(local in "[a-z0-9.+_-]{1,12}", domain in "[a-z0-9-]{1,10}\\.vn") {
            let address = format!("{local}@{domain}");
            let shouted = format!(" \t{}\n", address.to_uppercase());
            prop_assert!(fields_match(&EmailField::parse(&address), &EmailField::parse(&shouted)));
            let longer = EmailField::parse(&format!("x{address}"));
            prop_assert!(!fields_match(&EmailField::parse(&address), &longer));
        }
    }
}
