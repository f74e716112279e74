//! Runs the real host as a process of its own, so that it can be killed.

use anyhow::{Context, Result, bail, ensure};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

/// A running program. Dropping it kills it.
pub struct Program {
    child: Child,
    output: Option<Lines<BufReader<ChildStdout>>>,
    /// Its standard output after the line that was waited for.
    written: Option<JoinHandle<String>>,
    log: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts a program with its arguments, and keeps its log.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start<S: AsRef<str>>(words: &[S]) -> Result<Self> {
        let mut program = Self::spawn(words, Stdio::piped())?;
        let mut log = program.child.stderr.take().context("its log")?;
        program.log = Some(tokio::spawn(async move {
            let mut text = String::new();
            let _ = log.read_to_string(&mut text).await;
            text
        }));
        Ok(program)
    }

    /// Starts a program without keeping its log.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_unlogged<S: AsRef<str>>(words: &[S]) -> Result<Self> {
        Self::spawn(words, Stdio::null())
    }

    fn spawn<S: AsRef<str>>(words: &[S], log: Stdio) -> Result<Self> {
        let (program, arguments) = words.split_first().context("a program")?;
        let mut child = Command::new(program.as_ref())
            .args(arguments.iter().map(AsRef::as_ref))
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("starting the program")?;
        let output = child.stdout.take().context("its output")?;
        Ok(Self {
            child,
            output: Some(BufReader::new(output).lines()),
            written: None,
            log: None,
        })
    }

    /// Waits until the host serves; returns its origin.
    ///
    /// # Errors
    /// If it ends before.
    pub async fn serves(&mut self) -> Result<String> {
        self.says("Serving ").await
    }

    /// Waits for a line that begins with these words; returns the rest of it.
    ///
    /// # Errors
    /// If it ends before.
    pub async fn says(&mut self, words: &str) -> Result<String> {
        let mut output = self.output.take().context("asked once only")?;
        while let Some(line) = output.next_line().await? {
            let Some(rest) = line.strip_prefix(words) else {
                continue;
            };
            let rest = rest.to_owned();
            // Reads on, so that the program never waits for a full pipe.
            self.written = Some(tokio::spawn(async move {
                let mut written = line + "\n";
                while let Ok(Some(line)) = output.next_line().await {
                    written += &line;
                    written.push('\n');
                }
                written
            }));
            return Ok(rest);
        }
        bail!(
            "it ended before it said {words:?}: {}",
            self.child.wait().await?
        )
    }

    /// `kill -9`: no handler runs, nothing is flushed. Returns its log.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub async fn kill(mut self) -> Result<String> {
        self.child.kill().await.context("killing it")?;
        finished(self.log).await
    }

    /// Sends it a signal, by its name.
    ///
    /// # Errors
    /// If it cannot be sent.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let id = self.child.id().context("it runs")?.to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        ensure!(sent.await?.success(), "it was not sent");
        Ok(())
    }

    /// Ends it with SIGTERM; returns the exit code and its output.
    ///
    /// # Errors
    /// If it cannot be ended.
    pub async fn stop(mut self) -> Result<(Option<i32>, String)> {
        self.signal("TERM").await?;
        let code = self.child.wait().await?.code();
        Ok((
            code,
            finished(self.written).await? + &finished(self.log).await?,
        ))
    }

    /// Its number in the system.
    ///
    /// # Errors
    /// If it has ended.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("it runs")
    }

    /// The peak of its memory, MiB; 0 if the system does not say.
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

async fn finished(text: Option<JoinHandle<String>>) -> Result<String> {
    match text {
        Some(text) => Ok(text.await?),
        None => Ok(String::new()),
    }
}

/// A port of loopback that is free when this returns.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
