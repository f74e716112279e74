//! A new connection's first events, which a person is asked to look at: which they are, what was sent to Getfly for each,
//! how Getfly answered, what was read back, and the person's answer.
//!
//! The cursor counts them until there are [`FIRST`]; then their list has a key of its own, so that later events cost nothing
//! more. What was sent is kept in the event itself, what was read back beside it: both sealed, bounded, and removed with
//! the event.

use crate::{
    journal::{
        connection_name::ConnectionName,
        cursor::Cursor,
        keys,
        record::{Record, State},
    },
    rules::verdict::Outcome,
    seal::Sealer,
    stored,
    time::Timestamp,
    world::{Random, Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// How many events of a new connection people are asked to look at.
pub const FIRST: usize = 10;
/// Longest text of an exchange, bytes; a longer one is cut.
const LONGEST: usize = 48 * 1024;
/// What an event's exchanges may have together; the oldest ones give way.
const MOST: usize = 128 * 1024;

/// A request to Getfly and its answer, as they went over the wire. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was sent.
    pub at: Timestamp,
    /// Which call.
    pub call: String,
    /// What was sent; empty for a read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// HTTP status; none without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The answer, as it came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

impl core::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Exchange")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// A body as text, cut at [`LONGEST`].
pub fn as_text(bytes: &[u8]) -> String {
    let whole = bytes.len() <= LONGEST;
    let kept = bytes.get(..LONGEST).unwrap_or(bytes);
    let mut text = String::from_utf8_lossy(kept).into_owned();
    if !whole {
        text.push('…');
    }
    text
}

/// Adds what was exchanged for event `seq` to what it has, sealed; none where it cannot be sealed.
pub fn add(
    sealer: &Sealer,
    random: &impl Random,
    record: &Record,
    new: Vec<Exchange>,
) -> Option<String> {
    if let (Some(sheet), true) = (&record.sheet, new.is_empty()) {
        return Some(sheet.clone());
    }
    let mut all = exchanges(sealer, record);
    all.extend(new);
    let size = |all: &[Exchange]| -> usize {
        let sizes = all
            .iter()
            .map(|one| one.sent.len().saturating_add(one.answer.len()));
        sizes.fold(0, usize::saturating_add)
    };
    while size(&all) > MOST {
        all.remove(0);
    }
    let place = keys::entry(record.seq);
    sealer.seal(&place, &stored::write(&all), random).ok()
}

/// What was sent for an event and how Getfly answered, oldest first; nothing where it cannot be opened.
pub fn exchanges(sealer: &Sealer, record: &Record) -> Vec<Exchange> {
    let sheet = record.sheet.as_deref();
    opened(sealer, &keys::entry(record.seq), sheet).unwrap_or_default()
}

fn opened(sealer: &Sealer, place: &str, sealed: Option<&str>) -> Option<Vec<Exchange>> {
    let bytes = sealer.open(place, sealed?).ok()?;
    stored::read(&bytes).ok()
}

/// What was read back for event `seq`; none where it was not yet.
pub async fn read_back(
    store: &impl Store,
    sealer: &Sealer,
    seq: u64,
) -> Result<Option<Vec<Exchange>>, StoreError> {
    let place = keys::first_event(seq);
    let sealed = store.get(&place).await?;
    let sealed = sealed.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(opened(sealer, &place, sealed.as_deref()))
}

/// Keeps it.
pub async fn keep_read_back<S: Store + Random>(
    store: &S,
    sealer: &Sealer,
    seq: u64,
    read: &[Exchange],
) -> Result<(), StoreError> {
    let place = keys::first_event(seq);
    match sealer.seal(&place, &stored::write(&read), store) {
        Ok(sealed) => store.set(&place, sealed.as_bytes()).await,
        Err(e) => Err(StoreError::failed(e)),
    }
}

/// Forgets it.
pub async fn forget_read_back(store: &impl Store, seq: u64) -> Result<(), StoreError> {
    store.delete(&keys::first_event(seq)).await
}

/// Whether there is something for a person to look at: not where an event led to nothing, or may be a stranger's.
pub fn is_worth_a_look(record: &Record) -> bool {
    let made = matches!(
        record.status.outcome(),
        Some(Outcome::Created | Outcome::Linked)
    );
    let dead = record.state() == State::Dead && !record.may_be_forged();
    record.sheet.is_some() && (made || dead)
}

/// Keeps the list of a connection's first events, which is whole.
pub async fn keep_list(
    store: &impl Store,
    name: &ConnectionName,
    list: &[u64],
) -> Result<(), StoreError> {
    store
        .set(&keys::first_events(name), &stored::write(&list))
        .await
}

/// The numbers of a connection's first events, as far as there are any.
pub async fn list(
    store: &impl Store,
    cursor: &Cursor,
    name: &ConnectionName,
) -> Result<Vec<u64>, StoreError> {
    if let Some(list) = cursor.first_events.get(name) {
        return Ok(list.clone());
    }
    let kept = store.get(&keys::first_events(name)).await?;
    Ok(kept
        .and_then(|bytes| stored::read(&bytes).ok())
        .unwrap_or_default())
}

/// What a person said of a connection's first events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Whether they are as they should be.
    pub all_right: bool,
    /// When.
    pub at: Timestamp,
}

/// What was said; none where nobody has looked.
pub async fn looked(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Option<Looked>, StoreError> {
    let kept = store.get(&keys::first_events_looked(name)).await?;
    Ok(kept.and_then(|bytes| stored::read(&bytes).ok()))
}

/// Keeps what a person says.
pub async fn keep_looked(
    store: &impl Store,
    name: &ConnectionName,
    looked: &Looked,
) -> Result<(), StoreError> {
    let key = keys::first_events_looked(name);
    store.set(&key, &stored::write(looked)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::record::Kind;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(5);
        }
    }

    fn exchange(sent: &str) -> Exchange {
        Exchange {
            at: Timestamp::UNIX_EPOCH,
            call: "Getfly POST /account".to_owned(),
            sent: sent.to_owned(),
            status: Some(200),
            answer: "{}".to_owned(),
        }
    }

    #[test]
    fn what_was_sent_is_sealed_bounded_and_the_newest_stays() {
        let sealer = Sealer::from_base64(&STANDARD.encode([1; 32])).unwrap();
        let name = ConnectionName::parse("shop").unwrap();
        let mut record = Record::new(
            7,
            Timestamp::UNIX_EPOCH,
            &name,
            Kind::Customer,
            String::new(),
        );
        for n in 0..9 {
            let sent = as_text(format!("0912345678 {n} {}", "x".repeat(60_000)).as_bytes());
            assert!(sent.len() < 50_000 && sent.ends_with('…'));
            record.sheet = add(&sealer, &Fixed, &record, vec![exchange(&sent)]);
        }
        let sealed = record.sheet.clone().unwrap();
        assert!(
            sealed.len() < 200_000 && !sealed.contains("0912345678"),
            "{}",
            sealed.len()
        );
        let kept = exchanges(&sealer, &record);
        let first: Vec<&str> = kept.iter().map(|one| &one.sent[..12]).collect();
        assert_eq!(first, ["0912345678 7", "0912345678 8"]);
        // It opens at its own event only.
        record.seq = 8;
        assert_eq!(exchanges(&sealer, &record), []);
        assert!(!format!("{kept:?}").contains("0912"));
    }
}
