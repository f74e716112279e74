//! `kvgf up`: serves the application until it is told to stop.

use super::{
    Done, Program,
    arguments::{Variables, duration},
    store::StoreOptions,
};
use crate::{
    check::unencrypted,
    keyvalue::Backend,
    lock::lock,
    manifest::{Declaration, Manifest},
    runtime::{INSTANCES, Idle, LogSink, Metering, Runtime},
    server::{self, App, Block, Bounds, Proxies},
    tenants::{Components, Loaded, Register, Surroundings},
};
use anyhow::{Context, Result};
use clap::Args;
use plugin::config::{Config, Problem};
use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

const AFTER_HELP: &str = "\
Examples:
  kvgf up --listen 127.0.0.1:3000 --state-dir /var/lib/bridge \\
      --variable getfly_url=https://shop.getflycrm.com --variable getfly_api_key=@/run/secrets/key …
  kvgf up --store @/run/secrets/redis-url --variable …      (several hosts, one store)
  kvgf up --tenants /etc/bridge/tenants --state-dir /var/lib/bridge

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
    /// Serve many tenants: a folder with a file NAME.toml for each, which gives its variables. Files that come, change
    /// or go are taken up within seconds, or at once on SIGHUP.
    #[arg(long, value_name = "DIR", conflicts_with = "variables")]
    tenants: Option<PathBuf>,
    /// Where an operator gets /metrics of all tenants, and /healthz of the host. It asks for no token: choose an address
    /// that strangers cannot reach.
    #[arg(long, value_name = "ADDRESS", requires = "tenants")]
    admin_listen: Option<SocketAddr>,
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
        let manifest = match self.tenants {
            None => Some(Manifest::load(&file, &given, |name| {
                std::env::var(name).ok()
            })?),
            Some(_) => None,
        };
        if file == program.manifest {
            let prepare = program.prepare;
            let prepared = tokio::task::spawn_blocking(prepare).await;
            prepared.context("preparing the component")??;
        }
        let listener = server::listen(self.listen).await?;
        let address = listener.local_addr().context("the address listened on")?;
        let log = stderr_log();
        if let Some(manifest) = &manifest {
            complain_of_variables(manifest, &log);
        }
        let store = place.open().await?;
        for warning in &store.warnings {
            let line = serde_json::json!({ "level": "warn", "message": "the store is not durable", "why": warning });
            log(&line.to_string());
        }
        let proxies = Proxies::new(self.trusted_proxies);
        let served = match (manifest, self.tenants) {
            (Some(manifest), _) => Served::One(one(manifest, store.backend, log, proxies).await?),
            (None, folder) => {
                let declaration = Declaration::read(&file)?;
                let folder = folder.unwrap_or_default();
                let surroundings = Surroundings {
                    declaration,
                    shared: place.is_shared(),
                    store: store.backend,
                    idle: Idle::at_most(IDLE_OF_MANY),
                    log,
                };
                complain_of_few_descriptors(&surroundings.log);
                many(folder, surroundings, proxies).await?
            }
        };
        // Before anybody is told that it serves: a signal must find its handler.
        let stop = stop_signals()?;
        let admin = match self.admin_listen {
            Some(address) => Some(server::listen(address).await?),
            None => None,
        };
        let app = match served {
            Served::One(app) => Arc::new(app),
            Served::Many(app, register) => {
                watch(app.clone(), register)?;
                app
            }
        };
        if let Some(listener) = admin {
            let address = listener.local_addr().context("the operator's address")?;
            super::print_line(&format!("Operators: http://{address}"))?;
            tokio::spawn(server::serve_admin(app.clone(), listener));
        }
        super::print_line(&format!("Serving http://{address}"))?;
        server::serve(app, listener, self.drain_every, stop).await;
        Ok(())
    }
}

/// What is served.
enum Served {
    One(App),
    Many(Arc<App>, Register),
}

async fn one(
    mut manifest: Manifest,
    store: Arc<dyn Backend>,
    log: LogSink,
    proxies: Proxies,
) -> Result<App> {
    let file = manifest.component.clone();
    let loaded = tokio::task::spawn_blocking(move || {
        let load = |file: &Path, component: &[u8]| {
            Runtime::compile(file, component, Metering::Epochs, INSTANCES)
        };
        Loaded::of(&file, |_| None, load)
    });
    let Loaded { runtime, digest } = loaded.await??;
    let variables = &mut manifest.variables;
    variables.insert("component_digest".to_owned(), digest);
    let bounds = Bounds {
        proxies,
        ..Bounds::default()
    };
    Ok(App::new(runtime, manifest, store, log).within(bounds))
}

/// Most idle instances of all tenants.
const IDLE_OF_MANY: usize = 64;

async fn many(folder: PathBuf, surroundings: Surroundings, proxies: Proxies) -> Result<Served> {
    let bounds = Bounds {
        proxies,
        ..Bounds::of_many()
    };
    let app = Arc::new(App::of_many(bounds));
    let components = Components::new(|file, component| {
        let bounds = Bounds::of_many();
        let alive = bounds.instances + bounds.after_answers + IDLE_OF_MANY;
        let instances = u32::try_from(alive)?;
        Runtime::compile(file, component, Metering::Epochs, instances)
    });
    let register = Register::of(folder, surroundings, components);
    let register = renewed(register, app.clone(), true).await?;
    Ok(Served::Many(app, register))
}

/// Reads the files beside the requests that are served.
async fn renewed(mut register: Register, app: Arc<App>, all: bool) -> Result<Register> {
    let renew = move || register.renew(&app, all).map(|()| register);
    tokio::task::spawn_blocking(renew).await?
}

/// Logs it where fewer files may be open than all connections and instances can need.
fn complain_of_few_descriptors(log: &LogSink) {
    let Bounds {
        connections,
        instances,
        after_answers,
        ..
    } = Bounds::of_many();
    // Two calls of an instance, and the host's own files.
    let needed = connections + 2 * (instances + after_answers) + 64;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(few) = open_files(&limits).filter(|may| *may < needed) {
        let message = "fewer files may be open than connections and instances can need: raise ulimit -n (LimitNOFILE)";
        let line = serde_json::json!({ "level": "warn", "message": message, "limit": few, "needed": needed });
        log(&line.to_string());
    }
}

/// The soft limit of open files in Linux's list of a process's limits; none where there is none.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max open files"));
    line?.split_whitespace().next()?.parse().ok()
}

/// The variables that the application would complain of.
fn bad_variables(manifest: &Manifest) -> Vec<Problem> {
    Config::load(|name| manifest.variables.get(name).cloned()).problems
}

/// Logs what the operator should know about the variables.
fn complain_of_variables(manifest: &Manifest, log: &LogSink) {
    for (variable, why) in unencrypted(&manifest.variables) {
        let line = serde_json::json!({ "level": "warn", "message": "a vendor is called unencrypted", "variable": variable, "why": why });
        log(&line.to_string());
    }
    for Problem { variable, problem } in bad_variables(manifest) {
        let message = "a variable is missing or malformed; nothing is processed until it is mended";
        let line = serde_json::json!({ "level": "warn", "message": message, "variable": variable, "why": problem });
        log(&line.to_string());
    }
}

/// How often the tenants' files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Takes up what changes in the tenants' folder, as long as this process lives. SIGHUP is caught from now on.
fn watch(app: Arc<App>, register: Register) -> Result<()> {
    let mut asked = signal(SignalKind::hangup()).context("signals cannot be caught")?;
    let register = Arc::new(Mutex::new(register));
    tokio::spawn(async move {
        loop {
            let all = tokio::select! {
                asked = asked.recv() => asked.is_some(),
                () = tokio::time::sleep(LOOK) => false,
            };
            let (register, app) = (register.clone(), app.clone());
            let renew = move || lock(&register).renew(&app, all);
            // A folder that cannot be read now may be there again at the next look.
            let _ = tokio::task::spawn_blocking(renew).await;
        }
    });
    Ok(())
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
