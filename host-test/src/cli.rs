//! The command line of the project's own host. The words of `up` are Spin's, so that one can be
//! swapped for the other. Each command has a module; nothing here does any of their work.

mod arguments;
mod check;
mod complaint;
mod completions;
mod record;
mod replay;
mod store;
mod up;

use clap::{Parser, Subcommand};
use std::{io::Write, process::ExitCode};

const AFTER_HELP: &str = "\
Examples:
  host check --variable getfly_url=https://shop.getflycrm.com --variable …
  host up --listen 127.0.0.1:3000 --state-dir /var/lib/bridge --variable …
  host replay host-test/fixtures/r07_the_same_phone_is_linked
  host completions bash > /etc/bash_completion.d/host

Exit codes: 0 all is well; 1 it ran and found something wrong, or could not run; 2 the
arguments cannot be understood. Details: docs/command-line.md";

/// Runs the KiotViet–Getfly component without Spin, and helps with what is around it.
#[derive(Debug, Parser)]
#[command(name = "host", version, after_help = AFTER_HELP)]
pub struct Host {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Up),
    Check(check::Check),
    Replay(replay::Replay),
    Record(record::Record),
    Completions(completions::Completions),
}

/// Why a command ended badly.
enum Failure {
    /// The arguments are wrong: exit code 2.
    Arguments(String),
    /// It could not run: exit code 1.
    Run(anyhow::Error),
    /// It ran and what it found is already told: exit code 1.
    Told,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Run(error)
    }
}

type Done = Result<(), Failure>;

/// Runs the command line `arguments` (the program's name first). Exit code 0 after a clean end, 1
/// when it could not run or found something wrong, 2 when the arguments cannot be understood.
pub async fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let host = match Host::try_parse_from(arguments) {
        Ok(host) => host,
        Err(e) => return complaint::tell(&e),
    };
    let done = match host.command {
        Command::Up(up) => up.run().await,
        Command::Check(check) => check.run().await,
        Command::Replay(replay) => replay.run().await,
        Command::Record(record) => record.run().await,
        Command::Completions(completions) => completions.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Run(e)) => {
            complain(&format!("{e:#}"));
            ExitCode::FAILURE
        }
        Err(Failure::Arguments(why)) => {
            complain(&why);
            ExitCode::from(2)
        }
    }
}

fn complain(why: &str) {
    // Nobody is left to be told where standard error is closed.
    let _ = writeln!(std::io::stderr(), "host: {why}");
}

/// One line on standard output. An error when nobody reads it any more.
fn print_line(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
