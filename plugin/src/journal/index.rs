//! Which events show a word: each is found by its code, its customer or a phone without going through the journal. The
//! worker indexes the journal's numbers in spans, once it has looked at all of a span, so that an ordinary event costs
//! one read for it. A span's index is cut into parts by the words' hashes: who looks for a word reads one part of each
//! span. Spans that are complete are folded together into chunks, so that few parts are read also among a million events. What
//! an index tells is only where to look: the event itself is compared.

use crate::{
    journal::{entries, finding, keys, record::Record},
    world::{Store, StoreError},
};

/// Journal numbers that are indexed together.
pub const SPAN: u64 = 1024;
/// Parts of a span's index.
const PARTS: u64 = 16;
/// Spans that are folded into one chunk. A row's place is a number of two bytes.
pub const CHUNK: u64 = 32;
/// Parts of a chunk's index: more, so that a value stays far below 1 MB.
const CHUNK_PARTS: u64 = 64;
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

/// The chunk of a span.
pub fn chunk_of(span: u64) -> u64 {
    span / CHUNK
}

/// A row of a span as its chunk has it.
fn in_chunk(span: u64, row: [u8; ROW_BYTES]) -> [u8; ROW_BYTES] {
    let [a, b, c, d, e, f, y, z] = row;
    let place = u64::from(u16::from_be_bytes([y, z]));
    let [.., y, z] = (span % CHUNK)
        .saturating_mul(SPAN)
        .saturating_add(place)
        .to_be_bytes();
    [a, b, c, d, e, f, y, z]
}

/// The part of a chunk that has the rows of this span's part of which a hash ends so. A row has only the head of its hash,
/// which parts a chunk further.
fn chunk_part(part: u64, head: u8) -> u64 {
    let finer = CHUNK_PARTS / PARTS;
    part.saturating_mul(finer)
        .saturating_add(u64::from(head) % finer)
}

/// Folds the spans of a chunk, all of which are indexed, together.
pub async fn fold(store: &impl Store, chunk: u64) -> Result<(), StoreError> {
    let first = chunk.saturating_mul(CHUNK);
    for part in 0..PARTS {
        let mut rows = Vec::new();
        for span in first..first.saturating_add(CHUNK) {
            let of_span = store.get(&keys::index(span, part)).await?;
            let of_span = of_span.unwrap_or_default();
            let (of_span, _) = of_span.as_chunks();
            rows.extend(of_span.iter().map(|row| in_chunk(span, *row)));
        }
        for finer in 0..CHUNK_PARTS / PARTS {
            let head = u8::try_from(finer).unwrap_or(u8::MAX);
            let of_part = chunk_part(part, head);
            let here = rows
                .iter()
                .filter(|[head, ..]| chunk_part(part, *head) == of_part);
            let bytes: Vec<u8> = here.flatten().copied().collect();
            store
                .set(&keys::index_chunk(chunk, of_part), &bytes)
                .await?;
        }
    }
    Ok(())
}

/// Removes the index of a chunk whose events are removed.
pub async fn remove_chunk(store: &impl Store, chunk: u64) -> Result<(), StoreError> {
    for part in 0..CHUNK_PARTS {
        store.delete(&keys::index_chunk(chunk, part)).await?;
    }
    Ok(())
}

async fn append(store: &impl Store, key: &str, row: [u8; ROW_BYTES]) -> Result<(), StoreError> {
    let mut rows = store.get(key).await?.unwrap_or_default();
    if !rows.chunks_exact(ROW_BYTES).any(|known| known == row) {
        rows.extend_from_slice(&row);
        store.set(key, &rows).await?;
    }
    Ok(())
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

/// Indexes an event that ended after its span was indexed: it may show more by now. The chunks before `folded` are.
pub async fn add_late(store: &impl Store, record: &Record, folded: u64) -> Result<(), StoreError> {
    for hash in finding::hashes(record) {
        let (span, part, row) = (span_of(record.seq), part_of(hash), row(hash, record.seq));
        append(store, &keys::index(span, part), row).await?;
        let chunk = chunk_of(span);
        if chunk < folded {
            let [head, ..] = row;
            let key = keys::index_chunk(chunk, chunk_part(part, head));
            append(store, &key, in_chunk(span, row)).await?;
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

/// The numbers of indexed events that may show a word of these hashes. The chunks before `folded` are read as such, further
/// spans one by one.
pub async fn numbers(
    store: &impl Store,
    (from, to): Indexed,
    folded: u64,
    hashes: &[u64],
) -> Result<Vec<u64>, StoreError> {
    let mut parts: Vec<(u64, u8)> = Vec::new();
    for hash in hashes {
        let [head, ..] = hash.to_be_bytes();
        parts.push((part_of(*hash), head));
    }
    let mut found = Vec::new();
    let mut chunk_parts: Vec<u64> = parts
        .iter()
        .map(|(part, head)| chunk_part(*part, *head))
        .collect();
    chunk_parts.sort_unstable();
    chunk_parts.dedup();
    for chunk in chunk_of(from)..folded {
        let first = chunk.saturating_mul(CHUNK).saturating_mul(SPAN);
        for part in &chunk_parts {
            let rows = store.get(&keys::index_chunk(chunk, *part)).await?;
            found.extend(places(&rows.unwrap_or_default(), hashes, first));
        }
    }
    let mut span_parts: Vec<u64> = parts.iter().map(|(part, _)| *part).collect();
    span_parts.sort_unstable();
    span_parts.dedup();
    for span in from.max(folded.saturating_mul(CHUNK))..to {
        let first = span.saturating_mul(SPAN);
        for part in &span_parts {
            let rows = store.get(&keys::index(span, *part)).await?;
            found.extend(places(&rows.unwrap_or_default(), hashes, first));
        }
    }
    Ok(found)
}

/// The numbers, counted from `first`, of rows with one of these hashes.
fn places(rows: &[u8], hashes: &[u64], first: u64) -> Vec<u64> {
    let mut found = Vec::new();
    for known in rows.chunks_exact(ROW_BYTES) {
        if let [head @ .., y, z] = known
            && hashes
                .iter()
                .any(|hash| hash.to_be_bytes().starts_with(head))
        {
            let place = u64::from(u16::from_be_bytes([*y, *z]));
            found.push(first.saturating_add(place));
        }
    }
    found
}
