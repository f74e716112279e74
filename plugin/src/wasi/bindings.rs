//! The Rust bindings of `wit/world.wit`, on the executor of spin-sdk.

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

macro_rules! generate {
    ($world:literal) => {
        wit_bindgen::generate!({
            world: $world,
            path: "../wit",
            runtime_path: "spin_sdk::wit_bindgen::rt",
            pub_export_macro: true,
            default_bindings_module: "crate::wasi::bindings",
            generate_all,
        });
    };
}

#[cfg(not(feature = "without-atomics"))]
generate!("plugin");
#[cfg(feature = "without-atomics")]
generate!("plugin-without-atomics");

export!(Plugin);

/// The component.
pub struct Plugin;
