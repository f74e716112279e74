//! Claims that the examples in `deploy/proxy/` work as they are: they pass what KiotViet and people
//! send, refuse what is too large, answer nothing below `/hooks/` that stops KiotViet, and log no
//! webhook's path, even when the host is gone. How: real nginx (with TLS) and Caddy before the real
//! program, with only names, ports and paths changed.

use crate::process::{Host, up_with, vendors};
use host_test::{
    program::free_port,
    shop::{On, hoa},
    vendors::Vendors,
};
use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
};

const NAME: &str = "bridge.example.vn";
/// A proxy's log lines are there within this.
const LOGGED_WITHIN: Duration = Duration::from_secs(60);

/// The program's version; none if it is missing, which is allowed on a developer's machine only.
async fn found(program: &str, asks: &str) -> bool {
    let found = Command::new(program).arg(asks).output().await.is_ok();
    if !found {
        assert!(
            std::env::var_os("CI").is_none(),
            "{program} is missing: apt-get install {program}"
        );
        eprintln!("left out: {program} is missing (apt-get install {program})");
    }
    found
}

/// The example with each of `changes` made wherever its left side occurs, which must be somewhere.
fn example(file: &str, changes: &[(&str, String)]) -> String {
    let path = xtask::workspace_root().join("deploy/proxy").join(file);
    let mut text = fs::read_to_string(path).expect(file);
    for (from, to) in changes {
        assert!(text.contains(from), "{file} has no {from:?}");
        text = text.replace(from, to);
    }
    text
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A connected shop behind the host, and a delivery that is due.
struct Shop {
    vendors: Vendors,
    host: Host,
    _state: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let state = tempfile::tempdir().expect("a folder");
        let vendors = vendors().await;
        let folder = state.path().to_str().expect("text");
        let more = ["--drain-every", "0", "--state-dir", folder];
        let more = [&more[..], &["--trusted-proxy", "127.0.0.1"]].concat();
        let host = up_with(&vendors, &more).await;
        host.connect_with(&vendors, On::Customers).await;
        vendors.kiotviet.create_customer(hoa());
        Self {
            vendors,
            host,
            _state: state,
        }
    }

    fn address(&self) -> &str {
        self.host.origin().trim_start_matches("http://")
    }

    /// The delivery, and its path.
    fn delivery(&self) -> (String, String) {
        let delivery = self.vendors.kiotviet.take_deliveries().pop();
        let delivery = delivery.expect("a delivery");
        let (parts, body) = self.vendors.kiotviet.request(&delivery).into_parts();
        let signature = parts.headers["x-hub-signature"].to_str().expect("text");
        let path = parts.uri.path().to_owned();
        let signed = format!("x-hub-signature: {signature}\r\n");
        let body = String::from_utf8(body.to_vec()).expect("text");
        (post(&path, &signed, &body), path)
    }
}

fn post(path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n{fields}content-length: {length}\r\n\r\n{body}"
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n\r\n")
}

fn code(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// The answer to `request` without TLS.
async fn plain(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("it listens");
    // A proxy that refuses may not read the whole request.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to `request` over TLS from a server named `name`; empty if there is no connection.
async fn encrypted(port: u16, name: &str, request: &str) -> String {
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-servername", name])
        .args(["-connect", &format!("127.0.0.1:{port}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("openssl runs");
    let mut input = client.stdin.take().expect("its input");
    let _ = input.write_all(request.as_bytes()).await;
    let output = client.wait_with_output().await.expect("it ends");
    drop(input);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn listens(port: u16, proxy: &mut Child) {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(proxy.try_wait().expect("its state").is_none(), "it ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The content of all files in `folder`.
fn logged(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "log") {
            all += &fs::read_to_string(path).expect("a log");
        }
    }
    all
}

/// Waits until `what` is logged; returns the whole log.
async fn logs(folder: &Path, what: &str) -> String {
    let waiting = async {
        loop {
            let all = logged(folder);
            if all.contains(what) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let all = tokio::time::timeout(LOGGED_WITHIN, waiting).await;
    all.unwrap_or_else(|_| panic!("{what} is not logged: {}", logged(folder)))
}

/// The claims about each proxy; `send` carries a request to it, and a body that is too large for
/// its route is answered `too_large`.
async fn holds(shop: Shop, folder: &Path, too_large: u16, send: impl AsyncFn(&str) -> String) {
    assert_eq!(code(&send(&get("/healthz")).await), 200);
    let (delivery, path) = shop.delivery();
    assert_eq!(code(&send(&delivery).await), 200);
    let (_, token) = path.rsplit_once('/').expect("a token");
    let large = "x".repeat(2 << 20);
    assert_eq!(code(&send(&post(&path, "", &large)).await), 200, "kept");
    let hundred_kib = "x".repeat(100 << 10);
    let refused = send(&post("/ui/login", "", &hundred_kib)).await;
    assert_eq!(code(&refused), too_large);
    assert_eq!(code(&send(&get(&path)).await), 200);

    shop.host.kill().await;
    let gone = code(&send(&delivery).await);
    assert!(matches!(gone, 502..=504), "KiotViet sends it again: {gone}");
    // The proxy's answer about the page comes after its log lines about the delivery.
    assert!(matches!(code(&send(&get("/ui/last")).await), 502..=504));
    let all = logs(folder, "/ui/last").await;
    assert!(all.contains("/healthz"), "{all}");
    assert!(!all.contains(token), "a webhook's path is logged");
}

#[tokio::test]
async fn nginx_with_the_example_carries_deliveries_and_logs_no_webhooks_path() {
    if !(found("nginx", "-v").await && found("openssl", "version").await) {
        return;
    }
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let certificate = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=bridge.example.vn"])
        .args(["-keyout", &place("key.pem"), "-out", &place("cert.pem")])
        .output()
        .await
        .expect("openssl runs");
    assert!(certificate.status.success(), "{}", words(&certificate));
    let (port, open_port) = (free_port().expect("a port"), free_port().expect("a port"));
    let letsencrypt = "/etc/letsencrypt/live/bridge.example.vn";
    let changed = example(
        "nginx.conf",
        &[
            ("listen [::]:443 ssl default_server;", String::new()),
            ("listen [::]:443 ssl;", String::new()),
            ("listen [::]:80;", String::new()),
            ("listen 443 ", format!("listen 127.0.0.1:{port} ")),
            ("listen 80;", format!("listen 127.0.0.1:{open_port};")),
            (&format!("{letsencrypt}/fullchain.pem"), place("cert.pem")),
            (&format!("{letsencrypt}/privkey.pem"), place("key.pem")),
            ("/var/log/nginx", folder.path().display().to_string()),
            ("127.0.0.1:3000", shop.address().to_owned()),
        ],
    );
    fs::write(folder.path().join("kvgf.conf"), changed).expect("written");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .concat();
    let whole = format!(
        "daemon off; master_process off; pid nginx.pid; error_log error.log info;\n\
         events {{}}\nhttp {{ {temporary} include kvgf.conf; }}\n"
    );
    fs::write(folder.path().join("nginx.conf"), whole).expect("written");
    let nginx = || {
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(folder.path());
        nginx.args(["-c", "nginx.conf", "-e", "error.log"]);
        nginx
    };
    let tried = nginx().arg("-t").output().await.expect("nginx runs");
    assert!(tried.status.success(), "{}", words(&tried));
    let mut proxy = nginx().kill_on_drop(true).spawn().expect("nginx starts");
    listens(port, &mut proxy).await;

    assert_eq!(encrypted(port, "other.example", &get("/healthz")).await, "");
    assert_eq!(code(&plain(open_port, &get("/")).await), 301);
    let unencrypted = plain(open_port, &post("/hooks/shop/token", "", "{}")).await;
    assert_eq!(code(&unencrypted), 503);
    let send = async |request: &str| encrypted(port, NAME, request).await;
    holds(shop, folder.path(), 413, send).await;
    proxy.kill().await.expect("killed");
}

#[tokio::test]
async fn caddy_with_the_example_carries_deliveries_and_logs_no_webhooks_path() {
    if !found("caddy", "version").await {
        return;
    }
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port().expect("a port");
    let changed = example(
        "Caddyfile",
        &[
            (
                "{\n\tlog default",
                "{\n\tadmin off\n\tlog default".to_owned(),
            ),
            (
                "\nbridge.example.vn {",
                format!("\nhttp://{NAME}:{port} {{"),
            ),
            ("/var/log/caddy", folder.path().display().to_string()),
            ("127.0.0.1:3000", shop.address().to_owned()),
        ],
    );
    let config = folder.path().join("Caddyfile");
    fs::write(&config, changed).expect("written");
    let own_words = fs::File::create(folder.path().join("caddy.log")).expect("a file");
    let mut proxy = Command::new("caddy")
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&config)
        .env("HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(own_words)
        .kill_on_drop(true)
        .spawn()
        .expect("caddy starts");
    listens(port, &mut proxy).await;
    let send = async |request: &str| plain(port, request).await;
    // Debian's Caddy 2.6 says that it could not pass it on.
    let refused = plain(port, &post("/ui/login", "", &"x".repeat(100 << 10))).await;
    assert!(matches!(code(&refused), 413 | 502), "{refused}");
    holds(shop, folder.path(), code(&refused), send).await;
    proxy.kill().await.expect("killed");
}
