//! What traffic showed of each [`Assumption`]: how often, in the cursor, and since when, in a value
//! of its own that is written only when something is seen for the first time.

use crate::{
    assumption::Assumption,
    journal::{keys, sorted_map::SortedMap},
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// How often each assumption was confirmed and contradicted: two numbers for each, in the order of
/// [`Assumption::ALL`]. Stored as one text, which every worker reads and writes, with nothing for a
/// zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Seen(Vec<u64>);

impl From<String> for Seen {
    fn from(text: String) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let numbers = text.split(',');
        Self(numbers.map(|n| n.parse().unwrap_or_default()).collect())
    }
}

impl From<Seen> for String {
    fn from(seen: Seen) -> Self {
        let mut text = Self::new();
        for (place, times) in seen.0.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            if *times > 0 {
                text.push_str(&times.to_string());
            }
        }
        text
    }
}

impl Seen {
    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(assumption: Assumption, holds: bool) -> usize {
        let pair = assumption.place().saturating_mul(2);
        pair.saturating_add(usize::from(!holds))
    }

    /// How often this was seen.
    pub fn times(&self, assumption: Assumption, holds: bool) -> u64 {
        let place = Self::place(assumption, holds);
        self.0.get(place).copied().unwrap_or_default()
    }

    /// How often it was confirmed or contradicted.
    pub fn either(&self, assumption: Assumption) -> u64 {
        let times = |holds| self.times(assumption, holds);
        times(true).saturating_add(times(false))
    }

    /// Counts what was seen; true for the first time.
    pub fn saw(&mut self, assumption: Assumption, holds: bool) -> bool {
        let place = Self::place(assumption, holds);
        if self.0.len() <= place {
            self.0.resize(place.saturating_add(1), 0);
        }
        let Some(times) = self.0.get_mut(place) else {
            return false;
        };
        *times = times.saturating_add(1);
        *times == 1
    }
}

/// Since when each assumption has been confirmed, and since when contradicted.
type Since = SortedMap<Assumption, (Option<Timestamp>, Option<Timestamp>)>;

async fn since(store: &impl Store) -> Result<Since, StoreError> {
    let kept = store.get(keys::ASSUMPTIONS).await?;
    // An unreadable value starts as new: no event depends on it.
    Ok(kept
        .and_then(|bytes| stored::read(&bytes).ok())
        .unwrap_or_default())
}

/// Stores that these were seen for the first time at `now`.
pub async fn keep_first(
    store: &impl Store,
    firsts: &[(Assumption, bool)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut all = since(store).await?;
    let before = all.clone();
    for (assumption, holds) in firsts {
        let (mut confirmed, mut contradicted) = all.get(assumption).copied().unwrap_or_default();
        let moment = if *holds {
            &mut confirmed
        } else {
            &mut contradicted
        };
        // A lost cursor counts from zero again; the moments seen before stay.
        moment.get_or_insert(now);
        all.insert(*assumption, (confirmed, contradicted));
    }
    if all != before {
        store.set(keys::ASSUMPTIONS, &stored::write(&all)).await?;
    }
    Ok(())
}

/// What was seen of an assumption in one of the two ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sight {
    /// How often.
    pub times: u64,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What is known of an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub assumption: Assumption,
    /// How it was confirmed.
    pub confirmed: Sight,
    /// How it was contradicted.
    pub contradicted: Sight,
}

/// What is known of all assumptions; `seen` comes from the cursor.
pub async fn known(store: &impl Store, seen: &Seen) -> Result<Vec<Known>, StoreError> {
    let since = since(store).await?;
    let known = Assumption::ALL.iter().map(|assumption| {
        let (confirmed, contradicted) = since.get(assumption).copied().unwrap_or_default();
        let sight = |holds, since: Option<Timestamp>| Sight {
            times: seen
                .times(*assumption, holds)
                .max(u64::from(since.is_some())),
            since,
        };
        Known {
            assumption: *assumption,
            confirmed: sight(true, confirmed),
            contradicted: sight(false, contradicted),
        }
    });
    Ok(known.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_is_told_and_all_are_counted() {
        let mut seen = Seen::default();
        let gender = Assumption::Gender;
        assert!(seen.saw(gender, false) && !seen.saw(gender, false));
        assert!(seen.saw(gender, true));
        assert_eq!(
            (seen.times(gender, true), seen.times(gender, false)),
            (1, 2)
        );
        assert_eq!(seen.either(gender), 3);
        assert_eq!(seen.either(Assumption::Clocks), 0);
        assert_eq!(stored::read(&stored::write(&seen)), Ok(seen));
    }
}
