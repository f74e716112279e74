//! Claims that a store of an older format is brought up by the first worker and then finishes what waits in it, whichever
//! store call a crash befalls; that a store of a newer format is refused in plain words and loses nothing; and that an
//! older version beside a newer one takes nothing on. How: golden stores, one for each released format
//! (`golden/format-N/`), and a store that a newer version is said to have written.

use crate::golden::{OTHER, finished, put_back, shown, week};
use bytes::Bytes;
use host::keyvalue::{Backend, Cell, Memory};
use host_test::{
    admin::Admin,
    host_fault::HostFault,
    shop::{AFTER_THE_LEASE, CONNECTION, On, TestShop, customer, hoa},
    variables::PUBLIC,
    visitor::Visitor,
};
use plugin::journal::{
    cursor::{self, Counts},
    format::FORMAT,
    keys,
    record::State,
};
use serde_json::{Value, json};
use sim::{Fault, FaultRule, KiotVietSim, kiotviet::Settings};
use std::{collections::BTreeMap, sync::Arc};

/// What each released format's store holds, and how what waits in it ends.
const GOLDEN: [(u32, &str, &str); 2] = [
    (
        0,
        include_str!("../../golden/format-0/store.txt"),
        include_str!("../../golden/format-0/finished.json"),
    ),
    (
        1,
        include_str!("../../golden/format-1/store.txt"),
        include_str!("../../golden/format-1/finished.json"),
    ),
];

const NEWER: &str = "the store belongs to a newer version of this application";

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The format that the value at `key` tells.
fn format_at(store: &Memory, key: &str) -> Value {
    match store.dump().get(key) {
        Some(Cell::Value(bytes)) => json_of(&String::from_utf8_lossy(bytes))["format"].clone(),
        other => panic!("{key}: {other:?}"),
    }
}

/// The formats of the cursor and of both shops' connections.
fn formats(store: &Memory) -> [Value; 3] {
    let (cursor, shops) = (keys::CURSOR.to_owned(), [CONNECTION, OTHER]);
    let shops = shops.map(|shop| format!("kvgf/connection/{shop}"));
    let [shop, other] = shops;
    [cursor, shop, other].map(|key| format_at(store, &key))
}

/// Another version wrote what stands at `key`, with these members.
async fn rewrite(store: &Memory, key: &str, members: Value) {
    let bytes = store.get(key).await.expect("an answer").expect("a value");
    let mut value = json_of(&String::from_utf8_lossy(&bytes));
    let into = value.as_object_mut().expect("an object");
    into.extend(members.as_object().expect("members").clone());
    let written = store.set(key, value.to_string().into_bytes()).await;
    written.expect("it is written");
}

async fn health(shop: &TestShop) -> (u16, String) {
    let request = http::Request::get(format!("{PUBLIC}/healthz")).body(Bytes::new());
    let answer = shop.app.request(request.expect("a request")).await;
    let words = String::from_utf8_lossy(&answer.body).into_owned();
    (answer.status, words)
}

/// As with `BLESS=1`: what this version leaves is the golden store of its format.
async fn bless() {
    let (bridge, _) = week().await;
    let lines = bridge
        .app
        .store
        .dump()
        .into_iter()
        .map(|(key, cell)| match cell {
            Cell::Value(bytes) => format!("{key} = {}\n", String::from_utf8_lossy(&bytes)),
            Cell::Counter(count) => format!("{key} + {count}\n"),
        });
    let folder = format!("{}/golden/format-{FORMAT}", env!("CARGO_MANIFEST_DIR"));
    let write = |file: &str, text: String| {
        std::fs::write(format!("{folder}/{file}"), text).expect("it is written");
    };
    write("store.txt", lines.collect());
    write("finished.json", format!("{:#}\n", finished(&bridge).await));
}

#[tokio::test(start_paused = true)]
async fn there_is_a_golden_store_of_each_format_and_what_waits_in_it_ends_as_it_would_have() {
    if std::env::var_os("BLESS").is_some() {
        bless().await;
    }
    let known: Vec<u32> = GOLDEN.iter().map(|(format, ..)| *format).collect();
    assert!(known.into_iter().eq(0..=FORMAT), "one for each format");
    for (format, store, end) in GOLDEN {
        let (bridge, _) = week().await;
        put_back(&bridge.app.store, store).await;
        assert_eq!(finished(&bridge).await, json_of(end), "format {format}");
        assert_eq!(formats(&bridge.app.store), [FORMAT; 3].map(Value::from));
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_of_this_format_is_shown_as_the_version_that_wrote_it_showed_it() {
    let (bridge, _) = week().await;
    let before = shown(&bridge).await;
    let copy = bridge.app.store.copy();
    let (bridge, _) = week().await;
    bridge.app.store.forget("");
    let bridge = bridge.over(Arc::new(copy));
    assert_eq!(shown(&bridge).await, before);
}

#[tokio::test(start_paused = true)]
async fn an_older_store_is_brought_up_once_and_nothing_else_of_it_changes_by_that() {
    let (bridge, _) = week().await;
    put_back(&bridge.app.store, GOLDEN[0].1).await;
    assert_eq!(
        formats(&bridge.app.store),
        [Value::Null, Value::Null, Value::Null]
    );
    let told = |bridge: &TestShop| {
        let lines = bridge.app.log().into_iter();
        let lines = lines.filter(|line| line.contains("brought up to this version"));
        lines.collect::<Vec<_>>()
    };
    let secrets = |store: &Memory| match &store.dump()["kvgf/connection/shop"] {
        Cell::Value(bytes) => json_of(&String::from_utf8_lossy(bytes))["sealed"].clone(),
        other @ Cell::Counter(_) => panic!("{other:?}"),
    };
    let before = secrets(&bridge.app.store);
    bridge.pass(3600).await;
    bridge.minutes(2).await;
    assert_eq!(formats(&bridge.app.store), [1, 1, 1]);
    let cursor = cursor::load(&bridge.app).await.expect("the cursor");
    let shops = || cursor.shops.iter().map(|(_, counts)| counts);
    let open: u64 = shops().map(Counts::open).sum();
    let dead: u64 = shops().map(|counts| counts.dead).sum();
    assert_eq!((open, dead), (cursor.counts.waiting, cursor.counts.dead));
    assert!(dead > 0, "what was there before is counted too");
    assert_eq!(secrets(&bridge.app.store), before);
    let lines = told(&bridge);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("format 0 to 1"), "{lines:?}");
}

/// A golden store's worker crashes, or its store fails, at the n-th of the host calls of the drain that brings it up;
/// returns those calls.
async fn crash_at(script: Option<(usize, HostFault)>) -> Vec<String> {
    let (bridge, other) = week().await;
    put_back(&bridge.app.store, GOLDEN[0].1).await;
    bridge.getfly_faults.clear();
    bridge.kiotviet_faults.clear();
    bridge.pass(3600).await;
    bridge.app.host_faults.arm(script);
    bridge.app.host_faults.live(bridge.drain()).await;
    let calls = bridge.app.host_faults.disarm();
    bridge.pass(AFTER_THE_LEASE).await;
    bridge.settle().await;
    let expected = json_of(GOLDEN[0].2);
    let seqs = |events: &[Value], at: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        events.iter().map(at).collect()
    };
    let listed = expected["events"].as_array().expect("events");
    let events = bridge.events().await;
    assert_eq!(
        seqs(&events, &|event| event["seq"].clone()),
        seqs(listed, &|event| event[0].clone()),
        "{script:?}"
    );
    assert_eq!(bridge.waiting().await, [] as [Value; 0], "{script:?}");
    let (accounts, orders) = bridge.in_getfly();
    let reached = (json!(accounts), json!(orders));
    let expected = (expected["accounts"].clone(), expected["orders"].clone());
    assert_eq!(reached, expected, "{script:?}");
    assert_eq!(formats(&bridge.app.store), [1, 1, 1], "{script:?}");
    let (_, overview) = bridge.app.overview().await;
    assert_eq!(overview["balanced"], true, "{script:?}");
    drop::<Arc<KiotVietSim>>(other);
    calls
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_store_call_of_an_upgrade_loses_and_doubles_nothing() {
    let calls = crash_at(None).await;
    let last = calls
        .iter()
        .position(|call| call == "set kvgf/journal/cursor");
    let last = last.expect("the cursor tells the format last");
    assert!(last > 6, "{calls:?}");
    for (number, call) in (1..).zip(&calls) {
        if !call.contains("kvgf/") {
            continue;
        }
        // While it is brought up everything that differs; from then on what a crash does.
        let faults = HostFault::distinct(call).iter();
        let dies =
            |fault: &&HostFault| matches!(fault, HostFault::DiesBefore | HostFault::DiesAfter);
        let faults = faults.filter(|fault| number <= last + 1 || dies(fault));
        for fault in faults {
            crash_at(Some((number, *fault))).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_of_a_newer_format_is_refused_in_plain_words_and_loses_nothing() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly(), (1, 0));
    let connection = format!("kvgf/connection/{CONNECTION}");
    let before = shop.app.store.copy();
    // Also where this version could not read it at all.
    let newer = json!({"format": FORMAT + 1, "low": "in another form"});
    rewrite(&shop.app.store, keys::CURSOR, newer).await;
    rewrite(&shop.app.store, &connection, json!({"format": FORMAT + 1})).await;
    let kept = shop.app.store.dump();

    shop.app.take_calls();
    shop.kiotviet
        .create_customer(customer("Chị Mới", "0907000001"));
    let answered = shop.deliver().await;
    assert_eq!(answered.first(), Some(&503), "{answered:?}");
    assert!(shop.app.log().iter().any(|line| line.contains(NEWER)));
    let (status, words) = health(&shop).await;
    assert!(status == 503 && words.contains(NEWER), "{words}");
    let (status, drained) = shop.app.call("POST", "drain", &Value::Null).await;
    assert!(
        status == 503 && drained["stopped"].to_string().contains(NEWER),
        "{drained}"
    );
    for path in ["events", "overview", "connections"] {
        let (status, problem) = shop.app.look(path).await;
        assert_eq!(
            (status, &problem["type"]),
            (503, &json!("newer-store")),
            "{path}"
        );
        assert!(
            problem["detail"]
                .to_string()
                .contains("Start the newer version again")
        );
    }
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.html.contains("phiên bản mới hơn"), "{}", page.html);
    assert_eq!(shop.app.take_calls(), []);
    let is_ours = |key: &&String| {
        !["kvgf/lease/", "kvgf/store", "kvgf/acts", "kvgf/sessions"]
            .iter()
            .any(|beside| key.starts_with(beside))
    };
    let now = shop.app.store.dump();
    assert!(
        now.iter()
            .filter(|(key, _)| is_ours(key))
            .eq(kept.iter().filter(|(key, _)| is_ours(key))),
        "nothing is written"
    );

    // The copy from before the upgrade is put back, and KiotViet sends again.
    for (key, cell) in before.dump() {
        if let Cell::Value(value) = cell {
            shop.app.store.set(&key, value).await.expect("it is put");
        }
    }
    shop.pass(3600).await;
    shop.deliver().await;
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (2, 0), "{:?}", shop.outcomes().await);
    assert_eq!(health(&shop).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn beside_a_newer_version_that_has_begun_an_older_one_takes_nothing_on() {
    let shop = TestShop::connected(On::Both).await;
    // It has brought up this connection, and the cursor not yet.
    let connection = format!("kvgf/connection/{CONNECTION}");
    rewrite(&shop.app.store, &connection, json!({"format": FORMAT + 1})).await;
    shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await.first(), Some(&503));
    assert_eq!(shop.journal().await.len(), 0);
    // And it is not taken for a damaged one, which could be connected anew.
    let (status, problem) = shop.connect().await;
    assert_eq!((status, &problem["type"]), (503, &json!("newer-store")));
}

/// What is dead and what is attempted again in each shop, as its events say.
async fn recounted(bridge: &TestShop) -> [(u64, u64); 2] {
    let journal = bridge.journal().await;
    [CONNECTION, OTHER].map(|shop| {
        let of_shop = journal
            .iter()
            .filter(|event| event.connection.as_str() == shop);
        of_shop.fold((0, 0), |(dead, waiting), event| match event.state() {
            State::Dead => (dead + 1, waiting),
            State::Retrying => (dead, waiting + 1),
            // Nobody has looked at what is as it was received.
            State::Received | State::Done | State::Dismissed => (dead, waiting),
        })
    })
}

/// The same, as the cursor says.
async fn counted(bridge: &TestShop) -> [(u64, u64); 2] {
    let cursor = cursor::load(&bridge.app).await.expect("the cursor");
    [CONNECTION, OTHER].map(|shop| {
        let of_shop = cursor.shops.iter().find(|(name, _)| name.as_str() == shop);
        let counts = of_shop.map(|(_, counts)| *counts).unwrap_or_default();
        (counts.dead, counts.open())
    })
}

/// A store of format 0 with so many dead letters in each of two shops, and two events that wait, of which
/// nobody has looked at one; and what it holds.
async fn store_of_dead_letters(dead: [u64; 2]) -> (TestShop, BTreeMap<String, Cell>) {
    let (bridge, others) = TestShop::beside([Settings {
        retailer: "second".to_owned(),
        retailer_id: 2,
        client_id: "22222222-3333-4444-8555-666666666666".to_owned(),
        ..Settings::default()
    }]);
    bridge.connect_with(On::Both).await;
    bridge.connect_as(OTHER, &others[0]).await;
    let hook = format!("connections/{OTHER}/webhooks/customer");
    bridge.app.call("PUT", &hook, &Value::Null).await;
    bridge.refuse_accounts(dead[0] + dead[1]);
    for (nth, (shop, dead)) in [&bridge.kiotviet, &others[0]]
        .into_iter()
        .zip(dead)
        .enumerate()
    {
        for n in 0..dead {
            shop.create_customer(customer("Bị Từ Chối", &format!("09{nth}33{n:05}")));
        }
        for delivery in shop.take_deliveries() {
            bridge.app.request(shop.request(&delivery)).await;
            shop.settle(delivery, Some(200));
        }
    }
    let down = FaultRule::new(Fault::Status(429, Some(90_000)));
    bridge.getfly_faults.add(down);
    for n in 0..2 {
        let waits = customer("Đang Chờ", &format!("092100000{n}"));
        bridge.kiotviet.create_customer(waits);
    }
    bridge.deliver().await;
    let [(first, waiting), (second, _)] = recounted(&bridge).await;
    assert_eq!(([first, second], waiting), (dead, 1));
    let cursor = cursor::load(&bridge.app).await.expect("the cursor");
    assert_eq!(
        counted(&bridge).await.map(|(dead, _)| dead),
        [first, second]
    );
    assert_eq!(cursor.counts.dead, first + second);

    let mut held = bridge.app.store.dump();
    for (key, members) in [
        (keys::CURSOR, &["format", "shops"][..]),
        ("kvgf/connection/shop", &["format"]),
        ("kvgf/connection/second-shop", &["format"]),
    ] {
        let Some(Cell::Value(bytes)) = held.get_mut(key) else {
            panic!("{key}");
        };
        let mut value = json_of(&String::from_utf8_lossy(bytes));
        let of_value = value.as_object_mut().expect("an object");
        of_value.retain(|member, _| !members.contains(&member.as_str()));
        *bytes = value.to_string().into_bytes();
    }
    (bridge, held)
}

/// The store holds this.
pub(crate) async fn hold(store: &Memory, held: &BTreeMap<String, Cell>) {
    store.forget("");
    for (key, cell) in held {
        let put = match cell {
            Cell::Value(value) => store.set(key, value.clone()).await,
            Cell::Counter(count) => store.increment(key, *count).await.map(drop),
        };
        put.expect("it is put");
    }
}

/// The host calls of a drain that brings such a store up, and dies or fails at this one.
async fn bring_up(bridge: &TestShop, script: Option<(usize, HostFault)>) -> Vec<String> {
    bridge.app.host_faults.arm(script);
    bridge.app.host_faults.live(bridge.drain()).await;
    let calls = bridge.app.host_faults.disarm();
    bridge.pass(AFTER_THE_LEASE).await;
    calls
}

#[tokio::test(start_paused = true)]
async fn all_dead_letters_of_an_older_store_are_counted_by_shop_in_steps() {
    let (bridge, held) = store_of_dead_letters([300, 150]).await;
    hold(&bridge.app.store, &held).await;
    let calls = bring_up(&bridge, None).await;
    assert_eq!(counted(&bridge).await, recounted(&bridge).await);
    assert_eq!(formats(&bridge.app.store), [FORMAT; 3].map(Value::from));
    let steps: Vec<usize> = calls
        .split(|call| call == "set kvgf/journal/cursor")
        .map(<[String]>::len)
        .collect();
    let longest = steps.iter().max().copied().unwrap_or_default();
    assert!(steps.len() > 3 && longest < 300, "{steps:?}");

    // The worker after a crash goes on where that one was.
    hold(&bridge.app.store, &held).await;
    let of_events = |calls: &[String]| {
        let is_event = |call: &&String| {
            let number = call.strip_prefix("get kvgf/journal/");
            number.is_some_and(|number| number.parse::<u64>().is_ok())
        };
        calls.iter().filter(is_event).count()
    };
    let kept = calls
        .iter()
        .rposition(|call| call == "set kvgf/journal/cursor");
    let kept = kept.expect("a step");
    let before = bring_up(&bridge, Some((kept, HostFault::DiesBefore))).await;
    let after = bring_up(&bridge, None).await;
    assert!(of_events(&before) > 400, "{}", of_events(&before));
    assert!(of_events(&after) < 300, "{}", of_events(&after));
    assert_eq!(counted(&bridge).await, recounted(&bridge).await);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_store_call_of_the_counting_by_shop_changes_no_count() {
    let (bridge, held) = store_of_dead_letters([170, 50]).await;
    hold(&bridge.app.store, &held).await;
    let expected = recounted(&bridge).await;
    let calls = bring_up(&bridge, None).await;
    let last = calls
        .iter()
        .rposition(|call| call == "set kvgf/journal/cursor");
    let last = last.expect("the cursor tells the format");
    assert!(last > 220, "{calls:?}");
    for (number, call) in (1..).zip(&calls).take(last + 1) {
        for fault in HostFault::distinct(call) {
            hold(&bridge.app.store, &held).await;
            bring_up(&bridge, Some((number, *fault))).await;
            bridge.drain().await;
            let what = format!("{fault:?} at {number}, {call}");
            assert_eq!(counted(&bridge).await, expected, "{what}");
            let formats = formats(&bridge.app.store);
            assert_eq!(formats, [FORMAT; 3].map(Value::from), "{what}");
        }
    }
}
