//! The shape of the first invoices of KiotViet F&B: members and kinds of values, no value. One export then answers
//! what is not proven of that edition.

use crate::{
    journal::{keys, sorted_map::SortedMap},
    stored,
    world::{Member, Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// Invoices that are looked at.
const MOST_RECORDS: u64 = 50;
/// Members that are kept.
const MOST_MEMBERS: usize = 200;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shapes {
    /// How many invoices were looked at.
    pub records: u64,
    /// Each member by its place, with the kinds of value that it had and how many invoices had it.
    pub members: SortedMap<String, (Vec<String>, u64)>,
}

impl Shapes {
    fn add(&mut self, record: &[Member]) {
        self.records = self.records.saturating_add(1);
        let mut counted: Vec<&str> = Vec::new();
        for (place, kind) in record {
            let known = self.members.get(place).cloned();
            if known.is_none() && self.members.len() >= MOST_MEMBERS {
                continue;
            }
            let (mut kinds, mut times) = known.unwrap_or_default();
            if !kinds.iter().any(|known| known == kind) {
                kinds.push((*kind).to_owned());
            }
            if !counted.contains(&place.as_str()) {
                counted.push(place);
                times = times.saturating_add(1);
            }
            self.members.insert(place.clone(), (kinds, times));
        }
    }
}

/// What is known.
pub async fn load(store: &impl Store) -> Result<Shapes, StoreError> {
    let kept = store.get(keys::SHAPES).await?;
    // An unreadable value starts as new: no event depends on it.
    let kept = kept.and_then(|bytes| stored::read(&bytes).ok());
    Ok(kept.unwrap_or_default())
}

/// Adds the shapes of these records.
pub async fn keep(store: &impl Store, records: &[Vec<Member>]) -> Result<(), StoreError> {
    let mut shapes = load(store).await?;
    if shapes.records >= MOST_RECORDS {
        return Ok(());
    }
    for record in records {
        shapes.add(record);
    }
    store.set(keys::SHAPES, &stored::write(&shapes)).await
}
