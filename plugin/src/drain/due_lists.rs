//! What is due later: lists of events by the time from which they are read, and how far each is read. An event's
//! number stands in one until its next attempt, or until its removal.

use crate::{
    drain::{due::Due, state::Drain},
    journal::{cursor::Bucket, keys, record::Record},
    time::Timestamp,
    worker::failure::Stop,
    world::{Clock, Store, World},
};

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

    /// Lists an event for its next attempt.
    pub(super) async fn list_event(&mut self, at: Timestamp, record: &Record) -> Result<(), Stop> {
        self.list_due(at, Due::Attempt(record.seq)).await?;
        let waiting = &mut self.cursor.counts.waiting;
        *waiting = waiting.saturating_add(1);
        if let Some(bucket) = self.cursor.due.get_mut(&at.as_second()) {
            let came = record.received_at;
            bucket.since = Some(bucket.since.map_or(came, |since| since.min(came)));
        }
        Ok(())
    }

    pub(super) async fn list_due(&mut self, at: Timestamp, due: Due) -> Result<(), Stop> {
        let start = at.as_second();
        let bucket = self.cursor.due.get(&start).copied().unwrap_or_default();
        self.worker
            .set(&keys::due(start, bucket.len), due.to_string().as_bytes())
            .await?;
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
