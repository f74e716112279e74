//! A vendor whose refusals repeat everything that was sent.

use bytes::Bytes;
use serde_json::json;
use sim::{Boxed, Broken, Request, Response, Upstream};
use std::sync::{Arc, Mutex};

/// Which calls are refused: the first of each method, with these statuses in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusals {
    pub(crate) gets: &'static [u16],
    pub(crate) posts: &'static [u16],
}

impl Refusals {
    pub(crate) const NONE: Self = Self {
        gets: &[],
        posts: &[],
    };
}

/// Refuses the first calls, each with the words in another order: not all of them are stored.
pub(crate) struct Parrot {
    inner: Arc<dyn Upstream>,
    refusals: Refusals,
    /// How many calls of each method came.
    calls: Mutex<[usize; 2]>,
}

impl Parrot {
    /// A parrot in front of `inner`.
    pub(crate) fn before(inner: Arc<dyn Upstream>, refusals: Refusals) -> Arc<dyn Upstream> {
        Arc::new(Self {
            inner,
            refusals,
            calls: Mutex::default(),
        })
    }

    fn refusal(&self, request: &Request) -> Option<Response> {
        let is_get = request.method() == http::Method::GET;
        let turn = {
            let counted = &mut self.calls.lock().unwrap()[usize::from(is_get)];
            *counted += 1;
            *counted - 1
        };
        let Refusals { gets, posts } = self.refusals;
        let status = *if is_get { gets } else { posts }.get(turn)?;
        let said = String::from_utf8_lossy(request.body()).into_owned();
        let mut words = [
            said.replace(' ', "–"),
            said.clone(),
            format!("{} {:?}", request.uri(), request.headers()),
            "0912 345 678 +84912345678 0912_345_678 (hoa@example.vn)".to_owned(),
        ];
        let places = words.len();
        words.rotate_left(turn % places);
        let words = format!("Không nhận {}", words.join(" "));
        let body = json!({
            "message": words,
            "errors": {"phone_office": [said]},
            "responseStatus": {"errorCode": "0912345678", "message": words},
            "error": "invalid_client",
            "error_description": words,
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
