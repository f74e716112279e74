//! Scans KiotViet's lists, a few records at a time and only when nothing else is due, so that live
//! events never wait long: for what KiotViet did not deliver, and for backfills. A missing record
//! becomes an event like any other.

use crate::{
    assumption::Assumption,
    journal::{
        backfill,
        connection_name::{ConnectionName, Upstream},
        connections::{self, Connection, Switches, Webhook},
        entries,
        list_scan::{ListScan, Listing},
        note::Note,
        record::{Hint, Record},
        stats,
        trouble::Trouble,
        unfinished,
    },
    kiotviet::{client::Page, error::KiotVietError, records::Listed},
    log,
    reconcile::{
        backfill::of_its_list,
        list_scan::{self, CALLS_AN_HOUR, OVERLAP, calls_an_event},
        upkeep::{Reconciler, Upkeep},
        webhook_health,
    },
    time::Timestamp,
    worker::{pauses, permit::Worker, session::Session},
    world::{Clock, Http, StoreError, World},
};

/// How many events are made from a list before live ones have their turn again: some seconds' work.
const FED_AT_ONCE: usize = 20;

/// Why a list is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// What changed in the window and did not arrive, among records created since this moment.
    Missed(Timestamp),
    /// What was created in the window, whenever its webhook was switched on.
    Backfill,
    /// What is new in an edition without a webhook, among records created since this moment.
    Polled(Timestamp),
}

/// A page that was looked at.
pub(super) struct Looked {
    /// The page.
    pub(super) page: Page,
    /// How many of its rows were looked at.
    rows: u64,
    /// Those of them that are to become events.
    pub(super) missing: Vec<Listed>,
}

pub(super) type Here<'s, 'w, W> = Session<'s, Worker<'w, W>>;

impl<W: World> Reconciler<'_, '_, W> {
    /// Reads a little of the next list; false if there is nothing to read now.
    pub async fn read_lists(&mut self) -> Result<bool, StoreError> {
        let over = self
            .lists_until
            .is_none_or(|until| self.worker.now() >= until);
        if self.upkeep == Upkeep::None
            || over
            || pauses::until(&self.cursor.pauses, Upstream::Getfly, self.worker).is_some()
        {
            return Ok(false);
        }
        for name in self.cursor.reading.clone() {
            let kiotviet = Upstream::KiotViet(&name);
            let now = self.worker.now();
            let lists = self.cursor.pauses.lists(&name);
            if pauses::until(&self.cursor.pauses, kiotviet, self.worker).is_some()
                || lists.is_some_and(|pause| pause.until > now)
                || self.calls_left(&name) == 0
            {
                continue;
            }
            let Some(more) = self.read_of(&name).await? else {
                continue;
            };
            self.cursor.reading.retain(|n| *n != name);
            if more {
                // It moves to the end, so that every shop has its turn.
                self.cursor.reading.push(name);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn this_hour(&self) -> i64 {
        self.worker.now().as_second().div_euclid(3600)
    }

    fn spent(&self, name: &ConnectionName) -> u64 {
        let spent = self.cursor.pace.get(name).copied();
        let spent = spent.filter(|(hour, _)| *hour == self.this_hour());
        spent.map_or(0, |(_, calls)| calls)
    }

    fn calls_left(&self, name: &ConnectionName) -> u64 {
        CALLS_AN_HOUR.saturating_sub(self.spent(name))
    }

    /// Whether a shop may be polled once more: what nobody waits for leaves polls their share.
    pub(super) fn may_poll(&self, name: &ConnectionName) -> bool {
        self.spent(name) < CALLS_AN_HOUR.saturating_add(list_scan::POLLS_AN_HOUR)
    }

    fn spend(&mut self, name: &ConnectionName, calls: u64) {
        let spent = self.spent(name);
        let hour = self.this_hour();
        self.cursor
            .pace
            .insert(name.clone(), (hour, spent.saturating_add(calls)));
    }

    /// Reads a little of this connection's lists; false if there is nothing to read, none if the
    /// connection cannot be read now. It must then stay in the cursor, which alone remembers that
    /// there is a backfill.
    async fn read_of(&mut self, name: &ConnectionName) -> Result<Option<bool>, StoreError> {
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
    ) -> Result<bool, StoreError> {
        let name = &session.connection.name;
        let mut health = webhook_health::load(session.world, name).await?;
        for webhook in Webhook::ALL {
            let (Some(on_since), Some(mut scan), false) = (
                switches.since(webhook),
                health.of(webhook).reading.clone(),
                session.connection.polls(webhook),
            ) else {
                continue;
            };
            let before = scan.queued;
            let read = self
                .turn(session, &mut scan, Purpose::Missed(on_since))
                .await?;
            let missed = scan.queued.saturating_sub(before);
            let seen = health.of_mut(webhook);
            if missed > 0 {
                seen.missed_at = Some(self.worker.now());
                let back = &mut self.cursor.stats.read_back;
                stats::add(back, name.clone(), missed);
                log::read_back(self.worker, name.as_str(), missed);
            }
            if scan.done {
                seen.read_until = Some(scan.to.min(self.worker.now()));
            }
            seen.reading = Some(scan).filter(|r| !r.done);
            if let Err(e) = read {
                health.problem = Some(e.into());
            }
            webhook_health::save(session.world, name, &health).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn read_backfill(&mut self, session: &Here<'_, '_, W>) -> Result<bool, StoreError> {
        let loaded = backfill::load(session.world, &session.connection.name).await;
        let Some(mut job) = loaded?.filter(|job| job.state == backfill::State::Running) else {
            return Ok(false);
        };
        match job.readings.iter_mut().find(|r| !r.done) {
            Some(scan) => {
                if scan.listing == Listing::Changes {
                    *scan = of_its_list(scan.clone(), session.connection);
                }
                let read = self.turn(session, scan, Purpose::Backfill).await?;
                job.note = read.err().map(Trouble::from);
            }
            None => {
                job.state = backfill::State::Done;
                job.finished_at = Some(self.worker.now());
            }
        }
        backfill::save(session.world, &job).await?;
        Ok(true)
    }

    /// Reads a page, or the part of it that makes enough events. The inner error is KiotViet's; the
    /// connection is then left alone for a while.
    async fn turn(
        &mut self,
        session: &Here<'_, '_, W>,
        scan: &mut ListScan,
        purpose: Purpose,
    ) -> Result<Result<(), KiotVietError>, StoreError> {
        Ok(match self.look(session, scan, purpose).await? {
            Ok(page) => Ok(self.take(session, scan, purpose, &page).await?),
            Err(e) => Err(e),
        })
    }

    /// Reads a page and finds what is missing. What comes of it is kept by [`Self::take`]. Errors as for a turn.
    pub(super) async fn look(
        &mut self,
        session: &Here<'_, '_, W>,
        scan: &mut ListScan,
        purpose: Purpose,
    ) -> Result<Result<Looked, KiotVietError>, StoreError> {
        let name = &session.connection.name;
        self.spend(name, 1);
        let page = match list_scan::page(session, scan).await {
            Ok(page) => page,
            Err(e) => {
                pauses::pause_lists(&mut self.cursor.pauses, name, &e, self.worker.now());
                return Ok(Err(e));
            }
        };
        self.cursor.pauses.set_lists(name, None);
        if scan.listing == Listing::Changes && !page.items.is_empty() {
            let holds = !list_scan::is_unfiltered(&page, scan.from);
            self.worker.saw(Assumption::ListedChanges, holds);
        }
        let mut rows = 0_u64;
        let mut missing = Vec::new();
        for item in &page.items {
            // What is polled is live.
            if missing.len() >= FED_AT_ONCE && !matches!(purpose, Purpose::Polled(_)) {
                break;
            }
            rows = rows.saturating_add(1);
            if !is_wanted(scan, purpose, item) {
                if tells(scan, purpose, item)
                    && list_scan::tells_cancellation(session, item).await?
                {
                    missing.push(item.clone());
                }
                continue;
            }
            scan.listed = scan.listed.saturating_add(1);
            let backfill = matches!(purpose, Purpose::Backfill);
            let known = list_scan::is_known(
                session.world,
                session.connection,
                scan.webhook,
                item,
                backfill,
            );
            if known.await? {
                scan.known = scan.known.saturating_add(1);
            } else {
                missing.push(item.clone());
            }
        }
        Ok(Ok(Looked {
            page,
            rows,
            missing,
        }))
    }

    /// Makes events of what is missing; the scan then stands behind it.
    pub(super) async fn take(
        &mut self,
        session: &Here<'_, '_, W>,
        scan: &mut ListScan,
        purpose: Purpose,
        looked: &Looked,
    ) -> Result<(), StoreError> {
        self.feed(session.connection, scan, purpose, &looked.missing)
            .await?;
        scan.total = looked.page.total;
        let whole = u64::try_from(looked.page.items.len()).unwrap_or(u64::MAX);
        match looked.page.next_offset {
            _ if looked.rows < whole => scan.offset = scan.offset.saturating_add(looked.rows),
            Some(next) => scan.offset = next,
            None => scan.done = true,
        }
        Ok(())
    }

    async fn feed(
        &mut self,
        connection: &Connection,
        scan: &mut ListScan,
        purpose: Purpose,
        missing: &[Listed],
    ) -> Result<(), StoreError> {
        if missing.is_empty() {
            return Ok(());
        }
        let now = self.worker.now();
        let (since, note) = match purpose {
            Purpose::Missed(_) => (None, Some(Note::ReadBack)),
            Purpose::Backfill => (Some(scan.from), Some(Note::FromBackfill)),
            Purpose::Polled(_) => (None, None),
        };
        let mut seq = entries::reserve(self.worker, missing.len()).await?;
        for item in missing {
            let kind = scan.webhook.kind();
            let code = Some(&item.code).filter(|c| (1..=100).contains(&c.len()));
            let key = match (scan.webhook, code) {
                (Webhook::Order, Some(code)) => code.clone(),
                _ => item.id.to_string(),
            };
            let mut record = Record::new(seq, now, &connection.name, kind, key);
            record.hint = Some(Hint {
                id: item.id,
                code: code.cloned(),
                since,
                cancelled: item.cancelled,
            });
            if let Some(note) = &note {
                record.note(note.clone());
            }
            // Its mark is written first: a page that is read again after a crash passes it over.
            unfinished::mark(self.worker, &mut record).await?;
            entries::write_event(self.worker, &record).await?;
            seq = seq.saturating_add(1);
            scan.queued = scan.queued.saturating_add(1);
            if !matches!(purpose, Purpose::Polled(_)) {
                self.spend(&connection.name, calls_an_event(scan.webhook));
            }
        }
        Ok(())
    }
}

/// Whether it may tell that a sale was cancelled after its order: only what changed lately does, so that none is told
/// for ever.
fn tells(scan: &ListScan, purpose: Purpose, item: &Listed) -> bool {
    let from = scan.from.saturating_sub(OVERLAP);
    matches!(purpose, Purpose::Polled(_))
        && item.cancelled
        && item.modified_at.is_some_and(|at| from <= at)
}

fn is_wanted(scan: &ListScan, purpose: Purpose, item: &Listed) -> bool {
    match purpose {
        Purpose::Backfill => list_scan::is_in_backfill(scan, item),
        Purpose::Missed(on_since) | Purpose::Polled(on_since) => {
            let from = scan.from.saturating_sub(OVERLAP);
            let changed = item.changed_at();
            let is_new = item.created_at.is_none_or(|created| created >= on_since);
            let in_window = match (purpose, scan.listing) {
                (Purpose::Missed(_), _) => changed.is_none_or(|at| from <= at && at <= scan.to),
                (_, Listing::NewestSales { .. }) => true,
                _ => changed.is_none_or(|at| from <= at),
            };
            is_new && !item.cancelled && in_window
        }
    }
}
