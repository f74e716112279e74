//! Joins the plugin to its host: the WIT imports as the traits of `world`, and the one export.

mod bindings;
mod body;
mod world;

use crate::{
    app,
    config::Config,
    config_cache::ConfigCache,
    drain::how::Waits,
    web::{After, Answer, Body, BodyError, Inbound},
};
use bindings::{
    Plugin,
    exports::wasi::http::handler::Guest,
    wasi::{
        config::store as variables,
        http::types::{ErrorCode, Fields, Method, Request, Response},
    },
    wit_future,
};
use body::ReadError;
use std::sync::Arc;
use world::Wasi;

impl Guest for Plugin {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let config = load_config();
        let world = Wasi::new();
        let (answer, after) = app::handle(&world, &config, inbound(request)).await;
        if after != After::Nothing {
            // The executor of the export itself, so that the task outlives the answer.
            spin_sdk::wit_bindgen::spawn(async move {
                app::process(&world, &config, after, Waits::ForDue).await;
            });
        }
        outbound(answer)
    }
}

/// One instance may serve one request after another, or several at once.
static CONFIG: ConfigCache = ConfigCache::new();

fn load_config() -> Arc<Config> {
    // A host whose variables cannot be read has none: each is then reported as missing.
    CONFIG.load(variables::get_all().unwrap_or_default())
}

struct Incoming(Request);

impl Body for Incoming {
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        // The result of reading the body is not used, but this end must stay until the body was
        // read.
        let (taken, taken_seen) = wit_future::new(|| Ok(()));
        let (bytes, end) = Request::consume_body(self.0, taken_seen);
        let whole = body::read(bytes, end, limit).await;
        drop(taken);
        whole.map_err(|e| match e {
            ReadError::TooLarge => BodyError::TooLarge,
            ReadError::Broken(_) => BodyError::Broken,
        })
    }
}

fn inbound(request: Request) -> Inbound<Incoming> {
    let headers = request.get_headers();
    let target = request.get_path_with_query().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target.as_str(), None),
    };
    // Each field costs a call to the host, and a delivery needs only one of them.
    let is_delivery = path.starts_with("/hooks/");
    let header = |of_deliveries, name| {
        let asked = (is_delivery == of_deliveries).then_some(name);
        asked.and_then(|name| body::header(&headers, name))
    };
    Inbound {
        method: method(request.get_method()),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        authorization: header(false, "authorization"),
        signature: header(true, "x-hub-signature"),
        cookie: header(false, "cookie"),
        fetch_site: header(false, "sec-fetch-site"),
        client: header(false, "spin-client-addr"),
        body: Incoming(request),
    }
}

fn method(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}

fn outbound(answer: Answer) -> Result<Response, ErrorCode> {
    let wrong = |why: &str| ErrorCode::InternalError(Some(why.to_owned()));
    let mut headers = Vec::new();
    let usual = [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in usual {
        if !answer.headers.iter().any(|(said, _)| *said == name) {
            headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    if let Some(content_type) = answer.content_type {
        headers.push(("content-type".to_owned(), content_type.as_bytes().to_vec()));
    }
    for (name, value) in answer.headers {
        headers.push((name.to_owned(), value.into_bytes()));
    }
    let headers = Fields::from_list(&headers).map_err(|_| wrong("a header is malformed"))?;
    let (contents, trailers) = body::write(answer.body);
    let (response, _sent) = Response::new(headers, contents, trailers);
    response
        .set_status_code(answer.status)
        .map_err(|()| wrong("the status is malformed"))?;
    Ok(response)
}
