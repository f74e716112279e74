//! A fault layer around a simulated vendor: it fails calls by script, so that a test decides which
//! call breaks and how. It never changes the vendor's records itself.

use super::{Boxed, Broken, Request, Response, SimClock, Upstream, lock, wire};
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// How a call fails. Only the variants that say so let the vendor process the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with a JSON message, and `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// This status with an HTML page, as a gateway answers.
    HtmlError(u16),
    /// 200 without a body.
    EmptyBody,
    /// 200 with an HTML page.
    HtmlBody200,
    /// 200 whose JSON holds an `errors` object.
    ErrorsIn200,
    /// 422 with these words.
    Refusal(&'static str),
    /// Processed; the answer's body is cut in half.
    Garbled,
    /// Processed after this time. A client that gives up earlier leaves it unprocessed.
    Delay(Duration),
    /// Processed after this time, even if the client has given up by then. The time that the vendor takes anyway is part
    /// of it.
    Late(Duration),
    /// Never answers; not processed.
    Hang,
    /// The connection breaks; not processed.
    DropBefore,
    /// Processed, then the connection breaks.
    StoredButReplyLost,
    /// Processed, then 500.
    StoredThen500,
    /// Processed, then 200 without a body.
    StoredThenEmpty,
    /// Processed, then never answers.
    StoredThenHang,
}

/// Which of the calls that a rule matches fail. Calls count from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// All of them.
    Every,
    /// Only the n-th.
    Nth(u64),
    /// The first n.
    First(u64),
    /// Each with this probability (0 to 1), drawn from the layer's seeded generator.
    Probability(f64),
}

/// One rule. The first rule, in the order added, that fires on a call decides; every rule that
/// matches the call counts it.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    /// Any method when absent.
    pub method: Option<Method>,
    /// The beginning of the path; empty matches all.
    pub path_prefix: String,
    /// Which calls.
    pub when: When,
    /// What happens to them.
    pub fault: Fault,
}

impl FaultRule {
    /// `fault` on every call to any path.
    pub fn new(fault: Fault) -> Self {
        Self {
            method: None,
            path_prefix: String::new(),
            when: When::Every,
            fault,
        }
    }

    /// Only this method and paths that begin so.
    #[must_use]
    pub fn on(mut self, method: Method, path_prefix: &str) -> Self {
        self.method = Some(method);
        path_prefix.clone_into(&mut self.path_prefix);
        self
    }

    /// Only these calls.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.method.as_ref().is_none_or(|m| m == request.method())
            && request.uri().path().starts_with(&self.path_prefix)
    }
}

/// One call as it was made and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// Method.
    pub method: Method,
    /// Path and query as sent.
    pub path: String,
    /// Body as sent.
    pub body: Bytes,
    /// The answer's status; none if the connection broke or no answer has come yet.
    pub status: Option<u16>,
    /// Whether a fault happened to it.
    pub befallen: bool,
}

/// The calls so far, in order of arrival.
#[derive(Debug, Default)]
pub struct CallLog(Mutex<Vec<Call>>);

impl CallLog {
    /// Records an arrival; [`CallLog::answered`] adds the status.
    pub(crate) fn arrived(&self, at: Timestamp, request: &Request) -> usize {
        let mut calls = lock(&self.0);
        calls.push(Call {
            at,
            method: request.method().clone(),
            path: request
                .uri()
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            body: request.body().clone(),
            status: None,
            befallen: false,
        });
        calls.len() - 1
    }

    pub(crate) fn answered(&self, index: usize, status: u16) {
        if let Some(call) = lock(&self.0).get_mut(index) {
            call.status = Some(status);
        }
    }

    pub(crate) fn befallen(&self, index: usize) {
        if let Some(call) = lock(&self.0).get_mut(index) {
            call.befallen = true;
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<Call> {
        lock(&self.0).clone()
    }
}

/// Identifies an added rule, for its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleId(u64);

struct Scripted {
    id: RuleId,
    rule: FaultRule,
    seen: u64,
}

struct Script {
    rules: Vec<Scripted>,
    added: u64,
    rng: StdRng,
}

/// An [`Upstream`] whose calls fail by script.
pub struct Faulty {
    inner: Arc<dyn Upstream>,
    clock: Arc<dyn SimClock>,
    script: Mutex<Script>,
    log: CallLog,
}

/// How long a request has been on its way. A vendor counts it among the time that it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waited(pub(crate) Duration);

impl Faulty {
    /// Without rules everything passes through. `seed` decides every draw.
    pub fn new(inner: Arc<dyn Upstream>, clock: Arc<dyn SimClock>, seed: u64) -> Self {
        Self {
            inner,
            clock,
            script: Mutex::new(Script {
                rules: Vec::new(),
                added: 0,
                rng: StdRng::seed_from_u64(seed),
            }),
            log: CallLog::default(),
        }
    }

    /// Adds a rule after the existing ones.
    pub fn add(&self, rule: FaultRule) -> RuleId {
        let mut script = lock(&self.script);
        script.added += 1;
        let id = RuleId(script.added);
        script.rules.push(Scripted { id, rule, seen: 0 });
        id
    }

    /// Removes a rule.
    pub fn remove(&self, id: RuleId) {
        lock(&self.script).rules.retain(|rule| rule.id != id);
    }

    /// Removes all rules: the faults stop.
    pub fn clear(&self) {
        lock(&self.script).rules.clear();
    }

    /// Every call, failed ones too, as the client saw it.
    pub fn calls(&self) -> Vec<Call> {
        self.log.all()
    }

    fn fault_for(&self, request: &Request) -> Option<Fault> {
        let mut script = lock(&self.script);
        let Script { rules, rng, .. } = &mut *script;
        let mut decided = None;
        for scripted in rules.iter_mut().filter(|s| s.rule.matches(request)) {
            scripted.seen += 1;
            let fires = match scripted.rule.when {
                When::Every => true,
                When::Nth(n) => scripted.seen == n,
                When::First(n) => scripted.seen <= n,
                When::Probability(p) => rng.random_bool(p.clamp(0.0, 1.0)),
            };
            if fires && decided.is_none() {
                decided = Some(scripted.rule.fault.clone());
            }
        }
        decided
    }

    async fn answer(&self, call: usize, request: Request) -> Result<Response, Broken> {
        let Some(fault) = self.fault_for(&request) else {
            return self.inner.handle(request).await;
        };
        self.log.befallen(call);
        match fault {
            Fault::Status(status, seconds) => {
                let response = wire::json(status, &json!({"message": "simulated fault"}));
                Ok(match seconds {
                    Some(seconds) => wire::retry_after(response, seconds),
                    None => response,
                })
            }
            Fault::HtmlError(status) => Ok(html(status)),
            Fault::HtmlBody200 => Ok(html(200)),
            Fault::EmptyBody => Ok(wire::raw(200, "", Vec::new())),
            Fault::ErrorsIn200 => Ok(wire::json(
                200,
                &json!({"message": "Có lỗi xảy ra", "errors": {"base": ["simulated fault"]}}),
            )),
            Fault::Refusal(words) => Ok(wire::json(422, &json!({"message": words}))),
            Fault::Garbled => {
                let response = self.inner.handle(request).await?;
                Ok(response.map(|body| body.slice(..body.len() / 2)))
            }
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                self.inner.handle(request).await
            }
            Fault::Late(time) => {
                let inner = self.inner.clone();
                let mut request = request;
                request.extensions_mut().insert(Waited(time));
                let processed = tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    inner.handle(request).await
                });
                processed.await.unwrap_or(Err(Broken))
            }
            Fault::Hang => std::future::pending().await,
            Fault::DropBefore => Err(Broken),
            Fault::StoredButReplyLost => {
                let _ = self.inner.handle(request).await;
                Err(Broken)
            }
            Fault::StoredThen500 => {
                let _ = self.inner.handle(request).await;
                Ok(wire::json(500, &json!({"message": "simulated fault"})))
            }
            Fault::StoredThenEmpty => {
                let _ = self.inner.handle(request).await;
                Ok(wire::raw(200, "", Vec::new()))
            }
            Fault::StoredThenHang => {
                let _ = self.inner.handle(request).await;
                std::future::pending().await
            }
        }
    }
}

fn html(status: u16) -> Response {
    let page = "<html><body><h1>Simulated gateway</h1></body></html>";
    wire::raw(status, "text/html", page.as_bytes().to_vec())
}

impl Upstream for Faulty {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            let call = self.log.arrived(self.clock.now(), &request);
            let answer = self.answer(call, request).await;
            if let Ok(response) = &answer {
                self.log.answered(call, response.status().as_u16());
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests;
