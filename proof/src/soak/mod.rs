//! `cargo soak`: the real host as a process of its own, on loopback, in real time. `flood` sends it
//! far too many clients, many of them bad, while both vendors hang. `kill` repeatedly kills it with
//! `kill -9` under load. `strangers` attacks it in every way that needs no credential. Each ends
//! with the checker of `proof`, which sees only the vendors' records.

mod clients;
pub mod flood;
mod journal;
pub mod kill;
mod load;
pub mod site;
pub mod strangers;
mod watch;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;

/// What is done to the host.
#[derive(Debug, Subcommand)]
pub enum What {
    /// 320 connections, half-open ones, slow readers, bodies at the limit, vendors that hang.
    Flood(flood::Options),
    /// `kill -9` again and again under load.
    Kill(kill::Options),
    /// All that who has no credential can do, from 860 connections at once, while a shop sells.
    Strangers(strangers::Options),
}

/// How figures are printed: as a table, unless told otherwise.
#[derive(Debug, Clone, clap::Args)]
pub struct Print {
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print the rows of `docs/soak.md`.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// Runs it and prints the figures. An error if anything was lost, doubled or stuck, if KiotViet got
/// a code that stops it, or if the host grew beyond its bound.
pub async fn run(what: &What) -> Result<()> {
    let program = std::env::current_exe().context("this program's own path")?;
    let program = [program.display().to_string(), "host".to_owned()];
    tokio::task::spawn_blocking(|| xtask::build_component(xtask::Install::Never)).await??;
    let (print, markdown, figures, wrong) = match what {
        What::Flood(options) => {
            let figures = flood::run(options, &program).await?;
            let (rows, wrong) = (figures.markdown(), figures.wrong());
            (&options.print, rows, serde_json::to_value(figures)?, wrong)
        }
        What::Kill(options) => {
            let figures = kill::run(options, &program).await?;
            let (rows, wrong) = (figures.markdown(), figures.wrong());
            (&options.print, rows, serde_json::to_value(figures)?, wrong)
        }
        What::Strangers(options) => {
            let figures = strangers::run(options, &program).await?;
            let (rows, wrong) = (figures.markdown(), figures.wrong_or_late());
            (&options.print, rows, serde_json::to_value(figures)?, wrong)
        }
    };
    if print.markdown {
        println!("{markdown}");
    } else if print.json {
        println!("{figures:#}");
    } else {
        println!("{}", table(&figures));
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// One row a figure.
fn table(figures: &Value) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    for (name, value) in figures.as_object().into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        table.add_row([name.replace('_', " "), value]);
    }
    table
}
