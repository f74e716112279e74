//! How many deliveries are accepted each second, beside a component that does nothing but the same
//! calls to the store, one that does nothing, and a host without a component.

use crate::load::{Met, load};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use host_test::{
    keyvalue::{Backend, Embedded, Memory, Redis, RedisAddress},
    outbound::CallLog,
    runtime::{Metering, Runtime, World},
    scene::{On, customer},
    server::{App, serve},
    wasm_scene::WasmScene,
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Deliveries that are sent over and over.
const DELIVERIES: usize = 2_000;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Who {
    /// The plugin.
    Plugin,
    /// A component with the same calls to the store.
    Bare,
    /// A component that answers at once.
    Hello,
    /// The host's HTTP server without a component.
    Host,
}

/// Where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kept {
    /// Nowhere: nothing is written.
    Nothing,
    /// In memory.
    Memory,
    /// In the host's own file, forced to the disk before the answer.
    Embedded,
    /// In a Redis of the person who measures, with the durability that it is set to.
    Redis,
}

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Row {
    pub(crate) who: Who,
    pub(crate) kept: Kept,
    pub(crate) connections: usize,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the server's side for an answer; none where the system does not tell.
    pub(crate) cpu_us: Option<f64>,
    pub(crate) refused: usize,
}

/// Every combination, each for `time`. Redis takes part where there is one, `redis://host:port` without
/// a number: each of its lines takes an empty database, from 0 on.
pub(crate) fn run(time: Duration, connections: &[usize], redis: Option<&str>) -> Result<Vec<Row>> {
    let server = tokio::runtime::Builder::new_multi_thread()
        .thread_name("server")
        .enable_all()
        .build()?;
    let client = tokio::runtime::Builder::new_multi_thread()
        .thread_name("load")
        .worker_threads(1)
        .enable_all()
        .build()?;
    let bare = xtask::build(xtask::BARE)?.path;
    let plugin = xtask::build_component()?.path;
    let mut rows = Vec::new();
    let mut databases = 0..;
    for (who, kept) in [
        (Who::Host, Kept::Nothing),
        (Who::Hello, Kept::Nothing),
        (Who::Bare, Kept::Memory),
        (Who::Plugin, Kept::Memory),
        (Who::Bare, Kept::Embedded),
        (Who::Plugin, Kept::Embedded),
        (Who::Bare, Kept::Redis),
        (Who::Plugin, Kept::Redis),
    ] {
        for &connections in connections {
            let place = tempfile::tempdir()?;
            let backend: Arc<dyn Backend> = match kept {
                Kept::Nothing | Kept::Memory => Arc::new(Memory::new()),
                Kept::Embedded => Arc::new(Embedded::open(place.path())?),
                Kept::Redis => {
                    let (Some(redis), Some(database)) = (redis, databases.next()) else {
                        continue;
                    };
                    let address = RedisAddress::parse(&format!("{redis}/{database}"))?;
                    let store = server.block_on(Redis::open(address))?;
                    ensure!(
                        server.block_on(store.list_keys()) == Ok(Vec::new()),
                        "database {database} of {redis} is not empty"
                    );
                    Arc::new(store)
                }
            };
            let shop = server.block_on(Shop::connected(backend))?;
            let (to, serving) =
                match who {
                    Who::Host => server.block_on(bare_host())?,
                    // A runtime of its own: what the former one still works on keeps places in its pool.
                    Who::Hello | Who::Bare => server
                        .block_on(host(Runtime::load(&bare, Metering::Epochs)?, shop.world))?,
                    Who::Plugin => server
                        .block_on(host(Runtime::load(&plugin, Metering::Epochs)?, shop.world))?,
                };
            let requests = match who {
                Who::Hello => vec![Bytes::from_static(
                    b"GET / HTTP/1.1\r\nhost: bridge.test\r\n\r\n",
                )],
                _ => shop.deliveries,
            };
            let before = server_time();
            let met = client.block_on(load(to, Arc::new(requests), connections, time))?;
            let spent = before
                .zip(server_time())
                .map(|(before, after)| after - before);
            serving.abort();
            let row = row(who, kept, connections, &met, spent);
            eprintln!("{row:?}");
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Processor time of all threads but the load's, so far. Linux tells it in hundredths of a second.
fn server_time() -> Option<Duration> {
    let mut ticks = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let stat = fs::read_to_string(thread.ok()?.path().join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        // After the name: state, ten numbers, then the time in user and in system mode.
        let times = rest.split_whitespace().skip(11).take(2);
        if name != "load" {
            ticks += times.filter_map(|t| t.parse::<u64>().ok()).sum::<u64>();
        }
    }
    Some(Duration::from_millis(10 * ticks))
}

fn row(who: Who, kept: Kept, connections: usize, met: &Met, spent: Option<Duration>) -> Row {
    let answered = u32::try_from(met.answered.max(1)).unwrap_or(u32::MAX);
    let ms = |wait: Duration| wait.as_secs_f64() * 1000.0;
    Row {
        who,
        kept,
        connections,
        per_second: met.per_second(),
        p50_ms: ms(met.percentile(50)),
        p99_ms: ms(met.percentile(99)),
        cpu_us: spent.map(|spent| spent.as_secs_f64() * 1e6 / f64::from(answered)),
        refused: met.refused,
    }
}

/// A connected shop, and deliveries that it is told.
struct Shop {
    world: World,
    deliveries: Vec<Bytes>,
}

impl Shop {
    async fn connected(backend: Arc<dyn Backend>) -> Result<Self> {
        let scene = WasmScene::connected(On::Customers, |builder| builder.store(backend)).await?;
        for number in 0..DELIVERIES {
            let phone = format!("09{number:08}");
            scene.kiotviet.create_customer(customer("Khách", &phone));
        }
        let deliveries = scene.kiotviet.take_deliveries();
        let raw = deliveries.iter().map(|d| raw(&scene.kiotviet.request(d)));
        Ok(Self {
            deliveries: raw.collect(),
            world: World {
                calls: CallLog::default(),
                log: Arc::new(|_| {}),
                seed: None,
                ..scene.app.world()
            },
        })
    }
}

/// The request as it goes over the wire.
fn raw(request: &http::Request<Bytes>) -> Bytes {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri().path());
    head.push_str("host: bridge.test\r\n");
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap_or_default();
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    [head.as_bytes(), request.body()].concat().into()
}

async fn host(runtime: Runtime, world: World) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let to = listener.local_addr()?;
    let app = Arc::new(App::over(runtime, world));
    let never = std::future::pending();
    let serving = tokio::spawn(serve(app, listener, Duration::ZERO, never));
    Ok((to, serving))
}

async fn bare_host() -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let to = listener.local_addr().context("the listener's address")?;
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: http::Request<Incoming>| async {
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default()))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok((to, serving))
}
