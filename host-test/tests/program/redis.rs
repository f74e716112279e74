//! Claims that Redis is as good a store as the host's own: it keeps its promises, is there after a
//! restart, and two hosts share one without losing or doubling anything; a Redis that is gone or
//! hangs returns errors, never a hang, and is found again; its password is shown nowhere. How: the
//! test's own real `redis-server` on loopback, and the real program.

use crate::process::{Host, run, up_with, variables, vendors};
use host::keyvalue::{Backend, Redis, RedisAddress, conformance};
use host_test::{
    admin::{Admin, listed},
    redis_server::{PASSWORD, RedisServer, redis, redis_with_tls},
    shop::On,
    vendors::Vendors,
};
use serde_json::{Value, json};
use sim::kiotviet::{Chaos, Line, NewCustomer, NewInvoice};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

async fn open(server: &RedisServer) -> Redis {
    let address = RedisAddress::parse(&server.url()).expect("an address");
    Redis::open(address).await.expect("it opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_conforms_and_is_there_after_kill_9() {
    let Some(mut server) = redis(&DURABLE).await else {
        return;
    };
    let store = Arc::new(open(&server).await);
    let backend: Arc<dyn Backend> = store.clone();
    for check in conformance::check(&backend, "space/").await {
        assert_eq!(check.wrong, None, "{}", check.claim);
    }
    assert_eq!(store.durability().await, Vec::<String>::new());
    server.kill().await;
    server.start_again().await;
    let again: Arc<dyn Backend> = Arc::new(open(&server).await);
    let check = conformance::survives(&again, "space/").await;
    assert_eq!(check.wrong, None, "{}", check.claim);
    assert_eq!(again.list_keys().await, Ok(Vec::new()), "nothing is left");
}

#[tokio::test]
async fn reading_a_counter_writes_nothing() {
    let Some(server) = redis(&DURABLE).await else {
        return;
    };
    let store = open(&server).await;
    assert_eq!(store.increment("n", 5).await, Ok(5));
    for _ in 0..20 {
        assert_eq!(store.increment("n", 0).await, Ok(5));
        assert_eq!(store.increment("none", 0).await, Ok(0));
    }
    assert_eq!(store.list_keys().await, Ok(vec!["n".to_owned()]));
    store.set("text", b"text".to_vec()).await.expect("set");
    assert!(store.increment("text", 0).await.is_err());
}

#[tokio::test]
async fn what_endangers_durability_is_told_in_words() {
    let cases: [(&[&str], &str); 4] = [
        (&[], "Set appendonly yes"),
        (&["--appendonly", "yes"], "appendfsync everysec"),
        (
            &["--appendonly", "yes", "--appendfsync", "no"],
            "appendfsync no",
        ),
        (
            &[
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--maxmemory",
                "100mb",
                "--maxmemory-policy",
                "allkeys-lru",
            ],
            "maxmemory-policy allkeys-lru",
        ),
    ];
    for (options, told) in cases {
        let Some(server) = redis(options).await else {
            return;
        };
        let warnings = open(&server).await.durability().await;
        assert!(
            matches!(warnings.as_slice(), [one] if one.contains(told)),
            "{options:?}: {warnings:?}"
        );
    }
}

#[tokio::test]
async fn a_redis_that_is_gone_or_hangs_gives_errors_and_is_found_again() {
    let Some(mut server) = redis(&DURABLE).await else {
        return;
    };
    let store = open(&server).await;
    store.set("a", b"1".to_vec()).await.expect("set");

    server.kill().await;
    let asked = Instant::now();
    let error = store.get("a").await.expect_err("it is gone");
    assert!(asked.elapsed() < Duration::from_secs(10), "{error}");
    assert!(!error.contains(PASSWORD), "{error}");
    server.start_again().await;
    assert_eq!(soon(&store).await, Some(b"1".to_vec()));

    server.signal("-STOP").await;
    let asked = Instant::now();
    let error = store.increment("n", 1).await.expect_err("it hangs");
    assert!(asked.elapsed() < Duration::from_secs(10), "{error}");
    server.signal("-CONT").await;
    assert_eq!(soon(&store).await, Some(b"1".to_vec()));
}

/// The value, as soon as it can be read.
async fn soon(store: &Redis) -> Option<Vec<u8>> {
    for _ in 0..100 {
        match store.get("a").await {
            Ok(value) => return value,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("Redis is not found again");
}

#[tokio::test]
async fn a_delivery_is_answered_503_while_redis_is_down_and_taken_again_after() {
    let Some(mut server) = redis(&DURABLE).await else {
        return;
    };
    let vendors = vendors().await;
    let host = up_with(&vendors, &["--store", &server.url(), "--drain-every", "0"]).await;
    host.connect_with(&vendors, On::Customers).await;
    let delivery = |name: &str| {
        vendors.kiotviet.create_customer(NewCustomer {
            name: name.into(),
            ..NewCustomer::default()
        });
        let delivery = vendors.kiotviet.take_deliveries().pop().expect("one");
        vendors.kiotviet.request(&delivery)
    };
    server.kill().await;
    assert_eq!(host.send(delivery("Anh Vắng")).await.0, 503);
    server.start_again().await;
    let request = delivery("Chị Về");
    let mut status = 503;
    for _ in 0..100 {
        status = host.send(request.clone()).await.0;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 200);
    let log = host.kill().await;
    assert!(!log.contains(PASSWORD), "{log}");
}

/// Customers with a number of their own, and an invoice of each.
const CUSTOMERS: usize = 12;

fn busy_day(vendors: &Vendors) {
    vendors.kiotviet.set_chaos(Chaos {
        seed: 5,
        duplicates: 0.8,
        out_of_order: true,
        merge_items: 2,
        ..Chaos::default()
    });
    for number in 0..CUSTOMERS {
        let id = vendors.kiotviet.create_customer(NewCustomer {
            name: format!("Khách {number}"),
            contact_number: Some(format!("09000011{number:02}")),
            ..NewCustomer::default()
        });
        vendors.kiotviet.create_invoice(NewInvoice {
            customer_id: Some(id),
            sold_by: Some(5001),
            lines: vec![Line::new("SP1", "Áo", 1.into(), 150_000.into())],
            ..NewInvoice::default()
        });
        vendors
            .kiotviet
            .edit_customer(id, |c| c.comments = Some("quen".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_on_one_redis_push_each_customer_and_invoice_once() {
    let Some(server) = redis(&DURABLE).await else {
        return;
    };
    let vendors = vendors().await;
    let url = server.url();
    let more = [
        "--store",
        &url,
        "--drain-every",
        "1s",
        "--variable",
        "getfly_requests_per_second=100",
    ];
    let hosts = [
        up_with(&vendors, &more).await,
        up_with(&vendors, &more).await,
    ];
    hosts[0].connect_with(&vendors, On::Both).await;
    // The shop's next actions are later than the switches.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    busy_day(&vendors);

    // Every delivery goes to both hosts, in turns and all at once.
    let requests: Vec<_> = vendors.kiotviet.take_deliveries();
    assert!(requests.len() > CUSTOMERS, "it is a shower");
    let both = requests.iter().flat_map(|delivery| {
        let request = vendors.kiotviet.request(delivery);
        hosts.iter().map(move |host| host.send(request.clone()))
    });
    let answers = futures_util::future::join_all(both).await;
    assert!(
        answers.iter().all(|(status, _)| *status == 200),
        "{answers:?}"
    );

    let counts = at_rest(&hosts).await;
    for name in ["dead", "dismissed", "waiting"] {
        assert_eq!(counts[name].as_u64().unwrap_or(0), 0, "{counts}");
    }
    let ended: u64 = ["created", "linked", "ignored"]
        .iter()
        .filter_map(|name| counts[name].as_u64())
        .sum();
    assert_eq!(counts["received"], ended, "{counts}");
    let accounts = vendors.getfly.accounts();
    let codes: BTreeSet<_> = accounts.iter().map(|a| a.account_code.clone()).collect();
    assert_eq!((accounts.len(), codes.len()), (CUSTOMERS, CUSTOMERS));
    let orders = vendors.getfly.orders();
    let codes: BTreeSet<_> = orders.iter().map(|o| o.order_code.clone()).collect();
    assert_eq!((orders.len(), codes.len()), (CUSTOMERS, CUSTOMERS));
}

/// Drains until nothing waits; returns the counts by outcome, from the events themselves.
async fn at_rest(hosts: &[Host; 2]) -> Value {
    for round in 0..90 {
        hosts[round % 2].drain().await;
        let events = listed(hosts[0].events("limit=200").await);
        assert!(events.len() < 200, "one page shows them all");
        let mut counts = json!({ "received": events.len() });
        for event in &events {
            let name = match event["state"].as_str() {
                Some("received" | "retrying") => "waiting",
                Some("done") => event["outcome"].as_str().unwrap_or("?"),
                other => other.unwrap_or("?"),
            };
            counts[name] = (counts[name].as_u64().unwrap_or(0) + 1).into();
        }
        if counts["waiting"].is_null() {
            return counts;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("it never comes to rest");
}

#[tokio::test]
async fn an_encrypted_store_works_and_its_certificate_is_believed_only_where_its_authority_is_named()
 {
    let Some((server, authority)) = redis_with_tls().await else {
        return;
    };
    let vendors = vendors().await;
    let authority = authority.display().to_string();
    let url = server.url();
    assert!(url.starts_with("rediss://"), "{url}");
    let named = [
        "--store",
        &url,
        "--store-ca",
        &authority,
        "--drain-every",
        "0",
    ];
    let host = up_with(&vendors, &named).await;
    host.connect_with(&vendors, On::Customers).await;
    let (status, _) = host.health().await;
    assert_eq!(status, 200);

    let run_with = async |store: &[&str]| {
        let mut arguments = vec!["up", "--listen", "127.0.0.1:0"];
        arguments.extend(store);
        let variables = variables(&vendors);
        arguments.extend(variables.iter().map(String::as_str));
        run(&arguments).await
    };
    let plain = url.replace("rediss://", "redis://");
    let other_name = url.replace("127.0.0.1", "localhost");
    for (store, code, told) in [
        (&["--store", &url][..], 1, "certificate"),
        (
            &["--store", &other_name, "--store-ca", &authority],
            1,
            "certificate",
        ),
        (&["--store", &plain], 1, "the store cannot be used"),
        (
            &["--store", &plain, "--store-ca", &authority],
            2,
            "begin the address with rediss://",
        ),
        (
            &["--store", &url, "--store-ca", "/no/such"],
            2,
            "--store-ca: cannot read /no/such",
        ),
        (&["--store-ca", &authority], 2, "--store"),
    ] {
        let run = run_with(store).await;
        assert_eq!(run.code, Some(code), "{store:?}: {}", run.err);
        assert!(run.err.contains(told), "{store:?}: {}", run.err);
        assert!(!run.err.contains(PASSWORD), "{}", run.err);
    }
}

#[tokio::test]
async fn a_wrong_address_or_password_is_told_without_showing_either() {
    for (url, code, told) in [
        ("redis://:geheim@", 2, "expected redis://"),
        (
            "http://:geheim@127.0.0.1",
            2,
            "its scheme is neither redis nor rediss",
        ),
        ("rediss://:geheim@", 2, "expected redis://"),
        ("redis://:geheim@127.0.0.1/shop", 2, "is no number"),
        ("redis://:geheim@127.0.0.1?x=1", 2, "a query"),
        ("@/no/such/file", 2, "cannot read /no/such/file"),
    ] {
        let run = run(&["up", "--store", url]).await;
        assert_eq!(run.code, Some(code), "{url}: {}", run.err);
        assert!(run.err.contains(told), "{url}: {}", run.err);
        assert!(!run.err.contains("geheim"), "{url}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{url}: {}", run.err);
    }
    let Some(server) = redis(&[]).await else {
        return;
    };
    let vendors = vendors().await;
    let wrong = server.url().replace(PASSWORD, "geheim");
    for (url, told) in [
        (wrong.as_str(), "the password is refused"),
        ("redis://:geheim@127.0.0.1:1/0", "connection refused"),
    ] {
        let mut arguments = vec!["up", "--listen", "127.0.0.1:0", "--store", url];
        let variables = variables(&vendors);
        arguments.extend(variables.iter().map(String::as_str));
        let run = run(&arguments).await;
        assert_eq!(run.code, Some(1), "{url}: {}", run.err);
        assert!(run.err.contains(told), "{url}: {}", run.err);
        assert!(!run.err.contains("geheim"), "{url}: {}", run.err);
    }
}
