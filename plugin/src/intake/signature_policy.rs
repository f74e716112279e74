//! Applies the signature policy to a delivery's signature.

use crate::{
    config::SignaturePolicy,
    journal::{connections::Connection, keys, note::Note},
    kiotviet::{
        envelope::{Item, Kind},
        signature::Verdict,
    },
    world::{Store, StoreError},
};

/// What the policy does with a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is genuine.
    Trusted,
    /// It is accepted as a hint, with this note.
    Noted(Note),
    /// It becomes a dead letter, with this note.
    Refused(Note),
}

/// A set of webhook types, such as those that a connection has seen signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    const WORDS: [&str; 3] = ["customer", "invoice", "other"];
    const ALL: Self = Self(7);

    /// The types of a delivery's items. A delivery that cannot be read, or has no items, may be of
    /// any type.
    pub(super) fn of(items: Option<&[Item]>) -> Self {
        let bit = |item: &Item| match item.kind {
            Kind::Customer => 1,
            Kind::Invoice => 2,
            Kind::Other => 4,
        };
        let types = items.unwrap_or_default().iter().map(bit);
        let types = types.fold(0, |all, bit| all | bit);
        if types == 0 { Self::ALL } else { Self(types) }
    }

    /// Reads the stored set. An earlier version stored only that some type was seen.
    fn read(kept: Option<Vec<u8>>) -> Self {
        let Some(kept) = kept else {
            return Self(0);
        };
        let kept = String::from_utf8_lossy(&kept).into_owned();
        let bits = Self::WORDS.iter().zip([1, 2, 4]);
        let seen = bits.filter(|(word, _)| kept.split(',').any(|one| one == **word));
        let seen = seen.fold(0, |all, (_, bit)| all | bit);
        if seen == 0 { Self::ALL } else { Self(seen) }
    }

    fn write(self) -> Vec<u8> {
        let bits = Self::WORDS.iter().zip([1, 2, 4]);
        let words = bits.filter(|(_, bit)| self.0 & bit != 0);
        let words: Vec<&str> = words.map(|(word, _)| *word).collect();
        words.join(",").into_bytes()
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one of `types` was seen signed. For an unknown or never registered type, any signed
    /// type counts.
    fn enforces(self, types: Self) -> bool {
        self.0 & types.0 != 0 || (self.0 != 0 && types.0 & 4 != 0)
    }
}

/// Judges a delivery's signature by the policy. The first valid signature of each webhook type is
/// remembered for a connection, because KiotViet may sign one type and not the other. `types` are
/// the delivery's. The verdict is none if the connection's secrets cannot be opened; a delivery is
/// then refused where signatures are enforced.
pub(super) async fn judge<W: Store>(
    world: &W,
    policy: SignaturePolicy,
    connection: &Connection,
    verdict: Option<Verdict>,
    types: impl FnOnce() -> Types,
) -> Result<Trust, StoreError> {
    let key = keys::signed(&connection.name);
    let seen = Types::read(world.get(&key).await?);
    let note = match verdict {
        Some(Verdict::Valid) => {
            let now = seen.with(if seen == Types::ALL { seen } else { types() });
            if now != seen {
                world.set(&key, &now.write()).await?;
            }
            return Ok(Trust::Trusted);
        }
        Some(Verdict::Missing) => Note::SignatureMissing,
        Some(Verdict::Wrong) => Note::SignatureWrong,
        None => Note::SignatureUnchecked,
    };
    let enforced = match policy {
        SignaturePolicy::Enforce => true,
        SignaturePolicy::Auto => match seen {
            Types(0) => false,
            Types::ALL => true,
            seen => seen.enforces(types()),
        },
        SignaturePolicy::Observe => false,
    };
    Ok(if enforced && !mutant!(SignatureIgnored) {
        Trust::Refused(note)
    } else {
        Trust::Noted(note)
    })
}
