//! Headers and bodies on the types of `wasi:http` themselves. The `http` crate's types would double
//! the code for nothing.

use super::bindings::{
    wasi::http::types::{ErrorCode, Fields, Trailers},
    wit_future, wit_stream,
};
use spin_sdk::wit_bindgen::{FutureReader, StreamReader, StreamResult, spawn};

/// How much of a body is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a body ends.
type End = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// Why a body could not be read whole.
pub(super) enum ReadError {
    /// Longer than allowed.
    TooLarge,
    /// The connection broke.
    Broken(ErrorCode),
}

/// The first header field of this name, if it is text.
pub(super) fn header(headers: &Fields, name: &str) -> Option<String> {
    let first = headers.get(name).into_iter().next()?;
    String::from_utf8(first).ok()
}

/// Reads a whole body, keeping at most `limit` bytes in memory.
pub(super) async fn read(
    mut bytes: StreamReader<u8>,
    end: End,
    limit: usize,
) -> Result<Vec<u8>, ReadError> {
    let mut whole = Vec::new();
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    loop {
        chunk.clear();
        let status;
        (status, chunk) = bytes.read(chunk).await;
        if whole.len().saturating_add(chunk.len()) > limit {
            return Err(ReadError::TooLarge);
        }
        whole.extend_from_slice(&chunk);
        match status {
            StreamResult::Complete(_) => {}
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    end.await.map_err(ReadError::Broken)?;
    Ok(whole)
}

/// Writes a body in the background; none for an empty one.
pub(super) fn write(body: Vec<u8>) -> (Option<StreamReader<u8>>, End) {
    if body.is_empty() {
        let (_whole, end) = wit_future::new(|| Ok(None));
        return (None, end);
    }
    let (mut writer, contents) = wit_stream::new();
    let (whole, end) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
    spawn(async move {
        let unwritten = writer.write_all(body).await;
        drop(writer);
        if unwritten.is_empty() {
            // The reader may be gone.
            let _ = whole.write(Ok(None)).await;
        }
    });
    (Some(contents), end)
}
