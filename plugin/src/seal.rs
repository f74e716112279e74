//! Seals secrets and personal data at rest: XChaCha20-Poly1305 under `master_key`, with a fresh
//! nonce for each value. Every sealed value names its key, so that a key can be rotated: the first
//! key seals, all of them open.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::{secret::Secret, world::Random};
use serde::{Deserialize, Serialize};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// One key.
#[derive(Clone)]
struct Key {
    key: Secret,
    id: String,
}

/// Seals and opens texts. `Debug` shows no key.
#[derive(Clone)]
pub struct Sealer {
    first: Key,
    former: Vec<Key>,
}

impl core::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sealer")
            .field("key_id", &self.first.id)
            .finish_non_exhaustive()
    }
}

impl Key {
    fn from_base64(text: &str) -> Result<Self, String> {
        let how = "Set 32 random bytes in Base64, e.g. the output of: openssl rand -base64 32";
        let key = STANDARD
            .decode(text.trim())
            .map_err(|_| format!("is not Base64. {how}"))?;
        if key.len() != KEY_BYTES {
            return Err(format!("holds {} bytes, not 32. {how}", key.len()));
        }
        let id = Sha256::digest(&key)
            .iter()
            .take(4)
            .map(|b| format!("{b:02x}"))
            .collect();
        Ok(Self {
            key: Secret::new(STANDARD.encode(key)),
            id,
        })
    }

    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        let key = STANDARD.decode(self.key.reveal()).ok()?;
        XChaCha20Poly1305::new_from_slice(&key).ok()
    }

    fn fingerprint(&self, text: &str) -> String {
        mark(&self.key, text).unwrap_or_default()
    }
}

/// A keyed mark of `text`. It is never none, because HMAC takes keys of any length.
pub fn mark(key: &Secret, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// How much of a fingerprint a short one keeps: 66 bits.
pub const SHORT_CHARS: usize = 11;

fn short(fingerprint: String) -> String {
    fingerprint.chars().take(SHORT_CHARS).collect()
}

/// Why a sealed value cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealError {
    /// Sealed under another `master_key`.
    #[error("it was sealed under another master_key")]
    OtherKey,
    /// Not a sealed value, altered, or moved to another key of the store.
    #[error("the sealed value is damaged")]
    Damaged,
}

impl Sealer {
    /// `text`: 32 bytes in Base64; while a key is rotated, the new key, a comma, and the former
    /// one. Refuses anything else and says how to make a key.
    pub fn from_base64(text: &str) -> Result<Self, String> {
        let mut keys = text.split(',').map(Key::from_base64);
        let first = keys.next().unwrap_or_else(|| Key::from_base64(""))?;
        Ok(Self {
            first,
            former: keys.collect::<Result<_, _>>()?,
        })
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        core::iter::once(&self.first).chain(&self.former)
    }

    /// Seals `plain`. It opens only with the same `place` (its key in the store), so that sealed
    /// values cannot be swapped. Returns `v1.<key id>.<Base64 of nonce and ciphertext>`.
    pub fn seal(
        &self,
        place: &str,
        plain: &[u8],
        random: &impl Random,
    ) -> Result<String, SealError> {
        let mut nonce = [0u8; NONCE_BYTES];
        random.fill(&mut nonce);
        let sealed = self
            .first
            .cipher()
            .and_then(|c| {
                c.encrypt(
                    &XNonce::from(nonce),
                    Payload {
                        msg: plain,
                        aad: place.as_bytes(),
                    },
                )
                .ok()
            })
            .ok_or(SealError::Damaged)?;
        let mut out = nonce.to_vec();
        out.extend_from_slice(if mutant!(NotSealed) { plain } else { &sealed });
        Ok(format!("v1.{}.{}", self.first.id, STANDARD.encode(out)))
    }

    /// Whether `sealed` is under the key that seals now.
    pub fn is_current(&self, sealed: &str) -> bool {
        let rest = sealed.strip_prefix("v1.");
        let key_id = rest.and_then(|rest| rest.split_once('.')).map(|(id, _)| id);
        key_id == Some(self.first.id.as_str())
    }

    /// A fingerprint of `text` that cannot be reversed without the key, fit for a key of the store.
    pub fn fingerprint(&self, text: &str) -> String {
        self.first.fingerprint(text)
    }

    /// The fingerprints of `text` under every key, the present one first.
    pub fn fingerprints(&self, text: &str) -> impl Iterator<Item = String> {
        self.keys().map(move |key| key.fingerprint(text))
    }

    /// The first [`SHORT_CHARS`] characters of the fingerprint of `text`, for where many are kept.
    pub fn short_fingerprint(&self, text: &str) -> String {
        short(self.fingerprint(text))
    }

    /// The same under every key, the present one first.
    pub fn short_fingerprints(&self, text: &str) -> impl Iterator<Item = String> {
        self.fingerprints(text).map(short)
    }

    /// Opens what [`Sealer::seal`] made for `place`.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let (key_id, data) = sealed
            .strip_prefix("v1.")
            .and_then(|rest| rest.split_once('.'))
            .ok_or(SealError::Damaged)?;
        let key = self.keys().find(|key| key.id == key_id);
        let key = key.ok_or(SealError::OtherKey)?;
        let data = STANDARD.decode(data).map_err(|_| SealError::Damaged)?;
        let (nonce, body) = data
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Damaged)?;
        if mutant!(NotSealed) {
            return Ok(body.to_vec());
        }
        let cipher = key.cipher().ok_or(SealError::Damaged)?;
        cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: body,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| SealError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn sealer(byte: u8) -> Sealer {
        Sealer::from_base64(&STANDARD.encode([byte; 32])).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_at_its_place_only() {
        let sealed = sealer(1).seal("a", b"secret", &Fixed(9)).unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(sealer(1).open("a", &sealed).unwrap(), b"secret");
        assert_eq!(sealer(1).open("b", &sealed), Err(SealError::Damaged));
        assert_eq!(sealer(2).open("a", &sealed), Err(SealError::OtherKey));
        assert_eq!(sealer(1).open("a", "v1.zz"), Err(SealError::Damaged));
    }

    #[test]
    fn a_rotated_key_opens_what_the_former_sealed_and_seals_with_the_new() {
        let both = [[2u8; 32], [1u8; 32]].map(|key| STANDARD.encode(key));
        let both = Sealer::from_base64(&both.join(", ")).unwrap();
        let old = sealer(1).seal("a", b"secret", &Fixed(9)).unwrap();
        assert_eq!(both.open("a", &old).unwrap(), b"secret");
        assert!(!both.is_current(&old));
        let new = both.seal("a", b"secret", &Fixed(9)).unwrap();
        assert!(both.is_current(&new));
        assert_eq!(sealer(2).open("a", &new).unwrap(), b"secret");
        assert_eq!(sealer(1).open("a", &new), Err(SealError::OtherKey));
        let fingerprints: Vec<String> = both.fingerprints("x").collect();
        let of = |byte| sealer(byte).fingerprint("x");
        assert_eq!(fingerprints, [of(2), of(1)]);
    }

    #[test]
    fn a_key_of_another_length_is_refused_with_the_mend() {
        let why = Sealer::from_base64(&STANDARD.encode([1u8; 16])).unwrap_err();
        assert!(
            why.contains("16 bytes, not 32") && why.contains("openssl rand -base64 32"),
            "{why}"
        );
        assert!(
            Sealer::from_base64("not base64!")
                .unwrap_err()
                .contains("not Base64")
        );
        assert!(!format!("{:?}", sealer(1)).contains("AQEB"));
    }
}
