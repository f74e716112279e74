//! KiotViet as a crowd: many connections that deliver what waits, repeat earlier deliveries, and
//! count every answer.

use super::site::Site;
use crate::load::{Source, Tally, begin, wire};
use anyhow::{Result, ensure};
use bytes::Bytes;
use sim::{KiotVietSim, kiotviet::Delivery, lock};
use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How long KiotViet waits for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Pause after a delivery that was not accepted.
const AFTER_FAILURE: Duration = Duration::from_millis(20);
/// How many earlier deliveries are kept for repeats.
const REMEMBERED: usize = 64;

/// Pause between two looks at the crowd.
const LOOK: Duration = Duration::from_millis(2);
/// Everything that a crowd waits for comes within this on the slowest machine, or the host is dead.
pub(super) const COMES_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Of this many looks at the address, one is a delivery while a crowd goes on.
const LOOKS: usize = 100;

/// What a crowd saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Answers to deliveries.
    pub(super) deliveries: Tally,
    /// Answers to looks at the webhook's address, which come while no delivery waits.
    pub(super) looks: Tally,
}

impl Seen {
    /// Adds what another crowd saw.
    pub(super) fn merge(&mut self, other: Self) {
        self.deliveries.merge(other.deliveries);
        self.looks.merge(other.looks);
    }

    pub(super) fn forbidden(&self) -> usize {
        self.deliveries.forbidden() + self.looks.forbidden()
    }
}

/// A crowd at work.
pub(super) struct Load {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
}

struct Shared {
    kiotviet: Arc<KiotVietSim>,
    /// A look at the webhook's address.
    look: Bytes,
    queue: Mutex<VecDeque<Delivery>>,
    before: Mutex<VecDeque<Delivery>>,
    repeats: AtomicUsize,
    /// Whether repeats go on after them.
    goes_on: AtomicBool,
    looks: AtomicUsize,
    under_way: AtomicUsize,
    stop: AtomicBool,
    pause: Duration,
    seen: Mutex<Seen>,
}

impl Load {
    /// Begins. This many of the earlier deliveries are repeated; each connection rests for `pause`
    /// after each answer.
    pub(super) fn begin(
        site: &Site,
        connections: usize,
        repeats: usize,
        pause: Duration,
        before: VecDeque<Delivery>,
    ) -> Self {
        let hook = site.kiotviet().webhooks().into_iter().next();
        let url = hook.map(|hook| hook.url).unwrap_or_default();
        let look = http::Request::get(url).body(Bytes::new());
        let shared = Arc::new(Shared {
            kiotviet: site.kiotviet().clone(),
            look: look.map(|look| wire(&look)).unwrap_or_default(),
            queue: Mutex::default(),
            before: Mutex::new(before),
            repeats: AtomicUsize::new(repeats),
            goes_on: AtomicBool::new(false),
            looks: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            pause,
            seen: Mutex::default(),
        });
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, site.port));
        let workers = begin(&[to], connections, ANSWER_TIME, &shared);
        Self { shared, workers }
    }

    /// Once all repeats are sent, every hundredth look at the address is a repeat instead, until
    /// the end.
    pub(super) fn keep_going(&self) {
        self.shared.goes_on.store(true, Ordering::Relaxed);
    }

    /// Repeats that are still to be sent.
    pub(super) fn repeats_left(&self) -> usize {
        self.shared.repeats.load(Ordering::Relaxed)
    }

    /// Deliveries without an answer so far.
    pub(super) fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::Relaxed)
    }

    /// Whether every delivery was accepted, and repeated as often as asked.
    pub(super) fn is_done(&self) -> bool {
        // While it is locked, no delivery is taken out; and a failed one waits again before it
        // stops being under way.
        let queue = lock(&self.shared.queue);
        self.under_way() == 0
            && queue.is_empty()
            && self.shared.kiotviet.outbox().is_empty()
            && self.repeats_left() == 0
    }

    /// Waits until `look` returns something; an error if it never does.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        look: impl Fn(&Self) -> Option<T>,
    ) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            let late = began.elapsed() > COMES_WITHIN;
            ensure!(!late, "after {COMES_WITHIN:?}, still not: {what}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until every delivery was accepted.
    pub(super) async fn until_done(&self) -> Result<()> {
        let done = |load: &Self| load.is_done().then_some(());
        self.until("every delivery taken on", done).await
    }

    /// What was seen since this was last asked.
    pub(super) fn seen(&self) -> Seen {
        std::mem::take(&mut *lock(&self.shared.seen))
    }

    /// Ends when each connection has its last answer; returns what was seen, and the earlier
    /// deliveries.
    pub(super) async fn end(mut self) -> (Seen, VecDeque<Delivery>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        while self.workers.join_next().await.is_some() {}
        // A delivery that was taken out but not sent has failed, as far as KiotViet can know.
        for delivery in lock(&self.shared.queue).drain(..) {
            self.shared.kiotviet.settle(delivery, None);
        }
        let seen = self.seen();
        let before = std::mem::take(&mut *lock(&self.shared.before));
        (seen, before)
    }
}

/// What a connection sent.
enum Sent {
    /// One of KiotViet's deliveries.
    Delivery(Delivery),
    /// A look at the address, as people do, while no delivery waits.
    Look,
}

impl Source for Shared {
    type Sent = Sent;

    fn next(&self) -> Option<(Bytes, Sent)> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        Some(match self.delivery() {
            Some(delivery) => {
                let request = wire(&self.kiotviet.request(&delivery));
                (request, Sent::Delivery(delivery))
            }
            None => (self.look.clone(), Sent::Look),
        })
    }

    fn answered(&self, sent: Sent, status: Option<u16>, took: Duration) -> Duration {
        match sent {
            Sent::Look => lock(&self.seen).looks.add(status, took),
            Sent::Delivery(delivery) => {
                if status == Some(200) {
                    let mut before = lock(&self.before);
                    before.push_back(delivery.clone());
                    if before.len() > REMEMBERED {
                        before.pop_front();
                    }
                }
                lock(&self.seen).deliveries.add(status, took);
                // It waits again if it was not accepted, so it is always either under way or
                // waiting.
                self.kiotviet.settle(delivery, status);
                self.under_way.fetch_sub(1, Ordering::Relaxed);
            }
        }
        match status {
            Some(200..=299) => self.pause,
            _ => self.pause.max(AFTER_FAILURE),
        }
    }
}

impl Shared {
    /// A waiting delivery; else, while repeats are left, an earlier one.
    fn delivery(&self) -> Option<Delivery> {
        let mut queue = lock(&self.queue);
        if queue.is_empty() {
            queue.extend(self.kiotviet.take_deliveries());
        }
        if let Some(delivery) = queue.pop_front() {
            self.under_way.fetch_add(1, Ordering::Relaxed);
            return Some(delivery);
        }
        let mut before = lock(&self.before);
        let less = |left: usize| left.checked_sub(1);
        if before.is_empty() {
            return None;
        }
        let (order, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.repeats.fetch_update(order, fetch, less).is_err() {
            let looks = self.looks.fetch_add(1, Ordering::Relaxed);
            if !self.goes_on.load(Ordering::Relaxed) || !looks.is_multiple_of(LOOKS) {
                return None;
            }
        }
        let mut again = before.pop_front()?;
        before.push_back(again.clone());
        again.duplicate = true;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Some(again)
    }
}
