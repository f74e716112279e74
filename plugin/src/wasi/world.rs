//! Implements the traits of `crate::world` over WIT.

use crate::{
    address::Address,
    journal::no_atomics,
    time::Timestamp,
    vendor::redaction::redact,
    wasi::{
        bindings::{
            wasi::{
                cli::stderr,
                clocks::{monotonic_clock, system_clock},
                http::{
                    client,
                    types::{self, ErrorCode, RequestOptions},
                },
                keyvalue::store::{self, Bucket},
                random::random,
            },
            wit_future, wit_stream,
        },
        body::{self, ReadError},
    },
    world::{
        Clock, Http, HttpError, Log, MAX_RESPONSE_BYTES, Method, Random, Request, Response, Store,
        StoreError,
    },
};
use core::{pin::pin, time::Duration};
use futures_util::future::{Either, select};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// The key-value store's label in `spin.toml`.
const STORE: &str = "default";

/// The host.
pub(super) struct Wasi {
    bucket: RefCell<Option<Rc<Bucket>>>,
    plain: Cell<bool>,
}

impl Wasi {
    pub(super) fn new() -> Self {
        Self {
            bucket: RefCell::new(None),
            plain: Cell::new(false),
        }
    }

    fn bucket(&self) -> Result<Rc<Bucket>, StoreError> {
        if let Some(bucket) = &*self.bucket.borrow() {
            return Ok(bucket.clone());
        }
        let bucket = Rc::new(store::open(STORE).map_err(store_error)?);
        self.bucket.replace(Some(bucket.clone()));
        Ok(bucket)
    }
}

fn store_error(e: store::Error) -> StoreError {
    StoreError::Failed(match e {
        store::Error::NoSuchStore => format!("the host has no key-value store “{STORE}”"),
        store::Error::AccessDenied => {
            format!("the component may not use the key-value store “{STORE}”")
        }
        store::Error::Other(why) => redact(&why),
    })
}

#[cfg(not(feature = "without-atomics"))]
use crate::wasi::bindings::wasi::keyvalue::atomics::increment;

/// A host that offers no counting.
#[cfg(feature = "without-atomics")]
fn increment(_: &Bucket, _: &str, _: i64) -> Result<i64, store::Error> {
    let why = "this build of the component does not count (without-atomics)";
    Err(store::Error::Other(why.to_owned()))
}

impl Store for Wasi {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.bucket()?.get(key).map_err(store_error)
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.bucket()?.exists(key).map_err(store_error)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.bucket()?.set(key, value).map_err(store_error)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.bucket()?.delete(key).map_err(store_error)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        if self.plain.get() {
            return no_atomics::increment(self, key, delta).await;
        }
        increment(&*self.bucket()?, key, delta).map_err(store_error)
    }

    async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self
                .bucket()?
                .list_keys(cursor.as_deref())
                .map_err(store_error)?;
            keys.extend(page.keys);
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(keys),
            }
        }
    }

    fn reopen(&self) {
        self.bucket.replace(None);
    }

    fn is_atomic(&self) -> bool {
        !self.plain.get()
    }

    fn count_plainly(&self) {
        self.plain.set(true);
    }
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

/// Why there is no answer. Where no connection came about, nothing was sent.
fn not_answered(e: ErrorCode) -> HttpError {
    match e {
        ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::DnsError(_) => HttpError::NotSent(kind(&e).to_owned()),
        other => http_error(other),
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
    let request = outgoing(request)
        .ok_or_else(|| HttpError::NotSent("the request could not be formed".to_owned()))?;
    let response = client::send(request).await.map_err(not_answered)?;
    let status = response.get_status_code();
    let retry_after = body::header(&response.get_headers(), "retry-after");
    // The result of reading the body is not used, but this end must stay until the body was read.
    let (taken, taken_seen) = wit_future::new(|| Ok(()));
    let (bytes, end) = types::Response::consume_body(response, taken_seen);
    let body = body::read(bytes, end, MAX_RESPONSE_BYTES).await;
    drop(taken);
    let body = body.map_err(|e| match e {
        ReadError::TooLarge => HttpError::TooLarge,
        ReadError::Broken(e) => http_error(e),
    })?;
    Ok(Response {
        status,
        retry_after,
        body,
    })
}

/// The request's header fields; none if one is malformed.
fn fields(request: &Request) -> Option<types::Fields> {
    let headers = types::Fields::new();
    for (name, value) in request.fields() {
        match headers.append(name, value.as_bytes()) {
            Ok(()) => {}
            // A host that reserves these headers sets them itself.
            Err(types::HeaderError::Forbidden)
                if matches!(name, "content-length" | "user-agent") => {}
            Err(_) => return None,
        }
    }
    Some(headers)
}

fn outgoing(request: Request) -> Option<types::Request> {
    let Address {
        secure,
        authority,
        path,
    } = Address::parse(&request.url)?;
    let scheme = if secure {
        types::Scheme::Https
    } else {
        types::Scheme::Http
    };
    let method = match request.method {
        Method::Get => types::Method::Get,
        Method::Post => types::Method::Post,
        Method::Delete => types::Method::Delete,
    };
    let options = RequestOptions::new();
    let limit = Some(nanoseconds(request.timeout));
    // A host that ignores one of these still has our own limit around the whole call.
    let _ = options.set_connect_timeout(limit);
    let _ = options.set_first_byte_timeout(limit);
    let _ = options.set_between_bytes_timeout(limit);
    let headers = fields(&request)?;
    let (contents, trailers) = body::write(request.body);
    let (outgoing, _sent) = types::Request::new(headers, contents, trailers, Some(options));
    outgoing.set_method(&method).ok()?;
    outgoing.set_scheme(Some(&scheme)).ok()?;
    outgoing.set_authority(Some(authority)).ok()?;
    outgoing.set_path_with_query(Some(path)).ok()?;
    Some(outgoing)
}

impl Http for Wasi {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let limit = pin!(self.sleep(request.timeout));
        let exchange = pin!(exchange(request));
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
            // A log line that cannot be written can be reported nowhere.
            let _ = written.await;
        });
    }
}
