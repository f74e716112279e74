//! The name of a connection, and what a failure or a pause is about: Getfly, or one connection's
//! KiotViet.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Our name for a connection, in our routes and keys: 1 to 64 of `a-z`, `0-9`, `-`, `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ConnectionName(String);

impl ConnectionName {
    /// `text` as a name; none if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        fits.then(|| Self(text.to_owned()))
    }

    /// The name in a damaged entry whose connection cannot be known: the empty text, which is no
    /// connection's name.
    pub fn unknown() -> Self {
        Self(String::new())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no connection's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a connection's name")]
pub struct NotAName;

impl TryFrom<String> for ConnectionName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        if text.is_empty() {
            return Ok(Self::unknown());
        }
        Self::parse(&text).ok_or(NotAName)
    }
}

/// The side that failed, refused or asked for a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The KiotViet of the event's own connection.
    KiotViet,
    /// The Getfly tenant.
    Getfly,
}

impl Side {
    /// The vendor's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KiotViet => "KiotViet",
            Self::Getfly => "Getfly",
        }
    }

    /// The upstream of this side for an event of `connection`.
    pub fn of(self, connection: &ConnectionName) -> Upstream<'_> {
        match self {
            Self::KiotViet => Upstream::KiotViet(connection),
            Self::Getfly => Upstream::Getfly,
        }
    }
}

/// What a pause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream<'n> {
    /// The Getfly tenant.
    Getfly,
    /// KiotViet, as this connection sees it.
    KiotViet(&'n ConnectionName),
}

impl Upstream<'_> {
    /// The side that it belongs to.
    pub fn side(self) -> Side {
        match self {
            Self::Getfly => Side::Getfly,
            Self::KiotViet(_) => Side::KiotViet,
        }
    }

    /// The connection, which distinguishes it from others of its vendor.
    pub fn subject(&self) -> &str {
        match self {
            Self::Getfly => "getfly",
            Self::KiotViet(name) => name.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connections_name_is_short_plain_and_lower_case() {
        for name in ["a", "shop-1", "a_b", &"a".repeat(64)] {
            assert_eq!(ConnectionName::parse(name).unwrap().as_str(), name);
        }
        for none in ["", "Shop", "a/b", "a b", "quán", &"a".repeat(65)] {
            assert_eq!(ConnectionName::parse(none), None, "{none:?}");
        }
    }
}
