//! People's commands: retry a dead letter or dismiss it, begin a backfill or end it. They come through
//! the journal like everything else, so only the worker changes a record.

use crate::{
    drain::state::Drain,
    intake::accept,
    journal::{
        connections,
        dead_reason::DeadReason,
        entries, links,
        note::Note,
        record::{AccountLink, Command, Entry, Record, Status},
    },
    worker::{answer, dismissed, failure::Stop},
    world::{Clock, World},
};
use core::ops::Range;

impl<W: World> Drain<'_, '_, W> {
    /// Applies a person's command. After a crash it may come again: then it is only counted.
    pub(super) async fn command(&mut self, seq: u64, command: Command) -> Result<(), Stop> {
        let target = match &command {
            Command::Retry(target)
            | Command::Dismiss(target)
            | Command::Expire(target)
            | Command::Answer { event: target, .. } => *target,
            Command::Link(link) => {
                self.link(link).await?;
                link.event
            }
            Command::Backfill(wanted) => {
                self.upkeep().begin_backfill(seq, wanted).await?;
                return Ok(());
            }
            Command::StopBackfill(name) => {
                self.upkeep().stop_backfill(name).await?;
                return Ok(());
            }
            Command::Poll(name) => {
                if self.cursor.polled.get(name).is_none() {
                    self.cursor.polled.insert(name.clone(), None);
                }
                return Ok(());
            }
        };
        let Some(mut record) = entries::read_event(self.worker, target).await? else {
            return Ok(());
        };
        if !self.carry_out(seq, &command, &mut record).await? {
            return Ok(());
        }
        if record.state().is_final() {
            self.ended(&record).await?;
        } else {
            let at = record.status.next_attempt_at();
            let at = at.unwrap_or_else(|| self.worker.now());
            self.list_event(at, &record).await?;
        }
        // Last, as in `count`.
        self.cursor.risen(&record);
        Ok(())
    }

    /// Carries a command out, unless that was done already. False: there is nothing to do, or to count.
    async fn carry_out(
        &mut self,
        seq: u64,
        command: &Command,
        record: &mut Record,
    ) -> Result<bool, Stop> {
        if record.commanded_by == Some(seq) {
            return Ok(true);
        }
        let Status::Dead { reason, .. } = record.status else {
            return Ok(false);
        };
        if matches!(command, Command::Link(_)) && reason != DeadReason::LinkedAccountGone {
            return Ok(false);
        }
        record.commanded_by = Some(seq);
        self.obey(command, record, reason).await?;
        entries::write_event(self.worker, record).await?;
        Ok(true)
    }

    /// Keeps which account a customer is.
    async fn link(&mut self, link: &AccountLink) -> Result<(), Stop> {
        let Some(event) = entries::read_event(self.worker, link.event).await? else {
            return Ok(());
        };
        let Some(connection) = connections::load(self.worker, &event.connection).await? else {
            return Ok(());
        };
        let (retailer, code) = (&connection.retailer, link.account_code.as_ref());
        let now = self.worker.now();
        links::keep(self.worker, retailer, link.customer_id, code, now).await?;
        Ok(())
    }

    /// Carries out those of the commands with these numbers that need no Getfly, although the cursor has
    /// not come to them. When it does it counts them, as it does after a crash.
    pub(super) async fn commands_ahead(&mut self, commands: Range<u64>) -> Result<(), Stop> {
        for seq in commands {
            if !self.is_ahead(seq) {
                continue;
            }
            let entry = entries::read(self.worker, seq).await?;
            let (command, target) = match entry {
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

    /// Does what `command` says with a dead letter, which is one for `reason`.
    async fn obey(
        &mut self,
        command: &Command,
        record: &mut Record,
        reason: DeadReason,
    ) -> Result<(), Stop> {
        let now = self.worker.now();
        let over = Status::Dismissed {
            reason,
            finished_at: now,
        };
        match command {
            Command::Dismiss(_) => {
                dismissed::keep(self.worker, record, reason).await?;
                record.status = over;
            }
            Command::Expire(_) => {
                let finished_at = record.status.finished_at().unwrap_or(now);
                record.status = Status::Dismissed {
                    reason,
                    finished_at,
                };
            }
            Command::Retry(_) if record.whole_delivery => {
                let again = accept::accept_again(self.worker, &self.ready.sealer, record).await?;
                match again {
                    Ok(again) if again.left == 0 => {
                        record.status = over;
                        let events = again.taken;
                        record.notes.push(Note::AcceptedAnew { events });
                    }
                    Ok(accept::Again { taken, left }) => {
                        record.taken = Some(taken);
                        let events = taken;
                        record.notes.push(Note::AcceptedPartly { events, left });
                    }
                    Err(why) => record.notes.push(why),
                }
            }
            Command::Retry(_) | Command::Link(_) => {
                record.queue_again(now);
            }
            Command::Answer { is, .. } if reason == DeadReason::EditOrSale => {
                answer::keep(self.worker, record, *is).await?;
                record.note(Note::Answered { is: *is });
                record.queue_again(now);
            }
            Command::Answer { .. }
            | Command::Backfill(_)
            | Command::StopBackfill(_)
            | Command::Poll(_) => {}
        }
        Ok(())
    }
}
