//! The connections that deliveries come for. A record is read for each delivery, since another instance may
//! have changed it; one with the very same bytes is not parsed and opened again.

use super::{
    connections::{self, Connection},
    keys,
    world::{Store, StoreError},
};
use crate::{
    kiotviet::signature::Keys,
    seal::Sealer,
    stored::{self, Damaged},
};
use core::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// So many connections are kept; of more, those that were read last.
const MOST: usize = 16;

/// A connection, and what checks its deliveries' signatures.
pub struct Known {
    bytes: Vec<u8>,
    /// The connection.
    pub connection: Connection,
    keys: OnceLock<Option<Keys>>,
}

impl Known {
    /// From its record.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Damaged> {
        Ok(Self {
            connection: stored::read(&bytes)?,
            bytes,
            keys: OnceLock::new(),
        })
    }

    /// What checks signatures; none where the secrets cannot be opened. It is made at the first delivery,
    /// always with the sealer of the one configuration that has it.
    pub fn keys(&self, sealer: Option<&Sealer>) -> Option<&Keys> {
        let open = || {
            let opened = self.connection.open(sealer?).ok()?;
            Some(Keys::of(&opened.webhook_secret))
        };
        self.keys.get_or_init(open).as_ref()
    }
}

/// What was read last, for one configuration: a clone of it has none. `Debug` shows nothing.
#[derive(Default)]
pub struct Kept(Mutex<Vec<Arc<Known>>>);

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(…)")
    }
}

impl Kept {
    fn known(&self, bytes: Vec<u8>) -> Result<Arc<Known>, Damaged> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept
            .iter()
            .find(|known| stored::is_same(&known.bytes, &bytes))
        {
            return Ok(known.clone());
        }
        let known = Arc::new(Known::read(bytes)?);
        let name = &known.connection.name;
        kept.retain(|other| other.connection.name != *name);
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(known.clone());
        Ok(known)
    }
}

/// Reads the connection that `name` and `token` open; none when they do not.
pub async fn authenticate(
    store: &impl Store,
    kept: &Kept,
    name: &str,
    token: &str,
) -> Result<Option<Arc<Known>>, StoreError> {
    let bytes = if connections::is_name(name) {
        store.get(&keys::connection(name)).await?
    } else {
        None
    };
    let known = bytes.map(|bytes| kept.known(bytes)).transpose();
    let known = known.map_err(connections::damaged("a connection"))?;
    let connection = known.as_ref().map(|known| &known.connection);
    Ok(if connections::token_matches(connection, token) {
        known
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(name: usize, token_hash: &str) -> Vec<u8> {
        let record = json!({
            "name": format!("shop{name}"),
            "retailer": "shop",
            "client_id": "id",
            "connected_at": "2026-10-05T03:00:00Z",
            "token_hash": token_hash,
            "sealed": "",
        });
        record.to_string().into_bytes()
    }

    #[test]
    fn the_same_record_is_read_once_and_a_changed_one_anew() {
        let kept = Kept::default();
        let first = kept.known(record(1, "a")).unwrap();
        assert!(Arc::ptr_eq(&first, &kept.known(record(1, "a")).unwrap()));
        let changed = kept.known(record(1, "b")).unwrap();
        assert_ne!(first.connection, changed.connection);
        assert!(Arc::ptr_eq(&changed, &kept.known(record(1, "b")).unwrap()));
        assert_eq!(kept.0.lock().unwrap().len(), 1, "the former one is let go");
        assert!(kept.known(b"{}".to_vec()).is_err());
        assert_eq!(kept.clone().0.lock().unwrap().len(), 0);
    }

    #[test]
    fn of_many_connections_the_last_ones_are_kept() {
        let kept = Kept::default();
        for name in 0..100 {
            kept.known(record(name, "a")).unwrap();
        }
        let kept = kept.0.lock().unwrap();
        let names: Vec<&str> = kept.iter().map(|k| k.connection.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[15]), (16, "shop84", "shop99"));
    }
}
