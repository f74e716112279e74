//! Which proxies are trusted to tell whom a request comes from, and whom it comes from.

use http::HeaderMap;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// The header in which a proxy tells its client's address.
const FORWARDED: &str = "x-forwarded-for";

/// A block of addresses: `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    bits: u32,
}

impl FromStr for Block {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected an address or a block of them, e.g. 127.0.0.1 or 10.0.0.0/8";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| wrong())?,
            None => most,
        };
        if bits > most {
            return Err(wrong().to_owned());
        }
        Ok(Self { address, bits })
    }
}

impl Block {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u128::from(own.to_bits() ^ other.to_bits());
                differ.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The trusted proxies. None by default: then no header changes whom a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Block>);

impl Proxies {
    /// Trusts these.
    pub fn new(blocks: Vec<Block>) -> Self {
        Self(blocks)
    }

    /// Whether the proxy at `address` is trusted.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|block| block.contains(address))
    }

    /// Whom a request comes from: the connection's other end or, where that is a trusted proxy, the nearest address
    /// in `X-Forwarded-For` that is none. A client can only write to the far end of that header.
    pub(super) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.trusts(peer.ip()) {
            return peer;
        }
        let lines: Vec<&str> = headers
            .get_all(FORWARDED)
            .iter()
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let Some(address) = forwarded(entry.trim()) else {
                return peer;
            };
            if !self.trusts(address.ip()) {
                return address;
            }
        }
        peer
    }
}

/// An entry of the header: an address, with or without a port.
fn forwarded(entry: &str) -> Option<SocketAddr> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let without_port = bare.parse().map(|address| SocketAddr::new(address, 0));
    entry.parse().or(without_port).ok()
}

/// What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that a subscriber gets.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Proxies, subscriber};
    use http::HeaderMap;
    use std::net::{IpAddr, SocketAddr};

    fn proxies(blocks: &[&str]) -> Proxies {
        let blocks = blocks.iter().map(|text| text.parse().expect("a block"));
        Proxies::new(blocks.collect())
    }

    fn client(proxies: &Proxies, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().expect("a value"));
        }
        let peer: SocketAddr = peer.parse().expect("an address");
        proxies.client(peer, &headers).ip().to_string()
    }

    #[test]
    fn without_a_trusted_proxy_the_header_is_worth_nothing() {
        let nobody = Proxies::default();
        assert_eq!(client(&nobody, "127.0.0.1:9", &["1.2.3.4"]), "127.0.0.1");
        let other = proxies(&["10.0.0.0/8"]);
        assert_eq!(client(&other, "192.0.2.7:9", &["1.2.3.4"]), "192.0.2.7");
    }

    #[test]
    fn a_trusted_proxy_tells_the_client_and_the_client_cannot() {
        let chain = proxies(&["10.0.0.0/8", "fd00::/8"]);
        for (lines, expected) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
            (&["6.6.6.6", "203.0.113.9, 10.1.1.1"], "203.0.113.9"),
            (&["203.0.113.9:5511"], "203.0.113.9"),
            (&["[2001:db8::1]:5511"], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["unknown"], "10.0.0.2"),
            (&["6.6.6.6, x"], "10.0.0.2"),
            (&[], "10.0.0.2"),
        ] {
            assert_eq!(client(&chain, "10.0.0.2:9", lines), expected, "{lines:?}");
        }
        assert_eq!(client(&chain, "[fd00::2]:9", &["1.2.3.4"]), "1.2.3.4");
        let mapped = client(&chain, "[::ffff:10.0.0.2]:9", &["1.2.3.4"]);
        assert_eq!(mapped, "1.2.3.4");
    }

    #[test]
    fn blocks_are_read_and_refused() {
        for wrong in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/x", "host"] {
            assert!(wrong.parse::<Block>().is_err(), "{wrong}");
        }
        let all = proxies(&["0.0.0.0/0"]);
        assert!(all.trusts([1, 2, 3, 4].into()) && !all.trusts(IpAddr::V6(1.into())));
        let one = proxies(&["10.0.0.5"]);
        assert!(one.trusts([10, 0, 0, 5].into()) && !one.trusts([10, 0, 0, 4].into()));
    }

    #[test]
    fn one_subscriber_has_one_ipv4_address_or_64_bits() {
        let of = |text: &str| subscriber(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
