//! A receiver of alerts: Slack, a Telegram bot, a relay or a heartbeat monitor, as its sender sees
//! it.

use crate::{Boxed, Broken, Request, Response, SimClock, Upstream, lock};
use bytes::Bytes;
use http::StatusCode;
use std::sync::{Arc, Mutex};

/// A message that it received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: jiff::Timestamp,
    /// The method, then the path.
    pub asked: String,
    /// The body as text.
    pub body: String,
}

/// See the module.
pub struct Receiver {
    clock: Arc<dyn SimClock>,
    received: Mutex<Vec<Received>>,
    /// Its answer from now on; none: the connection breaks after the request was received.
    answers: Mutex<Option<StatusCode>>,
    /// The longest text that it takes, characters; a longer one is answered 400, as Telegram does.
    longest: Mutex<Option<usize>>,
}

impl Receiver {
    /// A receiver that answers 200.
    pub fn new(clock: Arc<dyn SimClock>) -> Self {
        Self {
            clock,
            received: Mutex::default(),
            answers: Mutex::new(Some(StatusCode::OK)),
            longest: Mutex::default(),
        }
    }

    /// From now on it answers this status, or breaks the connection.
    pub fn answer(&self, status: Option<StatusCode>) {
        *lock(&self.answers) = status;
    }

    /// From now on it refuses longer texts.
    pub fn take_at_most(&self, characters: usize) {
        *lock(&self.longest) = Some(characters);
    }

    /// The messages since this was last asked.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.received))
    }
}

impl Upstream for Receiver {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        let asked = format!("{} {}", request.method(), request.uri().path());
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let at = self.clock.now();
        let text: Option<serde_json::Value> = serde_json::from_str(&body).ok();
        let text = text.and_then(|body| Some(body["text"].as_str()?.encode_utf16().count()));
        let longest = *lock(&self.longest);
        let too_long = text.zip(longest).is_some_and(|(text, most)| text > most);
        let status = match *lock(&self.answers) {
            Some(_) if too_long => Some(StatusCode::BAD_REQUEST),
            status => status,
        };
        lock(&self.received).push(Received { at, asked, body });
        Box::pin(async move {
            let mut response = Response::new(Bytes::from_static(b"ok"));
            *response.status_mut() = status.ok_or(Broken)?;
            Ok(response)
        })
    }
}
