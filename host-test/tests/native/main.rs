//! The plugin without WebAssembly, over simulated vendors: what becomes of deliveries, faults and commands.

mod admin_api;
mod answers;
mod asks;
mod backfill;
mod calls_budget;
mod commands;
mod configuration;
mod connections;
mod damage;
mod disguise;
mod dismissals;
mod field;
mod fixture_format;
mod golden;
mod healing;
mod healthz;
mod holes;
mod interrupted;
mod lease;
mod links;
mod manifest;
mod many_numbers;
mod observing;
mod preview;
mod rate_ceiling;
mod refused;
mod retention;
mod retry;
mod rotation;
mod sales;
mod signatures;
mod store;

mod tenant;
mod without_atomics;
