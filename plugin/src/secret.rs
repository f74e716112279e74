//! A text that must never be shown: keys, tokens, client secrets.

use core::fmt;
use subtle::ConstantTimeEq;

/// A secret text. `Debug` redacts it, there is no `Display`, and it compares in constant time.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the code that must send or hash it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it has so little variety that it can be guessed: fewer than eight different
    /// characters, or mostly neighbours of the character before (`aaaa`, `1234`, `zyxw`).
    pub fn is_weak(&self) -> bool {
        let characters: Vec<char> = self.0.chars().collect();
        let mut different = characters.clone();
        different.sort_unstable();
        different.dedup();
        let pairs = characters.iter().zip(characters.iter().skip(1));
        let steps = pairs.filter(|(a, b)| u32::from(**a).abs_diff(u32::from(**b)) <= 1);
        different.len() < DIFFERENT_CHARACTERS || steps.count().saturating_mul(2) > characters.len()
    }
}

/// A secret with fewer different characters is weak.
const DIFFERENT_CHARACTERS: usize = 8;

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_little_variety_is_weak() {
        for weak in [
            "",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "1234567890123456",
            "abcdefghijklmnop",
            "zyxwvutsrqponmlk",
            "0000111122223333444",
        ] {
            assert!(Secret::new(weak).is_weak(), "{weak}");
        }
        for sound in [
            "admin-token-for-tests",
            "b3BlbnNzbCByYW5kIC1iYXNlNjQ",
            "3f9c0b7a61d5e824",
            "mật khẩu dài của cửa hàng",
        ] {
            assert!(!Secret::new(sound).is_weak(), "{sound}");
        }
    }
}
