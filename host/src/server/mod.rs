//! `kvgf up`: the component behind an HTTP/1.1 listener, on a store that survives `kill -9`.

mod authority;
mod body;
mod connections;
mod metrics;
mod places;
mod proxies;
mod tenant;
mod watched;

use crate::{
    keyvalue::Backend,
    lock::lock,
    manifest::Manifest,
    outbound::{CallLog, Outbound},
    runtime::{Instances, LogSink, Runtime, World},
};
use anyhow::{Context, Result, anyhow};
pub use body::Pace;
use body::{Reader, SMALL_BYTES};
use bytes::Bytes;
use connections::{Connections, Entry};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::Full;
use hyper::{
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::Page;
use places::{Place, Places};
pub use proxies::{Block, Proxies};
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tenant::{Both, Tenants};
pub use tenant::{Share, Tenant, host_name};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_io_timeout::TimeoutStream;
use watched::Watched;

/// Connections open at once. Of the 1,024 files that a process may usually open, the rest is for the store and
/// for calls.
const CONNECTIONS_AT_ONCE: usize = 768;
/// Of these, connections of one address on which the host waits for a first head or for the rest of a body.
const UNFINISHED_AN_ADDRESS: usize = 64;
/// How long each of them is silent before that bound closes it: a crowd may come at once and be sound, and KiotViet
/// waits so long for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Instances at once that have a request to answer; further requests wait. Twice as many on two cores halve
/// what they do: each has a memory of its own to keep at hand.
const INSTANCES_AT_ONCE: usize = 64;
/// A request that has waited so long for an instance is answered 503: KiotViet waits five seconds.
const QUEUE_TIME: Duration = Duration::from_secs(4);
/// A guest that has not answered by then never will. A drain of a long queue answers at its end.
const ANSWER_TIME: Duration = Duration::from_secs(15 * 60);
/// Most bytes of a request's line and header together.
const HEADER_BYTES: usize = 64 * 1024;
/// Large bodies in memory at once, with the instances that work on them; further ones are read
/// when there is room. An instance may take [`MEMORY_BYTES`](crate::runtime::MEMORY_BYTES) for one.
const LARGE_BODIES_AT_ONCE: usize = 6;
/// A large body that has waited so long for room is answered 503.
const LARGE_BODY_TIME: Duration = Duration::from_secs(20);
/// A client that takes longer to send its header, or that is idle for longer, is dropped.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A client that takes nothing of its answer for so long is dropped.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// How long running work may take to end after SIGTERM, and that of a tenant that is gone.
const GRACE: Duration = Duration::from_secs(10);
/// How many tenants are asked for their metrics at once.
const SCRAPED_AT_ONCE: usize = 16;
/// A tenant that tells its metrics no sooner is left out.
const SCRAPE_TIME: Duration = Duration::from_secs(2);
/// Whose requests those of the host itself are.
const OURSELVES: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// The host itself among the tenants, whose numbers are larger.
const NO_TENANT: u64 = 0;
/// Drains at once, of all tenants. Half of the instances of a host with many stay for requests.
const DRAINS_AT_ONCE: usize = INSTANCES_OF_MANY / 2;
/// Instances alive at once in a host with many tenants: most of them wait for a vendor.
const INSTANCES_OF_MANY: usize = 512;
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// In this header the guest gets the address and port of the client, as Spin gives it.
const CLIENT_ADDRESS: &str = "spin-client-addr";

/// How much clients may have at once, and how slow they may be.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections open at once. A further one takes the place of one whose client lets the host wait; where there is
    /// none, it waits in the system's queue.
    pub connections: usize,
    /// Connections of one address on which the host waits for a first head or for the rest of a body. Where there are
    /// more, those are closed that have been silent for longest.
    pub unfinished_an_address: usize,
    /// None is closed for that bound before it has been silent for so long.
    pub patience: Duration,
    /// Instances at once that have a request to answer, of all tenants.
    pub instances: usize,
    /// Instances at once that go on after their answer. Where there are more, the further ones end at theirs: what they
    /// leave is in the journal, and the next drain takes it up.
    pub after_answers: usize,
    /// Large bodies in memory at once.
    pub large_bodies: usize,
    /// How slowly a body may come.
    pub pace: Pace,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Proxies,
}

impl Bounds {
    /// For a host with many tenants.
    pub fn of_many() -> Self {
        Self {
            instances: INSTANCES_OF_MANY,
            after_answers: INSTANCES_OF_MANY / 2,
            ..Self::default()
        }
    }

    /// The share of an only tenant: all.
    fn whole(&self) -> Share {
        Share {
            instances: self.instances,
            large_bodies: self.large_bodies,
            requests: usize::MAX,
            rest: Duration::ZERO,
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_AT_ONCE,
            unfinished_an_address: UNFINISHED_AN_ADDRESS,
            patience: PATIENCE,
            instances: INSTANCES_AT_ONCE,
            after_answers: INSTANCES_AT_ONCE / 2,
            large_bodies: LARGE_BODIES_AT_ONCE,
            pace: Pace::default(),
            proxies: Proxies::default(),
        }
    }
}

/// A running application, or many of them, each for its own tenant.
pub struct App {
    tenants: watch::Sender<Arc<Tenants>>,
    places: Arc<Places<u64>>,
    large: Arc<Places<u64>>,
    drains: Semaphore,
    after_answers: Arc<Semaphore>,
    /// How many tenants' files are refused.
    refused: AtomicUsize,
    bounds: Bounds,
}

/// A body, and its right to be large; none for a small one.
struct Taken {
    bytes: Bytes,
    large: Option<Both>,
}

/// The connection that a request came on.
struct Caller {
    entry: Entry,
    peer: SocketAddr,
}

type Answer = http::Response<Full<Bytes>>;

impl App {
    /// The manifest's component over `backend`, calling the real network.
    pub fn new(
        runtime: Runtime,
        manifest: Manifest,
        backend: Arc<dyn Backend>,
        log: LogSink,
    ) -> Self {
        let world = World {
            variables: Arc::new(manifest.variables),
            backend,
            store_labels: Arc::new(manifest.stores),
            policy: Arc::new(manifest.outbound),
            outbound: Outbound::Network,
            log,
            clock: None,
            seed: None,
            calls: CallLog::default(),
            limit: None,
        };
        Self::over(runtime, world)
    }

    /// A component in a world of its own.
    pub fn over(runtime: Runtime, world: World) -> Self {
        let bounds = Bounds::default();
        let only = Tenant::new("", Instances::new(runtime, world), bounds.whole(), None);
        Self::of(Tenants::One(only), bounds)
    }

    /// An application for each of many tenants, none yet.
    pub fn of_many(bounds: Bounds) -> Self {
        Self::of(Tenants::ByHost(BTreeMap::new()), bounds)
    }

    fn of(tenants: Tenants, bounds: Bounds) -> Self {
        Self {
            tenants: watch::Sender::new(Arc::new(tenants)),
            places: Places::new(bounds.instances),
            large: Places::new(bounds.large_bodies),
            drains: Semaphore::new(DRAINS_AT_ONCE),
            after_answers: Arc::new(Semaphore::new(bounds.after_answers)),
            refused: AtomicUsize::new(0),
            bounds,
        }
    }

    /// The same with other bounds.
    pub fn within(self, bounds: Bounds) -> Self {
        let tenants = match &**self.tenants.borrow() {
            Tenants::One(only) => Tenants::One(only.within(bounds.whole())),
            Tenants::ByHost(tenants) => Tenants::ByHost(tenants.clone()),
        };
        Self::of(tenants, bounds)
    }

    /// From now on serves these, each under its [`host_name`]. One that is gone, or served in another way, has ten
    /// seconds to end what it began. Needs tokio's runtime.
    pub fn serve_tenants(&self, tenants: BTreeMap<String, Arc<Tenant>>) {
        let stays: BTreeSet<u64> = tenants.values().map(|tenant| tenant.number()).collect();
        let before = self
            .tenants
            .send_replace(Arc::new(Tenants::ByHost(tenants)));
        let mut gone = before.all();
        gone.retain(|tenant| !stays.contains(&tenant.number()));
        if gone.is_empty() {
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            for tenant in gone {
                tenant.instances().end();
            }
        });
    }

    /// So many files of tenants are refused.
    pub fn tell_refused(&self, files: usize) {
        self.refused.store(files, Ordering::Relaxed);
    }

    /// The metrics of all tenants, in Prometheus' text format.
    pub async fn metrics(self: &Arc<Self>) -> String {
        let mut page = Page::default();
        let tenants = self.tenants.borrow().all();
        let refused = self.refused.load(Ordering::Relaxed);
        page.gauge(
            "kvgf_host_tenants",
            "Tenants that are served.",
            "",
            tenants.len(),
        );
        let help = "Tenants' files that are refused.";
        page.gauge("kvgf_host_refused_files", help, "", refused);
        for some in tenants.chunks(SCRAPED_AT_ONCE) {
            let mut asked = JoinSet::new();
            for tenant in some.iter().cloned() {
                let app = self.clone();
                asked.spawn(async move {
                    let told = app.metrics_of(&tenant).await;
                    (tenant, told)
                });
            }
            for (tenant, told) in asked.join_all().await {
                let label = format!("{{tenant=\"{}\"}}", tenant.name());
                let help = "Whether the tenant told its metrics.";
                let up = usize::from(told.is_some());
                page.gauge("kvgf_host_tenant_up", help, &label, up);
                page.add(tenant.name(), &told.unwrap_or_default());
            }
        }
        page.text()
    }

    async fn answer_admin(self: &Arc<Self>, request: &http::Request<Incoming>) -> Answer {
        let (kind, body) = match (request.method(), request.uri().path()) {
            (&Method::GET, "/metrics") => (PROMETHEUS, self.metrics().await),
            (&Method::GET, "/healthz") => {
                let tenants = self.tenants.borrow().all().len();
                let refused = self.refused.load(Ordering::Relaxed);
                let told = serde_json::json!({ "status": "ok", "tenants": tenants, "refused_files": refused });
                ("application/json", told.to_string())
            }
            _ => return status(StatusCode::NOT_FOUND),
        };
        let mut answer = http::Response::new(Full::from(body));
        let kind = HeaderValue::from_static(kind);
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        let nosniff = HeaderValue::from_static("nosniff");
        let headers = answer.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
        answer
    }

    async fn metrics_of(&self, tenant: &Arc<Tenant>) -> Option<String> {
        let answer = self.handle_for(tenant, tenant.metrics_request()?);
        let answer = tokio::time::timeout(SCRAPE_TIME, answer).await.ok()?.ok()?;
        let text = String::from_utf8(answer.body().to_vec());
        text.ok().filter(|_| answer.status().is_success())
    }

    /// Who a request to this absolute URI is for.
    fn tenant(&self, uri: &http::Uri) -> Option<Arc<Tenant>> {
        self.tenants.borrow().of(uri)
    }

    /// Answers a request that came over a connection.
    async fn answer(&self, request: http::Request<Incoming>, caller: &Caller) -> Answer {
        let served = self.serve(request, caller).await;
        let mut answer = served.unwrap_or_else(|refused| refused);
        caller.entry.next_is_further_head();
        answer.headers_mut().insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        answer
    }

    /// The guest's answer, or the host's own where the request does not get to the guest.
    async fn serve(
        &self,
        request: http::Request<Incoming>,
        caller: &Caller,
    ) -> Result<Answer, Answer> {
        let (mut parts, body) = request.into_parts();
        let bytes = head_bytes(&parts);
        let Some(uri) = authority::absolute(&parts.uri, &parts.headers) else {
            return Err(refused(parts.uri.path(), StatusCode::BAD_REQUEST));
        };
        parts.uri = uri;
        if bytes > HEADER_BYTES {
            let code = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(refused(parts.uri.path(), code));
        }
        let path = parts.uri.path();
        let tenant = self.tenant(&parts.uri);
        let tenant = tenant.ok_or_else(|| refused(path, StatusCode::NOT_FOUND))?;
        let admitted = tenant.admit(&parts.method, path);
        let _admitted = admitted.ok_or_else(|| status(StatusCode::SERVICE_UNAVAILABLE))?;
        let client = self.bounds.proxies.client(caller.peer, &parts.headers);
        if let Ok(client) = HeaderValue::try_from(client.to_string()) {
            parts.headers.insert(CLIENT_ADDRESS, client);
        }
        if !body.is_end_stream() {
            caller.entry.next_is_body(client.ip());
        }
        let taken = self.take(&tenant, &parts, body, caller, client).await?;
        caller.entry.next_is_answer();
        let place = self.place(&tenant, client.ip()).await?;
        let request = http::Request::from_parts(parts, taken.bytes);
        match self.handle_at(&tenant, request, place, taken.large).await {
            Ok(answer) => Ok(answer.map(Full::new)),
            Err(e) => Err(no_answer(&tenant, &e)),
        }
    }

    /// The whole body, or what its sender is answered. A large one gets its place once the guest knows its sender.
    async fn take(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        body: Incoming,
        caller: &Caller,
        client: SocketAddr,
    ) -> Result<Taken, Answer> {
        let most = body::most(&parts.method, parts.uri.path(), &parts.headers);
        let mut reader = Reader::new(body, self.bounds.pace);
        let mut bytes = Vec::new();
        let mut large = None;
        let mut expected = reader.told();
        loop {
            if expected > most as u64 {
                drop((bytes, large));
                reader.discard(parts).await;
                return Err(status(StatusCode::PAYLOAD_TOO_LARGE));
            }
            if expected > SMALL_BYTES as u64 && large.is_none() {
                caller.entry.next_is_answer();
                let since = Instant::now();
                match self.large_place(tenant, parts, client.ip()).await {
                    Ok(place) => large = Some(place),
                    Err(refused) => {
                        caller.entry.next_is_body(client.ip());
                        drop(bytes);
                        reader.discard(parts).await;
                        return Err(refused);
                    }
                }
                reader.excuse(since);
                caller.entry.next_is_body(client.ip());
            }
            let next = reader.next().await;
            let Some(data) = next.map_err(|_| status(StatusCode::SERVICE_UNAVAILABLE))? else {
                break;
            };
            expected = (bytes.len() + data.len()) as u64;
            if expected <= most as u64 {
                bytes.extend_from_slice(&data);
            }
        }
        let bytes = bytes.into();
        Ok(Taken { bytes, large })
    }

    /// A large body's place, once the guest knows the sender.
    async fn large_place(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        client: IpAddr,
    ) -> Result<Both, Answer> {
        self.ask_about(tenant, parts, client).await?;
        let place = tokio::time::timeout(LARGE_BODY_TIME, tenant.large_place(&self.large, client));
        let late = |_| status(StatusCode::SERVICE_UNAVAILABLE);
        place.await.map_err(late)
    }

    /// Asks the guest with the same head, but by a GET without a body, whether it knows the sender; what it answers
    /// to a stranger is the answer. A GET changes nothing, and on a route for POST alone 405 comes after the credential.
    async fn ask_about(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        client: IpAddr,
    ) -> Result<(), Answer> {
        let mut asked = http::Request::new(Bytes::new());
        *asked.method_mut() = Method::GET;
        *asked.uri_mut() = parts.uri.clone();
        *asked.headers_mut() = parts.headers.clone();
        for of_the_body in [
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::TRANSFER_ENCODING,
            header::EXPECT,
        ] {
            asked.headers_mut().remove(of_the_body);
        }
        let place = self.place(tenant, client).await?;
        match self.handle_at(tenant, asked, place, None).await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) if answer.status() == StatusCode::METHOD_NOT_ALLOWED => Ok(()),
            Ok(answer) => Err(answer.map(Full::new)),
            Err(e) => Err(no_answer(tenant, &e)),
        }
    }

    /// An instance's place.
    async fn place(&self, tenant: &Arc<Tenant>, client: IpAddr) -> Result<Both, Answer> {
        let place = tokio::time::timeout(QUEUE_TIME, tenant.place(&self.places, client));
        let late = |_| status(StatusCode::SERVICE_UNAVAILABLE);
        place.await.map_err(late)
    }

    /// Hands one request to the component of the tenant that it is for; what it does after its answer goes on by
    /// itself, and so does the whole when the caller no longer waits.
    pub async fn handle(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let tenant = self.tenant(request.uri());
        let tenant = tenant.context("no tenant has this host name")?;
        tenant.touch(request.method());
        self.handle_for(&tenant, request).await
    }

    async fn handle_for(
        &self,
        tenant: &Arc<Tenant>,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>> {
        let place = self.place(tenant, OURSELVES).await;
        let place = place.map_err(|_| anyhow!("no instance is free"))?;
        self.handle_at(tenant, request, place, None).await
    }

    /// Hands one request to the tenant's component. What was taken for it is kept until the guest has nothing more to
    /// do, but for its place among those that answer.
    async fn handle_at(
        &self,
        tenant: &Arc<Tenant>,
        request: http::Request<Bytes>,
        (own, of_all): Both,
        large: Option<Both>,
    ) -> Result<http::Response<Bytes>> {
        let room = Arc::new(Mutex::new(Room::Answers(of_all)));
        // A guest that was stopped has logged why.
        let taken = (own, large, room.clone());
        let handled = tenant.instances().handle(request, taken);
        let handled = tokio::time::timeout(ANSWER_TIME, handled).await;
        let handled = handled.map_err(|_| anyhow!("the guest took too long"))??;
        match self.after_answers.clone().try_acquire_owned() {
            Ok(permit) => *lock(&room) = Room::GoesOn(permit),
            Err(_) => handled.after.abort(),
        }
        Ok(handled.response)
    }

    /// Until nothing is being worked on.
    async fn at_rest(&self) {
        let mut all = Vec::new();
        for _ in 0..self.bounds.instances {
            all.push(self.places.take(NO_TENANT).await);
        }
        let after = u32::try_from(self.bounds.after_answers).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.after_answers.acquire_many(after).await;
    }

    /// Drains for one tenant.
    async fn drain(&self, tenant: &Arc<Tenant>) -> Drained {
        // The semaphore is never closed.
        let _turn = self.drains.acquire().await;
        let Some(request) = tenant.drain_request() else {
            return Drained::Not;
        };
        // A drain that fails is in the log already; the next one goes on.
        let Ok(answer) = self.handle_for(tenant, request).await else {
            return Drained::Not;
        };
        if !answer.status().is_success() {
            return Drained::Not;
        }
        Drained::as_told(answer.body())
    }
}

/// The room of one instance among those of all tenants.
enum Room {
    /// It has a request to answer.
    Answers(#[expect(dead_code, reason = "held")] Place<u64>),
    /// It has answered and goes on.
    GoesOn(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
}

/// What a drain did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drained {
    /// It failed, or somebody else works.
    Not,
    /// It worked.
    Worked,
    /// There was nothing to do.
    Rests,
}

impl Drained {
    fn as_told(answer: &[u8]) -> Self {
        let told: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
        if told["busy"] != false {
            return Self::Not;
        }
        let nothing = ["ended", "failed", "waiting"].iter().all(|n| told[n] == 0);
        if nothing && told["stopped"].is_null() {
            Self::Rests
        } else {
            Self::Worked
        }
    }
}

/// The guest was stopped, or took too long. Never one of the codes after which KiotViet stops sending.
fn no_answer(tenant: &Tenant, why: &anyhow::Error) -> Answer {
    let why = format!("{why:#}");
    let line = serde_json::json!({ "level": "error", "message": "no answer", "why": why });
    (tenant.instances().world().log)(&line.to_string());
    status(StatusCode::SERVICE_UNAVAILABLE)
}

fn status(code: StatusCode) -> Answer {
    let mut response = http::Response::new(Full::default());
    *response.status_mut() = code;
    response
}

/// The answer to a request that the guest does not get to see. KiotViet stops sending for good at a 4xx.
fn refused(path: &str, code: StatusCode) -> Answer {
    if path.starts_with("/hooks/") {
        status(StatusCode::SERVICE_UNAVAILABLE)
    } else {
        status(code)
    }
}

/// Bytes of a request's line and header as they were sent, give or take blanks.
fn head_bytes(parts: &Parts) -> usize {
    const LINE: usize = " HTTP/1.1\r\n ".len();
    const FIELD: usize = ": \r\n".len();
    let fields = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD);
    let line = parts.method.as_str().len() + parts.uri.to_string().len() + LINE;
    line + fields.sum::<usize>()
}

/// Serves `app` on `listener` until `stop` ends, then lets running work finish for ten seconds.
/// Drains at once, for what an earlier run left, and every `drain_every`, unless that is zero. Drains of many tenants
/// are spread over that time.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    drain_every: Duration,
    stop: impl Future<Output = ()>,
) {
    let drainer =
        (!drain_every.is_zero()).then(|| tokio::spawn(drain_all(app.clone(), drain_every)));
    let (stopping, stopped) = watch::channel(());
    let mut open = JoinSet::new();
    let room = Arc::new(Semaphore::new(app.bounds.connections));
    let connections = Connections::new(app.bounds.unfinished_an_address, app.bounds.patience);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: give the open connections time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = tokio::select! {
            () = &mut stop => break,
            place = room_for_one(&room, &connections) => place,
        };
        let trusted = app.bounds.proxies.trusts(peer.ip());
        let (entry, close) = connections.enter(peer.ip(), trusted);
        let caller = Caller { entry, peer };
        let connection = connection(app.clone(), stream, caller, close, stopped.clone());
        open.spawn(async move {
            let _place = place;
            connection.await;
        });
    }
    drop(listener);
    if let Some(drainer) = drainer {
        drainer.abort();
    }
    drop(stopping);
    // Whatever is cut then was not answered, or is in the journal.
    let _ = tokio::time::timeout(GRACE, async {
        while open.join_next().await.is_some() {}
        app.at_rest().await;
    })
    .await;
    open.shutdown().await;
}

/// Room for a connection that has come. Where there is none, one whose client lets the host wait is closed.
async fn room_for_one(
    room: &Arc<Semaphore>,
    connections: &Connections,
) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = room.clone().try_acquire_owned() {
        return Some(place);
    }
    connections.make_room();
    // The semaphore is never closed.
    room.clone().acquire_owned().await.ok()
}

/// Drains for every tenant that there is, as long as it is there.
async fn drain_all(app: Arc<App>, every: Duration) {
    let mut tenants = app.tenants.subscribe();
    // Aborts them when it is dropped.
    let mut drainers = JoinSet::new();
    let mut newest = NO_TENANT;
    let parts = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    loop {
        let new = tenants.borrow_and_update().since(newest, parts);
        for (number, tenant, millis) in new {
            newest = newest.max(number);
            let first = Duration::from_millis(millis);
            drainers.spawn(drain_forever(app.clone(), tenant, first, every));
        }
        tokio::select! {
            Some(_) = drainers.join_next() => {}
            changed = tenants.changed() => if changed.is_err() { return },
        }
    }
}

async fn drain_forever(app: Arc<App>, tenant: Weak<Tenant>, first: Duration, every: Duration) {
    tokio::time::sleep(first).await;
    let mut rests_until = Instant::now();
    loop {
        let began = Instant::now();
        let Some(tenant) = tenant.upgrade() else {
            return;
        };
        if !tenant.was_touched() && began < rests_until {
            drop(tenant);
            tokio::time::sleep(every).await;
            continue;
        }
        let drained = app.drain(&tenant).await;
        rests_until = match drained {
            Drained::Rests => began + tenant.rest(),
            Drained::Not | Drained::Worked => began,
        };
        drop(tenant);
        // After a drain that took longer there is more to do, unless it waited for somebody else's.
        let over = match drained {
            Drained::Not => Duration::ZERO,
            Drained::Worked | Drained::Rests => began.elapsed(),
        };
        tokio::time::sleep(every.saturating_sub(over)).await;
    }
}

/// Serves one connection until it ends or is to be `close`d; once `stopping`'s sender is gone, its answer under way
/// is its last.
async fn connection(
    app: Arc<App>,
    stream: TcpStream,
    caller: Caller,
    close: oneshot::Receiver<()>,
    mut stopping: watch::Receiver<()>,
) {
    let caller = Arc::new(caller);
    let service_caller = caller.clone();
    let service = service_fn(move |request| {
        let (app, caller) = (app.clone(), service_caller.clone());
        async move { Ok::<_, Infallible>(app.answer(request, &caller).await) }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let stream = Watched {
        stream: Box::pin(stream),
        caller: caller.clone(),
    };
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks concerns its client only.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = close => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Answers an operator on `listener`, for as long as this process lives: `GET /metrics` over all tenants, and
/// `GET /healthz` of the host itself.
pub async fn serve_admin(app: Arc<App>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let app = app.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let app = app.clone();
            async move { Ok::<_, Infallible>(app.answer_admin(&request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

/// Binds `address`, with the reason in words when it cannot be.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen")
    })
}
