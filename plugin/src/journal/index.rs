//! Which events show a word: each is found by its code, its customer or a phone without going through the journal. The
//! worker indexes the journal's numbers in spans, once it has looked at all of a span, so that an ordinary event costs
//! one read for it. A span's index is cut into parts by the words' hashes: who looks for a word reads one part of each
//! span. What an index tells is only where to look: the event itself is compared.

use crate::{
    journal::{entries, finding, keys, record::Record},
    world::{Store, StoreError},
};

/// Journal numbers that are indexed together.
pub const SPAN: u64 = 1024;
/// Parts of a span's index.
const PARTS: u64 = 16;
/// Bytes of an index's row: the rest of a hash, and the event's place in its span.
const ROW_BYTES: usize = 8;

/// Which spans are indexed: from the first one to before the second.
pub type Indexed = (u64, u64);

/// The span of a journal number.
pub fn span_of(seq: u64) -> u64 {
    seq / SPAN
}

fn part_of(hash: u64) -> u64 {
    hash % PARTS
}

/// The row that tells that event `seq` shows a word of this hash.
fn row(hash: u64, seq: u64) -> [u8; ROW_BYTES] {
    let [a, b, c, d, e, f, ..] = hash.to_be_bytes();
    let [.., y, z] = (seq % SPAN).to_be_bytes();
    [a, b, c, d, e, f, y, z]
}

/// Indexes a span whose events were all looked at.
pub async fn add(store: &impl Store, span: u64) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    let first = span.saturating_mul(SPAN);
    for seq in first..first.saturating_add(SPAN) {
        if let Some(record) = entries::read_event(store, seq).await? {
            let hashes = finding::hashes(&record).into_iter();
            rows.extend(hashes.map(|hash| (part_of(hash), row(hash, seq))));
        }
    }
    rows.sort_unstable();
    rows.dedup();
    for part in 0..PARTS {
        let of_part = rows.iter().filter(|(of, _)| *of == part);
        let bytes: Vec<u8> = of_part.flat_map(|(_, row)| *row).collect();
        if !bytes.is_empty() {
            store.set(&keys::index(span, part), &bytes).await?;
        }
    }
    Ok(())
}

/// Indexes an event that ended after its span was indexed: it may show more by now.
pub async fn add_late(store: &impl Store, record: &Record) -> Result<(), StoreError> {
    for hash in finding::hashes(record) {
        let (key, row) = (
            keys::index(span_of(record.seq), part_of(hash)),
            row(hash, record.seq),
        );
        let mut rows = store.get(&key).await?.unwrap_or_default();
        if !rows.chunks_exact(ROW_BYTES).any(|known| known == row) {
            rows.extend_from_slice(&row);
            store.set(&key, &rows).await?;
        }
    }
    Ok(())
}

/// Removes the index of a span whose events are removed.
pub async fn remove(store: &impl Store, span: u64) -> Result<(), StoreError> {
    for part in 0..PARTS {
        store.delete(&keys::index(span, part)).await?;
    }
    Ok(())
}

/// The numbers of indexed events that may show a word of these hashes.
pub async fn numbers(
    store: &impl Store,
    (from, to): Indexed,
    hashes: &[u64],
) -> Result<Vec<u64>, StoreError> {
    let wanted_of = |part| {
        let of_part = hashes.iter().filter(|hash| part_of(**hash) == part);
        of_part.map(|hash| hash.to_be_bytes()).collect::<Vec<_>>()
    };
    let parts = (0..PARTS).map(|part| (part, wanted_of(part)));
    let parts: Vec<_> = parts.filter(|(_, wanted)| !wanted.is_empty()).collect();
    let mut found = Vec::new();
    for span in from..to {
        for (part, wanted) in &parts {
            let Some(rows) = store.get(&keys::index(span, *part)).await? else {
                continue;
            };
            for known in rows.chunks_exact(ROW_BYTES) {
                if let [head @ .., y, z] = known
                    && wanted.iter().any(|hash| hash.starts_with(head))
                {
                    let place = u64::from(u16::from_be_bytes([*y, *z]));
                    found.push(span.saturating_mul(SPAN).saturating_add(place));
                }
            }
        }
    }
    Ok(found)
}
