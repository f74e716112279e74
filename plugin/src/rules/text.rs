//! Small text helpers that several rules share. They never decide anything.

use core::ops::Range;

/// The text without surrounding white space; none if nothing is left.
pub(crate) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text without KiotViet's mark of a deletion behind it (`SP000041{DEL}`): in any case,
/// numbered or not, once or more. The flag says whether it had one.
pub(crate) fn undeleted(text: &str) -> (&str, bool) {
    let mut rest = text.trim();
    let mut deleted = false;
    while let Some(before) = before_mark(rest) {
        rest = before;
        deleted = true;
    }
    (rest, deleted)
}

fn before_mark(text: &str) -> Option<&str> {
    let digits = |text: &'_ str| text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let text = text
        .get(..digits(text))?
        .trim_end_matches(['_', '-', '.', ' ']);
    let inside = text.strip_suffix('}')?.trim_end();
    let inside = inside
        .get(..digits(inside))?
        .trim_end_matches(['_', '-', ' ']);
    let start = inside.len().checked_sub("DEL".len())?;
    let word = inside.get(start..)?;
    let before = inside.get(..start)?.trim_end().strip_suffix('{')?;
    word.eq_ignore_ascii_case("DEL").then(|| before.trim_end())
}

/// Whether `c` separates two entries of one field.
fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '/' | '|' | '-' | '\u{2013}' | '&' | '+')
}

/// The text without these parts, which are in order, and without the separators that would be left
/// over.
pub(super) fn without(text: &str, parts: &[Range<usize>]) -> String {
    let mut out = String::new();
    let mut from = 0;
    let end = text.len()..text.len();
    for part in parts.iter().cloned().chain(core::iter::once(end)) {
        let kept = text.get(from..part.start).unwrap_or_default();
        let kept = if from > 0 {
            kept.trim_start_matches(|c| separates(c) || c == ')')
        } else {
            kept
        };
        let end = out.trim_end_matches(|c| separates(c) || c == '(').len();
        let between = out.split_off(end).replace('(', "");
        if !out.is_empty() && !kept.is_empty() {
            let blank = between.trim().is_empty();
            out.push_str(if blank { ", " } else { &between });
        }
        out.push_str(kept);
        from = part.end;
    }
    let end = out.trim_end_matches(|c| separates(c) || c == '(').len();
    out.truncate(end);
    out
}

/// Whether `c` is invisible: zero-width characters and direction marks, which people paste along
/// with numbers and addresses.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Lower case without Vietnamese diacritics, composed or decomposed: `Vận Chuyển` → `van chuyen`.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| !matches!(c, '\u{300}'..='\u{36F}'))
        .map(plain_letter)
        .collect()
}

fn plain_letter(c: char) -> char {
    match c {
        'à' | 'á' | 'ả' | 'ã' | 'ạ' | 'ă' | 'ằ' | 'ắ' | 'ẳ' | 'ẵ' | 'ặ' | 'â' | 'ầ' | 'ấ' | 'ẩ'
        | 'ẫ' | 'ậ' => 'a',
        'è' | 'é' | 'ẻ' | 'ẽ' | 'ẹ' | 'ê' | 'ề' | 'ế' | 'ể' | 'ễ' | 'ệ' => 'e',
        'ì' | 'í' | 'ỉ' | 'ĩ' | 'ị' => 'i',
        'ò' | 'ó' | 'ỏ' | 'õ' | 'ọ' | 'ô' | 'ồ' | 'ố' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ờ' | 'ớ' | 'ở'
        | 'ỡ' | 'ợ' => 'o',
        'ù' | 'ú' | 'ủ' | 'ũ' | 'ụ' | 'ư' | 'ừ' | 'ứ' | 'ử' | 'ữ' | 'ự' => 'u',
        'ỳ' | 'ý' | 'ỷ' | 'ỹ' | 'ỵ' => 'y',
        'đ' => 'd',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{filled, fold, undeleted, without};

    #[test]
    fn blank_texts_are_none_and_others_are_trimmed() {
        assert_eq!(filled(" \t\n\u{A0}"), None);
        assert_eq!(filled(" Hà Nội "), Some("Hà Nội".to_owned()));
    }

    #[test]
    fn parts_leave_with_the_separators_that_nothing_needs() {
        for (text, part, expected) in [
            ("a, X, b", "X", "a, b"),
            ("X / b", "X", "b"),
            ("a (X) b", "X", "a, b"),
            ("a - X", "X", "a"),
            ("a (X)", "X", "a"),
            ("X", "X", ""),
            ("aXb", "X", "a, b"),
            ("a (c) / X; b", "X", "a (c) / b"),
        ] {
            let at = text.find(part).unwrap();
            let part = at..at + part.len();
            assert_eq!(
                without(text, core::slice::from_ref(&part)),
                expected,
                "{text}"
            );
        }
        assert_eq!(without("X, a; X / X, b", &[0..1, 6..7, 10..11]), "a, b");
    }

    #[test]
    fn the_mark_of_a_deletion_is_taken_off() {
        for (text, name) in [
            ("SP000041{DEL}", "SP000041"),
            ("SP000041{del}", "SP000041"),
            ("SP000041 {Del} ", "SP000041"),
            ("SP000041{DEL}2", "SP000041"),
            ("SP000041{DEL2}", "SP000041"),
            ("SP000041{DEL}_12", "SP000041"),
            ("SP000041{DEL}{DEL}", "SP000041"),
            ("HD1.01{DEL}", "HD1.01"),
            ("{DEL}", ""),
        ] {
            assert_eq!(undeleted(text), (name, true), "{text}");
        }
        for text in [
            "SP000041",
            "{DEL}SP",
            "SP{DELTA}",
            "SP{MODEL}",
            "SPDEL",
            "DEL}",
            "Áo {đỏ}",
            "",
            "12",
            "}",
        ] {
            assert_eq!(undeleted(text), (text, false));
        }
    }

    #[test]
    fn folding_takes_composed_and_decomposed_vietnamese() {
        assert_eq!(fold("PHÍ VẬN CHUYỂN"), "phi van chuyen");
        assert_eq!(fold("Đường Cước"), "duong cuoc");
        assert_eq!(fold("va\u{323}\u{302}n"), "van");
    }
}
