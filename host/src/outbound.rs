//! The guest's outbound calls: only to the manifest's allowed origins, then to the network, or to
//! the responders that an embedder puts in its place.

use crate::lock::lock;
use crate::origins::{OutboundPolicy, origin};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// What answers allowed calls.
#[derive(Clone)]
pub enum Outbound {
    /// The network.
    Network,
    /// These, by origin; any other origin cannot be reached.
    InProcess(Arc<BTreeMap<String, Arc<dyn Responder>>>),
}

/// The answer to one call; none if the connection breaks first.
pub type Responding = Pin<Box<dyn Future<Output = Option<http::Response<Bytes>>> + Send>>;

/// Answers calls in this process, in place of the network.
pub trait Responder: Send + Sync {
    /// Answers one call, or breaks the connection. May wait, or never return.
    fn respond(self: Arc<Self>, request: http::Request<Bytes>) -> Responding;
}

/// A call that the guest made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundCall {
    /// HTTP method.
    pub method: String,
    /// Absolute, with its query.
    pub url: String,
    /// HTTP status; none if it was denied or not answered.
    pub status: Option<u16>,
}

/// The calls of an application, shared by its instances.
#[derive(Debug, Clone, Default)]
pub struct CallLog(Option<Arc<Mutex<Vec<OutboundCall>>>>);

impl CallLog {
    /// A log that keeps every call, for tests. The default keeps none.
    pub fn keeping() -> Self {
        Self(Some(Arc::default()))
    }

    /// Calls since this was last asked.
    pub fn take(&self) -> Vec<OutboundCall> {
        self.0
            .as_ref()
            .map(|calls| std::mem::take(&mut *lock(calls)))
            .unwrap_or_default()
    }

    fn note(&self, method: &http::Method, uri: &http::Uri, status: Option<u16>) {
        if let Some(calls) = &self.0 {
            lock(calls).push(OutboundCall {
                method: method.to_string(),
                url: uri.to_string(),
                status,
            });
        }
    }
}

/// One instance's outbound calls.
pub(crate) struct Hooks {
    policy: Arc<OutboundPolicy>,
    outbound: Outbound,
    calls: CallLog,
}

impl Hooks {
    pub(crate) fn new(policy: Arc<OutboundPolicy>, outbound: Outbound, calls: CallLog) -> Self {
        Self {
            policy,
            outbound,
            calls,
        }
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(http::Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let allowed = self.policy.allows(request.uri());
        let outbound = self.outbound.clone();
        let calls = self.calls.clone();
        Box::new(async move {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let answer = match outbound {
                _ if !allowed => Err(Error::HttpRequestDenied),
                Outbound::Network => network(request, options).await,
                Outbound::InProcess(responders) => in_process(&responders, request).await,
            };
            calls.note(
                &method,
                &uri,
                answer.as_ref().ok().map(|(r, _)| r.status().as_u16()),
            );
            answer
        })
    }
}

/// Makes one call to the real network, for the host's own commands, with the same client and the
/// same trusted certificates as the guest's calls. `Err` says in plain words why there was no
/// answer; it holds nothing of the request but its host.
pub async fn call(
    request: http::Request<Bytes>,
    limit: Duration,
) -> Result<http::Response<Bytes>, String> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    let request = request.map(|body| {
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync()
    });
    let called = tokio::time::timeout(limit, async {
        let (response, io) = default_send_request(request, None).await?;
        let (parts, body) = response.into_parts();
        let io = tokio::spawn(io);
        let body = body.collect().await;
        io.abort();
        Ok::<_, Error>(http::Response::from_parts(parts, body?.to_bytes()))
    });
    match called.await {
        Ok(answer) => answer.map_err(|e| in_words(&e, &host)),
        Err(_) => Err(format!(
            "{host} did not answer within {} s",
            limit.as_secs()
        )),
    }
}

fn in_words(error: &Error, host: &str) -> String {
    match error {
        Error::Connect(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("nothing listens at {host} (connection refused)")
        }
        // The system's resolver has no error kind of its own.
        Error::Connect(e) if e.to_string().contains("lookup") => {
            format!(
                "the name {host} is not known: look for a typing error, or at this machine's DNS"
            )
        }
        Error::Connect(e) => format!("{host} cannot be reached: {e}"),
        Error::Tls(e) => format!("no encrypted connection to {host}: {e}"),
        Error::ConnectionTimeout => format!("{host} did not answer in time"),
        other => format!("{host} broke the connection: {other}"),
    }
}

async fn network(request: http::Request<WasiBody>, options: Option<RequestOptions>) -> Answer {
    let (response, io) = default_send_request(request, options).await?;
    Ok((response.map(BodyExt::boxed_unsync), Box::new(io)))
}

async fn in_process(
    responders: &BTreeMap<String, Arc<dyn Responder>>,
    request: http::Request<WasiBody>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let origin = origin(&parts.uri).ok_or(Error::HttpRequestUriInvalid)?;
    let responder = responders.get(&origin).ok_or(Error::ConnectionRefused)?;
    let responding = responder
        .clone()
        .respond(http::Request::from_parts(parts, body));
    let response = responding.await.ok_or(Error::ConnectionTerminated)?;
    let response = response.map(|body: Bytes| {
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync()
    });
    Ok((response, Box::new(async { Ok(()) })))
}

/// Whether `host`, a name or an address, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}
