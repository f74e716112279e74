//! `cargo proof`: every fault at every host call, and pairs of them; see `proof::search`.

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// glibc's allocator took two fifths of the search. The host gains nothing from another one.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Searches for a way to lose, double or hold up anything, and writes docs/proof.md.
#[derive(Debug, Parser)]
#[command(name = "cargo proof")]
struct Proof {
    #[command(flatten)]
    options: proof::search::Options,
}

fn main() -> ExitCode {
    match proof::search::run(&Proof::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("proof: {e:#}");
            ExitCode::FAILURE
        }
    }
}
