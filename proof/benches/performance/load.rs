//! Sends requests repeatedly for a while; counts their results and their cost.

use crate::processor;
use anyhow::Result;
use bytes::Bytes;
use proof::load::{Source, Tally, begin};
use sim::lock;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// The load's threads, by name: their processor time is not the server's.
const THREADS: &str = "load";
/// An answer that takes longer counts as none.
const PATIENCE: Duration = Duration::from_secs(60);

/// The result of a load.
#[derive(Debug)]
pub(crate) struct Met {
    /// Answers in 200.
    pub(crate) answered: usize,
    /// Other answers, and requests without one.
    pub(crate) refused: usize,
    /// How fast answers came.
    pub(crate) pace: Pace,
    /// Processor time for an answer, in microseconds, without the load's own; none if the system
    /// does not say.
    pub(crate) cpu_us: Option<f64>,
}

/// How fast answers came.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Pace {
    /// Answers in 200 each second.
    pub(crate) per_second: f64,
    /// Half of all answers took no longer.
    pub(crate) p50_ms: f64,
    /// Ninety-nine of a hundred took no longer.
    pub(crate) p99_ms: f64,
}

/// The runtime of a load.
pub(crate) fn client() -> Result<Runtime> {
    let mut client = Builder::new_multi_thread();
    client.thread_name(THREADS).worker_threads(1).enable_all();
    Ok(client.build()?)
}

/// Requests in turn, until a moment.
struct InTurn {
    requests: Arc<Vec<Bytes>>,
    next: AtomicUsize,
    until: Instant,
    tally: Mutex<Tally>,
}

impl Source for InTurn {
    type Sent = ();

    fn next(&self) -> Option<(Bytes, ())> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.requests.len();
        (Instant::now() < self.until).then(|| (self.requests[at].clone(), ()))
    }

    fn answered(&self, (): (), status: Option<u16>, took: Duration) -> Duration {
        lock(&self.tally).add(status, took);
        Duration::ZERO
    }
}

/// Sends `requests` in turn, repeatedly, for `time`. The connections are shared out among `to`.
pub(crate) async fn load(
    to: &[SocketAddr],
    requests: Arc<Vec<Bytes>>,
    connections: usize,
    time: Duration,
) -> Met {
    let before = processor::time_but(THREADS);
    let began = Instant::now();
    let source = Arc::new(InTurn {
        requests,
        next: AtomicUsize::new(0),
        until: began + time,
        tally: Mutex::default(),
    });
    begin(to, connections, PATIENCE, &source).join_all().await;
    let took = began.elapsed();
    let after = processor::time_but(THREADS);
    let mut tally = lock(&source.tally);
    let answered = tally.with(200);
    let each = f64::from(u32::try_from(answered.max(1)).unwrap_or(u32::MAX));
    let [p50, p99] = tally.percentiles([50, 99]);
    let spent = before.zip(after).map(|(before, after)| after - before);
    Met {
        answered,
        refused: tally.sent() - answered,
        pace: Pace {
            per_second: each / took.as_secs_f64(),
            p50_ms: p50.as_secs_f64() * 1000.0,
            p99_ms: p99.as_secs_f64() * 1000.0,
        },
        cpu_us: spent.map(|spent| spent.as_secs_f64() * 1e6 / each),
    }
}
