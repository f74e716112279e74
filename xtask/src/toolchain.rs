//! Finds, or gets, a compiler with a standard library for WebAssembly. Never touches the user's
//! default toolchain, and never installs anything when what is there will do.

use std::fmt;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The core module's target. Not `wasip2`, with which every component imports the filesystem.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A download of some 20 MB; a network that swallows packets must not look like a build.
const RUSTUP_PATIENCE: Duration = Duration::from_secs(60);

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// A smaller component: no places of panics, which it does not have, no `Debug` texts, which nobody reads, and
/// only small functions copied into their callers: what serde derives is else unfolded at each place that reads or
/// writes a type. The first two are not stable yet, hence `RUSTC_BOOTSTRAP`.
const SMALL: &str = "-Zlocation-detail=none -Zfmt-debug=none -Cllvm-args=-inline-threshold=20";

/// Where the standard library is compiled too: a panic is a trap without a text.
const SMALLER: &str = "-Zunstable-options -Cpanic=immediate-abort";

/// Which of the three ways to a standard library for WebAssembly was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Situation {
    /// The toolchain in use has the target.
    Installed,
    /// It has it now: `rustup target add` fetched it.
    Added,
    /// The distribution's compiler builds the library from the distribution's source.
    Packaged {
        /// The linker: `wasm-ld-NN`.
        linker: String,
        /// Whether this run installed the packages.
        installed_now: bool,
    },
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(f, "{TARGET} is installed"),
            Self::Added => write!(f, "{TARGET} was added by rustup"),
            Self::Packaged {
                linker,
                installed_now: false,
            } => write!(f, "standard library from the system's packages, {linker}"),
            Self::Packaged { linker, .. } => write!(
                f,
                "standard library from system packages installed just now, {linker}"
            ),
        }
    }
}

/// A way to run cargo that can compile for [`TARGET`].
pub(crate) struct Toolchain {
    pub(crate) situation: Situation,
}

impl Toolchain {
    /// Cheapest first: what is there, then rustup, then packages.
    pub(crate) fn find(root: &Path, install: Install) -> Result<Self> {
        let found = |situation| Ok(Self { situation });
        if target_is_installed(root) {
            return found(Situation::Installed);
        }
        if let Ok(linker) = packaged() {
            return found(Situation::Packaged {
                linker,
                installed_now: false,
            });
        }
        let rustup = add_by_rustup(root);
        if rustup.is_ok() && target_is_installed(root) {
            return found(Situation::Added);
        }
        let rustup = rustup.err().unwrap_or_else(|| "to no effect".to_owned());
        let linker = install_packages(install, &rustup)?;
        found(Situation::Packaged {
            linker,
            installed_now: true,
        })
    }

    /// A cargo command, free of what an outer cargo put into the environment.
    pub(crate) fn cargo(&self) -> Command {
        match &self.situation {
            Situation::Installed | Situation::Added => {
                let mut command = clean("cargo");
                command.env("RUSTC_BOOTSTRAP", "1").env(FLAGS, SMALL);
                command
            }
            Situation::Packaged { linker, .. } => {
                let mut command = clean(DEBIAN_CARGO);
                command
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    // Set by an outer cargo to another compiler's libraries.
                    .env_remove("LD_LIBRARY_PATH")
                    .env(FLAGS, format!("{SMALL} {SMALLER}"))
                    .args(["-Z", "build-std=std,panic_abort"])
                    .args(["-Z", "build-std-features=optimize_for_size"]);
                command
            }
        }
    }
}

/// A command without the outer cargo's variables. What a user sets to reach a registry stays.
fn clean(program: &str) -> Command {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const DROPPED: [&str; 6] = [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "RUST_RECURSION_COUNT",
    ];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let dropped = DROPPED.iter().any(|start| text.starts_with(start));
        if dropped && !KEPT.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

fn target_is_installed(root: &Path) -> bool {
    has_library(root, TARGET)
}

/// Whether the toolchain in use has the standard library of a target.
pub(crate) fn has_library(root: &Path, target: &str) -> bool {
    let output = clean("rustc")
        .current_dir(root)
        .args(["--print", "target-libdir", "--target", target])
        .stderr(Stdio::null())
        .output();
    let Ok(output) = output else { return false };
    let directory = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    output.status.success() && holds(&directory, "libstd-", ".rlib")
}

fn holds(directory: &Path, start: &str, end: &str) -> bool {
    fs::read_dir(directory).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(start) && name.ends_with(end)
        })
    })
}

/// The error is rustup's own last line, or that there is no rustup.
fn add_by_rustup(root: &Path) -> Result<(), String> {
    let child = clean("rustup")
        .current_dir(root)
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("cannot run rustup ({error})"))?;
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                let words = child.wait_with_output().map_err(|e| e.to_string())?;
                let words = String::from_utf8_lossy(&words.stderr);
                let last = words.lines().rev().find(|line| !line.trim().is_empty());
                return Err(last.map_or_else(|| status.to_string(), |l| l.trim().to_owned()));
            }
            Ok(None) if started.elapsed() < RUSTUP_PATIENCE => {
                thread::sleep(Duration::from_millis(100));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no end after {} s", RUSTUP_PATIENCE.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The linker's name when everything is there; else what is missing.
fn packaged() -> Result<String, Vec<String>> {
    let mut missing = Vec::new();
    let library = library_source();
    for (there, package) in [
        (Path::new(DEBIAN_RUSTC).exists(), DEBIAN_PACKAGES[0]),
        (Path::new(DEBIAN_CARGO).exists(), DEBIAN_PACKAGES[1]),
        (library, DEBIAN_PACKAGES[2]),
    ] {
        if !there {
            missing.push(package.to_owned());
        }
    }
    match newest_linker() {
        Some(linker) if missing.is_empty() => Ok(linker),
        Some(_) => Err(missing),
        None => {
            missing.push("lld".to_owned());
            Err(missing)
        }
    }
}

/// Whether the library source that belongs to the distribution's compiler is installed. The
/// compiler names its own directory, so another version's source does not count.
fn library_source() -> bool {
    let output = Command::new(DEBIAN_RUSTC)
        .args(["--print", "sysroot"])
        .env_remove("LD_LIBRARY_PATH")
        .stderr(Stdio::null())
        .output();
    output.is_ok_and(|output| {
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let std = sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml");
        output.status.success() && std.exists()
    })
}

fn newest_linker() -> Option<String> {
    let entries = fs::read_dir("/usr/bin").ok()?;
    let newest = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.strip_prefix("wasm-ld-")?.parse::<u32>().ok()
        })
        .max()?;
    Some(format!("wasm-ld-{newest}"))
}

/// Whether system packages may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Install {
    /// As root, after a line that says what and why. `KVGF_INSTALL=0` in the environment refuses.
    AsRoot,
    /// Never: for a program that runs in production.
    Never,
}

/// Installs what [`packaged`] misses; returns the linker's name.
fn install_packages(install: Install, rustup: &str) -> Result<String> {
    let Err(missing) = packaged() else {
        return packaged().map_err(|_| anyhow::anyhow!("the packages are gone again"));
    };
    let why = format!("there is no standard library for {TARGET} (rustup target add: {rustup})");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "{why}. Add the target with rustup, or install the system packages {} and lld",
            DEBIAN_PACKAGES.join(" ")
        );
    }
    let refused = std::env::var_os("KVGF_INSTALL").is_some_and(|value| value == "0");
    let may = install == Install::AsRoot && is_root() && !refused;
    if may {
        eprintln!("{why}; apt-get update follows, to find system packages");
        apt(&["update".to_owned()])?;
    }
    // All by name, whether missing or not: they must be of one version.
    let mut arguments = ["install", "-y", "--no-install-recommends"]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(DEBIAN_PACKAGES.map(str::to_owned));
    if missing.iter().any(|package| package == "lld") {
        arguments.push(newest_lld_package().unwrap_or_else(|| "lld".to_owned()));
    }
    let command = format!("apt-get {}", arguments.join(" "));
    if !may {
        bail!("{why}. Run as root: apt-get update && {command}");
    }
    eprintln!("installing system packages, because {why}: {command} (KVGF_INSTALL=0 refuses)");
    apt(&arguments)?;
    packaged().map_err(|missing| {
        anyhow::anyhow!(
            "installed, and still not there: {} (the compiler and its source must be of one \
             version)",
            missing.join(" ")
        )
    })
}

/// Runs the package manager with its output on standard error.
fn apt(arguments: &[String]) -> Result<()> {
    let shown = std::io::stderr().as_fd().try_clone_to_owned();
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(shown.context("standard error")?)
        .status()
        .context("cannot run apt-get")?;
    if !status.success() {
        bail!(
            "apt-get {} failed ({status}); its words are above",
            arguments.join(" ")
        );
    }
    Ok(())
}

/// The newest `lld-NN` of the package lists.
fn newest_lld_package() -> Option<String> {
    let output = Command::new("apt-cache")
        .args(["search", "--names-only", "^lld-[0-9]+$"])
        .output()
        .ok()?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let numbers = listed.lines().filter_map(|line| {
        let name = line.split_whitespace().next()?;
        name.strip_prefix("lld-")?.parse::<u32>().ok()
    });
    Some(format!("lld-{}", numbers.max()?))
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
