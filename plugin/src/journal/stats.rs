//! Counts for people beside the totals: endings by reason, each shop's days, the last event, and
//! the worker's calls. They are stored in the cursor, so that after a crash the same entries come
//! to the same counts. Past days have a key of their own, so that the cursor stays small.

use crate::{
    journal::{
        connection_name::ConnectionName,
        keys,
        record::{Record, State},
        rhythm::Rhythm,
        sorted_map::SortedMap,
        webhook::Webhook,
    },
    kiotviet::assumptions::SHOP_HOURS_AHEAD,
    rules::verdict::Outcome,
    stored,
    time::{Date, Timestamp},
    world::{Store, StoreError},
};
use serde::{Deserialize, Serialize};

/// The days that are kept beside the present one.
const DAYS: usize = 30;

/// How many events of one shop ended on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Created.
    pub created: u64,
    /// Dead letters.
    pub dead: u64,
    /// Ignored.
    pub ignored: u64,
    /// Linked.
    pub linked: u64,
}

/// One day's endings by connection.
pub type Day = SortedMap<ConnectionName, Tally>;

/// Endings by outcome and reason.
pub type Endings = SortedMap<(String, String), u64>;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// The worker's calls by endpoint and HTTP status (`none` without an answer).
    pub calls: SortedMap<(String, String), u64>,
    /// Today's endings.
    pub day: Day,
    /// Days that have a key of their own, oldest first.
    pub days: Vec<Date>,
    /// Endings by outcome (`created`, `linked`, `ignored`, `dead`, `dismissed`) and reason, from before they were counted
    /// for each connection.
    pub endings: Endings,
    /// The same of each connection.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub endings_at: SortedMap<ConnectionName, Endings>,
    /// When the last event of each connection came.
    pub last_event: SortedMap<ConnectionName, Timestamp>,
    /// Events of each connection that KiotViet had not delivered.
    pub read_back: SortedMap<ConnectionName, u64>,
    /// How often each connection's webhooks were registered again.
    pub registered_again: SortedMap<ConnectionName, u64>,
    /// At which hours each connection pushes events.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub rhythm: SortedMap<ConnectionName, Rhythm>,
    /// Today in Vietnam.
    pub today: Option<Date>,
}

/// Adds `n` to the count at `key`.
pub fn add<K: Ord>(counts: &mut SortedMap<K, u64>, key: K, n: u64) {
    let before = counts.get(&key).copied().unwrap_or_default();
    counts.insert(key, before.saturating_add(n));
}

/// The date in the shops' zone.
pub fn date(now: Timestamp) -> Option<Date> {
    now.to_wall(SHOP_HOURS_AHEAD).map(|wall| wall.date())
}

impl Stats {
    /// Counts the ending of `record`. A past day is written to its own key first; after a crash it
    /// is written again, with the same counts.
    pub async fn ended(
        &mut self,
        store: &impl Store,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.turn_to(store, now).await?;
        let outcome = match (record.state(), record.status.outcome()) {
            (State::Dead, _) => "dead",
            (State::Dismissed, _) => "dismissed",
            (_, Some(outcome)) => outcome.as_str(),
            (_, None) => Outcome::Ignored.as_str(),
        };
        let reason = record.status.reason().unwrap_or_default().to_owned();
        let ending = (outcome.to_owned(), reason);
        match self.endings_at.get_mut(&record.connection) {
            Some(endings) => add(endings, ending, 1),
            None => {
                let mut endings = Endings::default();
                endings.insert(ending, 1);
                self.endings_at.insert(record.connection.clone(), endings);
            }
        }
        let mut tally = self
            .day
            .get(&record.connection)
            .copied()
            .unwrap_or_default();
        let count = match outcome {
            "created" => &mut tally.created,
            "linked" => &mut tally.linked,
            "ignored" => &mut tally.ignored,
            "dead" => &mut tally.dead,
            _ => return Ok(()),
        };
        *count = count.saturating_add(1);
        self.day.insert(record.connection.clone(), tally);
        Ok(())
    }

    async fn turn_to(&mut self, store: &impl Store, now: Timestamp) -> Result<(), StoreError> {
        let Some(date) = date(now) else {
            return Ok(());
        };
        // After a clock was set back, the later day goes on.
        if let Some(over) = self.today.filter(|today| *today < date) {
            store
                .set(&keys::day(over), &stored::write(&self.day))
                .await?;
            self.days.push(over);
            self.day = Day::default();
            let surplus = self.days.len().saturating_sub(DAYS);
            for old in self.days.drain(..surplus) {
                // Only housekeeping: a day that stays is a small key.
                let _ = store.delete(&keys::day(old)).await;
            }
        }
        self.today = self.today.max(Some(date));
        Ok(())
    }

    /// An event of `connection` came at `at`, which this webhook pushed; none: it was found otherwise. True for its first
    /// one.
    pub fn came(
        &mut self,
        connection: &ConnectionName,
        pushed: Option<Webhook>,
        at: Timestamp,
    ) -> bool {
        let is_first = self.last_event.get(connection).is_none();
        if self
            .last_event
            .get(connection)
            .is_none_or(|last| *last < at)
        {
            self.last_event.insert(connection.clone(), at);
        }
        let Some(webhook) = pushed else {
            return is_first;
        };
        if self.rhythm.get(connection).is_none() {
            self.rhythm.insert(connection.clone(), Rhythm::default());
        }
        if let Some(rhythm) = self.rhythm.get_mut(connection) {
            rhythm.came(webhook, at);
        }
        is_first
    }

    /// The stored days, today last; an unreadable day is left out.
    pub async fn all_days(&self, store: &impl Store) -> Result<Vec<(Date, Day)>, StoreError> {
        let mut days = Vec::new();
        for date in self.days.iter().copied() {
            let bytes = store.get(&keys::day(date)).await?;
            if let Some(Ok(day)) = bytes.map(|b| stored::read(&b)) {
                days.push((date, day));
            }
        }
        if let Some(today) = self.today {
            days.push((today, self.day.clone()));
        }
        Ok(days)
    }
}
