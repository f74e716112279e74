//! The inputs of a replay: a file with a delivery's body, a folder that `kvgf record` wrote, a
//! fixture, or a folder of these.

use crate::fixture::{self, Delivery};
use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The depth of nested folders that are searched.
const DEPTH: usize = 8;

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file that holds a delivery's body.
    Payload(PathBuf),
    /// A folder with deliveries and their headers, and without an expectation.
    Recorded(PathBuf),
    /// A fixture: deliveries, scripted vendors, and an expectation.
    Fixture(PathBuf),
}

/// The inputs in `path`, in order of the names. Refuses a folder without any.
pub fn find(path: &Path) -> Result<Vec<Input>> {
    let kind = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if kind.is_file() {
        return Ok(vec![Input::Payload(path.to_owned())]);
    }
    let mut found = Vec::new();
    walk(path, DEPTH, &mut found)?;
    ensure!(
        !found.is_empty(),
        "{} holds nothing to replay: expected .json files, recordings or fixtures",
        path.display()
    );
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<Input>) -> Result<()> {
    let names = fixture::names(folder)?;
    let has = |name: &str| names.iter().any(|n| n == name);
    if has("expect.json") {
        found.push(Input::Fixture(folder.to_owned()));
        return Ok(());
    }
    if has("requests") || names.iter().any(|n| n.starts_with("request.")) {
        found.push(Input::Recorded(folder.to_owned()));
        return Ok(());
    }
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let path = folder.join(name);
        if path.is_dir() {
            ensure!(depth > 0, "{} lies too deep", path.display());
            walk(&path, depth - 1, found)?;
        } else if name.ends_with(".json") || name.ends_with(".bin") {
            found.push(Input::Payload(path));
        }
    }
    Ok(())
}

impl Input {
    /// Its path.
    pub fn shown(&self) -> String {
        let (Self::Payload(path) | Self::Recorded(path) | Self::Fixture(path)) = self;
        path.display().to_string()
    }

    pub(super) fn deliveries(&self) -> Result<Vec<Delivery>> {
        match self {
            Self::Payload(file) => {
                let body = fs::read(file).context("cannot read it")?;
                let headers = Vec::new();
                Ok(vec![Delivery { body, headers }])
            }
            Self::Recorded(folder) => fixture::recorded(folder),
            Self::Fixture(_) => bail!("a fixture is played as a whole"),
        }
    }
}
