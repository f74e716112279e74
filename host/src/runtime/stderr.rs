//! The guest's log: its standard error, line by line.

use super::LogSink;
use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Longest log line kept whole; a longer one is cut into several.
const LINE_BYTES: usize = 64 * 1024;

/// The guest's standard error, cut into lines.
pub(super) struct Lines(pub(super) LogSink);

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(LineWriter {
            sink: self.0.clone(),
            line: Mutex::default(),
        })
    }
}

struct LineWriter {
    sink: LogSink,
    line: Mutex<Vec<u8>>,
}

impl LineWriter {
    fn write(&self, bytes: &[u8]) {
        let mut line = self
            .line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
            }
            if *byte == b'\n' || line.len() >= LINE_BYTES {
                (self.sink)(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
    }
}

impl Drop for LineWriter {
    /// The last words of a stopped guest matter most, so they are not lost.
    fn drop(&mut self) {
        let line = self
            .line
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !line.is_empty() {
            (self.sink)(&String::from_utf8_lossy(line));
        }
    }
}

impl AsyncWrite for LineWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
