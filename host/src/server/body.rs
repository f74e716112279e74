//! Bodies: how large one may be on its route, and how slowly its client may send it.

use bytes::Bytes;
use http::{HeaderMap, Method, header, request::Parts};
use http_body_util::BodyExt;
use hyper::body::Body;
use std::time::Duration;
use tokio::time::Instant;

/// A KiotViet delivery, or one that a person tries, may be so large, bytes.
pub(super) const LARGE_BYTES: usize = 5 * 1024 * 1024;
/// A body up to here is read without a large body's place, bytes.
pub(super) const SMALL_BYTES: usize = 64 * 1024;
/// A body that carries no credential may be so large, bytes.
pub(super) const STRANGERS_BYTES: usize = 4 * 1024;
/// So much of a refused body is read on, bytes: a client that is still sending does not see its answer.
const DISCARDED_BYTES: u64 = 32 * 1024 * 1024;

/// Most bytes of the body of a request with this head. Above [`SMALL_BYTES`] a large body's place is needed, which
/// only a sender who is known gets.
pub(super) fn most(method: &Method, path: &str, headers: &HeaderMap) -> usize {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let credential = |name| headers.contains_key(name);
    match (method, segments.as_slice()) {
        (_, ["hooks", _, _]) => LARGE_BYTES,
        (&Method::POST, ["api", "preview", _]) if credential(header::AUTHORIZATION) => LARGE_BYTES,
        (&Method::POST, ["ui", "try"]) if credential(header::COOKIE) => LARGE_BYTES,
        (_, ["api", ..]) if credential(header::AUTHORIZATION) => SMALL_BYTES,
        (_, ["ui", "login"]) => STRANGERS_BYTES,
        (_, ["ui", ..]) if credential(header::COOKIE) => SMALL_BYTES,
        _ => STRANGERS_BYTES,
    }
}

/// How slowly a client may send a body.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Longest pause between two pieces.
    pub pause: Duration,
    /// What every body may take.
    pub start: Duration,
    /// Beyond that, bytes a second on average.
    pub bytes_a_second: u32,
}

impl Default for Pace {
    /// A delivery of the largest size may take a minute and a half; KiotViet gives up after five seconds.
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(5),
            start: Duration::from_secs(10),
            bytes_a_second: 64 * 1024,
        }
    }
}

/// A body that ended early, or too slow a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Reads one body piece by piece, at its client's pace.
pub(super) struct Reader<B> {
    body: B,
    pace: Pace,
    /// When the client could begin; later, where the host let it wait.
    began: Instant,
    bytes: u64,
}

impl<B: Body<Data = Bytes> + Unpin> Reader<B> {
    pub(super) fn new(body: B, pace: Pace) -> Self {
        Self {
            body,
            pace,
            began: Instant::now(),
            bytes: 0,
        }
    }

    /// How large it is at least, as far as its head tells.
    pub(super) fn told(&self) -> u64 {
        self.body.size_hint().lower()
    }

    /// The host did not read on since `since`.
    pub(super) fn excuse(&mut self, since: Instant) {
        self.began += since.elapsed();
    }

    /// The next piece; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let earned = Duration::from_secs(1) * u32::try_from(self.bytes).unwrap_or(u32::MAX)
                / self.pace.bytes_a_second.max(1);
            let due = self.began + self.pace.start + earned;
            let due = due.min(Instant::now() + self.pace.pause);
            let frame = tokio::time::timeout_at(due, self.body.frame());
            match frame.await.map_err(|_| Broken)? {
                None => return Ok(None),
                Some(frame) => {
                    // Trailers are nothing to the guest.
                    if let Ok(data) = frame.map_err(|_| Broken)?.into_data() {
                        self.bytes += data.len() as u64;
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Reads on without keeping anything, so that the client comes to its answer. One that waits for the host's word
    /// before it sends (`Expect`) is not told to.
    pub(super) async fn discard(mut self, head: &Parts) {
        if self.bytes == 0 && head.headers.contains_key(header::EXPECT) {
            return;
        }
        while self.bytes <= DISCARDED_BYTES
            && let Ok(Some(_)) = self.next().await
        {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Pace, Reader, most};
    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use hyper::body::{Body, Frame};
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll, ready},
        time::Duration,
    };
    use tokio::{
        sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        time::{Instant, sleep},
    };

    const PACE: Pace = Pace {
        pause: Duration::from_secs(5),
        start: Duration::from_secs(10),
        bytes_a_second: 1000,
    };

    /// A body that comes through a channel.
    struct Sent(UnboundedReceiver<Bytes>);

    impl Body for Sent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let piece = ready!(self.0.poll_recv(context));
            Poll::Ready(piece.map(|data| Ok(Frame::data(data))))
        }
    }

    fn reader() -> (UnboundedSender<Bytes>, Reader<Sent>) {
        let (sender, sent) = unbounded_channel();
        (sender, Reader::new(Sent(sent), PACE))
    }

    /// Sends pieces of `bytes` with a pause before each, until nobody reads.
    fn drip(sender: UnboundedSender<Bytes>, bytes: usize, pause: Duration) {
        tokio::spawn(async move {
            loop {
                sleep(pause).await;
                if sender.send(Bytes::from(vec![0; bytes])).is_err() {
                    return;
                }
            }
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_is_cut_after_the_pause() {
        let (sender, mut reader) = reader();
        sender.send(Bytes::from_static(b"{")).expect("it reads");
        assert_eq!(reader.next().await, Ok(Some(Bytes::from_static(b"{"))));
        let began = Instant::now();
        assert_eq!(reader.next().await, Err(Broken));
        assert_eq!(began.elapsed(), PACE.pause);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_drips_is_cut_although_it_never_stops() {
        let (sender, mut reader) = reader();
        let began = Instant::now();
        drip(sender, 1, Duration::from_secs(1));
        while let Ok(Some(_)) = reader.next().await {}
        assert!(began.elapsed() >= PACE.start);
        assert!(began.elapsed() <= PACE.start + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_keeps_the_pace_may_take_long() {
        let (sender, mut reader) = reader();
        let began = Instant::now();
        drip(sender, 4000, Duration::from_secs(4));
        while began.elapsed() < Duration::from_secs(600) {
            assert!(matches!(reader.next().await, Ok(Some(_))));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_for_which_the_host_let_it_wait_does_not_count() {
        let (sender, mut reader) = reader();
        let since = Instant::now();
        sleep(Duration::from_secs(60)).await;
        reader.excuse(since);
        sender.send(Bytes::from_static(b"{}")).expect("it reads");
        drop(sender);
        assert!(matches!(reader.next().await, Ok(Some(_))));
        assert_eq!(reader.next().await, Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_refused_body_only_so_much_is_read_on() {
        let (sender, reader) = reader();
        drip(sender, 1 << 20, Duration::from_millis(1));
        let began = Instant::now();
        let (head, ()) = http::Request::new(()).into_parts();
        reader.discard(&head).await;
        assert!(began.elapsed() < Duration::from_millis(40), "33 MiB");
    }

    #[test]
    fn a_large_body_is_for_deliveries_and_for_who_tries_one_and_shows_a_credential() {
        let with = |name: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(name) = name {
                headers.insert(name, "x".parse().expect("a value"));
            }
            headers
        };
        let (mib5, kib64, kib4) = (5 << 20, 64 << 10, 4 << 10);
        let (token, cookie) = (Some("authorization"), Some("cookie"));
        for (method, path, shown, bytes) in [
            ("POST", "/hooks/shop/token", None, mib5),
            ("POST", "/hooks/shop", None, kib4),
            ("POST", "/api/preview/shop", token, mib5),
            ("GET", "/api/preview/shop", token, kib64),
            ("POST", "/api/preview/shop", None, kib4),
            ("PUT", "/api/connections/shop", token, kib64),
            ("PUT", "/api/connections/shop", None, kib4),
            ("POST", "/ui/try", cookie, mib5),
            ("POST", "/ui/try", None, kib4),
            ("POST", "/ui/login", cookie, kib4),
            ("POST", "/ui/connect", cookie, kib64),
            ("POST", "/ui/connect", token, kib4),
            ("GET", "/", cookie, kib4),
            ("POST", "/healthz", token, kib4),
        ] {
            let method: Method = method.parse().expect("a method");
            let found = most(&method, path, &with(shown));
            assert_eq!(found, bytes, "{method} {path} {shown:?}");
        }
    }
}
