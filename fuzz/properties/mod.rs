//! The properties that hold for any bytes, one module per fuzz target. Each has one function,
//! `check`, which takes an input and panics where the plugin breaks a promise. The fuzz targets
//! call it, and so does `cargo test` over the committed corpora (`plugin/tests/fuzz_corpora.rs`).
//! Inputs are texts that people can read and write; a module's first lines describe their form.

pub mod admin_routes;
pub mod dates;
pub mod email;
pub mod envelope;
pub mod forms;
pub mod getfly_replies;
pub mod kiotviet_replies;
pub mod phone;
pub mod signature;

mod memory;
mod replies;
