//! Bringing up a store of an older format, before a worker does anything else in it. Every step may be done twice, and the
//! cursor tells the new format last: the worker after a crash begins again.

use crate::{
    drain::{
        due::Due,
        state::{Drain, Pass},
    },
    journal::{
        connections,
        cursor::{Counting, Counts, Cursor},
        entries,
        format::FORMAT,
        keys,
        record::{Record, State},
        sorted_map::SortedMap,
    },
    log,
    worker::failure::Stop,
    world::{Clock, Store, World},
};

/// Events that are counted before the cursor is saved.
const COUNTED_AT_ONCE: usize = 256;

impl<W: World> Drain<'_, '_, W> {
    /// Brings the store up to this version's format. `Paused`: the time of this drain is over, and the next one goes on.
    pub(super) async fn bring_up(&mut self) -> Result<Pass, Stop> {
        let from = self.cursor.format;
        if from == FORMAT {
            return Ok(Pass::Complete);
        }
        // Nothing was done in a new store; what is in it is of this format already.
        if self.cursor == Cursor::default() {
            self.cursor.format = FORMAT;
            return Ok(Pass::Complete);
        }
        // From here on no acceptor of an older version takes a delivery.
        for name in connections::names(self.worker).await? {
            let kept = connections::load_or_damage(self.worker, &name).await?;
            // One that is damaged is made anew by a person, in this format.
            let stamped = kept.and_then(Result::ok).and_then(|c| c.in_this_format());
            if let Some(stamped) = stamped {
                connections::save(self.worker, &stamped, false).await?;
            }
        }
        if self.count_by_shop().await? == Pass::Paused {
            return Ok(Pass::Paused);
        }
        self.cursor.format = FORMAT;
        self.save().await?;
        log::brought_up(self.worker, from, FORMAT);
        Ok(Pass::Complete)
    }

    /// What waits and what is dead, by connection: before format 1 only the sums were counted. Older dead letters may be
    /// anywhere in the journal. It is gone through from its end, until there are as many as were counted.
    async fn count_by_shop(&mut self) -> Result<Pass, Stop> {
        let (waiting, late) = self.listed_as_due().await?;
        let mut listed: Vec<u64> = self.cursor.dead.clone();
        listed.extend(&waiting);
        listed.sort_unstable();
        listed.dedup();
        // A failure saves the cursor too: it always tells what is counted in it.
        let mut counting = self.cursor.counting.unwrap_or_else(|| {
            self.cursor.shops = SortedMap::default();
            Counting::BEGIN
        });
        loop {
            let left = listed.iter().rev().filter(|seq| **seq < counting.listed);
            let next: Vec<u64> = left.copied().take(COUNTED_AT_ONCE).collect();
            if next.is_empty() {
                break;
            }
            for seq in next {
                let waits = waiting.binary_search(&seq).is_ok();
                self.count_at_shop(seq, waits).await?;
                counting.listed = seq;
                self.cursor.counting = Some(counting);
            }
            if self.keep_counting().await? == Pass::Paused {
                return Ok(Pass::Paused);
            }
        }
        while self.dead_at_shops() < self.cursor.counts.dead {
            let below = Some(counting.others);
            let next = entries::numbers(self.worker, below, COUNTED_AT_ONCE).await?;
            if next.is_empty() {
                break;
            }
            for seq in next {
                let is_other = listed.binary_search(&seq).is_err() && !late.contains(&seq);
                if is_other && self.was_looked_at(seq).await? {
                    self.count_at_shop(seq, false).await?;
                }
                counting.others = seq;
                self.cursor.counting = Some(counting);
            }
            if self.keep_counting().await? == Pass::Paused {
                return Ok(Pass::Paused);
            }
        }
        self.cursor.counting = None;
        Ok(Pass::Complete)
    }

    /// The events whose attempt is due, and numbers that are looked at once more, which are not counted.
    async fn listed_as_due(&self) -> Result<(Vec<u64>, Vec<u64>), Stop> {
        let (mut waiting, mut late) = (Vec::new(), Vec::new());
        for (start, bucket) in self.cursor.due.iter() {
            for index in bucket.next..bucket.len {
                let due = self.worker.get(&keys::due(*start, index)).await?;
                match due.and_then(|due| Due::parse(&due)) {
                    Some(Due::Attempt(seq)) => waiting.push(seq),
                    Some(Due::LateEntry(seq)) => late.push(seq),
                    Some(Due::Removal(_)) | None => {}
                }
            }
        }
        waiting.sort_unstable();
        Ok((waiting, late))
    }

    /// Keeps how far the counting has come.
    async fn keep_counting(&mut self) -> Result<Pass, Stop> {
        self.save().await?;
        let until = self.bounds.until;
        let is_over = until.is_some_and(|until| self.worker.now() >= until);
        Ok(if is_over {
            Pass::Paused
        } else {
            Pass::Complete
        })
    }

    async fn was_looked_at(&self, seq: u64) -> Result<bool, Stop> {
        if self.worker.is_atomic() {
            return Ok(!self.cursor.is_to_come(seq));
        }
        let mark = self.worker.get(&keys::unlooked(seq)).await?;
        Ok(mark.is_none())
    }

    fn dead_at_shops(&self) -> u64 {
        let dead = self.cursor.shops.iter().map(|(_, counts)| counts.dead);
        dead.fold(0, u64::saturating_add)
    }

    /// Counts an event at its shop if it waits or is dead, as the sums do.
    async fn count_at_shop(&mut self, seq: u64, waits: bool) -> Result<(), Stop> {
        let Some(record) = entries::read_event(self.worker, seq).await? else {
            return Ok(());
        };
        let is_dead = !waits && self.counts_as_dead(&record).await?;
        if !waits && !is_dead {
            return Ok(());
        }
        let counts = self.cursor.shops.get(&record.connection);
        let Counts { received, dead, .. } = counts.copied().unwrap_or_default();
        let counts = Counts {
            received: received.saturating_add(1),
            dead: dead.saturating_add(u64::from(is_dead)),
            ..Counts::default()
        };
        self.cursor.shops.insert(record.connection, counts);
        Ok(())
    }

    /// A dead letter whose command was carried out and is not counted yet counts as one.
    async fn counts_as_dead(&self, record: &Record) -> Result<bool, Stop> {
        Ok(record.state() == State::Dead || self.command_is_ahead(record).await?)
    }
}
