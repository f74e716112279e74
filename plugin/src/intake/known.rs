//! Which connection a delivery comes for.

use crate::{
    config::Config,
    journal::{
        connection_cache::Known,
        connection_name::ConnectionName,
        connections::{self, PathToken, former_are_valid, path_token},
    },
    world::{Clock, Store, StoreError},
};
use std::sync::Arc;

/// The connection that a path opens.
pub struct Opens {
    /// The connection.
    pub known: Arc<Known>,
    /// The token that opened it.
    pub token: PathToken,
}

/// The connection that `name` and `token` open, if they open one.
pub async fn authenticate<W: Store + Clock>(
    world: &W,
    config: &Config,
    name: &str,
    token: &str,
) -> Result<Option<Opens>, StoreError> {
    let bytes = match ConnectionName::parse(name) {
        Some(name) => connections::load_bytes(world, &name).await?,
        None => None,
    };
    let known = bytes.map(|bytes| config.connections.known(bytes, config.sealer.as_ref()));
    let known = known.transpose()?;
    let token = path_token(known.as_ref().map(|known| &known.connection), token);
    let Some((known, token)) = known.zip(token) else {
        return Ok(None);
    };
    let name = &known.connection.name;
    if token != PathToken::Present && !former_are_valid(world, name, world.now()).await? {
        return Ok(None);
    }
    Ok(Some(Opens { known, token }))
}
