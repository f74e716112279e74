//! The demo's counter, a small server beside the host: `GET /{token}` opens the page to whoever has that address, and
//! `POST /sell` sells something.

use super::shop::Shop;
use crate::admin::{Carrier, Remote};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use sim::{Boxed, Broken, Request, Response, Upstream, lock};
use std::sync::{Arc, Mutex};

/// See the module.
pub(super) struct Counter {
    pub(super) shop: Arc<Mutex<Shop>>,
    pub(super) app: Remote,
    pub(super) port: u16,
    pub(super) token: &'static str,
}

impl Upstream for Counter {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            let path = request.uri().path().trim_matches('/');
            Ok(match (request.method(), path) {
                (&Method::POST, "sell") => {
                    let said = lock(&self.shop).sell_something();
                    println!("{said}");
                    text(StatusCode::OK, said)
                }
                (&Method::GET, path) if path == self.token => self.open(request.headers()).await,
                _ => text(StatusCode::NOT_FOUND, "POST /sell sells something"),
            })
        })
    }
}

impl Counter {
    /// Logs in, and hands the session to the browser: cookies belong to a host's name, whatever the port.
    async fn open(&self, headers: &HeaderMap) -> Response {
        let form = format!("token={}", self.token);
        let log_in = http::Request::post("/ui/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form));
        let answer = match log_in {
            Ok(log_in) => self.app.carry(log_in).await.ok(),
            Err(_) => None,
        };
        let Some(answer) = answer.filter(|answer| answer.status() == StatusCode::SEE_OTHER) else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "the host does not let in");
        };
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let name = host
            .and_then(|host| host.rsplit_once(':'))
            .map(|(name, _)| name);
        let page = format!("http://{}:{}/", name.unwrap_or("127.0.0.1"), self.port);
        let mut opened = text(StatusCode::SEE_OTHER, "");
        let fields = opened.headers_mut();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            fields.append(header::SET_COOKIE, cookie.clone());
        }
        if let Ok(page) = page.parse() {
            fields.insert(header::LOCATION, page);
        }
        opened
    }
}

fn text(status: StatusCode, words: &str) -> Response {
    let mut answer = Response::new(Bytes::from(format!("{words}\n")));
    *answer.status_mut() = status;
    answer
}
