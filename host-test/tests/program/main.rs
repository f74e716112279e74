//! The real program, as a child process on loopback.

mod check;
mod command_line;
mod demo;
mod host_up;
mod image;
mod privacy;
mod process;
mod proxies;
mod record;
mod redis;
mod replay;
mod tenants;
mod wire;
