//! A test's own Redis, from the system's packages: on a free port, in a temporary folder, removed
//! with the test.

use crate::program::free_port;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// The password of every Redis here.
pub const PASSWORD: &str = "a-password-for-redis-tests";

/// A running Redis. Dropping it kills it and removes its files.
pub struct RedisServer {
    child: Child,
    folder: TempDir,
    listens: &'static str,
    port: u16,
    options: Vec<String>,
    certificates: Option<TempDir>,
}

/// A running Redis with these further options; none if the program is missing, which is allowed on
/// a developer's machine only.
pub async fn redis(options: &[&str]) -> Option<RedisServer> {
    redis_on(options, "--port").await
}

/// The same; `listens` is the option with its port.
async fn redis_on(options: &[&str], listens: &'static str) -> Option<RedisServer> {
    let found = Command::new("redis-server").arg("--version").output().await;
    if found.is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "redis-server is missing: apt-get install redis-server"
        );
        eprintln!("left out: redis-server is missing (apt-get install redis-server)");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let options: Vec<String> = options.iter().map(|o| (*o).to_owned()).collect();
    // Another program may take a free port first.
    for _ in 0..5 {
        let port = free_port().expect("a port");
        if let Some(child) = spawn(&folder, listens, port, &options).await {
            return Some(RedisServer {
                child,
                folder,
                listens,
                port,
                options,
                certificates: None,
            });
        }
    }
    panic!("redis-server does not start");
}

/// A running Redis that speaks TLS only, and the file with the authority that signed its
/// certificate; none if a program is missing, which is allowed on a developer's machine only.
pub async fn redis_with_tls() -> Option<(RedisServer, PathBuf)> {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("sh")
        .args(["-ec", CERTIFICATES])
        .current_dir(folder.path())
        .output()
        .await
        .expect("sh runs");
    if !made.status.success() {
        let words = String::from_utf8_lossy(&made.stderr);
        assert!(std::env::var_os("CI").is_none(), "openssl: {words}");
        eprintln!(
            "left out: openssl does not make certificates (apt-get install openssl): {words}"
        );
        return None;
    }
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (authority, certificate, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
    let options = [
        ["--tls-cert-file", &certificate],
        ["--tls-key-file", &key],
        ["--tls-ca-cert-file", &authority],
        ["--tls-auth-clients", "no"],
    ];
    let mut server = redis_on(options.as_flattened(), "--tls-port").await?;
    server.certificates = Some(folder);
    Some((server, PathBuf::from(authority)))
}

/// An authority and a certificate for 127.0.0.1 that it signed.
const CERTIFICATES: &str = "
new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $new -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
openssl req $new -subj /CN=redis -keyout key.pem -out request.pem
printf 'subjectAltName=IP:127.0.0.1\n' > names
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
";

/// None if it ended or does not listen.
async fn spawn(folder: &TempDir, listens: &str, port: u16, options: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", "0"])
        .args([listens, &port.to_string()])
        .args(["--requirepass", PASSWORD, "--save", "", "--dir"])
        .arg(folder.path())
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("redis-server starts");
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if child.try_wait().expect("its state").is_some() {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Some(child);
        }
    }
    None
}

impl RedisServer {
    /// Its address, with the password.
    pub fn url(&self) -> String {
        let scheme = match &self.certificates {
            Some(_) => "rediss",
            None => "redis",
        };
        format!("{scheme}://:{PASSWORD}@127.0.0.1:{}/0", self.port)
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Starts again on the same port and the same folder.
    pub async fn start_again(&mut self) {
        let again = spawn(&self.folder, self.listens, self.port, &self.options).await;
        self.child = again.expect("redis-server starts again");
    }

    /// `SIGSTOP` or `SIGCONT`: it hangs, or goes on.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([name, &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }
}
