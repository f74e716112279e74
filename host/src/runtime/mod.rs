//! Runs the component with exactly the imports of `wit/world.wit` and nothing else linked. After
//! its answer, the guest goes on until its work is done.

mod instance;
mod state;
mod stderr;

use crate::{
    keyvalue::Backend,
    lock::lock,
    origins::OutboundPolicy,
    outbound::{CallLog, Outbound},
};
use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use futures_channel::oneshot;
use http_body_util::{BodyExt, Limited};
use instance::{Answer, Instance};
use state::State;
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use wasmtime::{
    Config, Engine, PoolingAllocationConfig,
    component::{Component, Linker},
};
use wasmtime_wasi_http::{handler::ProxyPre, p3::bindings::ServicePre};

/// The most memory that one instance may have. Its budget is 16 MiB in ordinary work; a body of 5
/// MiB needs less than this.
pub const MEMORY_BYTES: usize = 96 * 1024 * 1024;
/// The most instances alive at once, idle ones included; `server` admits fewer.
pub const INSTANCES: u32 = 128;
/// Core instances in the component: the plugin's, and those that wit-component wraps it in.
const CORE_INSTANCES: u32 = 4;
/// How much of an ended instance's memory is cleared instead of returned to the system, in bytes.
const KEPT_BYTES: usize = 512 * 1024;
/// The fuel of one request with everything after its answer: a runaway guest ends after some
/// minutes of processor time. An ordinary event takes a few millions.
const FUEL: u64 = 1_000_000_000_000;
/// How many ticks a guest may run without a call to its host: some minutes.
const TICKS: u64 = 30_000;
/// The most bytes of an answer's body.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// How often the clock of [`Metering::Epochs`] ticks. At a tick a guest yields its thread.
const TICK: Duration = Duration::from_millis(10);
/// After this much fuel, some milliseconds, a guest yields its thread for a moment.
const YIELD_FUEL: u64 = 10_000_000;
/// The requests that one instance serves, one after another, before it is replaced: Spin's figure.
const REQUESTS: u32 = 128;
/// An instance that has grown beyond this, in bytes, is not used again: its memory never shrinks.
const SMALL_BYTES: usize = 4 * 1024 * 1024;
/// An instance that has waited this long for a request is dropped.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// Where the guest's log lines go, one call for each.
pub type LogSink = Arc<dyn Fn(&str) + Send + Sync>;

/// The time that guests see. `wait-for` always follows tokio's time, which a test can pause.
pub trait GuestClock: Send + Sync {
    /// Time since 1970.
    fn wall(&self) -> Duration;
    /// Time since some fixed moment.
    fn monotonic(&self) -> Duration;
}

/// The guest's surroundings.
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
    /// The guest's clocks; none: the system's.
    pub clock: Option<Arc<dyn GuestClock>>,
    /// Seed of the next instance's randomness; none: the system's.
    pub seed: Option<Arc<AtomicU64>>,
    /// The log of outbound calls.
    pub calls: CallLog,
    /// By the runtime's [`Metering`]: the fuel of one request with everything after its answer, or
    /// the ticks of 10 ms between two calls to the host. None: enough for any sound guest.
    pub limit: Option<u64>,
}

/// How a runaway guest is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metering {
    /// By counting its instructions, the same on every machine: for budgets, replays, and traps at
    /// an instruction.
    Fuel,
    /// By a ticking clock, which costs the guest much less: for serving. Only running without a
    /// call to the host counts, because a guest that waits sees ticks go by too.
    Epochs,
}

/// A compiled component, ready to be instantiated.
#[derive(Clone)]
pub struct Runtime {
    metering: Metering,
    engine: Engine,
    pre: Arc<ProxyPre<State>>,
}

/// A request that was handled.
pub struct Handled {
    /// The whole answer.
    pub response: http::Response<Bytes>,
    /// Ends when the guest has nothing more to do.
    pub after: JoinHandle<Finished>,
}

/// The cost of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// Instructions, in wasmtime's fuel; zero if they are not counted.
    pub fuel: u64,
    /// Peak of the guest's linear memory, bytes.
    pub memory: usize,
    /// Why the guest was stopped, if it was.
    pub trap: Option<String>,
}

impl Runtime {
    /// Compiles the component in `file`. Refuses a file that is no component, or that imports more
    /// than this host offers.
    pub fn load(file: &Path, metering: Metering) -> Result<Self> {
        Self::compile(file, &read_component(file)?, metering, INSTANCES)
    }

    /// Compiles what was read from `file`, for `instances` alive at once, idle ones included.
    pub fn compile(
        file: &Path,
        component: &[u8],
        metering: Metering,
        instances: u32,
    ) -> Result<Self> {
        let mut config = Config::new();
        config
            .wasm_component_model_async(true)
            .consume_fuel(metering == Metering::Fuel)
            .epoch_interruption(metering == Metering::Epochs)
            .allocation_strategy(pool(instances));
        let engine = Engine::new(&config).map_err(|e| anyhow!("{e:#}"))?;
        if metering == Metering::Epochs {
            tick(&engine)?;
        }
        let component = Component::new(&engine, component)
            .map_err(|e| anyhow!("{e:#}"))
            .with_context(|| not_loaded(file))?;
        let mut linker = Linker::new(&engine);
        state::link(&mut linker).map_err(|e| anyhow!("{e:#}"))?;
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|e| anyhow!("{e:#}"))?;
        let pre = ServicePre::new(pre).map_err(|e| anyhow!("{e:#}"))?;
        Ok(Self {
            metering,
            engine,
            pre: Arc::new(ProxyPre::P3(pre)),
        })
    }

    /// Hands `request` to a fresh instance and returns its whole answer; the guest may go on. An
    /// error means that there is no answer: the guest was stopped, or sent none.
    pub async fn handle(&self, world: &World, request: http::Request<Bytes>) -> Result<Handled> {
        let mut instance = Instance::new(self, world, &MemoryBudget::of(usize::MAX));
        handled(|answer| async move { instance.serve(request, answer).await }).await
    }
}

/// The bytes of a component's file.
pub fn read_component(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| not_loaded(file))
}

fn not_loaded(file: &Path) -> String {
    let shown = file.display();
    format!(
        "cannot load the component {shown}; it comes with this program's release, beside spin.toml (from sources: \
         cargo xtask build)"
    )
}

/// Instances of one component in one world that serve one request after another, as in Spin:
/// starting an instance costs more than accepting a delivery. An instance never serves two requests
/// at once, and never in two worlds.
pub struct Instances {
    number: u64,
    runtime: Runtime,
    world: World,
    idle: Arc<Idle>,
    budget: Arc<MemoryBudget>,
    /// Whether all of them are to end.
    end: watch::Sender<bool>,
}

/// The linear memory that several instances may have together.
#[derive(Debug)]
pub struct MemoryBudget {
    most: usize,
    taken: AtomicUsize,
}

impl MemoryBudget {
    /// At most so many bytes.
    pub fn of(most: usize) -> Arc<Self> {
        let taken = AtomicUsize::new(0);
        Arc::new(Self { most, taken })
    }

    fn take(&self, bytes: usize) -> bool {
        let within = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.most);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        taken.is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Idle instances, which several [`Instances`] may share a bound for.
pub struct Idle {
    /// The most of them.
    most: usize,
    /// Since when each is idle and whose it is, the last used one at the end.
    waiting: Mutex<VecDeque<(Instant, u64, Instance)>>,
    /// How many [`Instances`] there have been.
    counted: AtomicU64,
}

impl Idle {
    /// Keeps at most this many, whosever they are; where there are more, those go that have waited for longest.
    pub fn at_most(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            waiting: Mutex::default(),
            counted: AtomicU64::new(0),
        })
    }

    fn take(&self, number: u64) -> Option<Instance> {
        let mut waiting = lock(&self.waiting);
        let last = waiting.iter().rposition(|(_, whose, _)| *whose == number)?;
        waiting.remove(last).map(|(_, _, instance)| instance)
    }

    fn give_back(&self, number: u64, instance: Instance) {
        let now = Instant::now();
        let mut waiting = lock(&self.waiting);
        if instance.serves_again() {
            waiting.push_back((now, number, instance));
        }
        while let Some((since, _, _)) = waiting.front()
            && (waiting.len() > self.most || now.duration_since(*since) > IDLE_TIME)
        {
            waiting.pop_front();
        }
    }
}

impl Instances {
    /// Starts without instances; `handle` starts them.
    pub fn new(runtime: Runtime, world: World) -> Arc<Self> {
        let (idle, memory) = (Idle::at_most(usize::MAX), usize::MAX);
        Self::sharing(&idle, memory, runtime, world)
    }

    /// The same, with idle instances among those of others, and so many bytes of memory at most.
    pub fn sharing(idle: &Arc<Idle>, memory: usize, runtime: Runtime, world: World) -> Arc<Self> {
        Arc::new(Self {
            number: idle.counted.fetch_add(1, Ordering::Relaxed) + 1,
            runtime,
            world,
            idle: idle.clone(),
            budget: MemoryBudget::of(memory),
            end: watch::Sender::new(false),
        })
    }

    /// Ends all of them at once, whatever they do, as `kill -9` would.
    pub fn end(&self) {
        self.end.send_replace(true);
    }

    /// A number of its own among those that share idle instances, from 1 on.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The surroundings of the instances.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Like [`Runtime::handle`], in an instance that may have served other requests before. `taken`
    /// is held until that instance is free, even if the caller no longer waits for the answer.
    pub async fn handle(
        self: &Arc<Self>,
        request: http::Request<Bytes>,
        taken: impl Send + 'static,
    ) -> Result<Handled> {
        let instances = self.clone();
        handled(|answer| async move {
            let idle = instances.idle.take(instances.number);
            let mut instance = idle.unwrap_or_else(|| {
                Instance::new(&instances.runtime, &instances.world, &instances.budget)
            });
            let mut end = instances.end.subscribe();
            let finished = tokio::select! {
                finished = instance.serve(request, answer) => {
                    instances.idle.give_back(instances.number, instance);
                    finished
                }
                _ = end.wait_for(|end| *end) => {
                    drop(instance);
                    let trap = Some("it is served no longer".to_owned());
                    Finished { trap, ..Finished::default() }
                }
            };
            drop(taken);
            finished
        })
        .await
    }
}

impl Drop for Instances {
    /// Nobody asks for its idle ones any more.
    fn drop(&mut self) {
        lock(&self.idle.waiting).retain(|(_, whose, _)| *whose != self.number);
    }
}

/// The answer of `serving`, which goes on meanwhile.
async fn handled<F>(serving: impl FnOnce(Answer) -> F) -> Result<Handled>
where
    F: Future<Output = Finished> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let after = tokio::spawn(serving(answer));
    let response = answered
        .await
        .map_err(|_| anyhow!("the guest ended without an answer"))?;
    let response = response.map_err(|e| anyhow!("{e:#}"))?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES)
        .collect()
        .await
        .map_err(|e| anyhow!("the answer's body: {e}"))?
        .to_bytes();
    Ok(Handled {
        response: http::Response::from_parts(parts, body),
        after,
    })
}

/// Ticks the engine's clock while the engine exists.
fn tick(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let clock = thread::Builder::new().name("epochs".to_owned());
    clock
        .spawn(tick)
        .context("cannot start the guests' clock")?;
    Ok(())
}

/// Memory and tables of ended instances are used again: a fresh instance then costs microseconds,
/// not mappings.
fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_memories(instances)
        .total_core_instances(CORE_INSTANCES * instances)
        .total_tables(CORE_INSTANCES * instances)
        .total_stacks(CORE_INSTANCES * instances)
        .max_memory_size(MEMORY_BYTES)
        .linear_memory_keep_resident(KEPT_BYTES);
    pool
}
