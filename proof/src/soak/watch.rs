//! Watches both vendors' calls from outside at every step and can hold them there, so that a kill
//! finds the worker in the middle of one: in a create in Getfly before its effect, in one after it,
//! or in any other call.

use http::Method;
use sim::{Boxed, Broken, Request, Response, Upstream, lock};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long after its client is gone a create may still take effect.
const LATE: Duration = Duration::from_secs(1);

/// The step of an unanswered call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Of a call that creates no record: a read, a change of a record, a token, a webhook.
    Other,
    /// Of a create in Getfly: nothing is stored yet.
    BeforeItsEffect,
    /// Of a create in Getfly: it is stored, but the worker does not know it.
    AfterItsEffect,
}

/// Which calls are not answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    /// Where they are held, until their client is gone.
    pub(super) at: Step,
    /// How many of them pass before.
    pub(super) passes: usize,
    /// Whether a create that is held before its effect has it a second after its client is gone.
    pub(super) late: bool,
}

/// The calls of the present host.
#[derive(Default)]
pub(super) struct Watch(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    begun: u64,
    under_way: BTreeMap<u64, Step>,
    held: BTreeMap<u64, Step>,
    hold: Option<Hold>,
    created: usize,
    last_created: Option<Instant>,
}

impl Watch {
    /// Begins with another host: the calls under way are forgotten, and these calls are held from
    /// now on.
    pub(super) fn anew(&self, hold: Option<Hold>) {
        let mut calls = lock(&self.0);
        let begun = calls.begun;
        *calls = Calls {
            begun,
            hold,
            ..Calls::default()
        };
    }

    /// The steps of the calls without an answer.
    pub(super) fn under_way(&self) -> Vec<Step> {
        lock(&self.0).under_way.values().copied().collect()
    }

    /// Whether the host waits for a call that is held there.
    pub(super) fn holds(&self, at: Step) -> bool {
        lock(&self.0).held.values().any(|step| *step == at)
    }

    /// Creates that were answered with success, and when the last was.
    pub(super) fn created(&self) -> (usize, Option<Instant>) {
        let calls = lock(&self.0);
        (calls.created, calls.last_created)
    }

    fn begin(self: &Arc<Self>, step: Step) -> UnderWay {
        let mut calls = lock(&self.0);
        calls.begun += 1;
        let number = calls.begun;
        calls.under_way.insert(number, step);
        UnderWay {
            watch: self.clone(),
            number,
        }
    }
}

/// A call for which its client waits. Its client's end ends it.
struct UnderWay {
    watch: Arc<Watch>,
    number: u64,
}

impl UnderWay {
    /// It has reached this step; returns whether it is held.
    fn comes_to(&self, step: Step) -> Option<Hold> {
        let mut calls = lock(&self.watch.0);
        // Not a call of an earlier host.
        *calls.under_way.get_mut(&self.number)? = step;
        let hold = calls.hold.as_mut().filter(|hold| hold.at == step)?;
        if let Some(passes) = hold.passes.checked_sub(1) {
            hold.passes = passes;
            return None;
        }
        let hold = *hold;
        calls.held.insert(self.number, step);
        Some(hold)
    }

    fn created(&self) {
        let mut calls = lock(&self.watch.0);
        if calls.under_way.contains_key(&self.number) {
            calls.created += 1;
            calls.last_created = Some(Instant::now());
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut calls = lock(&self.watch.0);
        calls.under_way.remove(&self.number);
        calls.held.remove(&self.number);
    }
}

/// One of the vendors.
pub(super) struct Watched {
    inner: Arc<dyn Upstream>,
    watch: Arc<Watch>,
    creates: bool,
}

impl Watched {
    /// KiotViet, which never creates a record.
    pub(super) fn kiotviet(inner: Arc<dyn Upstream>, watch: &Arc<Watch>) -> Arc<Self> {
        let watch = watch.clone();
        Arc::new(Self {
            inner,
            watch,
            creates: false,
        })
    }

    /// Getfly.
    pub(super) fn getfly(inner: Arc<dyn Upstream>, watch: &Arc<Watch>) -> Arc<Self> {
        let watch = watch.clone();
        Arc::new(Self {
            inner,
            watch,
            creates: true,
        })
    }

    async fn create(&self, request: Request) -> Result<Response, Broken> {
        let call = self.watch.begin(Step::BeforeItsEffect);
        if let Some(hold) = call.comes_to(Step::BeforeItsEffect) {
            // Dropped with the client's connection.
            let (_waits, gone) = oneshot::channel::<()>();
            if hold.late {
                // The vendor has the whole call, and does not notice that its client is gone.
                let inner = self.inner.clone();
                tokio::spawn(async move {
                    let _ = gone.await;
                    tokio::time::sleep(LATE).await;
                    inner.handle(request).await
                });
            }
            return std::future::pending().await;
        }
        let answer = self.inner.handle(request).await?;
        if !answer.status().is_success() {
            // Refused: it has no effect.
            return Ok(answer);
        }
        if call.comes_to(Step::AfterItsEffect).is_some() {
            return std::future::pending().await;
        }
        call.created();
        Ok(answer)
    }
}

impl Upstream for Watched {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            if self.creates && request.method() == Method::POST {
                return self.create(request).await;
            }
            let call = self.watch.begin(Step::Other);
            if call.comes_to(Step::Other).is_some() {
                return std::future::pending().await;
            }
            self.inner.handle(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::{GetflySim, TokioClock, getfly::GetflySettings, serve};
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
    };

    /// A create over a socket that is held there; its client breaks off. Returns the accounts
    /// stored while it was held, and some seconds after.
    async fn held(at: Step, late: bool) -> [usize; 2] {
        let clock = Arc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let getfly = Arc::new(GetflySim::new(GetflySettings::default(), clock));
        let watch = Arc::new(Watch::default());
        watch.anew(Some(Hold {
            at,
            passes: 0,
            late,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let server = serve(Watched::getfly(getfly.clone(), &watch), listener).expect("served");
        let mut client = TcpStream::connect(server.address())
            .await
            .expect("connected");
        let (key, body) = (getfly.settings().api_key, r#"{"account_name":"A"}"#);
        let request = format!(
            "POST /api/v6.1/account HTTP/1.1\r\nhost: getfly\r\nuser-agent: test\r\nx-api-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes()).await.expect("sent");
        while !watch.holds(at) {
            tokio::task::yield_now().await;
        }
        assert_eq!(watch.under_way(), [at]);
        let while_held = getfly.accounts().len();
        drop(client);
        while !watch.under_way().is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(2 * LATE).await;
        [while_held, getfly.accounts().len()]
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_is_held_before_its_effect() {
        assert_eq!(held(Step::BeforeItsEffect, false).await, [0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_create_has_its_effect_after_its_client_is_gone() {
        assert_eq!(held(Step::BeforeItsEffect, true).await, [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_is_held_after_its_effect() {
        assert_eq!(held(Step::AfterItsEffect, false).await, [1, 1]);
    }
}
