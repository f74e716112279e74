//! `cargo soak`: the host flooded, and killed again and again; see `proof::soak`.

use clap::Parser;
use std::process::ExitCode;

/// Runs the real host as a process of its own, and counts what its clients and both vendors saw.
#[derive(Debug, Parser)]
#[command(name = "cargo soak")]
struct Soak {
    #[command(subcommand)]
    what: proof::soak::What,
}

#[tokio::main]
async fn main() -> ExitCode {
    // It starts its own program again as the host, so that one build is enough.
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().map(String::as_str) == Some("host") {
        return host_test::cli::run(arguments).await;
    }
    match proof::soak::run(&Soak::parse().what).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("soak: {e:#}");
            ExitCode::FAILURE
        }
    }
}
