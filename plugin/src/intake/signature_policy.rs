//! What the signature policy makes of a delivery's signature.

use crate::{
    config::SignaturePolicy,
    journal::{connections::Connection, keys, note::Note},
    kiotviet::signature::Verdict,
    world::{Store, StoreError},
};

/// How the signature was judged, and what the policy makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is genuine.
    Trusted,
    /// It is taken as a hint, with this note.
    Noted(Note),
    /// It is a dead letter, with this note.
    Refused(Note),
}

/// Judges a delivery's signature by the policy; the first valid one of a connection is remembered. No
/// verdict: its secrets cannot be opened, and where
/// signatures are enforced it is refused.
pub(super) async fn judge<W: Store>(
    world: &W,
    policy: SignaturePolicy,
    connection: &Connection,
    verdict: Option<Verdict>,
) -> Result<Trust, StoreError> {
    let key = keys::signed(&connection.name);
    let seen = world.get(&key).await?.is_some();
    let note = match verdict {
        Some(Verdict::Valid) => {
            if !seen {
                world.set(&key, b"1").await?;
            }
            return Ok(Trust::Trusted);
        }
        Some(Verdict::Missing) => Note::SignatureMissing,
        Some(Verdict::Wrong) => Note::SignatureWrong,
        None => Note::SignatureUnchecked,
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
