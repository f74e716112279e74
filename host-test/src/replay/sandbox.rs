//! The component in wasmtime with a store in memory and vendors in this process, and what each
//! delivery cost.

use super::{Call, Line};
use crate::{
    fixture::{Runner, Surroundings},
    harness::Harness,
    native::{GETFLY, KIOTVIET, KIOTVIET_ID},
};
use host::runtime::{Finished, Runtime};
use serde_json::Value;
use sim::{Request, Response, TokioClock, lock};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Events asked for at once.
const PAGE: u64 = 200;

/// See the module. Clones share one world.
#[derive(Clone)]
pub(super) struct Sandbox {
    harness: Arc<Harness>,
    delivered: Arc<Mutex<Vec<Delivered>>>,
}

/// What a delivery led to.
struct Delivered {
    /// The journal's end before and after.
    before: u64,
    after: u64,
    cost: Finished,
}

impl Sandbox {
    /// Needs tokio's time, paused.
    pub(super) fn new(component: &Runtime, s: Surroundings) -> Self {
        let mut harness = Harness::builder()
            .upstream(KIOTVIET, s.kiotviet.clone())
            .upstream(KIOTVIET_ID, s.kiotviet)
            .upstream(GETFLY, s.getfly)
            .clock(Arc::new(TokioClock::starting_at(s.start)));
        for (name, value) in &s.variables {
            harness = harness.variable(name, value);
        }
        Self {
            harness: Arc::new(harness.over(component.clone())),
            delivered: Arc::default(),
        }
    }

    pub(super) async fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let outcome = self.harness.api(method, path, body).await;
        (outcome.status, outcome.json())
    }

    /// The number of the newest event.
    pub(super) async fn tail(&self) -> u64 {
        let (_, newest) = self.api("GET", "events?limit=1", &Value::Null).await;
        newest["events"][0]["seq"].as_u64().unwrap_or(0)
    }

    /// The events behind number `after`, oldest first.
    pub(super) async fn lines(&self, file: &str, after: u64) -> Vec<Line> {
        let mut seqs = Vec::new();
        let mut before = u64::MAX >> 1;
        loop {
            let path = format!("events?limit={PAGE}&before={before}");
            let (_, page) = self.api("GET", &path, &Value::Null).await;
            let events = page["events"].as_array().into_iter().flatten();
            seqs.extend(events.filter_map(|event| event["seq"].as_u64()));
            match page["next_before"].as_u64() {
                Some(next) if next > after + 1 => before = next,
                _ => break,
            }
        }
        seqs.retain(|seq| *seq > after);
        let mut lines = Vec::new();
        for seq in seqs.into_iter().rev() {
            let (_, event) = self
                .api("GET", &format!("events/{seq}"), &Value::Null)
                .await;
            lines.push(self.line(file, seq, &event));
        }
        lines
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

impl Runner for Sandbox {
    async fn request(&self, request: Request) -> Response {
        let delivers = request.uri().path().starts_with("/hooks/");
        let before = if delivers { self.tail().await } else { 0 };
        let outcome = self.harness.request(request).await;
        if delivers {
            let after = self.tail().await;
            lock(&self.delivered).push(Delivered {
                before,
                after,
                cost: outcome.finished,
            });
        }
        let mut response = Response::new(outcome.body);
        *response.status_mut() = http::StatusCode::from_u16(outcome.status).unwrap_or_default();
        *response.headers_mut() = outcome.headers;
        response
    }

    async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn log(&self) -> Vec<String> {
        self.harness.logs()
    }
}
