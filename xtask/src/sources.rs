//! Whether anything that goes into the component changed: by content, so that a fresh checkout or
//! a touched file costs nothing.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What a component is made from besides its package. This crate is among it: another way to build is
/// another result.
const INPUTS: [&str; 4] = ["wit", "xtask/src", "Cargo.toml", "Cargo.lock"];

/// Inside the package, but not inside the component.
const BESIDE: [&str; 4] = ["tests", "benches", "fuzz", "proptest-regressions"];

/// A word that is the same as long as every input is.
pub(crate) fn stamp(root: &Path, package: &str) -> Result<String> {
    let mut files = Vec::new();
    for input in INPUTS.iter().chain([&package]) {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file);
        hasher.write(name.to_string_lossy().as_bytes());
        hasher.write_usize(bytes.len());
        hasher.write(&bytes);
    }
    Ok(format!("{:016x} {}\n", hasher.finish(), files.len()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || BESIDE.contains(&name.as_ref()) {
            continue;
        }
        collect(&entry.path(), files)?;
    }
    Ok(())
}
