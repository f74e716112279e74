//! The least that a component can do. It answers `GET` at once. It reads any other request whole
//! and stores it with the calls that the plugin makes for a delivery while a worker is busy: three
//! reads, a count and a write. It parses, checks, seals and processes nothing.

#![cfg(target_arch = "wasm32")]
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

wit_bindgen::generate!({
    world: "plugin",
    path: "../../wit",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    pub_export_macro: true,
    default_bindings_module: "crate",
    generate_all,
});

use exports::wasi::http::handler::Guest;
use spin_sdk::wit_bindgen::StreamResult;
use wasi::{
    http::types::{ErrorCode, Fields, Method, Request, Response},
    keyvalue::{atomics, store},
};

export!(Bare);

struct Bare;

impl Guest for Bare {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let answers_at_once = matches!(request.get_method(), Method::Get);
        if !answers_at_once && keep(request).await.is_err() {
            return answer(503);
        }
        answer(200)
    }
}

async fn keep(request: Request) -> Result<(), store::Error> {
    let bucket = store::open("default")?;
    bucket.get("bare/connection")?;
    bucket.get("bare/connection/signed")?;
    let (taken, taken_seen) = wit_future::new(|| Ok(()));
    let (mut bytes, _end) = Request::consume_body(request, taken_seen);
    let mut body = Vec::new();
    loop {
        let (status, chunk) = bytes.read(Vec::with_capacity(64 * 1024)).await;
        body.extend_from_slice(&chunk);
        if !matches!(status, StreamResult::Complete(_)) {
            break;
        }
    }
    drop(taken);
    let seq = atomics::increment(&bucket, "bare/tail", 1)?;
    bucket.set(&format!("bare/{seq}"), &body)?;
    bucket.exists("bare/lease").map(|_| ())
}

fn answer(status: u16) -> Result<Response, ErrorCode> {
    let (_whole, end) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), None, end);
    let set = response.set_status_code(status);
    set.map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}
