//! Troubles that only people can mend, outside of this application: a Getfly without this version
//! of its API. Events wait for them and use up no attempt.

use crate::{
    assumption::Assumption,
    journal::{
        connection_name::{ConnectionName, Upstream},
        keys,
        record::Record,
        trouble::{OLD_GETFLY, Trouble},
    },
    stored,
    time::Timestamp,
    worker::{
        failure::{Failure, Side},
        session::Session,
        tenant::{self, Tenant},
    },
    world::{Clock, Store, World},
};
use core::time::Duration;

/// How long events wait before the next look.
pub const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// A finding that no event has confirmed for this long is no longer shown.
const STALE: Duration = Duration::from_secs(3600);

/// The failure that a 404 means: the one given, or that the tenant has only the old version of the
/// API.
pub async fn explain<W: World>(session: &Session<'_, W>, failure: Failure) -> Failure {
    let Failure::NothingThere(failure) = failure else {
        return failure;
    };
    // If this has no answer either, the failure stands as it is.
    if !matches!(session.getfly().is_old_version().await, Ok(true)) {
        return *failure;
    }
    session.world.saw(Assumption::ApiVersion, false);
    let now = stored::write(&session.world.now());
    // The mark is only for people.
    let _ = session.world.set(keys::OLD_GETFLY, &now).await;
    Failure::Outside {
        side: Side::Getfly,
        why: Trouble::OldGetfly,
    }
}

/// `record` succeeded: removes the mark if the event had waited for a newer Getfly.
pub async fn mended<S: Store>(store: &S, record: &Record) {
    let last = record.last_failure.as_ref();
    if last.is_some_and(|last| last.why == Trouble::OldGetfly) {
        let _ = store.delete(keys::OLD_GETFLY).await;
    }
}

/// What is wrong with the Getfly tenant, as the last events found it; none if no trouble is known.
pub async fn old_getfly<W: Store + Clock>(world: &W) -> Option<&'static str> {
    let found = world.get(keys::OLD_GETFLY).await.ok()??;
    let found: Timestamp = stored::read(&found).ok()?;
    let fresh = world.now().saturating_since(found) < STALE;
    fresh.then_some(OLD_GETFLY)
}

/// The troubles that only people can mend: the tenant's version, and lists of users that cannot be
/// read (R13). `connections` are the names of the connected ones.
pub async fn troubles<W: Store + Clock>(world: &W, connections: &[ConnectionName]) -> Vec<Trouble> {
    let old = old_getfly(world).await.map(|_| Trouble::OldGetfly);
    let mut troubles: Vec<Trouble> = old.into_iter().collect();
    if let Ok(Some(Tenant {
        origin,
        asked: Some(asked),
    })) = tenant::load(world).await
    {
        let kept = origin;
        troubles.push(Trouble::AnotherGetfly { kept, asked });
    }
    let shops = connections.iter().map(Upstream::KiotViet);
    for upstream in [Upstream::Getfly].into_iter().chain(shops) {
        let kept = world.get(&keys::users_unread(upstream)).await;
        let kept = kept.ok().flatten();
        let kept = kept.and_then(|bytes| stored::read::<(Timestamp, Timestamp)>(&bytes).ok());
        if let Some((since, _)) = kept {
            troubles.push(Trouble::UsersUnread {
                side: upstream.side(),
                subject: upstream.subject().to_owned(),
                since,
            });
        }
    }
    troubles
}
