//! The real program: served as a child process, or run to its end.

use anyhow::Result;
use bytes::Bytes;
use host_test::{
    admin::{Admin, Carrier, Remote, Reply},
    program::Program,
    shop::{CONNECTION, On},
    variables::ADMIN_TOKEN,
    vendors::Vendors,
};
use serde_json::Value;
use sim::{getfly::GetflySettings, kiotviet::Settings};
use std::{path::Path, process::Stdio};
use tokio::process::Command;

/// A host that serves.
pub(crate) struct Host {
    program: Program,
    remote: Remote,
}

impl Carrier for Host {
    async fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.remote.carry(request).await
    }
}

/// Both vendors on sockets.
pub(crate) async fn vendors() -> Vendors {
    let vendors = Vendors::new(Settings::default(), GetflySettings::default());
    vendors.serve().await.expect("they are served")
}

/// The variables of a sound configuration that calls these vendors, as arguments.
pub(crate) fn variables(vendors: &Vendors) -> Vec<String> {
    vendors.arguments("http://127.0.0.1:1", ADMIN_TOKEN)
}

/// `kvgf up` on a store in this folder, where only a request starts a drain.
pub(crate) async fn up(state: &Path, vendors: &Vendors) -> Host {
    let state = state.to_str().expect("text");
    up_with(vendors, &["--drain-every", "0", "--state-dir", state]).await
}

/// `kvgf up` with these further arguments.
pub(crate) async fn up_with(vendors: &Vendors, more: &[&str]) -> Host {
    let mut arguments = vec!["up", "--listen", "127.0.0.1:0"];
    arguments.extend(more);
    let variables = variables(vendors);
    arguments.extend(variables.iter().map(String::as_str));
    start(&arguments, "Serving ").await
}

/// Starts the program and waits for the line that says where it listens.
pub(crate) async fn start(arguments: &[&str], said: &str) -> Host {
    let words = [&[env!("CARGO_BIN_EXE_host")], arguments].concat();
    let mut program = Program::start(&words).expect("the host starts");
    let origin = program.says(said).await.expect("it says where it listens");
    let remote = Remote::new(origin, ADMIN_TOKEN);
    Host { program, remote }
}

/// The body of an answer that must be 200.
pub(crate) fn ok((status, answer): Reply) -> Value {
    assert_eq!(status, 200, "{answer}");
    answer
}

impl Host {
    pub(crate) fn origin(&self) -> &str {
        &self.remote.origin
    }

    /// Carries a request; returns the status and the body as JSON.
    pub(crate) async fn send(&self, request: http::Request<Bytes>) -> Reply {
        let answer = self.carry(request).await.expect("an answer");
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    /// Looks at its health.
    pub(crate) async fn health(&self) -> Reply {
        let request = http::Request::get("/healthz").body(Bytes::new());
        self.send(request.expect("a request")).await
    }

    /// Connects the shop and switches these webhooks on.
    pub(crate) async fn connect_with(&self, vendors: &Vendors, on: On) {
        ok(self.connect(CONNECTION, &vendors.kiotviet.settings()).await);
        for webhook in on.webhooks() {
            ok(self.switch(CONNECTION, webhook, true).await);
        }
    }

    /// Ends it with SIGTERM, after which its exit code must be 0; returns its output.
    pub(crate) async fn stop(self) -> String {
        let (code, wrote) = self.program.stop().await.expect("it ends");
        assert_eq!(code, Some(0), "{wrote}");
        wrote
    }

    /// Kills it; returns its whole log.
    pub(crate) async fn kill(self) -> String {
        self.program.kill().await.expect("killed")
    }
}

/// The result of a program that was run to its end.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_host"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the host runs");
    Run {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
