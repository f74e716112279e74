//! The file behind an `@`, which gives a variable its value.

use std::{io, path::Path};

/// What it holds, without the line ends behind it.
pub(crate) fn read(file: &Path) -> io::Result<String> {
    let content = std::fs::read_to_string(file)?;
    Ok(content.trim_end_matches(['\r', '\n']).to_owned())
}
