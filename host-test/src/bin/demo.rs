//! `cargo demo`: a simulated shop, the host, and both sides counted against each other.

use clap::Parser;
use std::process::ExitCode;

/// A simulated shop connects, sells and edits; the host is killed once; both sides are counted.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
struct Demo {
    #[command(flatten)]
    options: host_test::demo::Options,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The demo starts its own program again as the host, so that one build is enough.
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().map(String::as_str) == Some("host") {
        return host_test::cli::run(arguments).await;
    }
    let done = host_test::demo::run(&Demo::parse().options).await;
    if let Err(e) = &done {
        eprintln!("demo: {e:#}");
    }
    // What waits for the keyboard, or builds, would keep the program from ending.
    std::process::exit(i32::from(done.is_err()))
}
