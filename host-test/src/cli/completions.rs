//! `host completions`: the shell's completion script, on standard output.

use super::{Done, Host};
use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

const AFTER_HELP: &str = "\
Examples:
  host completions bash > /etc/bash_completion.d/host
  host completions zsh > \"${fpath[1]}/_host\"
  host completions fish > ~/.config/fish/completions/host.fish

Exit codes: 0 written; 2 the shell is not known.";

/// Write the completion script of a shell to standard output.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Done {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Host::command(), "host", &mut script);
        let written = std::io::stdout().lock().write_all(&script);
        Ok(written.context("standard output")?)
    }
}
