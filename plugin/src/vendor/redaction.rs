//! Makes a vendor's words fit to be shown: masks what is personal or secret in them.

use crate::{
    rules::{phone, text::is_invisible},
    secret::Secret,
};

/// The longest text of a vendor that is stored, in characters.
pub const MAX_MESSAGE_CHARS: usize = 300;

/// A run of at least this many digits may be a phone number.
const PHONE_DIGITS: usize = 8;

/// A run of at least this many letters and digits may be a key or a token.
const KEY_CHARS: usize = 24;

/// The most characters between two groups of a number's digits.
const GAP_CHARS: usize = 3;

/// Replaces what was masked.
const HIDDEN: &str = "[hidden]";

/// A vendor's words, fit for a log or a page. E-mail addresses, runs of eight or more digits (with
/// or without separators) and anything shaped like a key are masked. White space becomes plain
/// blanks, invisible characters are removed, and at most [`MAX_MESSAGE_CHARS`] characters stay.
pub fn redact(text: &str) -> String {
    if mutant!(WordsNotMasked) {
        return text.to_owned();
    }
    let seen: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let mut kept = String::new();
    for word in seen.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        redact_word(word, &mut kept);
    }
    mask_digits(&kept).chars().take(MAX_MESSAGE_CHARS).collect()
}

/// A vendor's whole answer for its owner to see: only our own key is masked.
pub fn without_key(text: &str, key: &Secret) -> String {
    if key.reveal().is_empty() {
        return text.to_owned();
    }
    text.replace(key.reveal(), HIDDEN)
}

/// Masks e-mail addresses and keys in a text without white space.
fn redact_word(word: &str, kept: &mut String) {
    for piece in word.split_inclusive(ends_piece) {
        let bare = piece.trim_end_matches(ends_piece);
        if is_email_like(bare) || is_key_like(bare) {
            kept.push_str(HIDDEN);
            kept.extend(piece.chars().next_back().filter(|&c| ends_piece(c)));
        } else {
            kept.push_str(piece);
        }
    }
}

fn ends_piece(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '<'
            | '>'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | ','
            | ';'
            | ':'
            | '='
            | '&'
            | '?'
            | '/'
            | '|'
    )
}

fn is_email_like(word: &str) -> bool {
    word.contains(['@', '＠']) || word.contains("%40")
}

fn is_key_like(word: &str) -> bool {
    word.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .any(|run| run.len() >= KEY_CHARS && run.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Masks digits that may be a phone number, grouped by anything that may stand inside a number, by
/// `/` and `+`, or by a blank's `%20` in an address.
fn mask_digits(text: &str) -> String {
    let mut out = String::new();
    // The digits since the last text with their separators, and the separators after the last
    // digit.
    let (mut run, mut digits, mut gap) = (String::new(), 0_usize, String::new());
    for c in text.chars() {
        if c.is_numeric() {
            run.push_str(&gap);
            gap.clear();
            run.push(c);
            digits = digits.saturating_add(1);
        } else if digits > 0
            && gap.chars().count() < GAP_CHARS
            && (phone::is_noise(c) || matches!(c, '/' | '+' | '%'))
        {
            gap.push(c);
        } else {
            end_run(&mut out, &mut run, &mut digits, &mut gap);
            out.push(c);
        }
    }
    end_run(&mut out, &mut run, &mut digits, &mut gap);
    out
}

fn end_run(out: &mut String, run: &mut String, digits: &mut usize, gap: &mut String) {
    out.push_str(if *digits >= PHONE_DIGITS { HIDDEN } else { run });
    out.push_str(gap);
    run.clear();
    gap.clear();
    *digits = 0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_vendors_words_stay_and_what_is_personal_goes() {
        for (text, shown) in [
            ("Nhóm hàng không tồn tại", "Nhóm hàng không tồn tại"),
            ("KvValidateProductException", "KvValidateProductException"),
            ("account_manager_username", "account_manager_username"),
            ("Email an@x.vn đã tồn tại", "Email [hidden] đã tồn tại"),
            (
                "email:an@x.vn,phone:0912345678",
                "email:[hidden],phone:[hidden]",
            ),
            ("e=an%40x.vn&x=1", "e=[hidden]&x=1"),
            ("<an@x.vn>", "<[hidden]>"),
            ("SĐT 0912345678 trùng", "SĐT [hidden] trùng"),
            ("SĐT 0912 345 678 trùng", "SĐT [hidden] trùng"),
            ("+84 (0)912.345.678.", "+[hidden]."),
            ("０９１２３４５６７８", "[hidden]"),
            ("0987–654–321 — 0912_345_678", "[hidden]"),
            ("0912·345·678, 0912 – 345 – 678", "[hidden], [hidden]"),
            ("0912\u{200B}345\u{200B}678", "[hidden]"),
            ("phone=0912%20345%20678&x=1", "phone=[hidden]&x=1"),
            ("số 1234567", "số 1234567"),
            ("12345678", "[hidden]"),
            ("HTTP 400, mã 12", "HTTP 400, mã 12"),
            ("key abcdefghijklmnopqrstuvwxyz1234", "key [hidden]"),
            ("a\r\n\tb", "a b"),
            ("", ""),
        ] {
            assert_eq!(redact(text), shown, "{text:?}");
        }
        assert_eq!(
            redact(&"x ".repeat(1000)).chars().count(),
            MAX_MESSAGE_CHARS
        );
        // The text is masked before it is cut, so that no half of an address stays.
        let long = format!("{} an@example.com", "x".repeat(295));
        assert!(!redact(&long).contains("an"));
    }

    proptest! {
    #[test]
    fn redaction_never_shows_eight_digits_or_an_at(text in "[0-9a-zé@ .,()+/-]{0,60}") {
        let shown = redact(&text);
        prop_assert!(!shown.contains('@'));
        let mut run = 0;
        for c in shown.chars() {
            run = if c.is_numeric() { run + 1 } else { 0 };
            prop_assert!(run < 8, "{shown}");
        }
    }
    }
}
