//! An answer's body, recognised by its bytes.

use crate::{json, world::Response};
use serde_json::Value;

/// An answer's body, recognised by its bytes: neither vendor documents its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing, or white space.
    Empty,
    /// JSON.
    Json(Value),
    /// A page: a proxy, a firewall or a log-in form answered, not the API.
    Html,
    /// Any other text.
    Other,
}

impl Body {
    /// Reads a body; a byte order mark does not count.
    pub fn read(bytes: &[u8]) -> Self {
        let bytes = without_bom(bytes).trim_ascii();
        match bytes.first() {
            None => Self::Empty,
            Some(b'<') => Self::Html,
            Some(_) => json::parse(bytes).map_or(Self::Other, Self::Json),
        }
    }

    /// The JSON, if it is JSON.
    pub fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::Empty | Self::Html | Self::Other => None,
        }
    }
}

/// Whether this is a 404 with a page or plain words, and not the vendor's own JSON.
pub fn is_page_for_nothing(response: &Response) -> bool {
    response.status == 404 && matches!(Body::read(&response.body), Body::Html | Body::Other)
}

/// `bytes` without a leading UTF-8 byte order mark.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_told_apart_by_its_bytes() {
        assert_eq!(Body::read(b" \n"), Body::Empty);
        assert_eq!(Body::read(b"\n<!DOCTYPE html>"), Body::Html);
        assert_eq!(
            Body::read(b"\xEF\xBB\xBF{}"),
            Body::Json(serde_json::json!({}))
        );
        assert_eq!(Body::read(b"Not found"), Body::Other);
        assert_eq!(Body::read(b"\xFF\xFE"), Body::Other);
    }
}
