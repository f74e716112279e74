//! The worker's place in the journal: what was looked at, what is due when, and the counts that
//! follow from it. Written as one value, so that counts and place never disagree; after a crash the
//! worker goes over the same entries again and comes to the same counts.

use crate::{
    journal::{
        alerts::Alerts,
        assumptions::Seen,
        connection_name::ConnectionName,
        entries,
        format::{self, Formatted},
        held::Held,
        index::Indexed,
        keys,
        late_starts::LateStarts,
        pauses::Pauses,
        record::{Record, State, Status},
        sorted_map::SortedMap,
        stats::Stats,
    },
    kiotviet::assumptions::MAX_ITEMS,
    rules::verdict::Outcome,
    time::Timestamp,
    world::{Store, StoreError},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Retry times are rounded up, the farther the more, so that the number of due lists stays small: from this many
/// seconds from now on to whole multiples of that many.
const ROUNDED: [(i64, i64); 3] = [(1800, 600), (600, 60), (60, 10)];
/// How long a reserved number without an entry is looked at again by every drain. An acceptor answers
/// 503 when reserving and writing took longer than ten seconds, so ten minutes is ample.
pub const HOLE_SECONDS: i64 = 600;
/// When it is looked at once more, so that an entry whose acceptor stood still for hours (a machine
/// that was paused) does not stay in the list for good: more than three days, a long weekend.
pub const LAST_LOOK: Duration = Duration::from_hours(80);

/// Dead letters that are listed, so that people find them whatever came after them.
const DEAD_LISTED: usize = 200;

/// A number that was reserved and has no entry yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// The number.
    pub seq: u64,
    /// When the worker first missed it.
    pub since: Timestamp,
}

/// Entries of a due list that were appended and consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Entries appended.
    pub len: u32,
    /// Entries before this index are consumed.
    pub next: u32,
    /// When the oldest event in it came; none where there are only removals.
    pub since: Option<Timestamp>,
}

/// Events by where they stand. Each number is counted by itself, so that the loss equation `received =
/// created + linked + ignored + dead + dismissed + waiting` is a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Done: created.
    pub created: u64,
    /// Dead letters.
    pub dead: u64,
    /// Dismissed by a person.
    pub dismissed: u64,
    /// Done: ignored.
    pub ignored: u64,
    /// Done: linked.
    pub linked: u64,
    /// All events the worker has looked at.
    pub received: u64,
    /// Listed for another try.
    pub waiting: u64,
}

impl Counts {
    fn class(&mut self, record: &Record) -> Option<&mut u64> {
        match record.status {
            Status::Received | Status::Retrying { .. } => None,
            Status::Dead { .. } => Some(&mut self.dead),
            Status::Dismissed { .. } => Some(&mut self.dismissed),
            Status::Done { reason, .. } => Some(match reason.outcome() {
                Outcome::Created => &mut self.created,
                Outcome::Linked => &mut self.linked,
                Outcome::Ignored => &mut self.ignored,
            }),
        }
    }

    /// Events that are not final, where only [`waiting`](Self::waiting) is not counted.
    pub fn open(&self) -> u64 {
        self.received.saturating_sub(self.ended())
    }

    fn ended(&self) -> u64 {
        let ended = [
            self.created,
            self.linked,
            self.ignored,
            self.dead,
            self.dismissed,
        ];
        ended.into_iter().fold(0, u64::saturating_add)
    }

    /// Counts `record` where it now stands.
    pub fn enter(&mut self, record: &Record) {
        if let Some(count) = self.class(record) {
            *count = count.saturating_add(1);
        }
    }

    /// These ends among `received` events, of which the others wait.
    pub fn of_all(self, received: u64) -> Self {
        let waiting = received.saturating_sub(self.ended());
        Self {
            received,
            waiting,
            ..self
        }
    }

    /// Whether the loss equation holds.
    pub fn balanced(&self) -> bool {
        self.received == self.waiting.saturating_add(self.ended())
    }
}

/// How far a store of format 0 is counted by shop: events of these numbers and above are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    /// Of those that wait and the dead letters that are listed.
    pub listed: u64,
    /// Of all others.
    pub others: u64,
}

impl Counting {
    /// Nothing is counted.
    pub const BEGIN: Self = Self {
        listed: u64::MAX,
        others: u64::MAX,
    };
}

/// What unsigned hints cost a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// KiotViet calls in the hour.
    pub calls: u64,
    /// In which hour since 1970.
    pub hour: i64,
    /// Hints that wait for a later hour.
    pub waiting: u64,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// When the index of Getfly's accounts is worked on again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts_at: Option<Timestamp>,
    /// Numbers above `low` that were looked at already, as the first and the last of each stretch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<(u64, u64)>,
    /// What people are told of without looking.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alerts: Alerts,
    /// What traffic showed of the assumptions.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub assumptions: Seen,
    /// When each connection's last backfill began, and what its events came to.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub backfilled: SortedMap<ConnectionName, (Timestamp, Counts)>,
    /// How far a store of an older format is counted by shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
    /// The counts at this place.
    pub counts: Counts,
    /// The newest dead letters at this place, in order; there may be more than [`DEAD_LISTED`]. Also one that
    /// is none any more may be among them, as long as nobody looked.
    #[serde(default)]
    pub dead: Vec<u64>,
    /// Due lists by the start of their bucket (Unix seconds).
    #[serde(default)]
    pub due: SortedMap<i64, Bucket>,
    /// New connections, each with its first events so far ([`super::first_events`]).
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub first_events: SortedMap<ConnectionName, Vec<u64>>,
    /// Starts of the last calls to Getfly, for its ceiling.
    #[serde(default)]
    pub getfly_calls: Vec<Timestamp>,
    /// The chunks of the index before this one are folded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub folded: u64,
    /// The store's format ([`format`]).
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: u32,
    /// Creates whose outcome is not known yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// Numbers without an entry that are looked at again.
    #[serde(default)]
    pub holes: Vec<Hole>,
    /// Spans of the journal that are indexed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub indexed: Indexed,
    /// How often a scheduler's drain had to begin what a delivery had left to be done after its answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_starts: LateStarts,
    /// When this was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_write: Option<Timestamp>,
    /// Every entry up to this number was looked at.
    pub low: u64,
    /// Entries before this number were removed, or are removed through the due lists.
    pub oldest: u64,
    /// What stands there ended then, or came then, and is kept; none when it was not looked at.
    pub oldest_since: Option<Timestamp>,
    /// KiotViet's calls that reading has cost each connection, in which hour since 1970.
    #[serde(default)]
    pub pace: SortedMap<ConnectionName, (i64, u64)>,
    /// Upstreams that failed and are left alone for a while.
    #[serde(default)]
    pub pauses: Pauses,
    /// Shops whose invoices are polled, each with its last poll.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub polled: SortedMap<ConnectionName, Option<Timestamp>>,
    /// Events whose orders are to be read back, and when they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_back: Vec<(u64, Timestamp)>,
    /// Connections whose lists are being read, the next one first.
    #[serde(default)]
    pub reading: Vec<ConnectionName>,
    /// The same counts for each connection, since this is counted; what waits follows from the others.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub shops: SortedMap<ConnectionName, Counts>,
    /// Until when Getfly gets one call at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_until: Option<Timestamp>,
    /// What unsigned hints to no new record have cost each connection.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub strangers: SortedMap<ConnectionName, Spent>,
    /// What is counted for people.
    #[serde(default)]
    pub stats: Stats,
    /// A worker waits until then for what is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Timestamp>,
    /// When the webhooks were last looked at.
    pub watched_at: Option<Timestamp>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Formatted for Cursor {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Cursor {
    /// Whether the entry with this number was looked at; not for one of the [`holes`](Self::holes).
    pub fn has_looked_at(&self, seq: u64) -> bool {
        let ahead = |(first, last): &(u64, u64)| (*first..=*last).contains(&seq);
        seq <= self.low || self.ahead.iter().any(ahead)
    }

    /// Whether the entry with this number is still to be looked at.
    pub fn is_to_come(&self, seq: u64) -> bool {
        !self.has_looked_at(seq) || self.holes.iter().any(|hole| hole.seq == seq)
    }

    /// How many numbers up to `tail` were not looked at.
    pub fn unread(&self, tail: u64) -> u64 {
        let ahead = self.ahead.iter().map(|(first, last)| last - first + 1);
        let ahead = ahead.fold(0, u64::saturating_add);
        tail.saturating_sub(self.low).saturating_sub(ahead)
    }

    /// The entry with this number was looked at.
    pub fn look_at(&mut self, seq: u64) {
        if self.has_looked_at(seq) {
            return;
        }
        let at = self.ahead.partition_point(|(first, _)| *first < seq);
        self.ahead.insert(at, (seq, seq));
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(self.ahead.len());
        for (first, last) in self.ahead.drain(..) {
            match joined.last_mut() {
                Some((_, end)) if end.saturating_add(1) >= first => *end = last,
                _ => joined.push((first, last)),
            }
        }
        if let Some((first, last)) = joined.first().copied()
            && first == self.low.saturating_add(1)
        {
            self.low = last;
            joined.remove(0);
        }
        self.ahead = joined;
    }

    /// Counts `record` where it now stands, and lists a dead letter.
    pub fn enter(&mut self, record: &Record) {
        self.counts.enter(record);
        self.at_shop(&record.connection, |counts| counts.enter(record));
        self.at_backfill(record, |counts| counts.enter(record));
        if record.state() == State::Dead
            && let Err(at) = self.dead.binary_search(&record.seq)
        {
            self.dead.insert(at, record.seq);
            let surplus = self.dead.len().saturating_sub(DEAD_LISTED);
            self.dead.drain(..surplus);
        }
    }

    /// `record` was looked at for the first time.
    pub fn received(&mut self, connection: &ConnectionName) {
        let add = |counts: &mut Counts| counts.received = counts.received.saturating_add(1);
        add(&mut self.counts);
        self.at_shop(connection, add);
    }

    /// A command for this dead letter was carried out and is not counted yet.
    pub fn dead_still(&mut self, record: &Record) {
        let add = |counts: &mut Counts| counts.dead = counts.dead.saturating_add(1);
        add(&mut self.counts);
        self.at_shop(&record.connection, add);
        self.at_backfill(record, add);
    }

    /// This event is a dead letter no longer.
    pub fn risen(&mut self, record: &Record) {
        let subtract = |counts: &mut Counts| counts.dead = counts.dead.saturating_sub(1);
        subtract(&mut self.counts);
        self.at_shop(&record.connection, subtract);
        self.at_backfill(record, subtract);
        self.dead.retain(|dead| *dead != record.seq);
        self.alerts.dead_letter_has_risen = true;
    }

    /// Changes the counts of the backfill that made this event, if the last one of its connection did.
    fn at_backfill(&mut self, record: &Record, change: impl Fn(&mut Counts)) {
        let is_of_one = record
            .hint
            .as_ref()
            .is_some_and(|hint| hint.since.is_some());
        let Some((began, mut counts)) = self.backfilled.get(&record.connection).copied() else {
            return;
        };
        if is_of_one && record.received_at >= began {
            change(&mut counts);
            let name = record.connection.clone();
            self.backfilled.insert(name, (began, counts));
        }
    }

    /// A backfill of `connection` began then. Nothing changes where that is known.
    pub fn backfill_began(&mut self, connection: &ConnectionName, began: Timestamp) {
        let known = self.backfilled.get(connection);
        if known.is_none_or(|(known, _)| *known != began) {
            let counts = Counts::default();
            self.backfilled.insert(connection.clone(), (began, counts));
        }
    }

    fn at_shop(&mut self, connection: &ConnectionName, change: impl Fn(&mut Counts)) {
        let mut counts = self.shops.get(connection).copied().unwrap_or_default();
        change(&mut counts);
        self.shops.insert(connection.clone(), counts);
    }
}

/// Reads the worker's cursor.
pub async fn load(store: &impl Store) -> Result<Cursor, StoreError> {
    match store.get(keys::CURSOR).await? {
        None => Ok(Cursor::default()),
        Some(bytes) => format::read(&bytes)?.map_err(|e| StoreError::Damaged {
            what: "the journal's cursor",
            why: e.to_string(),
        }),
    }
}

/// The worker's cursor, and up to which number a missing entry was removed rather than not written
/// yet: a cursor that cannot be read is made anew by looking at the whole journal again.
pub async fn load_or_rebuild(store: &impl Store) -> Result<(Cursor, u64), StoreError> {
    let Some(bytes) = store.get(keys::CURSOR).await? else {
        return Ok((Cursor::default(), 0));
    };
    match format::read(&bytes)? {
        Ok(cursor) => Ok((cursor, 0)),
        Err(_) => {
            let tail = entries::tail(store).await?;
            Ok((Cursor::default(), tail.saturating_sub(MAX_ITEMS as u64)))
        }
    }
}

/// When the worker's last calls to Getfly began, as far as the cursor says: another caller's calls keep the
/// ceiling together with them. None where the cursor cannot be read.
pub async fn getfly_calls(store: &impl Store) -> Vec<Timestamp> {
    let cursor = load(store).await;
    cursor.map(|c| c.getfly_calls).unwrap_or_default()
}

/// The moment at or after `wanted` at which a due list is read; a whole second.
pub fn due_time(now: Timestamp, wanted: Timestamp) -> Timestamp {
    let distance = wanted.as_second().saturating_sub(now.as_second());
    let rounded = ROUNDED.into_iter().find(|(from, _)| distance >= *from);
    let step = rounded.map_or(1, |(_, step)| step);
    let whole = if wanted.subsec_nanosecond() > 0 {
        wanted.as_second().saturating_add(1)
    } else {
        wanted.as_second()
    };
    let rounded = whole
        .saturating_add(step - 1)
        .div_euclid(step)
        .saturating_mul(step);
    Timestamp::from_second(rounded).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(s).unwrap()
    }

    #[test]
    fn what_was_looked_at_out_of_turn_is_joined_once_its_turn_has_come() {
        let mut cursor = Cursor::default();
        for seq in [3, 2, 6, 6] {
            cursor.look_at(seq);
        }
        assert_eq!(
            (cursor.low, cursor.ahead.as_slice()),
            (0, &[(2, 3), (6, 6)][..])
        );
        let looked_at = |c: &Cursor| {
            (1..=7)
                .filter(|seq| c.has_looked_at(*seq))
                .collect::<Vec<_>>()
        };
        assert_eq!(looked_at(&cursor), [2, 3, 6]);
        cursor.look_at(1);
        assert_eq!((cursor.low, cursor.ahead.as_slice()), (3, &[(6, 6)][..]));
        cursor.look_at(5);
        cursor.look_at(4);
        assert_eq!((cursor.low, cursor.ahead.len()), (6, 0));
    }

    #[test]
    fn due_times_are_rounded_up_never_down() {
        assert_eq!(due_time(at(0), at(30)), at(30));
        assert_eq!(due_time(at(0), at(31)), at(31));
        assert_eq!(due_time(at(0), at(61)), at(70));
        assert_eq!(due_time(at(0), at(601)), at(660));
        assert_eq!(due_time(at(0), at(3601)), at(4200));
        assert_eq!(due_time(at(0), Timestamp::new(30, 1).unwrap()), at(31));
    }
}
