#![allow(missing_docs, unsafe_code, reason = "generated")]
wit_bindgen::generate!({
    world: "plugin",
    path: "../wit",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    with: {
        "wasi:http/types@0.3.0": spin_sdk::wasip3::http::types,
        "wasi:http/client@0.3.0": spin_sdk::wasip3::http::client,
        "wasi:clocks/types@0.3.0": spin_sdk::wasip3::clocks::types,
        "wasi:clocks/system-clock@0.3.0": spin_sdk::wasip3::clocks::system_clock,
        "wasi:clocks/monotonic-clock@0.3.0": spin_sdk::wasip3::clocks::monotonic_clock,
        "wasi:random/random@0.3.0": spin_sdk::wasip3::random::random,
        "wasi:cli/types@0.3.0": spin_sdk::wasip3::cli::types,
        "wasi:cli/stderr@0.3.0": spin_sdk::wasip3::cli::stderr,
        "wasi:keyvalue/store@0.2.0-draft2": generate,
        "wasi:keyvalue/atomics@0.2.0-draft2": generate,
        "wasi:config/store@0.2.0-draft-2024-09-27": generate,
    },
});
use spin_sdk::wasip3::http::types::{Request, Response, ErrorCode};
struct Component;
export!(Component);
impl exports::wasi::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        use spin_sdk::http::{FromRequest, IntoResponse};
        let _request = spin_sdk::http::Request::from_request(request)?;
        let b = wasi::keyvalue::store::open("default").map_err(|_| ErrorCode::InternalError(None))?;
        let n = wasi::keyvalue::atomics::increment(&b, "kvgf/n", 1).map_err(|_| ErrorCode::InternalError(None))?;
        let c = wasi::config::store::get("getfly_url");
        let t = spin_sdk::wasip3::clocks::system_clock::now();
        let r = spin_sdk::wasip3::random::random::get_random_bytes(4);
        spin_sdk::wit_bindgen::spawn(async move {
            spin_sdk::wasip3::clocks::monotonic_clock::wait_for(1_000_000_000).await;
            let (mut tx, rx) = spin_sdk::wasip3::wit_stream::new();
            let f = spin_sdk::wasip3::cli::stderr::write_via_stream(rx);
            tx.write_all(b"later\n".to_vec()).await;
            drop(tx);
            let _ = f.await;
            let _ = wasi::keyvalue::atomics::increment(&b, "kvgf/n", 100);
        });
        format!("n={n} c={c:?} t={t:?} r={r:?}\n").into_response()
    }
}
