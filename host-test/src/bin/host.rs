//! The project's own host: `host up` serves the application in `spin.toml`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    host_test::cli::run(std::env::args()).await
}
