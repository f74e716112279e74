//! The command line. The words of `up` are Spin's, so that one can be swapped for the other. Each command
//! has a module; nothing here does any of their work.

mod arguments;
mod check;
mod complaint;
mod completions;
mod record;
mod store;
mod tenants;
mod up;

use clap::{Parser, Subcommand};
use std::{io::Write, path::PathBuf, process::ExitCode};
pub use up::stop_signals;

/// Runs the KiotViet–Getfly component without Spin, and helps with what is around it.
#[derive(Debug, Parser)]
#[command(name = "kvgf", version = VERSION, after_help = AFTER_HELP)]
pub struct Kvgf {
    #[command(subcommand)]
    command: Command,
}

/// The version, and the newest format of a store that it knows.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (store format 1)");

const AFTER_HELP: &str = "\
Examples:
  kvgf check --variable getfly_url=https://shop.getflycrm.com --variable …
  kvgf up --listen 127.0.0.1:3000 --state-dir /var/lib/bridge --variable …
  kvgf completions bash > /etc/bash_completion.d/kvgf

Exit codes: 0 all is well; 1 it ran and found something wrong, or could not run; 2 the
arguments cannot be understood. Details: docs/command-line.md";

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the application.
    Up(up::Up),
    /// Tries configuration, vendors and store.
    Check(check::Check),
    /// Records deliveries.
    Record(record::Record),
    /// Looks at tenants' files and moves tenants.
    Tenants(tenants::Tenants),
    /// Writes a shell's completion script.
    Completions(completions::Completions),
}

/// The program that a command runs in.
pub struct Program {
    /// Its name, in front of what it complains about.
    pub name: &'static str,
    /// The manifest where `--from` is not given.
    pub manifest: PathBuf,
    /// Called before the component of that manifest is loaded. A developer's program builds it here.
    pub prepare: fn() -> anyhow::Result<()>,
}

impl Program {
    /// The released program: the manifest is in the current folder, and nothing is built or installed.
    pub fn released() -> Self {
        Self {
            name: "kvgf",
            manifest: PathBuf::from("spin.toml"),
            prepare: || Ok(()),
        }
    }
}

/// Why a command ended badly.
pub enum Failure {
    /// The arguments are wrong: exit code 2.
    Arguments(String),
    /// It could not run: exit code 1.
    Run(anyhow::Error),
    /// It ran and what it found is already printed: exit code 1.
    Told,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Run(error)
    }
}

/// How a command ended.
pub type Done = Result<(), Failure>;

impl Command {
    /// Runs the command. `whole` is the program's command line, for the completion script.
    ///
    /// # Errors
    /// When the arguments are wrong, when it cannot run, or when it found something wrong.
    pub async fn run(self, program: &Program, whole: clap::Command) -> Done {
        match self {
            Self::Up(up) => up.run(program).await,
            Self::Check(check) => check.run(program).await,
            Self::Record(record) => record.run(program).await,
            Self::Tenants(tenants) => tenants.run(program).await,
            Self::Completions(completions) => completions.run(whole),
        }
    }
}

/// Runs the command line `arguments` (the program's name first) of `kvgf`. Exit code 0 after a clean end, 1
/// when it could not run or found something wrong, 2 when the arguments cannot be understood.
pub async fn run(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let program = Program::released();
    match Kvgf::try_parse_from(arguments) {
        Ok(kvgf) => {
            let whole = <Kvgf as clap::CommandFactory>::command();
            end(&program, kvgf.command.run(&program, whole).await)
        }
        Err(e) => refuse(&program, &e),
    }
}

/// Prints why a command ended badly; returns the exit code.
pub fn end(program: &Program, done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Run(e)) => {
            complain(program, &format!("{e:#}"));
            ExitCode::FAILURE
        }
        Err(Failure::Arguments(why)) => {
            complain(program, &why);
            ExitCode::from(2)
        }
    }
}

/// Prints a help text, or what is wrong with the arguments; returns the exit code.
pub fn refuse(program: &Program, error: &clap::Error) -> ExitCode {
    complaint::print(program, error)
}

/// One line on standard error.
fn complain(program: &Program, why: &str) {
    // Nothing can be said where standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}: {why}", program.name);
}

/// One line on standard output.
///
/// # Errors
/// When standard output is closed.
pub fn print_line(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::VERSION;
    use plugin::journal::format::FORMAT;

    #[test]
    fn the_version_tells_the_format_of_the_component_that_it_is_built_with() {
        assert!(VERSION.ends_with(&format!(" (store format {FORMAT})")));
    }
}
