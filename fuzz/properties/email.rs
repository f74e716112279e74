//! E-mail fields (R7, R8). Input: one field a line; the first two are compared.

use plugin::rules::email::{EmailAddress, EmailField, fields_match};
use std::collections::BTreeSet;

/// Addresses are stable, writing a field keeps its addresses, and matching is symmetric and exact.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let second = rest.split('\n').next().unwrap_or_default();
    let (a, b) = (EmailField::parse(first), EmailField::parse(second));
    for (field, text) in [(&a, first), (&b, second)] {
        for address in field.addresses() {
            is_canonical(address);
        }
        let shouted = EmailField::parse(&text.to_ascii_uppercase());
        assert_eq!(shouted.addresses(), field.addresses());
        let written = field.as_written();
        assert_eq!(
            written.is_none(),
            text.trim().is_empty() && !field.is_masked()
        );
        let again = EmailField::parse(&written.unwrap_or_default());
        assert_eq!(again.addresses(), field.addresses());
        let any = field.matchable(&[]).next().is_some();
        assert_eq!(fields_match(field, &again, &[]), any);
    }
    let texts = |field: &EmailField| -> BTreeSet<String> {
        field.matchable(&[]).map(ToString::to_string).collect()
    };
    let shared = !texts(&a).is_disjoint(&texts(&b));
    assert_eq!(fields_match(&a, &b, &[]), shared);
    assert_eq!(fields_match(&b, &a, &[]), shared);
    if let Some(address) = EmailAddress::parse(&text) {
        is_canonical(&address);
    }
}

fn is_canonical(address: &EmailAddress) {
    let text = address.as_str();
    let (local, domain) = text.split_once('@').expect("an address has an @");
    assert!(!local.is_empty() && !domain.is_empty(), "{text}");
    assert_eq!(text.trim(), text);
    assert_eq!(EmailAddress::parse(text).as_ref(), Some(address));
    let longer = EmailField::parse(&format!("x{text}"));
    assert!(!longer.addresses().contains(address), "x{text} is {text}");
}
