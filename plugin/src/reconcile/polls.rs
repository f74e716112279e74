//! Polls the invoices of shops whose edition has no invoice webhook. What is found becomes an ordinary event.
//!
//! A poll asks for what changed since the last one, newest first. Where KiotViet refuses or ignores that filter,
//! it asks for the sales since yesterday, newest first, until a page of known ones. A slower sweep over three days
//! finds what a till without a connection sends late.

use crate::{
    assumption::Assumption,
    journal::{
        alerts::Cause,
        connection_name::{ConnectionName, Upstream},
        connections::{self, Webhook},
        list_scan::{ListScan, Listing},
        trouble::Trouble,
    },
    kiotviet::{error::KiotVietError, records::Listed},
    reconcile::{
        list_scan::{self, OVERLAP},
        lists::{Here, Looked, Purpose},
        upkeep::{Reconciler, Upkeep},
        webhook_health::{self, GRACE, Seen, WebhookHealth},
    },
    time::Timestamp,
    worker::{pauses, session::Session},
    world::{Clock, Http, StoreError, World},
};
use core::time::Duration;

/// Rows that were found last and are remembered.
const MOST_FOUND: usize = 100;
/// Pages that one poll reads; the next one goes on.
const PAGES_AT_ONCE: usize = 20;
/// By sales, a poll reaches back this far.
const YESTERDAY: Duration = Duration::from_hours(24);
/// A sweep begins this long after the one before.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// The first one begins so long after the switch-on: what filter there is may leave out everything.
const FIRST_SWEEP: Duration = Duration::from_mins(20);
/// A sweep reaches back this far.
const SWEPT: Duration = Duration::from_hours(72);

/// Whether `wait` is over since `then`, give or take a sixth, which a scheduler's drain may come early; also where
/// `then` was written by a clock that was ahead.
fn is_over(then: Option<Timestamp>, wait: Duration, now: Timestamp) -> bool {
    then.is_none_or(|then| {
        let early = wait.saturating_sub(wait / 6);
        now.saturating_since(then) >= early || then.saturating_since(now) > OVERLAP
    })
}

impl<W: World> Reconciler<'_, '_, W> {
    /// Polls each shop whose turn it is.
    pub async fn poll(&mut self) -> Result<(), StoreError> {
        if self.upkeep == Upkeep::None {
            return Ok(());
        }
        let now = self.worker.now();
        let polled: Vec<_> = self.cursor.polled.iter().collect();
        let due = polled.into_iter().filter(|(name, last)| {
            let kiotviet = Upstream::KiotViet(name);
            let rests = pauses::until(&self.cursor.pauses, kiotviet, self.worker).is_some();
            let lists = self.cursor.pauses.lists(name);
            let turn = self.upkeep == Upkeep::Now || is_over(**last, self.ready.poll_every, now);
            turn && !rests && lists.is_none_or(|pause| pause.until <= now)
        });
        let due: Vec<ConnectionName> = due.map(|(name, _)| name.clone()).collect();
        for name in due {
            if self.may_poll(&name) {
                self.poll_shop(&name).await?;
            }
        }
        Ok(())
    }

    async fn poll_shop(&mut self, name: &ConnectionName) -> Result<(), StoreError> {
        let (worker, ready) = (self.worker, self.ready);
        // A connection that cannot be read stops no other one; its own events say so.
        let (Ok(loaded), Ok(switches)) = (
            connections::load(worker, name).await,
            connections::switches(worker, name).await,
        ) else {
            return Ok(());
        };
        let polls = loaded.filter(|connection| connection.polls(Webhook::Order));
        let Some((connection, on_since)) = polls.zip(switches.order) else {
            self.cursor.polled.remove(name);
            return Ok(());
        };
        let before = self.cursor.polled.get(name).copied().flatten();
        self.cursor.polled.insert(name.clone(), Some(worker.now()));
        let mut health = webhook_health::load(worker, name).await?;
        let failed_before = health.order.sound_at < before;
        let done: Result<(), Trouble> = match connection.open(&ready.sealer) {
            Err(e) => Err(e.into()),
            Ok(opened) => {
                let session = Session::new(worker, ready, &connection, &opened);
                match self.poll_of(&session, &mut health, on_since).await? {
                    Ok(()) => self.sweep(&session, &mut health.order, on_since).await?,
                    failed => failed,
                }
                .map_err(Into::into)
            }
        };
        let now = worker.now();
        let seen = &mut health.order;
        match done {
            Ok(()) => {
                if failed_before || seen.active != Some(true) {
                    health.problem = None;
                }
                seen.active = Some(true);
            }
            Err(why) => {
                let lately = seen
                    .sound_at
                    .is_some_and(|at| now.saturating_since(at) < GRACE);
                seen.active = Some(lately);
                health.problem = Some(why);
            }
        }
        webhook_health::save(worker, name, &health).await?;
        if ready.alerts.is_some() {
            let fails = (health.order.active == Some(false)).then_some(now);
            let connection = name.clone();
            let alerts = &mut self.cursor.alerts;
            alerts.set(Cause::PollFails { connection }, fails, health.problem);
        }
        Ok(())
    }

    /// Reads what is new. The inner error is KiotViet's.
    async fn poll_of(
        &mut self,
        session: &Here<'_, '_, W>,
        health: &mut WebhookHealth,
        on_since: Timestamp,
    ) -> Result<Result<(), KiotVietError>, StoreError> {
        let now = self.worker.now();
        let name = &session.connection.name;
        let purpose = Purpose::Polled(on_since);
        let mut scan = match health.order.reading.take() {
            Some(begun) => begun,
            None => begin(&health.order, on_since, now),
        };
        let is_new = scan.offset == 0;
        // Whether sales are asked for because what changed was refused: that may be about all there is.
        let mut on_trial = false;
        // Polls have failed for a while, which a time without any is not.
        let fails_for_long = health.order.active == Some(false);
        let mut failed = Ok(());
        for _ in 0..PAGES_AT_ONCE {
            if scan.done || !self.may_poll(name) {
                break;
            }
            let first = is_new && scan.offset == 0;
            let by_change = scan.listing == Listing::NewestChanges;
            let mut looked = match self.look(session, &mut scan, purpose).await? {
                Ok(looked) => looked,
                Err(e) if by_change && (fails_for_long || is_refused(&e)) => {
                    on_trial = true;
                    scan = by_sales(&scan, now);
                    continue;
                }
                Err(e) => {
                    failed = Err(e);
                    break;
                }
            };
            let unfiltered =
                by_change && first && list_scan::is_unfiltered(&looked.page, scan.from);
            if unfiltered || on_trial {
                on_trial = false;
                health.order.by_sales_since.get_or_insert(now);
                self.worker.saw(Assumption::FnbChanges, false);
            }
            if unfiltered {
                scan = by_sales(&scan, now);
                continue;
            }
            if by_change && !looked.page.items.is_empty() {
                self.worker.saw(Assumption::FnbChanges, true);
            }
            // Its event is made, and tells what came of it.
            let found = &health.order.found;
            looked.missing.retain(|row| !found.contains(&row.state()));
            let ends = is_end(&scan, &looked);
            let by_sales = matches!(scan.listing, Listing::NewestSales { .. });
            if by_sales && !ends && !looked.missing.is_empty() {
                // A crash may come between the rows of this page and the next page.
                health.order.reading = Some(kept(scan.clone()));
                webhook_health::save(self.worker, name, health).await?;
            }
            self.take(session, &mut scan, purpose, &looked).await?;
            remember(&mut health.order.found, &looked);
            scan.done |= ends;
        }
        let seen = &mut health.order;
        if scan.done || mutant!(PollPlaceFirst) {
            seen.read_until = Some(now.min(scan.to));
            seen.sound_at = Some(self.worker.now());
            seen.reading = None;
        } else {
            seen.reading = (!on_trial).then(|| kept(scan));
        }
        Ok(failed)
    }

    /// Reads a page of the sweep, if it is time.
    async fn sweep(
        &mut self,
        session: &Here<'_, '_, W>,
        seen: &mut Seen,
        on_since: Timestamp,
    ) -> Result<Result<(), KiotVietError>, StoreError> {
        let now = self.worker.now();
        let before = SWEEP_EVERY.saturating_sub(SWEEP_EVERY / 6 + FIRST_SWEEP);
        let began = *seen.swept_from.get_or_insert(now.saturating_sub(before));
        // Every second poll at most.
        let pace = self.ready.poll_every.saturating_mul(2);
        if !is_over(seen.swept_at, pace, now) || !self.may_poll(&session.connection.name) {
            return Ok(Ok(()));
        }
        let begun = seen.sweep.take();
        let is_time = is_over(Some(began), SWEEP_EVERY, now) && !mutant!(LateSalesNotSwept);
        if begun.is_none() && !is_time {
            return Ok(Ok(()));
        }
        let mut scan = begun.unwrap_or_else(|| {
            seen.swept_from = Some(now);
            let from = now
                .saturating_sub(SWEPT)
                .max(on_since.saturating_sub(OVERLAP));
            let listing = Listing::NewestSales { until_known: false };
            ListScan::new(Webhook::Order, from, now).by(listing)
        });
        seen.swept_at = Some(now);
        let purpose = Purpose::Polled(on_since);
        let failed = match self.look(session, &mut scan, purpose).await? {
            Ok(looked) => {
                self.take(session, &mut scan, purpose, &looked).await?;
                scan.done |= is_end(&scan, &looked);
                let read = seen.read_until.map(|until| until.saturating_sub(GRACE));
                let passed_over = looked.missing.iter().any(|item| {
                    let is_read = item.changed_at().zip(read).is_some_and(|(at, to)| at < to);
                    is_read && !seen.found.contains(&item.state())
                });
                if seen.by_sales_since.is_none() && passed_over {
                    seen.by_sales_since = Some(now);
                    self.worker.saw(Assumption::FnbChanges, false);
                }
                remember(&mut seen.found, &looked);
                Ok(())
            }
            Err(e) => Err(e),
        };
        seen.sweep = Some(scan).filter(|scan| !scan.done);
        Ok(failed)
    }
}

/// Remembers the rows that were just found, and forgets those that were found long ago.
fn remember(found: &mut Vec<(i64, Option<Timestamp>)>, looked: &Looked) {
    found.retain(|known| looked.missing.iter().all(|row| row.state() != *known));
    found.extend(looked.missing.iter().map(Listed::state));
    found.drain(..found.len().saturating_sub(MOST_FOUND));
}

fn is_refused(error: &KiotVietError) -> bool {
    matches!(error, KiotVietError::Refused { .. })
}

/// The scan of a new poll.
fn begin(seen: &Seen, on_since: Timestamp, now: Timestamp) -> ListScan {
    // While the clock was ahead, records that did not exist yet counted as read.
    let read = seen
        .read_until
        .filter(|until| until.saturating_since(now) <= OVERLAP);
    let from = read
        .unwrap_or(on_since)
        .saturating_sub(GRACE)
        .max(on_since.saturating_sub(OVERLAP));
    let scan = ListScan::new(Webhook::Order, from, now).by(Listing::NewestChanges);
    match seen.by_sales_since {
        None => scan,
        Some(_) => by_sales(&scan, now),
    }
}

/// The same window by sales, from the list's head.
fn by_sales(scan: &ListScan, now: Timestamp) -> ListScan {
    let from = scan.from.min(now.saturating_sub(YESTERDAY));
    ListScan::new(Webhook::Order, from, now).by(Listing::NewestSales { until_known: true })
}

/// A scan that the next poll goes on with. What comes meanwhile stands before what was read, so known rows do not end it
/// any more.
fn kept(mut scan: ListScan) -> ListScan {
    if matches!(scan.listing, Listing::NewestSales { .. }) {
        scan.listing = Listing::NewestSales { until_known: false };
    }
    scan
}

/// Whether nothing further in the list matters, by the rows of a page.
fn is_end(scan: &ListScan, looked: &Looked) -> bool {
    let items = &looked.page.items;
    let from = scan.from.saturating_sub(OVERLAP);
    match scan.listing {
        Listing::Changes => false,
        Listing::NewestChanges => {
            let times: Vec<_> = items.iter().filter_map(Listed::changed_at).collect();
            // An order that was not heeded ends nothing.
            times.len() == items.len()
                && times.is_sorted_by(|newer, older| newer >= older)
                && times.last().is_some_and(|last| *last < from)
        }
        Listing::NewestSales { until_known } => {
            let sorted = items.is_sorted_by(|newer, older| newer.id >= older.id);
            let old = items.iter().all(|item| {
                item.created_at
                    .is_some_and(|at| at < from.saturating_sub(YESTERDAY))
            });
            // The older half of a page.
            let tail = items.iter().skip(items.len() / 2);
            let known = tail.into_iter().all(|item| !looked.missing.contains(item));
            sorted && !items.is_empty() && (old || (until_known && known))
        }
    }
}
