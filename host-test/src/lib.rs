//! The tools of the component's tests.
//!
//! Every test starts from `variables`. `native` runs the plugin without WebAssembly, `harness` as
//! WebAssembly, each over any store and any vendors. `shop` is a shop between the two simulated
//! vendors over either. `admin` calls the API of any of them, or of a program over a socket.
//! `host_fault` makes faults at host calls. `fixture` reads and runs `fixtures/`. `replay` runs
//! recorded deliveries in a sandbox. `stores` are models of Spin's stores and stores that break a
//! promise. `program` is the real host as a child process, `vendors` the simulated vendors on
//! sockets for it, `redis_server` a test's own Redis. `demo` is `cargo demo`; `cli` is `--bin
//! host`.

pub mod admin;
pub mod budget;
pub mod cli;
pub mod demo;
pub mod fixture;
pub mod harness;
pub mod host_fault;
pub mod native;
pub mod program;
pub mod redis_server;
pub mod replay;
pub mod shop;
pub mod stores;
pub mod tenants;
pub mod variables;
pub mod vendors;
pub mod visitor;
