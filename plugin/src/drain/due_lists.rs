//! What is due later: lists of events by the time from which they are read, and the place in each.
//! An event's number stands in one until its next try, or until its removal.

use crate::{
    drain::{Drain, Pass, Stop, new_entries::HOLE, retention::REMOVAL, stop},
    journal::{
        cursor::{BUCKET_SECONDS, Bucket},
        entries, keys,
        record::{Entry, Record, State},
    },
    time::Timestamp,
    world::{Clock, Store, World},
};

/// The start of the due list that is read from `at` on.
pub(super) fn bucket_of(at: Timestamp) -> i64 {
    at.as_second()
        .div_euclid(BUCKET_SECONDS)
        .saturating_mul(BUCKET_SECONDS)
}

impl<W: World> Drain<'_, '_, W> {
    pub(super) fn next_due(&self) -> Option<(i64, Bucket)> {
        let now = self.worker.now().as_second();
        self.cursor
            .due
            .iter()
            .map(|(start, bucket)| (*start, *bucket))
            .take_while(|(start, _)| *start <= now)
            .find(|(_, bucket)| bucket.next < bucket.len)
    }

    pub(super) async fn due_lists(&mut self) -> Result<Pass, Stop> {
        while let Some((start, Bucket { next, .. })) = self.next_due() {
            let key = keys::due(start, next);
            let bytes = self.worker.get(&key).await.map_err(stop)?;
            if mutant!(DueKeysDeletedEarly) {
                let _ = self.worker.delete(&key).await;
            }
            let due = bytes.and_then(|b| String::from_utf8(b).ok());
            if let Some(due) = &due
                && self.due(due).await? == Pass::Paused
            {
                return Ok(Pass::Paused);
            }
            if !due.is_some_and(|due| due.starts_with([REMOVAL, HOLE])) {
                let waiting = &mut self.cursor.counts.waiting;
                *waiting = waiting.saturating_sub(1);
            }
            if let Some(bucket) = self.cursor.due.get_mut(&start) {
                bucket.next = next.saturating_add(1);
            }
            self.moved().await?;
        }
        Ok(Pass::Complete)
    }

    /// One element of a due list: an event's number, marked where only its removal is due or a late
    /// entry is looked for.
    async fn due(&mut self, due: &str) -> Result<Pass, Stop> {
        let number = due.trim_start_matches([REMOVAL, HOLE]);
        let Ok(seq) = number.parse() else {
            return Ok(Pass::Complete);
        };
        let Some(entry) = entries::read(self.worker, seq).await.map_err(stop)? else {
            return Ok(Pass::Complete);
        };
        if due.starts_with(HOLE) {
            return self.first_look(seq, entry).await;
        }
        let Entry::Event(record) = entry else {
            return Ok(Pass::Complete);
        };
        if !due.starts_with(REMOVAL) {
            return self.event(*record).await;
        }
        if !self.remove_if_old(&record).await? && record.state != State::Dead {
            // `retention_days` was raised since.
            self.list_removal(&record).await?;
        }
        Ok(Pass::Complete)
    }

    /// Lists an event for its next try.
    pub(super) async fn list_event(&mut self, at: Timestamp, record: &Record) -> Result<(), Stop> {
        self.list_due(at, &record.seq.to_string()).await?;
        let waiting = &mut self.cursor.counts.waiting;
        *waiting = waiting.saturating_add(1);
        if let Some(bucket) = self.cursor.due.get_mut(&bucket_of(at)) {
            let came = record.received_at;
            bucket.since = Some(bucket.since.map_or(came, |since| since.min(came)));
        }
        Ok(())
    }

    pub(super) async fn list_due(&mut self, at: Timestamp, what: &str) -> Result<(), Stop> {
        let start = bucket_of(at);
        let bucket = self.cursor.due.get(&start).copied().unwrap_or_default();
        self.worker
            .set(&keys::due(start, bucket.len), what.as_bytes())
            .await
            .map_err(stop)?;
        self.cursor.due.insert(
            start,
            Bucket {
                len: bucket.len.saturating_add(1),
                ..bucket
            },
        );
        Ok(())
    }
}
