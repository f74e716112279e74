//! `cargo bench`: the cost of the plugin, beside the limits of its host.

mod accept;
mod backfill;
mod beside;
mod hosts;
mod load;
mod plot;
mod process;
mod processor;
mod redis;
mod scale;
mod shop;
mod size;
mod start;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use comfy_table::Table;
use redis::Databases;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// All parts.
const PARTS: [&str; 6] = ["accept", "process", "scale", "backfill", "hosts", "start"];

/// What is measured.
#[derive(Debug, Parser)]
struct Options {
    /// Only these parts: accept, process, scale, backfill, hosts, start.
    #[arg(value_name = "PART", value_parser = PARTS)]
    parts: Vec<String>,
    /// Seconds for each load.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Connections at once, in `accept`.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 80, 320])]
    connections: Vec<usize>,
    /// Past events, in `scale`.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000])]
    past: Vec<usize>,
    /// Customers of a backfill.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000])]
    backfill: Vec<usize>,
    /// Accept into this Redis too, `redis://host:port`; `hosts` needs it. Its databases from 0 on must be
    /// empty, one for each line of a table.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Put the figures into this file of figures too, named from the project's root; parts that are not
    /// measured stay there as they are.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Measure nothing of the plugin: send deliveries to this address.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Measure nothing: draw the figures of the file that `--into` names into this folder.
    #[arg(long, value_name = "DIR", requires = "into")]
    svg: Option<PathBuf>,
    /// Said by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    // Cargo runs a benchmark in its package's folder.
    let root = xtask::workspace_root();
    let file = options.into.as_ref().map(|file| root.join(file));
    if let (Some(file), Some(folder)) = (&file, &options.svg) {
        return plot::draw(file, &root.join(folder));
    }
    let time = Duration::from_secs(options.seconds);
    if let Some(url) = &options.url {
        let rows = beside::run(url, time, &options.connections)?;
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    let redis = Databases::of(options.redis.clone());
    let mut figures = json!({});
    for part in PARTS {
        if options.parts.is_empty() || options.parts.iter().any(|wanted| wanted == part) {
            figures[part] = measured(part, &options, &redis)?;
        }
    }
    for (part, figures) in figures.as_object().into_iter().flatten() {
        println!("{part}\n{}", table(figures));
    }
    if let Some(file) = &file {
        put(file, figures)?;
    }
    Ok(())
}

fn measured(part: &str, options: &Options, redis: &Databases) -> Result<Value> {
    let time = Duration::from_secs(options.seconds);
    let figures = match part {
        "accept" => value(accept::run(time, &options.connections, redis)?),
        "process" => value(process::run()?),
        "scale" => value(scale::run(&options.past)?),
        "backfill" => value(backfill::run(&options.backfill)?),
        "hosts" => value(hosts::run(time, redis)?),
        _ => value(start::run()?),
    };
    figures.with_context(|| part.to_owned())
}

fn value(figures: impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(figures)?)
}

/// A part's rows, or the names and values of its one row; a nested value gets a line for each
/// member.
fn table(figures: &Value) -> Table {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    match figures {
        Value::Array(rows) => {
            let first = rows.first().and_then(Value::as_object);
            table.set_header(first.into_iter().flatten().map(|(name, _)| name));
            for row in rows {
                table.add_row(row.as_object().into_iter().flatten().map(|(_, v)| cell(v)));
            }
        }
        one => {
            for (name, value) in one.as_object().into_iter().flatten() {
                table.add_row([name.clone(), cell(value)]);
            }
        }
    }
    table
}

fn cell(value: &Value) -> String {
    match value {
        Value::Number(n) if n.is_f64() => format!("{:.1}", n.as_f64().unwrap_or_default()),
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        Value::Object(members) => words(members.values(), " "),
        Value::Array(all) => words(all, "\n"),
        other => other.to_string(),
    }
}

fn words<'a>(all: impl IntoIterator<Item = &'a Value>, between: &str) -> String {
    let all: Vec<String> = all.into_iter().map(cell).collect();
    all.join(between)
}

/// Replaces the measured parts in a file, which need not exist.
fn put(file: &Path, figures: Value) -> Result<()> {
    let before = fs::read(file).unwrap_or_else(|_| b"{}".to_vec());
    let mut all: Value = serde_json::from_slice(&before)?;
    ensure!(all.is_object(), "{} holds no figures", file.display());
    for (part, figures) in figures.as_object().into_iter().flatten() {
        all[part] = figures.clone();
    }
    fs::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}
