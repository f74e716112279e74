//! What accepting, draining, looking at events and healing cost after so many past events: calls to the
//! store, and time. The plugin natively, over a store in memory, in virtual time.

use anyhow::{Result, ensure};
use host_test::scene::{On, Scene, customer, hoa};
use std::time::{Duration, Instant};

/// One of so many past events brought a new customer; the others told one customer again.
const NEW_EVERY: usize = 100;

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Row {
    pub(crate) past_events: usize,
    /// By what was done: calls to the store, and microseconds.
    pub(crate) accept: (usize, f64),
    pub(crate) drain: (usize, f64),
    pub(crate) events: (usize, f64),
    pub(crate) heal: (usize, f64),
}

/// After each of so many events.
pub(crate) fn run(past: &[usize]) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    runtime.block_on(rows(past))
}

async fn rows(past: &[usize]) -> Result<Vec<Row>> {
    let scene = Scene::connected(On::Both).await;
    let id = scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    let mut told = 1;
    let mut customers = 1;
    let mut rows = Vec::new();
    for &past_events in past {
        while told < past_events {
            if told % NEW_EVERY == 0 {
                let phone = format!("09{customers:08}");
                scene.kiotviet.create_customer(customer("Khách", &phone));
                customers += 1;
            } else {
                scene.kiotviet.edit_customer(id, |_| {});
            }
            scene.deliver().await;
            told += 1;
            scene.app.take_stored();
        }
        scene.heal().await;
        scene.pass(70).await;
        scene.drain().await;
        let accept = cost(&scene, async |scene| {
            scene.kiotviet.edit_customer(id, |_| {});
            for delivery in scene.kiotviet.take_deliveries() {
                scene.app.answer(scene.kiotviet.request(&delivery)).await;
            }
        });
        let accept = accept.await;
        scene.drain().await;
        let drain = cost(&scene, async |scene| drop(scene.drain().await)).await;
        let events = cost(&scene, async |scene| {
            scene.app.get("events?limit=50").await;
        });
        let events = events.await;
        let heal = cost(&scene, async |scene| drop(scene.heal().await)).await;
        told += 1;
        rows.push(Row {
            past_events,
            accept,
            drain,
            events,
            heal,
        });
    }
    let in_getfly = scene.in_getfly();
    ensure!(in_getfly == (customers, 0), "{in_getfly:?}");
    Ok(rows)
}

/// Store calls, and the least of some times.
async fn cost(scene: &Scene, what: impl AsyncFn(&Scene)) -> (usize, f64) {
    const TIMES: usize = 5;
    // Away from the end of one of the lease's half minutes, where the next one is taken too.
    let into = scene.clock.now().as_second().rem_euclid(30).unsigned_abs();
    scene.pass(32 - into).await;
    scene.app.take_stored();
    what(scene).await;
    let calls = scene.app.take_stored().len();
    let mut least = Duration::MAX;
    for _ in 0..TIMES {
        let began = Instant::now();
        what(scene).await;
        least = least.min(began.elapsed());
        scene.app.take_stored();
    }
    (calls, least.as_secs_f64() * 1e6)
}
