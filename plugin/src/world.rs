//! The outside world of the plugin, as small traits. `wasi/` implements them over WIT, the tests
//! over memory. Nothing else in this crate does input or output.

#![allow(
    async_fn_in_trait,
    reason = "one thread, static dispatch: no Send bound is wanted"
)]

use crate::{assumption::Assumption, time::Timestamp};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// A member's place in a record, like `invoiceDetails[].price`, and the kind of its value.
pub type Member = (String, &'static str);

/// The key-value store (`wasi:keyvalue` draft2 without `cas`, `list-keys` and `batch`, which are
/// wrong or slow on some of Spin's backends).
pub trait Store {
    /// The value at `key`, or none. Never for a counter's key.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Whether there is a value or a counter at `key`.
    async fn exists(&self, key: &str) -> Result<bool, StoreError>;
    /// Writes `value` (at most 1 MB) at `key`. Never for a counter's key.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError>;
    /// Removes `key`; a missing key is no error. A removed counter starts again at zero.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
    /// Atomically adds `delta` to the counter at `key` (zero if missing) and returns the sum. After
    /// an error it may have counted all the same.
    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError>;
    /// Every key. Slow: only where there are no atomics.
    async fn list_keys(&self) -> Result<Vec<String>, StoreError>;
    /// Opens the store again for the next call: what only the present handle sees is gone then.
    fn reopen(&self);
    /// Whether `increment` is atomic.
    fn is_atomic(&self) -> bool;
    /// The host's `increment` does not work: from now on it is a read and a write, without atomics.
    fn count_plainly(&self);
}

/// Why the store failed, or why a stored value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store failed, or succeeded and the reply was lost; in its own words.
    #[error("the key-value store failed: {0}")]
    Failed(String),
    /// This worker lost its lease, so the write was not made; the next worker goes on.
    #[error("the key-value store failed: the lease ended before the write")]
    LeaseEnded,
    /// A newer version of this application wrote the store; nothing is read or written.
    #[error(
        "the store belongs to a newer version of this application (its format is {found}, this version knows {known}): nothing is done in it, and deliveries are answered 503, so that KiotViet sends them again. Start the newer version again, or put back the copy from before the upgrade"
    )]
    Newer {
        /// The store's format.
        found: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// A stored value cannot be read.
    #[error("the key-value store failed: {what} is damaged: {why}")]
    Damaged {
        /// Which value it is.
        what: &'static str,
        /// Where the damage is, never the value.
        why: String,
    },
}

impl StoreError {
    /// A failure in these words.
    pub fn failed(why: impl ToString) -> Self {
        Self::Failed(why.to_string())
    }
}

/// Outbound calls.
pub trait Http {
    /// Sends one request and reads the whole answer (at most [`MAX_RESPONSE_BYTES`]), within the
    /// request's own [`timeout`](Request::timeout).
    async fn send(&self, request: Request) -> Result<Response, HttpError>;

    /// Traffic shows whether an assumption holds. Only a worker stores that.
    fn saw(&self, _assumption: Assumption, _holds: bool) {}

    /// A record of an edition that nobody has tried has these members. Only a worker stores that.
    fn shaped(&self, _members: Vec<Member>) {}

    /// Whether traffic showed that it holds, and never the contrary. Where nothing is stored, no.
    fn is_confirmed(&self, _assumption: Assumption) -> bool {
        false
    }

    /// How often traffic showed it. Where nothing is stored, a number higher than any real count.
    fn times_seen(&self, _assumption: Assumption) -> u64 {
        u64::MAX
    }
}

/// The longest wait for a vendor's answer. A call begins only under a lease that outlasts it
/// (Spin's own default is 600 s).
pub const OUTBOUND_TIMEOUT: Duration = Duration::from_secs(15);

/// The longest wait for the answer to a create at Getfly, which runs the tenant's automations
/// before it answers. A worker begins a create only under a lease that outlasts it.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(25);

/// Largest upstream answer that is read; a larger one is an error.
pub const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Request methods the two APIs need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// The name of the sender in every request to a vendor.
pub const USER_AGENT: &str = concat!("kiotviet-getfly/", env!("CARGO_PKG_VERSION"));

/// One outbound request. `Debug` shows neither header values, body nor query.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Absolute, with the query already encoded.
    pub url: String,
    /// The call's name for people and metrics, without values, e.g. `KiotViet GET /customers/{id}`.
    pub endpoint: &'static str,
    /// Lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
    /// Longest wait for the whole answer.
    pub timeout: Duration,
}

impl core::fmt::Debug for Request {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Request")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The header fields that are sent: the request's own, `user-agent`, and, for a request whose
    /// method may have a body, `content-length`. A host that does not know the length sends the
    /// body in chunks, which some servers refuse (411) and others read as an empty form.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = self.headers.clone();
        fields.push(("user-agent", USER_AGENT.to_owned()));
        if self.method != Method::Get || !self.body.is_empty() {
            fields.push(("content-length", self.body.len().to_string()));
        }
        fields
    }
}

/// An upstream's answer. `Debug` shows no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// The `Retry-After` header as it came, if any.
    pub retry_after: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl core::fmt::Debug for Response {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// No usable answer came. The vendor may have done what was asked, except where a variant says that nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpError {
    /// No answer within the request's timeout.
    #[error("no answer in time")]
    Timeout,
    /// Could not connect, or the connection broke.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// Nothing was sent: there was no connection, or no request could be formed. It is kept as [`Self::Connection`], which
    /// every version reads.
    #[error("the connection failed: {0}")]
    #[serde(rename(serialize = "connection"))]
    NotSent(String),
    /// The host's allow-list does not have this origin.
    #[error("the host does not allow calls to this origin (allowed_outbound_hosts)")]
    Denied,
    /// The answer is larger than [`MAX_RESPONSE_BYTES`].
    #[error("the answer is too large")]
    TooLarge,
    /// This worker lost its lease, so the call was not made; the next worker goes on.
    #[error("the lease ended before the call")]
    LeaseEnded,
}

/// The time of day, and waiting.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// Random bytes fit for secrets.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operator's log.
pub trait Log {
    /// Writes one line (a JSON object without a line break).
    fn line(&self, line: &str);
}

/// The whole outside.
pub trait World: Store + Http + Clock + Random + Log {}

impl<T: Store + Http + Clock + Random + Log> World for T {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(method: Method, body: &[u8]) -> Vec<(&'static str, String)> {
        let request = Request {
            method,
            url: "https://shop.test/x".to_owned(),
            endpoint: "Test",
            headers: vec![("accept", "application/json".to_owned())],
            body: body.to_vec(),
            timeout: OUTBOUND_TIMEOUT,
        };
        request.fields()
    }

    #[test]
    fn every_request_says_who_sends_it() {
        let agent = concat!("kiotviet-getfly/", env!("CARGO_PKG_VERSION"));
        for method in [Method::Get, Method::Post, Method::Delete] {
            let fields = fields(method, b"");
            assert!(fields.contains(&("accept", "application/json".to_owned())));
            assert!(fields.contains(&("user-agent", agent.to_owned())));
        }
    }

    #[test]
    fn a_body_and_an_empty_post_or_delete_carry_their_length() {
        let length = |method, body: &[u8]| {
            let fields = fields(method, body).into_iter();
            let mut lengths = fields.filter(|(name, _)| *name == "content-length");
            lengths.next().map(|(_, value)| value)
        };
        assert_eq!(length(Method::Post, "ă".as_bytes()).as_deref(), Some("2"));
        assert_eq!(length(Method::Post, b"").as_deref(), Some("0"));
        assert_eq!(length(Method::Delete, b"").as_deref(), Some("0"));
        assert_eq!(length(Method::Get, b""), None);
    }
}
