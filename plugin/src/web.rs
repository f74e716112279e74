//! A request, its answer, and what follows it, as the routes see them. Knows no host and no route.

use crate::json;
use serde::Serialize;

/// A request's body, read only once its sender is known.
#[allow(
    async_fn_in_trait,
    reason = "one thread, static dispatch: no Send bound is wanted"
)]
pub trait Body {
    /// The whole body, at most `limit` bytes.
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyError>;
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Longer than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// The connection broke.
    #[error("the body ended early")]
    Broken,
}

/// One inbound request.
pub struct Inbound<B> {
    /// Upper-case method.
    pub method: String,
    /// Path as it came, without the query.
    pub path: String,
    /// Query as it came.
    pub query: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `X-Hub-Signature` header.
    pub signature: Option<String>,
    /// The `Cookie` header.
    pub cookie: Option<String>,
    /// The `Sec-Fetch-Site` header: where a browser says that the request comes from.
    pub fetch_site: Option<String>,
    /// Where it comes from, as the host says: an address, perhaps with a port.
    pub client: Option<String>,
    /// The body.
    pub body: B,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// `Content-Type`, none for an empty body.
    pub content_type: Option<&'static str>,
    /// Body.
    pub body: Vec<u8>,
    /// Further header fields.
    pub headers: Vec<(&'static str, String)>,
}

/// What to do after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Nothing,
    /// Process what waits.
    Drain,
    /// Process what waits and scan KiotViet's lists: a backfill was asked for.
    ReadLists,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            content_type: None,
            body: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// An answer in JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        Self {
            status,
            content_type: Some("application/json"),
            body: json::text(value),
            headers: Vec::new(),
        }
    }
}
