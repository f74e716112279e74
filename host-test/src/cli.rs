//! The command line of the project's own host. Its words are Spin's, so that one can be swapped for
//! the other.

use crate::{
    keyvalue::Embedded,
    manifest::Manifest,
    runtime::{LogSink, Runtime},
    server::{self, App},
};
use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use std::{
    collections::BTreeMap, io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc,
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// Runs the KiotViet–Getfly component without Spin.
#[derive(Debug, Parser)]
#[command(name = "host", version)]
pub struct Host {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the application in spin.toml, building the component when it is stale.
    Up(Up),
}

/// `host up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// A variable of spin.toml: name=value, or name=@file for a file's content. May be repeated.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Where the store is kept.
    #[arg(long, default_value = ".state")]
    state_dir: PathBuf,
    /// How often the host drains by itself, e.g. 60s or 5m; 0 leaves it to another scheduler.
    #[arg(long, default_value = "60s", value_parser = duration)]
    drain_every: Duration,
    /// The manifest; spin.toml of this project when not given.
    #[arg(long)]
    from: Option<PathBuf>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = match value.strip_prefix('@') {
        Some(file) => {
            let content =
                std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}"))?;
            content.trim_end_matches(['\r', '\n']).to_owned()
        }
        None => value.to_owned(),
    };
    Ok((name.to_owned(), value))
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let number: u64 = number.parse().map_err(|_| "expected e.g. 60s, 5m or 0")?;
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("expected e.g. 60s, 5m or 0".to_owned()),
    };
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// Runs the command line `arguments` (the program's name first). Exit code 0 after a clean stop, 1
/// when it could not run, 2 when the arguments cannot be understood.
pub async fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let host = match Host::try_parse_from(arguments) {
        Ok(host) => host,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    let Command::Up(up) = host.command;
    match self::up(up).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("host: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn up(up: Up) -> Result<()> {
    let mut given = BTreeMap::new();
    for (name, value) in up.variables {
        if given.insert(name.clone(), value).is_some() {
            bail!("--variable {name} is given twice");
        }
    }
    let own = xtask::workspace_root().join("spin.toml");
    let file = up.from.unwrap_or_else(|| own.clone());
    let manifest = Manifest::load(&file, &given, |name| std::env::var(name).ok())?;
    if file == own {
        tokio::task::spawn_blocking(xtask::build_component).await??;
    }
    let listener = server::listen(up.listen).await?;
    let address = listener.local_addr()?;
    let backend = Arc::new(Embedded::open(&up.state_dir)?);
    let component = manifest.component.clone();
    let runtime = tokio::task::spawn_blocking(move || Runtime::load(&component)).await??;
    let app = Arc::new(App::new(runtime, manifest, backend, stderr_log()));
    // Before anybody is told that it serves: a signal must find its handler.
    let stop = stop_signals()?;
    println!("Serving http://{address}");
    std::io::stdout().flush().context("standard output")?;
    server::serve(app, listener, up.drain_every, stop).await;
    Ok(())
}

fn stderr_log() -> LogSink {
    Arc::new(|line| {
        // A log that cannot be written must not stop the application.
        let _ = writeln!(std::io::stderr(), "{line}");
    })
}

/// Ends at SIGTERM or Ctrl-C, which are caught from now on.
fn stop_signals() -> Result<impl Future<Output = ()>> {
    let caught = |kind| signal(kind).context("signals cannot be caught");
    let mut terminate = caught(SignalKind::terminate())?;
    let mut interrupt = caught(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
