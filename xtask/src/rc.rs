//! The same component for hosts that know WASI 0.3 only as it was before its release: Spin 4.0, and
//! SpinKube's shim up to 0.25. All interfaces that the component uses are the same there but for their
//! version, so the component is printed, the version replaced, and the text parsed again.

use crate::{Built, Install, Package, TARGET_DIR, build, lock, workspace_root, write_whole};
use anyhow::{Context, Result};
use std::fs;

/// WASI as it was released.
pub const RELEASED: &str = "@0.3.0";

/// WASI as Spin 4.0 has it.
pub const CANDIDATE: &str = "@0.3.0-rc-2026-03-15";

/// Builds a component, and beside it the same under [`CANDIDATE`]. `spin.rc.toml` names the file of the
/// usual one.
pub fn build_rc(package: Package, install: Install) -> Result<Built> {
    let usual = build(package, install)?;
    let _lock = lock(&workspace_root().join(TARGET_DIR))?;
    let bytes = fs::read(&usual.path)?;
    let path = usual
        .path
        .with_file_name(format!("{}.rc.component.wasm", package.file));
    let twin = under(&bytes, RELEASED, CANDIDATE)?;
    wit_component::decode(&twin).context("what was parsed is no component")?;
    write_whole(&path, &twin)?;
    let size = twin.len() as u64;
    Ok(Built {
        path,
        size,
        ..usual
    })
}

/// This component with the version `from` of its interfaces replaced by `to`.
pub fn under(component: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    let text = wasmprinter::print_bytes(component).context("the component cannot be printed")?;
    // A version ends the name of an interface, or a function's follows.
    let renamed = ["\"", "#"].iter().fold(text, |text, end| {
        text.replace(&format!("{from}{end}"), &format!("{to}{end}"))
    });
    Ok(wat::parse_str(renamed)?)
}
