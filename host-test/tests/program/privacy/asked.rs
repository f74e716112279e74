//! Calls a host, natively or as a program. Every answer is stored, so that the search misses none
//! of them.

use super::marks::{ALL, GUARDED, Marks, Of};
use anyhow::Result;
use bytes::Bytes;
use host_test::admin::{self, Admin, Carrier, Reply};
use host_test::variables::{ADMIN_TOKEN, MASTER_KEY, OTHER_MASTER_KEY};
use jiff::Timestamp;
use sim::{Faulty, GetflySim, KiotVietSim};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A running application.
pub(crate) trait Host: Carrier {
    /// Lets more than a second pass.
    async fn pass_a_second(&self);
    /// Lets the worker go on for a moment.
    async fn pass_a_moment(&self);
    /// Lets ten minutes pass; false in a test that does not wait that long.
    async fn pass_a_pause(&self) -> bool;
    /// Goes on with this `master_key`.
    async fn rotate(&mut self, master_key: &str);
}

/// What an answer may show its reader, who is the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum May {
    Nothing,
    /// Names: the sellers', so that a seller can be found, and the customer's, whose event it is.
    Names,
    /// What would be written to Getfly, and the page's list of sellers.
    Records,
}

/// A scenario that runs with a host, and the host's answers.
pub(crate) struct Scenario<H> {
    pub(crate) host: H,
    pub(crate) kiotviet: Arc<KiotVietSim>,
    pub(crate) getfly: Arc<GetflySim>,
    pub(crate) getfly_faults: Arc<Faulty>,
    pub(crate) now: Timestamp,
    pub(crate) marks: Marks,
    seen: RefCell<Vec<(String, May, Vec<u8>)>>,
}

/// Every answer is stored, and may show nothing.
impl<H: Host> Carrier for Scenario<H> {
    async fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        Ok(self.ask(May::Nothing, request).await.0)
    }
}

impl<H: Host> Scenario<H> {
    pub(crate) fn new(
        host: H,
        kiotviet: &Arc<KiotVietSim>,
        getfly: &Arc<GetflySim>,
        faults: &Arc<Faulty>,
        now: Timestamp,
    ) -> Self {
        let mut marks = Marks::default();
        for secret in [ADMIN_TOKEN, MASTER_KEY, OTHER_MASTER_KEY] {
            marks.add(Of::Secret, secret);
        }
        Self {
            host,
            kiotviet: kiotviet.clone(),
            getfly: getfly.clone(),
            getfly_faults: faults.clone(),
            now,
            marks,
            seen: RefCell::default(),
        }
    }

    /// Answers that show more than they may, and the texts.
    pub(crate) fn leaks(&self, what: &[Of]) -> BTreeSet<String> {
        let mut leaks = BTreeSet::new();
        for (may, of) in [
            (May::Nothing, &ALL[..]),
            (May::Names, &GUARDED[..]),
            (May::Records, &[Of::Secret][..]),
        ] {
            let of: Vec<Of> = of.iter().copied().filter(|o| what.contains(o)).collect();
            let search = self.marks.search(&of);
            let seen = self.seen.borrow();
            for (place, _, answer) in seen.iter().filter(|seen| seen.1 == may) {
                let told = search.find(answer).into_iter();
                leaks.extend(told.map(|text| format!("{place}: {text}")));
            }
        }
        leaks
    }

    /// Whether some answer holds this text.
    pub(crate) fn was_shown(&self, text: &str) -> bool {
        let shown = |answer: &[u8]| String::from_utf8_lossy(answer).contains(text);
        let seen = self.seen.borrow();
        seen.iter().any(|(_, _, answer)| shown(answer))
    }

    pub(crate) fn note(&mut self) {
        self.marks.note(&self.kiotviet, &self.getfly);
    }

    /// A request whose answer is stored, with its header fields.
    pub(crate) async fn ask(
        &self,
        may: May,
        request: http::Request<Bytes>,
    ) -> (http::Response<Bytes>, String) {
        let place = format!("{} {}", request.method(), request.uri().path());
        let response = self.host.carry(request).await.unwrap();
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let whole = format!("{:?}\n{body}", response.headers());
        self.seen
            .borrow_mut()
            .push((place, may, whole.into_bytes()));
        (response, body)
    }

    /// An admin's request whose answer may show more.
    pub(crate) async fn call_as(&self, may: May, method: &str, path: &str, body: Bytes) -> Reply {
        let request = admin::request(ADMIN_TOKEN, method, path, body);
        let (response, body) = self.ask(may, request).await;
        let json = serde_json::from_str(&body).unwrap_or_default();
        (response.status().as_u16(), json)
    }

    /// Repeats a request until it is no longer refused.
    pub(crate) async fn insist(&self, ask: impl AsyncFn() -> Reply) {
        for _ in 0..5 {
            if ask().await.0 == 200 {
                return;
            }
        }
        panic!("it is refused for good");
    }

    /// The events' numbers by state.
    pub(crate) async fn states(&self) -> BTreeMap<String, Vec<u64>> {
        let mut states: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for event in admin::listed(self.events("limit=200").await) {
            let state = event["state"].as_str().unwrap().to_owned();
            let seq = event["seq"].as_u64().unwrap();
            states.entry(state).or_default().push(seq);
        }
        states
    }

    pub(crate) async fn log_in(&self) -> String {
        let form = format!("token={ADMIN_TOKEN}");
        let request = http::Request::post("/ui/login").body(form.into()).unwrap();
        let (response, _) = self.ask(May::Nothing, request).await;
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn page(
        &self,
        may: May,
        cookie: &str,
        path: &str,
    ) -> (http::Response<Bytes>, String) {
        let request = http::Request::get(path).header("cookie", cookie);
        let (response, page) = self.ask(may, request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status(), 200, "{path}: {page}");
        (response, page)
    }
}
