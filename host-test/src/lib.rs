//! What the component is tested on.
//!
//! `harness` runs it as WebAssembly over any store and any vendors; `native` runs the plugin without
//! WebAssembly, `scene` is a connected shop over it, `wasm_scene` the same with the component; `fixture` reads
//! and runs `fixtures/`; `replay` runs recorded deliveries in a sandbox; `stores` are models of Spin's stores
//! and stores that break their word; `redis_server` is a Redis of a test's own; `demo` is `cargo demo`; `story` is a
//! connected shop's day, judged; `cli` is `--bin host`.

pub mod budget;
pub mod child;
pub mod cli;
pub mod demo;
pub mod fixture;
pub mod harness;
pub mod mishap;
pub mod native;
pub mod redis_server;
pub mod replay;
pub mod scene;
pub mod stores;
pub mod story;
pub mod visitor;
pub mod wasm_scene;
