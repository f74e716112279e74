//! E-mail fields (R7, R8): finds the addresses in a free text and compares them exactly. It never
//! changes what is written to Getfly.

use super::text::{filled, is_invisible, without};
use core::fmt;
use std::collections::BTreeSet;

/// One address in canonical form: trimmed, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Takes one address, with or without `<…>`. A text needs something on both sides of an `@` to
    /// be one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_wrapping).to_lowercase();
        let (local, domain) = text.split_once('@')?;
        (!local.is_empty() && !domain.is_empty()).then_some(Self(text))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// R7: whether the address means "no address" and so matches no account: no dot in its domain,
    /// a word for "none" at a free-mail domain, or one of `ignored`.
    pub fn is_placeholder(&self, ignored: &[Self]) -> bool {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let inside = domain.trim_matches('.');
        let word: String = local.chars().filter(|c| c.is_alphanumeric()).collect();
        !inside.contains('.')
            || (FREE_MAIL.contains(&domain) && NO_ADDRESS.contains(&word.as_str()))
            || ignored.contains(self)
    }
}

/// Domains where everyone can register an address.
const FREE_MAIL: [&str; 14] = [
    "gmail.com",
    "gmail.com.vn",
    "googlemail.com",
    "yahoo.com",
    "yahoo.com.vn",
    "ymail.com",
    "hotmail.com",
    "outlook.com",
    "outlook.com.vn",
    "live.com",
    "icloud.com",
    "mail.com",
    "email.com",
    "zoho.com",
];

/// Local parts that mean "none", without their dots, dashes and underlines.
const NO_ADDRESS: [&str; 17] = [
    "khongco",
    "khong",
    "khongcoemail",
    "khongcomail",
    "khongemail",
    "khongmail",
    "chuaco",
    "ko",
    "koco",
    "kocoemail",
    "kocomail",
    "kco",
    "no",
    "none",
    "null",
    "noemail",
    "nomail",
];

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

fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '/' | '|')
}

/// A field that holds none, one or several addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmailField {
    /// Without the masked addresses.
    text: String,
    addresses: Vec<EmailAddress>,
    masked: bool,
}

impl EmailField {
    /// Finds the addresses in `text`, separated by white space or `, ; / |`: each one once, in the
    /// order of the text. Masked ones (`n***@x.vn`) are left out.
    pub fn parse(text: &str) -> Self {
        let mut seen = BTreeSet::new();
        let (mut addresses, mut masked) = (Vec::new(), Vec::new());
        let mut from: usize = 0;
        for part in text.split_inclusive(separates) {
            let place = from..from.saturating_add(part.trim_end_matches(separates).len());
            from = from.saturating_add(part.len());
            let Some(address) = EmailAddress::parse(part.trim_end_matches(separates)) else {
                continue;
            };
            if address.0.contains(['*', '\u{FF0A}']) {
                masked.push(place);
            } else if seen.insert(address.clone()) {
                addresses.push(address);
            }
        }
        Self {
            text: if masked.is_empty() {
                text.to_owned()
            } else {
                without(text, &masked)
            },
            addresses,
            masked: !masked.is_empty(),
        }
    }

    /// Whether a masked address was left out.
    pub fn is_masked(&self) -> bool {
        self.masked
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> &[EmailAddress] {
        &self.addresses
    }

    /// R7: the addresses that may be searched for and matched: those that are not placeholders.
    pub fn matchable<'a>(
        &'a self,
        ignored: &'a [EmailAddress],
    ) -> impl Iterator<Item = &'a EmailAddress> {
        self.addresses
            .iter()
            .filter(|address| !address.is_placeholder(ignored))
    }

    /// R8: what is written to Getfly: the trimmed text, unchanged; none if it is blank.
    pub fn as_written(&self) -> Option<String> {
        filled(&self.text)
    }
}

/// R7: whether the fields share an address exactly (`an@x.vn` is not `lan@x.vn`), placeholders
/// aside.
pub fn fields_match(a: &EmailField, b: &EmailField, ignored: &[EmailAddress]) -> bool {
    let mut sought = BTreeSet::new();
    sought.extend(a.matchable(ignored).cloned());
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

    fn match_whole(a: &EmailField, b: &EmailField) -> bool {
        fields_match(a, b, &[])
    }

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
        let matches = |a: &str, b: &str| match_whole(&EmailField::parse(a), &EmailField::parse(b));
        assert!(matches("an@x.vn", "AN@X.VN"));
        assert!(matches("an@x.vn, b@x.vn", "c@x.vn; b@x.vn"));
        assert!(!matches("an@x.vn", "lan@x.vn"));
        assert!(!matches("an@x.vn", "an@x.vn.com"));
        assert!(!matches("", ""));
        assert!(!matches("none", "none"));
    }

    #[test]
    fn r7_placeholders_match_no_account_and_are_written_as_they_are() {
        let ignored = [EmailAddress::parse("shop@example.vn").unwrap()];
        for text in [
            "khongco@gmail.com",
            "KhongCo@Gmail.com",
            "khong.co@yahoo.com",
            "no@gmail.com",
            "none@hotmail.com",
            "no_email@outlook.com",
            "an@localhost",
            "an@x",
            "an@x.",
            "Shop@Example.vn",
        ] {
            let field = EmailField::parse(text);
            assert_eq!(field.addresses().len(), 1, "{text}");
            assert_eq!(field.matchable(&ignored).count(), 0, "{text}");
            assert!(!fields_match(&field, &field, &ignored), "{text}");
            assert_eq!(field.as_written().as_deref(), Some(text));
        }
        for text in [
            "nono@gmail.com",
            "no@example.vn",
            "khongco@congty.vn",
            "khongco1@gmail.com",
            "ann@gmail.com",
            "shop@example.vn.com",
        ] {
            let field = EmailField::parse(text);
            assert!(fields_match(&field, &field, &ignored), "{text}");
        }
        let both = EmailField::parse("khongco@gmail.com; an@x.vn");
        assert!(match_whole(&both, &EmailField::parse("an@x.vn")));
        assert!(!match_whole(&both, &EmailField::parse("khongco@gmail.com")));
    }

    #[test]
    fn r7_masked_addresses_are_left_out() {
        for (text, addresses, written) in [
            ("n***@gmail.com", vec![], None),
            ("n***@gmail.com, an@x.vn", vec!["an@x.vn"], Some("an@x.vn")),
            (
                "an@x.vn; b*@x.vn / c@x.vn",
                vec!["an@x.vn", "c@x.vn"],
                Some("an@x.vn; c@x.vn"),
            ),
            ("an@***.vn", vec![], None),
        ] {
            let field = EmailField::parse(text);
            assert!(field.is_masked(), "{text}");
            assert_eq!(found(text), addresses, "{text}");
            assert_eq!(field.as_written().as_deref(), written, "{text}");
        }
        assert!(!EmailField::parse("an@x.vn").is_masked());
        // This is not an address, so the mark hides nothing in it.
        assert_eq!(
            EmailField::parse("5 * 2").as_written().as_deref(),
            Some("5 * 2")
        );
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
            prop_assert!(match_whole(&EmailField::parse(&address), &EmailField::parse(&shouted)));
            let longer = EmailField::parse(&format!("x{address}"));
            prop_assert!(!match_whole(&EmailField::parse(&address), &longer));
        }
    }
}
