//! KiotViet webhooks become Getfly customers and orders.
//!
//! `rules/` decides and is pure; `kiotviet/` and `getfly/` speak the two APIs; `sync/` keeps the
//! journal, the lease and the retries; `admin/` is the API for people; `wasi/` joins all that to
//! the host and is the only part that does not compile natively.

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
pub mod config;
pub mod getfly;
pub mod json;
pub mod kiotviet;
pub mod log;
pub mod rules;
pub mod seal;
pub mod secret;
pub mod stored;
pub mod sync;
pub mod time;
pub mod together;
pub mod upstream;
pub mod web;

#[cfg(target_arch = "wasm32")]
mod wasi;
