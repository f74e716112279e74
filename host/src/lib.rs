//! The production host: runs the component without Spin, by the same `spin.toml`.
//!
//! `manifest` reads `spin.toml` as Spin does; `origins` says which origins may be called;
//! `keyvalue` keeps the store; `outbound` makes calls to the allowed origins; `runtime` runs the
//! component; `server` takes requests; `tenants` reads who is served where there are many; `cli` is the program `kvgf`, and `check` and `record` serve
//! two of its commands. Nothing here knows a simulator or a test.

mod bindings;
pub mod check;
pub mod cli;
pub mod keyvalue;
mod lock;
pub mod manifest;
pub mod origins;
pub mod outbound;
pub mod record;
pub mod runtime;
pub mod server;
pub mod tenants;
mod variable_file;
