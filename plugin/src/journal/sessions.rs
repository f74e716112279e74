//! Which sessions of the page were ended early. A session is a signed cookie. The store knows only
//! the epoch in which sessions are valid, and which of its sessions were logged out.

use crate::{
    journal::keys,
    stored,
    time::Timestamp,
    world::{Random, Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The epoch before anyone has logged out everywhere.
const FIRST: &str = "0";

/// The epoch in which sessions are valid.
pub async fn epoch(store: &impl Store) -> Result<String, StoreError> {
    let epoch = store.get(keys::SESSION_EPOCH).await?;
    let epoch = epoch.and_then(|epoch| String::from_utf8(epoch).ok());
    Ok(epoch.unwrap_or_else(|| FIRST.to_owned()))
}

/// Whether the session `id` of this epoch is still open.
pub async fn is_open(store: &impl Store, of: &str, id: &str) -> Result<bool, StoreError> {
    Ok(epoch(store).await? == of && !store.exists(&keys::ended_session(id)).await?)
}

/// Ends the session `id`, which would have lasted until `until` (seconds since 1970). Expired
/// sessions are removed from the list.
pub async fn end(
    store: &impl Store,
    id: &str,
    until: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.set(&keys::ended_session(id), b"1").await?;
    // Only housekeeping: two requests at once may leave a small key.
    let list = store.get(keys::ENDED_SESSIONS).await?;
    let list = list.and_then(|list| stored::read::<Vec<(i64, String)>>(&list).ok());
    let (over, mut ended): (Vec<_>, Vec<_>) = list
        .unwrap_or_default()
        .into_iter()
        .partition(|(until, _)| *until <= now.as_second());
    for (_, id) in over {
        store.delete(&keys::ended_session(&id)).await?;
    }
    ended.push((until, id.to_owned()));
    store
        .set(keys::ENDED_SESSIONS, &stored::write(&ended))
        .await
}

/// Ends every session.
pub async fn end_all<W: Store + Random>(world: &W) -> Result<(), StoreError> {
    let mut epoch = [0u8; 9];
    world.fill(&mut epoch);
    let epoch = URL_SAFE_NO_PAD.encode(epoch);
    world.set(keys::SESSION_EPOCH, epoch.as_bytes()).await
}
