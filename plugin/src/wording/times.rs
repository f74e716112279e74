//! Moments and days as Vietnam's clocks and people show them.

use crate::time::Timestamp;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_vietnam() {
        let moment: Timestamp = "2026-10-05T18:30:15.5Z".parse().unwrap();
        assert_eq!(shown(moment).unwrap(), "06/10/2026 01:30");
        assert_eq!(day("2026-10-05"), "05/10/2026");
        assert_eq!(day("soon"), "soon");
    }
}
