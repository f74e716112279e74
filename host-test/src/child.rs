//! The host as a process of its own, so that it can be killed.

use anyhow::{Context, Result, bail};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// The host that runs.
pub struct Process {
    child: Child,
    output: Option<Lines<BufReader<ChildStdout>>>,
}

impl Process {
    /// Starts the host: a program and its arguments. It does not serve yet.
    pub fn start(words: &[String]) -> Result<Self> {
        let (program, arguments) = words.split_first().context("a program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting the host")?;
        let output = child.stdout.take().context("the host's output")?;
        let output = Some(BufReader::new(output).lines());
        Ok(Self { child, output })
    }

    /// Waits until it says that it serves.
    pub async fn serves(&mut self) -> Result<()> {
        let mut output = self.output.take().context("asked once only")?;
        while let Some(line) = output.next_line().await? {
            if line.starts_with("Serving ") {
                // Whatever else it says must not fill its pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
                return Ok(());
            }
        }
        bail!(
            "the host ended before it served: {}",
            self.child.wait().await?
        )
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("killing the host")
    }

    /// The exit code after SIGTERM.
    pub async fn stop(mut self) -> Result<Option<i32>> {
        let id = self.child.id().context("it runs")?.to_string();
        Command::new("kill").args(["-TERM", &id]).status().await?;
        Ok(self.child.wait().await?.code())
    }

    /// Most memory so far, MiB; 0 where the system does not tell.
    pub fn peak_mebibytes(&self) -> u64 {
        let read = || {
            let file = format!("/proc/{}/status", self.child.id()?);
            let status = std::fs::read_to_string(file).ok()?;
            let mut lines = status.lines();
            let peak = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
            peak.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        };
        read().unwrap_or_default() / 1024
    }
}

/// A port of loopback that is free when this returns.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
