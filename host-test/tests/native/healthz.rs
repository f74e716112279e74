//! Claims that `/healthz` tells every store that breaks its word, as far as one request can, in plain
//! words; that no shop is connected on one and nobody gets a 404 from it; that a good store is tried
//! once and costs six readings from then on, five where it was seen a moment ago; and that neither a crash nor several checks at once hurt. How:
//! broken stores, models of Spin's, and every fault at every call of the first check.

use bytes::Bytes;
use host::keyvalue::{Backend, Embedded, Memory};
use host_test::{
    harness::Harness,
    host_fault::HostFault,
    native::Native,
    shop::{On, TestShop, customer},
    stores::{
        broken::{Broken, How},
        spin::Spin,
    },
    variables::PUBLIC,
    visitor::Visitor,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const WHAT_TO_DO: &str = "No delivery is safe in it, so none is taken. Give this application a store that keeps its word (Spin's SQLite, Redis or Valkey, or the project's own host), and try it with kvgf check.";
const LOST: &str = "has lost a key that was never deleted (does Redis evict? set maxmemory-policy noeviction; it is tried anew an hour after the loss was seen)";

async fn asked(app: &Native, method: &str, path: &str) -> (u16, Value) {
    let request = http::Request::builder().method(method);
    let request = request.uri(format!("{PUBLIC}{path}")).body(Bytes::new());
    let (answer, _) = app.answer(request.unwrap()).await;
    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status, body)
}

async fn health(app: &Native) -> (u16, Value) {
    asked(app, "GET", "/healthz").await
}

fn ok() -> (u16, Value) {
    (200, json!({"status": "ok"}))
}

fn unfit(what: &str) -> (u16, Value) {
    let words = format!("this host's key-value store {what}. {WHAT_TO_DO}");
    (503, json!({"status": "unavailable", "reasons": [words]}))
}

async fn keys(store: &impl Backend) -> Vec<String> {
    store.list_keys().await.unwrap()
}

const MARKS: [&str; 3] = ["kvgf/store", "kvgf/store/counted", "kvgf/store/kept"];

/// The message for each broken store.
const TOLD: [(How, &str); 5] = [
    (
        How::ForgetsAtOnce,
        "forgets: what was written is gone when it is opened again",
    ),
    (
        How::WritesNothing,
        "does not give back what was written to it",
    ),
    (How::KeepsAll, "still has what was deleted"),
    (
        How::NeverCounts,
        "counts wrongly: increments gave one number twice or left one out",
    ),
    (
        How::KeepsCounters,
        "goes on with a counter that was deleted",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_store_that_breaks_its_word_is_refused_in_plain_words() {
    for (how, what) in TOLD {
        let shop = TestShop::unconnected().over(Arc::new(Broken::new(how)));
        for _ in 0..2 {
            assert_eq!(health(&shop.app).await, unfit(what), "{how:?}");
        }
        let (status, problem) = shop.connect().await;
        assert_eq!((status, &problem["type"]), (503, &json!("store-unfit")));
        assert!(
            problem["detail"].as_str().unwrap().contains(what),
            "{problem}"
        );
        assert_eq!(shop.app.take_calls(), [], "{how:?}: KiotViet was not asked");
        // KiotViet never sends again after a 404.
        let delivered = asked(&shop.app, "POST", "/hooks/shop/some-token").await;
        assert_eq!(delivered.0, 503, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_store_is_tried_once_and_read_a_few_times_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Backend>; 4] = [
        Arc::new(Memory::new()),
        Arc::new(Embedded::open(folder.path()).unwrap()),
        Arc::new(Spin::sqlite()),
        Arc::new(Spin::redis_beside(&[])),
    ];
    for store in stores {
        let shop = TestShop::unconnected().over(store.clone());
        assert_eq!(health(&shop.app).await, ok());
        let mut left = store.list_keys().await.unwrap();
        left.retain(|key| key != "kvgf/journal/tail");
        left.sort();
        assert_eq!(left, MARKS);
        let first = shop.app.take_stored();
        assert!(first.len() <= 23, "{}: {first:?}", first.len());

        for reads in [6, 5, 5] {
            assert_eq!(health(&shop.app).await, ok());
            let calls = shop.app.take_stored();
            assert!(calls.iter().all(|call| !call.is_write()), "{calls:?}");
            assert_eq!(calls.len(), reads, "{calls:?}");
        }
        let unknown = asked(&shop.app, "POST", "/hooks/shop/some-token").await;
        assert_eq!(unknown.0, 404);
        let calls = shop.app.take_stored();
        assert!(calls.iter().all(|call| !call.is_write()), "{calls:?}");
    }
}

/// On Spin adding zero to a counter is a durable write.
#[tokio::test(start_paused = true)]
async fn strangers_have_a_counter_read_once_in_five_seconds_and_cause_no_write() {
    let shop = TestShop::connected(On::Both).await;
    let hook = shop.kiotviet.webhooks()[0].url.clone();
    let hook = hook.strip_prefix(PUBLIC).unwrap();
    shop.app.take_stored();
    for _ in 0..100 {
        for (method, path, status) in [
            ("GET", "/healthz", 200),
            ("GET", "/hooks/shop/wrong", 404),
            ("POST", "/hooks/other/wrong", 404),
            ("GET", hook, 200),
            ("GET", "/", 200),
            ("GET", "/metrics", 401),
            ("GET", "/nothing", 404),
        ] {
            assert_eq!(asked(&shop.app, method, path).await.0, status, "{path}");
        }
    }
    let calls = shop.app.take_stored();
    assert!(calls.iter().all(|call| !call.is_write()), "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.call == "look").count(), 1);
}

/// Removes these keys without the application's knowledge.
fn lose(shop: &TestShop, keys: &[&str]) {
    for key in keys {
        shop.app.store.forget(key);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_is_gone_is_told_for_an_hour_and_then_the_store_is_tried_anew() {
    for lost in ["kvgf/store/kept", "kvgf/store/counted"] {
        let shop = TestShop::connected(On::Both).await;
        assert_eq!(health(&shop.app).await, ok());
        lose(&shop, &[lost]);
        // An instance relies this long on what it saw of the counter.
        shop.pass(5).await;
        assert_eq!(health(&shop.app).await, unfit(LOST), "{lost}");
        shop.pass(3000).await;
        assert_eq!(health(&shop.app).await, unfit(LOST), "{lost}");
        shop.pass(700).await;
        assert_eq!(health(&shop.app).await, ok(), "{lost}");
        lose(&shop, &[lost]);
        shop.pass(5).await;
        assert_eq!(health(&shop.app).await, unfit(LOST), "{lost}, again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_evicts_keys_is_told_once_it_has_lost_a_mark() {
    let shop = TestShop::unconnected().over(Arc::new(Broken::new(How::Evicts(20))));
    shop.connect().await;
    assert_eq!(shop.switch("customer", true).await.0, 200);
    assert_eq!(health(&shop.app).await, ok());
    for n in 10..30 {
        let phone = format!("09123456{n}");
        shop.kiotviet.create_customer(customer("Khách", &phone));
    }
    shop.deliver().await;
    assert_eq!(health(&shop.app).await, unfit(LOST));
    // By now the shop is lost too, and KiotViet never sends again after a 404.
    let unknown = asked(&shop.app, "POST", "/hooks/shop/some-token").await;
    assert_eq!(unknown.0, 503);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_its_counters_at_a_restart_is_told() {
    let store = Arc::new(Broken::new(How::LosesCounters));
    let shop = TestShop::unconnected().over(store.clone());
    shop.connect().await;
    assert_eq!(health(&shop.app).await, ok());
    store.restart();
    shop.pass(5).await;
    assert_eq!(health(&shop.app).await, unfit(LOST));
}

/// What `probe.rs` and the documentation say: only `kvgf check` opens a store twice.
#[tokio::test(start_paused = true)]
async fn a_store_that_lost_everything_looks_like_a_new_one() {
    let store = Arc::new(Broken::new(How::LosesAll));
    let shop = TestShop::unconnected().over(store.clone());
    shop.connect().await;
    store.restart();
    assert_eq!(health(&shop.app).await, ok());
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_in_the_first_check_leaves_two_small_keys_at_most() {
    let plain = TestShop::unconnected();
    plain.app.host_faults.arm([]);
    assert_eq!(health(&plain.app).await, ok());
    let calls = plain.app.host_faults.disarm().len();
    assert!(calls > 12, "{calls}");
    for number in 1..=calls {
        for fault in HostFault::ALL {
            let shop = TestShop::unconnected();
            shop.app.host_faults.arm([(number, fault)]);
            let looked = shop.app.host_faults.live(health(&shop.app)).await;
            shop.app.host_faults.disarm();
            if let Some((status, reasons)) = looked {
                assert!(
                    status == 200
                        || reasons.to_string().contains("does not answer")
                        || reasons.to_string().contains("cannot count"),
                    "{number} {fault:?}: {reasons}"
                );
            }
            assert_eq!(health(&shop.app).await, ok(), "{number} {fault:?}");
            let mut left = keys(&shop.app.store).await;
            left.retain(|key| key != "kvgf/journal/tail");
            let (probes, marks): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|key| key.contains("/probe/"));
            assert_eq!(marks, MARKS, "{number} {fault:?}");
            assert!(probes.len() <= 2, "{number} {fault:?}: {probes:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn checks_of_several_instances_at_once_do_not_hurt_one_another() {
    for seed in 0..50 {
        let shop = TestShop::unconnected();
        let instances: Vec<Native> = (0..4).map(|n| shop.app.another(100 * seed + n)).collect();
        for (n, app) in (0..).zip(&instances) {
            app.pace(100 * seed + n, Duration::from_millis(40));
        }
        let [a, b, c, d] = instances.as_slice() else {
            panic!("four")
        };
        let twice = async |app| [health(app).await, health(app).await];
        let all = tokio::join!(twice(a), twice(b), twice(c), twice(d));
        for answers in [all.0, all.1, all.2, all.3] {
            assert_eq!(answers, [ok(), ok()], "seed {seed}");
        }
        let left = keys(&shop.app.store).await;
        assert!(left.iter().all(|key| !key.contains("/probe/")), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn under_inline_a_store_without_atomics_is_fit_and_one_that_forgets_is_not() {
    let shop = TestShop::unconnected().over(Arc::new(Broken::new(How::WithoutAtomics)));
    shop.app.set_variable("processing", "inline");
    for _ in 0..2 {
        let (status, told) = health(&shop.app).await;
        assert_eq!((status, &told["status"]), (200, &json!("ok")));
        assert!(told["weaker"].is_string());
    }
    assert_eq!(shop.connect().await.0, 200);

    let shop = TestShop::unconnected().over(Arc::new(Broken::new(How::ForgetsAtOnce)));
    shop.app.set_variable("processing", "inline");
    assert_eq!(health(&shop.app).await.0, 503);
    assert_eq!(shop.connect().await.0, 503);
}

#[tokio::test(start_paused = true)]
async fn the_page_says_why_no_shop_can_be_connected() {
    let shop = TestShop::unconnected().over(Arc::new(Broken::new(How::KeepsCounters)));
    let mut visitor = Visitor::inside(&shop.app).await;
    let settings = shop.kiotviet.settings();
    let typed = [
        ("retailer", settings.retailer.as_str()),
        ("client_id", &settings.client_id),
        ("client_secret", &settings.client_secret),
    ];
    let shown = visitor.post("/ui/connect", &typed).await;
    assert_eq!(shown.status, 503);
    let words = "Kho lưu trữ của máy chủ này không giữ đúng những gì đã ghi";
    assert!(shown.html.contains(words), "{}", shown.html);
}

/// The same in WebAssembly, where each request opens the store again.
#[tokio::test(start_paused = true)]
async fn the_component_tells_a_store_that_forgets() {
    let forgetful = Arc::new(Broken::new(How::ForgetsAtOnce));
    let app = Harness::builder().store(forgetful).build();
    let app = app.expect("the component builds");
    for _ in 0..2 {
        let outcome = app.get("/healthz").await;
        let told = (outcome.status, outcome.json());
        assert_eq!(
            told,
            unfit("forgets: what was written is gone when it is opened again")
        );
    }
    let delivery = http::Request::post(format!("{PUBLIC}/hooks/shop/some-token"));
    let outcome = app.request(delivery.body(Bytes::new()).unwrap()).await;
    assert_eq!(outcome.status, 503);

    let sound = Harness::builder().store(Arc::new(Spin::sqlite())).build();
    let sound = sound.expect("the component builds");
    for _ in 0..2 {
        let outcome = sound.get("/healthz").await;
        assert_eq!((outcome.status, outcome.json()), ok());
    }
}
