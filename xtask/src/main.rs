//! `cargo xtask build`: the component, in one command; and what a release is made of.

use std::process::ExitCode;
use xtask::Install;

const OPTIONS: [&str; 2] = ["--without-atomics", "--rc"];

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("build") => {
            let options: Vec<String> = std::env::args().skip(2).collect();
            let has = |option: &str| options.iter().any(|given| given == option);
            if let Some(other) = options.iter().find(|o| !OPTIONS.contains(&o.as_str())) {
                eprintln!("xtask: `build` has no option `{other}`; it has {OPTIONS:?}");
                return ExitCode::from(2);
            }
            let package = if has("--without-atomics") {
                xtask::WITHOUT_ATOMICS
            } else {
                xtask::PLUGIN
            };
            let build = if has("--rc") {
                xtask::build_rc
            } else {
                xtask::build
            };
            built(build(package, Install::AsRoot))
        }
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
                 cargo xtask build --rc   builds it, and its twin for Spin 4.0 (WASI 0.3.0-rc-2026-03-15)\n       \
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

fn built(built: anyhow::Result<xtask::Built>) -> ExitCode {
    match built {
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
