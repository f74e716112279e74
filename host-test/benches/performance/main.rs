//! `cargo bench`: what the plugin costs, beside what its host can do at all.

mod accept;
mod load;

use anyhow::Result;
use clap::Parser;
use std::time::Duration;

/// What is measured.
#[derive(Debug, Parser)]
struct Options {
    /// Seconds for each load.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Connections at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 80, 320])]
    connections: Vec<usize>,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let rows = accept::run(Duration::from_secs(options.seconds), &options.connections)?;
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}
