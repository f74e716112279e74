//! Which connection a delivery comes for.

use crate::{
    config::Config,
    journal::{
        connection_cache::Known,
        connection_name::ConnectionName,
        connections::{self, damaged, token_matches},
    },
    world::{Store, StoreError},
};
use std::sync::Arc;

/// Reads the connection that `name` and `token` open; none when they do not.
pub async fn authenticate(
    store: &impl Store,
    config: &Config,
    name: &str,
    token: &str,
) -> Result<Option<Arc<Known>>, StoreError> {
    let bytes = match ConnectionName::parse(name) {
        Some(name) => connections::load_bytes(store, &name).await?,
        None => None,
    };
    let known = bytes.map(|bytes| config.connections.known(bytes, config.sealer.as_ref()));
    let known = known.transpose();
    let known = known.map_err(damaged("a connection"))?;
    let connection = known.as_ref().map(|known| &known.connection);
    Ok(if token_matches(connection, token) {
        known
    } else {
        None
    })
}
