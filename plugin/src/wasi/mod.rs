//! Joins the plugin to its host: the WIT imports as the traits of `sync::world`, and the one export.

mod bindings;
mod world;

use crate::{
    app::{self, After, Answer, Body, BodyError, Inbound},
    config::Config,
};
use bindings::{Plugin, exports::wasi::http::handler::Guest, wasi::config::store as variables};
use http_body_util::BodyExt;
use spin_sdk::{
    http::{FromRequest, FullBody, IntoResponse, Request as SpinRequest},
    wasip3::http::types::{ErrorCode, Request, Response},
};
use std::collections::BTreeMap;
use world::Wasi;

impl Guest for Plugin {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let request = SpinRequest::from_request(request)?;
        let config = load_config();
        let world = Wasi::new();
        let (answer, after) = app::handle(&world, &config, inbound(request)).await;
        if after == After::Drain {
            // The executor of the export itself: the task lives on after the answer.
            spin_sdk::wit_bindgen::spawn(async move { app::process(&world, &config).await });
        }
        outbound(answer)
    }
}

fn load_config() -> Config {
    // A host whose variables cannot be read has none: each is then named as missing.
    let all: BTreeMap<String, String> = variables::get_all()
        .unwrap_or_default()
        .into_iter()
        .collect();
    Config::load(|name| all.get(name).cloned())
}

struct Incoming(spin_sdk::wasip3::http_compat::IncomingRequestBody);

impl Body for Incoming {
    async fn read(mut self, limit: usize) -> Result<Vec<u8>, BodyError> {
        world::read_all(&mut self.0, limit)
            .await
            .map_err(|e| match e {
                world::ReadError::TooLarge => BodyError::TooLarge,
                world::ReadError::Broken(_) => BodyError::Broken,
            })
    }
}

fn inbound(request: SpinRequest) -> Inbound<Incoming> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned)
    };
    Inbound {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        authorization: header("authorization"),
        signature: header("x-hub-signature"),
        body: Incoming(body),
    }
}

fn outbound(answer: Answer) -> Result<Response, ErrorCode> {
    let mut builder = http::Response::builder()
        .status(answer.status)
        .header("cache-control", "no-store");
    if let Some(content_type) = answer.content_type {
        builder = builder.header("content-type", content_type);
    }
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    let response = builder
        .body(FullBody::new(bytes::Bytes::from(answer.body)).map_err(|never| match never {}))
        .map_err(|e| ErrorCode::InternalError(Some(e.to_string())))?;
    response.into_response()
}
