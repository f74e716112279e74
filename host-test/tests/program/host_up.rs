//! Claims that `kvgf up` serves the application, loses nothing at `kill -9`, stops cleanly at
//! SIGTERM with nothing left half done, and says in words what is wrong with its arguments. How: the real program on loopback.

use crate::{
    process::{Host, run, start, up, variables},
    vendors::{Vendors, slow_vendors, vendors},
};
use bytes::Bytes;

use serde_json::{Value, json};
use sim::{getfly::GetflySettings, kiotviet::NewCustomer};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A customer is created at KiotViet, and its webhook answered 200.
async fn deliver_a_customer(host: &Host, vendors: &Vendors) {
    vendors.kiotviet.create_customer(NewCustomer {
        name: "Anh Bền".into(),
        contact_number: Some("0912345678".into()),
        ..NewCustomer::default()
    });
    let delivery = vendors.kiotviet.take_deliveries().pop();
    let delivery = delivery.expect("a delivery");
    let (parts, body) = vendors.kiotviet.request(&delivery).into_parts();
    let signature = parts.headers["x-hub-signature"].to_str().expect("text");
    let headers = [("x-hub-signature", signature)];
    let (status, _) = host.send("POST", parts.uri.path(), &headers, body).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn what_was_answered_200_is_there_after_kill_9_and_sigterm_stops_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    // Its search has no answer before it dies: whoever comes after one that has announced a create waits for half a
    // minute.
    let vendors = slow_vendors(Duration::from_secs(600)).await;
    let mut host = up(folder.path(), &vendors, "0").await;
    let (status, health) = host.send("GET", "/healthz", &[], Bytes::new()).await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    host.connect_with(&vendors, &["customer"]).await;
    deliver_a_customer(&host, &vendors).await;
    host.child.kill().await.expect("killed");
    let answers_at_once = |getfly: &mut GetflySettings| getfly.latency = Duration::ZERO;
    vendors.getfly.update_settings(answers_at_once);

    let mut host = up(folder.path(), &vendors, "0").await;
    // A drain waits for the lease of the host that was killed.
    host.api("POST", "drain", Value::Null).await;
    let events = host.api("GET", "events", Value::Null).await;
    assert_eq!(events["events"][0]["state"], "done", "{events}");
    assert_eq!(vendors.getfly.accounts().len(), 1);
    assert_eq!(host.terminate().await, Some(0));
}

#[tokio::test]
async fn sigterm_lets_what_was_accepted_be_processed_and_does_not_wait_for_idle_clients() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = slow_vendors(Duration::from_millis(500)).await;
    let mut host = up(folder.path(), &vendors, "0").await;
    host.connect_with(&vendors, &["customer"]).await;
    let address = host.origin.trim_start_matches("http://").to_owned();
    let idle = TcpStream::connect(&address).await.expect("a connection");
    deliver_a_customer(&host, &vendors).await;
    assert!(
        vendors.getfly.accounts().is_empty(),
        "it is still under way"
    );
    let asked = Instant::now();
    assert_eq!(host.terminate().await, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(9), "it did not wait");
    assert_eq!(vendors.getfly.accounts().len(), 1);
    drop(idle);
}

#[tokio::test]
async fn a_header_without_end_is_refused_before_the_guest_sees_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let host = up(folder.path(), &vendors, "0").await;
    let long = "x".repeat(300_000);
    let (status, _) = host
        .send("GET", "/healthz", &[("x-long", &long)], Bytes::new())
        .await;
    assert_eq!(status, 431);
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
