//! Origins (`scheme://host[:port]`), and which of them the guest may call.

use anyhow::{Result, anyhow, bail};
use std::collections::BTreeSet;

/// The origins that may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundPolicy(BTreeSet<String>);

impl OutboundPolicy {
    /// Takes origins of the form `scheme://host[:port]`. An empty one allows nothing. One with a
    /// path, with a trailing slash or without a host is refused, as in Spin.
    pub fn new<'h>(hosts: impl IntoIterator<Item = &'h str>) -> Result<Self> {
        let mut origins = BTreeSet::new();
        for host in hosts.into_iter().filter(|host| !host.is_empty()) {
            origins.insert(parse_origin(host)?);
        }
        Ok(Self(origins))
    }

    /// Also allows what `other` allows.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether a call to `uri` is allowed.
    pub fn allows(&self, uri: &http::Uri) -> bool {
        origin(uri).is_some_and(|origin| self.0.contains(&with_port(&origin)))
    }
}

/// The error does not repeat the text: an operator who mixed up two variables may have put a secret
/// there.
fn parse_origin(text: &str) -> Result<String> {
    let uri: http::Uri = text
        .parse()
        .map_err(|_| anyhow!("it is no origin (scheme://host[:port])"))?;
    let origin = origin(&uri).ok_or_else(|| anyhow!("it is no origin (scheme://host[:port])"))?;
    if !origin.starts_with("http://") && !origin.starts_with("https://") {
        bail!("its scheme is neither http nor https (scheme://host[:port])");
    }
    if origin.contains('@') {
        bail!("it holds a user name; an outbound host is scheme://host[:port] only");
    }
    if !origin.eq_ignore_ascii_case(text) {
        bail!("it has a path or a trailing slash; an outbound host is scheme://host[:port] only");
    }
    Ok(with_port(&origin))
}

/// `https://a` and `https://a:443` are one origin.
fn with_port(origin: &str) -> String {
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    if has_port {
        origin.to_owned()
    } else {
        let port = if origin.starts_with("https") { 443 } else { 80 };
        format!("{origin}:{port}")
    }
}

/// An address by which one server is told from another: with its port, and without a dot that ends its host name.
pub(crate) fn of_server(address: &str) -> String {
    let uri = address.parse().ok();
    let origin = uri.as_ref().and_then(origin);
    origin.map_or_else(
        || address.to_owned(),
        |origin| with_port(&origin).replacen(".:", ":", 1),
    )
}

/// `scheme://host[:port]` in lower case.
pub(crate) fn origin(uri: &http::Uri) -> Option<String> {
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?).to_lowercase())
}
