//! The world as a worker may use it. Every call and every write first checks that it is still
//! allowed, calls to Getfly keep the rate limit, and each call is noted for the event's
//! explanation.

use crate::{
    assumption::Assumption,
    config::{CallRate, Ready},
    journal::{
        assumptions::Seen,
        first_events::{Exchange, as_text},
        ledger::{self, SETTLE},
        no_atomics,
        record::Call,
        sorted_map::SortedMap,
        stats,
    },
    kiotviet::edition::Editions,
    secret::Secret,
    time::Timestamp,
    vendor::{fate::parse_retry_after, redaction::without_key},
    worker::lease::{Lease, SKEW_SECONDS},
    world::{
        Clock, Http, HttpError, Log, Member, Method, Random, Request, Response, Store, StoreError,
        World,
    },
};
use core::{
    cell::{Cell, RefCell},
    time::Duration,
};

/// Calls kept for an explanation: enough for a search by the most numbers, and the create.
const CALLS_KEPT: usize = 120;

/// While waiting, the lease is renewed at least this often: below its margin.
const STEP: Duration = Duration::from_secs(5);
/// How long a tenant that answered 429 gets one call at a time.
const SLOW_FOR: Duration = Duration::from_secs(600);
/// The time between two of these calls: a second by a clock that is not ours.
const SLOW_WINDOW: Duration = Duration::from_millis(1_100);
/// The longest `Retry-After` that a call itself waits for; for a longer one, its event waits.
const LONGEST_REPEAT: Duration = Duration::from_secs(5);
/// The most calls to Getfly that a worker makes at once: the searches by six numbers and six
/// addresses.
const AT_ONCE: usize = 12;

/// What allows the worker to act.
#[derive(Debug)]
pub enum Permit<'w, W> {
    /// The lease: everything.
    Lease(Lease<'w, W>),
    /// A person's request: calls and the store, outside the journal's work.
    Person,
    /// A preview: reads only. The token request is the one call that is no GET.
    ReadOnly,
}

/// See the module.
#[derive(Debug)]
pub struct Worker<'w, W> {
    world: &'w W,
    permit: Permit<'w, W>,
    getfly_origin: &'w str,
    getfly_key: &'w Secret,
    editions: &'w Editions,
    rate: CallRate,
    getfly_calls: RefCell<Vec<Timestamp>>,
    slow_until: Cell<Option<Timestamp>>,
    calls: RefCell<Vec<Call>>,
    /// What was sent and answered; none where nobody wants to know.
    exchanges: RefCell<Option<Vec<Exchange>>>,
    tally: RefCell<SortedMap<(String, String), u64>>,
    /// A create was sent to Getfly, and the store does not show yet what the next worker must wait
    /// for.
    open: Cell<bool>,
    reached: Cell<Reached>,
    seen: RefCell<Seen>,
    /// How many calls may still be made.
    calls_left: Cell<u64>,
    /// Assumptions that were seen for the first time and are not stored yet.
    firsts: RefCell<Vec<(Assumption, bool)>>,
    /// Shapes of records that are not stored yet.
    shapes: RefCell<Vec<Vec<Member>>>,
}

/// How many calls each side answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// Getfly.
    pub getfly: u64,
    /// KiotViet.
    pub kiotviet: u64,
}

impl<'w, W: World> Worker<'w, W> {
    /// A worker over `world`. `getfly_calls` are the starts of earlier calls to Getfly, which count
    /// towards the rate limit.
    pub fn new(
        world: &'w W,
        permit: Permit<'w, W>,
        ready: &'w Ready,
        getfly_calls: Vec<Timestamp>,
    ) -> Self {
        Self {
            world,
            permit,
            getfly_origin: &ready.getfly_url,
            getfly_key: &ready.getfly_api_key,
            editions: &ready.kiotviet,
            rate: ready.getfly_rate,
            getfly_calls: RefCell::new(getfly_calls),
            slow_until: Cell::new(None),
            calls: RefCell::new(Vec::new()),
            exchanges: RefCell::new(None),
            tally: RefCell::new(SortedMap::default()),
            open: Cell::new(false),
            reached: Cell::default(),
            seen: RefCell::default(),
            calls_left: Cell::new(u64::MAX),
            firsts: RefCell::default(),
            shapes: RefCell::default(),
        }
    }

    /// The world that it acts in.
    pub fn world(&self) -> &'w W {
        self.world
    }

    /// Whether a write may begin now.
    pub async fn may_write(&self) -> bool {
        match &self.permit {
            Permit::Lease(lease) => lease.holds().await,
            Permit::Person => true,
            Permit::ReadOnly => false,
        }
    }

    async fn may_call(&self, request: &Request) -> bool {
        match &self.permit {
            Permit::Lease(lease) => {
                lease.outlasts(request.timeout).await || mutant!(LeaseNotCheckedBeforeCall)
            }
            Permit::Person => true,
            Permit::ReadOnly => {
                request.method == Method::Get || self.editions.is_token(&request.url)
            }
        }
    }

    async fn check_write(&self) -> Result<(), StoreError> {
        if self.may_write().await || mutant!(LeaseNotCheckedBeforeWrite) {
            Ok(())
        } else {
            Err(StoreError::LeaseEnded)
        }
    }

    /// The calls since this was last asked.
    pub fn take_calls(&self) -> Vec<Call> {
        core::mem::take(&mut self.calls.borrow_mut())
    }

    /// From now on what is sent to Getfly and its answers are kept, or not: creates, and for a caller who may only read, reads.
    pub fn keep_exchanges(&self, kept: bool) {
        *self.exchanges.borrow_mut() = kept.then(Vec::new);
    }

    /// What was kept since the last time this was asked.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        let mut kept = self.exchanges.borrow_mut();
        kept.as_mut().map(core::mem::take).unwrap_or_default()
    }

    fn keeps_exchange(&self, request: &Request) -> bool {
        let wanted = request.method == Method::Post || matches!(self.permit, Permit::ReadOnly);
        wanted && self.exchanges.borrow().is_some()
    }

    /// How many calls each side answered since this was last asked.
    pub fn take_reached(&self) -> Reached {
        self.reached.take()
    }

    /// How many calls were made since this was last asked, by endpoint and HTTP status (`none`
    /// without an answer).
    pub fn take_tally(&self) -> SortedMap<(String, String), u64> {
        core::mem::take(&mut self.tally.borrow_mut())
    }

    /// Starts of the last calls to Getfly, for the next worker's rate limit.
    pub fn getfly_calls(&self) -> Vec<Timestamp> {
        self.getfly_calls.borrow().clone()
    }

    /// Allows at most `most` further calls; any later one is refused.
    pub fn limit_calls(&self, most: u64) {
        self.calls_left.set(most);
    }

    /// How many calls may still be made.
    pub fn calls_left(&self) -> u64 {
        self.calls_left.get()
    }

    /// Takes over what earlier workers saw of the assumptions.
    pub fn set_seen(&self, seen: Seen) {
        *self.seen.borrow_mut() = seen;
    }

    /// What was seen of the assumptions, for the next worker.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// What was seen for the first time since this was last asked.
    pub fn take_shapes(&self) -> Vec<Vec<Member>> {
        core::mem::take(&mut self.shapes.borrow_mut())
    }

    /// Assumptions that were seen for the first time.
    pub fn take_firsts(&self) -> Vec<(Assumption, bool)> {
        core::mem::take(&mut self.firsts.borrow_mut())
    }

    /// Until when Getfly gets one call at a time, because it asked for fewer. It holds for the next
    /// worker too.
    pub fn slow_until(&self) -> Option<Timestamp> {
        self.slow_until.get()
    }

    /// Takes over what an earlier worker found.
    pub fn set_slow_until(&self, until: Option<Timestamp>) {
        self.slow_until.set(until);
    }

    /// The rate that Getfly bears now: the configured one, or one call at a time.
    fn present_rate(&self, now: Timestamp) -> CallRate {
        let slow = self.slow_until.get().is_some_and(|until| now < until);
        if slow {
            CallRate {
                calls: 1,
                window: self.rate.window.max(SLOW_WINDOW),
            }
        } else {
            self.rate
        }
    }

    /// Until when a crashed worker's calls may still take effect ([`Lease::left_open`]).
    pub async fn left_open(&self) -> Result<Option<Timestamp>, StoreError> {
        let left = match &self.permit {
            Permit::Lease(lease) => lease.left_open().await?,
            Permit::Person | Permit::ReadOnly => None,
        };
        if self.world.is_atomic() {
            return Ok(left);
        }
        Ok(left.max(no_atomics::open_create(self.world).await?))
    }

    /// The store shows what became of the creates that were sent.
    pub async fn settled(&self) {
        if self.open.replace(false) && !self.world.is_atomic() {
            // What stays holds others up for a minute.
            let _ = no_atomics::create_settled(self.world).await;
        }
    }

    /// Releases the lease. If the store does not show a create's outcome, the lease stays, as after
    /// a crash.
    pub async fn release(self) {
        if self.open.get() && !mutant!(OpenCreateForgotten) {
            return;
        }
        if let Permit::Lease(lease) = self.permit {
            lease.release().await;
        }
    }

    /// The longest that a burst of [`AT_ONCE`] calls can queue for the rate limit, allowing for
    /// clock skew against the previous worker.
    fn longest_wait(&self, rate: CallRate) -> Duration {
        let windows = AT_ONCE.div_ceil(rate.calls.max(1)).saturating_add(1);
        let windows = u32::try_from(windows).unwrap_or(u32::MAX);
        let skew = Duration::from_secs(SKEW_SECONDS.unsigned_abs());
        rate.window.saturating_mul(windows).saturating_add(skew)
    }

    /// Books the next start that the rate limit allows, and waits for it.
    async fn wait_for_ceiling(&self) {
        let now = self.world.now();
        let rate = self.present_rate(now);
        let longest = self.longest_wait(rate);
        let start = {
            let mut calls = self.getfly_calls.borrow_mut();
            let earlier = calls
                .len()
                .checked_sub(rate.calls)
                .and_then(|i| calls.get(i).copied());
            let start = earlier
                .and_then(|t| t.checked_add(rate.window))
                // A start later than possible was booked before the clock was set back.
                .filter(|free| free.saturating_since(now) <= longest || mutant!(FutureCallsCount))
                .map_or(now, |free| free.max(now));
            calls.push(start);
            let surplus = calls.len().saturating_sub(self.rate.calls);
            calls.drain(..surplus);
            start
        };
        self.wait_until(start).await;
    }

    /// Waits and renews the lease. The next call or write checks whether it was lost.
    pub async fn wait_until(&self, until: Timestamp) {
        let mut wait = until.saturating_since(self.world.now());
        while !wait.is_zero() {
            let step = wait.min(STEP);
            self.world.sleep(step).await;
            self.may_write().await;
            wait = wait.saturating_sub(step);
        }
    }
}

impl<W: World> Store for Worker<'_, W> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.world.get(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.world.exists(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.check_write().await?;
        self.world.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check_write().await?;
        self.world.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        if delta != 0 {
            self.check_write().await?;
        }
        self.world.increment(key, delta).await
    }

    async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        self.world.list_keys().await
    }

    fn reopen(&self) {
        self.world.reopen();
    }

    fn is_atomic(&self) -> bool {
        self.world.is_atomic()
    }

    fn count_plainly(&self) {
        self.world.count_plainly();
    }
}

impl<W: World> Http for Worker<'_, W> {
    /// A call that Getfly answers with 429 came too soon after another one: it is made once more.
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        if !request.url.starts_with(self.getfly_origin) {
            return self.send_once(request, false).await;
        }
        let answer = self.send_once(request.clone(), true).await;
        let asked = answer.as_ref().ok().and_then(repeated_after);
        let Some(after) = asked.filter(|_| !mutant!(CeilingIgnored)) else {
            return answer;
        };
        let now = self.world.now();
        self.wait_until(now.saturating_add(after)).await;
        self.send_once(request, true).await
    }

    fn saw(&self, assumption: Assumption, holds: bool) {
        if self.seen.borrow_mut().saw(assumption, holds) {
            self.firsts.borrow_mut().push((assumption, holds));
        }
    }

    fn shaped(&self, members: Vec<Member>) {
        self.shapes.borrow_mut().push(members);
    }

    fn is_confirmed(&self, assumption: Assumption) -> bool {
        let seen = self.seen.borrow();
        seen.times(assumption, true) > 0 && seen.times(assumption, false) == 0
    }

    fn times_seen(&self, assumption: Assumption) -> u64 {
        match self.permit {
            Permit::Lease(_) => self.seen.borrow().either(assumption),
            Permit::Person | Permit::ReadOnly => u64::MAX,
        }
    }
}

/// The wait before a call is made once more: Getfly answered 429 and asks for a short wait or
/// states none.
fn repeated_after(answer: &Response) -> Option<Duration> {
    let asked = answer.retry_after.as_deref().and_then(parse_retry_after);
    let after = asked.unwrap_or(SLOW_WINDOW);
    (answer.status == 429 && after <= LONGEST_REPEAT).then_some(after)
}

impl<W: World> Worker<'_, W> {
    async fn send_once(&self, request: Request, to_getfly: bool) -> Result<Response, HttpError> {
        let Some(left) = self.calls_left.get().checked_sub(1) else {
            return Err(HttpError::LeaseEnded);
        };
        self.calls_left.set(left);
        if to_getfly && !mutant!(CeilingIgnored) {
            self.wait_for_ceiling().await;
        }
        if !self.may_call(&request).await {
            return Err(HttpError::LeaseEnded);
        }
        if to_getfly && request.method == Method::Post {
            self.open.set(true);
            if !self.world.is_atomic() {
                let until = ledger::call_ends(self.world.now()).saturating_add(SETTLE);
                let begun = no_atomics::create_begins(self.world, until).await;
                begun.map_err(|_| HttpError::LeaseEnded)?;
            }
        }
        let endpoint = request.endpoint;
        let began = self.world.now();
        let exchange = (to_getfly && self.keeps_exchange(&request)).then(|| Exchange {
            at: began,
            call: endpoint.to_owned(),
            sent: as_text(&request.body),
            status: None,
            answer: String::new(),
        });
        let answer = self.world.send(request).await;
        if let (Some(exchange), Some(kept)) = (exchange, self.exchanges.borrow_mut().as_mut()) {
            let (status, text) = match &answer {
                Ok(answer) => {
                    let text = without_key(&String::from_utf8_lossy(&answer.body), self.getfly_key);
                    (Some(answer.status), as_text(text.as_bytes()))
                }
                Err(why) => (None, why.to_string()),
            };
            kept.push(Exchange {
                status,
                answer: text,
                ..exchange
            });
        }
        let answered = answer.as_ref().map(|answer| answer.status);
        if to_getfly && answered == Ok(429) && !mutant!(CeilingIgnored) {
            self.slow_until.set(self.world.now().checked_add(SLOW_FOR));
            self.saw(Assumption::GetflyRate, false);
        }
        let mut reached = self.reached.get();
        reached.getfly += u64::from(to_getfly && answer.is_ok());
        reached.kiotviet += u64::from(!to_getfly && answer.is_ok());
        self.reached.set(reached);
        let took = self.world.now().saturating_since(began);
        let ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let call = Call {
            endpoint: endpoint.to_owned(),
            status: answer.as_ref().ok().map(|r| r.status),
            ms,
        };
        let code = call
            .status
            .map_or_else(|| "none".to_owned(), |s| s.to_string());
        let counted = (call.endpoint.clone(), code);
        stats::add(&mut self.tally.borrow_mut(), counted, 1);
        let mut calls = self.calls.borrow_mut();
        if calls.len() < CALLS_KEPT {
            calls.push(call);
        }
        answer
    }
}

impl<W: World> Clock for Worker<'_, W> {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }
}

impl<W: World> Random for Worker<'_, W> {
    fn fill(&self, bytes: &mut [u8]) {
        self.world.fill(bytes);
    }
}

impl<W: World> Log for Worker<'_, W> {
    fn line(&self, line: &str) {
        self.world.line(line);
    }
}
