//! A closed load on loopback: so many connections, each of which sends its next request when the last
//! was answered.

use crate::processor;
use anyhow::{Result, bail};
use bytes::Bytes;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::JoinSet,
};

/// The load's threads, by name: what they take is not the server's.
const THREADS: &str = "load";

/// What a load met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Met {
    /// Answers in 200.
    pub(crate) answered: usize,
    /// Other answers.
    pub(crate) refused: usize,
    /// How long each answer took, sorted.
    pub(crate) waits: Vec<Duration>,
    /// How long the whole took.
    pub(crate) took: Duration,
    /// Processor time of this process meanwhile, without the load's own; none where the system does not tell.
    spent: Option<Duration>,
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

impl Met {
    /// How fast answers came.
    pub(crate) fn pace(&self) -> Pace {
        let answered = u32::try_from(self.answered).unwrap_or(u32::MAX);
        Pace {
            per_second: f64::from(answered) / self.took.as_secs_f64(),
            p50_ms: self.percentile_ms(50),
            p99_ms: self.percentile_ms(99),
        }
    }

    /// The wait that so many of a hundred did not exceed.
    fn percentile_ms(&self, of_a_hundred: usize) -> f64 {
        let at = self.waits.len() * of_a_hundred / 100;
        let wait = self.waits.get(at).copied().unwrap_or_default();
        wait.as_secs_f64() * 1000.0
    }

    /// Processor time for an answer, microseconds, without the load's own; none where the system does not
    /// tell.
    pub(crate) fn cpu_us(&self) -> Option<f64> {
        let answered = u32::try_from(self.answered.max(1)).unwrap_or(u32::MAX);
        let spent = self.spent?;
        Some(spent.as_secs_f64() * 1e6 / f64::from(answered))
    }
}

/// What a load runs on.
pub(crate) fn client() -> Result<Runtime> {
    let mut client = Builder::new_multi_thread();
    client.thread_name(THREADS).worker_threads(1).enable_all();
    Ok(client.build()?)
}

/// Sends `requests`, in turn and over again, for `time`; connections are shared out among `to`.
pub(crate) async fn load(
    to: &[SocketAddr],
    requests: Arc<Vec<Bytes>>,
    connections: usize,
    time: Duration,
) -> Result<Met> {
    let next = Arc::new(AtomicUsize::new(0));
    let before = processor::time_but(THREADS);
    let began = Instant::now();
    let until = began + time;
    let mut running = JoinSet::new();
    for to in to.iter().copied().cycle().take(connections) {
        let (requests, next) = (requests.clone(), next.clone());
        running.spawn(async move {
            let mut met = Met::default();
            let mut stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            let mut answer = Vec::with_capacity(4096);
            while Instant::now() < until {
                let at = next.fetch_add(1, Ordering::Relaxed) % requests.len();
                let sent = Instant::now();
                stream.write_all(&requests[at]).await?;
                let status = read_answer(&mut stream, &mut answer).await?;
                met.waits.push(sent.elapsed());
                match status {
                    200 => met.answered += 1,
                    _ => met.refused += 1,
                }
            }
            anyhow::Ok(met)
        });
    }
    let mut all = Met::default();
    while let Some(met) = running.join_next().await {
        let met = met??;
        all.answered += met.answered;
        all.refused += met.refused;
        all.waits.extend(met.waits);
    }
    all.took = began.elapsed();
    let after = processor::time_but(THREADS);
    all.spent = before.zip(after).map(|(before, after)| after - before);
    all.waits.sort_unstable();
    Ok(all)
}

/// Reads one answer whole and gives its status.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<u16> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse::<usize>().ok())
            .unwrap_or(0);
        while answer.len() < head + 4 + length {
            if stream.read_buf(answer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        let status = text.split_whitespace().nth(1).unwrap_or_default();
        return Ok(status.parse()?);
    }
}
