//! A closed load on loopback: each connection sends its next request once the last one was
//! answered. A [`Source`] makes the requests; a [`Tally`] counts the answers.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use sim::Request;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// One of these answers stops KiotViet's deliveries for good.
pub const FORBIDDEN: [u16; 5] = [400, 401, 403, 404, 405];

/// The source of a load's requests. All connections share it.
pub trait Source: Send + Sync + 'static {
    /// What the source knows of a request until it is answered.
    type Sent: Send;

    /// The next request as it goes over the wire; none ends this connection.
    fn next(&self) -> Option<(Bytes, Self::Sent)>;

    /// Reports that a request was answered with this status after this time, or had no answer;
    /// returns how long the connection rests.
    fn answered(&self, sent: Self::Sent, status: Option<u16>, took: Duration) -> Duration;
}

/// Begins a load with this many connections, shared out among `to`. A connection whose request has
/// no answer within `patience` connects again.
pub fn begin<S: Source>(
    to: &[SocketAddr],
    connections: usize,
    patience: Duration,
    source: &Arc<S>,
) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for to in to.iter().copied().cycle().take(connections) {
        let source = source.clone();
        running.spawn(async move {
            let mut connection = Connection::new(to);
            while let Some((request, sent)) = source.next() {
                let began = Instant::now();
                let answer = tokio::time::timeout(patience, connection.send(&request)).await;
                let status = answer.ok().and_then(Result::ok);
                if status.is_none() {
                    connection = Connection::new(to);
                }
                let rest = source.answered(sent, status, began.elapsed());
                if !rest.is_zero() {
                    tokio::time::sleep(rest).await;
                }
            }
        });
    }
    running
}

/// Answers and how long they took.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answers by status; 0: none.
    pub codes: BTreeMap<u16, usize>,
    /// Time to each answer.
    pub times: Vec<Duration>,
}

impl Tally {
    /// Counts an answer, or a missing one.
    pub fn add(&mut self, status: Option<u16>, time: Duration) {
        *self.codes.entry(status.unwrap_or(0)).or_default() += 1;
        if status.is_some() {
            self.times.push(time);
        }
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: Self) {
        for (status, n) in other.codes {
            *self.codes.entry(status).or_default() += n;
        }
        self.times.extend(other.times);
    }

    /// Requests with this status.
    pub fn with(&self, status: u16) -> usize {
        self.codes.get(&status).copied().unwrap_or(0)
    }

    /// Requests in all.
    pub fn sent(&self) -> usize {
        self.codes.values().sum()
    }

    /// Answers that stop KiotViet's deliveries for good.
    pub fn forbidden(&self) -> usize {
        FORBIDDEN.iter().map(|status| self.with(*status)).sum()
    }

    /// `200: 17, none: 2`.
    pub fn by_code(&self) -> String {
        let shown = self.codes.iter().map(|(status, n)| match status {
            0 => format!("none: {n}"),
            status => format!("{status}: {n}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Median, 99th percentile, and longest time, in milliseconds.
    pub fn latency(&mut self) -> String {
        let [p50, p99, max] = self.percentiles([50, 99, 100]).map(|time| time.as_millis());
        format!("p50 {p50} ms, p99 {p99} ms, max {max} ms")
    }

    /// The times at these percentiles.
    pub fn percentiles<const N: usize>(&mut self, of_a_hundred: [usize; N]) -> [Duration; N] {
        self.times.sort_unstable();
        let last = self.times.len().saturating_sub(1);
        of_a_hundred.map(|of| self.times.get(last * of / 100).copied().unwrap_or_default())
    }
}

/// A request as it goes over the wire.
pub fn wire(request: &Request) -> Bytes {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let mut head = format!(
        "{} {path} HTTP/1.1\r\nhost: bridge.test\r\n",
        request.method()
    );
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap_or_default();
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    [head.as_bytes(), request.body()].concat().into()
}

/// One connection, which is made when it is first used.
struct Connection {
    to: SocketAddr,
    stream: Option<TcpStream>,
    answer: Vec<u8>,
}

impl Connection {
    fn new(to: SocketAddr) -> Self {
        Self {
            to,
            stream: None,
            answer: Vec::with_capacity(4096),
        }
    }

    /// Sends a request and reads its answer whole; returns the status.
    async fn send(&mut self, request: &[u8]) -> Result<u16> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.to).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().context("it is connected")?;
        stream.write_all(request).await?;
        self.answer.clear();
        let end = loop {
            if stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(end) = self.answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
        };
        let head = String::from_utf8_lossy(&self.answer[..end]).to_ascii_lowercase();
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        let length = fields.find(|(name, _)| *name == "content-length");
        let length: usize = length.map_or(Ok(0), |(_, length)| length.trim().parse())?;
        while self.answer.len() < end + 4 + length {
            if stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        if head.contains("connection: close") {
            self.stream = None;
        }
        Ok(head
            .split_whitespace()
            .nth(1)
            .context("a status")?
            .parse()?)
    }
}
