//! The cost of a host's first answer (compiling the component, starting an instance) and of later
//! answers in the same instance.

use crate::size::{self, Part};
use anyhow::Result;
use bytes::Bytes;
use host::runtime::{Instances, Metering, Runtime, World};
use host_test::{shop::On, shop::WasmShop};
use std::time::{Duration, Instant};

/// Milliseconds, each the least of several attempts.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Figures {
    pub(crate) component_bytes: u64,
    /// Its core module, part by part.
    pub(crate) parts: Vec<Part>,
    /// Compiling the component for this processor, on all its cores.
    pub(crate) compile_ms: f64,
    /// `GET /healthz` in a fresh instance.
    pub(crate) first_request_ms: f64,
    /// The same in an instance that has served before.
    pub(crate) next_request_ms: f64,
}

/// Measures it.
pub(crate) fn run() -> Result<Figures> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let built = xtask::build_component(xtask::Install::Never)?;
    let mut compile = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        Runtime::load(&built.path, Metering::Epochs)?;
        compile = compile.min(began.elapsed());
    }
    let runtime = Runtime::load(&built.path, Metering::Epochs)?;
    let shop = tokio.block_on(WasmShop::connected_in_wasm(On::Neither, |builder| builder))?;
    let world = World {
        seed: None,
        ..shop.app.world()
    };
    let instances = Instances::new(runtime.clone(), world.clone());
    let (mut first, mut next) = (Duration::MAX, Duration::MAX);
    for _ in 0..100 {
        let began = Instant::now();
        tokio.block_on(runtime.handle(&world, health()?))?;
        first = first.min(began.elapsed());
        let began = Instant::now();
        let handled = tokio.block_on(instances.handle(health()?, ()))?;
        next = next.min(began.elapsed());
        tokio.block_on(handled.after)?;
    }
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(Figures {
        component_bytes: built.size,
        parts: size::parts()?,
        compile_ms: ms(compile),
        first_request_ms: ms(first),
        next_request_ms: ms(next),
    })
}

fn health() -> Result<http::Request<Bytes>> {
    Ok(http::Request::get("http://bridge.test/healthz").body(Bytes::new())?)
}
