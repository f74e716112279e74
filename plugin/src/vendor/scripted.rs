//! An `Http` that answers from a script and remembers its requests.

use crate::world::{Http, HttpError, Request, Response};
use core::{
    cell::RefCell,
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::collections::VecDeque;

/// The answers still to come, and the requests so far.
#[derive(Default)]
pub(crate) struct Script {
    answers: RefCell<VecDeque<Result<Response, HttpError>>>,
    requests: RefCell<Vec<Request>>,
}

impl Script {
    /// One answer with this status and body.
    pub(crate) fn answering(status: u16, body: &str) -> Self {
        Self::default().then(status, body)
    }

    /// A call that fails.
    pub(crate) fn failing(error: HttpError) -> Self {
        let script = Self::default();
        script.answers.borrow_mut().push_back(Err(error));
        script
    }

    /// Then this answer.
    pub(crate) fn then(self, status: u16, body: &str) -> Self {
        self.push(status, None, body)
    }

    /// Then this answer, with a `Retry-After` header.
    pub(crate) fn then_after(self, status: u16, retry_after: &str, body: &str) -> Self {
        self.push(status, Some(retry_after.to_owned()), body)
    }

    fn push(self, status: u16, retry_after: Option<String>, body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        self.answers.borrow_mut().push_back(Ok(Response {
            status,
            retry_after,
            body,
        }));
        self
    }

    /// Every request so far, as `METHOD url`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let requests = self.requests.borrow();
        requests
            .iter()
            .map(|r| format!("{} {}", r.method.as_str(), r.url))
            .collect()
    }

    /// The request with this number, from 0.
    pub(crate) fn request(&self, index: usize) -> Request {
        self.requests.borrow()[index].clone()
    }

    /// The body of the request with this number, as JSON.
    pub(crate) fn sent(&self, index: usize) -> serde_json::Value {
        serde_json::from_slice(&self.request(index).body).unwrap()
    }
}

impl Http for Script {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let endpoint = request.endpoint;
        self.requests.borrow_mut().push(request);
        let answer = self.answers.borrow_mut().pop_front();
        answer.unwrap_or_else(|| panic!("no answer is scripted for {endpoint}"))
    }
}

/// Runs a future that never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a scripted call waited"),
    }
}
