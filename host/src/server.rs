//! `kvgf up`: the component behind an HTTP/1.1 listener, on a store that survives `kill -9`.

use crate::{
    keyvalue::Backend,
    manifest::Manifest,
    outbound::{CallLog, Outbound},
    runtime::{Instances, LogSink, Runtime, World},
};
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_io_timeout::TimeoutStream;

/// Connections open at once; further ones wait in the system's queue. Of the 1,024 files that a
/// process may usually open, the rest is for the store and for calls.
const CONNECTIONS_AT_ONCE: usize = 768;
/// Instances alive at once, those included that go on after their answer; further requests wait. Twice as
/// many on two cores halve what they do: each has a memory of its own to keep at hand.
const INSTANCES_AT_ONCE: u32 = 64;
/// A request that has waited so long for an instance is answered 503: KiotViet waits five seconds.
const QUEUE_TIME: Duration = Duration::from_secs(4);
/// A guest that has not answered by then never will. A drain of a long queue answers at its end.
const ANSWER_TIME: Duration = Duration::from_secs(15 * 60);
/// Most bytes of a request's line and header together.
const HEADER_BYTES: usize = 64 * 1024;
/// Largest body handed to the component; it refuses smaller ones by itself (5 MiB).
const BODY_BYTES: usize = 6 * 1024 * 1024;
/// A body up to here is read whatever else is going on.
const SMALL_BODY_BYTES: usize = 64 * 1024;
/// Larger bodies in memory at once, with the instances that work on them; further ones are read
/// when there is room. An instance may take [`MEMORY_BYTES`](crate::runtime::MEMORY_BYTES) for one.
const LARGE_BODIES_AT_ONCE: usize = 6;
/// A client that takes longer to send its header, or that is idle for longer, is dropped.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A client that takes longer to send its body is answered 503.
const BODY_TIME: Duration = Duration::from_secs(20);
/// A client that takes nothing of its answer for so long is dropped.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// How long running work may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// A running application.
pub struct App {
    instances: Arc<Instances>,
    places: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A body, and its right to be large; none for a small one.
struct Read {
    bytes: Bytes,
    large: Option<OwnedSemaphorePermit>,
}

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
        Self {
            instances: Instances::new(runtime, world),
            places: Arc::new(Semaphore::new(INSTANCES_AT_ONCE as usize)),
            large: Arc::new(Semaphore::new(LARGE_BODIES_AT_ONCE)),
        }
    }

    async fn answer(&self, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let read = match tokio::time::timeout(BODY_TIME, self.read(body)).await {
            Ok(Ok(Some(read))) => read,
            Ok(Ok(None)) => return status(413),
            Ok(Err(_)) | Err(_) => return status(503),
        };
        let place = tokio::time::timeout(QUEUE_TIME, self.places.clone().acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return status(503);
        };
        let request = absolute(parts, read.bytes);
        match self.handle_at(request, (place, read.large)).await {
            Ok(response) => response.map(Full::new),
            Err(e) => {
                // Never one of the codes after which KiotViet stops sending.
                let why = format!("{e:#}");
                let line =
                    serde_json::json!({ "level": "error", "message": "no answer", "why": why });
                (self.instances.world().log)(&line.to_string());
                status(503)
            }
        }
    }

    /// The whole body; none when it is too large. Such a one is read to its end all the same, since
    /// a client that is still sending would not see its answer.
    async fn read(&self, mut body: Incoming) -> Result<Option<Read>> {
        let mut bytes = Vec::new();
        let mut large = None;
        // Told by its header, it does not wait for room.
        let mut too_large = body.size_hint().lower() > BODY_BYTES as u64;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            too_large |= bytes.len() + data.len() > BODY_BYTES;
            if too_large {
                (bytes, large) = (Vec::new(), None);
                continue;
            }
            if large.is_none() && bytes.len() + data.len() > SMALL_BODY_BYTES {
                large = Some(self.large.clone().acquire_owned().await?);
            }
            bytes.extend_from_slice(&data);
        }
        let bytes = bytes.into();
        Ok((!too_large).then_some(Read { bytes, large }))
    }

    /// Hands one request to the component; what it does after its answer goes on by itself, and so
    /// does the whole when the caller no longer waits.
    pub async fn handle(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let place = self.places.clone().acquire_owned().await?;
        self.handle_at(request, (place, None)).await
    }

    /// The same, keeping what was taken for it until the guest has nothing more to do.
    async fn handle_at(
        &self,
        request: http::Request<Bytes>,
        taken: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
    ) -> Result<http::Response<Bytes>> {
        // A guest that was stopped has logged why.
        let handled = self.instances.handle(request, taken);
        let handled = tokio::time::timeout(ANSWER_TIME, handled).await;
        let handled = handled.map_err(|_| anyhow!("the guest took too long"))?;
        Ok(handled?.response)
    }

    /// Until nothing is being worked on.
    async fn at_rest(&self) {
        // The semaphore is never closed, so this only ever waits.
        let _ = self.places.acquire_many(INSTANCES_AT_ONCE).await;
    }

    /// What any scheduler would do: `POST /api/drain` with the admin token. Whether it worked: it fails, or is
    /// busy, where somebody else works.
    async fn drain(&self) -> bool {
        let token = self
            .instances
            .world()
            .variables
            .get("admin_token")
            .cloned()
            .unwrap_or_default();
        let request = http::Request::post("http://localhost/api/drain")
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new());
        let Ok(request) = request else { return false };
        // A drain that fails is in the log already; the next one goes on.
        let Ok(answer) = self.handle(request).await else {
            return false;
        };
        let drained: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        drained["busy"] == false && answer.status().is_success()
    }
}

fn status(code: u16) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(Full::default());
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response
}

/// The guest wants an absolute URI.
fn absolute(mut parts: http::request::Parts, body: Bytes) -> http::Request<Bytes> {
    let host = parts
        .headers
        .get("host")
        .and_then(|h| h.to_str().ok())
        .unwrap_or("localhost")
        .to_owned();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |p| p.as_str())
        .to_owned();
    if let Ok(uri) = format!("http://{host}{path}").parse() {
        parts.uri = uri;
    }
    http::Request::from_parts(parts, body)
}

/// Serves `app` on `listener` until `stop` ends, then lets running work finish for ten seconds.
/// Drains at once, for what an earlier run left, and every `drain_every`, unless that is zero.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    drain_every: Duration,
    stop: impl Future<Output = ()>,
) {
    let drainer =
        (!drain_every.is_zero()).then(|| tokio::spawn(drain_forever(app.clone(), drain_every)));
    let (stopping, stopped) = watch::channel(());
    let mut open = JoinSet::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_AT_ONCE));
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next() => {}
            accepted = accept(&listener, &room) => match accepted {
                Ok((stream, place)) => {
                    let connection = connection(app.clone(), stream, stopped.clone());
                    open.spawn(async move {
                        let _place = place;
                        connection.await;
                    });
                }
                // Out of file descriptors, most likely: give the open connections time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
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

/// The next connection, as soon as there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = room.clone().acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn drain_forever(app: Arc<App>, every: Duration) {
    loop {
        let began = Instant::now();
        let worked = app.drain().await;
        // After a drain that took longer there is more to do, unless it waited for somebody else's.
        let over = if worked {
            began.elapsed()
        } else {
            Duration::ZERO
        };
        tokio::time::sleep(every.saturating_sub(over)).await;
    }
}

/// Serves one connection; once `stopping`'s sender is gone, its answer under way is its last.
async fn connection(app: Arc<App>, stream: TcpStream, mut stopping: watch::Receiver<()>) {
    let service = service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.answer(request).await) }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let stream = Box::pin(stream);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks concerns its client only.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Binds `address`, with the reason in words when it cannot be.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen")
    })
}
