//! Claims that the demo that serves opens its page by the address that it prints, sells when it is asked to, and leaves neither
//! its host nor its folder behind at SIGTERM. How: the real demo, without its day before.

use bytes::Bytes;
use host_test::{
    admin::{Admin, Carrier, Remote, listed},
    program::Program,
};
use std::{path::Path, time::Duration};

const TOKEN: &str = "demo-admin-token-2026";

/// What it leaves in the folder for what is temporary.
fn left(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("a folder").count()
}

async fn asked(remote: &Remote, method: &str, path: &str) -> http::Response<Bytes> {
    let request = http::Request::builder().method(method).uri(path);
    let request = request.body(Bytes::new()).expect("a request");
    remote.carry(request).await.expect("an answer")
}

#[tokio::test]
async fn it_opens_its_page_sells_and_leaves_nothing_at_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let temporary = format!("TMPDIR={}", folder.path().display());
    let demo = env!("CARGO_BIN_EXE_demo");
    let words = ["env", &temporary, demo, "--serve", "--actions", "0"];
    let mut demo = Program::start(&words).expect("it starts");
    let door = demo.says("The page, logged in: ").await.expect("it serves");
    assert_eq!(left(folder.path()), 1);
    let counter = door.strip_suffix(&format!("/{TOKEN}")).expect("its token");
    let counter = Remote::new(counter, TOKEN);

    let opened = asked(&counter, "GET", &format!("/{TOKEN}")).await;
    assert_eq!(opened.status(), 303);
    let place = opened.headers()["location"].to_str().expect("text");
    let cookie = opened.headers()["set-cookie"].clone();
    let app = Remote::new(place.trim_end_matches('/'), TOKEN);
    let page = http::Request::get("/").header("cookie", cookie);
    let page = page.body(Bytes::new()).expect("a request");
    let page = app.carry(page).await.expect("a page");
    let html = String::from_utf8_lossy(page.body()).into_owned();
    assert!(
        page.status() == 200 && html.contains("cuahangthu"),
        "{html}"
    );
    assert_eq!(asked(&counter, "GET", "/wrong-token").await.status(), 404);

    assert_eq!(asked(&counter, "POST", "/sell").await.status(), 200);
    let mut sold = Vec::new();
    for _ in 0..60 {
        sold = listed(app.events("state=done").await);
        if !sold.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(sold[0]["kind"], "invoice", "{sold:?}");

    let (code, said) = demo.stop().await.expect("it ends");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(left(folder.path()), 0, "its folder is gone");
    let again = http::Request::get("/healthz").body(Bytes::new());
    let again = app.carry(again.expect("a request")).await;
    assert!(again.is_err(), "its host is gone");
}
