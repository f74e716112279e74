//! Finds, or gets, a compiler with a standard library for WebAssembly. Never touches the user's
//! default toolchain, and never installs anything when what is there will do.

use std::fmt;
use std::fs;
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

/// A smaller component: no places of panics, which it does not have, and no `Debug` texts, which
/// nobody reads. The flags are not stable yet, hence `RUSTC_BOOTSTRAP`.
const SMALL: &str = "-Zlocation-detail=none -Zfmt-debug=none";

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
    pub(crate) fn find(root: &Path) -> Result<Self> {
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
        let linker = install_packages().with_context(|| {
            format!("no standard library for {TARGET}: rustup target add: {rustup}")
        })?;
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
    let output = clean("rustc")
        .current_dir(root)
        .args(["--print", "target-libdir", "--target", TARGET])
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

/// Installs what [`packaged`] misses and gives the linker's name.
fn install_packages() -> Result<String> {
    let missing = match packaged() {
        Ok(linker) => return Ok(linker),
        Err(missing) => missing,
    };
    let wanted = format!("{} lld-NN (the newest)", DEBIAN_PACKAGES.join(" "));
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("there is no apt-get here; needed: the target by rustup, or the packages {wanted}");
    }
    if !is_root() {
        bail!(
            "missing packages: {}. Install them as root: apt-get install --no-install-recommends \
             {wanted}",
            missing.join(" ")
        );
    }
    apt(&["update"])?;
    // All by name, whether missing or not: they must be of one version.
    let mut packages: Vec<String> = DEBIAN_PACKAGES.map(str::to_owned).to_vec();
    if missing.iter().any(|package| package == "lld") {
        packages.push(newest_lld_package()?);
    }
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages.iter().map(String::as_str));
    apt(&arguments)?;
    packaged().map_err(|missing| {
        anyhow::anyhow!(
            "installed, and still not there: {} (the compiler and its source must be of one \
             version)",
            missing.join(" ")
        )
    })
}

fn apt(arguments: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .arg("-q")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("cannot run apt-get")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("apt-get {}: {}", arguments.join(" "), words.trim());
    }
    Ok(())
}

fn newest_lld_package() -> Result<String> {
    let output = Command::new("apt-cache")
        .args(["search", "--names-only", "^lld-[0-9]+$"])
        .output()
        .context("cannot run apt-cache")?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            line.split_whitespace()
                .next()?
                .strip_prefix("lld-")?
                .parse()
                .ok()
        })
        .max()
        .map(|newest: u32| format!("lld-{newest}"))
        .context("the package lists have no lld-NN")
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
