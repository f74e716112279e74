//! A map for few entries: a sorted list. The standard library's map costs the component about ten
//! kilobytes for each pair of types.

use core::borrow::Borrow;
use serde::{Deserialize, Serialize};

/// A map in the order of its keys. Inserting and removing take time in proportion to its length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(k, _)| k.borrow().cmp(key))
    }

    /// The value at `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// The value at `key`, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Puts `value` at `key`, in place of the one that was there.
    pub fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(place) => {
                if let Some(old) = self.0.get_mut(place) {
                    *old = (key, value);
                }
            }
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// Removes what is at `key`.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Keeps the entries for which `keep` returns true; it sees them in the order of their keys.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    /// The keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_the_standard_map(steps in prop::collection::vec((0..6_i64, 0..4_u16), 0..40)) {
            let (mut few, mut map) = (SortedMap::default(), BTreeMap::new());
            for (key, step) in steps {
                if step == 0 {
                    few.remove(&key);
                    map.remove(&key);
                } else {
                    few.insert(key, step);
                    map.insert(key, step);
                }
                prop_assert!(few.keys().eq(map.keys()));
                for key in 0..6 {
                    prop_assert_eq!(few.get(&key), map.get(&key));
                    prop_assert_eq!(few.get_mut(&key), map.get_mut(&key));
                }
            }
            prop_assert_eq!(stored::read(&stored::write(&few)), Ok(few));
        }
    }
}
