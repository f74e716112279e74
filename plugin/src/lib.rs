//! Carries KiotViet's webhooks to Getfly as customers and orders.
//!
//! A delivery goes from left to right: `intake/` answers it, `journal/` stores it, `drain/` takes
//! it up under the lease, `worker/` plans and executes it at Getfly, and `reconcile/` finds what
//! KiotViet did not deliver. `rules/` decides and is pure. `kiotviet/` and `getfly/` speak the two
//! APIs over what `vendor/` shares. `wording/` puts facts into Vietnamese and English. `admin/` is
//! the API and the page for people. `wasi/` joins all that to the host and is the only part that
//! does not compile natively. A layer uses nothing of a higher one (`tests/layers.rs`).

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::unreachable
    )
)]

#[macro_use]
pub mod mutant;

pub mod address;
pub mod admin;
pub mod app;
pub mod assumption;
pub mod config;
pub mod config_cache;
pub mod drain;
pub mod failed_log_ins;
pub mod getfly;
pub mod intake;
pub mod journal;
pub mod json;
pub mod kiotviet;
pub mod log;
pub mod preflight;
pub mod reconcile;
pub mod rules;
pub mod seal;
pub mod secret;
pub mod stored;
pub mod time;
pub mod vendor;
pub mod web;
pub mod wording;
pub mod worker;
pub mod world;

#[cfg(target_arch = "wasm32")]
mod wasi;
