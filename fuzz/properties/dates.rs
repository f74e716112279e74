//! KiotViet's times and days. Input: the text.

use plugin::{
    kiotviet::time::{parse_date, parse_time},
    time::{Date, DateTime, Timestamp},
};

/// A time that is read is written and read back the same, here and by another implementation.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let moment = parse_time(&text);
    if let Some(moment) = moment {
        let written = moment.to_string();
        assert_eq!(written.parse(), Ok(moment), "{written}");
        assert_eq!(parse_time(&written), Some(moment), "{written}");
        assert_eq!(
            Timestamp::new(moment.as_second(), moment.subsec_nanosecond()),
            Some(moment)
        );
        if let Some(wall) = moment.to_wall(7) {
            for form in [
                wall.to_string(),
                format!("{wall}+07:00"),
                format!(" {wall} "),
            ] {
                assert_eq!(parse_time(&form), Some(moment), "{form}");
            }
        }
    }
    match parse_date(&text) {
        Some(date) => {
            assert!(moment.is_some(), "a day without a time: {text}");
            let written = date.to_string();
            assert!(text.trim().starts_with(&written), "{text} is not {written}");
            assert_eq!(written.parse(), Ok(date));
            // At noon: the first midnight in Vietnam was before the year 0 in UTC, which is refused.
            assert_eq!(parse_date(&format!("{written}T12:00:00")), Some(date));
        }
        None => assert!(moment.is_none(), "a time without a day: {text}"),
    }
    for wall in text.parse::<DateTime>().into_iter() {
        assert_eq!(wall.to_string().parse(), Ok(wall));
        assert_eq!(wall.date().to_string().parse::<Date>(), Ok(wall.date()));
    }
    if let (Ok(own), Ok(other)) = (text.parse::<Timestamp>(), text.parse::<jiff::Timestamp>()) {
        assert_eq!(own.to_string(), other.to_string(), "{text}");
    }
}
