//! A Redis of the test's own, from the system's packages: on a free port, in a temporary folder,
//! gone with the test.

use crate::program::free_port;
use std::{path::Path, process::Stdio, time::Duration};
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
    port: u16,
    options: Vec<String>,
}

/// A running Redis with these further options; none where the program is missing, which only a
/// developer's machine may do.
pub async fn redis(options: &[&str]) -> Option<RedisServer> {
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
        if let Some(child) = spawn(&folder, port, &options).await {
            return Some(RedisServer {
                child,
                folder,
                port,
                options,
            });
        }
    }
    panic!("redis-server does not start");
}

/// None when it ended or does not listen.
async fn spawn(folder: &TempDir, port: u16, options: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
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
        format!("redis://:{PASSWORD}@127.0.0.1:{}/0", self.port)
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Again on the same port and the same folder.
    pub async fn start_again(&mut self) {
        let again = spawn(&self.folder, self.port, &self.options).await;
        self.child = again.expect("redis-server starts again");
    }

    /// `SIGSTOP` or `SIGCONT`: it hangs, or goes on.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([name, &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }
}
