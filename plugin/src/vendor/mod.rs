//! What the two API clients share: the fate of a failed call, how an answer's body is told apart,
//! and how a vendor's words are made fit to be shown. Knows neither vendor.

use crate::{
    json,
    rules::{phone, text::is_invisible},
};
use core::time::Duration;
use serde_json::Value;

#[cfg(test)]
pub(crate) mod scripted;

/// What becomes of the event whose call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Try again later: the trouble may pass, or people can mend it.
    Retry {
        /// Not before this long from now, where the vendor said so.
        after: Option<Duration>,
    },
    /// The same request can never succeed: a dead letter.
    Dead,
}

impl Fate {
    /// Again, whenever the schedule says.
    pub const RETRY: Self = Self::Retry { after: None };
}

/// Longest wait that a vendor may ask for; a longer one is cut to this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Longest text of a vendor that is kept, in characters.
pub const MAX_MESSAGE_CHARS: usize = 300;

/// Runs of digits from this length on may be a phone number.
const PHONE_DIGITS: usize = 8;

/// Runs of letters and digits from this length on may be a key or a token.
const KEY_CHARS: usize = 24;

/// Most characters between two groups of a number's digits.
const GAP_CHARS: usize = 3;

/// What stands where something was masked.
const HIDDEN: &str = "[hidden]";

/// Reads a `Retry-After` header (RFC 9110, 10.2.3): delta seconds, cut to [`MAX_RETRY_AFTER`].
/// None for an HTTP date or anything else.
pub fn parse_retry_after(header: &str) -> Option<Duration> {
    let text = header.trim();
    if mutant!(RetryAfterIgnored)
        || text.is_empty()
        || !text.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    // All digits, so the only failure is a number too large: longer than any cap.
    let seconds = text.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// A vendor's words, fit for a log or a page: e-mail addresses, runs of eight or more digits (with
/// or without separators) and anything shaped like a key are masked, white space is plain, what
/// cannot be seen is gone, and at most [`MAX_MESSAGE_CHARS`] characters stay.
pub fn redact(text: &str) -> String {
    if mutant!(WordsNotMasked) {
        return text.to_owned();
    }
    let seen: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let mut kept = String::new();
    for word in seen.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        redact_word(word, &mut kept);
    }
    mask_digits(&kept).chars().take(MAX_MESSAGE_CHARS).collect()
}

/// Masks e-mail addresses and keys in a text without white space.
fn redact_word(word: &str, kept: &mut String) {
    for piece in word.split_inclusive(ends_piece) {
        let bare = piece.trim_end_matches(ends_piece);
        if is_email_like(bare) || is_key_like(bare) {
            kept.push_str(HIDDEN);
            kept.extend(piece.chars().next_back().filter(|&c| ends_piece(c)));
        } else {
            kept.push_str(piece);
        }
    }
}

fn ends_piece(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '<'
            | '>'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | ','
            | ';'
            | ':'
            | '='
            | '&'
            | '?'
            | '/'
            | '|'
    )
}

fn is_email_like(word: &str) -> bool {
    word.contains(['@', '＠']) || word.contains("%40")
}

fn is_key_like(word: &str) -> bool {
    word.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .any(|run| run.len() >= KEY_CHARS && run.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Masks digits that may be a phone number, however they are grouped: by all that may stand inside a number,
/// by `/` and `+`, and by a blank's `%20` in an address.
fn mask_digits(text: &str) -> String {
    let mut out = String::new();
    // The digits seen since the last text, the separators among them, and those after the last.
    let (mut run, mut digits, mut gap) = (String::new(), 0_usize, String::new());
    for c in text.chars() {
        if c.is_numeric() {
            run.push_str(&gap);
            gap.clear();
            run.push(c);
            digits = digits.saturating_add(1);
        } else if digits > 0
            && gap.chars().count() < GAP_CHARS
            && (phone::is_noise(c) || matches!(c, '/' | '+' | '%'))
        {
            gap.push(c);
        } else {
            end_run(&mut out, &mut run, &mut digits, &mut gap);
            out.push(c);
        }
    }
    end_run(&mut out, &mut run, &mut digits, &mut gap);
    out
}

fn end_run(out: &mut String, run: &mut String, digits: &mut usize, gap: &mut String) {
    out.push_str(if *digits >= PHONE_DIGITS { HIDDEN } else { run });
    out.push_str(gap);
    run.clear();
    gap.clear();
    *digits = 0;
}

/// An answer's body, told apart by its bytes: neither vendor's content type is documented.
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
    /// Reads a body; a byte order mark is no part of it.
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

/// `bytes` without a leading UTF-8 byte order mark.
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Percent-encodes a path segment, query name, query value or form value: everything but the
/// unreserved characters of RFC 3986.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.extend(char::from_digit(u32::from(nibble), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    out
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
mod tests;
