//! `cargo xtask build`: the component, in one command; and what a release is made of.

use std::process::ExitCode;
use xtask::Install;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("build") => match std::env::args().nth(2).as_deref() {
            None => build(xtask::PLUGIN),
            Some("--without-atomics") => build(xtask::WITHOUT_ATOMICS),
            Some(other) => {
                eprintln!("xtask: `build` has no option `{other}`; it has --without-atomics");
                ExitCode::from(2)
            }
        },
        Some("licences") => print(xtask::licences()),
        Some("sbom") => print(xtask::sbom()),
        Some("release") => print(xtask::release().map(|files| {
            let line = |file: &std::path::PathBuf| format!("{}\n", file.display());
            files.iter().map(line).collect()
        })),
        other => {
            if let Some(other) = other {
                eprintln!("xtask: there is no task `{other}`");
            }
            eprintln!(
                "usage: cargo xtask build      builds {}\n       \
                 cargo xtask build --without-atomics   builds it for hosts without wasi:keyvalue/atomics\n       \
                 cargo xtask release    makes what a release consists of, in {}\n       \
                 cargo xtask licences   prints the licences of the crates in a release\n       \
                 cargo xtask sbom       prints its bill of materials (CycloneDX)",
                xtask::COMPONENT,
                xtask::FOLDER,
            );
            ExitCode::from(2)
        }
    }
}

fn print(told: anyhow::Result<String>) -> ExitCode {
    match told {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(package: xtask::Package) -> ExitCode {
    match xtask::build(package, Install::AsRoot) {
        Ok(built) => {
            let state = if built.rebuilt {
                ""
            } else {
                " (nothing had changed)"
            };
            println!(
                "{} {} kB{state}",
                built.path.display(),
                built.size.div_ceil(1000)
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
