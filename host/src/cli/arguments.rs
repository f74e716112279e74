//! What several commands take: variables and where the manifest is. Values are read after clap is
//! done, because clap repeats a wrong value, which may be a secret.

use super::{Failure, Program};
use crate::variable_file;
use clap::Args;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// The application's variables and its manifest.
#[derive(Debug, Args)]
pub(super) struct Variables {
    /// A variable of spin.toml: name=@FILE for a file's content, which is how to give a secret, or name=value. May be
    /// repeated; SPIN_VARIABLE_NAME in the environment is the same.
    #[arg(long = "variable", value_name = "NAME=@FILE|NAME=VALUE")]
    variables: Vec<String>,
    /// The manifest; spin.toml when not given.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl Variables {
    /// The manifest's file.
    pub(super) fn manifest(&self, program: &Program) -> PathBuf {
        self.from
            .clone()
            .unwrap_or_else(|| program.manifest.clone())
    }

    /// Names and values, each name once.
    pub(super) fn given(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut given = BTreeMap::new();
        for (at, text) in self.variables.iter().enumerate() {
            let Some((name, value)) = text.split_once('=') else {
                let at = at + 1;
                let why = format!("--variable number {at} has no equals sign; expected NAME=VALUE");
                return Err(Failure::Arguments(why));
            };
            let value = or_file(value).map_err(|why| {
                Failure::Arguments(format!("--variable {name}: {why}; expected NAME=@FILE"))
            })?;
            if given.insert(name.to_owned(), value).is_some() {
                let why = format!("--variable {name} is given twice; leave one out");
                return Err(Failure::Arguments(why));
            }
        }
        Ok(given)
    }
}

/// The value itself, or what the file behind an `@` holds.
pub(super) fn or_file(value: &str) -> Result<String, String> {
    match value.strip_prefix('@') {
        Some(file) => {
            let content = variable_file::read(Path::new(file));
            content.map_err(|e| format!("cannot read {file}: {e}"))
        }
        None => Ok(value.to_owned()),
    }
}

/// `60s`, `5m`, `1h` or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
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
