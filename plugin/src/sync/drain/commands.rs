//! People's wishes: retry a dead letter or dismiss it, begin a backfill or end it. They come through
//! the journal like everything else, so only the worker changes a record.

use super::{Drain, Stop, stop};
use crate::sync::{
    accept, journal,
    record::{Command, Entry, Record, State},
    world::{Clock, Store, World},
};

impl<W: World> Drain<'_, '_, W> {
    /// Applies a person's wish. After a crash it may come again: then it is only counted.
    pub(super) async fn command(&mut self, seq: u64, command: Command) -> Result<(), Stop> {
        let target = match &command {
            Command::Retry(target) | Command::Dismiss(target) => *target,
            Command::Backfill(wanted) => return self.begin_backfill(seq, wanted).await,
            Command::StopBackfill(name) => return self.stop_backfill(name).await,
        };
        let Some(mut record) = journal::read_event(self.worker, target)
            .await
            .map_err(stop)?
        else {
            return Ok(());
        };
        let applied = record.commanded_by == Some(seq);
        if record.state != State::Dead && !applied {
            return Ok(());
        }
        if !applied {
            record.commanded_by = Some(seq);
            self.obey(&command, &mut record).await?;
            journal::write_event(self.worker, &record)
                .await
                .map_err(stop)?;
        }
        if record.state.is_final() {
            self.ended(&record).await?;
        } else {
            let at = record.next_attempt_at.unwrap_or_else(|| self.worker.now());
            self.list_event(at, &record).await?;
        }
        // Last, as in `count`.
        self.cursor.counts.dead = self.cursor.counts.dead.saturating_sub(1);
        Ok(())
    }

    /// Whether a wish for `record` was carried out by a worker that crashed before it saved its place,
    /// and this place comes to that wish later: until then the event is the dead letter that it was.
    pub(super) async fn wish_is_ahead(&self, record: &Record) -> Result<bool, Stop> {
        let is_ahead =
            |seq: u64| seq > self.cursor.low || self.cursor.holes.iter().any(|h| h.seq == seq);
        match record.commanded_by {
            Some(wish)
                if self.worker.is_atomic() && is_ahead(wish) && !mutant!(WishCountedTwice) =>
            {
                let entry = journal::read(self.worker, wish).await.map_err(stop)?;
                Ok(matches!(entry, Some(Entry::Command(_))))
            }
            _ => Ok(false),
        }
    }

    async fn obey(&mut self, command: &Command, record: &mut Record) -> Result<(), Stop> {
        let now = self.worker.now();
        match command {
            Command::Dismiss(_) => {
                record.state = State::Dismissed;
                record.finished_at = Some(now);
            }
            Command::Retry(_) if record.whole_delivery => {
                let accepted = accept::accept_again(self.worker, &self.ready.sealer, record)
                    .await
                    .map_err(stop)?;
                match accepted {
                    Ok(remark) => {
                        record.state = State::Dismissed;
                        record.finished_at = Some(now);
                        record.notes.push(remark);
                    }
                    Err(why) => record.notes.push(why),
                }
            }
            Command::Retry(_) => {
                record.state = State::Retrying;
                record.reason = None;
                record.attempts = 0;
                record.finished_at = None;
                record.next_attempt_at = Some(now);
            }
            Command::Backfill(_) | Command::StopBackfill(_) => {}
        }
        Ok(())
    }
}
