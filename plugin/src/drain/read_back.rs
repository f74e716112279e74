//! Whether the total that Getfly computed for an order is what was sent: read in idle time, of a tenant's first orders and
//! of some later ones, so that no sale waits for it.

use crate::{
    assumption::Assumption,
    drain::state::Drain,
    getfly::{client::Getfly, error::GetflyError},
    journal::{
        entries,
        note::Note,
        record::{ReadBack, Record},
    },
    reconcile::upkeep::Upkeep,
    worker::failure::Stop,
    world::{Clock, Http, HttpError, World},
};
use core::time::Duration;

/// An order is this old before it is read: it must not be in the way of what comes with it.
const OLD_ENOUGH: Duration = Duration::from_secs(600);
/// An order that cannot be read for so long is read no more.
const TOO_OLD: Duration = Duration::from_hours(24);
/// Orders that wait; further ones are not read.
const MOST: usize = 30;

impl<W: World> Drain<'_, '_, W> {
    /// The order of this event, which is done, is read back later where that is owed.
    pub(super) fn owe_read_back(&mut self, record: &Record) {
        let owed = matches!(record.read_back, Some(ReadBack::Owed { .. }));
        let waits = &mut self.cursor.read_back;
        if owed && waits.len() < MOST && !waits.iter().any(|(seq, _)| *seq == record.seq) {
            waits.push((record.seq, self.worker.now()));
        }
    }

    /// Reads back the orders that are old enough, where the drain also does upkeep. What Getfly does not answer is asked
    /// by a later drain, for a day.
    pub(super) async fn read_orders_back(&mut self) -> Result<(), Stop> {
        if self.bounds.upkeep == Upkeep::None {
            return Ok(());
        }
        while let Some((seq, since)) = self.cursor.read_back.first().copied() {
            if self.worker.now().saturating_since(since) < OLD_ENOUGH {
                return Ok(());
            }
            if let Some(mut record) = entries::read_event(self.worker, seq).await?
                && let Some(ReadBack::Owed { ours }) = record.read_back.clone()
            {
                match self.total(&record).await {
                    Err(GetflyError::Unreachable(HttpError::LeaseEnded)) => {
                        return Err(Stop::LeaseEndedBeforeGetfly);
                    }
                    Err(_) if self.worker.now().saturating_since(since) < TOO_OLD => {
                        // It may be this one alone: another drain begins with the next.
                        self.cursor.read_back.rotate_left(1);
                        return Ok(());
                    }
                    Err(_) => {}
                    Ok(total) => {
                        self.compare(&mut record, &ours, total);
                        entries::write_event(self.worker, &record).await?;
                    }
                }
            }
            self.cursor.read_back.retain(|(owed, _)| *owed != seq);
        }
        Ok(())
    }

    async fn total(&self, record: &Record) -> Result<Option<String>, GetflyError> {
        let Some(code) = &record.order_code else {
            return Ok(None);
        };
        let getfly = Getfly {
            http: self.worker,
            origin: &self.ready.getfly_url,
            api_key: &self.ready.getfly_api_key,
        };
        let order = getfly.order_by_code(code).await?;
        Ok(order.and_then(|order| order.total).map(|t| t.to_string()))
    }

    fn compare(&self, record: &mut Record, ours: &str, total: Option<String>) {
        record.read_back = None;
        // An order that people have deleted, or whose total Getfly does not tell, shows nothing.
        let Some(getfly) = total else {
            return;
        };
        self.worker.saw(Assumption::OrderTotal, getfly == ours);
        if getfly != ours {
            record.note(Note::TotalDiffers {
                getfly: getfly.clone(),
                ours: ours.to_owned(),
            });
        }
        record.read_back = Some(ReadBack::Read { total: getfly });
    }
}
