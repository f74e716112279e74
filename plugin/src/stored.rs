//! The bytes of what is kept in the store: JSON of types that derive it. Damage is told by its place, never
//! by a value.

use serde::{Serialize, de::DeserializeOwned};

/// What is stored is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("something is missing or malformed before byte {byte}")]
pub struct Damaged {
    /// Where reading stopped, counted from 1.
    byte: usize,
}

/// Reads a stored value. What its type does not name is passed over.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damaged> {
    // What is written has one line.
    serde_json::from_slice(bytes).map_err(|e| Damaged { byte: e.column() })
}

/// The bytes of a value to be stored.
pub fn write(value: &impl Serialize) -> Vec<u8> {
    // Writing to memory cannot fail, and no stored type has a map without texts as keys.
    serde_json::to_vec(value).unwrap_or_default()
}

/// Whether both are the same. In WebAssembly `==` goes byte by byte; this is for what is compared often, and
/// never for what somebody offers to be let in.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b) && a_rest == b_rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::verdict::Outcome, time::Timestamp};
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    struct All {
        number: u32,
        text: String,
        #[serde(default)]
        flag: bool,
        none: Option<i64>,
        #[serde(default)]
        pairs: Vec<(String, u16)>,
    }

    #[test]
    fn what_is_written_is_read_and_what_is_empty_may_be_missing() {
        let empty = All::default();
        assert_eq!(
            write(&empty),
            br#"{"number":0,"text":"","flag":false,"none":null,"pairs":[]}"#
        );
        assert_eq!(read(br#"{"number": 0, "text": ""}"#), Ok(All::default()));
        assert_eq!(read(&write(&empty)), Ok(empty));
        let full = All {
            number: 7,
            text: "ấ\"\\\u{0}".to_owned(),
            flag: true,
            none: Some(i64::MIN),
            pairs: vec![("a".to_owned(), 1), ("b".to_owned(), 65535)],
        };
        assert_eq!(read(&write(&full)), Ok(full));
    }

    #[test]
    fn what_a_type_does_not_name_is_passed_over() {
        let newer = br#"{"number": 1, "later": {"a": [1, 2.5]}, "text": "t"}"#;
        let read = read::<All>(newer).map(|all| (all.number, all.text));
        assert_eq!(read, Ok((1, "t".to_owned())));
    }

    #[test]
    fn damage_is_told_by_its_place() {
        for (json, byte) in [
            ("{", 1),
            ("7", 1),
            ("{}", 2),
            (r#"{"number": -1}"#, 13),
            (r#"{"number": 1.5}"#, 14),
            (r#"{"number": 4294967296}"#, 21),
            (r#"{"number": 1}"#, 13),
            (r#"{"number": 1, "text": 1}"#, 23),
            (r#"{"number": 1, "text": "", "flag": "true"}"#, 40),
            (
                r#"{"number": 1, "text": "", "pairs": [["a", 1], ["a"]]}"#,
                51,
            ),
        ] {
            assert_eq!(
                read::<All>(json.as_bytes()),
                Err(Damaged { byte }),
                "{json}"
            );
        }
        assert_eq!(read::<Outcome>(b"\"lost\""), Err(Damaged { byte: 6 }));
        assert_eq!(
            Damaged { byte: 6 }.to_string(),
            "something is missing or malformed before byte 6"
        );
    }

    #[test]
    fn bytes_are_the_same_only_when_each_of_them_is() {
        let all: Vec<u8> = (0..40).collect();
        for length in 0..all.len() {
            let a = &all[..length];
            assert!(is_same(a, &all.clone()[..length]));
            assert!(!is_same(a, &all[..=length]) && !is_same(&all[..=length], a));
            for changed in 0..length {
                let mut b = a.to_vec();
                b[changed] ^= 1;
                assert!(!is_same(a, &b));
            }
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in ["2026-10-05T09:30:15Z", "2026-10-05T09:30:15.1234567Z"] {
            let json = format!("\"{text}\"").into_bytes();
            let read: Timestamp = self::read(&json).unwrap();
            assert_eq!(write(&read), json);
        }
    }
}
