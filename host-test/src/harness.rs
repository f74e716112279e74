//! The component under test: any store, any upstreams in this process, a clock that a test pauses,
//! repeatable randomness. Hands back what was answered, called, stored, logged, and what it cost.
//!
//! ```no_run
//! # async fn example(kiotviet: std::sync::Arc<dyn sim::Upstream>) -> anyhow::Result<()> {
//! use host_test::{harness::Harness, variables::KIOTVIET};
//! let app = Harness::builder().upstream(KIOTVIET, kiotviet).variable("processing", "inline").build()?;
//! let outcome = app.get("/healthz").await;
//! assert_eq!(outcome.status, 200);
//! println!("{} fuel", outcome.finished.fuel);
//! # Ok(()) }
//! ```

use crate::{
    admin::{self, Carrier},
    variables::{
        ADMIN_TOKEN, GETFLY, KIOTVIET, KIOTVIET_FNB, KIOTVIET_FNB_ID, KIOTVIET_ID, PUBLIC,
        test_variables,
    },
};
use anyhow::{Result, anyhow};
use bytes::Bytes;
use host::{
    keyvalue::{Backend, Memory},
    manifest::Manifest,
    origins::OutboundPolicy,
    outbound::{CallLog, Outbound, OutboundCall, Responder, Responding},
    runtime::{Finished, GuestClock, Metering, Runtime, World},
};
use jiff::Timestamp;
use sim::{Faulty, SimClock, TokioClock, Upstream, lock};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, atomic::AtomicU64},
    time::Duration,
};
use tokio::task::JoinHandle;

/// The moment at which tests begin by default.
pub const START: &str = "2026-10-05T03:00:00Z";

/// Builds a [`Harness`].
pub struct Builder {
    variables: BTreeMap<String, String>,
    upstreams: BTreeMap<String, Arc<dyn Upstream>>,
    backend: Arc<dyn Backend>,
    clock: Option<Arc<dyn SimClock>>,
    seed: u64,
    package: xtask::Package,
}

/// See the module.
pub struct Harness {
    runtime: Runtime,
    world: World,
    clock: Arc<dyn SimClock>,
    logs: Arc<Mutex<Vec<String>>>,
}

/// The result of a request.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: http::HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Its cost, with everything after the answer.
    pub finished: Finished,
}

impl Outcome {
    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

struct Clock(Arc<dyn SimClock>);

impl GuestClock for Clock {
    fn wall(&self) -> Duration {
        Duration::try_from(self.0.now().as_duration()).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.wall()
    }
}

/// The component, built if it is stale and compiled once in a process.
pub fn component() -> Result<Runtime> {
    compiled(xtask::PLUGIN)
}

fn compiled(package: xtask::Package) -> Result<Runtime> {
    static USUAL: OnceLock<Result<Runtime, String>> = OnceLock::new();
    static WITHOUT_ATOMICS: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let kept = if package == xtask::PLUGIN {
        &USUAL
    } else {
        &WITHOUT_ATOMICS
    };
    let load = || {
        let built = xtask::build(package, xtask::Install::AsRoot)?;
        Runtime::load(&built.path, Metering::Fuel)
    };
    let loaded = kept.get_or_init(|| load().map_err(|e| format!("{e:#}")));
    loaded.clone().map_err(|e| anyhow!(e))
}

impl Builder {
    /// Sets a variable; the others are those of a valid configuration.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Answers calls to `origin`. Other origins cannot be reached.
    pub fn upstream(mut self, origin: &str, upstream: Arc<dyn Upstream>) -> Self {
        self.upstreams.insert(origin.to_owned(), upstream);
        self
    }

    /// Answers calls to both vendors.
    pub fn vendors(self, kiotviet: &Arc<Faulty>, getfly: &Arc<Faulty>) -> Self {
        self.upstream(KIOTVIET, kiotviet.clone())
            .upstream(KIOTVIET_ID, kiotviet.clone())
            .upstream(KIOTVIET_FNB, kiotviet.clone())
            .upstream(KIOTVIET_FNB_ID, kiotviet.clone())
            .upstream(GETFLY, getfly.clone())
    }

    /// Uses this store, so that several instances can share it or a test can keep it.
    pub fn store(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = backend;
        self
    }

    /// Uses this clock, which simulated vendors may share.
    pub fn clock(mut self, clock: Arc<dyn SimClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Seeds the guest's randomness.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Uses the component that imports no atomics.
    pub fn without_atomics(mut self) -> Self {
        self.package = xtask::WITHOUT_ATOMICS;
        self
    }

    /// The harness; an error if the component cannot be built.
    pub fn build(self) -> Result<Harness> {
        let runtime = compiled(self.package)?;
        Ok(self.over(runtime))
    }

    /// The harness over a component that is compiled already.
    pub fn over(self, runtime: Runtime) -> Harness {
        let root = xtask::workspace_root();
        let manifest = Manifest::load(&root.join("spin.toml"), &BTreeMap::new(), |name| {
            let name = name.strip_prefix("SPIN_VARIABLE_")?.to_lowercase();
            Some(self.variables.get(&name).cloned().unwrap_or_default()).filter(|v| !v.is_empty())
        });
        // A test of a missing variable leaves it out; the guest then reports it.
        let (stores, policy) = match manifest {
            Ok(manifest) => (manifest.stores, manifest.outbound),
            Err(_) => (vec!["default".to_owned()], OutboundPolicy::default()),
        };
        let logs: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = logs.clone();
        let start: Timestamp = START.parse().unwrap_or_default();
        let clock = self
            .clock
            .unwrap_or_else(|| Arc::new(TokioClock::starting_at(start)));
        let world = World {
            variables: Arc::new(self.variables),
            backend: self.backend,
            store_labels: Arc::new(stores),
            policy: Arc::new(policy),
            outbound: Outbound::InProcess(Arc::new(responders(self.upstreams))),
            log: Arc::new(move |line| lock(&sink).push(line.to_owned())),
            clock: Some(Arc::new(Clock(clock.clone()))),
            seed: Some(Arc::new(AtomicU64::new(self.seed))),
            calls: CallLog::keeping(),
            limit: None,
        };
        Harness {
            runtime,
            world,
            clock,
            logs,
        }
    }
}

/// A simulated vendor in place of the network.
struct Simulated(Arc<dyn Upstream>);

impl Responder for Simulated {
    fn respond(self: Arc<Self>, request: http::Request<Bytes>) -> Responding {
        Box::pin(async move { self.0.handle(request).await.ok() })
    }
}

fn responders(
    upstreams: BTreeMap<String, Arc<dyn Upstream>>,
) -> BTreeMap<String, Arc<dyn Responder>> {
    upstreams
        .into_iter()
        .map(|(origin, upstream)| (origin, Arc::new(Simulated(upstream)) as Arc<dyn Responder>))
        .collect()
}

impl Harness {
    /// A valid configuration, an empty store in memory, no upstreams.
    pub fn builder() -> Builder {
        Builder {
            variables: test_variables("simulated-getfly-key-000000001"),
            upstreams: BTreeMap::new(),
            backend: Arc::new(Memory::new()),
            clock: None,
            seed: 7,
            package: xtask::PLUGIN,
        }
    }

    /// The clock of guest and simulated vendors.
    pub fn clock(&self) -> Arc<dyn SimClock> {
        self.clock.clone()
    }

    /// The store.
    pub fn store(&self) -> Arc<dyn Backend> {
        self.world.backend.clone()
    }

    /// The guest's surroundings.
    pub fn world(&self) -> World {
        self.world.clone()
    }

    /// The same harness over the same store and upstreams, but each request is trapped once it has
    /// used this much fuel.
    pub fn trapped_at(&self, fuel: u64) -> Self {
        Self {
            runtime: self.runtime.clone(),
            world: World {
                limit: Some(fuel),
                ..self.world.clone()
            },
            clock: self.clock.clone(),
            logs: self.logs.clone(),
        }
    }

    /// Sends a request and waits until the guest's work is done.
    pub async fn request(&self, request: http::Request<Bytes>) -> Outcome {
        let (mut outcome, after) = self.answer(request).await;
        if let Some(after) = after {
            outcome.finished = after.await.unwrap_or_default();
        }
        outcome
    }

    /// Sends a request and returns its answer at once; the guest may go on. A guest that fails
    /// counts as 503, as in `kvgf up`.
    pub async fn answer(
        &self,
        request: http::Request<Bytes>,
    ) -> (Outcome, Option<JoinHandle<Finished>>) {
        match self.runtime.handle(&self.world, request).await {
            Ok(handled) => {
                let (parts, body) = handled.response.into_parts();
                let status = parts.status.as_u16();
                let outcome = Outcome {
                    status,
                    headers: parts.headers,
                    body,
                    finished: Finished::default(),
                };
                (outcome, Some(handled.after))
            }
            Err(e) => {
                lock(&self.logs).push(format!("no answer: {e:#}"));
                let finished = Finished {
                    trap: Some(format!("{e:#}")),
                    ..Finished::default()
                };
                (
                    Outcome {
                        status: 503,
                        headers: http::HeaderMap::new(),
                        body: Bytes::new(),
                        finished,
                    },
                    None,
                )
            }
        }
    }

    /// A GET without authorisation.
    pub async fn get(&self, path: &str) -> Outcome {
        let request = http::Request::get(format!("{PUBLIC}{path}")).body(Bytes::new());
        self.request(request.unwrap_or_default()).await
    }

    /// An admin's request, with its cost.
    pub async fn measured(&self, method: &str, path: &str, body: &serde_json::Value) -> Outcome {
        let body = body.to_string().into();
        self.request(admin::request(ADMIN_TOKEN, method, path, body))
            .await
    }

    /// Outbound calls since this was last asked.
    pub fn take_calls(&self) -> Vec<OutboundCall> {
        self.world.calls.take()
    }

    /// The guest's log so far.
    pub fn logs(&self) -> Vec<String> {
        lock(&self.logs).clone()
    }
}

impl Carrier for Harness {
    async fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        Ok(self.request(request).await.into())
    }
}

impl From<Outcome> for http::Response<Bytes> {
    fn from(outcome: Outcome) -> Self {
        let mut response = Self::new(outcome.body);
        *response.status_mut() = http::StatusCode::from_u16(outcome.status).unwrap_or_default();
        *response.headers_mut() = outcome.headers;
        response
    }
}
