//! Runs the component: a fresh instance for each request, with exactly the imports of `wit/world.wit`
//! and nothing else linked. The guest goes on after its answer until it has nothing more to do.

use crate::{
    bindings::wasi::{
        config::store as config,
        keyvalue::{atomics, store},
    },
    keyvalue::Backend,
    manifest::OutboundPolicy,
    outbound::{CallLog, Hooks, Outbound},
};
use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use futures_channel::oneshot;
use http_body_util::{BodyExt, Full};
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use std::{
    collections::BTreeMap,
    future::poll_fn,
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{io::AsyncWrite, task::JoinHandle};
use wasmtime::{
    AsContextMut, Config, Engine, PoolingAllocationConfig, ResourceLimiter, Store,
    component::{Component, HasData, Linker, Resource, ResourceTable},
};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView,
    WasiView,
    cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    random::{WasiRandom, WasiRandomView},
};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    handler::{Prepared, Proxy, ProxyPre},
    p3::bindings::ServicePre,
};

/// Most memory one instance may have. Its budget is 16 MiB in ordinary work; a body of 5 MiB is
/// taken apart within this.
pub const MEMORY_BYTES: usize = 96 * 1024 * 1024;
/// Instances alive at once; `server` lets fewer in.
const INSTANCES: u32 = 256;
/// Core instances in the component: the plugin's, and those that wit-component wraps it in.
const CORE_INSTANCES: u32 = 4;
/// What of an ended instance's memory is cleared rather than given back to the system, bytes.
const KEPT_BYTES: usize = 512 * 1024;
/// Fuel of one request with everything after its answer: a runaway guest ends after some minutes of
/// a processor's time. An ordinary event takes a few millions.
const FUEL: u64 = 1_000_000_000_000;
/// After this much fuel, some milliseconds, a guest lets others have its thread for a moment.
const YIELD_FUEL: u64 = 10_000_000;
/// Longest log line kept whole; a longer one is cut into several.
const LINE_BYTES: usize = 64 * 1024;

/// Where the guest's log lines go, one call for each.
pub type LogSink = Arc<dyn Fn(&str) + Send + Sync>;

/// The time that guests see. `wait-for` always follows tokio's time, which a test can pause.
pub trait GuestClock: Send + Sync {
    /// Time since 1970.
    fn wall(&self) -> Duration;
    /// Time since some fixed moment.
    fn monotonic(&self) -> Duration;
}

/// What surrounds the guest.
#[derive(Clone)]
pub struct World {
    /// `wasi:config`.
    pub variables: Arc<BTreeMap<String, String>>,
    /// `wasi:keyvalue`, under the labels of the manifest.
    pub backend: Arc<dyn Backend>,
    /// Labels of the manifest's `key_value_stores`.
    pub store_labels: Arc<Vec<String>>,
    /// `allowed_outbound_hosts`.
    pub policy: Arc<OutboundPolicy>,
    /// Who answers allowed outbound calls.
    pub outbound: Outbound,
    /// The guest's log.
    pub log: LogSink,
    /// The guest's clocks; the system's when none.
    pub clock: Option<Arc<dyn GuestClock>>,
    /// Seed of the next instance's randomness; the system's when none.
    pub seed: Option<Arc<AtomicU64>>,
    /// Outbound calls are noted here.
    pub calls: CallLog,
    /// Fuel of one request with everything after its answer; enough for any sound guest when none.
    pub fuel: Option<u64>,
}

/// A compiled component, ready to be instantiated.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    pre: Arc<ProxyPre<State>>,
}

/// What a request has become.
pub struct Handled {
    /// The whole answer.
    pub response: http::Response<Bytes>,
    /// Ends when the guest has nothing more to do.
    pub after: JoinHandle<Finished>,
}

/// What a request cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Instructions, in wasmtime's fuel.
    pub fuel: u64,
    /// Peak of the guest's linear memory, bytes.
    pub memory: usize,
    /// Why the guest was stopped, if it was.
    pub trap: Option<String>,
}

/// The state of one instance.
pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    limits: Limits,
    world: World,
}

struct Limits {
    peak: Arc<AtomicUsize>,
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= MEMORY_BYTES;
        if allowed {
            self.peak.fetch_max(desired, Ordering::Relaxed);
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 100_000)
    }
}

impl Runtime {
    /// Compiles the component in `file`. Refuses one that is no component, or that imports more than
    /// this host offers.
    pub fn load(file: &Path) -> Result<Self> {
        let mut config = Config::new();
        config
            .wasm_component_model_async(true)
            .consume_fuel(true)
            .allocation_strategy(pool());
        let engine = Engine::new(&config).map_err(|e| anyhow!("{e:#}"))?;
        let component = Component::from_file(&engine, file)
            .map_err(|e| anyhow!("{e:#}"))
            .with_context(|| format!("cannot load the component {}", file.display()))?;
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(|e| anyhow!("{e:#}"))?;
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|e| anyhow!("{e:#}"))?;
        let pre = ServicePre::new(pre).map_err(|e| anyhow!("{e:#}"))?;
        Ok(Self {
            engine,
            pre: Arc::new(ProxyPre::P3(pre)),
        })
    }

    /// Hands `request` to a fresh instance and gives its whole answer; the guest may go on. An error
    /// means that there is no answer: the guest was stopped, or refused to form one.
    pub async fn handle(&self, world: &World, request: http::Request<Bytes>) -> Result<Handled> {
        let (answer, answered) = oneshot::channel();
        let runtime = self.clone();
        let world = world.clone();
        let after = tokio::spawn(async move { runtime.run(world, request, answer).await });
        let response = answered
            .await
            .map_err(|_| anyhow!("the guest ended without an answer"))?;
        let response = response.map_err(|e| anyhow!("{e:#}"))?;
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|e| anyhow!("the answer's body: {e:?}"))?
            .to_bytes();
        Ok(Handled {
            response: http::Response::from_parts(parts, body),
            after,
        })
    }

    async fn run(
        &self,
        world: World,
        request: http::Request<Bytes>,
        answer: oneshot::Sender<wasmtime::Result<wasmtime_wasi_http::handler::Response>>,
    ) -> Finished {
        let peak = Arc::new(AtomicUsize::new(0));
        let log = world.log.clone();
        let allowed = world.fuel.unwrap_or(FUEL);
        let mut store = Store::new(&self.engine, State::new(world, peak.clone()));
        store.limiter(|state| &mut state.limits);
        let result = self.drive(&mut store, allowed, request, answer).await;
        let fuel = allowed.saturating_sub(store.get_fuel().unwrap_or(allowed));
        let trap = result.err().map(|e| format!("{e:#}"));
        if let Some(trap) = &trap {
            log(&serde_json::json!({ "level": "error", "message": "the guest was stopped", "why": trap }).to_string());
        }
        Finished {
            fuel,
            memory: peak.load(Ordering::Relaxed),
            trap,
        }
    }

    async fn drive(
        &self,
        store: &mut Store<State>,
        fuel: u64,
        request: http::Request<Bytes>,
        answer: oneshot::Sender<wasmtime::Result<wasmtime_wasi_http::handler::Response>>,
    ) -> wasmtime::Result<()> {
        store.set_fuel(fuel)?;
        store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
        let proxy: Proxy = self.pre.instantiate_async(&mut *store).await?;
        let request = request.map(|body| {
            Full::new(body)
                .map_err(|never| match never {})
                .boxed_unsync()
        });
        let prepared = Prepared::new(store.as_context_mut(), &proxy, request, State::http, answer)?;
        store
            .run_concurrent(async |accessor| {
                prepared.run(accessor, std::future::pending()).await?;
                // The answer is out; tasks that the guest spawned go on.
                poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
                wasmtime::Result::<()>::Ok(())
            })
            .await?
    }
}

/// Memory and tables of ended instances are used again: a fresh one costs microseconds, not mappings.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_memories(INSTANCES)
        .total_core_instances(CORE_INSTANCES * INSTANCES)
        .total_tables(CORE_INSTANCES * INSTANCES)
        .total_stacks(CORE_INSTANCES * INSTANCES)
        .max_memory_size(MEMORY_BYTES)
        .linear_memory_keep_resident(KEPT_BYTES);
    pool
}

/// Exactly the imports of `wit/world.wit`; a component that wants more does not load.
fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime_wasi::p3::bindings::{cli, clocks, random};
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    clocks::types::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    clocks::system_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    store::add_to_linker::<_, Outside>(linker, |state| state)?;
    atomics::add_to_linker::<_, Outside>(linker, |state| state)?;
    config::add_to_linker::<_, Outside>(linker, |state| state)
}

struct Outside;

impl HasData for Outside {
    type Data<'a> = &'a mut State;
}

impl State {
    fn new(world: World, peak: Arc<AtomicUsize>) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stderr(Lines(world.log.clone()));
        if let Some(clock) = &world.clock {
            wasi.wall_clock(Wall(clock.clone()))
                .monotonic_clock(Monotonic(clock.clone()));
        }
        if let Some(seed) = &world.seed {
            // Another one for each instance, so that no two draw the same secrets.
            let mut bytes = vec![0; 4096];
            StdRng::seed_from_u64(seed.fetch_add(1, Ordering::Relaxed)).fill_bytes(&mut bytes);
            wasi.secure_random(Deterministic::new(bytes));
        }
        Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks::new(
                world.policy.clone(),
                world.outbound.clone(),
                world.calls.clone(),
            ),
            limits: Limits { peak },
            world,
        }
    }

    fn opened(&self, bucket: &Resource<Bucket>) -> wasmtime::Result<Arc<dyn Backend>> {
        Ok(self.table.get(bucket)?.0.clone())
    }

    fn refuse_label(&self, label: &str) -> bool {
        !self.world.store_labels.iter().any(|known| known == label)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

/// An open key-value store; there is one behind every label.
pub struct Bucket(Arc<dyn Backend>);

/// A compare-and-swap, which this host does not offer: no two of Spin's backends agree on it.
pub struct Cas;

type Kv<T> = wasmtime::Result<Result<T, store::Error>>;

fn other<T>(result: Result<T, String>) -> Kv<T> {
    Ok(result.map_err(store::Error::Other))
}

impl store::Host for &mut State {
    async fn open(&mut self, identifier: String) -> Kv<Resource<Bucket>> {
        if self.refuse_label(&identifier) {
            return Ok(Err(store::Error::AccessDenied));
        }
        let backend = &self.world.backend;
        let seen = backend.handle().unwrap_or_else(|| backend.clone());
        Ok(Ok(self.table.push(Bucket(seen))?))
    }
}

impl store::HostBucket for &mut State {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Kv<Option<Vec<u8>>> {
        other(self.opened(&bucket)?.get(&key).await)
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Kv<()> {
        other(self.opened(&bucket)?.set(&key, value).await)
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Kv<()> {
        other(self.opened(&bucket)?.delete(&key).await)
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Kv<bool> {
        other(self.opened(&bucket)?.exists(&key).await)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Kv<store::KeyResponse> {
        if cursor.is_some() {
            return other(Err(
                "list-keys gives all keys at once; there is no cursor".to_owned()
            ));
        }
        other(
            self.opened(&bucket)?
                .list_keys()
                .await
                .map(|keys| store::KeyResponse { keys, cursor: None }),
        )
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

const NO_CAS: &str = "this host offers no compare-and-swap";

impl atomics::Host for &mut State {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Kv<i64> {
        other(self.opened(&bucket)?.increment(&key, delta).await)
    }

    async fn swap(
        &mut self,
        cas: Resource<Cas>,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        self.table.delete(cas)?;
        Ok(Err(atomics::CasError::StoreError(store::Error::Other(
            NO_CAS.to_owned(),
        ))))
    }
}

impl atomics::HostCas for &mut State {
    async fn new(&mut self, _: Resource<Bucket>, _: String) -> Kv<Resource<Cas>> {
        other(Err(NO_CAS.to_owned()))
    }

    async fn current(&mut self, _: Resource<Cas>) -> Kv<Option<Vec<u8>>> {
        other(Err(NO_CAS.to_owned()))
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl config::Host for &mut State {
    async fn get(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Option<String>, config::Error>> {
        Ok(Ok(self.world.variables.get(&key).cloned()))
    }

    async fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, config::Error>> {
        Ok(Ok(self
            .world
            .variables
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()))
    }
}

struct Wall(Arc<dyn GuestClock>);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0.wall()
    }
}

struct Monotonic(Arc<dyn GuestClock>);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.monotonic().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The guest's standard error, cut into lines.
struct Lines(LogSink);

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(LineWriter {
            sink: self.0.clone(),
            line: Mutex::default(),
        })
    }
}

struct LineWriter {
    sink: LogSink,
    line: Mutex<Vec<u8>>,
}

impl LineWriter {
    fn write(&self, bytes: &[u8]) {
        let mut line = self
            .line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
            }
            if *byte == b'\n' || line.len() >= LINE_BYTES {
                (self.sink)(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
    }
}

impl Drop for LineWriter {
    /// What a guest wrote before it was stopped is the line one wants to see.
    fn drop(&mut self) {
        let line = self
            .line
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !line.is_empty() {
            (self.sink)(&String::from_utf8_lossy(line));
        }
    }
}

impl AsyncWrite for LineWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
