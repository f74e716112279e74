//! The `X-Hub-Signature` of a delivery. Input: the secret, a line with the header, and the body. In the
//! header `{hex256}`, `{hex1}`, `{base64-256}` and `{base64-1}` stand for the body's true digest,
//! `{HEX256}` for the same in capitals.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use plugin::{
    kiotviet::signature::{Keys, Verdict},
    secret::Secret,
};
use sha1::Sha1;
use sha2::Sha256;

/// A header is valid exactly if it is one of the forms that only the secret's owner can make.
pub fn check(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let secret = String::from_utf8_lossy(line());
    let template = String::from_utf8_lossy(line());
    let body = line();

    let header = filled(&template, secret.as_bytes(), body);
    judged_by_the_forms(&header, &secret, body);
    // The same header under another secret, or over another body.
    judged_by_the_forms(&header, &format!("x{secret}"), body);
    judged_by_the_forms(&header, &secret, &[body, b" "].concat());
    // Every form that was met in the field.
    let decoded = STANDARD.decode(secret.as_bytes()).unwrap_or_default();
    for key in [secret.as_bytes(), &decoded] {
        if secret.is_empty() || key.is_empty() {
            continue;
        }
        for label in ["", "sha1=", "SHA256=", "sha256= "] {
            for form in [
                "{hex256}",
                "{HEX256}",
                "{hex1}",
                "{base64-256}",
                "{base64-1}",
            ] {
                let form = filled(form, key, body);
                let header = format!(" {label}{form} ");
                assert_eq!(judged(&header, &secret, body), Verdict::Valid, "{header}");
                let short = form.get(1..).unwrap_or_default();
                assert_ne!(judged(short, &secret, body), Verdict::Valid, "{short}");
            }
        }
    }
    let keys = Keys::of(&Secret::new(secret));
    assert_eq!(keys.verify(None, body), Verdict::Missing);
}

fn judged(header: &str, secret: &str, body: &[u8]) -> Verdict {
    Keys::of(&Secret::new(secret)).verify(Some(header), body)
}

/// Compares the verdict with a list of every valid text.
fn judged_by_the_forms(header: &str, secret: &str, body: &[u8]) {
    let verdict = judged(header, secret, body);
    let mut text = header.trim();
    if text.is_empty() {
        assert_eq!(verdict, Verdict::Missing);
        return;
    }
    let label = ["sha1=", "sha256="].into_iter().find(|label| {
        let start = text.get(..label.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(label))
    });
    text = text
        .get(label.map_or(0, str::len)..)
        .unwrap_or_default()
        .trim();
    let padded = STANDARD.decode(secret).ok();
    let unpadded = || {
        base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(secret)
            .ok()
    };
    let decoded = padded.or_else(unpadded).unwrap_or_default();
    let mut forms = Vec::new();
    for key in [secret.as_bytes(), &decoded] {
        if !secret.is_empty() && !key.is_empty() {
            forms.extend(["{hex256}", "{hex1}"].map(|form| filled(form, key, body)));
        }
    }
    let valid = forms.iter().any(|hex| {
        let bare = base64_of(hex);
        let bare = bare.trim_end_matches('=');
        text.eq_ignore_ascii_case(hex) || text == bare || text == base64_of(hex)
    });
    assert_eq!(
        verdict == Verdict::Valid,
        valid,
        "{header:?} with {secret:?}"
    );
}

fn filled(template: &str, key: &[u8], body: &[u8]) -> String {
    if !template.contains('{') {
        return template.to_owned();
    }
    let (long, short) = (hex(&sha256(key, body)), hex(&sha1(key, body)));
    template
        .replace("{hex256}", &long)
        .replace("{HEX256}", &long.to_uppercase())
        .replace("{hex1}", &short)
        .replace("{base64-256}", &base64_of(&long))
        .replace("{base64-1}", &base64_of(&short))
}

fn sha256(key: &[u8], body: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.chain_update(body).finalize().into_bytes().to_vec()
}

fn sha1(key: &[u8], body: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("any length");
    mac.chain_update(body).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64_of(hex: &str) -> String {
    let pairs = hex.as_bytes().chunks(2);
    let bytes: Vec<u8> = pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("hex");
            u8::from_str_radix(pair, 16).expect("hex")
        })
        .collect();
    STANDARD.encode(bytes)
}
