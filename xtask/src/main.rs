//! `cargo xtask build`: the component, in one command.

use std::process::ExitCode;
use xtask::Install;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("build") => build(),
        Some(other) => {
            eprintln!("xtask: there is no `{other}`; the only task is `cargo xtask build`");
            ExitCode::from(2)
        }
        None => {
            eprintln!("usage: cargo xtask build    builds {}", xtask::COMPONENT);
            ExitCode::from(2)
        }
    }
}

fn build() -> ExitCode {
    match xtask::build_component(Install::AsRoot) {
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
