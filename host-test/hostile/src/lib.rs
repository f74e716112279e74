//! A component that tries to reach what is not its own. What it is to try stands in the path and query of its
//! request; what it got is in the header `loot` of its answer, which is always 200. Each of these also works on what
//! is its own, so that a test sees that it can.

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
use wasi::{
    clocks::monotonic_clock,
    config::store as config,
    http::{
        client,
        types::{ErrorCode, Fields, Request, Response, Scheme},
    },
    keyvalue::{atomics, store},
};

export!(Hostile);

struct Hostile;

impl Guest for Hostile {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let (what, with) = target.split_once('?').unwrap_or((&target, ""));
        let loot = match what {
            "/get" => get(with),
            "/set" => set(with),
            "/count" => count(with),
            "/list" => list(),
            "/open" => open(with),
            "/variables" => variables(),
            "/call" => call(with).await,
            "/grow" => grow(with),
            "/wait" => wait(with).await,
            "/flood" => return Ok(flood(with)),
            "/loop" => loop {},
            _ => "nothing to try".to_owned(),
        };
        answer(&loot)
    }
}

/// The component's build leaves out what `Debug` would write.
fn shown(tried: Result<String, store::Error>) -> String {
    match tried {
        Ok(got) => format!("got:{got}"),
        Err(store::Error::Other(why)) => format!("refused:{why}"),
        Err(_) => "refused".to_owned(),
    }
}

fn get(key: &str) -> String {
    let value = store::open("default").and_then(|bucket| bucket.get(key));
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    shown(value.map(|value| value.map_or("nothing".to_owned(), text)))
}

/// `key=bytes`: writes so many bytes.
fn set(with: &str) -> String {
    let (key, bytes) = with.split_once('=').unwrap_or((with, "1"));
    let value = vec![b'x'; bytes.parse().unwrap_or(1)];
    let set = store::open("default").and_then(|bucket| bucket.set(key, &value));
    shown(set.map(|()| String::new()))
}

fn count(key: &str) -> String {
    let sum = store::open("default").and_then(|bucket| atomics::increment(&bucket, key, 1));
    shown(sum.map(|sum| sum.to_string()))
}

fn list() -> String {
    let keys = store::open("default").and_then(|bucket| bucket.list_keys(None));
    shown(keys.map(|all| all.keys.join(",")))
}

fn open(label: &str) -> String {
    shown(store::open(label).map(|_| String::new()))
}

fn variables() -> String {
    let all = config::get_all().unwrap_or_default().into_iter();
    all.map(|(name, value)| format!("{name}={value},"))
        .collect()
}

/// `http://host:port/path`, by GET.
async fn call(url: &str) -> String {
    let rest = url.trim_start_matches("http://");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (_whole, end) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, end, None);
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(authority));
    let _ = request.set_path_with_query(Some(&format!("/{path}")));
    match client::send(request).await {
        Ok(response) => format!("got:{}", response.get_status_code()),
        Err(ErrorCode::HttpRequestDenied) => "denied".to_owned(),
        Err(_) => "failed".to_owned(),
    }
}

/// Takes so many MiB.
fn grow(mebibytes: &str) -> String {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    for _ in 0..mebibytes.parse().unwrap_or(0) {
        let mut part = Vec::new();
        if part.try_reserve_exact(1 << 20).is_err() {
            return format!("refused after {} MiB", taken.len());
        }
        part.resize(1 << 20, 1);
        taken.push(part);
    }
    format!("got {} MiB", taken.len())
}

/// Waits so many milliseconds.
async fn wait(milliseconds: &str) -> String {
    let time = milliseconds.parse::<u64>().unwrap_or(0);
    monotonic_clock::wait_for(time * 1_000_000).await;
    "got time".to_owned()
}

/// Answers with so many MiB.
fn flood(mebibytes: &str) -> Response {
    let count = mebibytes.parse().unwrap_or(0);
    let (mut body, contents) = wit_stream::new();
    spin_sdk::wit_bindgen::spawn(async move {
        for _ in 0..count {
            body.write_all(vec![1; 1 << 20]).await;
        }
    });
    let (_whole, end) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(contents), end);
    response
}

fn answer(loot: &str) -> Result<Response, ErrorCode> {
    let wrong = |_| ErrorCode::InternalError(None);
    let fields = Fields::new();
    let loot: String = loot.chars().filter(char::is_ascii_graphic).collect();
    fields.append("loot", loot.as_bytes()).map_err(wrong)?;
    let (_whole, end) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(fields, None, end);
    Ok(response)
}
