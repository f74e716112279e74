//! The application's admin API, called in the same way by every test and tool. A [`Carrier`] takes
//! one HTTP request to the application: natively, to the component, or over a socket. [`Admin`] has
//! a method for each route.

use crate::variables::{ADMIN_TOKEN, PUBLIC};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use sim::kiotviet::{Edition, Settings};
use std::sync::Arc;

/// An answer of the API: its HTTP status, and its body as JSON (null if it is not JSON). Without an
/// answer the status is 0 and the body holds the reason.
pub type Reply = (u16, Value);

/// Takes requests to the application.
pub trait Carrier {
    /// Carries one request and returns the answer. Only path and query of its address count.
    fn carry(&self, request: Request<Bytes>) -> impl Future<Output = Result<Response<Bytes>>>;

    /// The admin token of this application.
    fn token(&self) -> &str {
        ADMIN_TOKEN
    }
}

/// An admin's request with a JSON body to the route below `/api/`.
pub fn request(token: &str, method: &str, path: &str, body: Bytes) -> Request<Bytes> {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("{PUBLIC}/api/{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    request.body(body).unwrap_or_default()
}

/// The body that connects a shop, with its right credentials.
pub fn credentials(settings: &Settings) -> Value {
    let mut body = json!({
        "retailer": settings.retailer,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    });
    if settings.edition == Edition::Fnb {
        body["edition"] = "fnb".into();
    }
    body
}

/// The body of a successful answer.
///
/// # Errors
/// If there is none, or its status is not 2xx.
pub fn successful((status, body): Reply) -> Result<Value> {
    ensure!((200..300).contains(&status), "answered {status}: {body}");
    Ok(body)
}

/// The events of a list, in its order.
pub fn listed((_, mut list): Reply) -> Vec<Value> {
    let events = list.get_mut("events").and_then(Value::as_array_mut);
    events.map(std::mem::take).unwrap_or_default()
}

/// Whether an event is not final.
pub fn waits(event: &Value) -> bool {
    matches!(event["state"].as_str(), Some("received" | "retrying"))
}

/// The routes of the API.
#[expect(
    async_fn_in_trait,
    reason = "a caller that needs `Send` has a concrete carrier"
)]
pub trait Admin: Carrier {
    /// A request with these bytes as its body.
    async fn call_raw(&self, method: &str, path: &str, body: Bytes) -> Reply {
        match self.carry(request(self.token(), method, path, body)).await {
            Ok(answer) => {
                let body = serde_json::from_slice(answer.body()).unwrap_or_default();
                (answer.status().as_u16(), body)
            }
            Err(e) => (0, format!("{e:#}").into()),
        }
    }

    /// A request with this JSON as its body.
    async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.call_raw(method, path, body.to_string().into()).await
    }

    /// A GET.
    async fn look(&self, path: &str) -> Reply {
        self.call("GET", path, &Value::Null).await
    }

    /// All connections, with their webhooks.
    async fn connections(&self) -> Reply {
        self.look("connections").await
    }

    /// Connects a shop with its right credentials.
    async fn connect(&self, name: &str, settings: &Settings) -> Reply {
        let path = format!("connections/{name}");
        self.call("PUT", &path, &credentials(settings)).await
    }

    /// Disconnects it.
    async fn disconnect(&self, name: &str) -> Reply {
        let path = format!("connections/{name}");
        self.call("DELETE", &path, &Value::Null).await
    }

    /// Switches a webhook (`customer` or `order`) on or off.
    async fn switch(&self, name: &str, webhook: &str, on: bool) -> Reply {
        let method = if on { "PUT" } else { "DELETE" };
        let path = format!("connections/{name}/webhooks/{webhook}");
        self.call(method, &path, &Value::Null).await
    }

    /// Asks for a backfill, or with `dry_run` for its preview.
    async fn backfill(&self, name: &str, wanted: &Value) -> Reply {
        let path = format!("connections/{name}/backfill");
        self.call("POST", &path, wanted).await
    }

    /// The progress of a backfill.
    async fn backfill_state(&self, name: &str) -> Reply {
        self.look(&format!("connections/{name}/backfill")).await
    }

    /// Stops a backfill.
    async fn stop_backfill(&self, name: &str) -> Reply {
        let path = format!("connections/{name}/backfill");
        self.call("DELETE", &path, &Value::Null).await
    }

    /// The preview of a delivery.
    async fn preview(&self, name: &str, delivery: Bytes) -> Reply {
        let path = format!("preview/{name}");
        self.call_raw("POST", &path, delivery).await
    }

    /// A page of events, newest first; `query` as in `limit=50&state=dead`.
    async fn events(&self, query: &str) -> Reply {
        self.look(&format!("events?{query}")).await
    }

    /// The events after number `after`, newest first, over all pages; `query` filters them.
    ///
    /// # Errors
    /// If a page is refused.
    async fn events_after(&self, after: u64, query: &str) -> Result<Vec<Value>> {
        let number = |event: &Value| event["seq"].as_u64().unwrap_or(0);
        let mut all = Vec::new();
        let mut before = String::new();
        loop {
            let page = self.events(&format!("limit=200{query}{before}")).await;
            let page = successful(page).context("a page of events")?;
            let next = page["next_before"].as_u64().filter(|next| *next > after);
            let events = listed((200, page));
            let old = events.iter().any(|event| number(event) <= after);
            all.extend(events.into_iter().filter(|event| number(event) > after));
            match next.filter(|_| !old) {
                Some(next) => before = format!("&before={next}"),
                None => return Ok(all),
            }
        }
    }

    /// One event.
    async fn event(&self, seq: u64) -> Reply {
        self.look(&format!("events/{seq}")).await
    }

    /// What both systems have now of what an event is about.
    async fn live(&self, seq: u64) -> Reply {
        self.look(&format!("events/{seq}/live")).await
    }

    /// A person retries a dead letter.
    async fn retry(&self, seq: u64) -> Reply {
        let path = format!("events/{seq}/retry");
        self.call("POST", &path, &Value::Null).await
    }

    /// A person dismisses a dead letter.
    async fn dismiss(&self, seq: u64) -> Reply {
        let path = format!("events/{seq}/dismiss");
        self.call("POST", &path, &Value::Null).await
    }

    /// A drain.
    async fn drain(&self) -> Reply {
        self.call("POST", "drain", &Value::Null).await
    }

    /// A drain that checks the webhooks at once.
    async fn heal(&self) -> Reply {
        self.call("POST", "drain?heal=now", &Value::Null).await
    }

    /// What would go wrong with a connection's first sales, as far as it is known.
    async fn preflight(&self, name: &str) -> Reply {
        self.look(&format!("connections/{name}/preflight")).await
    }

    /// What traffic showed of each assumption.
    async fn assumptions(&self) -> Reply {
        self.look("assumptions").await
    }

    /// The counts, and whether they add up.
    async fn overview(&self) -> Reply {
        self.look("overview").await
    }
}

impl<C: Carrier + ?Sized> Admin for C {}

impl<C: Carrier> Carrier for Arc<C> {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        self.as_ref().carry(request).await
    }

    fn token(&self) -> &str {
        self.as_ref().token()
    }
}

/// A running application at an HTTP address.
#[derive(Debug)]
pub struct Remote {
    client: Client<HttpConnector, Full<Bytes>>,
    /// `http://host:port`.
    pub origin: String,
    token: String,
}

impl Remote {
    /// The application at this origin, with its admin token.
    pub fn new(origin: impl Into<String>, token: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            origin: origin.into(),
            token: token.to_owned(),
        }
    }
}

impl Carrier for Remote {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.origin).parse()?;
        let request = Request::from_parts(parts, Full::new(body));
        let (parts, body) = self.client.request(request).await?.into_parts();
        Ok(Response::from_parts(
            parts,
            body.collect().await?.to_bytes(),
        ))
    }

    fn token(&self) -> &str {
        &self.token
    }
}
