//! Claims that `kvgf up` serves the application, loses nothing at `kill -9`, stops cleanly at
//! SIGTERM with nothing half done, and says in words what is wrong with its arguments. How: the
//! real program on loopback.

use crate::process::{Host, ok, run, start, up, variables, vendors};
use bytes::Bytes;
use host_test::{
    admin::{Admin, listed},
    shop::{On, hoa},
    vendors::Vendors,
};
use sim::getfly::GetflySettings;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Getfly takes `latency` for each call.
async fn slow_vendors(latency: Duration) -> Vendors {
    let vendors = vendors().await;
    let slow = |getfly: &mut GetflySettings| getfly.latency = latency;
    vendors.getfly.update_settings(slow);
    vendors
}

/// A customer is created at KiotViet, and its webhook answered 200.
async fn deliver_a_customer(host: &Host, vendors: &Vendors) {
    vendors.kiotviet.create_customer(hoa());
    let delivery = vendors.kiotviet.take_deliveries().pop();
    let delivery = delivery.expect("a delivery");
    let request = vendors.kiotviet.request(&delivery);
    assert_eq!(host.send(request).await.0, 200);
}

#[tokio::test]
async fn what_was_answered_200_is_there_after_kill_9_and_sigterm_stops_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    // Its search has no answer before it dies: a worker that comes after one that has announced a create waits for
    // half a minute.
    let vendors = slow_vendors(Duration::from_secs(600)).await;
    let host = up(folder.path(), &vendors).await;
    assert_eq!(ok(host.health().await)["status"], "ok");
    host.connect_with(&vendors, On::Customers).await;
    deliver_a_customer(&host, &vendors).await;
    host.kill().await;
    let answers_at_once = |getfly: &mut GetflySettings| getfly.latency = Duration::ZERO;
    vendors.getfly.update_settings(answers_at_once);

    let host = up(folder.path(), &vendors).await;
    // A drain waits for the lease of the host that was killed.
    ok(host.drain().await);
    let events = listed(host.events("").await);
    assert_eq!(events[0]["state"], "done", "{events:?}");
    assert_eq!(vendors.getfly.accounts().len(), 1);
    host.stop().await;
}

#[tokio::test]
async fn sigterm_lets_what_was_accepted_be_processed_and_does_not_wait_for_idle_clients() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = slow_vendors(Duration::from_millis(500)).await;
    let host = up(folder.path(), &vendors).await;
    host.connect_with(&vendors, On::Customers).await;
    let address = host.origin().trim_start_matches("http://");
    let idle = TcpStream::connect(address).await.expect("a connection");
    deliver_a_customer(&host, &vendors).await;
    assert!(
        vendors.getfly.accounts().is_empty(),
        "it is still under way"
    );
    let asked = Instant::now();
    host.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(9), "it did not wait");
    assert_eq!(vendors.getfly.accounts().len(), 1);
    drop(idle);
}

#[tokio::test]
async fn a_header_without_end_is_refused_before_the_guest_sees_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let host = up(folder.path(), &vendors).await;
    let request = http::Request::get("/healthz").header("x-long", "x".repeat(300_000));
    let request = request.body(Bytes::new()).expect("a request");
    assert_eq!(host.send(request).await.0, 431);
}

#[tokio::test]
async fn a_vendor_that_would_be_called_unencrypted_over_a_network_is_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let state = folder.path().to_str().expect("text");
    let mut arguments = variables(&vendors);
    for argument in &mut arguments {
        if argument.starts_with("kiotviet_auth_url=") {
            *argument = "kiotviet_auth_url=http://id.kiotviet.example".to_owned();
        }
    }
    let begin = ["up", "--listen", "127.0.0.1:0", "--drain-every", "0"];
    let mut words = [&begin[..], &["--state-dir", state]].concat();
    words.extend(arguments.iter().map(String::as_str));
    let log = start(&words, "Serving ").await.kill().await;
    let warned: Vec<&str> = log.lines().filter(|l| l.contains("unencrypted")).collect();
    assert_eq!(warned.len(), 1, "the others are this machine: {log}");
    assert!(
        warned[0].contains(r#""variable":"kiotviet_auth_url""#),
        "{log}"
    );
}

async fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let run = run(arguments).await;
    (run.code, run.err)
}

#[tokio::test]
async fn wrong_arguments_are_refused_in_words() {
    let (code, words) = refused(&["up"]).await;
    assert_eq!(code, Some(1));
    assert!(
        words.contains("required variables have no value")
            && words.contains("SPIN_VARIABLE_GETFLY_URL"),
        "{words}"
    );
    let (code, words) = refused(&["up", "--listen", "nowhere"]).await;
    assert_eq!(code, Some(2), "{words}");
    let (code, words) = refused(&["up", "--variable", "getfly_url"]).await;
    assert_eq!(code, Some(2));
    assert!(words.contains("NAME=VALUE"), "{words}");
    let (_, words) = refused(&["up", "--drain-every", "soon"]).await;
    assert!(words.contains("60s, 5m or 0"), "{words}");
    let (_, words) = refused(&["up", "--variable", "no_such=1"]).await;
    assert!(words.contains("unknown variable: no_such"), "{words}");
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let state = folder.path().to_str().expect("text");
    let variables = variables(&vendors);
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let up = ["up", "--listen", "127.0.0.1:0", "--state-dir", state];
    std::fs::write(folder.path().join("store.redb"), "no store").expect("it is written");
    let (code, words) = refused(&[&up[..], &variables].concat()).await;
    assert_eq!(code, Some(1));
    assert!(
        words.contains("is no store of this program") && words.contains("put back a copy"),
        "{words}"
    );
    std::fs::remove_file(folder.path().join("store.redb")).expect("it is removed");
    let manifest = folder.path().join("spin.toml");
    let own = xtask::workspace_root().join("spin.toml");
    std::fs::copy(own, &manifest).expect("it is copied");
    let from = ["--from", manifest.to_str().expect("text")];
    let (code, words) = refused(&[&up[..], &from, &variables].concat()).await;
    assert_eq!(code, Some(1));
    assert!(
        words.contains("cannot load the component") && words.contains("cargo xtask build"),
        "{words}"
    );
}

#[tokio::test]
async fn a_malformed_variable_is_told_in_the_log_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let state = folder.path().to_str().expect("text");
    let mut words = vec!["up", "--listen", "127.0.0.1:0", "--drain-every", "0"];
    words.extend(["--state-dir", state, "--variable", "retention_days=soon"]);
    let variables = variables(&vendors);
    words.extend(variables.iter().map(String::as_str));
    let log = start(&words, "Serving ").await.kill().await;
    let warned: Vec<&str> = log.lines().filter(|l| l.contains("malformed")).collect();
    assert_eq!(warned.len(), 1, "{log}");
    assert!(
        warned[0].contains(r#""variable":"retention_days""#),
        "{log}"
    );
}
