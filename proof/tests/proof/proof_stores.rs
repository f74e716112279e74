//! Claims that nothing is lost, doubled, stuck or wrong over any store that the plugin supports:
//! memory, the embedded file, Spin's SQLite and Redis (models), and a real Redis. How: all
//! scenarios of `cargo proof` over each, and every single fault of some of them; the host calls
//! must be the same everywhere. This test is bounded; `cargo proof` tries every single fault of
//! every scenario.

use host_test::redis_server::redis;
use proof::search::{
    scenario::{self, Scenario},
    stores::{self, Kind, StoreTally},
};
use tokio::runtime::Runtime;

/// Which single faults are tried: every one of a create, and every fifth of people's commands and
/// of healings. Over memory `proof.rs` tries every one of all scenarios.
fn every(scenario: &str) -> Option<usize> {
    match scenario {
        "invoice-new-customer" => Some(1),
        "dead-letters" | "healing" => Some(5),
        _ => None,
    }
}

fn search(kind: &Kind) -> StoreTally {
    let tally = match kind.name {
        "memory" => stores::search(kind, &scenario::all(), |_| None),
        _ => stores::search(kind, &scenario::all(), every),
    };
    println!("{tally}");
    assert_eq!(tally.told, [""; 0]);
    assert!(tally.singles > 400 || kind.name == "memory", "{tally:?}");
    tally
}

#[test]
fn nothing_is_lost_or_doubled_over_any_store() {
    let kinds = stores::kinds().expect("stores");
    let tallies: Vec<StoreTally> = kinds.iter().map(search).collect();
    for tally in &tallies {
        assert_eq!(tally.host_calls, tallies[0].host_calls, "{tallies:?}");
    }
}

#[test]
fn nor_over_a_real_redis() {
    let runtime = Runtime::new().expect("a runtime");
    let Some(server) = runtime.block_on(redis(&["--appendonly", "no"])) else {
        return;
    };
    search(&Kind::redis(&server.url()).expect("a store"));
}

/// The control: a run that misuses the store is reported.
#[test]
fn a_misused_store_is_told() {
    let vandal = Scenario {
        name: "vandal",
        what: "writes where it must not",
        lists: false,
        past: |run| Box::pin(run.connect(&["customer"])),
        act: |run| {
            Box::pin(async {
                let store = run.shop.app.backend();
                store.set("strange", vec![1]).await.expect("set");
                store.delete("session:8").await.expect("delete");
                store.increment("kvgf/counter", 1).await.expect("counted");
                store.get("kvgf/counter").await.expect("get");
            })
        },
        people: None,
        beside: None,
    };
    let kinds = stores::kinds().expect("stores");
    let redis = kinds
        .iter()
        .find(|kind| kind.name.starts_with("Spin, Redis"));
    let tally = stores::search(redis.expect("the model"), &[vandal], |_| None);
    for told in [
        "a key without the prefix: strange",
        "another application's session:8 is Ok(None)",
        "get of the counter kvgf/counter",
    ] {
        assert!(tally.told[0].contains(told), "{:?}", tally.told);
    }
}
