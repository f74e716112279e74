//! Who a request says that it is for. The guest gets an absolute URI, and its path must be exactly the one on
//! the wire: what a proxy in front allowed or refused is then what the guest serves.

use http::{
    HeaderMap, Uri,
    header::HOST,
    uri::{Authority, Scheme},
};
use std::net::Ipv6Addr;

/// The absolute URI of a request. None when it has no `Host`, more than one, or one that is no
/// `host[:port]`, or when its target has no path (RFC 9112, section 3.2).
pub(super) fn absolute(target: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, None) = (hosts.next()?, hosts.next()) else {
        return None;
    };
    let host = well_formed(host.to_str().ok()?)?;
    // A target in absolute form names the authority itself, and that one counts.
    let authority = match target.authority() {
        Some(named) => well_formed(named.as_str())?,
        None => host,
    };
    let path = target.path_and_query()?;
    if !path.as_str().starts_with('/') {
        return None;
    }
    Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(authority)
        .path_and_query(path.clone())
        .build()
        .ok()
}

/// `host[:port]`, where the host is a name, an IPv4 address or an IPv6 address in brackets. No user name,
/// and nothing that could begin a path or a query.
fn well_formed(text: &str) -> Option<Authority> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, behind) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, behind)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (name, behind) = text.split_at(end);
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            if !name.bytes().all(plain) {
                return None;
            }
            (name, behind)
        }
    };
    let digits = port.strip_prefix(':');
    let numbered = digits.is_some_and(|digits| {
        digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    });
    if host.is_empty() || !(port.is_empty() || numbered) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::absolute;
    use http::{HeaderMap, Uri, header::HOST};

    fn seen(target: &str, hosts: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().expect("a header's value"));
        }
        let target: Uri = target.parse().expect("a target");
        absolute(&target, &headers).map(|uri| uri.to_string())
    }

    #[test]
    fn a_sound_host_gives_an_absolute_uri_with_the_path_as_it_came() {
        for host in [
            "bridge.example.vn",
            "bridge.example.vn:8443",
            "10.0.0.5:3000",
            "[::1]:80",
            "my_service",
        ] {
            let uri = seen("/hooks/a/b?c=%2F..", &[host]);
            assert_eq!(uri, Some(format!("http://{host}/hooks/a/b?c=%2F..")));
        }
        let double = seen("//api/../events", &["h"]);
        assert_eq!(double.as_deref(), Some("http://h//api/../events"));
        let absolute_form = seen("http://proxy:81/healthz", &["bridge"]);
        assert_eq!(absolute_form.as_deref(), Some("http://proxy:81/healthz"));
    }

    #[test]
    fn none_two_or_a_malformed_host_gives_nothing() {
        assert_eq!(seen("/healthz", &[]), None);
        assert_eq!(seen("/healthz", &["a", "a"]), None);
        for host in [
            "",
            "x/api/events?y=",
            "x?y",
            "x#y",
            "x\\y",
            "user@x",
            "x y",
            "x,y",
            "x:",
            "x:y",
            "x:80:80",
            "x:99999",
            "x:+80",
            ":80",
            "[::1",
            "[x]",
            "[::1]x",
            "::1",
            "x%2fapi",
        ] {
            assert_eq!(seen("/healthz", &[host]), None, "{host:?}");
        }
        assert_eq!(seen("*", &["x"]), None, "no path");
        assert_eq!(seen("http://user@x/healthz", &["x"]), None);
    }
}
