//! How many events each second the worker takes to Getfly, with vendors that answer at once and with
//! vendors that take 50 ms for each call, under the highest ceiling there is, 100 calls a second to Getfly.

use anyhow::Result;
use host_test::{
    scene::{On, customer, sale},
    sim::{Fault, FaultRule},
    wasm_scene::WasmScene,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Row {
    /// What each event is.
    pub(crate) what: &'static str,
    /// What each call to a vendor takes, milliseconds.
    pub(crate) latency_ms: u64,
    pub(crate) events: usize,
    pub(crate) per_second: f64,
    pub(crate) calls_per_event: f64,
    /// The time for an event, in calls that follow one another; none where calls take no time.
    pub(crate) calls_in_sequence: Option<f64>,
}

/// Both kinds of event at both latencies.
pub(crate) fn run() -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut rows = Vec::new();
    for (latency_ms, events) in [(0, 500), (50, 40)] {
        rows.push(runtime.block_on(customers(latency_ms, events))?);
        rows.push(runtime.block_on(invoices(latency_ms, events))?);
    }
    Ok(rows)
}

async fn shop(latency_ms: u64) -> Result<WasmScene> {
    let scene = WasmScene::connected(On::Both, |builder| {
        builder.variable("getfly_requests_per_second", "100")
    });
    let scene = scene.await?;
    // Tokens and users are cached from here on.
    scene.kiotviet.create_invoice(sale(None));
    scene.deliver().await;
    scene.app.take_calls();
    if latency_ms > 0 {
        for vendor in [&scene.kiotviet_faults, &scene.getfly_faults] {
            vendor.add(FaultRule::new(Fault::Delay(Duration::from_millis(
                latency_ms,
            ))));
        }
    }
    Ok(scene)
}

async fn customers(latency_ms: u64, events: usize) -> Result<Row> {
    let scene = shop(latency_ms).await?;
    for number in 0..events {
        let mut new = customer("Khách", &format!("09{number:08}"));
        new.email = Some(format!("khach{number}@example.vn"));
        scene.kiotviet.create_customer(new);
    }
    measured(&scene, "a new customer", latency_ms, events).await
}

async fn invoices(latency_ms: u64, events: usize) -> Result<Row> {
    let scene = shop(latency_ms).await?;
    for _ in 0..events {
        scene.kiotviet.create_invoice(sale(None));
    }
    measured(&scene, "an invoice without a customer", latency_ms, events).await
}

async fn measured(
    scene: &WasmScene,
    what: &'static str,
    latency_ms: u64,
    events: usize,
) -> Result<Row> {
    let began = Instant::now();
    for delivery in scene.kiotviet.take_deliveries() {
        scene.app.answer(scene.kiotviet.request(&delivery)).await;
    }
    let drained = scene.app.api("POST", "drain", &Value::Null).await.json();
    anyhow::ensure!(drained["waiting"] == 0, "{drained}");
    let took = began.elapsed().as_secs_f64();
    let count = f64::from(u32::try_from(events)?);
    let calls = f64::from(u32::try_from(scene.app.take_calls().len())?);
    let latency = Duration::from_millis(latency_ms).as_secs_f64();
    Ok(Row {
        what,
        latency_ms,
        events,
        per_second: count / took,
        calls_per_event: calls / count,
        calls_in_sequence: (latency_ms > 0).then(|| took / count / latency),
    })
}
