//! KiotViet as a crowd: many connections that deliver what waits, deliver again what came before, and
//! count every answer.

use super::site::Site;
use anyhow::{Result, ensure};
use sim::{Deliverer, HttpDeliverer, KiotVietSim, kiotviet::Delivery, lock};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// KiotViet waits so long for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Pause after a delivery that was not taken on.
const AFTER_FAILURE: Duration = Duration::from_millis(20);
/// Of what came before, so many deliveries are kept to be sent again.
const REMEMBERED: usize = 64;

/// Pause between two looks at the crowd.
const LOOK: Duration = Duration::from_millis(2);
/// Whatever a crowd is waited for comes within this on the slowest machine, or the host is dead.
pub(super) const COMES_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Of so many looks at the address, one is a delivery where a crowd goes on.
const LOOKS: usize = 100;

/// A single one of these stops KiotViet's deliveries for good.
pub(super) const FORBIDDEN: [u16; 5] = [400, 401, 403, 404, 405];

/// What the clients saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Answers by code; 0: none, or not in time.
    pub(super) codes: BTreeMap<u16, usize>,
    /// Time to each answer.
    pub(super) times: Vec<Duration>,
}

impl Tally {
    pub(super) fn add(&mut self, code: Option<u16>, time: Duration) {
        *self.codes.entry(code.unwrap_or(0)).or_default() += 1;
        if code.is_some() {
            self.times.push(time);
        }
    }

    /// What another crowd saw, too.
    pub(super) fn merge(&mut self, other: Self) {
        for (code, n) in other.codes {
            *self.codes.entry(code).or_default() += n;
        }
        self.times.extend(other.times);
    }

    pub(super) fn sent(&self) -> usize {
        self.codes.values().sum()
    }

    pub(super) fn forbidden(&self) -> usize {
        FORBIDDEN
            .iter()
            .filter_map(|code| self.codes.get(code))
            .sum()
    }

    /// `200: 17, none: 2`.
    pub(super) fn by_code(&self) -> String {
        let shown = self.codes.iter().map(|(code, n)| match code {
            0 => format!("none: {n}"),
            code => format!("{code}: {n}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Median, 99th of a hundred, and longest time, in milliseconds.
    pub(super) fn latency(&mut self) -> String {
        self.times.sort_unstable();
        let last = self.times.len().saturating_sub(1);
        let at = |of: usize| {
            self.times
                .get(last * of / 100)
                .map_or(0, Duration::as_millis)
        };
        format!("p50 {} ms, p99 {} ms, max {} ms", at(50), at(99), at(100))
    }
}

/// What a crowd saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Answers to deliveries.
    pub(super) deliveries: Tally,
    /// Answers to looks at the webhook's address, which come while there is nothing to deliver.
    pub(super) looks: Tally,
}

impl Seen {
    /// What another crowd saw, too.
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
    hook: String,
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
    /// Begins. So many of the deliveries that came before are sent again; each connection rests for
    /// `pause` after each answer.
    pub(super) fn begin(
        site: &Site,
        connections: usize,
        repeats: usize,
        pause: Duration,
        before: VecDeque<Delivery>,
    ) -> Self {
        let hook = site.kiotviet.webhooks().into_iter().next();
        let shared = Arc::new(Shared {
            kiotviet: site.kiotviet.clone(),
            hook: hook.map(|hook| hook.url).unwrap_or_default(),
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
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            workers.spawn(work(shared.clone()));
        }
        Self { shared, workers }
    }

    /// When all repeats are sent, every hundredth look at the address is a repeat instead, until the end.
    pub(super) fn keep_going(&self) {
        self.shared.goes_on.store(true, Ordering::Relaxed);
    }

    /// Repeats that were asked for and not sent yet.
    pub(super) fn repeats_left(&self) -> usize {
        self.shared.repeats.load(Ordering::Relaxed)
    }

    /// Deliveries without an answer so far.
    pub(super) fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::Relaxed)
    }

    /// Whether everything was taken on, and sent again as often as asked.
    pub(super) fn is_done(&self) -> bool {
        // Locked, nothing is taken out meanwhile; and what failed waits before it is no longer under way.
        let queue = lock(&self.shared.queue);
        self.under_way() == 0
            && queue.is_empty()
            && self.shared.kiotviet.outbox().is_empty()
            && self.repeats_left() == 0
    }

    /// Waits until this finds what it looks for; an error when that never comes.
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

    /// Waits until everything was taken on.
    pub(super) async fn until_done(&self) -> Result<()> {
        let done = |load: &Self| load.is_done().then_some(());
        self.until("every delivery taken on", done).await
    }

    /// What was seen since this was last asked.
    pub(super) fn seen(&self) -> Seen {
        std::mem::take(&mut *lock(&self.shared.seen))
    }

    /// Ends when each connection has its last answer; gives what was seen, and what came before.
    pub(super) async fn end(mut self) -> (Seen, VecDeque<Delivery>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        while self.workers.join_next().await.is_some() {}
        // What was taken out and not sent failed as far as KiotViet can tell.
        for delivery in lock(&self.shared.queue).drain(..) {
            self.shared.kiotviet.settle(delivery, None);
        }
        let seen = self.seen();
        let before = std::mem::take(&mut *lock(&self.shared.before));
        (seen, before)
    }
}

async fn work(shared: Arc<Shared>) {
    let to = HttpDeliverer::default();
    while !shared.stop.load(Ordering::Relaxed) {
        let Some(delivery) = shared.next() else {
            // Nothing to tell: the address is looked at, as people do.
            let look = http::Request::get(&shared.hook).body(bytes::Bytes::new());
            if let Ok(look) = look {
                let began = Instant::now();
                let answer = tokio::time::timeout(ANSWER_TIME, to.deliver(look)).await;
                let answer = answer.ok().and_then(Result::ok);
                lock(&shared.seen).looks.add(answer, began.elapsed());
                shared.rest(answer).await;
            }
            continue;
        };
        let request = shared.kiotviet.request(&delivery);
        let began = Instant::now();
        let answer = tokio::time::timeout(ANSWER_TIME, to.deliver(request)).await;
        let answer = answer.ok().and_then(Result::ok);
        if answer == Some(200) {
            let mut before = lock(&shared.before);
            before.push_back(delivery.clone());
            if before.len() > REMEMBERED {
                before.pop_front();
            }
        }
        lock(&shared.seen).deliveries.add(answer, began.elapsed());
        // Waits again where it was not taken on, so it is at no moment neither under way nor waiting.
        shared.kiotviet.settle(delivery, answer);
        shared.under_way.fetch_sub(1, Ordering::Relaxed);
        shared.rest(answer).await;
    }
}

impl Shared {
    /// What waits; else, while there is a repeat left, something that came before.
    fn next(&self) -> Option<Delivery> {
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

    async fn rest(&self, answer: Option<u16>) {
        let pause = match answer {
            Some(200..=299) => self.pause,
            _ => self.pause.max(AFTER_FAILURE),
        };
        tokio::time::sleep(pause).await;
    }
}
