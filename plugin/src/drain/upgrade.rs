//! Bringing up a store of an older format, before a worker does anything else in it. Every step may be done twice, and the
//! cursor tells the new format last: the worker after a crash begins again.

use crate::{
    drain::{due::Due, state::Drain},
    journal::{
        connections,
        cursor::{Counts, Cursor},
        entries,
        format::FORMAT,
        keys,
        record::State,
        sorted_map::SortedMap,
    },
    log,
    worker::failure::Stop,
    world::{Store, World},
};

impl<W: World> Drain<'_, '_, W> {
    /// Brings the store up to this version's format.
    pub(super) async fn bring_up(&mut self) -> Result<(), Stop> {
        let from = self.cursor.format;
        if from == FORMAT {
            return Ok(());
        }
        // Nothing was done in a new store; what is in it is of this format already.
        if self.cursor == Cursor::default() {
            self.cursor.format = FORMAT;
            return Ok(());
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
        self.count_by_shop().await?;
        self.cursor.format = FORMAT;
        self.save().await?;
        log::brought_up(self.worker, from, FORMAT);
        Ok(())
    }

    /// What waits and what is dead, by connection: before format 1 only the sums were counted.
    async fn count_by_shop(&mut self) -> Result<(), Stop> {
        let mut open = self.cursor.dead.clone();
        for (start, bucket) in self.cursor.due.clone() {
            for index in bucket.next..bucket.len {
                let due = self.worker.get(&keys::due(start, index)).await?;
                if let Some(Due::Attempt(seq)) = due.and_then(|due| Due::parse(&due)) {
                    open.push(seq);
                }
            }
        }
        let mut shops = SortedMap::default();
        for seq in open {
            let Some(record) = entries::read_event(self.worker, seq).await? else {
                continue;
            };
            let counts: Counts = shops.get(&record.connection).copied().unwrap_or_default();
            let mut counts = Counts {
                received: counts.received.saturating_add(1),
                ..counts
            };
            if record.state() == State::Dead {
                counts.enter(&record);
            }
            shops.insert(record.connection, counts);
        }
        self.cursor.shops = shops;
        Ok(())
    }
}
