//! The proxy: passes each request on and its answer back, and writes the delivery's content.
//! Recording never delays or stops a delivery: one that cannot be written is reported and passed on
//! all the same.

use super::Disguise;
use crate::lock::lock;
use crate::outbound;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet};

/// The largest body taken; the bridge itself refuses smaller ones.
const BODY_BYTES: usize = 6 * 1024 * 1024;
/// A client that takes longer to send its header is dropped.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A client that takes longer to send its body is answered 503.
const BODY_TIME: Duration = Duration::from_secs(30);
/// KiotViet waits five seconds at most; other senders may wait longer.
const PASS_ON_TIME: Duration = Duration::from_secs(30);
/// How long open connections may take to end.
const GRACE: Duration = Duration::from_secs(5);
/// Header fields of one connection, which are not passed on.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Where reported lines go.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// A recording under way.
pub struct Recorder {
    to: Option<http::Uri>,
    out: PathBuf,
    disguise: Mutex<Disguise>,
    written: AtomicU64,
    tell: Tell,
}

impl Recorder {
    /// Records into the folder `out`, which must be new or empty, because replacements are the same
    /// within one recording only. Passes requests on to the origin `to`, or answers 200 itself.
    pub fn new(to: Option<http::Uri>, out: &Path, disguise: Disguise, tell: Tell) -> Result<Self> {
        let shown = out.display();
        fs::create_dir_all(out).with_context(|| format!("cannot create {shown}"))?;
        let mut inside = fs::read_dir(out).with_context(|| format!("cannot read {shown}"))?;
        ensure!(
            inside.next().is_none(),
            "{shown} is not empty; give a new folder with --out, because replacements are the same \
             within one recording only"
        );
        Ok(Self {
            to,
            out: out.to_owned(),
            disguise: Mutex::new(disguise),
            written: AtomicU64::new(0),
            tell,
        })
    }

    /// Deliveries written so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Handles one request: the answer is the bridge's, or 503 if it has none.
    async fn answer(&self, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES).collect();
        let body = match tokio::time::timeout(BODY_TIME, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) | Err(_) => return status(503),
        };
        if parts.method == http::Method::POST {
            self.record(&parts.headers, &body);
        }
        let Some(to) = &self.to else {
            return status(200);
        };
        let request = match handed_on(to, parts, body) {
            Ok(request) => request,
            Err(e) => {
                (self.tell)(&format!("cannot be handed on: {e}"));
                return status(503);
            }
        };
        match outbound::call(request, PASS_ON_TIME).await {
            Ok(answer) => {
                let (mut parts, body) = answer.into_parts();
                strip(&mut parts.headers);
                http::Response::from_parts(parts, Full::new(body))
            }
            Err(why) => {
                (self.tell)(&format!("no answer from --to: {why}; answered 503"));
                status(503)
            }
        }
    }

    fn record(&self, headers: &http::HeaderMap, body: &Bytes) {
        let size = body.len();
        let Some(disguised) = lock(&self.disguise).body(body) else {
            (self.tell)(&format!(
                "a delivery of {size} bytes is no JSON and is not recorded"
            ));
            return;
        };
        let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = self.out.join(format!("{number:06}"));
        match write(&folder, &disguised, &told_headers(headers)) {
            Ok(()) => (self.tell)(&format!("{} {}", folder.display(), about(&disguised))),
            Err(e) => (self.tell)(&format!("a delivery is not recorded: {e:#}")),
        }
    }
}

fn write(folder: &Path, body: &[u8], headers: &str) -> Result<()> {
    let shown = folder.display();
    fs::create_dir(folder).with_context(|| format!("cannot create {shown}"))?;
    fs::write(folder.join("headers"), headers).with_context(|| format!("cannot write {shown}"))?;
    fs::write(folder.join("request.json"), body).with_context(|| format!("cannot write {shown}"))
}

/// What a delivery is about, from its disguised body.
fn about(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let of = |name: &str| body.get(name).or_else(|| body.get(name.to_lowercase()));
    let notifications = of("Notifications").and_then(Value::as_array);
    let actions = notifications.into_iter().flatten().filter_map(|one| {
        let action = one.get("Action").or_else(|| one.get("action"))?.as_str()?;
        let mut words = action.split('.');
        Some(format!("{}.{}", words.next()?, words.next()?))
    });
    actions.collect::<Vec<_>>().join(", ")
}

/// The form of the signature only: a replay signs again with its own secret. Other header fields
/// may hold anything, and are left out.
fn told_headers(headers: &http::HeaderMap) -> String {
    let signature = headers
        .get("x-hub-signature")
        .map(|v| v.to_str().unwrap_or_default());
    let form = match signature {
        None => return "unsigned\n".to_owned(),
        Some(signature) => form(signature),
    };
    format!("X-Hub-Signature: {form}\n")
}

fn form(signature: &str) -> &'static str {
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match signature.split_once('=') {
        Some(("sha1", digest)) if hex(digest, 64) => "sign",
        Some(("sha1", digest)) if hex(digest, 40) => "sign sha1",
        Some(("sha256", digest)) if hex(digest, 64) => "sign sha256 label",
        _ if hex(signature, 64) => "sign bare hex",
        _ if signature.len() == 44 && signature.ends_with('=') => "sign base64",
        // An unknown form.
        _ => "unknown form",
    }
}

fn handed_on(
    to: &http::Uri,
    mut parts: http::request::Parts,
    body: Bytes,
) -> Result<http::Request<Bytes>> {
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let base = to.path().trim_end_matches('/');
    let authority = to.authority().context("--to has no host")?;
    let scheme = to.scheme_str().unwrap_or("http");
    parts.uri = format!("{scheme}://{authority}{base}{path}").parse()?;
    strip(&mut parts.headers);
    parts.headers.insert("host", authority.as_str().parse()?);
    Ok(http::Request::from_parts(parts, body))
}

fn strip(headers: &mut http::HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    // Computed again for the body as it is.
    headers.remove("content-length");
}

fn status(code: u16) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(Full::default());
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response
}

/// Records the requests to `listener` until `stop` ends, then lets open requests finish for a
/// moment.
pub async fn serve(recorder: Arc<Recorder>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    open.spawn(connection(recorder.clone(), stream));
                }
                // Out of file descriptors, most likely: give the open connections time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    // Idle clients may keep their connections open for as long as they like.
    let _ = tokio::time::timeout(GRACE, ended).await;
}

async fn connection(recorder: Arc<Recorder>, stream: tokio::net::TcpStream) {
    let service = service_fn(move |request| {
        let recorder = recorder.clone();
        async move { Ok::<_, Infallible>(recorder.answer(request).await) }
    });
    // A broken connection concerns its client only. Each connection serves one request, so one that
    // is open at the end is at work.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn a_signature_leaves_its_form_and_nothing_else() {
        let (long, short) = ("a".repeat(64), "b".repeat(40));
        assert_eq!(form(&format!("sha1={long}")), "sign");
        assert_eq!(form(&format!("sha1={short}")), "sign sha1");
        assert_eq!(form(&format!("sha256={long}")), "sign sha256 label");
        assert_eq!(form(&long), "sign bare hex");
        assert_eq!(form(&format!("{}=", "Q".repeat(43))), "sign base64");
        assert_eq!(form("v2,something"), "unknown form");
    }
}
