//! The real program: served as a child process, or run to its end.

use super::vendors::Vendors;
use bytes::Bytes;
use host_test::native::{ADMIN_TOKEN, MASTER_KEY};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

/// A host that serves.
pub(crate) struct Host {
    pub(crate) child: Child,
    pub(crate) origin: String,
    log: JoinHandle<String>,
    output: JoinHandle<String>,
}

/// The variables of a sound configuration that calls these vendors, as arguments.
pub(crate) fn variables(vendors: &Vendors) -> Vec<String> {
    let variables = [
        ("getfly_url", vendors.getfly_server.origin()),
        ("getfly_api_key", vendors.getfly.settings().api_key),
        ("public_url", "http://127.0.0.1:1".to_owned()),
        ("admin_token", ADMIN_TOKEN.to_owned()),
        ("master_key", MASTER_KEY.to_owned()),
        ("kiotviet_api_url", vendors.kiotviet_server.origin()),
        ("kiotviet_auth_url", vendors.kiotviet_server.origin()),
    ];
    let variables = variables.into_iter();
    let arguments = variables.flat_map(|(n, v)| ["--variable".to_owned(), format!("{n}={v}")]);
    arguments.collect()
}

/// `kvgf up` on a store in this folder.
pub(crate) async fn up(state: &Path, vendors: &Vendors, drain_every: &str) -> Host {
    let state = state.to_str().expect("text");
    let more = ["--drain-every", drain_every, "--state-dir", state];
    up_with(vendors, &more).await
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
    let mut child = Command::new(env!("CARGO_BIN_EXE_host"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the host starts");
    let mut errors = child.stderr.take().expect("its log");
    let log = tokio::spawn(async move {
        let mut log = String::new();
        let _ = errors.read_to_string(&mut log).await;
        log
    });
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines
        .next_line()
        .await
        .expect("readable")
        .expect("it serves");
    let origin = line
        .strip_prefix(said)
        .expect("the line says where")
        .to_owned();
    // Read on, so that it never waits for us.
    let output = tokio::spawn(async move {
        let mut output = line + "\n";
        while let Ok(Some(line)) = lines.next_line().await {
            output += &line;
            output.push('\n');
        }
        output
    });
    Host {
        child,
        origin,
        log,
        output,
    }
}

impl Host {
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> (u16, Value) {
        let (status, body) = self.send_raw(method, path, headers, body).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn send_raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> (u16, Bytes) {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        let response = self.exchange(request).await;
        (response.status().as_u16(), response.into_body())
    }

    /// Sends a request; only path and query of its address count.
    pub(crate) async fn exchange(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.origin)
            .parse()
            .expect("an address");
        let request = http::Request::from_parts(parts, Full::new(body));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        http::Response::from_parts(parts, body)
    }

    /// An admin's request, whatever the answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let authorization = format!("Bearer {ADMIN_TOKEN}");
        let headers = [("authorization", authorization.as_str())];
        let path = format!("/api/{path}");
        self.send(method, &path, &headers, body.to_string().into())
            .await
    }

    /// An admin's request that must be answered 200.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Connects the shop and switches these webhooks on.
    pub(crate) async fn connect_with(&self, vendors: &Vendors, webhooks: &[&str]) {
        let settings = vendors.kiotviet.settings();
        let body = json!({ "retailer": settings.retailer, "client_id": settings.client_id, "client_secret": settings.client_secret });
        self.api("PUT", "connections/shop", body).await;
        for webhook in webhooks {
            let path = format!("connections/shop/webhooks/{webhook}");
            self.api("PUT", &path, Value::Null).await;
        }
    }

    /// The exit code after SIGTERM.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.expect("kill runs").success());
        self.child.wait().await.expect("it ends").code()
    }

    /// All that it wrote, once it has ended.
    pub(crate) async fn wrote(self) -> String {
        self.output.await.expect("its output") + &self.log.await.expect("its log")
    }

    /// Kills it; gives its whole log.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.expect("killed");
        self.log.await.expect("its log")
    }
}

/// What the program gave when it was run to its end.
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
