//! `host up`: the component behind an HTTP/1.1 listener, on a store that survives `kill -9`.

use crate::{
    keyvalue::Backend,
    manifest::Manifest,
    outbound::{CallLog, Outbound},
    runtime::{LogSink, Runtime, World},
};
use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

/// Requests worked on at once; further ones wait.
const REQUESTS_AT_ONCE: usize = 512;
/// Largest body handed to the component; it refuses smaller ones by itself (5 MiB).
const BODY_BYTES: usize = 6 * 1024 * 1024;
/// A client that takes longer to send its header is dropped.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A client that takes longer to send its body is answered 503.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How long running work may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// A running application.
pub struct App {
    runtime: Runtime,
    world: World,
    slots: Semaphore,
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
        };
        Self {
            runtime,
            world,
            slots: Semaphore::new(REQUESTS_AT_ONCE),
        }
    }

    async fn answer(&self, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
        let _slot = self.slots.acquire().await;
        let (parts, body) = request.into_parts();
        let body =
            match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_BYTES).collect()).await {
                Ok(Ok(body)) => body.to_bytes(),
                Ok(Err(e)) if e.is::<LengthLimitError>() => return status(413),
                Ok(Err(_)) | Err(_) => return status(503),
            };
        match self.handle(absolute(parts, body)).await {
            Ok(response) => response.map(Full::new),
            Err(e) => {
                // Never one of the codes after which KiotViet stops sending.
                (self.world.log)(&format!(
                    "{{\"level\":\"error\",\"message\":\"no answer\",\"why\":\"{e:#}\"}}"
                ));
                status(503)
            }
        }
    }

    /// Hands one request to the component; what it does after its answer goes on by itself.
    pub async fn handle(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        Ok(self.runtime.handle(&self.world, request).await?.response)
    }

    /// What any scheduler would do: `POST /api/drain` with the admin token.
    async fn drain(&self) {
        let token = self
            .world
            .variables
            .get("admin_token")
            .cloned()
            .unwrap_or_default();
        let request = http::Request::post("http://localhost/api/drain")
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new());
        let Ok(request) = request else { return };
        // A drain that fails is in the log already; the next one goes on.
        let _ = self.handle(request).await;
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
/// Drains every `drain_every`, unless that is zero.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    drain_every: Duration,
    stop: impl Future<Output = ()>,
) {
    let drainer =
        (!drain_every.is_zero()).then(|| tokio::spawn(drain_forever(app.clone(), drain_every)));
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let app = app.clone();
                    open.spawn(connection(app, stream));
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
    // Idle connections are not waited for; a request that is cut was not answered.
    let _ = tokio::time::timeout(GRACE, async {
        while app.slots.available_permits() < REQUESTS_AT_ONCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    open.shutdown().await;
}

async fn drain_forever(app: Arc<App>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        app.drain().await;
    }
}

async fn connection(app: Arc<App>, stream: tokio::net::TcpStream) {
    let service = service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.answer(request).await) }
    });
    // A connection that breaks concerns its client only.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Binds `address`, with the reason in words when it cannot be.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen")
    })
}
