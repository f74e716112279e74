//! Reading KiotViet's lists, a few records at a time and only when nothing else is due, so that live
//! events never wait long: for what KiotViet did not deliver, and for backfills. What is missing becomes
//! an event like any other.

use crate::{
    drain::{Drain, Stop, Upkeep, event::GETFLY, stop},
    journal::{
        backfill,
        connections::{self, Connection, Switches, Webhook},
        entries,
        record::{Hint, Record, Wanted},
        stats, unfinished,
    },
    kiotviet::{error::KiotVietError, records::Listed},
    log,
    reconcile::{
        list_scan::{self, CALLS_AN_HOUR, ListScan, calls_an_event},
        webhook_health::{self, OVERLAP},
    },
    time::Timestamp,
    worker::{permit::Worker, session::Session},
    world::{Clock, StoreError, World},
};

/// Events made from a list before live ones have their turn again: some seconds' work.
const FED_AT_ONCE: usize = 20;

/// Why a list is read.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    /// For what changed in the window and did not arrive, of what was created since then.
    Missed(Timestamp),
    /// For what was created in the window, whatever its webhook's moment.
    Backfill,
}

type Here<'s, 'w, W> = Session<'s, Worker<'w, W>>;

impl<W: World> Drain<'_, '_, W> {
    /// Reads a little of the next list; false when there is nothing to read now.
    pub(super) async fn read_lists(&mut self) -> Result<bool, Stop> {
        let over = self
            .bounds
            .lists_until
            .is_none_or(|until| self.worker.now() >= until);
        if self.bounds.upkeep == Upkeep::None || over || self.paused_until(GETFLY).is_some() {
            return Ok(false);
        }
        for name in self.cursor.reading.clone() {
            if self.paused_until(&name).is_some() || self.calls_left(&name) == 0 {
                continue;
            }
            let Some(more) = self.read_of(&name).await? else {
                continue;
            };
            self.cursor.reading.retain(|n| *n != name);
            if more {
                // To the end: every shop has its turn.
                self.cursor.reading.push(name);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn this_hour(&self) -> i64 {
        self.worker.now().as_second().div_euclid(3600)
    }

    fn calls_left(&self, name: &str) -> u64 {
        let spent = self.cursor.pace.get(name).copied();
        let spent = spent.filter(|(hour, _)| *hour == self.this_hour());
        CALLS_AN_HOUR.saturating_sub(spent.map_or(0, |(_, calls)| calls))
    }

    fn spend(&mut self, name: &str, calls: u64) {
        let spent = CALLS_AN_HOUR.saturating_sub(self.calls_left(name));
        let hour = self.this_hour();
        self.cursor
            .pace
            .insert(name.to_owned(), (hour, spent.saturating_add(calls)));
    }

    /// Reads a little of what is to be read of this connection; false when that is nothing, none when the
    /// connection cannot be read now: nobody else would remember that there is a backfill.
    async fn read_of(&mut self, name: &str) -> Result<Option<bool>, Stop> {
        let (worker, ready) = (self.worker, self.ready);
        let (Ok(loaded), Ok(switches)) = (
            connections::load(worker, name).await,
            connections::switches(worker, name).await,
        ) else {
            return Ok(None);
        };
        let Some(connection) = loaded else {
            return Ok(Some(false));
        };
        let Ok(opened) = connection.open(&ready.sealer) else {
            return Ok(None);
        };
        let session = Session::new(worker, ready, &connection, &opened);
        if self.read_missed(&session, switches).await? {
            return Ok(Some(true));
        }
        self.read_backfill(&session).await.map(Some)
    }

    async fn read_missed(
        &mut self,
        session: &Here<'_, '_, W>,
        switches: Switches,
    ) -> Result<bool, Stop> {
        let name = &session.connection.name;
        let mut watch = webhook_health::load(session.world, name)
            .await
            .map_err(stop)?;
        for webhook in Webhook::ALL {
            let (Some(on_since), Some(mut reading)) =
                (switches.since(webhook), watch.of(webhook).reading.clone())
            else {
                continue;
            };
            let before = reading.queued;
            let read = self
                .page(session, &mut reading, Purpose::Missed(on_since))
                .await?;
            let missed = reading.queued.saturating_sub(before);
            let seen = watch.of_mut(webhook);
            if missed > 0 {
                seen.missed_at = Some(self.worker.now());
                let back = &mut self.cursor.stats.read_back;
                stats::add(back, name.clone(), missed);
                log::read_back(self.worker, name, missed);
            }
            if reading.done {
                seen.read_until = Some(reading.to.min(self.worker.now()));
            }
            seen.reading = Some(reading).filter(|r| !r.done);
            if let Err(e) = read {
                watch.problem = Some(e.to_string());
            }
            webhook_health::save(session.world, name, &watch)
                .await
                .map_err(stop)?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn read_backfill(&mut self, session: &Here<'_, '_, W>) -> Result<bool, Stop> {
        let loaded = backfill::load(session.world, &session.connection.name).await;
        let Some(mut job) = loaded
            .map_err(stop)?
            .filter(|job| job.state == backfill::State::Running)
        else {
            return Ok(false);
        };
        match job.readings.iter_mut().find(|r| !r.done) {
            Some(reading) => {
                let read = self.page(session, reading, Purpose::Backfill).await?;
                job.note = read.err().map(|e| e.to_string());
            }
            None => {
                job.state = backfill::State::Done;
                job.finished_at = Some(self.worker.now());
            }
        }
        backfill::save(session.world, &job).await.map_err(stop)?;
        Ok(true)
    }

    /// Reads a page, or the part of it that makes enough events. An error of KiotViet's is the inner
    /// one; the connection is then left alone for a while.
    async fn page(
        &mut self,
        session: &Here<'_, '_, W>,
        reading: &mut ListScan,
        purpose: Purpose,
    ) -> Result<Result<(), KiotVietError>, Stop> {
        let name = &session.connection.name;
        self.spend(name, 1);
        let page = match list_scan::page(session, reading).await {
            Ok(page) => page,
            Err(e) => {
                self.pause_after(name, &e);
                return Ok(Err(e));
            }
        };
        self.cursor.pauses.remove(name.as_str());
        let mut looked_at = 0_u64;
        let mut missing = Vec::new();
        for item in &page.items {
            if missing.len() >= FED_AT_ONCE {
                break;
            }
            looked_at = looked_at.saturating_add(1);
            if !is_wanted(reading, purpose, item) {
                continue;
            }
            reading.listed = reading.listed.saturating_add(1);
            let backfill = matches!(purpose, Purpose::Backfill);
            let known = list_scan::is_known(
                session.world,
                session.connection,
                reading.webhook,
                item,
                backfill,
            );
            if known.await.map_err(stop)? {
                reading.known = reading.known.saturating_add(1);
            } else {
                missing.push(item);
            }
        }
        self.feed(session.connection, reading, purpose, &missing)
            .await
            .map_err(stop)?;
        reading.total = page.total;
        let whole = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
        match page.next_offset {
            _ if looked_at < whole => reading.offset = reading.offset.saturating_add(looked_at),
            Some(next) => reading.offset = next,
            None => reading.done = true,
        }
        Ok(Ok(()))
    }

    async fn feed(
        &mut self,
        connection: &Connection,
        reading: &mut ListScan,
        purpose: Purpose,
        missing: &[&Listed],
    ) -> Result<(), StoreError> {
        if missing.is_empty() {
            return Ok(());
        }
        let now = self.worker.now();
        let (since, remark) = match purpose {
            Purpose::Missed(_) => (None, "read back: KiotViet had not delivered it"),
            Purpose::Backfill => (Some(reading.from), "from a backfill"),
        };
        let mut seq = entries::reserve(self.worker, missing.len()).await?;
        for item in missing {
            let kind = reading.webhook.kind();
            let code = Some(&item.code).filter(|c| (1..=100).contains(&c.len()));
            let key = match (reading.webhook, code) {
                (Webhook::Order, Some(code)) => code.clone(),
                _ => item.id.to_string(),
            };
            let mut record = Record::new(seq, now, &connection.name, kind, key);
            record.hint = Some(Hint {
                id: item.id,
                code: code.cloned(),
                since,
            });
            record.notes.push(remark.to_owned());
            // Its mark first: read again after a crash, it is passed over.
            unfinished::mark(self.worker, &mut record).await?;
            entries::write_event(self.worker, &record).await?;
            seq = seq.saturating_add(1);
            reading.queued = reading.queued.saturating_add(1);
            self.spend(&connection.name, calls_an_event(reading.webhook));
        }
        Ok(())
    }

    /// A person wants a backfill. One that is running already, or the same wish again after a crash,
    /// changes nothing.
    pub(super) async fn begin_backfill(&mut self, seq: u64, wanted: &Wanted) -> Result<(), Stop> {
        let name = &wanted.connection;
        let before = backfill::load(self.worker, name).await.map_err(stop)?;
        let busy = before.is_some_and(|b| b.by == seq || b.state == backfill::State::Running);
        let switches = connections::switches_or_damage(self.worker, name).await;
        let Ok(switches) = switches.map_err(stop)? else {
            return Ok(());
        };
        if !busy {
            let job = backfill::Backfill {
                wanted: wanted.clone(),
                state: backfill::State::Running,
                started_at: self.worker.now(),
                finished_at: None,
                note: None,
                readings: backfill::readings(switches, wanted),
                by: seq,
            };
            backfill::save(self.worker, &job).await.map_err(stop)?;
        }
        self.begin_reading(name);
        Ok(())
    }

    /// A person ends a backfill; what it has queued goes on.
    pub(super) async fn stop_backfill(&mut self, name: &str) -> Result<(), Stop> {
        let job = backfill::load(self.worker, name).await.map_err(stop)?;
        if let Some(mut job) = job.filter(|b| b.state == backfill::State::Running) {
            job.state = backfill::State::Stopped;
            job.finished_at = Some(self.worker.now());
            backfill::save(self.worker, &job).await.map_err(stop)?;
        }
        Ok(())
    }
}

fn is_wanted(reading: &ListScan, purpose: Purpose, item: &Listed) -> bool {
    match purpose {
        Purpose::Backfill => list_scan::is_in_backfill(reading, item),
        Purpose::Missed(on_since) => {
            let from = reading.from.checked_sub(OVERLAP).unwrap_or(reading.from);
            let changed = item.modified_at.or(item.created_at);
            let is_new = item.created_at.is_none_or(|created| created >= on_since);
            is_new && !item.cancelled && changed.is_none_or(|at| from <= at && at <= reading.to)
        }
    }
}
