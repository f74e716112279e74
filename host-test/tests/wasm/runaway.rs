//! Claims that a runaway guest harms no other: one that loops forever leaves its thread to others
//! and is stopped in the end; one that traps is an error and not an answer. How: core modules of a
//! few lines in the plugin's own world, on a runtime of one thread.

use bytes::Bytes;
use host::{
    keyvalue::Memory,
    origins::OutboundPolicy,
    outbound::{CallLog, Outbound},
    runtime::{Metering, Runtime, World},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use wit_component::{DecodedWasm, StringEncoding};

/// Asks its host for the time, repeatedly for a quarter of a second, and then traps.
const ASKS: &str = "(local $end i64)
    (local.set $end (i64.add (call $now) (i64.const 250000000)))
    (loop (br_if 0 (i64.lt_s (call $now) (local.get $end))))
    unreachable";

/// Never ends.
const ENDLESS: &str = "(loop br 0) unreachable";

/// A component whose handler does `body`.
fn guest(body: &str, metering: Metering) -> Runtime {
    let text = format!(
        r#"(module
            (import "wasi:clocks/system-clock@0.3.0" "now" (func $clock (param i32)))
            (memory (export "memory") 1)
            (func $now (result i64)
                (call $clock (i32.const 16))
                (i64.add
                    (i64.mul (i64.load (i32.const 16)) (i64.const 1000000000))
                    (i64.load32_u (i32.const 24))))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "[async-lift]wasi:http/handler@0.3.0#handle") (param i32) (result i32)
                {body})
            (func (export "[callback][async-lift]wasi:http/handler@0.3.0#handle")
                (param i32 i32 i32) (result i32) unreachable))"#
    );
    let mut module = wat::parse_str(text).expect("a module");
    let plugin = xtask::build_component(xtask::Install::AsRoot).expect("the component builds");
    let plugin = std::fs::read(plugin.path).expect("the component is there");
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&plugin).expect("its world")
    else {
        panic!("a WIT package, not a component");
    };
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world fits");
    let component = xtask::wrap_module(&module).expect("a component");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("guest.wasm");
    std::fs::write(&file, component).expect("written");
    Runtime::load(&file, metering).expect("it loads")
}

fn world() -> World {
    World {
        variables: Arc::default(),
        backend: Arc::new(Memory::new()),
        store_labels: Arc::default(),
        policy: Arc::new(OutboundPolicy::default()),
        outbound: Outbound::Network,
        log: Arc::new(|_| {}),
        clock: None,
        seed: None,
        calls: CallLog::default(),
        limit: None,
    }
}

fn request() -> http::Request<Bytes> {
    http::Request::get("http://a.test/")
        .body(Bytes::new())
        .expect("a request")
}

async fn others_get_their_turn(metering: Metering) {
    let (runtime, world) = (guest(ENDLESS, metering), world());
    let mut turns = 0;
    let others = async {
        while turns < 5 {
            tokio::task::yield_now().await;
            turns += 1;
        }
    };
    tokio::select! {
        biased;
        _ = runtime.handle(&world, request()) => panic!("it never answers"),
        () = others => {}
    }
    tokio::time::timeout(Duration::from_millis(50), runtime.handle(&world, request()))
        .await
        .err()
        .expect("time passes for others too");
}

#[tokio::test]
async fn a_guest_that_loops_leaves_its_thread_to_others() {
    others_get_their_turn(Metering::Fuel).await;
    others_get_their_turn(Metering::Epochs).await;
}

#[tokio::test]
async fn a_guest_that_loops_is_stopped_in_the_end() {
    for (metering, limit) in [(Metering::Fuel, 100_000), (Metering::Epochs, 3)] {
        let world = World {
            limit: Some(limit),
            ..world()
        };
        let answer = guest(ENDLESS, metering).handle(&world, request()).await;
        assert!(answer.is_err(), "{metering:?}");
    }
}

/// Ticks go by for a guest that waits too.
#[tokio::test]
async fn a_guest_that_calls_its_host_does_not_run_on_and_on() {
    let lines = Arc::new(Mutex::new(String::new()));
    let log = {
        let lines = lines.clone();
        move |line: &str| lines.lock().unwrap().push_str(line)
    };
    let world = World {
        limit: Some(20),
        log: Arc::new(log),
        ..world()
    };
    let runtime = guest(ASKS, Metering::Epochs);
    assert!(runtime.handle(&world, request()).await.is_err());
    let lines = lines.lock().unwrap();
    assert!(lines.contains("unreachable"), "{lines}");
}

#[tokio::test]
async fn a_guest_that_traps_is_an_error_and_no_answer() {
    let runtime = guest("unreachable", Metering::Fuel);
    let answer = runtime.handle(&world(), request()).await;
    assert!(answer.is_err());
}
