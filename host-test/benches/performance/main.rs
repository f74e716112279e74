//! `cargo bench`: what the plugin costs, beside what its host can do at all.

mod accept;
mod load;
mod process;
mod scale;
mod start;

use anyhow::Result;
use clap::Parser;
use serde::Serialize;
use std::time::Duration;

/// What is measured.
#[derive(Debug, Parser)]
struct Options {
    /// Only these parts: accept, process, scale, start.
    #[arg(value_name = "PART")]
    parts: Vec<String>,
    /// Seconds for each load.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Connections at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 80, 320])]
    connections: Vec<usize>,
    /// Past events.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000])]
    past: Vec<usize>,
    /// Accept into this Redis too, `redis://host:port`; its databases from 0 on must be empty.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Default, Serialize)]
struct Figures {
    accept: Vec<accept::Row>,
    process: Vec<process::Row>,
    scale: Vec<scale::Row>,
    start: Option<start::Figures>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let wants =
        |part: &str| options.parts.is_empty() || options.parts.iter().any(|wanted| wanted == part);
    let mut figures = Figures::default();
    if wants("accept") {
        let time = Duration::from_secs(options.seconds);
        figures.accept = accept::run(time, &options.connections, options.redis.as_deref())?;
    }
    if wants("process") {
        figures.process = process::run()?;
    }
    if wants("scale") {
        figures.scale = scale::run(&options.past)?;
    }
    if wants("start") {
        figures.start = Some(start::run()?);
    }
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}
