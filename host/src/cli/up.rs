//! `kvgf up`: serves the application until it is told to stop.

use super::{
    Done, Program,
    arguments::{Variables, duration},
    store::StoreOptions,
};
use crate::{
    check::unencrypted,
    manifest::Manifest,
    runtime::{LogSink, Metering, Runtime},
    server::{self, App, Block, Bounds, Proxies},
};
use anyhow::{Context, Result};
use clap::Args;
use plugin::config::{Config, Problem};
use sha2::{Digest, Sha256};
use std::{io::Write, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

const AFTER_HELP: &str = "\
Examples:
  kvgf up --listen 127.0.0.1:3000 --state-dir /var/lib/bridge \\
      --variable getfly_url=https://shop.getflycrm.com --variable getfly_api_key=@/run/secrets/key …
  kvgf up --store @/run/secrets/redis-url --variable …      (several hosts, one store)

A secret is given as name=@FILE. As name=value it can be read in the list of processes.

Exit codes: 0 it was stopped (SIGTERM, Ctrl-C) and running work has ended; 1 it could not run;
2 the arguments cannot be understood.";

/// Serve the application in spin.toml.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Up {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    #[command(flatten)]
    variables: Variables,
    #[command(flatten)]
    store: StoreOptions,
    /// How often the host drains by itself, e.g. 60s or 5m; 0 leaves it to another scheduler.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    drain_every: Duration,
    /// A proxy in front, by its address or a block of addresses, e.g. 127.0.0.1 or 10.0.0.0/8. Its X-Forwarded-For tells
    /// whom a request comes from; without this nobody's does. May be repeated.
    #[arg(long = "trusted-proxy", value_name = "ADDRESS")]
    trusted_proxies: Vec<Block>,
}

impl Up {
    pub(super) async fn run(self, program: &Program) -> Done {
        let given = self.variables.given()?;
        let place = self.store.place()?;
        let file = self.variables.manifest(program);
        let mut manifest = Manifest::load(&file, &given, |name| std::env::var(name).ok())?;
        if file == program.manifest {
            let prepare = program.prepare;
            let prepared = tokio::task::spawn_blocking(prepare).await;
            prepared.context("preparing the component")??;
        }
        let listener = server::listen(self.listen).await?;
        let address = listener.local_addr().context("the address listened on")?;
        let log = stderr_log();
        for (variable, why) in unencrypted(&manifest.variables) {
            let line = serde_json::json!({ "level": "warn", "message": "a vendor is called unencrypted", "variable": variable, "why": why });
            log(&line.to_string());
        }
        for Problem { variable, problem } in bad_variables(&manifest) {
            let message =
                "a variable is missing or malformed; nothing is processed until it is mended";
            let line = serde_json::json!({ "level": "warn", "message": message, "variable": variable, "why": problem });
            log(&line.to_string());
        }
        let store = place.open().await?;
        for warning in &store.warnings {
            let line = serde_json::json!({ "level": "warn", "message": "the store is not durable", "why": warning });
            log(&line.to_string());
        }
        let (runtime, digest) = load(manifest.component.clone()).await?;
        let variables = &mut manifest.variables;
        variables.insert("component_digest".to_owned(), digest);
        let bounds = Bounds {
            proxies: Proxies::new(self.trusted_proxies),
            ..Bounds::default()
        };
        let app = App::new(runtime, manifest, store.backend, log).within(bounds);
        // Before anybody is told that it serves: a signal must find its handler.
        let stop = stop_signals()?;
        super::print_line(&format!("Serving http://{address}"))?;
        server::serve(Arc::new(app), listener, self.drain_every, stop).await;
        Ok(())
    }
}

/// The variables that the application would complain of.
fn bad_variables(manifest: &Manifest) -> Vec<Problem> {
    Config::load(|name| manifest.variables.get(name).cloned()).problems
}

/// The component, and the SHA-256 of its file.
async fn load(component: PathBuf) -> Result<(Runtime, String)> {
    let load = move || {
        let runtime = Runtime::load(&component, Metering::Epochs)?;
        let digest = Sha256::digest(std::fs::read(&component)?);
        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((runtime, digest))
    };
    tokio::task::spawn_blocking(load).await?
}

fn stderr_log() -> LogSink {
    Arc::new(|line| {
        // A log that cannot be written must not stop the application.
        let _ = writeln!(std::io::stderr(), "{line}");
    })
}

/// Ends at SIGTERM or Ctrl-C, which are caught from now on.
///
/// # Errors
/// When signals cannot be caught.
pub fn stop_signals() -> Result<impl Future<Output = ()>> {
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
