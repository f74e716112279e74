//! Percent-encoding of paths, queries and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986, 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes a path segment, query name, query value or form value: everything but the
/// unreserved characters of RFC 3986.
pub fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `name=value&…`, both sides encoded: a query, or a form.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect();
    encoded.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encoding_leaves_only_unreserved_characters() {
        assert_eq!(
            percent_encode("KH/2025 +1&=~é"),
            "KH%2F2025%20%2B1%26%3D~%C3%A9"
        );
        let unreserved = "AZaz09-._~";
        assert_eq!(percent_encode(unreserved), unreserved);
        assert_eq!(
            form(&[("filtering[a:b]", "1"), ("x", "")]),
            "filtering%5Ba%3Ab%5D=1&x="
        );
    }

    proptest! {
        #[test]
        fn percent_encoding_can_be_undone(text in any::<String>()) {
            let pairs = format!("v={}", percent_encode(&text));
            let read: Vec<_> = form_urlencoded::parse(pairs.as_bytes()).collect();
            prop_assert_eq!(read[0].1.as_ref(), text);
        }
    }
}
