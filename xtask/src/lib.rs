//! Builds the component from `plugin/`, with no manual step, and only when something changed.
//!
//! The core module is compiled for `wasm32-unknown-unknown` by whichever toolchain can
//! ([`Situation`]), in a target directory of its own, and wrapped into a component. Callers of
//! every kind (the command, the host, each test process) may call at once: a file lock makes them
//! take turns, and a stamp of the sources' contents makes all but the first return at once.

mod rc;
mod release;
mod released;
mod sources;
mod toolchain;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
pub use rc::{CANDIDATE, RELEASED, build_rc, under};
pub use release::{Compiled, FOLDER, package, release};
pub use released::{licences, sbom};
use toolchain::Toolchain;
pub use toolchain::{Install, Situation};

/// A package that becomes a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    name: &'static str,
    directory: &'static str,
    /// The component's file without its endings.
    file: &'static str,
    features: &'static str,
}

/// The application, which becomes [`COMPONENT`].
pub const PLUGIN: Package = Package {
    name: "plugin",
    directory: "plugin",
    file: "plugin",
    features: "",
};

/// The application for hosts that offer no `wasi:keyvalue/atomics`.
pub const WITHOUT_ATOMICS: Package = Package {
    file: "plugin.without-atomics",
    features: "without-atomics",
    ..PLUGIN
};

/// The least that a component can do with the same imports, for the benchmarks to compare with.
pub const BARE: Package = Package {
    name: "bare",
    directory: "proof/bare",
    file: "bare",
    features: "",
};

/// A component that tries to reach what is not its own, for the tests of many tenants in one host.
pub const HOSTILE: Package = Package {
    name: "hostile",
    directory: "host-test/hostile",
    file: "hostile",
    features: "",
};

/// Where the application's component is, from the workspace's root. `spin.toml` names the same file.
pub const COMPONENT: &str = "target/component/plugin.component.wasm";

const TARGET_DIR: &str = "target/component";

/// What [`build_component`] found or made.
#[derive(Debug, Clone)]
pub struct Built {
    /// The component's file, absolute.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Which toolchain compiled it. `None` when it was fresh and nothing had to be compiled.
    pub how: Option<Situation>,
    /// Whether this call compiled it.
    pub rebuilt: bool,
}

/// The workspace's root: the directory that holds `spin.toml`, `plugin/` and `wit/`.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Builds the application's component ([`build`]).
pub fn build_component(install: Install) -> Result<Built> {
    build(PLUGIN, install)
}

/// Builds a component if its sources changed since it was last built, and says where it is.
///
/// Waits while another process builds. Refuses with the compiler's output on a broken source, and
/// with the names of the missing packages when no toolchain can be had.
pub fn build(package: Package, install: Install) -> Result<Built> {
    let root = workspace_root();
    let target = root.join(TARGET_DIR);
    fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
    let _lock = lock(&target)?;

    let Package {
        name,
        directory,
        file,
        ..
    } = package;
    let path = target.join(format!("{file}.component.wasm"));
    let stamp_path = target.join(format!("{file}.stamp"));
    let stamp = sources::stamp(&root, directory)?;
    if fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp)
        && let Ok(found) = fs::metadata(&path)
    {
        return Ok(Built {
            path,
            size: found.len(),
            how: None,
            rebuilt: false,
        });
    }

    let toolchain = Toolchain::find(&root, install)?;
    eprintln!("building the component: {}", toolchain.situation);
    compile(package, &root, &target, &toolchain, Names::Stripped)?;
    let core = format!("{}/component/{name}.wasm", toolchain::TARGET);
    let size = wrap(&target.join(core), &path)?;
    write_whole(&stamp_path, stamp.as_bytes())?;
    Ok(Built {
        path,
        size,
        how: Some(toolchain.situation),
        rebuilt: true,
    })
}

/// The core module of a package as it is in its component, but with the names of its functions, to see
/// whose they are. Compiled anew where a source changed, in a target directory of its own.
pub fn module_with_names(package: Package) -> Result<Vec<u8>> {
    let root = workspace_root();
    let target = root.join(TARGET_DIR).join("names");
    fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
    let _lock = lock(&target)?;
    let toolchain = Toolchain::find(&root, Install::Never)?;
    compile(package, &root, &target, &toolchain, Names::Kept)?;
    let core = format!("{}/component/{}.wasm", toolchain::TARGET, package.name);
    let core = target.join(core);
    fs::read(&core).with_context(|| format!("cannot read {}", core.display()))
}

/// Whether a module tells the names of its functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Stripped,
    Kept,
}

/// Taken until dropped; the system drops it for a process that dies.
fn lock(target: &Path) -> Result<File> {
    let path = target.join("build.lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

fn compile(
    package: Package,
    root: &Path,
    target: &Path,
    toolchain: &Toolchain,
    names: Names,
) -> Result<()> {
    let mut command = toolchain.cargo();
    if names == Names::Kept {
        command.env("CARGO_PROFILE_COMPONENT_STRIP", "none");
    }
    command
        .current_dir(root)
        .args(["build", "--locked", "--package", package.name, "--lib"])
        .args(["--features", package.features])
        .args(["--target", toolchain::TARGET, "--profile", "component"])
        .arg("--target-dir")
        .arg(target);
    let status = command
        .status()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !status.success() {
        bail!("the component does not compile ({status}); the compiler's words are above");
    }
    Ok(())
}

/// The core module carries its WIT world in a custom section; the encoder reads it and makes the
/// component, validated. Gives its size in bytes.
fn wrap(core: &Path, component: &Path) -> Result<u64> {
    let module = fs::read(core).with_context(|| format!("cannot read {}", core.display()))?;
    let bytes = wrap_module(&module)?;
    write_whole(component, &bytes)?;
    Ok(bytes.len() as u64)
}

/// A core module with an embedded WIT world in, a validated component out.
pub fn wrap_module(module: &[u8]) -> Result<Vec<u8>> {
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .context("the core module cannot be made a component")
}

/// A reader sees the old file or the new one, never half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
