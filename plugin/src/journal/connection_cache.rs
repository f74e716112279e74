//! A cache of the connections that deliveries come for. A record is read for each delivery, since
//! another instance may have changed it. A record with the very same bytes is not parsed and opened
//! again.

use crate::{
    journal::{
        connections::{Connection, PathToken, damaged},
        format,
    },
    kiotviet::signature::Keys,
    seal::Sealer,
    stored,
    world::StoreError,
};
use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The most connections in the cache: those that were read last.
const MOST: usize = 16;

/// A connection, and the keys that check its deliveries' signatures.
pub struct Known {
    bytes: Vec<u8>,
    /// The connection.
    pub connection: Connection,
    /// The keys that check signatures; none if the secrets cannot be opened.
    pub keys: Option<Keys>,
    /// The keys of former path tokens, the last one first.
    former: Vec<Keys>,
}

impl Known {
    /// Reads a connection from its record.
    pub fn read(bytes: Vec<u8>, sealer: Option<&Sealer>) -> Result<Self, StoreError> {
        let connection: Connection = format::read(&bytes)?.map_err(damaged("a connection"))?;
        let opened = sealer.and_then(|sealer| connection.open(sealer).ok());
        let former = opened.iter().flat_map(|opened| &opened.former);
        Ok(Self {
            bytes,
            former: former
                .map(|former| Keys::of(&former.webhook_secret))
                .collect(),
            keys: opened
                .as_ref()
                .map(|opened| Keys::of(&opened.webhook_secret)),
            connection,
        })
    }

    /// The keys that check the signatures of deliveries with this path token.
    pub fn keys_of(&self, token: PathToken) -> Option<&Keys> {
        match token {
            PathToken::Present => self.keys.as_ref(),
            PathToken::Former(n) => self.former.get(n),
        }
    }
}

/// The connections that were read last, for one configuration and its one sealer. A clone is empty.
/// `Debug` shows nothing.
#[derive(Default)]
pub struct ConnectionCache(Mutex<Vec<Arc<Known>>>);

impl Clone for ConnectionCache {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for ConnectionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionCache(…)")
    }
}

impl ConnectionCache {
    /// The connection of this record.
    pub fn known(&self, bytes: Vec<u8>, sealer: Option<&Sealer>) -> Result<Arc<Known>, StoreError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept
            .iter()
            .find(|known| stored::is_same(&known.bytes, &bytes))
        {
            return Ok(known.clone());
        }
        let known = Arc::new(Known::read(bytes, sealer)?);
        let name = &known.connection.name;
        kept.retain(|other| other.connection.name != *name);
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(known.clone());
        Ok(known)
    }
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
        let kept = ConnectionCache::default();
        let first = kept.known(record(1, "a"), None).unwrap();
        assert!(Arc::ptr_eq(
            &first,
            &kept.known(record(1, "a"), None).unwrap()
        ));
        let changed = kept.known(record(1, "b"), None).unwrap();
        assert_ne!(first.connection, changed.connection);
        assert!(Arc::ptr_eq(
            &changed,
            &kept.known(record(1, "b"), None).unwrap()
        ));
        assert_eq!(kept.0.lock().unwrap().len(), 1, "the former one is let go");
        assert!(kept.known(b"{}".to_vec(), None).is_err());
        assert_eq!(kept.clone().0.lock().unwrap().len(), 0);
    }

    #[test]
    fn of_many_connections_the_last_ones_are_kept() {
        let kept = ConnectionCache::default();
        for name in 0..100 {
            kept.known(record(name, "a"), None).unwrap();
        }
        let kept = kept.0.lock().unwrap();
        let names: Vec<&str> = kept.iter().map(|k| k.connection.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[15]), (16, "shop84", "shop99"));
    }
}
