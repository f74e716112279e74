//! The traits of `sync::world` over WIT.

use super::bindings::wasi::keyvalue::{
    atomics,
    store::{self, Bucket},
};
use crate::sync::world::{
    Clock, Http, HttpError, Log, MAX_RESPONSE_BYTES, OUTBOUND_TIMEOUT, Random, Request, Response,
    Store, StoreError,
};
use crate::time::Timestamp;
use core::{pin::pin, time::Duration};
use futures_util::future::{Either, select};
use http_body_util::BodyExt;
use spin_sdk::{
    http::{FullBody, IntoRequest, send},
    wasip3::{
        cli::stderr,
        clocks::{monotonic_clock, system_clock},
        http::types::{ErrorCode, RequestOptions},
        http_compat::RequestOptionsExtension,
        random::random,
        wit_stream,
    },
};
use std::cell::OnceCell;

/// The key-value store's label in `spin.toml`.
const STORE: &str = "default";

/// The host.
pub(super) struct Wasi {
    bucket: OnceCell<Bucket>,
}

impl Wasi {
    pub(super) fn new() -> Self {
        Self {
            bucket: OnceCell::new(),
        }
    }

    fn bucket(&self) -> Result<&Bucket, StoreError> {
        if let Some(bucket) = self.bucket.get() {
            return Ok(bucket);
        }
        let bucket = store::open(STORE).map_err(store_error)?;
        Ok(self.bucket.get_or_init(|| bucket))
    }
}

fn store_error(e: store::Error) -> StoreError {
    StoreError(match e {
        store::Error::NoSuchStore => format!("the host has no key-value store {STORE:?}"),
        store::Error::AccessDenied => {
            format!("the component may not use the key-value store {STORE:?}")
        }
        store::Error::Other(why) => why,
    })
}

impl Store for Wasi {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.bucket()?.get(key).map_err(store_error)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.bucket()?.set(key, value).map_err(store_error)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.bucket()?.delete(key).map_err(store_error)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        atomics::increment(self.bucket()?, key, delta).map_err(store_error)
    }
}

pub(super) enum ReadError {
    TooLarge,
    Broken(ErrorCode),
}

/// Reads a whole body, keeping at most `limit` bytes in memory.
pub(super) async fn read_all<B>(body: &mut B, limit: usize) -> Result<Vec<u8>, ReadError>
where
    B: http_body::Body<Data = bytes::Bytes, Error = ErrorCode> + Unpin,
{
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(ReadError::Broken)?.into_data() {
            if whole.len().saturating_add(data.len()) > limit {
                return Err(ReadError::TooLarge);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn http_error(e: ErrorCode) -> HttpError {
    match e {
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::DnsTimeout
        | ErrorCode::HttpResponseTimeout => HttpError::Timeout,
        ErrorCode::HttpRequestDenied => HttpError::Denied,
        // The host's own words may hold the address, and with it a query.
        other => HttpError::Connection(kind(&other).to_owned()),
    }
}

fn kind(e: &ErrorCode) -> &'static str {
    match e {
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => "the host name was not found",
        ErrorCode::ConnectionRefused | ErrorCode::DestinationUnavailable => {
            "the connection was refused"
        }
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => "TLS failed",
        _ => "the connection broke",
    }
}

async fn exchange(request: Request) -> Result<Response, HttpError> {
    let broken = |why: &str| HttpError::Connection(why.to_owned());
    let options = RequestOptions::new();
    let limit = Some(nanoseconds(OUTBOUND_TIMEOUT));
    // A host that does not know one of these still has our own limit around the whole call.
    let _ = options.set_connect_timeout(limit);
    let _ = options.set_first_byte_timeout(limit);
    let _ = options.set_between_bytes_timeout(limit);
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(&request.url);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let mut outgoing = builder
        .body(FullBody::new(bytes::Bytes::from(request.body)))
        .map_err(|_| broken("the request could not be formed"))?;
    outgoing
        .extensions_mut()
        .insert(RequestOptionsExtension(options));
    let outgoing = outgoing.into_request().map_err(http_error)?;
    let response = send(outgoing).await.map_err(http_error)?;
    let (parts, mut body) = response.into_parts();
    let retry_after = parts
        .headers
        .get("retry-after")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let body = read_all(&mut body, MAX_RESPONSE_BYTES)
        .await
        .map_err(|e| match e {
            ReadError::TooLarge => HttpError::TooLarge,
            ReadError::Broken(e) => http_error(e),
        })?;
    Ok(Response {
        status: parts.status.as_u16(),
        retry_after,
        body,
    })
}

impl Http for Wasi {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let exchange = pin!(exchange(request));
        let limit = pin!(self.sleep(OUTBOUND_TIMEOUT));
        match select(exchange, limit).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(HttpError::Timeout),
        }
    }
}

impl Clock for Wasi {
    fn now(&self) -> Timestamp {
        let now = system_clock::now();
        Timestamp::new(now.seconds, now.nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    async fn sleep(&self, duration: Duration) {
        monotonic_clock::wait_for(nanoseconds(duration)).await;
    }
}

impl Random for Wasi {
    fn fill(&self, bytes: &mut [u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let some = random::get_random_bytes(u64::try_from(rest.len()).unwrap_or(1));
            let count = some.len().min(rest.len());
            let (filled, left) = rest.split_at_mut(count);
            filled.copy_from_slice(some.get(..count).unwrap_or_default());
            rest = left;
        }
    }
}

impl Log for Wasi {
    fn line(&self, line: &str) {
        let bytes = format!("{line}\n").into_bytes();
        spin_sdk::wit_bindgen::spawn(async move {
            let (mut writer, reader) = wit_stream::new();
            let written = stderr::write_via_stream(reader);
            writer.write_all(bytes).await;
            drop(writer);
            // There is nowhere to report a log that cannot be written.
            let _ = written.await;
        });
    }
}
