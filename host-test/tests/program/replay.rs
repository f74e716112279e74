//! Claims that `host replay` shows the result of recorded deliveries, one JSON line an event, with
//! an exit code that a script can rely on, and that it is repeatable. How: the real program, on
//! files that the test writes and on this project's fixtures.

use crate::process::{Run, run};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

async fn replay(paths: &[&Path]) -> (Run, Vec<Value>) {
    let mut arguments = vec!["replay"];
    arguments.extend(paths.iter().map(|p| p.to_str().expect("text")));
    let run = run(&arguments).await;
    let lines = run.out.lines();
    let lines = lines.map(|line| serde_json::from_str(line).expect("a line is JSON"));
    let lines = lines.collect();
    (run, lines)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn delivery(action: &str, data: Value) -> String {
    let notification = json!({ "Action": format!("{action}.500123456"), "Data": [data] });
    json!({ "Id": "1", "Attempt": 1, "Notifications": [notification] }).to_string()
}

fn customer(id: i64) -> String {
    let data = json!({ "Id": id, "Code": "KH000007", "Name": "Chị Thử", "ContactNumber": "0900000707",
        "Gender": false, "ModifiedDate": "2026-10-05T10:00:00.0000000+07:00" });
    delivery("customer.update", data)
}

fn invoice(id: i64, customer: i64) -> String {
    let data = json!({ "id": id, "code": "HD000070", "customerId": customer, "customerName": "Chị Thử",
        "soldById": 5007, "soldByName": "Người Bán", "total": 330_000, "totalPayment": 330_000,
        "status": 1, "purchaseDate": "2026-10-05T10:00:00.0000000+07:00",
        "invoiceDetails": [{ "productCode": "SP1", "productName": "Áo", "quantity": 2, "price": 150_000 }] });
    delivery("invoice.update", data)
}

#[tokio::test]
async fn payloads_are_delivered_in_order_to_one_shop_where_what_they_mention_exists() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, body) in [
        ("1-customer.json", customer(20_000_007)),
        ("2-invoice.json", invoice(300_000_070, 20_000_007)),
        ("3-again.json", customer(20_000_007)),
        (
            "4-of-an-old-customer.json",
            invoice(300_000_071, 20_000_008).replace("HD000070", "HD000071"),
        ),
    ] {
        fs::write(folder.path().join(name), body).expect("written");
    }
    let (run, lines) = replay(&[folder.path()]).await;
    assert_eq!(run.code, Some(0), "{}", run.err);
    let told: Vec<_> = lines
        .iter()
        .map(|l| format!("{} {} {} {}", l["seq"], l["kind"], l["key"], l["reason"]))
        .collect();
    assert_eq!(
        told,
        [
            r#"1 "customer" "20000007" "customer_created""#,
            r#"2 "invoice" "HD000070" "order_created""#,
            r#"3 "customer" "20000007" "already_synced""#,
            r#"4 "invoice" "HD000071" "order_created""#,
        ]
    );
    let first = &lines[0];
    let file = first["file"].as_str().expect("a path");
    assert!(file.ends_with("1-customer.json"), "{first}");
    assert_eq!(first["rule"], "R2");
    assert_eq!(
        first["calls"][0],
        json!({ "endpoint": "KiotViet GET /customers/{id}", "status": 200 })
    );
    assert!(first["fuel"].as_u64() > Some(100_000), "{first}");
    assert!(first["memory_bytes"].as_u64() > Some(100_000), "{first}");
    assert!(
        run.err
            .contains("4 events from 4 files and folders, 0 with something wrong"),
        "{}",
        run.err
    );

    let (again, _) = replay(&[folder.path()]).await;
    assert_eq!(again.out, run.out, "it is repeatable");
}

#[tokio::test]
async fn an_event_that_ends_dead_is_told_and_fails_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = folder.path().join("bad.json");
    fs::write(&bad, "no delivery").expect("written");
    let good = folder.path().join("good.json");
    fs::write(&good, customer(20_000_007)).expect("written");
    let (run, lines) = replay(&[&bad, &good]).await;
    assert_eq!(run.code, Some(1));
    assert_eq!(lines[0]["state"], "dead");
    assert_eq!(lines[0]["reason"], "unreadable");
    assert_eq!(
        lines[1]["outcome"], "created",
        "the others are played all the same"
    );
    assert!(
        run.err.contains("bad.json: event 1 ended \"dead\""),
        "{}",
        run.err
    );
}

#[tokio::test]
async fn a_fixture_brings_its_own_vendors_and_expectation() {
    let name = "hostile_bodies_that_are_no_json_are_kept_and_act_on_nothing";
    let (run, lines) = replay(&[&fixture(name)]).await;
    assert_eq!(
        run.code,
        Some(0),
        "dead letters are what it expects: {}",
        run.err
    );
    assert!(lines.iter().all(|line| line["state"] == "dead"));

    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("altered");
    fs::create_dir(&copy).expect("a folder");
    for file in fs::read_dir(fixture("r07_the_same_phone_is_linked")).expect("it is there") {
        let file = file.expect("a file");
        fs::copy(file.path(), copy.join(file.file_name())).expect("copied");
    }
    let expect = copy.join("expect.json");
    let text = fs::read_to_string(&expect).expect("it is there");
    fs::write(&expect, text.replace("linked_by_phone", "linked_by_email")).expect("written");
    let (run, lines) = replay(&[&copy]).await;
    assert_eq!(run.code, Some(1));
    assert_eq!(lines[0]["reason"], "linked_by_phone");
    assert!(run.err.contains("event 1: reason"), "{}", run.err);
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.json");
    let (run, lines) = replay(&[&missing, folder.path()]).await;
    assert_eq!((run.code, lines.len()), (Some(1), 0));
    assert!(
        run.err.contains("missing.json: No such file"),
        "{}",
        run.err
    );
    assert!(run.err.contains("holds nothing to replay"), "{}", run.err);

    let broken = folder.path().join("broken");
    fs::create_dir(&broken).expect("a folder");
    fs::write(broken.join("request.json"), "{").expect("written");
    let (run, _) = replay(&[&broken]).await;
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("a broken body is a .bin"), "{}", run.err);

    let (run, _) = replay(&[]).await;
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("<PATH>"), "{}", run.err);
}
