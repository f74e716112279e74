//! `--bin host`, for developers: what `kvgf` does, over a component that is built when it is stale, and
//! `replay`.

use crate::replay::command::Replay;
use clap::{CommandFactory, Parser, Subcommand};
use host::cli::{Program, end, refuse};
use std::process::ExitCode;
use xtask::Install;

/// `kvgf` for developers: builds a stale component first, and replays deliveries in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "host", version = host::cli::VERSION)]
struct Host {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Kvgf(Box<host::cli::Command>),
    Replay(Replay),
}

/// Runs the command line `arguments` (the program's name first). Exit code 0 after a clean end, 1
/// when it could not run or found something wrong, 2 when the arguments cannot be understood.
pub async fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let program = Program {
        name: "host",
        manifest: xtask::workspace_root().join("spin.toml"),
        prepare: || xtask::build_component(Install::Never).map(drop),
    };
    let done = match Host::try_parse_from(arguments) {
        Ok(Host {
            command: Command::Kvgf(command),
        }) => command.run(&program, Host::command()).await,
        Ok(Host {
            command: Command::Replay(replay),
        }) => replay.run(&program).await,
        Err(e) => return refuse(&program, &e),
    };
    end(&program, done)
}
