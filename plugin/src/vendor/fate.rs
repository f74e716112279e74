//! What becomes of the event whose call failed, and how long the vendor asks to wait.

use core::time::Duration;

/// What becomes of the event whose call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Retry later: the trouble may pass, or a person can mend it.
    Retry {
        /// How long to wait at least, if the vendor said so.
        after: Option<Duration>,
    },
    /// The same request can never succeed: a dead letter.
    Dead,
}

impl Fate {
    /// Retry when the schedule says.
    pub const RETRY: Self = Self::Retry { after: None };
}

/// The longest wait that a vendor may ask for; a longer one is cut to this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

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
    // All digits, so the only failure is a number that is too large: longer than the longest wait.
    let seconds = text.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_delta_seconds_up_to_a_day() {
        for (header, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("86400", Some(86_400)),
            ("86401", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            assert_eq!(
                parse_retry_after(header),
                seconds.map(Duration::from_secs),
                "{header:?}"
            );
        }
    }
}
