//! Known answers and properties of phone fields.

use super::*;
use proptest::prelude::*;

fn found(text: &str) -> Vec<String> {
    PhoneField::parse(text)
        .numbers()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn written(text: &str) -> Option<String> {
    PhoneField::parse(text).as_written(&[])
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

#[test]
fn r9_every_written_form_of_one_number_is_canonical() {
    for text in [
        "0912345678",
        "912345678",
        "84912345678",
        "+84912345678",
        "0084912345678",
        "+84 (0) 912 345 678",
        "(+84) 912-345-678",
        "[84] 912.345.678",
        "840912345678",
        "0912 - 345 - 678",
        "0912–345—678",
        "０９１２３４５６７８",
        "＋８４　９１２　３４５　６７８",
        "\u{202A}+84\u{A0}912\u{2009}345\u{202F}678\u{202C}",
        "0912\u{200B}345\u{AD}678",
        "0912·345•678",
        "ĐT: 0912345678 (anh Nam)",
        "+ 84 912345678",
        "+0912345678",
    ] {
        assert_eq!(found(text), ["0912345678"], "{text:?}");
        assert_eq!(written(text).as_deref(), Some("0912345678"), "{text:?}");
    }
}

#[test]
fn r9_country_codes_and_lookalikes() {
    for (text, expected) in [
        ("845123456", "0845123456"),
        ("0845123456", "0845123456"),
        ("84845123456", "0845123456"),
        ("8412345678", "08412345678"),
        ("842438477451", "02438477451"),
        ("84 (024) 3847 7451", "02438477451"),
        ("2438477451", "02438477451"),
        ("+1 415-555-2671", "0014155552671"),
        ("001 415 555 2671", "0014155552671"),
        ("14155552671", "014155552671"),
        ("+65 6123 4567", "006561234567"),
        ("+84 1900 1234", "019001234"),
        ("19001234", "019001234"),
        ("384 7745", "03847745"),
        ("000912345678", "000912345678"),
    ] {
        assert_eq!(found(text), [expected], "{text:?}");
    }
}

#[test]
fn r8_several_numbers_in_one_field_are_told_apart() {
    for (text, expected) in [
        (
            "02563 847 745 - 0903 596 729",
            vec!["02563847745", "0903596729"],
        ),
        (
            "0912-345-678-0987-654-321",
            vec!["0912345678", "0987654321"],
        ),
        (
            "0912 345 678 0987 654 321",
            vec!["0912345678", "0987654321"],
        ),
        (
            "0912.345.678.0987.654.321",
            vec!["0912345678", "0987654321"],
        ),
        ("0912345678,0987654321", vec!["0912345678", "0987654321"]),
        ("0912345678;0987654321", vec!["0912345678", "0987654321"]),
        ("0912345678/0987654321", vec!["0912345678", "0987654321"]),
        ("0912345678|0987654321", vec!["0912345678", "0987654321"]),
        ("0912345678\n0987654321", vec!["0912345678", "0987654321"]),
        ("0912345678–0987654321", vec!["0912345678", "0987654321"]),
        (
            "0912345678 hoặc 0987654321",
            vec!["0912345678", "0987654321"],
        ),
        ("0912345678 (0987654321)", vec!["0912345678", "0987654321"]),
        ("+84912345678+84987654321", vec!["0912345678", "0987654321"]),
        (
            "+84 912 345 678 84 987 654 321",
            vec!["0912345678", "0987654321"],
        ),
        (
            "+1 415 555 2671 0903 596 729",
            vec!["0014155552671", "0903596729"],
        ),
        ("384 7745 - 384 7746", vec!["03847745", "03847746"]),
        ("3847745-3847746", vec!["03847745", "03847746"]),
        (
            "024 3847 7451 - 3847 7452",
            vec!["02438477451", "038477452"],
        ),
        (
            "0912345678 / 0912 345 678 / 0903596729",
            vec!["0912345678", "0903596729"],
        ),
    ] {
        assert_eq!(found(text), expected, "{text:?}");
    }
}

#[test]
fn r8_extensions_and_other_digits_are_no_numbers() {
    for (text, expected) in [
        ("02438477451 ext 123", vec!["02438477451"]),
        ("024 3847 7451 - 52", vec!["02438477451"]),
        ("0912345678 12", vec!["0912345678"]),
        ("12345", vec![]),
        ("123456", vec!["0123456"]),
        ("012345", vec![]),
        ("113 / 114", vec![]),
        ("09****5678", vec![]),
        ("0912xxx678", vec![]),
        ("09123456780987654321", vec![]),
        ("1234567890123456", vec![]),
        ("123456789012345", vec!["0123456789012345"]),
        ("+84", vec![]),
        ("00000", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(found(text), expected, "{text:?}");
    }
}

#[test]
fn r8_r9_a_merged_field_keeps_its_text_but_for_the_first_zero() {
    for (text, expected) in [
        (
            " 02563 847 745 - 0903 596 729 ",
            "02563 847 745 - 0903 596 729",
        ),
        ("912345678 - 903596729", "0912345678 - 903596729"),
        ("84912345678, 84903596729", "0912345678, 84903596729"),
        ("+84 912 345 678 / 0903596729", "0912 345 678 / 0903596729"),
        ("(+84) 912-345-678; 0903596729", "0912-345-678; 0903596729"),
        (
            "+84 (0) 912 345 678 | 0903596729",
            "0912 345 678 | 0903596729",
        ),
        (
            "+84 (24) 3847 7451 / 0903596729",
            "(024) 3847 7451 / 0903596729",
        ),
        (
            "(24) 3847 7451 / 0903596729",
            "(024) 3847 7451 / 0903596729",
        ),
        (
            "Mẹ 912345678, bố 0903596729",
            "Mẹ 0912345678, bố 0903596729",
        ),
        (
            "+1 415 555 2671 / 0903596729",
            "001 415 555 2671 / 0903596729",
        ),
        (
            "001 415 555 2671 / 0903596729",
            "001 415 555 2671 / 0903596729",
        ),
        ("0084 912345678 / 0903596729", "0912345678 / 0903596729"),
        ("+0912345678 / 0903596729", "0912345678 / 0903596729"),
        (
            "９１２３４５６７８ / 0903596729",
            "0９１２３４５６７８ / 0903596729",
        ),
    ] {
        assert_eq!(written(text).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn r8_a_field_without_numbers_is_written_as_it_was_or_not_at_all() {
    assert_eq!(written(""), None);
    assert_eq!(written("  không có  "), None);
    assert_eq!(written(" 12345 "), Some("12345".to_owned()));
    assert_eq!(
        written("0912 345 678 / 0912345678"),
        Some("0912345678".to_owned())
    );
}

#[test]
fn r7_placeholders_match_no_account() {
    let ignored = [number("0900 111 222")];
    for text in [
        "0000000000",
        "000000",
        "1111111",
        "0999999999",
        "0123456789",
        "123456789",
        "123456",
        "1234567890",
        "0987654321",
        "987654321",
        "9876543210",
        "0900000001",
        "0100000000",
        "0911111112",
        "384 7745",
        "+84900111222",
    ] {
        let field = PhoneField::parse(text);
        assert_eq!(field.numbers().len(), 1, "{text}");
        assert!(
            field
                .numbers()
                .iter()
                .all(|number| number.is_placeholder(&ignored)),
            "{text}"
        );
        assert!(!fields_match(&field, &field, &ignored), "{text}");
        assert_eq!(field.matchable(&ignored).count(), 0, "{text}");
    }
    for text in [
        "0999999899",
        "0123456788",
        "0900111223",
        "0912345678",
        "0345678901",
        "0987654320",
        "1900 1234",
        "02438477451",
        "0900000012",
    ] {
        assert!(!number(text).is_placeholder(&ignored), "{text}");
    }
}

#[test]
fn r7_fields_match_by_any_number_and_never_by_substring() {
    let matches =
        |a: &str, b: &str| fields_match(&PhoneField::parse(a), &PhoneField::parse(b), &[]);
    assert!(matches("02563 847 745 - 0903 596 729", "+84903596729"));
    assert!(matches(
        "0987654321, 912345678",
        "84 912 345 678 / 0900000001"
    ));
    assert!(!matches("0912345678", "0912345679"));
    assert!(!matches("0912345678", "09123456789"));
    assert!(!matches("0014155552671", "014155552671"));
    assert!(!matches("", ""));
}

#[test]
fn r7_one_search_key_is_inside_every_stored_form() {
    let key = number("+84 912 345 678").search_key().to_owned();
    for stored in [
        "0912345678",
        "84912345678",
        "+84912345678",
        "912345678",
        "0084912345678",
    ] {
        assert!(stored.contains(&key), "{stored}");
    }
    assert_eq!(number("+1 415 555 2671").search_key(), "14155552671");
    assert_eq!(number("0000000000").search_key(), "");
}

#[test]
fn r7_masked_numbers_are_left_out_and_the_fields_other_numbers_stay() {
    for (text, numbers, as_written) in [
        ("09****5678", vec![], None),
        ("0912xxx678", vec![], None),
        ("0912xxx345678", vec![], None),
        ("0912XXXXXX", vec![], None),
        ("******5678", vec![], None),
        ("xxxxxx5678", vec![], None),
        ("0912 *** 678", vec![], None),
        ("0912 xxx 678", vec![], None),
        ("０９＊＊＊＊５６７８", vec![], None),
        ("+84 91*** 678", vec![], None),
        (
            "09****5678 / 912345678",
            vec!["0912345678"],
            Some("0912345678"),
        ),
        (
            "0912345678 - 09xx xxx 123",
            vec!["0912345678"],
            Some("0912345678 - 123"),
        ),
        (
            "0912345678, 09****1111, 0903596729",
            vec!["0912345678", "0903596729"],
            Some("0912345678, 0903596729"),
        ),
        (
            "0903596729 (09****5678)",
            vec!["0903596729"],
            Some("0903596729"),
        ),
    ] {
        let field = PhoneField::parse(text);
        assert!(field.is_masked(), "{text}");
        assert_eq!(found(text), numbers, "{text}");
        if numbers.len() != 1 {
            assert_eq!(written(text).as_deref(), as_written, "{text}");
        }
    }
    for (text, number) in [
        ("0903 596 729 (chị Xuân)", "0903596729"),
        ("0903 596 729 x Xuân", "0903596729"),
        ("Fax 0903596729", "0903596729"),
        ("Fax0903596729", "0903596729"),
        ("* 0903596729", "0903596729"),
        ("0903596729 *", "0903596729"),
        ("0903596729 ext 12", "0903596729"),
    ] {
        assert_eq!(found(text), [number], "{text}");
        assert!(!PhoneField::parse(text).is_masked(), "{text}");
    }
}

#[test]
fn r7_placeholders_are_written_as_they_are() {
    for text in ["123456", "0000000000", "+84 987654321", "384 7745"] {
        assert_eq!(written(text).as_deref(), Some(text));
    }
    let ignored = [number("0900111222")];
    let field = PhoneField::parse(" 84900111222 ");
    assert_eq!(field.as_written(&ignored).as_deref(), Some("84900111222"));
    assert_eq!(field.as_written(&[]).as_deref(), Some("0900111222"));
}

#[test]
fn one_number_is_parsed_only_from_a_field_with_one() {
    assert_eq!(PhoneNumber::parse("0912345678 / 0987654321"), None);
    assert_eq!(PhoneNumber::parse("none"), None);
}

/// A Vietnamese number without its 0: mobile, or landline with area code.
fn national() -> impl Strategy<Value = String> {
    prop_oneof!["[35789][0-9]{8}", "2[0-9]{9}"]
}

/// One way to write it: a prefix, and noise between the digits.
fn spelled(national: String) -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec![
        "0", "", "84", "+84", "0084", "84 0", "+84(0)", "(+84) ", "(84)", "00 84 ", "+84-",
    ]);
    let noise = prop::sample::select(vec![
        "", "", "", " ", ".", "-", " - ", "(", ")", "\u{A0}", "–", "\u{200B}",
    ]);
    (prefix, prop::collection::vec(noise, national.len())).prop_map(move |(prefix, noise)| {
        let digits = national
            .chars()
            .zip(noise)
            .map(|(digit, noise)| format!("{digit}{noise}"));
        format!("{prefix}{}", digits.collect::<String>())
    })
}

/// Texts of all characters that the splitting knows.
const MESSY: &str = "[0-9０-９0-9084+＋() （）.·_ \u{A0}\u{200B}\u{202A}\\-–—,/a*xX\n]{0,40}";

proptest! {
    #[test]
    fn r7_all_written_forms_of_a_number_are_equal(
        (national, text) in national().prop_flat_map(|n| (Just(n.clone()), spelled(n)))
    ) {
        prop_assert_eq!(found(&text), [format!("0{national}")], "{:?}", text);
    }

    #[test]
    fn r8_two_numbers_are_never_glued(
        (a, b) in (national(), national()),
        separator in prop::sample::select(vec![" - ", "-", " ", ", ", ";", "/", "|", " – ", "\n", " và ", "."]),
    ) {
        let text = format!("0{a}{separator}0{b}");
        let mut expected = vec![format!("0{a}")];
        if a != b {
            expected.push(format!("0{b}"));
        }
        prop_assert_eq!(found(&text), expected);
        if a != b {
            prop_assert_eq!(written(&text), Some(text));
        }
    }

    #[test]
    fn r9_canonical_form_is_stable(text in MESSY) {
        let field = PhoneField::parse(&text);
        for number in field.numbers() {
            prop_assert_eq!(PhoneNumber::parse(number.as_str()), Some(number.clone()));
        }
    }

    #[test]
    fn r9_what_is_written_holds_the_same_numbers(text in MESSY) {
        let field = PhoneField::parse(&text);
        let again = PhoneField::parse(&field.as_written(&[]).unwrap_or_default());
        prop_assert_eq!(again.numbers(), field.numbers(), "{:?} -> {:?}", text, field.as_written(&[]));
    }

    #[test]
    fn r7_a_masked_number_never_shows_what_it_hides(
        national in national(), from in 1usize..8, length in 1usize..8,
        mark in prop::sample::select(vec!["*", "x", "X"]),
        other in prop::option::of(national()),
    ) {
        let end = (from + length).min(national.len());
        let hidden = format!("0{}{}{}", &national[..from], mark.repeat(end - from), &national[end..]);
        let (text, expected) = match &other {
            Some(other) => (format!("{hidden} / 0{other}"), vec![format!("0{other}")]),
            None => (hidden, vec![]),
        };
        let field = PhoneField::parse(&text);
        prop_assert!(field.is_masked());
        prop_assert_eq!(found(&text), expected);
        let written = field.as_written(&[]).unwrap_or_default();
        prop_assert_eq!(written.is_empty(), other.is_none());
        prop_assert!(!written.contains(['*', 'x', 'X']), "{:?}", written);
    }

    #[test]
    fn r8_any_text_is_a_field(text in any::<String>()) {
        let field = PhoneField::parse(&text);
        prop_assert!(field.as_written(&[]).is_none_or(|written| !written.is_empty()));
    }
}
