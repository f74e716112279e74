//! One, two and four hosts over one Redis: how much they accept together, and that only one of them
//! processes at a time for the tenant. The hosts' logs and the simulated Getfly's show it. The
//! hosts are applications with a runtime, instances and a connection to Redis each, in one process
//! with the vendors and the load. They share this machine's cores, so the cost of a delivery means
//! more than the number a second.

use crate::{
    backfill::most_within,
    load::{Met, Pace, client, load},
    redis::Databases,
    shop::{Shop, host},
};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use host::{
    keyvalue::{Redis, RedisAddress},
    runtime::{Metering, Runtime, World},
    server::App,
};
use host_test::admin::{Admin, Carrier, successful};
use jiff::SignedDuration;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const HOSTS: [usize; 3] = [1, 2, 4];
const CONNECTIONS: usize = 80;
/// The customers that are delivered repeatedly.
const CUSTOMERS: usize = 300;
/// Calls a second to Getfly: the highest rate limit, so that the queue does not take an hour.
const CEILING: usize = 100;
/// A queue that is not empty by then never will be.
const QUEUE_TIME: Duration = Duration::from_secs(600);

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Row {
    pub(crate) hosts: usize,
    /// The pace of all of them together.
    #[serde(flatten)]
    pub(crate) pace: Pace,
    /// Processor time of an accepted delivery on the hosts' side; none if the system does not say.
    pub(crate) cpu_us: Option<f64>,
    pub(crate) accepted: usize,
    /// Events that each host ended.
    pub(crate) ended_by: Vec<usize>,
    /// Events that ended more than once.
    pub(crate) ended_twice: usize,
    /// Accounts in Getfly afterwards, each from one create: as many as delivered customers.
    pub(crate) accounts: usize,
    pub(crate) getfly_calls: usize,
    /// The most calls that arrived within a second. The rate limit counts their beginnings. Each
    /// call is on its way for some moments, so one or two more may arrive.
    pub(crate) getfly_calls_a_second: usize,
    pub(crate) ceiling: usize,
}

/// Measures each number of hosts for `time`; none if there is no Redis.
pub(crate) fn run(time: Duration, redis: &Databases) -> Result<Vec<Row>> {
    let server = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let client = client()?;
    let mut rows = Vec::new();
    for count in HOSTS {
        let Some(address) = server.block_on(redis.empty())? else {
            eprintln!("hosts: left out, they need --redis");
            break;
        };
        let hosts = server.block_on(Hosts::up(&address, count))?;
        let requests = Arc::new(hosts.shop.deliveries.clone());
        let to = hosts.serving.iter().map(|(to, _)| *to).collect::<Vec<_>>();
        let met = client.block_on(load(&to, requests, CONNECTIONS, time));
        server.block_on(hosts.until_nothing_waits())?;
        let row = hosts.row(met)?;
        eprintln!("{row:?}");
        rows.push(row);
        for (_, serving) in hosts.serving {
            serving.abort();
        }
    }
    Ok(rows)
}

/// The hosts that ended each event.
type Ended = Arc<Mutex<BTreeMap<u64, Vec<usize>>>>;

struct Hosts {
    shop: Shop,
    apps: Vec<Arc<App>>,
    serving: Vec<(std::net::SocketAddr, tokio::task::JoinHandle<()>)>,
    ended: Ended,
}

impl Hosts {
    async fn up(address: &RedisAddress, count: usize) -> Result<Self> {
        let store = Arc::new(Redis::open(address.clone()).await?);
        let ceiling = CEILING.to_string();
        let shop = Shop::connected(store, CUSTOMERS, |builder| {
            builder.variable("getfly_requests_per_second", &ceiling)
        });
        let mut hosts = Self {
            shop: shop.await?,
            apps: Vec::new(),
            serving: Vec::new(),
            ended: Ended::default(),
        };
        let component = xtask::build_component(xtask::Install::Never)?.path;
        for number in 0..count {
            let ended = hosts.ended.clone();
            let world = World {
                backend: Arc::new(Redis::open(address.clone()).await?),
                log: Arc::new(move |line| note(&ended, number, line)),
                ..hosts.shop.world()
            };
            let app = Arc::new(App::over(
                Runtime::load(&component, Metering::Epochs)?,
                world,
            ));
            hosts.serving.push(host(app.clone()).await?);
            hosts.apps.push(app);
        }
        Ok(hosts)
    }

    /// Lets every host drain repeatedly, as schedulers would.
    async fn until_nothing_waits(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let drains = self
                .apps
                .iter()
                .cloned()
                .map(|app| tokio::spawn(async move { Near(app).drain().await }));
            for drain in drains.collect::<Vec<_>>() {
                successful(drain.await?)?;
            }
            let app = self.apps.first().context("a host")?.clone();
            let overview = successful(Near(app).overview().await)?;
            if overview["unread"] == 0 && overview["counts"]["waiting"] == 0 {
                return Ok(());
            }
            ensure!(began.elapsed() < QUEUE_TIME, "it still waits: {overview}");
        }
    }

    fn row(&self, met: Met) -> Result<Row> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let by = |host| ended.values().flatten().filter(|by| **by == host).count();
        let accounts = self.shop.shop.getfly.accounts();
        let calls = self.shop.shop.getfly.calls();
        let creates = calls
            .iter()
            .filter(|call| call.method == http::Method::POST);
        let codes = creates.filter_map(|call| {
            let body: Value = serde_json::from_slice(&call.body).ok()?;
            Some(body["account_code"].as_str()?.to_owned())
        });
        let codes: Vec<String> = codes.collect();
        let different: BTreeSet<&String> = codes.iter().collect();
        ensure!(
            ended.len() == met.answered,
            "{} events of {} deliveries",
            ended.len(),
            met.answered
        );
        ensure!(met.refused == 0, "{} were refused", met.refused);
        let customers = CUSTOMERS.min(met.answered);
        ensure!(
            (accounts.len(), codes.len(), different.len()) == (customers, customers, customers),
            "{} accounts by {} creates for {customers} customers",
            accounts.len(),
            codes.len()
        );
        Ok(Row {
            hosts: self.apps.len(),
            pace: met.pace,
            cpu_us: met.cpu_us,
            accepted: met.answered,
            ended_by: (0..self.apps.len()).map(by).collect(),
            ended_twice: ended.values().filter(|by| by.len() > 1).count(),
            accounts: accounts.len(),
            getfly_calls: calls.len(),
            getfly_calls_a_second: most_within(&calls, SignedDuration::from_secs(1)),
            ceiling: CEILING,
        })
    }
}

/// Notes which host ended which event.
fn note(ended: &Ended, host: usize, line: &str) {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    if line["message"] == "event ended"
        && let Some(number) = line["seq"].as_u64()
    {
        let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.entry(number).or_default().push(host);
    }
}

/// A host in this process, for calls to its admin API.
struct Near(Arc<App>);

impl Carrier for Near {
    async fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.0.handle(request).await
    }
}
