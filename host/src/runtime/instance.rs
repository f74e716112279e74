//! One instance of the component: started by its first request, it serves one at a time.

use super::{
    FUEL, Finished, MemoryBudget, Metering, REQUESTS, Runtime, SMALL_BYTES, TICKS, World,
    YIELD_FUEL, state::State,
};
use bytes::Bytes;
use futures_channel::oneshot;
use http_body_util::{BodyExt, Full};
use std::{future::poll_fn, sync::Arc};
use wasmtime::{AsContextMut, Store, UpdateDeadline};
use wasmtime_wasi_http::{
    WasiHttpView,
    handler::{Prepared, Proxy, Response},
};

/// Receives the answer as soon as the guest has sent it.
pub(super) type Answer = oneshot::Sender<wasmtime::Result<Response>>;

/// One instance.
pub(super) struct Instance {
    runtime: Runtime,
    store: Store<State>,
    /// None before its first request, and after it was stopped.
    proxy: Option<Proxy>,
    served: u32,
    /// The limit of each request.
    limit: u64,
}

impl Instance {
    /// An instance that its first request will start.
    pub(super) fn new(runtime: &Runtime, world: &World, budget: &Arc<MemoryBudget>) -> Self {
        let state = State::new(world.clone(), budget.clone());
        let mut store = Store::new(&runtime.engine, state);
        store.limiter(|state| &mut state.limits);
        let enough = match runtime.metering {
            Metering::Fuel => FUEL,
            Metering::Epochs => {
                store.epoch_deadline_callback(|mut guest| {
                    let left = &mut guest.data_mut().limits.ticks;
                    *left = left
                        .checked_sub(1)
                        .ok_or_else(|| wasmtime::format_err!("it ran on and on"))?;
                    Ok(UpdateDeadline::Yield(1))
                });
                TICKS
            }
        };
        let limit = world.limit.unwrap_or(enough);
        store.data_mut().limits.most_ticks = limit;
        Self {
            runtime: runtime.clone(),
            store,
            proxy: None,
            served: 0,
            limit,
        }
    }

    /// Whether it may serve another request: it was not stopped, is not old, and has not grown
    /// large.
    pub(super) fn serves_again(&self) -> bool {
        self.proxy.is_some() && self.served < REQUESTS && self.memory() <= SMALL_BYTES
    }

    /// Peak of its linear memory, bytes.
    fn memory(&self) -> usize {
        self.store.data().limits.peak
    }

    /// Serves one request and all work of the guest after its answer.
    pub(super) async fn serve(
        &mut self,
        request: http::Request<Bytes>,
        answer: Answer,
    ) -> Finished {
        self.served += 1;
        let result = self.drive(request, answer).await;
        let left = self.store.get_fuel().unwrap_or(self.limit);
        let trap = result.err().map(|e| format!("{e:#}"));
        if let Some(trap) = &trap {
            let line = serde_json::json!({ "level": "error", "message": "the guest was stopped", "why": trap });
            self.store.data().log(&line.to_string());
        }
        Finished {
            fuel: self.limit.saturating_sub(left),
            memory: self.memory(),
            trap,
        }
    }

    async fn drive(
        &mut self,
        request: http::Request<Bytes>,
        answer: Answer,
    ) -> wasmtime::Result<()> {
        let store = &mut self.store;
        match self.runtime.metering {
            Metering::Fuel => {
                store.set_fuel(self.limit)?;
                store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
            }
            Metering::Epochs => {
                store.data_mut().limits.called();
                store.set_epoch_deadline(1);
            }
        }
        let proxy = match self.proxy.take() {
            Some(proxy) => proxy,
            None => self.runtime.pre.instantiate_async(&mut *store).await?,
        };
        let request = request.map(|body| {
            Full::new(body)
                .map_err(|never| match never {})
                .boxed_unsync()
        });
        let prepared = Prepared::new(store.as_context_mut(), &proxy, request, State::http, answer)?;
        store
            .run_concurrent(async |accessor| {
                prepared.run(accessor, std::future::pending()).await?;
                // The answer is sent; tasks that the guest spawned go on.
                poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
                wasmtime::Result::<()>::Ok(())
            })
            .await??;
        self.proxy = Some(proxy);
        Ok(())
    }
}
