//! Checks the `X-Hub-Signature` of a delivery (manual 2.11): an HMAC over the raw body. The manual
//! states neither the digest's text form nor its prefix nor the key's bytes. Every form that public
//! clients use is accepted; each of them needs the secret. All comparisons take constant time.

use super::assumptions::SIGNATURE_LABELS;
use crate::secret::Secret;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The result of checking a delivery's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Made with the registered secret over exactly this body.
    Valid,
    /// No header, or an empty one.
    Missing,
    /// Made with another secret, or over another body.
    Wrong,
}

/// Standard alphabet, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secret of a webhook, ready for checking signatures. The key is the text that the webhook was
/// registered with, or what that text decodes to.
pub struct Keys(Vec<(Hmac<Sha256>, Hmac<Sha1>)>);

impl Keys {
    /// None for an empty secret: with an empty key, any sender could sign.
    pub fn of(secret: &Secret) -> Self {
        let text = secret.reveal();
        let decoded = BASE64.decode(text).unwrap_or_default();
        let keys = [text.as_bytes(), &decoded].into_iter();
        Self(keys.filter_map(keyed).collect())
    }

    /// Judges the header `X-Hub-Signature` of a delivery with this raw `body`. An optional label
    /// `sha1=` or `sha256=` is ignored; the digest is hex or Base64 of HMAC-SHA-256 or HMAC-SHA-1.
    pub fn verify(&self, header: Option<&str>, body: &[u8]) -> Verdict {
        let header = header.unwrap_or_default().trim();
        if header.is_empty() {
            return Verdict::Missing;
        }
        let claims = digests(without_label(header));
        let mut valid = Choice::from(0);
        for (sha256, sha1) in &self.0 {
            for claim in &claims {
                valid |= matches(sha256, body, claim);
                valid |= matches(sha1, body, claim);
            }
        }
        if valid.into() {
            Verdict::Valid
        } else {
            Verdict::Wrong
        }
    }
}

/// Whether the header has the assumed form: `sha1=` and SHA-256 in lower-case hex.
pub fn has_assumed_form(header: Option<&str>) -> bool {
    let digits = header.and_then(|header| header.strip_prefix("sha1="));
    digits.is_some_and(|digits| {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digits.len() == 64 && digits.bytes().all(hex)
    })
}

fn keyed(key: &[u8]) -> Option<(Hmac<Sha256>, Hmac<Sha1>)> {
    if key.is_empty() {
        return None;
    }
    // HMAC takes keys of every length.
    let sha256 = Hmac::new_from_slice(key).ok()?;
    Some((sha256, Hmac::new_from_slice(key).ok()?))
}

/// The header without its label. Only known labels are cut off: Base64 may hold `=` too.
fn without_label(header: &str) -> &str {
    for label in SIGNATURE_LABELS {
        if let Some((start, rest)) = header.split_at_checked(label.len())
            && start.eq_ignore_ascii_case(label)
        {
            return rest.trim();
        }
    }
    header
}

/// The bytes that the text may stand for, read as hex and as Base64.
fn digests(text: &str) -> Vec<Vec<u8>> {
    hex(text).into_iter().chain(BASE64.decode(text)).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from((digit(high)? << 4) | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

fn matches<M: Mac + Clone>(keyed: &M, body: &[u8], claim: &[u8]) -> Choice {
    // The sender chose the length, so it reveals nothing of the secret: the digest need not be
    // computed.
    if claim.len() != M::output_size() {
        return Choice::from(0);
    }
    let digest = keyed.clone().chain_update(body).finalize().into_bytes();
    digest.ct_eq(claim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4231, test case 2.
    const KEY: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const SHA256_BASE64: &str = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
    /// RFC 2202, test case 2.
    const SHA1: &str = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
    const SHA1_BASE64: &str = "7/zfauXrL6LSdBbV8YTfnCWafHk=";
    /// `Jefe` in Base64, with and without its padding.
    const KEY_BASE64: &str = "SmVmZQ==";

    fn judged(header: &str, secret: &str) -> Verdict {
        Keys::of(&Secret::new(secret)).verify(Some(header), BODY)
    }

    #[test]
    fn every_form_met_in_the_field_is_valid() {
        for header in [
            format!("sha1={SHA256}"),
            format!("sha256={SHA256}"),
            format!("SHA256={}", SHA256.to_uppercase()),
            SHA256.to_owned(),
            format!(" {SHA256} "),
            SHA256_BASE64.to_owned(),
            SHA256_BASE64.trim_end_matches('=').to_owned(),
            format!("sha1={SHA256_BASE64}"),
            SHA1.to_owned(),
            format!("sha1={SHA1}"),
            format!("Sha256={SHA1_BASE64}"),
            SHA1_BASE64.to_owned(),
        ] {
            for secret in [KEY, KEY_BASE64, "SmVmZQ"] {
                assert_eq!(judged(&header, secret), Verdict::Valid, "{header} {secret}");
            }
        }
    }

    #[test]
    fn a_base64_secret_may_be_the_key_as_it_stands() {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(KEY_BASE64.as_bytes()).unwrap();
        let digest = mac.chain_update(BODY).finalize().into_bytes();
        assert_eq!(judged(&BASE64.encode(digest), KEY_BASE64), Verdict::Valid);
    }

    #[test]
    fn near_misses_are_wrong() {
        let mut last = SHA256.to_owned();
        last.replace_range(63.., "4");
        for header in [
            last,
            SHA256[..62].to_owned(),
            SHA256[..63].to_owned(),
            format!("{SHA256}00"),
            format!("sha512={SHA256}"),
            format!("sha1=sha1={SHA256}"),
            format!("sha1:{SHA256}"),
            "sha1=".to_owned(),
            "=".to_owned(),
            "é=1".to_owned(),
            SHA256_BASE64.to_lowercase(),
        ] {
            assert_eq!(judged(&header, KEY), Verdict::Wrong, "{header}");
        }
        assert_eq!(judged(SHA256, "jefe"), Verdict::Wrong);
        assert_eq!(
            Keys::of(&Secret::new(KEY)).verify(Some(SHA256), b"what do ya want for nothing? "),
            Verdict::Wrong
        );
    }

    #[test]
    fn no_header_is_missing_and_no_secret_is_never_valid() {
        assert_eq!(
            Keys::of(&Secret::new(KEY)).verify(None, BODY),
            Verdict::Missing
        );
        assert_eq!(judged(" ", KEY), Verdict::Missing);
        // HMAC-SHA-256 of nothing with an empty key.
        let empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        assert_eq!(
            Keys::of(&Secret::default()).verify(Some(empty), b""),
            Verdict::Wrong
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in any::<String>(), body in any::<Vec<u8>>()) {
            prop_assert_ne!(Keys::of(&Secret::new(KEY)).verify(Some(&header), &body), Verdict::Valid);
        }
    }
}
