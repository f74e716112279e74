//! How many events a second the worker carries to Getfly, under the highest rate limit, 100 calls a
//! second to Getfly. With vendors that answer at once, time is virtual and waiting costs none, so
//! that only work is measured. With vendors that take 50 ms for each call, time is real.

use crate::processor;
use anyhow::{Result, ensure};
use host_test::{
    shop::WasmShop,
    shop::{On, customer, sale},
};
use sim::{Fault, FaultRule};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Row {
    /// The kind of event.
    pub(crate) what: &'static str,
    /// The time of each call to a vendor, in milliseconds.
    pub(crate) latency_ms: u64,
    pub(crate) events: usize,
    pub(crate) per_second: f64,
    /// Processor time of an event, with its delivery, the host and the simulated vendors; none if
    /// the system does not say.
    pub(crate) processor_ms: Option<f64>,
    pub(crate) calls_per_event: f64,
    /// An event's calls that follow one another: its time alone in virtual time, where only calls
    /// take time.
    pub(crate) round_trips: f64,
}

/// A kind of event.
#[derive(Debug, Clone, Copy)]
enum What {
    Customer,
    Invoice,
}

impl What {
    fn in_words(self) -> &'static str {
        match self {
            Self::Customer => "a new customer",
            Self::Invoice => "an invoice without a customer",
        }
    }

    fn happens(self, shop: &WasmShop, number: usize) {
        match self {
            Self::Customer => {
                let mut new = customer("Khách", &format!("09{number:08}"));
                new.email = Some(format!("khach{number}@example.vn"));
                shop.kiotviet.create_customer(new);
            }
            Self::Invoice => {
                shop.kiotviet.create_invoice(sale(None));
            }
        }
    }
}

/// Both kinds of event at both latencies.
pub(crate) fn run() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (latency_ms, events) in [(0, 500), (50, 40)] {
        for what in [What::Customer, What::Invoice] {
            let round_trips = virtual_time()?.block_on(round_trips(what))?;
            let runtime = match latency_ms {
                0 => virtual_time()?,
                _ => Builder::new_multi_thread().enable_all().build()?,
            };
            let row = runtime.block_on(measured(what, latency_ms, events, round_trips))?;
            eprintln!("{row:?}");
            rows.push(row);
        }
    }
    Ok(rows)
}

fn virtual_time() -> Result<Runtime> {
    let mut builder = Builder::new_current_thread();
    Ok(builder.enable_all().start_paused(true).build()?)
}

async fn shop(latency_ms: u64) -> Result<WasmShop> {
    let shop = WasmShop::connected_in_wasm(On::Both, |builder| {
        builder.variable("getfly_requests_per_second", "100")
    });
    let shop = shop.await?;
    // Tokens and users are cached from here on.
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.app.take_calls();
    if latency_ms > 0 {
        for vendor in [&shop.kiotviet_faults, &shop.getfly_faults] {
            vendor.add(FaultRule::new(Fault::Delay(Duration::from_millis(
                latency_ms,
            ))));
        }
    }
    Ok(shop)
}

/// How long one event takes from its delivery to its end, in calls of 50 ms.
async fn round_trips(what: What) -> Result<f64> {
    const LATENCY_MS: u32 = 50;
    let shop = shop(LATENCY_MS.into()).await?;
    what.happens(&shop, 0);
    let began = tokio::time::Instant::now();
    shop.deliver().await;
    let took = u32::try_from(began.elapsed().as_millis())?;
    Ok(f64::from(took) / f64::from(LATENCY_MS))
}

async fn measured(what: What, latency_ms: u64, events: usize, round_trips: f64) -> Result<Row> {
    let shop = shop(latency_ms).await?;
    let before = shop.in_getfly();
    for number in 0..events {
        what.happens(&shop, number);
    }
    let deliveries = shop.kiotviet.take_deliveries();
    let (began, before_work) = (Instant::now(), processor::time());
    let mut working = Vec::new();
    for delivery in deliveries {
        let (answer, after) = shop.app.answer(shop.kiotviet.request(&delivery)).await;
        ensure!(answer.status == 200, "{}", answer.status);
        working.extend(after);
    }
    for after in working {
        after.await?;
    }
    let took = began.elapsed().as_secs_f64();
    let spent = before_work.zip(processor::time());
    let (accounts, orders) = shop.in_getfly();
    let made = accounts + orders - before.0 - before.1;
    ensure!(made == events, "{made} records of {events} events");
    let count = f64::from(u32::try_from(events)?);
    let calls = f64::from(u32::try_from(shop.app.take_calls().len())?);
    Ok(Row {
        what: what.in_words(),
        latency_ms,
        events,
        per_second: count / took,
        processor_ms: spent.map(|(before, after)| (after - before).as_secs_f64() * 1000.0 / count),
        calls_per_event: calls / count,
        round_trips,
    })
}
