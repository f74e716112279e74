//! Days and moments as KiotViet writes them.

use jiff::civil;

/// Whether a text is a date or a moment and nothing else: no letter but `T` and `Z`.
pub(super) fn is_moment(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_digit() || "-:.TZ+".contains(c);
    let whole = matches!(text.as_bytes().get(10), None | Some(b'T'));
    text.len() <= 40 && day(text).is_some() && whole && text.chars().all(rest)
}

/// The day at its beginning.
pub(super) fn day(text: &str) -> Option<civil::Date> {
    text.get(..10)?.parse().ok()
}

/// The same text with another day.
pub(super) fn with_day(text: &str, day: civil::Date) -> String {
    format!("{day}{}", text.get(10..).unwrap_or_default())
}
