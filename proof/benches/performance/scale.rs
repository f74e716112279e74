//! The cost of accepting, draining, showing events and healing after many past events: calls to the
//! store, and time. The plugin runs natively, over a store in memory, in virtual time.

use anyhow::{Result, ensure};
use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, hoa},
};
use std::time::{Duration, Instant};

/// One in this many past events brought a new customer; the others repeated one customer.
const NEW_EVERY: usize = 100;

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Row {
    pub(crate) past_events: usize,
    /// For each action: calls to the store, and microseconds.
    pub(crate) accept: (usize, f64),
    pub(crate) drain: (usize, f64),
    pub(crate) events: (usize, f64),
    pub(crate) heal: (usize, f64),
}

/// Measures after each of these numbers of events.
pub(crate) fn run(past: &[usize]) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    runtime.block_on(rows(past))
}

async fn rows(past: &[usize]) -> Result<Vec<Row>> {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let mut told = 1;
    let mut customers = 1;
    let mut rows = Vec::new();
    for &past_events in past {
        while told < past_events {
            if told % NEW_EVERY == 0 {
                let phone = format!("09{customers:08}");
                shop.kiotviet.create_customer(customer("Khách", &phone));
                customers += 1;
            } else {
                shop.kiotviet.edit_customer(id, |_| {});
            }
            shop.deliver().await;
            told += 1;
            shop.app.take_stored();
        }
        shop.heal().await;
        shop.pass(70).await;
        shop.drain().await;
        let accept = cost(&shop, async |shop| {
            shop.kiotviet.edit_customer(id, |_| {});
            for delivery in shop.kiotviet.take_deliveries() {
                shop.app.answer(shop.kiotviet.request(&delivery)).await;
            }
        });
        let accept = accept.await;
        shop.drain().await;
        let drain = cost(&shop, async |shop| drop(shop.drain().await)).await;
        let events = cost(&shop, async |shop| {
            shop.app.events("limit=50").await;
        });
        let events = events.await;
        let heal = cost(&shop, async |shop| drop(shop.heal().await)).await;
        told += 1;
        rows.push(Row {
            past_events,
            accept,
            drain,
            events,
            heal,
        });
    }
    let in_getfly = shop.in_getfly();
    ensure!(in_getfly == (customers, 0), "{in_getfly:?}");
    Ok(rows)
}

/// Store calls, and the least of several times.
async fn cost(shop: &TestShop, what: impl AsyncFn(&TestShop)) -> (usize, f64) {
    const TIMES: usize = 5;
    // Away from the end of a lease's slot, where the next slot is taken too.
    let into = shop.clock.now().as_second().rem_euclid(30).unsigned_abs();
    shop.pass(32 - into).await;
    shop.app.take_stored();
    what(shop).await;
    let calls = shop.app.take_stored().len();
    let mut least = Duration::MAX;
    for _ in 0..TIMES {
        let began = Instant::now();
        what(shop).await;
        least = least.min(began.elapsed());
        shop.app.take_stored();
    }
    (calls, least.as_secs_f64() * 1e6)
}
