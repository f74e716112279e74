//! `cargo xtask release`: what a release consists of, in one folder: an archive for each machine that this one can compile
//! for, the component, `spin.toml`, the licences, the bill of materials, and the checksums of all of them.

use crate::{Install, build_component, licences, sbom, workspace_root};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The component's name in a release.
const COMPONENT: &str = "plugin.component.wasm";

/// Where a release is made, from the workspace's root.
pub const FOLDER: &str = "target/release-files";

/// A machine, and the ways to compile for it; the first that this machine can is taken. A program for musl runs on any
/// Linux, one for gnu where the C library is as new as here.
struct Machine {
    name: &'static str,
    ways: [Way; 2],
}

struct Way {
    target: &'static str,
    /// C compilers that also link for it; the first that is there is taken.
    compilers: &'static [&'static str],
}

const MACHINES: [Machine; 2] = [
    Machine {
        name: "x86_64",
        ways: [
            Way {
                target: "x86_64-unknown-linux-musl",
                compilers: &["x86_64-linux-musl-gcc", "musl-gcc"],
            },
            Way {
                target: "x86_64-unknown-linux-gnu",
                compilers: &["x86_64-linux-gnu-gcc"],
            },
        ],
    },
    Machine {
        name: "aarch64",
        ways: [
            Way {
                target: "aarch64-unknown-linux-musl",
                compilers: &["aarch64-linux-musl-gcc"],
            },
            Way {
                target: "aarch64-unknown-linux-gnu",
                compilers: &["aarch64-linux-gnu-gcc"],
            },
        ],
    },
];

/// A program that was compiled.
pub struct Compiled {
    /// For which target.
    pub target: String,
    /// Its file.
    pub program: PathBuf,
}

/// Makes a release; returns its files. Says on standard error for which machines this one cannot compile, and why.
///
/// # Errors
/// When something does not compile, or this machine can compile for none.
pub fn release() -> Result<Vec<PathBuf>> {
    let component = build_component(Install::AsRoot)?.path;
    let mut programs = Vec::new();
    for machine in MACHINES {
        let mut missing = Vec::new();
        let way = machine.ways.iter().find_map(|way| match compiler(way) {
            Ok(compiler) => Some((way.target, compiler)),
            Err(why) => {
                missing.push(why);
                None
            }
        });
        match way {
            Some((target, compiler)) => programs.push(compile(target, compiler)?),
            None => eprintln!("no program for {}: {}", machine.name, missing.join("; ")),
        }
    }
    if programs.is_empty() {
        bail!("this machine can compile for none of the machines of a release");
    }
    let folder = workspace_root().join(FOLDER);
    package(&folder, &component, &programs)
}

/// The C compiler for a target whose standard library is there; else what is missing.
fn compiler(way: &Way) -> Result<&'static str, String> {
    let target = way.target;
    if !crate::toolchain::has_library(&workspace_root(), target) {
        return Err(format!("rustup target add {target}"));
    }
    let runs = |compiler: &&&str| Command::new(compiler).arg("--version").output().is_ok();
    let found = way.compilers.iter().find(runs);
    found
        .copied()
        .ok_or_else(|| format!("{target} needs {}", way.compilers.join(" or ")))
}

/// Compiles the program; with a list of its crates inside, where cargo-auditable is there.
fn compile(target: &str, compiler: &str) -> Result<Compiled> {
    let asked = Command::new("cargo")
        .args(["auditable", "--version"])
        .output();
    let auditable = asked.is_ok_and(|output| output.status.success());
    if !auditable {
        eprintln!("without a list of crates inside: cargo install --locked cargo-auditable");
    }
    let variable = target.replace('-', "_");
    let status = Command::new("cargo")
        .current_dir(workspace_root())
        .args(auditable.then_some("auditable"))
        .args(["build", "--release", "--locked", "--package", "host"])
        .args(["--target", target])
        .env(format!("CC_{variable}"), compiler)
        .env(
            format!("CARGO_TARGET_{}_LINKER", variable.to_uppercase()),
            compiler,
        )
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("kvgf does not compile for {target} ({status})");
    }
    let program = workspace_root().join(format!("target/{target}/release/kvgf"));
    Ok(Compiled {
        target: target.to_owned(),
        program,
    })
}

/// Puts a release together in `folder`, which is emptied first; returns its files.
///
/// # Errors
/// When a file cannot be read or written.
pub fn package(folder: &Path, component: &Path, programs: &[Compiled]) -> Result<Vec<PathBuf>> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let root = workspace_root();
    let bytes = fs::read(component).with_context(|| component.display().to_string())?;
    let manifest = fs::read_to_string(root.join("spin.toml")).context("spin.toml")?;
    let manifest = manifest_of_release(&manifest, &hex(&bytes))?;
    let common = [
        (COMPONENT, bytes),
        ("spin.toml", manifest.into_bytes()),
        ("kvgf.cdx.json", sbom()?.into_bytes()),
        ("THIRD-PARTY-LICENCES", licences()?.into_bytes()),
        (
            "LICENSE",
            fs::read(root.join("LICENSE")).context("LICENSE")?,
        ),
        (
            "CHANGELOG.md",
            fs::read(root.join("CHANGELOG.md")).context("CHANGELOG.md")?,
        ),
    ];
    let mut files = Vec::new();
    for (name, bytes) in &common {
        let file = folder.join(name);
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        files.push(file);
    }
    for Compiled { target, program } in programs {
        let name = format!("kvgf-{}-{target}", env!("CARGO_PKG_VERSION"));
        let inside = folder.join(&name);
        fs::create_dir(&inside).with_context(|| inside.display().to_string())?;
        for (file, bytes) in &common {
            fs::write(inside.join(file), bytes)?;
        }
        fs::copy(program, inside.join("kvgf")).with_context(|| program.display().to_string())?;
        files.push(archive(folder, &name)?);
        fs::remove_dir_all(&inside)?;
    }
    let sums = folder.join("SHA256SUMS");
    let mut lines = String::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        lines += &format!("{}  {name}\n", hex(&fs::read(file)?));
    }
    fs::write(&sums, lines)?;
    files.push(sums);
    Ok(files)
}

/// The manifest beside the component, whose digest it tells.
fn manifest_of_release(manifest: &str, digest: &str) -> Result<String> {
    let place = format!("source = \"{}\"", crate::COMPONENT);
    let variables = "[component.plugin.variables]\n";
    let build = "[component.plugin.build]";
    let (rest, _) = manifest.split_once(build).context(build)?;
    if !rest.contains(&place) || !rest.contains(variables) {
        bail!("spin.toml does not name {}", crate::COMPONENT);
    }
    let told = format!("{variables}component_digest = \"{digest}\"\n");
    Ok(rest
        .replace(&place, &format!("source = \"{COMPONENT}\""))
        .replace(variables, &told)
        .trim_end()
        .to_owned()
        + "\n")
}

/// The folder `name` as an archive beside it: the same for the same files.
fn archive(folder: &Path, name: &str) -> Result<PathBuf> {
    let file = folder.join(format!("{name}.tar.gz"));
    let status = Command::new("tar")
        .current_dir(folder)
        .args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0"])
        .args(["--numeric-owner", "--use-compress-program=gzip -n -9"])
        .args(["-cf", &file.to_string_lossy(), name])
        .status()
        .context("cannot run tar")?;
    if !status.success() {
        bail!("tar {name}: {status}");
    }
    Ok(file)
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
