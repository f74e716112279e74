//! A vendor that refuses in words that repeat all it was told.

use bytes::Bytes;
use host_test::sim::{Boxed, Broken, Request, Response, Upstream};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// Refuses the first creates and registrations, each in another order of words: not all of them are kept.
pub struct Parrot {
    inner: Arc<dyn Upstream>,
    /// The refusals' statuses that are still to come, the next one last.
    statuses: Mutex<Vec<u16>>,
}

impl Parrot {
    /// One in front of `inner`, with these statuses in order.
    pub fn before(inner: Arc<dyn Upstream>, statuses: &[u16]) -> Arc<dyn Upstream> {
        Arc::new(Self {
            inner,
            statuses: Mutex::new(statuses.iter().rev().copied().collect()),
        })
    }

    fn refusal(&self, request: &Request) -> Option<Response> {
        if request.method() != http::Method::POST || request.uri().path() == "/connect/token" {
            return None;
        }
        let (status, turn) = {
            let mut statuses = self.statuses.lock().unwrap();
            (statuses.pop()?, statuses.len())
        };
        let said = String::from_utf8_lossy(request.body()).into_owned();
        let mut words = [
            said.replace(' ', "–"),
            said.clone(),
            format!("{:?} {}", request.headers(), request.uri()),
            "0912 345 678 +84912345678 0912_345_678 (hoa@example.vn)".to_owned(),
        ];
        let middle = turn % words.len();
        words.rotate_left(middle);
        let words = format!("Không nhận {}", words.join(" "));
        let body = json!({
            "message": words,
            "errors": {"phone_office": [said]},
            "responseStatus": {"errorCode": "0912345678", "message": words},
        });
        let response = http::Response::builder().status(status);
        response.body(Bytes::from(body.to_string())).ok()
    }
}

impl Upstream for Parrot {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        match self.refusal(&request) {
            Some(refusal) => Box::pin(async move { Ok(refusal) }),
            None => self.inner.handle(request),
        }
    }
}
