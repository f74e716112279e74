//! Claims that strangers cannot use the host's server against its owner: the guest sees the path
//! that a proxy in front saw, a stranger gets no place for a large body, and connections whose
//! clients let the host wait make room for others. How: the server on loopback, with small bounds;
//! a bound closes waiting connections, never a clock.

use bytes::Bytes;
use host::server::{App, Bounds, Proxies, serve};
use host_test::{
    harness::{self, Harness},
    shop::WasmShop,
    shop::{On, customer},
    stores::Counting,
    variables::{ADMIN_TOKEN, PUBLIC},
    visitor::Visitor,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

/// More than a body that needs no place, in bytes.
const LARGE: usize = 200 * 1024;

/// A server until it is dropped.
struct Server {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    async fn of(app: &Harness, bounds: Bounds) -> Self {
        let component = harness::component().expect("the component");
        let app = Arc::new(App::over(component, app.world()).within(bounds));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let serving = tokio::spawn(serve(app, listener, Duration::ZERO, std::future::pending()));
        Self { address, serving }
    }

    async fn alone(bounds: Bounds) -> Self {
        Self::of(&Harness::builder().build().expect("a harness"), bounds).await
    }

    /// A connection from 127.0.0.`last` on which `text` was sent.
    async fn begin(&self, last: u8, text: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = SocketAddr::from(([127, 0, 0, last], 0));
        socket.bind(from).expect("an address of loopback");
        let mut stream = socket.connect(self.address).await.expect("connected");
        stream.write_all(text.as_bytes()).await.expect("sent");
        stream
    }

    /// The same, once the server has come to wait for more: by then it has answered another client's whole request.
    async fn begin_and_stall(&self, last: u8, text: &str) -> TcpStream {
        let stream = self.begin(last, text).await;
        let other = request("GET /nothing", &["host: a"]);
        assert_eq!(code(&rest(self.begin(77, &other).await).await), 404);
        stream
    }

    /// The whole answer to `text`.
    async fn exchange(&self, text: &str) -> String {
        rest(self.begin(1, text).await).await
    }

    async fn code(&self, text: &str) -> u16 {
        code(&self.exchange(text).await)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// All that comes until the other side closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn code(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// Whether the other side neither answered nor closed.
fn is_open(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    read.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock)
}

/// Waits for the other side to close.
async fn closed(stream: TcpStream) {
    assert_eq!(rest(stream).await, "", "closed without an answer");
}

fn request(line: &str, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("{line} HTTP/1.1\r\nconnection: close\r\n{fields}\r\n")
}

#[tokio::test]
async fn the_guest_sees_the_path_that_a_proxy_saw_or_nothing() {
    let server = Server::alone(Bounds::default()).await;
    let sound = request("GET /healthz", &["host: bridge.example.vn:8443"]);
    assert_eq!(server.code(&sound).await, 200);
    let other_path = "host: x/api/events?y=";
    for fields in [
        &[other_path][..],
        &["host: x?y"],
        &["host: user@x"],
        &["host:"],
        &["host: a", "host: b"],
        &["host: a", "host: a"],
        &[],
    ] {
        let seen = server.code(&request("GET /healthz", fields)).await;
        assert_eq!(seen, 400, "{fields:?}");
        // KiotViet stops sending for good at a 4xx.
        for line in ["POST /hooks/shop/token", "GET /hooks/shop/token"] {
            let seen = server.code(&request(line, fields)).await;
            assert_eq!(seen, 503, "{line} {fields:?}");
        }
    }
    let elsewhere = request("GET http://x/api/events?y=/healthz", &["host: x"]);
    assert_eq!(server.code(&elsewhere).await, 401, "the target's own path");
    assert_eq!(server.code(&request("OPTIONS *", &["host: x"])).await, 400);
}

#[tokio::test]
async fn every_answer_says_nosniff_the_hosts_own_too() {
    let server = Server::alone(Bounds::default()).await;
    let too_large = format!("content-length: {}", 6 << 20);
    let long = format!("x-long: {}", "x".repeat(70_000));
    for (sent, expected) in [
        (request("GET /healthz", &["host: a"]), 200),
        (request("GET /nothing", &["host: a"]), 404),
        (request("GET /healthz", &[]), 400),
        (request("GET /healthz", &["host: a", &long]), 431),
        (
            request(
                "POST /nothing",
                &["host: a", "expect: 100-continue", &too_large],
            ),
            413,
        ),
    ] {
        let answer = server.exchange(&sent).await;
        assert_eq!(code(&answer), expected, "{answer}");
        assert!(
            answer
                .to_lowercase()
                .contains("\r\nx-content-type-options: nosniff\r\n"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_head_up_to_64_kib_is_taken_and_a_longer_one_refused() {
    let server = Server::alone(Bounds::default()).await;
    let of = |bytes: usize| {
        let bare = request("GET /healthz", &["host: a", "x-long: "]).len();
        let long = format!("x-long: {}", "x".repeat(bytes - bare));
        request("GET /healthz", &["host: a", &long])
    };
    assert_eq!(server.code(&of(64 * 1024 - 16)).await, 200);
    assert_eq!(server.code(&of(64 * 1024 + 16)).await, 431);
    let hooks = of(64 * 1024 + 16).replace("/healthz", "/hooks/a/b");
    assert_eq!(server.code(&hooks).await, 503);
}

#[tokio::test]
async fn what_needs_no_large_body_does_not_get_one() {
    let server = Server::alone(Bounds::default()).await;
    let token = format!("authorization: Bearer {ADMIN_TOKEN}");
    let wrong = "authorization: Bearer wrong";
    let cookie = "cookie: kvgf-session=invented";
    for (line, credential, bytes, expected) in [
        ("POST /ui/login", "x: y", 4 * 1024 + 1, 413),
        ("POST /ui/login", cookie, 3 << 20, 413),
        ("POST /ui/connect", cookie, (64 << 10) + 1, 413),
        ("POST /healthz", "x: y", 1 << 20, 413),
        ("PUT /api/connections/shop", &token, (64 << 10) + 1, 413),
        ("PUT /api/connections/shop", "x: y", 4 * 1024 + 1, 413),
        // A client with a wrong credential gets 401, and nothing is stored.
        ("POST /api/preview/shop", wrong, LARGE, 401),
        ("POST /ui/try", cookie, LARGE, 303),
        ("POST /hooks/shop/token", "x: y", LARGE, 404),
    ] {
        let length = format!("content-length: {bytes}");
        let head = request(line, &["host: a", credential, &length]);
        let body = "x".repeat(bytes);
        assert_eq!(server.code(&(head + &body)).await, expected, "{line}");
        let chunked = "transfer-encoding: chunked";
        let head = request(line, &["host: a", credential, chunked]);
        let body = format!("{bytes:x}\r\n{body}\r\n0\r\n\r\n");
        assert_eq!(
            server.code(&(head + &body)).await,
            expected,
            "{line}, chunked"
        );
    }
    let length = format!("content-length: {}", (5 << 20) + 1);
    let head = request("POST /hooks/shop/token", &["host: a", &length]);
    let body = "x".repeat((5 << 20) + 1);
    assert_eq!(server.code(&(head + &body)).await, 413, "whoever sends it");
}

/// A connected shop behind a server, and the path of its webhook.
async fn shop(bounds: Bounds) -> (WasmShop, Server, String) {
    let shop = WasmShop::connected_in_wasm(On::Customers, |b| b)
        .await
        .expect("a shop");
    let server = Server::of(&shop.app, bounds).await;
    shop.kiotviet
        .create_customer(customer("Khách", "0911111111"));
    let told = shop.kiotviet.take_deliveries().remove(0);
    let path = shop.kiotviet.request(&told).uri().path().to_owned();
    (shop, server, path)
}

fn delivery(path: &str, bytes: usize) -> String {
    let length = format!("content-length: {bytes}");
    request(&format!("POST {path}"), &["host: a", &length])
}

#[tokio::test]
async fn stalled_uploads_of_strangers_take_no_large_bodys_place() {
    let (_shop, server, path) = shop(Bounds {
        large_bodies: 1,
        ..Bounds::default()
    })
    .await;
    let mut stalled = Vec::new();
    for at in 0..6 {
        // In turn a known and an unknown connection, both with a wrong token.
        let wrong = format!("/hooks/{}/wrong", ["shop", "other"][at % 2]);
        let begun = delivery(&wrong, 4 << 20) + &"x".repeat(LARGE);
        stalled.push(server.begin(2, &begun).await);
    }
    let genuine = delivery(&path, LARGE) + &"x".repeat(LARGE);
    assert_eq!(server.code(&genuine).await, 200);
    let preview = format!("authorization: Bearer {ADMIN_TOKEN}");
    let length = format!("content-length: {LARGE}");
    let head = request("POST /api/preview/shop", &["host: a", &preview, &length]);
    assert_eq!(server.code(&(head + &"x".repeat(LARGE))).await, 422);
    // Their answers wait for the rest of their bodies: they are still there.
    assert!(stalled.iter().all(is_open));
}

#[tokio::test]
async fn half_sent_heads_do_not_keep_a_delivery_waiting() {
    let bounds = Bounds {
        connections: 12,
        unfinished_an_address: 4,
        patience: Duration::ZERO,
        ..Bounds::default()
    };
    let (_shop, server, path) = shop(bounds).await;
    let mut halves = Vec::new();
    for address in 2..=4 {
        for _ in 0..4 {
            halves.push(server.begin(address, "POST /hooks/shop/token HT").await);
        }
    }
    // All places are taken, and no client is too slow yet.
    for _ in 0..3 {
        assert_eq!(server.code(&(delivery(&path, 2) + "{}")).await, 200);
    }
    let open = halves.iter().filter(|half| is_open(half)).count();
    assert!(open >= 8, "the others were left alone: {open}");
}

#[tokio::test]
async fn an_address_has_a_bound_of_unfinished_requests_and_a_further_one_ends_the_longest_silent() {
    let bounds = Bounds {
        unfinished_an_address: 2,
        patience: Duration::ZERO,
        ..Bounds::default()
    };
    let server = Server::alone(bounds).await;
    let other = server.begin_and_stall(9, "GET /").await;
    let head = server.begin_and_stall(2, "GET /").await;
    let body = server
        .begin_and_stall(2, &(delivery("/hooks/shop/token", 9) + "x"))
        .await;
    let further = server.begin_and_stall(2, "GET /").await;
    closed(head).await;
    let last = server.begin_and_stall(2, "GET /").await;
    closed(body).await;
    assert!(is_open(&further) && is_open(&last) && is_open(&other));
}

#[tokio::test]
async fn a_crowd_that_guesses_waits_for_its_own_turns() {
    let bounds = Bounds {
        instances: 1,
        ..Bounds::default()
    };
    let (_shop, server, path) = shop(bounds).await;
    let guess = request(
        "GET /api/events",
        &["host: a", "authorization: Bearer wrong"],
    );
    let mut crowd = Vec::new();
    for _ in 0..30 {
        crowd.push(server.begin(2, &guess).await);
    }
    // The sixth guess of a minute and each further one keeps the only instance waiting.
    assert_eq!(server.code(&(delivery(&path, 2) + "{}")).await, 200);
    let overview = format!("authorization: Bearer {ADMIN_TOKEN}");
    let overview = request("GET /api/overview", &["host: a", &overview]);
    assert_eq!(server.code(&overview).await, 200);
    let waiting = crowd.iter().filter(|guess| is_open(guess)).count();
    assert!(waiting >= 10, "nobody waited for the crowd: {waiting}");
}

#[tokio::test]
async fn a_proxys_header_counts_only_where_the_proxy_is_trusted() {
    let bounds = |proxies| Bounds {
        unfinished_an_address: 1,
        patience: Duration::ZERO,
        proxies,
        ..Bounds::default()
    };
    let upload = |from: &str| {
        let from = format!("x-forwarded-for: {from}");
        request(
            "POST /hooks/shop/token",
            &["host: a", &from, "content-length: 9"],
        ) + "x"
    };
    let trusting = Proxies::new(vec!["127.0.0.1".parse().expect("an address")]);
    let server = Server::alone(bounds(trusting)).await;
    let first = server.begin_and_stall(1, &upload("203.0.113.1")).await;
    let second = server.begin_and_stall(1, &upload("203.0.113.2")).await;
    let third = server
        .begin_and_stall(1, &upload("6.6.6.6, 203.0.113.1"))
        .await;
    closed(first).await;
    assert!(is_open(&second) && is_open(&third), "other clients");

    let server = Server::alone(bounds(Proxies::default())).await;
    let first = server.begin_and_stall(1, &upload("203.0.113.1")).await;
    let second = server.begin_and_stall(1, &upload("203.0.113.2")).await;
    closed(first).await;
    assert!(is_open(&second));
}

#[tokio::test]
async fn the_host_itself_writes_nothing_for_a_stranger() {
    let store = Arc::new(Counting::default());
    let app = Harness::builder().store(store.clone()).build();
    let server = Server::of(&app.expect("a harness"), Bounds::default()).await;
    let too_large = format!("content-length: {LARGE}");
    let upload = request("POST /nothing", &["host: a", &too_large]) + &"x".repeat(LARGE);
    store.take();
    for (sent, expected) in [
        (request("GET /", &["host: a"]), 200),
        (request("GET /nothing", &["host: a"]), 404),
        (request("GET /hooks/shop/token", &[]), 503),
        (request("GET /api/events", &["host: a"]), 401),
        (request("GET /metrics", &["host: a"]), 401),
        (upload, 413),
    ] {
        assert_eq!(server.code(&sent).await, expected, "{sent:.60}");
    }
    assert_eq!(store.take().writes, 0);
}

/// Without the host's server in front, as on Spin, with the memory that an instance has.
#[tokio::test]
async fn no_form_traps_the_guest() {
    let app = Harness::builder().build().expect("a harness");
    let mut owner = Visitor::inside(&app).await;
    let cookie = owner
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let cookie = cookie.collect::<Vec<_>>().join("; ");
    for (path, cookie, bytes, expected) in [
        ("/ui/login", "", 3 << 20, 413),
        ("/ui/login", "", 4 << 10, 400),
        ("/ui/login", &cookie, 3 << 20, 413),
        ("/ui/connect", "", 3 << 20, 303),
        ("/ui/connect", &cookie, 64 << 10, 400),
        ("/ui/try", &cookie, 5 << 20, 400),
        ("/ui/try", &cookie, 6 << 20, 413),
    ] {
        let request = http::Request::post(format!("{PUBLIC}{path}"))
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin");
        let body = "a&".repeat(bytes / 2);
        let outcome = app
            .request(request.body(body.into()).expect("a request"))
            .await;
        assert_eq!(outcome.status, expected, "{path}, {bytes} bytes");
        let query = http::Request::get(format!("{PUBLIC}/?{}", "a&".repeat(20_000)));
        let outcome = app
            .request(query.body(Bytes::new()).expect("a request"))
            .await;
        assert_eq!(outcome.status, 200);
    }
    assert_eq!(owner.get("/ui/events").await.status, 200);
}
