//! The released program: `kvgf up` serves the application in `spin.toml`. It builds and installs nothing.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    host::cli::run(std::env::args()).await
}
