//! Claims that `host up` serves the application, loses nothing at `kill -9`, stops cleanly at
//! SIGTERM with nothing left half done, and says in words what is wrong with its arguments. How: the real program on loopback.

use bytes::Bytes;
use host_test::{
    native::{ADMIN_TOKEN, MASTER_KEY},
    sim::{
        GetflySim, KiotVietSim, Server, TokioClock,
        getfly::GetflySettings,
        kiotviet::{NewCustomer, Settings},
        serve,
    },
};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

struct Vendors {
    kiotviet: Arc<KiotVietSim>,
    getfly: Arc<GetflySim>,
    kiotviet_server: Server,
    getfly_server: Server,
}

async fn vendors() -> Vendors {
    slow_vendors(Duration::ZERO).await
}

/// Getfly takes `latency` for each call.
async fn slow_vendors(latency: Duration) -> Vendors {
    let clock = Arc::new(TokioClock::starting_at(jiff::Timestamp::now()));
    let kiotviet = Arc::new(KiotVietSim::new(Settings::default(), clock.clone()));
    let settings = GetflySettings {
        latency,
        ..GetflySettings::default()
    };
    let getfly = Arc::new(GetflySim::new(settings, clock));
    let listener = || TcpListener::bind("127.0.0.1:0");
    let kiotviet_server =
        serve(kiotviet.clone(), listener().await.expect("a port")).expect("serving");
    let getfly_server = serve(getfly.clone(), listener().await.expect("a port")).expect("serving");
    Vendors {
        kiotviet,
        getfly,
        kiotviet_server,
        getfly_server,
    }
}

struct Host {
    child: Child,
    origin: String,
}

async fn up(state: &Path, vendors: &Vendors, drain_every: &str) -> Host {
    let variables = [
        ("getfly_url", vendors.getfly_server.origin()),
        ("getfly_api_key", vendors.getfly.settings().api_key),
        ("public_url", "http://127.0.0.1:1".to_owned()),
        ("admin_token", ADMIN_TOKEN.to_owned()),
        ("master_key", MASTER_KEY.to_owned()),
        ("kiotviet_api_url", vendors.kiotviet_server.origin()),
        ("kiotviet_auth_url", vendors.kiotviet_server.origin()),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command
        .args([
            "up",
            "--listen",
            "127.0.0.1:0",
            "--drain-every",
            drain_every,
            "--state-dir",
        ])
        .arg(state);
    for (name, value) in variables {
        command.arg("--variable").arg(format!("{name}={value}"));
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the host starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines
        .next_line()
        .await
        .expect("readable")
        .expect("it serves");
    let origin = line
        .strip_prefix("Serving ")
        .expect("the line says where")
        .to_owned();
    Host { child, origin }
}

impl Host {
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> (u16, Value) {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = request.body(Full::new(body)).expect("a request");
        let response = client.request(request).await.expect("an answer");
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn api(&self, method: &str, path: &str, body: Value) -> Value {
        let authorization = format!("Bearer {ADMIN_TOKEN}");
        let headers = [("authorization", authorization.as_str())];
        let (status, answer) = self
            .send(
                method,
                &format!("/api/{path}"),
                &headers,
                body.to_string().into(),
            )
            .await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn connect(&self, vendors: &Vendors) {
        let settings = vendors.kiotviet.settings();
        let body = json!({ "retailer": settings.retailer, "client_id": settings.client_id, "client_secret": settings.client_secret });
        self.api("PUT", "connections/shop", body).await;
        self.api("PUT", "connections/shop/webhooks/customer", Value::Null)
            .await;
    }

    /// A customer is created at KiotViet, and its webhook answered 200.
    async fn deliver_a_customer(&self, vendors: &Vendors) {
        vendors.kiotviet.create_customer(NewCustomer {
            name: "Anh Bền".into(),
            ..NewCustomer::default()
        });
        let delivery = vendors.kiotviet.take_deliveries().pop();
        let delivery = delivery.expect("a delivery");
        let (parts, body) = vendors.kiotviet.request(&delivery).into_parts();
        let signature = parts.headers["x-hub-signature"].to_str().expect("text");
        let headers = [("x-hub-signature", signature)];
        let (status, _) = self.send("POST", parts.uri.path(), &headers, body).await;
        assert_eq!(status, 200);
    }

    /// The exit code after SIGTERM.
    async fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.expect("kill runs").success());
        self.child.wait().await.expect("it ends").code()
    }
}

#[tokio::test]
async fn what_was_answered_200_is_there_after_kill_9_and_sigterm_stops_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let mut host = up(folder.path(), &vendors, "0").await;
    let (status, health) = host.send("GET", "/healthz", &[], Bytes::new()).await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    host.connect(&vendors).await;
    host.deliver_a_customer(&vendors).await;
    host.child.kill().await.expect("killed");

    let mut host = up(folder.path(), &vendors, "0").await;
    // A drain waits for the lease of the host that was killed.
    host.api("POST", "drain", Value::Null).await;
    let events = host.api("GET", "events", Value::Null).await;
    assert_eq!(events["events"][0]["state"], "done", "{events}");
    assert_eq!(vendors.getfly.accounts().len(), 1);
    assert_eq!(host.terminate().await, Some(0));
}

#[tokio::test]
async fn sigterm_lets_what_was_accepted_be_processed_and_does_not_wait_for_idle_clients() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = slow_vendors(Duration::from_millis(500)).await;
    let mut host = up(folder.path(), &vendors, "0").await;
    host.connect(&vendors).await;
    let address = host.origin.trim_start_matches("http://").to_owned();
    let idle = TcpStream::connect(&address).await.expect("a connection");
    host.deliver_a_customer(&vendors).await;
    assert!(
        vendors.getfly.accounts().is_empty(),
        "it is still under way"
    );
    let asked = Instant::now();
    assert_eq!(host.terminate().await, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(9), "it did not wait");
    assert_eq!(vendors.getfly.accounts().len(), 1);
    drop(idle);
}

#[tokio::test]
async fn a_header_without_end_is_refused_before_the_guest_sees_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let host = up(folder.path(), &vendors, "0").await;
    let long = "x".repeat(300_000);
    let (status, _) = host
        .send("GET", "/healthz", &[("x-long", &long)], Bytes::new())
        .await;
    assert_eq!(status, 431);
}

async fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_host"))
        .args(arguments)
        .output()
        .await
        .expect("the host runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[tokio::test]
async fn wrong_arguments_are_refused_in_words() {
    let (code, words) = refused(&["up"]).await;
    assert_eq!(code, Some(1));
    assert!(
        words.contains("required variables have no value")
            && words.contains("SPIN_VARIABLE_GETFLY_URL"),
        "{words}"
    );
    let (code, words) = refused(&["up", "--listen", "nowhere"]).await;
    assert_eq!(code, Some(2), "{words}");
    let (code, words) = refused(&["up", "--variable", "getfly_url"]).await;
    assert_eq!(code, Some(2));
    assert!(words.contains("NAME=VALUE"), "{words}");
    let (_, words) = refused(&["up", "--drain-every", "soon"]).await;
    assert!(words.contains("60s, 5m or 0"), "{words}");
    let (_, words) = refused(&["up", "--variable", "no_such=1"]).await;
    assert!(words.contains("unknown variable: no_such"), "{words}");
}
