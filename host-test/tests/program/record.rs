//! Claims that `kvgf record` passes deliveries on unchanged and writes them without personal data,
//! the address of the bridge or its secrets, so that `host replay` can play them. How: the real
//! program between a simulated KiotViet and a real bridge, on loopback.

use crate::process::{Host, ok, run, start, up, vendors};
use host_test::{admin::Admin, shop::On};
use serde_json::Value;
use sim::kiotviet::{Line, NewCustomer, NewInvoice};
use std::{fs, path::Path};

async fn recorder(out: &Path, to: Option<&str>) -> Host {
    let out = out.to_str().expect("text");
    let mut arguments = vec!["record", "--listen", "127.0.0.1:0", "--out", out];
    arguments.extend(to.into_iter().flat_map(|to| ["--to", to]));
    start(&arguments, "Recording on ").await
}

/// Delivers these bytes to an address that the recorder does not know; returns the status.
async fn post(recorder: &Host, body: &'static str) -> u16 {
    let request = http::Request::post("/hooks/shop/token").body(body.into());
    recorder.send(request.expect("a request")).await.0
}

/// Every file below a folder, with its name.
fn everything(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        all.push_str(&format!("{}\n", path.display()));
        if path.is_dir() {
            all.push_str(&everything(&path));
        } else {
            all.push_str(&fs::read_to_string(&path).expect("text"));
        }
    }
    all
}

#[tokio::test]
async fn deliveries_pass_through_and_their_recording_is_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("recording");
    let vendors = vendors().await;
    let bridge = up(&folder.path().join("state"), &vendors).await;
    bridge.connect_with(&vendors, On::Both).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let recorder = recorder(&out, Some(bridge.origin())).await;

    let customer = vendors.kiotviet.create_customer(NewCustomer {
        name: "Đặng Thị Mỹ Linh".into(),
        contact_number: Some("0912 345 678".into()),
        email: Some("mylinh@thatmail.vn".into()),
        comments: Some("hay gọi lúc 9h".into()),
        ..NewCustomer::default()
    });
    vendors.kiotviet.create_invoice(NewInvoice {
        customer_id: Some(customer),
        sold_by: Some(5001),
        lines: vec![Line::new(
            "SP1",
            "Áo may cho Linh",
            2.into(),
            150_000.into(),
        )],
        ..NewInvoice::default()
    });
    let mut secrets = Vec::new();
    for delivery in vendors.kiotviet.take_deliveries() {
        let mut request = vendors.kiotviet.request(&delivery);
        let headers = request.headers_mut();
        let signature = headers["x-hub-signature"].to_str().expect("text");
        secrets.push(signature.to_owned());
        for (name, value) in [
            ("authorization", "Bearer a-secret-of-a-proxy"),
            ("x-forwarded-for", "203.0.113.77"),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        let token = request.uri().path().rsplit('/').next();
        secrets.push(token.expect("a token").to_owned());
        assert_eq!(recorder.send(request).await.0, 200);
    }
    let health = ok(recorder.health().await);
    assert_eq!(health["status"], "ok", "other requests pass too");

    // The bridge has both, with their true values.
    ok(bridge.drain().await);
    assert_eq!(
        vendors.getfly.accounts()[0].account_name,
        "Đặng Thị Mỹ Linh"
    );
    assert_eq!(vendors.getfly.orders().len(), 1);
    recorder.stop().await;

    let all = everything(&out);
    secrets.extend(
        [
            "Linh",
            "Đặng",
            "345 678",
            "thatmail",
            "gọi",
            "Áo",
            "Nhân Viên Một",
            "a-secret-of-a-proxy",
            "203.0.113.77",
        ]
        .map(str::to_owned),
    );
    for secret in secrets {
        assert!(!all.contains(&secret), "{secret} is in {all}");
    }
    assert!(all.contains("X-Hub-Signature: sign\n"), "{all}");

    let replayed = run(&["replay", out.to_str().expect("text")]).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    let reasons: Vec<Value> = replayed
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["reason"].clone())
        .collect();
    assert_eq!(reasons, ["customer_created", "order_created"]);
}

#[tokio::test]
async fn without_a_bridge_deliveries_are_answered_200_and_what_is_no_json_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("recording");
    let recorder = recorder(&out, None).await;
    assert_eq!(post(&recorder, r#"{"RemoveId":[20457811]}"#).await, 200);
    assert_eq!(post(&recorder, "ten=Linh").await, 200);
    let log = recorder.kill().await;
    assert!(
        log.contains("8 bytes is no JSON and is not recorded"),
        "{log}"
    );
    assert!(!log.contains("Linh") && !log.contains("hooks"), "{log}");
    let written: Vec<_> = fs::read_dir(&out).expect("a folder").collect();
    assert_eq!(written.len(), 1);
    let headers = fs::read_to_string(out.join("000001/headers"));
    assert_eq!(headers.expect("written"), "unsigned\n");
}

#[tokio::test]
async fn a_bridge_that_is_gone_is_503_for_kiotviet_to_try_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = recorder(&folder.path().join("r"), Some("http://127.0.0.1:1")).await;
    assert_eq!(post(&recorder, "{}").await, 503);
    let log = recorder.kill().await;
    assert!(
        log.contains("connection refused") && !log.contains("token"),
        "{log}"
    );
}

#[tokio::test]
async fn wrong_arguments_are_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("written");
    let out = folder.path().to_str().expect("text");
    let listen = ["record", "--listen", "127.0.0.1:0"];
    for (arguments, code, told) in [
        (vec!["--out", out], 1, "is not empty"),
        (vec!["--out", "/dev/null/x"], 1, "cannot create"),
        (
            vec!["--out", out, "--to", "bridge"],
            2,
            "--to: expected http://",
        ),
        (
            vec!["--out", out, "--to", "http://u:geheim@h"],
            2,
            "--to: expected http://",
        ),
        (vec![], 2, "--out <DIR>"),
    ] {
        let run = run(&[&listen[..], &arguments].concat()).await;
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(told), "{arguments:?}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        assert!(!run.err.contains("geheim"), "{}", run.err);
    }
}
