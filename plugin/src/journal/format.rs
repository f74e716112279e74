//! The format of what is kept, which tells a version whether it may use the store. It stands in the worker's cursor and in
//! each connection, the two values that are read anyway before anything is done. A newer format than this version knows
//! is refused: its deliveries are answered 503, and no worker begins. An older one is brought up by a worker, under the
//! lease (`drain/upgrade`).
//!
//! What an acceptor adds to the journal must be readable by the version before, which may run beside it until the store
//! is brought up.

use crate::{
    journal::keys,
    stored::{self, Damaged},
    world::{Store, StoreError},
};
use serde::{Deserialize, de::DeserializeOwned};

/// The format that this version writes. Before the first release there was none, which reads as 0.
pub const FORMAT: u32 = 1;

/// A stored value that tells its format.
pub trait Formatted {
    /// The format.
    fn format(&self) -> u32;
}

/// What every version can read of such a value.
#[derive(Default, Deserialize)]
struct Stamp {
    #[serde(default)]
    format: u32,
}

/// The format of the value with these bytes.
pub fn of(bytes: &[u8]) -> u32 {
    stored::read::<Stamp>(bytes).unwrap_or_default().format
}

/// Whether this version knows the format.
pub fn check(found: u32) -> Result<(), StoreError> {
    if found <= FORMAT {
        return Ok(());
    }
    let known = FORMAT;
    Err(StoreError::Newer { found, known })
}

/// Whether this version may use the store.
pub async fn check_store(store: &impl Store) -> Result<(), StoreError> {
    let cursor = store.get(keys::CURSOR).await?;
    check(cursor.map_or(0, |bytes| of(&bytes)))
}

/// Reads such a value; one of a newer format is an error, the inner one is a value that cannot be read.
pub fn read<T: DeserializeOwned + Formatted>(
    bytes: &[u8],
) -> Result<Result<T, Damaged>, StoreError> {
    let value = stored::read::<T>(bytes);
    // A newer one may look damaged to this version.
    check(value.as_ref().map_or_else(|_| of(bytes), T::format))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Value {
        format: u32,
        number: u32,
    }

    impl Formatted for Value {
        fn format(&self) -> u32 {
            self.format
        }
    }

    #[test]
    fn a_newer_value_is_refused_also_where_it_cannot_be_read() {
        let newer = Err(StoreError::Newer { found: 2, known: 1 });
        let read = |text: &str| read::<Value>(text.as_bytes()).map(|v| v.map(|v| v.number));
        assert_eq!(read(r#"{"format":1,"number":7}"#), Ok(Ok(7)));
        assert_eq!(read(r#"{"format":2,"number":7}"#), newer);
        assert_eq!(read(r#"{"format":2,"number":"seven"}"#), newer);
        assert!(matches!(read(r#"{"format":1,"number":"x"}"#), Ok(Err(_))));
        assert!(matches!(read("torn"), Ok(Err(_))));
    }
}
