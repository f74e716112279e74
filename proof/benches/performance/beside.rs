//! Sends the deliveries that the plugin gets to another program (`benches/node-red`) and measures
//! its answers.

use crate::{
    load::{Pace, client, load},
    shop::tell,
};
use anyhow::{Context, Result};
use host_test::harness::START;
use proof::load::wire;
use sim::{KiotVietSim, TokioClock, kiotviet::Settings};
use std::{net::ToSocketAddrs, sync::Arc, time::Duration};
use url::Url;

/// The deliveries that are sent repeatedly.
const DELIVERIES: usize = 2_000;
/// The secret that signs them; `benches/node-red/compare` passes it to Node-RED.
const SECRET: &str = "a-secret-of-the-load";

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Row {
    pub(crate) connections: usize,
    #[serde(flatten)]
    pub(crate) pace: Pace,
    pub(crate) refused: usize,
}

/// Measures each number of connections for `time`.
pub(crate) fn run(url: &str, time: Duration, connections: &[usize]) -> Result<Vec<Row>> {
    let client = client()?;
    let url = Url::parse(url)?;
    let host = url.host_str().context("an address has a host")?;
    let port = url.port_or_known_default().context("and a port")?;
    let to = (host, port)
        .to_socket_addrs()?
        .next()
        .context(host.to_owned())?;
    let clock = {
        let _within = client.enter();
        Arc::new(TokioClock::starting_at(START.parse()?))
    };
    let shop = KiotVietSim::new(Settings::default(), clock);
    shop.add_webhook("customer.update", url.as_str(), Some(SECRET));
    tell(&shop, DELIVERIES);
    let deliveries = shop.take_deliveries();
    let requests = deliveries.iter().map(|d| wire(&shop.request(d))).collect();
    let requests = Arc::new(requests);
    let rows = connections.iter().map(|connections| {
        let requests = Arc::clone(&requests);
        let met = client.block_on(load(&[to], requests, *connections, time));
        let row = Row {
            connections: *connections,
            pace: met.pace,
            refused: met.refused,
        };
        eprintln!("{row:?}");
        Ok(row)
    });
    rows.collect()
}
