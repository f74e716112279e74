//! Absolute http and https addresses, taken apart.

/// `https://host:port/path?query` in its parts, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// Whether it is https.
    pub secure: bool,
    /// The host, perhaps with a port; never with a user's name.
    pub authority: &'a str,
    /// Path, query and fragment; empty when there is none.
    pub path: &'a str,
}

impl<'a> Address<'a> {
    /// None for another scheme, a user's name, no host, and characters that no address has (RFC
    /// 3986).
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let sound = is_authority(authority) && path.bytes().all(is_path_byte);
        sound.then_some(Self {
            secure,
            authority,
            path,
        })
    }
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, "443"),
    };
    let ipv6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_sound = match ipv6 {
        Some(ip) => {
            let part = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
            ip.contains(':') && ip.bytes().all(part)
        }
        None => {
            let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            !host.is_empty() && host.bytes().all(letter)
        }
    };
    let port_sound = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    host_sound && port_sound
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (text, secure, authority, path) in [
            (
                "https://shop.getflycrm.com/api/v6.1/accounts?a=%5B1%5D&b=c",
                true,
                "shop.getflycrm.com",
                "/api/v6.1/accounts?a=%5B1%5D&b=c",
            ),
            ("http://127.0.0.1:8080", false, "127.0.0.1:8080", ""),
            ("HTTPS://[::1]:443/", true, "[::1]:443", "/"),
            ("http://[2001:db8::1]", false, "[2001:db8::1]", ""),
            ("https://a_b-c?x", true, "a_b-c", "?x"),
            ("https://a#x", true, "a", "#x"),
        ] {
            let expected = Address {
                secure,
                authority,
                path,
            };
            assert_eq!(Address::parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "shop.getflycrm.com",
            "https:/shop.getflycrm.com",
            "ftp://shop.getflycrm.com",
            "https://",
            "https:///path",
            "https://:443",
            "https://user@shop.getflycrm.com",
            "https://user:word@shop.getflycrm.com/",
            "https://shop.getflycrm.com:",
            "https://shop.getflycrm.com:+1",
            "https://shop.getflycrm.com:65536",
            "https://shop getflycrm.com",
            "https://cửahàng.vn",
            "https://[::1",
            "https://[::x]",
            "https://shop.getflycrm.com/a b",
            "https://shop.getflycrm.com/a\nb",
            "https://shop.getflycrm.com/\\",
            "https://shop.getflycrm.com/đường",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    proptest! {
        /// An address that the `http` crate refuses is refused here too.
        #[test]
        fn nothing_is_accepted_that_is_no_uri(text in "(https?://)?[a-z@:.\\[\\]/?#% é0-9-]{0,20}") {
            let uri: Result<http::Uri, _> = text.parse();
            if let Some(address) = Address::parse(&text) {
                let uri = uri.unwrap();
                prop_assert_eq!(uri.authority().unwrap().as_str(), address.authority);
            }
        }
    }
}
