use super::*;
use proptest::prelude::*;

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
    // Masked first, cut afterwards: no half of an address stays.
    let long = format!("{} an@example.com", "x".repeat(295));
    assert!(!redact(&long).contains("an"));
}

#[test]
fn a_body_is_told_apart_by_its_bytes() {
    assert_eq!(Body::read(b" \n"), Body::Empty);
    assert_eq!(Body::read(b"\n<!DOCTYPE html>"), Body::Html);
    assert_eq!(
        Body::read(b"\xEF\xBB\xBF{}"),
        Body::Json(serde_json::json!({}))
    );
    assert_eq!(Body::read(b"Not found"), Body::Other);
    assert_eq!(Body::read(b"\xFF\xFE"), Body::Other);
}

#[test]
fn encoding_leaves_only_unreserved_characters() {
    assert_eq!(
        percent_encode("KH/2025 +1&=~é"),
        "KH%2F2025%20%2B1%26%3D~%C3%A9"
    );
    assert_eq!(
        form(&[("filtering[a:b]", "1"), ("x", "")]),
        "filtering%5Ba%3Ab%5D=1&x="
    );
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

    #[test]
    fn percent_encoding_can_be_undone(text in any::<String>()) {
        let pairs = format!("v={}", percent_encode(&text));
        let read: Vec<_> = form_urlencoded::parse(pairs.as_bytes()).collect();
        prop_assert_eq!(read[0].1.as_ref(), text);
    }
}
