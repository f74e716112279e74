//! Takes one webhook delivery: every item is durably in the journal before KiotViet gets its 200.
//! Nothing is looked up or decided here beyond what the body itself says. The answer waits for no
//! vendor.

use crate::{
    config::SignaturePolicy,
    intake::signature_policy::{Trust, Types, judge},
    journal::{
        connection_cache::Known,
        connection_name::ConnectionName,
        connections::{Connection, PathToken},
        dead_reason::DeadReason,
        entries,
        note::Note,
        record::{Body, Hint, Kind, Record},
        refused::{self, Room},
        trouble::Trouble,
    },
    kiotviet::{
        assumptions::MAX_ITEMS,
        envelope::{self, Item, NotAnEnvelope},
        signature::{Verdict, has_assumed_form},
    },
    rules::verdict::Reason,
    seal::Sealer,
    time::Timestamp,
    world::{Clock, Random, Store, StoreError},
};
use core::{cell::LazyCell, ops::Range, time::Duration};

/// The largest body that is read.
pub const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;
/// The most items that retries take out of one delivery.
const MAX_ITEMS_AGAIN: usize = 50_000;
/// An acceptor that took longer than this between reserving and writing answers 503. The worker
/// must not give up on a number that is still being written.
const SLOWEST: Duration = Duration::from_secs(10);

/// Why a delivery was not accepted; KiotViet gets 503 and sends it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing took too long.
    #[error("writing the delivery took longer than {} seconds", SLOWEST.as_secs())]
    TooSlow,
}

/// Stores every item of `body` for `connection`; returns the numbers of the new events.
pub async fn accept<W: Store + Clock + Random>(
    world: &W,
    sealer: Option<&Sealer>,
    policy: SignaturePolicy,
    (known, token): (&Known, PathToken),
    signature: Option<&str>,
    body: &[u8],
) -> Result<Range<u64>, NotKept> {
    let connection = &known.connection;
    let keys = known.keys_of(token);
    let verdict = keys.map(|keys| keys.verify(signature, body));
    let parsed = LazyCell::new(|| envelope::parse(body, MAX_ITEMS));
    let types = || Types::of(parsed.as_ref().ok().map(|delivery| &delivery.items[..]));
    let trust = judge(world, policy, connection, verdict, types).await?;
    let note = match trust {
        Trust::Trusted => None,
        Trust::Noted(note) => Some(note),
        Trust::Refused(note) => {
            let reason = DeadReason::BadSignature;
            return keep_whole(world, sealer, connection, reason, note, body).await;
        }
    };
    let delivery = match &*parsed {
        Ok(delivery) => delivery,
        Err(e) => {
            let reason = match e {
                NotAnEnvelope::TooManyItems => DeadReason::TooManyItems,
                NotAnEnvelope::NotJson
                | NotAnEnvelope::NotAnObject
                | NotAnEnvelope::NoNotifications
                | NotAnEnvelope::NotAList => DeadReason::Unreadable,
            };
            let note = Note::NotADelivery(*e);
            return keep_whole(world, sealer, connection, reason, note, body).await;
        }
    };
    let began = world.now();
    let name = &connection.name;
    let takes = (delivery.items.len(), body.len());
    if note.is_some() && !refused::has_room_for_hints(world, name, began, takes).await? {
        let room = refused::count(world, name, began).await?;
        let why = (DeadReason::BadSignature, Note::SignatureMissing);
        return keep_in(world, sealer, connection, room, why, body).await;
    }
    let mut items = Vec::new();
    let mut is_told = false;
    for item in &delivery.items {
        let room = room_for(world, connection, item, began).await?;
        let first = room == Some(Room::FirstCounted);
        if room != Some(Room::Counted) && !(first && is_told) {
            items.push((item, room));
        }
        is_told |= first;
    }
    // An unchecked signature is no evidence of its form.
    let assumed = verdict.map(|verdict| verdict == Verdict::Valid && has_assumed_form(signature));
    let shop = &connection.name;
    let kept = keep_items(world, sealer, shop, &items, began, (note, assumed)).await?;
    in_time(world, began)?;
    Ok(kept)
}

/// Finds room for an item that does not say what it is about. Any other item needs none: it is
/// always stored.
async fn room_for<W: Store>(
    world: &W,
    connection: &Connection,
    item: &Item,
    now: Timestamp,
) -> Result<Option<Room>, StoreError> {
    if item.kind == envelope::Kind::Other || item.id.is_some() {
        return Ok(None);
    }
    let bytes = refused::stored_bytes(item.raw.len());
    refused::take_room(world, &connection.name, now, bytes)
        .await
        .map(Some)
}

/// Stores a delivery that cannot be taken apart as one dead letter.
async fn keep_whole<W: Store + Clock + Random>(
    world: &W,
    sealer: Option<&Sealer>,
    connection: &Connection,
    reason: DeadReason,
    note: Note,
    body: &[u8],
) -> Result<Range<u64>, NotKept> {
    let bytes = refused::stored_bytes(body.len());
    let room = refused::take_room(world, &connection.name, world.now(), bytes).await?;
    keep_in(world, sealer, connection, room, (reason, note), body).await
}

/// Stores such a delivery in the room that was found for it.
async fn keep_in<W: Store + Clock + Random>(
    world: &W,
    sealer: Option<&Sealer>,
    connection: &Connection,
    room: Room,
    (reason, note): (DeadReason, Note),
    body: &[u8],
) -> Result<Range<u64>, NotKept> {
    if room == Room::Counted {
        return Ok(0..0);
    }
    let began = world.now();
    let seq = entries::reserve(world, 1).await?;
    let mut record = Record::new(seq, began, &connection.name, Kind::Other, String::new());
    record.bury(reason, began);
    record.note(note);
    record.whole_delivery = true;
    write_refused(world, sealer, record, room, body).await?;
    in_time(world, began)?;
    Ok(seq..seq.saturating_add(1))
}

/// Writes the dead letter of a delivery that was refused or cannot be read: with its body, or as
/// the one that counts all further ones.
async fn write_refused<W: Store + Random>(
    world: &W,
    sealer: Option<&Sealer>,
    mut record: Record,
    room: Room,
    body: &[u8],
) -> Result<(), StoreError> {
    if let Room::Whole(bytes) = room {
        record.kept_bytes = Some(bytes);
        record.body = Some(entries::keep_body(world, sealer, record.seq, body).await?);
        return entries::write_event(world, &record).await;
    }
    record.notes = vec![Note::OnlyCounted {
        deliveries: 1,
        hash: refused::fingerprint(body),
    }];
    record.whole_delivery = true;
    entries::write_event(world, &record).await?;
    refused::told_by(world, &record).await
}

async fn keep_items<W: Store + Clock + Random>(
    world: &W,
    sealer: Option<&Sealer>,
    connection: &ConnectionName,
    items: &[(&Item, Option<Room>)],
    now: Timestamp,
    (note, signed): (Option<Note>, Option<bool>),
) -> Result<Range<u64>, StoreError> {
    if items.is_empty() {
        return Ok(0..0);
    }
    let first = entries::reserve(world, items.len()).await?;
    let mut seq = first;
    for (item, room) in items {
        let mut record = describe(item, seq, now, connection);
        record.notes.extend(note.clone());
        if record.hint.is_some() {
            let assumed = item.kind == envelope::Kind::Customer;
            let cased = item.is_pascal.map(|pascal| pascal == assumed);
            record.as_assumed = Some((signed, cased));
        }
        if let Some(room) = room {
            write_refused(world, sealer, record, *room, &item.raw).await?;
        } else {
            if record.status.done().is_none() {
                record.body = Some(entries::keep_body(world, sealer, seq, &item.raw).await?);
            }
            entries::write_event(world, &record).await?;
        }
        seq = seq.saturating_add(1);
    }
    Ok(first..seq)
}

fn in_time(world: &impl Clock, began: Timestamp) -> Result<(), NotKept> {
    if world.now().saturating_since(began) > SLOWEST && !mutant!(SlowAcceptorAnswers) {
        Err(NotKept::TooSlow)
    } else {
        Ok(())
    }
}

/// The event of one item. It is final at once if no work can follow from it.
fn describe(item: &Item, seq: u64, now: Timestamp, connection: &ConnectionName) -> Record {
    let kind = match item.kind {
        envelope::Kind::Customer => Kind::Customer,
        envelope::Kind::Invoice => Kind::Invoice,
        envelope::Kind::Other => Kind::Other,
    };
    let id = item.id.map(|id| id.to_string());
    let key = match kind {
        Kind::Customer => id.unwrap_or_default(),
        Kind::Invoice => item.code.clone().or(id).unwrap_or_default(),
        Kind::Other => item.action.clone(),
    };
    // The key is shown to people; a hostile one is cut.
    let key = key.chars().take(100).collect();
    let mut record = Record::new(seq, now, connection, kind, key);
    match (kind, item.id) {
        (Kind::Other, _) => record.finish(Reason::NotSyncedType, now),
        (_, Some(id)) => {
            let code = item.code.clone().filter(|c| (1..=100).contains(&c.len()));
            record.hint = Some(Hint {
                id,
                code,
                since: None,
            });
        }
        (_, None) => {
            record.bury(DeadReason::Unreadable, now);
            record.note(Note::Failed(Trouble::NoReadableId));
        }
    }
    record
}

/// What a retry took out of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// Items that are events now, those of earlier retries included.
    pub taken: usize,
    /// Items that are not events yet.
    pub left: usize,
}

/// Takes a stored delivery apart once more because a person asked for it, whatever its signature
/// was. At most [`MAX_ITEMS`] of its items become events, after those that earlier retries took.
/// The inner error says why it stays a dead letter.
pub async fn accept_again<W: Store + Clock + Random>(
    world: &W,
    sealer: &Sealer,
    record: &Record,
) -> Result<Result<Again, Note>, StoreError> {
    if record.notes.iter().any(Note::is_count) {
        return Ok(Err(Note::NothingKept));
    }
    let body = match &record.body {
        Some(body) => open(world, sealer, record.seq, body).await?,
        None => None,
    };
    let Some(body) = body else {
        return Ok(Err(Note::BodySealed));
    };
    let delivery = match envelope::parse(&body, MAX_ITEMS_AGAIN) {
        Ok(delivery) => delivery,
        Err(e) => return Ok(Err(Note::StillNotADelivery(e))),
    };
    let before = record.taken.unwrap_or_default();
    let items = delivery.items.get(before..).unwrap_or_default();
    let now = items.get(..MAX_ITEMS).unwrap_or(items);
    let (at, note) = (world.now(), Some(Note::FromRetry));
    let asked: Vec<_> = now.iter().map(|item| (item, None)).collect();
    let shop = &record.connection;
    keep_items(world, Some(sealer), shop, &asked, at, (note, None)).await?;
    Ok(Ok(Again {
        taken: before.saturating_add(now.len()),
        left: items.len().saturating_sub(now.len()),
    }))
}

async fn open<W: Store>(
    world: &W,
    sealer: &Sealer,
    seq: u64,
    body: &Body,
) -> Result<Option<Vec<u8>>, StoreError> {
    entries::open_body(world, Some(sealer), seq, body).await
}
