//! Claims that a guest gone wrong harms nobody else: one that loops forever leaves its thread to
//! others, one that traps is an error and not an answer.
//! How: core modules of a few lines in the plugin's own world, on a runtime of one thread.

use bytes::Bytes;
use host_test::{
    keyvalue::Memory,
    manifest::OutboundPolicy,
    outbound::{CallLog, Outbound},
    runtime::{Runtime, World},
};
use std::{sync::Arc, time::Duration};
use wit_component::{DecodedWasm, StringEncoding};

/// A component whose handler does `body`.
fn guest(body: &str) -> Runtime {
    let text = format!(
        r#"(module
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "[async-lift]wasi:http/handler@0.3.0#handle") (param i32) (result i32)
                {body})
            (func (export "[callback][async-lift]wasi:http/handler@0.3.0#handle")
                (param i32 i32 i32) (result i32) unreachable))"#
    );
    let mut module = wat::parse_str(text).expect("a module");
    let plugin = xtask::build_component().expect("the component builds");
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
    Runtime::load(&file).expect("it loads")
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
        fuel: None,
    }
}

fn request() -> http::Request<Bytes> {
    http::Request::get("http://a.test/")
        .body(Bytes::new())
        .expect("a request")
}

#[tokio::test]
async fn a_guest_that_loops_leaves_its_thread_to_others() {
    let (runtime, world) = (guest("(loop br 0) unreachable"), world());
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
async fn a_guest_that_traps_is_an_error_and_no_answer() {
    let runtime = guest("unreachable");
    let answer = runtime.handle(&world(), request()).await;
    assert!(answer.is_err());
}
