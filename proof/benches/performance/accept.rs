//! How many deliveries are accepted each second, beside a component that only makes the same calls
//! to the store, one that does nothing, and a host without a component.

use crate::{
    load::{Pace, client, load},
    redis::Databases,
    shop::{Shop, host},
};
use anyhow::{Context, Result};
use bytes::Bytes;
use host::{
    keyvalue::{Backend, Embedded, Memory, Redis},
    runtime::{Metering, Runtime},
    server::App,
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The deliveries that are sent repeatedly.
const DELIVERIES: usize = 2_000;

/// The program that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// The store of the deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kept {
    /// None: nothing is written.
    Nothing,
    /// In memory.
    Memory,
    /// In the host's own file, forced to the disk before the answer.
    Embedded,
    /// In a Redis of the person who measures, with its own durability.
    Redis,
}

/// One line of the table.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Row {
    pub(crate) who: Who,
    pub(crate) kept: Kept,
    pub(crate) connections: usize,
    #[serde(flatten)]
    pub(crate) pace: Pace,
    /// Processor time of the server's side for an answer; none if the system does not say.
    pub(crate) cpu_us: Option<f64>,
    pub(crate) refused: usize,
}

/// Every combination, each for `time`. Redis takes part if there is one.
pub(crate) fn run(time: Duration, connections: &[usize], redis: &Databases) -> Result<Vec<Row>> {
    let server = tokio::runtime::Builder::new_multi_thread()
        .thread_name("server")
        .enable_all()
        .build()?;
    let client = client()?;
    let bare = xtask::build(xtask::BARE, xtask::Install::Never)?.path;
    let plugin = xtask::build_component(xtask::Install::Never)?.path;
    let mut rows = Vec::new();
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
                    let Some(address) = server.block_on(redis.empty())? else {
                        continue;
                    };
                    Arc::new(server.block_on(Redis::open(address))?)
                }
            };
            let shop = server.block_on(Shop::connected(backend, DELIVERIES, |builder| builder))?;
            let (to, serving) = match who {
                Who::Host => server.block_on(bare_host())?,
                // With a runtime of its own: unfinished work of the former one keeps slots in its
                // pool.
                Who::Hello | Who::Bare => {
                    let app = App::over(Runtime::load(&bare, Metering::Epochs)?, shop.world());
                    server.block_on(host(Arc::new(app)))?
                }
                Who::Plugin => {
                    let app = App::over(Runtime::load(&plugin, Metering::Epochs)?, shop.world());
                    server.block_on(host(Arc::new(app)))?
                }
            };
            let requests = match who {
                Who::Hello => vec![Bytes::from_static(
                    b"GET / HTTP/1.1\r\nhost: bridge.test\r\n\r\n",
                )],
                _ => shop.deliveries,
            };
            let met = client.block_on(load(&[to], Arc::new(requests), connections, time));
            serving.abort();
            let row = Row {
                who,
                kept,
                connections,
                pace: met.pace,
                cpu_us: met.cpu_us,
                refused: met.refused,
            };
            eprintln!("{row:?}");
            rows.push(row);
        }
    }
    Ok(rows)
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
