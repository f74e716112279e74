//! The project's own host for the component, and what its tests run on.
//!
//! `manifest` reads `spin.toml` as Spin does; `keyvalue` keeps the store; `outbound` lets calls out,
//! or answers them in this process; `runtime` runs the component; `server` and `cli` are `host up`;
//! `check`, `record` and `replay` are its other commands. `sim` is a simulated KiotViet and Getfly; `native`
//! runs the plugin without WebAssembly, `scene` is a connected shop over it, `wasm_scene` the same with the
//! component; `schedule` runs several of it in every order of their calls; `mutants` shows that the checks
//! can fail; `demo` is `cargo demo`, `proof` is `cargo proof`, `soak` is `cargo soak`.

mod bindings;
pub mod budget;
pub mod check;
mod child;
pub mod cli;
pub mod demo;
pub mod fixture;
pub mod harness;
pub mod keyvalue;
pub mod manifest;
pub mod mishap;
pub mod mutants;
pub mod native;
pub mod outbound;
pub mod proof;
pub mod record;
pub mod replay;
pub mod runtime;
pub mod scene;
pub mod schedule;
pub mod server;
pub mod sim;
pub mod soak;
pub mod story;
pub mod visitor;
pub mod wasm_scene;
