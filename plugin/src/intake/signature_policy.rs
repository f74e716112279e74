//! What the signature policy makes of a delivery's signature.

use crate::{
    config::SignaturePolicy,
    journal::{connections::Connection, keys},
    kiotviet::signature::Verdict,
    world::{Store, StoreError},
};

/// How the signature was judged, and what the policy makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is genuine.
    Trusted,
    /// It is taken as a hint, with this note.
    Noted(&'static str),
    /// It is a dead letter, with this note.
    Refused(&'static str),
}

/// Judges a delivery's signature by the policy; the first valid one of a connection is remembered. No
/// verdict: its secrets cannot be opened.
pub(super) async fn judge<W: Store>(
    world: &W,
    policy: SignaturePolicy,
    connection: &Connection,
    verdict: Option<Verdict>,
) -> Result<Trust, StoreError> {
    let Some(verdict) = verdict else {
        return Ok(Trust::Noted(
            "signature not checked: the connection's secrets cannot be opened",
        ));
    };
    let key = keys::signed(&connection.name);
    let seen = world.get(&key).await?.is_some();
    let note = match verdict {
        Verdict::Valid => {
            if !seen {
                world.set(&key, b"1").await?;
            }
            return Ok(Trust::Trusted);
        }
        Verdict::Missing => "signature missing",
        Verdict::Wrong => "signature did not match",
    };
    let enforced = match policy {
        SignaturePolicy::Enforce => true,
        SignaturePolicy::Auto => seen,
        SignaturePolicy::Observe => false,
    };
    Ok(if enforced && !mutant!(SignatureIgnored) {
        Trust::Refused(note)
    } else {
        Trust::Noted(note)
    })
}
