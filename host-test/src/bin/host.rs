//! The project's own host: `kvgf up` serves the application in `spin.toml`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    host_test::cli::run(std::env::args()).await
}
