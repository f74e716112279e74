//! Moments and days as Vietnam's clocks and people show them.

use crate::time::{Date, Timestamp};

/// Hours by which the shop's clocks are ahead of UTC.
pub const VIETNAM: i8 = 7;

/// A moment as Vietnam's clocks show it, `05/10/2026 09:30`.
pub fn shown(moment: Timestamp) -> Option<String> {
    let wall = moment.whole_second().to_wall(VIETNAM)?.to_string();
    let (date, time) = wall.split_once('T')?;
    Some(format!("{} {}", day(date), time.get(..5)?))
}

/// `2026-10-05` as `05/10/2026`; anything else as it is.
pub fn day(date: &str) -> String {
    let mut parts = date.split('-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
        _ => date.to_owned(),
    }
}

/// What a vendor writes as a time of Vietnam or a day, in the form of [`shown`]; anything else as it is.
pub fn of_text(text: &str) -> String {
    let Some(date) = text.get(..10).filter(|date| date.parse::<Date>().is_ok()) else {
        return text.to_owned();
    };
    let rest = text.get(10..).unwrap_or_default();
    if rest.ends_with('Z') || rest.contains('+') {
        let moment: Option<Timestamp> = text.parse().ok();
        return moment.and_then(shown).unwrap_or_else(|| text.to_owned());
    }
    match rest.get(1..6).filter(|time| is_time(time)) {
        Some(time) => format!("{} {time}", day(date)),
        None if rest.is_empty() => day(date),
        None => text.to_owned(),
    }
}

/// Whether it is like `09:30`.
fn is_time(text: &str) -> bool {
    let mut bytes = text.bytes().enumerate();
    bytes.all(|(n, b)| {
        if n == 2 {
            b == b':'
        } else {
            b.is_ascii_digit()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_times_stand_in_the_one_form() {
        for (text, told) in [
            ("2026-10-05 09:30:15", "05/10/2026 09:30"),
            ("2026-10-05T09:30:15", "05/10/2026 09:30"),
            ("2026-10-05T02:30:15Z", "05/10/2026 09:30"),
            ("2026-10-05", "05/10/2026"),
            ("2026-13-05", "2026-13-05"),
            ("2026-10-05 soon", "2026-10-05 soon"),
            ("soon", "soon"),
            ("", ""),
        ] {
            assert_eq!(of_text(text), told);
        }
    }

    #[test]
    fn times_are_those_of_vietnam() {
        let moment: Timestamp = "2026-10-05T18:30:15.5Z".parse().unwrap();
        assert_eq!(shown(moment).unwrap(), "06/10/2026 01:30");
        assert_eq!(day("2026-10-05"), "05/10/2026");
        assert_eq!(day("soon"), "soon");
    }
}
