//! Moments, days and wall times with their texts. The calendar is the `time` crate's. The texts are
//! read and written here, because only a few forms occur.

use core::{fmt, marker::PhantomData, str::FromStr, time::Duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{Month, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

/// A text that is not a time of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time")]
pub struct NotATime;

/// A moment. Its text is RFC 3339: written in UTC, read with any offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(UtcDateTime);

impl Timestamp {
    /// 1 January 1970 in UTC.
    pub const UNIX_EPOCH: Self = Self(UtcDateTime::UNIX_EPOCH);

    /// From Unix seconds and the nanoseconds of that second; none outside the calendar.
    pub fn new(second: i64, nanosecond: u32) -> Option<Self> {
        let moment = UtcDateTime::from_unix_timestamp(second).ok()?;
        Self::written(moment.replace_nanosecond(nanosecond).ok()?)
    }

    /// None for a moment whose text would not have a four-digit year: it could not be read back.
    fn written(moment: UtcDateTime) -> Option<Self> {
        (0..=9999).contains(&moment.year()).then_some(Self(moment))
    }

    /// From Unix seconds; none outside the calendar.
    pub fn from_second(second: i64) -> Option<Self> {
        Self::new(second, 0)
    }

    /// Unix seconds, rounded down.
    pub fn as_second(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The same without a fraction of a second.
    pub fn whole_second(self) -> Self {
        Self::from_second(self.as_second()).unwrap_or(self)
    }

    /// What [`Self::as_second`] leaves out.
    pub fn subsec_nanosecond(self) -> u32 {
        self.0.nanosecond()
    }

    /// `duration` later; none outside the calendar.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        Self::written(self.0.checked_add(duration.try_into().ok()?)?)
    }

    /// `duration` earlier; none outside the calendar.
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        Self::written(self.0.checked_sub(duration.try_into().ok()?)?)
    }

    /// `duration` later; itself where that would leave the calendar.
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(self)
    }

    /// `duration` earlier; itself where that would leave the calendar.
    pub fn saturating_sub(self, duration: Duration) -> Self {
        self.checked_sub(duration).unwrap_or(self)
    }

    /// How long it is after `earlier`; zero if it is not.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0 - earlier.0).unwrap_or_default()
    }

    /// The wall time where clocks are this many hours ahead of UTC; none outside the calendar.
    pub fn to_wall(self, hours_ahead: i8) -> Option<DateTime> {
        let offset = UtcOffset::from_hms(hours_ahead, 0, 0).ok()?;
        let there = self.0.checked_to_offset(offset)?;
        Some(DateTime(PrimitiveDateTime::new(there.date(), there.time())))
    }
}

/// A day of the calendar, `2026-10-05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(time::Date);

impl Date {
    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The day after it; none after the calendar's last.
    pub fn next(self) -> Option<Self> {
        self.0.next_day().map(Self)
    }
}

/// What a calendar and a clock show, without a place: `2026-10-05T09:30:15`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(PrimitiveDateTime);

impl DateTime {
    /// Its day.
    pub fn date(self) -> Date {
        Date(self.0.date())
    }

    /// The moment at which clocks this many hours ahead of UTC show it; none outside the calendar.
    pub fn to_timestamp(self, hours_ahead: i8) -> Option<Timestamp> {
        self.at(UtcOffset::from_hms(hours_ahead, 0, 0).ok()?)
    }

    fn at(self, offset: UtcOffset) -> Option<Timestamp> {
        let there = self.0.assume_offset(offset);
        there.checked_to_utc().and_then(Timestamp::written)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second, mut fraction) = self.0.as_hms_nano();
        write!(
            f,
            "{}T{hour:02}:{minute:02}:{second:02}",
            Date(self.0.date())
        )?;
        if fraction == 0 {
            return Ok(());
        }
        let mut digits = 9;
        while fraction % 10 == 0 {
            fraction /= 10;
            digits -= 1;
        }
        write!(f, ".{fraction:0digits$}")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wall = PrimitiveDateTime::new(self.0.date(), self.0.time());
        write!(f, "{}Z", DateTime(wall))
    }
}

impl FromStr for Date {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let mut rest = Rest(text.as_bytes());
        let date = rest.date().filter(|_| rest.0.is_empty());
        date.map(Self).ok_or(NotATime)
    }
}

impl FromStr for DateTime {
    type Err = NotATime;

    /// With a time of day or without (midnight). A numeric offset is allowed and ignored: the
    /// digits are wall time. `Z` is refused, because it marks a time that is not wall time.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (wall, zone) = read(text).ok_or(NotATime)?;
        match zone {
            Zone::Unsaid | Zone::Offset(_) => Ok(Self(wall)),
            Zone::Zulu => Err(NotATime),
        }
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (wall, zone) = read(text).ok_or(NotATime)?;
        let offset = match zone {
            Zone::Unsaid => return Err(NotATime),
            Zone::Zulu => UtcOffset::UTC,
            Zone::Offset(offset) => offset,
        };
        DateTime(wall).at(offset).ok_or(NotATime)
    }
}

macro_rules! stored_as_text {
    ($($time:ident),*) => {$(
        impl Serialize for $time {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $time {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )*};
}

stored_as_text!(Timestamp, Date);

/// Reads a time from its text.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = NotATime>> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

enum Zone {
    Unsaid,
    Zulu,
    Offset(UtcOffset),
}

/// A date, then optionally `T` or a blank and a time of day, then optionally a zone.
fn read(text: &str) -> Option<(PrimitiveDateTime, Zone)> {
    let mut rest = Rest(text.as_bytes());
    let date = rest.date()?;
    if rest.0.is_empty() {
        return Some((PrimitiveDateTime::new(date, Time::MIDNIGHT), Zone::Unsaid));
    }
    rest.one_of(b"Tt ")?;
    let time = rest.time()?;
    let zone = rest.zone()?;
    let whole = rest.0.is_empty();
    whole.then(|| (PrimitiveDateTime::new(date, time), zone))
}

/// The unread rest of a text.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    /// The next byte, if it is one of these.
    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn digit(&mut self) -> Option<u32> {
        self.one_of(b"0123456789")
            .map(|byte| u32::from(byte - b'0'))
    }

    fn two_digits(&mut self) -> Option<u8> {
        let (tens, ones) = (self.digit()?, self.digit()?);
        u8::try_from(10 * tens + ones).ok()
    }

    /// `2026-10-05`
    fn date(&mut self) -> Option<time::Date> {
        let (century, year) = (self.two_digits()?, self.two_digits()?);
        self.one_of(b"-")?;
        let month = Month::try_from(self.two_digits()?).ok()?;
        self.one_of(b"-")?;
        let day = self.two_digits()?;
        time::Date::from_calendar_date(100 * i32::from(century) + i32::from(year), month, day).ok()
    }

    /// `09:30`, `09:30:15` or `09:30:15.1234567`; a leap second is its minute's last.
    fn time(&mut self) -> Option<Time> {
        let hour = self.two_digits()?;
        self.one_of(b":")?;
        let minute = self.two_digits()?;
        let (mut second, mut nanosecond) = (0, 0);
        if self.one_of(b":").is_some() {
            second = self.two_digits()?;
            if self.one_of(b".,").is_some() {
                nanosecond = self.fraction()?;
            }
        }
        let second = if second == 60 { 59 } else { second };
        Time::from_hms_nano(hour, minute, second, nanosecond).ok()
    }

    /// One to nine digits.
    fn fraction(&mut self) -> Option<u32> {
        let mut nanosecond = 100_000_000 * self.digit()?;
        let mut unit = 10_000_000;
        while unit > 0
            && let Some(digit) = self.digit()
        {
            nanosecond += unit * digit;
            unit /= 10;
        }
        Some(nanosecond)
    }

    /// Nothing, `Z`, `+07`, `+07:00` or `+0700`.
    fn zone(&mut self) -> Option<Zone> {
        let sign = match self.one_of(b"Zz+-") {
            None => return Some(Zone::Unsaid),
            Some(b'Z' | b'z') => return Some(Zone::Zulu),
            Some(b'-') => -1,
            Some(_) => 1,
        };
        let hours = i8::try_from(self.two_digits()?).ok()?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            let _colon = self.one_of(b":");
            i8::try_from(self.two_digits()?).ok()?
        };
        let offset = UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?;
        Some(Zone::Offset(offset))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn date(year: u16, month: u8, day: u8) -> Date {
        format!("{year:04}-{month:02}-{day:02}").parse().unwrap()
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in [
            "2026-10-05T09:30:15Z",
            "2026-10-05T09:30:15.1234567Z",
            "2026-10-05T09:30:15.000000001Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        for text in ["2024-02-29", "0001-01-01"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for (text, written) in [
            ("2025-02-25 09:12:32", "2025-02-25T09:12:32"),
            ("2025-02-25", "2025-02-25T00:00:00"),
            ("2025-02-25T09:12:60.5+07:00", "2025-02-25T09:12:59.5"),
        ] {
            assert_eq!(text.parse::<DateTime>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-10-05T",
            "2026-10-05T09",
            "2026-10-05T09:30:15.",
            "2026-10-05T09:30:15.1234567891Z",
            "2026-10-05T09:30:61Z",
            "2026-10-05T24:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-10-05T09:30:15+",
            "2026-10-05T09:30:15+07:",
            "2026-10-05T09:30:15+07:60",
            "2026-10-05T09:30:15Z ",
            "2026-10-05Z",
            "26-10-05",
            "٢٠٢٦-١٠-٠٥",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NotATime), "{text}");
            assert_eq!(text.parse::<DateTime>(), Err(NotATime), "{text}");
            assert_eq!(text.parse::<Date>(), Err(NotATime), "{text}");
        }
        assert!("2026-10-05T09:30:15Z".parse::<DateTime>().is_err());
        assert!("2026-10-05T09:30:15".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_ends_where_the_calendar_does() {
        let last: Timestamp = "9999-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(last.checked_add(Duration::from_secs(1)), None);
        assert_eq!(last.checked_add(Duration::MAX), None);
        assert_eq!(last.saturating_add(Duration::from_secs(1)), last);
        assert_eq!(Timestamp::from_second(i64::MAX), None);
        // A moment before the year 0 would be written as a text that cannot be read back.
        let first: Timestamp = "0000-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(first.checked_sub(Duration::from_secs(1)), None);
        assert_eq!(first.saturating_sub(Duration::from_secs(1)), first);
        assert_eq!(Timestamp::from_second(first.as_second() - 1), None);
        assert!("0000-01-01T00:00:00+07:00".parse::<Timestamp>().is_err());
        let epoch = Timestamp::UNIX_EPOCH;
        assert_eq!(epoch.saturating_since(last), Duration::ZERO);
        assert_eq!(
            last.saturating_since(epoch).as_secs(),
            253_402_300_799,
            "{last}"
        );
    }

    proptest! {
        /// The `jiff` crate is the oracle.
        #[test]
        fn moments_are_those_of_another_implementation(
            second in -62_000_000_000..250_000_000_000_i64,
            nanosecond in prop_oneof![Just(0), 0..1_000_000_000_u32],
            plus in 0..1_000_000_000_u64,
        ) {
            let own = Timestamp::new(second, nanosecond).unwrap();
            let nanos = i128::from(second) * 1_000_000_000 + i128::from(nanosecond);
            let other = jiff::Timestamp::from_nanosecond(nanos).unwrap();
            prop_assert_eq!(own.to_string(), other.to_string());
            prop_assert_eq!(Ok(own), other.to_string().parse());
            prop_assert_eq!(own.as_second(), second);
            prop_assert_eq!(own.subsec_nanosecond(), nanosecond);
            let plus = Duration::from_secs(plus);
            let later = own.checked_add(plus).unwrap();
            prop_assert_eq!(later.to_string(), other.checked_add(plus).unwrap().to_string());
            prop_assert_eq!(later.saturating_since(own), plus);
            let there = jiff::tz::Offset::constant(7);
            let wall = own.to_wall(7).unwrap();
            prop_assert_eq!(wall.to_string(), there.to_datetime(other).to_string());
            let text = format!("{wall}+07:00");
            prop_assert_eq!(Ok(own), text.parse());
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9T:.Z+ é-]{0,35}") {
            let _ = (text.parse::<Timestamp>(), text.parse::<DateTime>(), text.parse::<Date>());
        }
    }
}
