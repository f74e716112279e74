//! Begins and ends a backfill: a person asks for it, and the worker does it.

use crate::{
    journal::{
        backfill::{self, Backfill, State},
        connection_name::ConnectionName,
        connections::{self, Connection, Switches, Webhook},
        list_scan::{ListScan, Listing},
        record::Wanted,
    },
    reconcile::upkeep::Reconciler,
    world::{Clock, StoreError, World},
};

/// The lists that a backfill reads: customers where their webhook is on (R4: alone they push
/// nothing otherwise), then invoices where theirs is.
pub fn scans(switches: Switches, wanted: &Wanted) -> Vec<ListScan> {
    let scan = |webhook| ListScan::new(webhook, wanted.from, wanted.to);
    let on = Webhook::ALL.into_iter();
    let on = on.filter(|webhook| switches.since(*webhook).is_some());
    on.map(scan).collect()
}

/// The scan of a list that is polled goes by sales: what the filter by changes leaves out there is not proven.
pub fn of_its_list(scan: ListScan, connection: &Connection) -> ListScan {
    if !connection.polls(scan.webhook) {
        return scan;
    }
    let listing = Listing::NewestSales { until_known: false };
    ListScan::new(scan.webhook, scan.from, scan.to).by(listing)
}

impl<W: World> Reconciler<'_, '_, W> {
    /// Begins the backfill that a person asked for. If one is running already, or the command is
    /// repeated after a crash, nothing changes.
    pub async fn begin_backfill(&mut self, seq: u64, wanted: &Wanted) -> Result<(), StoreError> {
        let name = &wanted.connection;
        let before = backfill::load(self.worker, name).await?;
        if let Some(ours) = before.as_ref().filter(|b| b.by == seq) {
            self.cursor.backfill_began(name, ours.started_at);
        }
        let busy = before.is_some_and(|b| b.by == seq || b.state == State::Running);
        let switches = connections::switches_or_damage(self.worker, name).await;
        let Ok(switches) = switches? else {
            return Ok(());
        };
        if !busy {
            let job = Backfill {
                wanted: wanted.clone(),
                state: State::Running,
                started_at: self.worker.now(),
                finished_at: None,
                note: None,
                readings: scans(switches, wanted),
                by: seq,
            };
            backfill::save(self.worker, &job).await?;
            self.cursor.backfill_began(name, job.started_at);
        }
        self.begin_scan(name);
        Ok(())
    }

    /// Ends a backfill at a person's command; events that it has queued go on.
    pub async fn stop_backfill(&mut self, name: &ConnectionName) -> Result<(), StoreError> {
        let job = backfill::load(self.worker, name).await?;
        if let Some(mut job) = job.filter(|b| b.state == State::Running) {
            job.state = State::Stopped;
            job.finished_at = Some(self.worker.now());
            backfill::save(self.worker, &job).await?;
        }
        Ok(())
    }
}
