//! The `X-Hub-Signature` header of a delivery, in every form that integrations report.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// The form of the header. The manual says only HMAC-SHA-256 over the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signature {
    /// `sha1=` before the lower-case hex of HMAC-SHA-256, keyed with the secret as registered.
    // ASSUMPTION: the form that fits most reports from the field.
    #[default]
    Sha256LabelledSha1,
    /// `sha256=` before the hex.
    Sha256Labelled,
    /// The hex alone.
    Sha256BareHex,
    /// Base64 of the digest, alone.
    Sha256Base64,
    /// `sha1=` and hex, keyed with the bytes that the secret holds in Base64. A secret that is not
    /// Base64 is used as it is.
    Sha256DecodedKey,
    /// `sha1=` before the hex of a real HMAC-SHA-1.
    Sha1,
    /// No header.
    Missing,
    /// The default form with another key.
    Wrong,
}

impl Signature {
    /// The header's value for a raw body; none if there is no header.
    pub fn header(self, secret: &str, body: &[u8]) -> Option<String> {
        let key = secret.as_bytes();
        Some(match self {
            Self::Sha256LabelledSha1 => format!("sha1={}", hex(&sha256(key, body))),
            Self::Sha256Labelled => format!("sha256={}", hex(&sha256(key, body))),
            Self::Sha256BareHex => hex(&sha256(key, body)),
            Self::Sha256Base64 => STANDARD.encode(sha256(key, body)),
            Self::Sha256DecodedKey => {
                let key = STANDARD.decode(key).unwrap_or_else(|_| key.to_vec());
                format!("sha1={}", hex(&sha256(&key, body)))
            }
            Self::Sha1 => format!("sha1={}", hex(&sha1(key, body))),
            Self::Missing => return None,
            Self::Wrong => format!("sha1={}", hex(&sha256(b"another key", body))),
        })
    }
}

fn sha256(key: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn sha1(key: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4231 and RFC 2202, test case 2.
    const KEY: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const SHA1: &str = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";

    #[test]
    fn each_form_is_as_its_name_says() {
        let of = |form: Signature| form.header(KEY, BODY);
        assert_eq!(
            of(Signature::Sha256LabelledSha1),
            Some(format!("sha1={SHA256}"))
        );
        assert_eq!(
            of(Signature::Sha256Labelled),
            Some(format!("sha256={SHA256}"))
        );
        assert_eq!(of(Signature::Sha256BareHex), Some(SHA256.to_owned()));
        assert_eq!(of(Signature::Sha1), Some(format!("sha1={SHA1}")));
        assert_eq!(of(Signature::Missing), None);
        assert_ne!(of(Signature::Wrong), of(Signature::Sha256LabelledSha1));
        let base64 = of(Signature::Sha256Base64).and_then(|text| STANDARD.decode(text).ok());
        assert_eq!(base64.map(|bytes| hex(&bytes)), Some(SHA256.to_owned()));
    }

    #[test]
    fn a_decoded_key_is_the_bytes_behind_the_base64() {
        let registered = STANDARD.encode(KEY);
        let signed = Signature::Sha256DecodedKey.header(&registered, BODY);
        assert_eq!(signed, Some(format!("sha1={SHA256}")));
    }
}
