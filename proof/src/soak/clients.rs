//! Bad clients: headers and bodies that never end, answers that are never read, bodies at the limits.

use super::site::Site;
use crate::load::Tally;
use anyhow::{Context, Result};
use bytes::Bytes;
use host_test::variables::ADMIN_TOKEN;
use serde::Serialize;
use sim::{
    Deliverer, HttpDeliverer, KiotVietSim,
    kiotviet::{Delivery, Item, Notification},
    lock,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

/// Clients whose header never ends.
const HALF_HEADERS: usize = 64;
/// Clients whose body never ends.
const HALF_BODIES: usize = 32;
/// Clients that never read.
const SLOW_READERS: usize = 4;
/// Clients with large bodies.
const LARGE_BODIES: usize = 24;
/// Requests of a client that never reads: their answers fill every buffer on the way.
const UNREAD: usize = 400;
/// The host cuts it off twenty seconds after the last buffer was full, which is late on a busy
/// machine.
const UNREAD_FOR: Duration = Duration::from_secs(600);
/// The longest wait for any end; the bounds of `docs/operating.md` end everything much sooner.
const LONGEST: Duration = Duration::from_secs(90);
/// The bounds allow a 503 to a large body while too many come. Its client sends it again like
/// KiotViet, at most this often.
const TRIES: usize = 20;
/// Its pause before each.
const AGAIN: Duration = Duration::from_secs(1);
/// The contract's largest body.
const LIMIT: usize = 5 * 1024 * 1024;
/// Bodies just below, at and above the limit, and far above it, with their codes.
const BODIES: [(usize, u16); 5] = [
    (LIMIT - 1, 200),
    (LIMIT, 200),
    (LIMIT + 1, 413),
    (LIMIT + 1024 * 1024 + 1, 413),
    (4 * LIMIT, 413),
];

/// All of them at work.
pub(super) struct Bad {
    workers: JoinSet<()>,
    seen: Arc<Seen>,
}

/// What they saw.
#[derive(Default)]
pub(super) struct Seen {
    half_headers: Mutex<Tally>,
    half_bodies: Mutex<Tally>,
    large: Mutex<Vec<Large>>,
    /// Half-open connections that the host neither answered nor closed.
    left_open: AtomicUsize,
    /// Whether the host cut it off.
    slow: Mutex<Vec<bool>>,
}

/// What they saw, in figures.
#[derive(Debug, Default, Serialize)]
pub struct BadClients {
    /// Bodies by size in bytes, the code for each, and how often it was refused with 503 before, as
    /// the bounds allow.
    pub large_bodies: String,
    /// Codes for connections whose header never ends; none: closed.
    pub half_headers: String,
    /// Codes for connections whose body never ends.
    pub half_bodies: String,
    /// Clients that never read their answers.
    pub slow_readers: usize,
    /// How many of these the host cut off.
    pub slow_readers_cut_off: usize,
    /// Answers to bodies, or ends of slow readers, that differ from the documents.
    pub not_as_documented: Vec<String>,
    /// Answers that stop KiotViet for good.
    #[serde(skip)]
    pub forbidden: usize,
}

/// Clients that send only the beginning of a request: how many, which text, and where their answers
/// are counted.
type Unended = (usize, String, fn(&Seen) -> &Mutex<Tally>);

/// The result of a large body.
struct Large {
    length: usize,
    /// The code for its length.
    right: u16,
    /// The last code; none: no answer.
    answer: Option<u16>,
    /// How often it was 503 before.
    turned_away: usize,
    /// From the first byte to the last answer.
    took: Duration,
}

/// One look at `/healthz`.
pub(super) async fn look_at_health(port: u16, seen: &mut Tally) {
    let began = Instant::now();
    let asked = http::Request::get(format!("http://127.0.0.1:{port}/healthz")).body(Bytes::new());
    let Ok(asked) = asked else { return };
    let answer = tokio::time::timeout(LONGEST, HttpDeliverer::default().deliver(asked)).await;
    seen.add(answer.ok().and_then(Result::ok), began.elapsed());
}

impl Bad {
    /// Begins; each client comes `rounds` times.
    pub(super) fn begin(site: &Site, rounds: usize) -> Result<Self> {
        let seen = Arc::new(Seen::default());
        let mut workers = JoinSet::new();
        let (port, hook) = (site.port, site.hook()?);
        let header = format!("POST {hook} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
        let body = format!("{header}content-length: 1000\r\n\r\n{{\"Id\":");
        let unended: [Unended; 2] = [
            (HALF_HEADERS, header, |seen| &seen.half_headers),
            (HALF_BODIES, body, |seen| &seen.half_bodies),
        ];
        for (clients, text, tally) in unended {
            for _ in 0..clients {
                let (seen, text) = (seen.clone(), text.clone());
                workers.spawn(async move {
                    for _ in 0..rounds {
                        seen.unended(port, &text, tally(&seen)).await;
                    }
                });
            }
        }
        for _ in 0..SLOW_READERS {
            let seen = seen.clone();
            workers.spawn(async move {
                for _ in 0..rounds {
                    let cut_off = unread(port).await.unwrap_or(false);
                    lock(&seen.slow).push(cut_off);
                }
            });
        }
        let known = site.kiotviet().outbox().into_iter();
        let mut known = known.filter(|d| d.url.ends_with(&hook));
        let known = known.next().context("a delivery")?;
        for client in 0..LARGE_BODIES {
            let (seen, known, kiotviet) = (seen.clone(), known.clone(), site.kiotviet().clone());
            workers.spawn(async move {
                for round in 0..rounds {
                    let (length, right) = BODIES[(client + round) % BODIES.len()];
                    let began = Instant::now();
                    let mut turned_away = 0;
                    let mut answer = large(&kiotviet, &known, length).await;
                    while answer == Some(503) && turned_away < TRIES {
                        turned_away += 1;
                        tokio::time::sleep(AGAIN).await;
                        answer = large(&kiotviet, &known, length).await;
                    }
                    lock(&seen.large).push(Large {
                        length,
                        right,
                        answer,
                        turned_away,
                        took: began.elapsed(),
                    });
                }
            });
        }
        Ok(Self { workers, seen })
    }

    /// Whether all have come as often as asked.
    pub(super) fn is_done(&mut self) -> bool {
        while self.workers.try_join_next().is_some() {}
        self.workers.is_empty()
    }

    /// What they saw, once all are gone.
    pub(super) async fn end(mut self) -> Arc<Seen> {
        while self.workers.join_next().await.is_some() {}
        self.seen
    }
}

/// Requests a long answer repeatedly and reads none; returns whether the host gave up.
async fn unread(port: u16) -> std::io::Result<bool> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = socket.connect(address).await?;
    let request = format!(
        "GET /api/events?limit=200 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\r\n"
    );
    let cut_off = async {
        let requests = request.repeat(UNREAD);
        let mut written = stream.write_all(requests.as_bytes()).await;
        while written.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            // An empty line between two requests means nothing; it fails on a broken connection.
            written = stream.write_all(b"\r\n").await;
        }
    };
    Ok(tokio::time::timeout(UNREAD_FOR, cut_off).await.is_ok())
}

/// A signed delivery of this length about a known customer; the code that came.
async fn large(kiotviet: &KiotVietSim, known: &Delivery, length: usize) -> Option<u16> {
    let mut delivery = known.clone();
    delivery.duplicate = true;
    let (action, id) = delivery.items().into_iter().next()?;
    let fill = |delivery: &mut Delivery, padding: usize| {
        let comments = "x".repeat(padding);
        let json = format!(r#"{{"Id":{id},"Comments":"{comments}"}}"#);
        delivery.notifications = vec![Notification {
            action: action.clone(),
            items: vec![Item { id, json }],
        }];
    };
    fill(&mut delivery, 0);
    let padding = length.checked_sub(delivery.body().len())?;
    fill(&mut delivery, padding);
    let to = HttpDeliverer::default();
    let request = kiotviet.request(&delivery);
    let answer = tokio::time::timeout(LONGEST, to.deliver(request)).await;
    let answer = answer.ok().and_then(Result::ok);
    kiotviet.settle(delivery, answer);
    answer
}

impl Seen {
    /// Sends this beginning of a request and waits for any answer.
    async fn unended(&self, port: u16, text: &str, seen: &Mutex<Tally>) {
        let began = Instant::now();
        let answer = tokio::time::timeout(LONGEST, async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
            stream.write_all(text.as_bytes()).await.ok()?;
            let mut answer = Vec::new();
            // Closed without an answer, or reset: there is no code.
            let _ = stream.read_to_end(&mut answer).await;
            let line = String::from_utf8_lossy(&answer).into_owned();
            line.split(' ').nth(1)?.parse::<u16>().ok()
        });
        let answer = answer.await;
        if answer.is_err() {
            self.left_open.fetch_add(1, Ordering::Relaxed);
        }
        let code = answer.ok().flatten();
        let mut seen = lock(seen);
        seen.add(code, began.elapsed());
        if code.is_none() {
            seen.times.push(began.elapsed());
        }
    }

    /// What was seen, in figures.
    pub(super) fn figures(&self) -> BadClients {
        let mut figures = BadClients::default();
        let mut headers = lock(&self.half_headers);
        let mut bodies = lock(&self.half_bodies);
        figures.half_headers = format!("{}; {}", headers.by_code(), headers.latency());
        figures.half_bodies = format!("{}; {}", bodies.by_code(), bodies.latency());
        figures.forbidden = headers.forbidden() + bodies.forbidden();
        let left_open = self.left_open.load(Ordering::Relaxed);
        if left_open > 0 {
            let what = format!("{left_open} half-open connections were left open");
            figures.not_as_documented.push(what);
        }
        let large = lock(&self.large);
        let mut shown = Vec::new();
        for (length, code) in BODIES {
            let all: Vec<_> = large.iter().filter(|one| one.length == length).collect();
            let right = all.iter().filter(|one| one.answer == Some(one.right));
            let turned_away: usize = all.iter().map(|one| one.turned_away).sum();
            let slowest = all.iter().map(|one| one.took).max().unwrap_or_default();
            shown.push(format!(
                "{length}: {code} {} of {} times, 503 before {turned_away} times, at most {} s in all",
                right.count(),
                all.len(),
                slowest.as_secs(),
            ));
        }
        for one in large.iter().filter(|one| one.answer != Some(one.right)) {
            figures.not_as_documented.push(format!(
                "a body of {} bytes was answered {:?} after {} s and {} times 503, not {}",
                one.length,
                one.answer,
                one.took.as_secs(),
                one.turned_away,
                one.right
            ));
        }
        figures.large_bodies = shown.join("; ");
        let slow = lock(&self.slow);
        figures.slow_readers = slow.len();
        figures.slow_readers_cut_off = slow.iter().filter(|cut_off| **cut_off).count();
        if figures.slow_readers_cut_off < figures.slow_readers {
            figures
                .not_as_documented
                .push("a slow reader was not cut off".to_owned());
        }
        figures
    }
}
