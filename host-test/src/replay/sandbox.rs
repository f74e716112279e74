//! The component in wasmtime with a store in memory and vendors in this process, and the cost of
//! each delivery.

use super::{Call, Line};
use crate::{
    admin::{self, Admin, Carrier},
    fixture::{Runner, Surroundings},
    harness::Harness,
};
use anyhow::Result;
use host::runtime::{Finished, Runtime};
use serde_json::Value;
use sim::{Request, Response, lock};
use std::sync::{Arc, Mutex};

/// See the module. Clones share one world.
#[derive(Clone)]
pub(super) struct Sandbox {
    harness: Arc<Harness>,
    delivered: Arc<Mutex<Vec<Delivered>>>,
}

/// The result of a delivery.
struct Delivered {
    /// The journal's end before and after.
    before: u64,
    after: u64,
    cost: Finished,
}

impl Sandbox {
    /// Needs tokio's time, paused.
    pub(super) fn new(component: &Runtime, s: Surroundings) -> Self {
        Self {
            harness: Arc::new(s.harness(component.clone())),
            delivered: Arc::default(),
        }
    }

    /// The number of the newest event.
    pub(super) async fn tail(&self) -> u64 {
        let newest = admin::listed(self.harness.events("limit=1").await);
        newest.first().and_then(|e| e["seq"].as_u64()).unwrap_or(0)
    }

    /// The events after number `after`, oldest first.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub(super) async fn lines(&self, file: &str, after: u64) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        for event in self.events_after(after, "").await?.iter().rev() {
            let seq = event["seq"].as_u64().unwrap_or_default();
            lines.push(self.line(file, seq, &self.event(seq).await.1));
        }
        Ok(lines)
    }

    fn line(&self, file: &str, seq: u64, event: &Value) -> Line {
        let delivered = lock(&self.delivered);
        let mine = delivered.iter().find(|d| d.before < seq && seq <= d.after);
        let calls = event["calls"].as_array().into_iter().flatten();
        Line {
            file: file.to_owned(),
            seq,
            kind: event["kind"].clone(),
            key: event["key"].clone(),
            state: event["state"].clone(),
            outcome: event["outcome"].clone(),
            reason: event["reason"].clone(),
            rule: event["rule"].clone(),
            calls: calls
                .map(|call| Call {
                    endpoint: call["endpoint"].clone(),
                    status: call["status"].clone(),
                })
                .collect(),
            fuel: mine.map_or(0, |d| d.cost.fuel),
            memory_bytes: mine.map_or(0, |d| d.cost.memory),
            delivery_events: mine.map_or(1, |d| d.after - d.before),
        }
    }
}

impl Carrier for Sandbox {
    async fn carry(&self, request: Request) -> Result<Response> {
        let delivers = request.uri().path().starts_with("/hooks/");
        let before = if delivers { self.tail().await } else { 0 };
        let outcome = self.harness.request(request).await;
        if delivers {
            let after = self.tail().await;
            lock(&self.delivered).push(Delivered {
                before,
                after,
                cost: outcome.finished.clone(),
            });
        }
        Ok(outcome.into())
    }
}

impl Runner for Sandbox {
    fn log(&self) -> Vec<String> {
        self.harness.logs()
    }
}
