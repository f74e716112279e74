//! KiotViet's times: seven fraction digits, with an offset in webhooks and without one in REST
//! answers. A time zone never shifts a birthday.

use super::assumptions::SHOP_HOURS_AHEAD;
use crate::time::{Date, DateTime, Timestamp};

/// Reads an instant: `2024-03-04T23:39:24.1470000+07:00`, the same without offset (Vietnam's wall
/// time), with `Z`, or a bare date (its midnight in Vietnam). None for anything else.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if has_offset(text) {
        return None;
    }
    let wall: DateTime = text.parse().ok()?;
    wall.to_timestamp(SHOP_HOURS_AHEAD)
}

/// The day as it is written in any text that [`parse_time`] reads.
pub fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    parse_time(text)?;
    text.get(..10)?.parse().ok()
}

/// Whether an offset follows the time of day; such a text is not wall time.
pub(super) fn has_offset(text: &str) -> bool {
    let time_of_day = text.get(10..).unwrap_or_default();
    time_of_day.contains(['+', '-', 'Z', 'z', '['])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_documented_and_seen_form_is_read() {
        for (text, utc) in [
            (
                "2024-03-04T23:39:24.1470000+07:00",
                "2024-03-04T16:39:24.147Z",
            ),
            ("2021-11-19T15:01:00.3270000", "2021-11-19T08:01:00.327Z"),
            ("2026-10-05T09:30:15", "2026-10-05T02:30:15Z"),
            (
                "2026-10-05T09:30:15.1234567Z",
                "2026-10-05T09:30:15.1234567Z",
            ),
            ("2026-10-05T09:30:15z", "2026-10-05T09:30:15Z"),
            ("2026-10-05T09:30:15-05:00", "2026-10-05T14:30:15Z"),
            ("2026-10-05", "2026-10-04T17:00:00Z"),
            (" 2026-10-05 09:30:15 ", "2026-10-05T02:30:15Z"),
        ] {
            assert_eq!(parse_time(text), Some(utc.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "05/10/2026",
            "2026-13-01",
            "2026-02-30T00:00:00",
            "2026-10-05T25:00:00",
            "2026-10-05T09:30:15+99:00",
            "2026-10-05T09:30:15+07:00[Asia/Ho_Chi_Minh]x",
            "/Date(1577836800000)/",
            "hôm qua",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_birthday_keeps_its_day_whatever_the_offset() {
        for text in [
            "1995-05-20T00:00:00.0000000+07:00",
            "1995-05-20T00:00:00.0000000",
            "1995-05-20T00:00:00Z",
            "1995-05-20T23:59:59-11:00",
            "1995-05-20",
        ] {
            assert_eq!(
                parse_date(text),
                Some(crate::time::tests::date(1995, 5, 20)),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), near in "[0-9T:.Z+ é-]{0,35}") {
            for text in [text, near] {
                let _ = (parse_time(&text), parse_date(&text));
            }
        }
    }
}
