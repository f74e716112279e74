//! Runs the plugin natively over the simulated vendors: the same code as in the component, without
//! WebAssembly in between, so that rules and sync can be tested by the million. Time is tokio's
//! (paused in tests), randomness is seeded, the store is memory. It never touches a network.

use crate::{
    admin::Carrier,
    host_fault::{HostFault, HostFaults, LATE},
    variables::{GETFLY, KIOTVIET, KIOTVIET_FNB, KIOTVIET_FNB_ID, KIOTVIET_ID},
};
use bytes::Bytes;
pub use host::keyvalue::Cell;
use host::keyvalue::{Backend, Memory};
use plugin::{
    app,
    config::Config,
    config_cache::ConfigCache,
    drain::how::Waits,
    journal::no_atomics,
    time::Timestamp,
    web::{After, Answer, Body, BodyError, Inbound},
    world::{Clock, Http, HttpError, Log, Random, Request, Response, Store, StoreError},
};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use sim::{Boxed, Broken, FaultRule, Faulty, SimClock, Skew, Upstream, lock};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// An outbound call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The call's name, e.g. `KiotViet GET /customers/{id}`.
    pub endpoint: &'static str,
    /// With its query.
    pub url: String,
    /// Request body as text.
    pub body: String,
    /// HTTP status, none without an answer.
    pub status: Option<u16>,
}

/// A store call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// `get`, `set`, `delete`, `increment`, or `look` for an increment by nothing.
    pub call: &'static str,
    /// Its key.
    pub key: String,
}

impl Stored {
    /// Whether it changes the store.
    pub fn is_write(&self) -> bool {
        !matches!(self.call, "get" | "look")
    }
}

/// Stands before every host call of an instance and decides when the call takes effect.
pub trait Gate: Send + Sync {
    /// Waits for this call's turn. `call` is its name: `set kvgf/journal/1`, or an upstream call's
    /// endpoint.
    fn pass<'a>(&'a self, call: &str) -> Boxed<'a, ()>;
}

/// Answers in place of the native code, and does what follows the answer: the component, over the
/// same store and vendors.
pub trait Guest: Send + Sync {
    /// Answers a request, and does what follows the answer.
    fn request(&self, request: http::Request<Bytes>) -> Boxed<'_, Answer>;
}

/// One instance of the plugin with its surroundings.
pub struct Native {
    /// Its store, if that is memory, for tests to inspect; see [`Native::over`].
    pub store: Memory,
    /// The faults at its host calls.
    pub host_faults: HostFaults,
    backend: Arc<dyn Backend>,
    /// The view of its open store, where each handle sees something else.
    handle: Mutex<Option<Arc<dyn Backend>>>,
    variables: Mutex<BTreeMap<String, String>>,
    /// The configuration that this instance loaded last.
    config: Mutex<Arc<ConfigCache>>,
    upstreams: BTreeMap<String, Arc<dyn Upstream>>,
    clock: Arc<dyn SimClock>,
    /// What a worker waits for after an answer.
    waits: Waits,
    /// The deviation of its machine's clock.
    pub skew: Arc<Skew>,
    random: Mutex<StdRng>,
    log: Mutex<Vec<String>>,
    calls: Mutex<Vec<Called>>,
    stored: Mutex<Vec<Stored>>,
    store_fails: AtomicBool,
    no_atomics: AtomicBool,
    plain: AtomicBool,
    pace: Mutex<Option<(StdRng, Duration)>>,
    held_up: Mutex<Option<(String, Duration)>>,
    /// The endpoint that no connection comes about to.
    unconnected: Mutex<Option<String>>,
    gate: Option<Arc<dyn Gate>>,
    guest: Option<Arc<dyn Guest>>,
}

impl Native {
    /// The plugin over two simulated vendors and an empty store.
    pub fn new(
        variables: BTreeMap<String, String>,
        kiotviet: Arc<dyn Upstream>,
        getfly: Arc<dyn Upstream>,
        clock: Arc<dyn SimClock>,
        seed: u64,
    ) -> Self {
        let upstreams = [
            (GETFLY, getfly),
            (KIOTVIET, kiotviet.clone()),
            (KIOTVIET_ID, kiotviet.clone()),
            (KIOTVIET_FNB, kiotviet.clone()),
            (KIOTVIET_FNB_ID, kiotviet),
        ];
        let upstreams = upstreams.map(|(origin, upstream)| (origin.to_owned(), upstream));
        Self {
            variables: Mutex::new(variables),
            upstreams: upstreams.into(),
            ..Self::over_nothing(clock, seed)
        }
    }

    /// An instance over an empty store, without variables and vendors.
    fn over_nothing(clock: Arc<dyn SimClock>, seed: u64) -> Self {
        let store = Memory::new();
        Self {
            backend: Arc::new(store.clone()),
            store,
            handle: Mutex::default(),
            host_faults: HostFaults::default(),
            variables: Mutex::default(),
            config: Mutex::default(),
            upstreams: BTreeMap::new(),
            clock,
            waits: Waits::No,
            skew: Arc::default(),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            log: Mutex::default(),
            calls: Mutex::default(),
            stored: Mutex::default(),
            store_fails: AtomicBool::new(false),
            no_atomics: AtomicBool::new(false),
            plain: AtomicBool::new(false),
            pace: Mutex::default(),
            held_up: Mutex::default(),
            unconnected: Mutex::default(),
            gate: None,
            guest: None,
        }
    }

    /// Another instance over the same store and the same vendors, with this one's variables.
    pub fn another(&self, seed: u64) -> Self {
        Self {
            store: self.store.clone(),
            backend: self.backend.clone(),
            variables: Mutex::new(lock(&self.variables).clone()),
            upstreams: self.upstreams.clone(),
            no_atomics: AtomicBool::new(self.no_atomics.load(Ordering::Relaxed)),
            ..Self::over_nothing(self.clock.clone(), seed)
        }
    }

    /// This instance with another vendor at that origin.
    #[must_use]
    pub fn serving(mut self, origin: &str, upstream: Arc<dyn Upstream>) -> Self {
        self.upstreams.insert(origin.to_owned(), upstream);
        self
    }

    /// This instance over another store; [`Native::store`] stays empty.
    pub fn over(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = backend;
        self
    }

    /// This instance, but its workers wait for what is due soon, as the component's do.
    pub fn waiting(mut self) -> Self {
        self.waits = Waits::ForDue;
        self
    }

    /// The store as its open handle sees it.
    pub fn backend(&self) -> Arc<dyn Backend> {
        let handle = lock(&self.handle).clone();
        handle.unwrap_or_else(|| self.backend.clone())
    }

    /// Lets that guest answer instead of the native code. Its host calls have no faults.
    pub fn run_by(&mut self, guest: Arc<dyn Guest>) {
        self.guest = Some(guest);
    }

    /// This instance with `gate` before every host call.
    pub fn behind(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Every store call fails from now on, or works again.
    pub fn break_store(&self, fails: bool) {
        self.store_fails.store(fails, Ordering::Relaxed);
    }

    /// `increment` fails from now on, as on hosted Spin at the edge.
    pub fn break_atomics(&self) {
        self.no_atomics.store(true, Ordering::Relaxed);
    }

    /// Makes every store call take up to `longest`, drawn from `seed`, so that concurrent calls
    /// interleave in an order of their own.
    pub fn pace(&self, seed: u64, longest: Duration) {
        *lock(&self.pace) = Some((StdRng::seed_from_u64(seed), longest));
    }

    /// Store calls answer at once again.
    pub fn hurry(&self) {
        *lock(&self.pace) = None;
    }

    /// The time by its machine's clock.
    pub fn time(&self) -> jiff::Timestamp {
        let now = self.clock.now();
        now.checked_add(self.skew.off()).unwrap_or(now)
    }

    /// No connection comes about for calls to this endpoint, so nothing is sent; none: all are sent again.
    pub fn refuse_connections(&self, endpoint: Option<&str>) {
        *lock(&self.unconnected) = endpoint.map(str::to_owned);
    }

    /// Delays every store call whose name and key begin so (`set kvgf/journal/`) before it takes
    /// effect.
    pub fn hold_up(&self, call: &str, wait: Duration) {
        *lock(&self.held_up) = Some((call.to_owned(), wait));
    }

    fn wait_before(&self, call: &str, key: &str) -> Option<Duration> {
        if let Some((prefix, wait)) = &*lock(&self.held_up)
            && format!("{call} {key}").starts_with(prefix.as_str())
        {
            return Some(*wait);
        }
        let mut pace = lock(&self.pace);
        pace.as_mut()
            .map(|(rng, longest)| longest.mul_f64(rng.random()))
    }

    /// Store calls made since this was last asked.
    pub fn take_stored(&self) -> Vec<Stored> {
        std::mem::take(&mut lock(&self.stored))
    }

    async fn store_call<T>(
        &self,
        call: &'static str,
        key: &str,
        act: impl AsyncFnOnce(Arc<dyn Backend>) -> Result<T, String>,
    ) -> Result<T, StoreError> {
        if let Some(wait) = self.wait_before(call, key) {
            tokio::time::sleep(wait).await;
        }
        if let Some(gate) = &self.gate {
            gate.pass(&format!("{call} {key}")).await;
        }
        lock(&self.stored).push(Stored {
            call,
            key: key.to_owned(),
        });
        let failure = || StoreError::failed("simulated failure");
        if self.store_fails.load(Ordering::Relaxed) {
            return Err(failure());
        }
        let name = || format!("{call} {key}");
        self.host_faults
            .befall(name, failure, async {
                act(self.backend()).await.map_err(StoreError::Failed)
            })
            .await
    }

    /// Changes a variable; an empty value unsets it.
    pub fn set_variable(&self, name: &str, value: &str) {
        lock(&self.variables).insert(name.to_owned(), value.to_owned());
    }

    /// The configuration as the plugin reads it.
    pub fn config(&self) -> Arc<Config> {
        let variables = lock(&self.variables).clone();
        let kept = lock(&self.config).clone();
        kept.load(variables.into_iter().collect())
    }

    /// Exchanges the last loaded configurations of this instance and another one.
    pub fn exchange_loaded(&self, other: &Self) {
        let theirs = lock(&other.config).clone();
        let ours = std::mem::replace(&mut *lock(&self.config), theirs);
        *lock(&other.config) = ours;
    }

    /// Calls made since this was last asked.
    pub fn take_calls(&self) -> Vec<Called> {
        std::mem::take(&mut lock(&self.calls))
    }

    /// Log lines so far.
    pub fn log(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    /// Answers a request, and does what follows the answer.
    pub async fn request(&self, request: http::Request<Bytes>) -> Answer {
        let (answer, after) = self.answer(request).await;
        self.after(after).await;
        answer
    }

    /// Does what follows an answer.
    pub async fn after(&self, after: After) {
        if after != After::Nothing {
            // The future is large in an unoptimised build, and a test's thread has little stack.
            Box::pin(app::process(self, &self.config(), after, self.waits)).await;
        }
    }

    /// Answers a request; returns what must follow it.
    pub async fn answer(&self, request: http::Request<Bytes>) -> (Answer, After) {
        if let Some(guest) = &self.guest {
            return (guest.request(request).await, After::Nothing);
        }
        let (parts, body) = request.into_parts();
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned)
        };
        let inbound = Inbound {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            authorization: header("authorization"),
            signature: header("x-hub-signature"),
            cookie: header("cookie"),
            fetch_site: header("sec-fetch-site"),
            client: header("spin-client-addr"),
            body: Whole(body),
        };
        self.reopen();
        Box::pin(app::handle(self, &self.config(), inbound)).await
    }
}

impl Carrier for Native {
    async fn carry(&self, request: http::Request<Bytes>) -> anyhow::Result<http::Response<Bytes>> {
        let answer = self.request(request).await;
        let mut response = http::Response::builder().status(answer.status);
        if let Some(content_type) = answer.content_type {
            response = response.header("content-type", content_type);
        }
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        Ok(response.body(answer.body.into())?)
    }
}

struct Whole(Bytes);

impl Body for Whole {
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        if self.0.len() > limit {
            Err(BodyError::TooLarge)
        } else {
            Ok(self.0.to_vec())
        }
    }
}

impl Store for Native {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let act = async |store: Arc<dyn Backend>| store.get(key).await;
        self.store_call("get", key, act).await
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        let act = async |store: Arc<dyn Backend>| store.exists(key).await;
        self.store_call("get", key, act).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let act = async |store: Arc<dyn Backend>| {
            if value.len() > 1_000_000 {
                return Err(format!("{key}: a value has at most 1 MB"));
            }
            store.set(key, value.to_vec()).await
        };
        self.store_call("set", key, act).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let act = async |store: Arc<dyn Backend>| store.delete(key).await;
        self.store_call("delete", key, act).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        if self.plain.load(Ordering::Relaxed) {
            return no_atomics::increment(self, key, delta).await;
        }
        let act = async |store: Arc<dyn Backend>| match self.no_atomics.load(Ordering::Relaxed) {
            true => Err("atomics are not supported".to_owned()),
            false => store.increment(key, delta).await,
        };
        let call = if delta == 0 { "look" } else { "increment" };
        self.store_call(call, key, act).await
    }

    async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        let act = async |store: Arc<dyn Backend>| store.list_keys().await;
        self.store_call("list", "", act).await
    }

    fn reopen(&self) {
        *lock(&self.handle) = self.backend.handle();
    }

    fn is_atomic(&self) -> bool {
        !self.plain.load(Ordering::Relaxed)
    }

    fn count_plainly(&self) {
        self.plain.store(true, Ordering::Relaxed);
    }
}

async fn ask(
    upstream: &dyn Upstream,
    request: http::Request<Bytes>,
    timeout: Duration,
) -> Result<Response, HttpError> {
    match tokio::time::timeout(timeout, upstream.handle(request)).await {
        Err(_) => Err(HttpError::Timeout),
        Ok(Err(Broken)) => Err(HttpError::Connection("the connection broke".to_owned())),
        Ok(Ok(response)) => {
            let retry_after = response
                .headers()
                .get("retry-after")
                .and_then(|v| v.to_str().ok());
            Ok(Response {
                status: response.status().as_u16(),
                retry_after: retry_after.map(str::to_owned),
                body: response.body().to_vec(),
            })
        }
    }
}

impl Http for Native {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let upstream = self
            .upstreams
            .iter()
            .find(|(origin, _)| request.url.starts_with(origin.as_str()));
        let Some((_, upstream)) = upstream else {
            return Err(HttpError::Denied);
        };
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(&request.url);
        for (name, value) in request.fields() {
            builder = builder.header(name, value);
        }
        if lock(&self.unconnected).as_deref() == Some(request.endpoint) {
            return Err(HttpError::NotSent("the connection was refused".to_owned()));
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let outgoing = builder
            .body(Bytes::from(request.body))
            .map_err(|e| HttpError::Connection(e.to_string()))?;
        if let Some(gate) = &self.gate {
            gate.pass(request.endpoint).await;
        }
        let broken = || HttpError::Connection("simulated failure".to_owned());
        let fault = self.host_faults.next(|| request.endpoint.to_owned()).await;
        let answer = if let Some(HostFault::Replies(reply)) = fault {
            let faulty = Faulty::new(upstream.clone(), self.clock.clone(), 0);
            faulty.add(FaultRule::new(reply.fault()));
            ask(&faulty, outgoing, request.timeout).await
        } else if let Some(HostFault::DiesDuring) = fault {
            let (upstream, died) = (upstream.clone(), std::future::pending());
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                let _ = upstream.handle(outgoing).await;
            });
            self.host_faults.carry_out(fault, broken, died).await
        } else {
            let call = ask(&**upstream, outgoing, request.timeout);
            self.host_faults.carry_out(fault, broken, call).await
        };
        let status = answer.as_ref().ok().map(|r| r.status);
        lock(&self.calls).push(Called {
            endpoint: request.endpoint,
            url: request.url,
            body,
            status,
        });
        answer
    }
}

impl Clock for Native {
    fn now(&self) -> Timestamp {
        let now = self.time();
        let nanosecond = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Timestamp::new(now.as_second(), nanosecond).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Random for Native {
    fn fill(&self, bytes: &mut [u8]) {
        lock(&self.random).fill_bytes(bytes);
    }
}

impl Log for Native {
    fn line(&self, line: &str) {
        lock(&self.log).push(line.to_owned());
    }
}
