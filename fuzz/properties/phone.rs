//! Phone fields (R7, R8, R9). Input: one field a line; the first two are compared, the third is the
//! value of `ignored_phones`.

use plugin::rules::phone::{PhoneField, PhoneNumber, fields_match};

/// Canonical numbers are stable, writing a field keeps its numbers, and matching is symmetric.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || PhoneField::parse(lines.next().unwrap_or_default());
    let (a, b, ignored) = (line(), line(), line());
    let ignored = ignored.numbers();
    for field in [&a, &b] {
        for number in field.numbers() {
            is_canonical(number);
        }
        is_written_with_its_numbers(field, ignored);
    }
    is_as_the_numbers_say(&a, &b, ignored);
}

fn is_canonical(number: &PhoneNumber) {
    let text = number.as_str();
    assert!(text.starts_with('0'), "{text}");
    assert!(text.bytes().all(|b| b.is_ascii_digit()), "{text}");
    assert!((6..=64).contains(&text.len()), "{text}");
    assert_eq!(PhoneNumber::parse(text).as_ref(), Some(number));
    let key = number.search_key();
    assert!(text.ends_with(key) && !key.starts_with('0'), "{text}");
    // Every form in which Getfly may store it is the same number.
    if let Some(abroad) = text
        .strip_prefix("00")
        .filter(|_| text.len() == key.len() + 2)
    {
        let form = format!("+{abroad}");
        assert_eq!(PhoneNumber::parse(&form).as_ref(), Some(number), "{form}");
    } else if text.len() == key.len() + 1 && text.len() <= 11 {
        // Longer ones are no Vietnamese numbers.
        for form in [
            format!("+84{key}"),
            format!("0084{key}"),
            format!("(+84) {key}"),
        ] {
            assert_eq!(PhoneNumber::parse(&form).as_ref(), Some(number), "{form}");
        }
    }
}

/// R8, R9: what is written holds the same numbers; one number is written in canonical form.
fn is_written_with_its_numbers(field: &PhoneField, ignored: &[PhoneNumber]) {
    let Some(written) = field.as_written(ignored) else {
        assert!(field.numbers().is_empty());
        return;
    };
    let again = PhoneField::parse(&written);
    assert_eq!(again.numbers(), field.numbers(), "{written:?}");
    if let [one] = field.numbers()
        && !one.is_placeholder(ignored)
    {
        assert_eq!(written, one.as_str());
    }
    let any = field.matchable(ignored).next().is_some();
    assert_eq!(fields_match(field, &again, ignored), any, "{written:?}");
}

/// R7: two fields match if they share a number that is not a placeholder, in either order.
fn is_as_the_numbers_say(a: &PhoneField, b: &PhoneField, ignored: &[PhoneNumber]) {
    let shared = a
        .numbers()
        .iter()
        .filter(|number| b.numbers().contains(number))
        .any(|number| !number.is_placeholder(ignored));
    assert_eq!(fields_match(a, b, ignored), shared);
    assert_eq!(fields_match(b, a, ignored), shared);
    for number in a.numbers() {
        let everybody = a.numbers();
        assert!(number.is_placeholder(everybody), "{number} is ignored");
    }
    assert!(!fields_match(a, b, a.numbers()), "ignored numbers match");
}
