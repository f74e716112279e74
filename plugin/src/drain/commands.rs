//! People's wishes: retry a dead letter or dismiss it, begin a backfill or end it. They come through
//! the journal like everything else, so only the worker changes a record.

use crate::{
    drain::state::Drain,
    intake::accept,
    journal::{
        entries,
        record::{Command, Entry, Record, State},
    },
    worker::failure::Stop,
    world::{Clock, World},
};
use core::ops::Range;

impl<W: World> Drain<'_, '_, W> {
    /// Applies a person's wish. After a crash it may come again: then it is only counted.
    pub(super) async fn command(&mut self, seq: u64, command: Command) -> Result<(), Stop> {
        let target = match &command {
            Command::Retry(target) | Command::Dismiss(target) => *target,
            Command::Backfill(wanted) => {
                self.upkeep().begin_backfill(seq, wanted).await?;
                return Ok(());
            }
            Command::StopBackfill(name) => {
                self.upkeep().stop_backfill(name).await?;
                return Ok(());
            }
        };
        let Some(mut record) = entries::read_event(self.worker, target).await? else {
            return Ok(());
        };
        if !self.carry_out(seq, &command, &mut record).await? {
            return Ok(());
        }
        if record.state.is_final() {
            self.ended(&record).await?;
        } else {
            let at = record.next_attempt_at.unwrap_or_else(|| self.worker.now());
            self.list_event(at, &record).await?;
        }
        // Last, as in `count`.
        self.cursor.risen(target);
        Ok(())
    }

    /// Carries a wish out, unless that was done already. False: there is nothing to do, or to count.
    async fn carry_out(
        &mut self,
        seq: u64,
        command: &Command,
        record: &mut Record,
    ) -> Result<bool, Stop> {
        if record.commanded_by == Some(seq) {
            return Ok(true);
        }
        if record.state != State::Dead {
            return Ok(false);
        }
        record.commanded_by = Some(seq);
        self.obey(command, record).await?;
        entries::write_event(self.worker, record).await?;
        Ok(true)
    }

    /// Carries out those of the wishes with these numbers that need no Getfly, although the place has
    /// not come to them. When it does it counts them, as it does after a crash.
    pub(super) async fn wishes_ahead(&mut self, wishes: Range<u64>) -> Result<(), Stop> {
        for seq in wishes {
            if !self.is_ahead(seq) {
                continue;
            }
            let wish = entries::read(self.worker, seq).await?;
            let (command, target) = match wish {
                Some(Entry::Command(
                    command @ (Command::Retry(target) | Command::Dismiss(target)),
                )) => (command, target),
                _ => continue,
            };
            let event = entries::read_event(self.worker, target).await;
            let Some(mut record) = event? else {
                continue;
            };
            if record.whole_delivery || matches!(command, Command::Dismiss(_)) {
                self.carry_out(seq, &command, &mut record).await?;
            }
        }
        Ok(())
    }

    async fn obey(&mut self, command: &Command, record: &mut Record) -> Result<(), Stop> {
        let now = self.worker.now();
        match command {
            Command::Dismiss(_) => {
                record.state = State::Dismissed;
                record.finished_at = Some(now);
            }
            Command::Retry(_) if record.whole_delivery => {
                let accepted =
                    accept::accept_again(self.worker, &self.ready.sealer, record).await?;
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
