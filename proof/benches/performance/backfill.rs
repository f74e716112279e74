//! A backfill of customers from before the connection: the component as WebAssembly, under the
//! default rate limit towards Getfly. It is drained as `kvgf up` does it, every minute or as soon
//! as the last drain has ended. Time is virtual, so that days pass in minutes. Vendors answer at
//! once and the store is memory.

use crate::processor;
use anyhow::{Result, ensure};
use host_test::{
    admin::Admin,
    harness::{Outcome, START},
    shop::WasmShop,
    shop::{CONNECTION, On, customer},
    stores::{Asked, Counting},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sim::Call;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::MissedTickBehavior;

/// The time between two customers before the connection.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// The most drains; a backfill that needs more never ends.
const DRAINS: usize = 100_000;

/// One line of the table.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub(crate) struct Row {
    pub(crate) customers: usize,
    /// Accounts in Getfly afterwards, none of them double: as many as customers.
    pub(crate) accounts: usize,
    /// How long it would take by the clock.
    pub(crate) hours: f64,
    /// The drains besides the one after the request itself.
    pub(crate) drains: usize,
    pub(crate) kiotviet_calls: usize,
    /// The most of them in any sixty minutes; KiotViet allows 5,000.
    pub(crate) kiotviet_calls_an_hour: usize,
    pub(crate) getfly_calls: usize,
    pub(crate) store_reads: usize,
    pub(crate) store_writes: usize,
    pub(crate) lease_calls: usize,
    pub(crate) bytes_written: usize,
    pub(crate) fuel: u64,
    /// Peak of an instance's memory, bytes.
    pub(crate) guest_memory: usize,
    /// Processor time of everything, with host and simulated vendors; none if the system does not
    /// say.
    pub(crate) processor_seconds: Option<f64>,
    /// How long the measurement took.
    pub(crate) seconds: f64,
}

/// A backfill of each of these numbers of customers.
pub(crate) fn run(customers: &[usize]) -> Result<Vec<Row>> {
    let rows = customers.iter().map(|customers| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()?;
        let row = runtime.block_on(backfill(*customers))?;
        eprintln!("{row:?}");
        Ok(row)
    });
    rows.collect()
}

async fn backfill(customers: usize) -> Result<Row> {
    let store = Arc::new(Counting::default());
    let shop = WasmShop::in_wasm(|builder| builder.store(store.clone()))?;
    let began_at = a_past(&shop, customers)?;
    shop.connect_with(On::Customers).await;

    let path = format!("connections/{CONNECTION}/backfill");
    let (began, began_here) = (tokio::time::Instant::now(), Instant::now());
    let processor_before = processor::time();
    store.take();
    let mut row = Row {
        customers,
        ..Row::default()
    };
    let wanted = json!({ "from": began_at });
    let asked = shop.app.measured("POST", &path, &wanted).await;
    ensure!(asked.status == 202, "{}", asked.json());
    row.add(&asked, store.take());
    let mut turns = tokio::time::interval(Duration::from_secs(60));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let drained = shop.app.measured("POST", "drain", &json!(null)).await;
        row.drains += 1;
        row.add(&drained, store.take());
        let drained = drained.json();
        ensure!(drained.get("stopped").is_none(), "{drained}");
        let (_, state) = shop.app.backfill_state(CONNECTION).await;
        store.take();
        shop.app.take_calls();
        if state["state"] == "done" && drained["waiting"] == 0 {
            break;
        }
        ensure!(row.drains < DRAINS, "it does not end: {state}");
    }
    row.hours = began.elapsed().as_secs_f64() / 3600.0;
    row.seconds = began_here.elapsed().as_secs_f64();
    let spent = processor_before.zip(processor::time());
    row.processor_seconds = spent.map(|(before, after)| (after - before).as_secs_f64());

    let kiotviet = shop.kiotviet.calls();
    row.kiotviet_calls = kiotviet.len();
    row.kiotviet_calls_an_hour = most_within(&kiotviet, SignedDuration::from_hours(1));
    row.getfly_calls = shop.getfly.calls().len();
    let accounts = shop.getfly.accounts();
    row.accounts = accounts.len();
    let codes: BTreeSet<_> = accounts.iter().map(|a| &a.account_code).collect();
    ensure!(
        (accounts.len(), codes.len()) == (customers, customers),
        "{} accounts with {} codes for {customers} customers",
        accounts.len(),
        codes.len()
    );
    Ok(row)
}

impl Row {
    fn add(&mut self, outcome: &Outcome, asked: Asked) {
        self.fuel += outcome.finished.fuel;
        self.guest_memory = self.guest_memory.max(outcome.finished.memory);
        self.store_reads += asked.reads;
        self.store_writes += asked.writes;
        self.lease_calls += asked.lease;
        self.bytes_written += asked.bytes;
    }
}

/// Creates customers with a phone and an e-mail of their own, none of them delivered; returns when
/// the first was created.
fn a_past(shop: &WasmShop, customers: usize) -> Result<Timestamp> {
    let start: Timestamp = START.parse()?;
    let first = start.checked_sub(EVERY * i32::try_from(customers)?)?;
    let mut created_at = first;
    for number in 0..customers {
        let mut new = customer("Khách", &format!("09{number:08}"));
        new.email = Some(format!("khach{number}@example.vn"));
        new.created_at = Some(created_at);
        shop.kiotviet.create_customer(new);
        created_at = created_at.checked_add(EVERY)?;
    }
    Ok(first)
}

/// The most calls whose first and last are less than this apart.
pub(crate) fn most_within(calls: &[Call], time: SignedDuration) -> usize {
    let (mut window, mut most) = (VecDeque::new(), 0);
    for call in calls {
        window.push_back(call.at);
        while window
            .front()
            .is_some_and(|first| call.at.duration_since(*first) >= time)
        {
            window.pop_front();
        }
        most = most.max(window.len());
    }
    most
}
