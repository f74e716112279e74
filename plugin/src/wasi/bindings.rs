//! What `wit/world.wit` becomes in Rust. Types that spin-sdk already has are shared with it.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "generated code"
)]

wit_bindgen::generate!({
    world: "plugin",
    path: "../wit",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    pub_export_macro: true,
    default_bindings_module: "crate::wasi::bindings",
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

export!(Plugin);

/// The component.
pub struct Plugin;
