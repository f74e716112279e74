//! What an instance sees: exactly the imports of `wit/world.wit`, and nothing else is linked.

use super::{GuestClock, MEMORY_BYTES, MemoryBudget, World, stderr::Lines};
use crate::{
    bindings::wasi::{
        config::store as config,
        keyvalue::{atomics, store},
    },
    keyvalue::{Backend, Bucket, Cas},
    outbound::Hooks,
};
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use wasmtime::{
    ResourceLimiter,
    component::{HasData, Linker, Resource, ResourceTable},
};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView,
    WasiView,
    cli::{WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    random::{WasiRandom, WasiRandomView},
};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The state of one instance.
pub(super) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    pub(super) limits: Limits,
    world: World,
}

pub(super) struct Limits {
    /// Peak of its memory so far, in bytes.
    pub(super) peak: usize,
    /// How many ticks the guest may still run until it calls its host.
    pub(super) ticks: u64,
    /// How many it has after each call.
    pub(super) most_ticks: u64,
    /// What it takes its memory from.
    budget: Arc<MemoryBudget>,
    /// How much it has taken, in bytes.
    taken: usize,
}

impl Drop for Limits {
    fn drop(&mut self) {
        self.budget.give_back(self.taken);
    }
}

impl Limits {
    /// The guest has called its host.
    pub(super) fn called(&mut self) {
        self.ticks = self.most_ticks;
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let allowed = desired <= MEMORY_BYTES && self.budget.take(more);
        if allowed {
            self.taken += more;
            self.peak = self.peak.max(desired);
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

/// Links exactly the imports of `wit/world.wit`; a component that imports more does not load.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
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
    pub(super) fn new(world: World, budget: Arc<MemoryBudget>) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stderr(Lines(world.log.clone()));
        if let Some(clock) = &world.clock {
            wasi.wall_clock(Wall(clock.clone()))
                .monotonic_clock(Monotonic(clock.clone()));
        }
        if let Some(seed) = &world.seed {
            // Different for each instance, so that no two draw the same secrets.
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
            limits: Limits {
                peak: 0,
                ticks: 0,
                most_ticks: 0,
                budget,
                taken: 0,
            },
            world,
        }
    }

    /// Writes a line of the host's own to the guest's log.
    pub(super) fn log(&self, line: &str) {
        (self.world.log)(line);
    }

    fn opened(&mut self, bucket: &Resource<Bucket>) -> wasmtime::Result<Arc<dyn Backend>> {
        self.limits.called();
        Ok(self.table.get(bucket)?.0.clone())
    }

    fn refuse_label(&self, label: &str) -> bool {
        !self.world.store_labels.iter().any(|known| known == label)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.limits.called();
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.limits.called();
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

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
