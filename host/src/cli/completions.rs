//! `kvgf completions`: the shell's completion script, on standard output.

use super::Done;
use anyhow::Context;
use clap::Args;
use clap_complete::Shell;
use std::io::Write;

const AFTER_HELP: &str = "\
Examples:
  kvgf completions bash > /etc/bash_completion.d/kvgf
  kvgf completions zsh > \"${fpath[1]}/_kvgf\"
  kvgf completions fish > ~/.config/fish/completions/kvgf.fish

Exit codes: 0 written; 2 the shell is not known.";

/// Write the completion script of a shell to standard output.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, mut whole: clap::Command) -> Done {
        let mut script = Vec::new();
        let name = whole.get_name().to_owned();
        clap_complete::generate(self.shell, &mut whole, name, &mut script);
        let written = std::io::stdout().lock().write_all(&script);
        Ok(written.context("standard output")?)
    }
}
