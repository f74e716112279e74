//! Claims: on a host whose key-value store has no working atomics (hosted Spin at the edge) the application
//! works with `processing = inline`: each delivery is processed before its answer, without a lease;
//! what does not end within 4 s goes on with the next drain; nothing is lost through crashes, nothing
//! doubled but in the one case that healthz and the overview name; retries, wishes, healing, counts
//! and retention work as elsewhere. How: a store whose `increment` always fails.

use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, hoa, sale},
    visitor::Visitor,
};
use http::Method;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When};

fn edge() -> Scene {
    let scene = Scene::unconnected();
    scene.app.set_variable("processing", "inline");
    scene.app.break_atomics();
    scene
}

async fn connected() -> Scene {
    let scene = edge();
    assert_eq!(scene.connect().await.0, 200);
    for webhook in ["customer", "order"] {
        assert_eq!(scene.switch("PUT", webhook).await.0, 200);
    }
    scene.pass(1).await;
    scene
}

async fn health(scene: &Scene) -> (u16, Value) {
    let request = http::Request::get("https://bridge.test/healthz");
    let answer = scene
        .app
        .request(request.body(Default::default()).unwrap())
        .await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

/// Every event in the journal, by whatever number.
async fn states(scene: &Scene) -> Vec<String> {
    let mut states = scene.outcomes().await;
    states.sort();
    states
}

#[tokio::test(start_paused = true)]
async fn each_delivery_is_processed_before_its_answer() {
    let scene = connected().await;
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    assert_eq!(scene.deliver().await, [200, 200]);
    assert_eq!(scene.in_getfly(), (1, 1));
    assert_eq!(
        states(&scene).await,
        ["created customer_created", "created order_created"]
    );
    let leases = scene.app.store.dump().into_keys();
    assert!(
        leases.filter(|k| k.contains("/lease/")).count() == 0,
        "no lease"
    );

    // A drain counts them, and an idle one does nothing more.
    scene.minutes(2).await;
    let (_, overview) = scene.app.get("overview").await;
    assert_eq!(overview["counts"]["created"], 2);
    assert_eq!(overview["balanced"], true);
    assert_eq!(overview["connections"][0]["days"][0]["created"], 2);
    let marks = scene.app.store.dump().into_keys();
    assert_eq!(marks.filter(|k| k.contains("/unlooked/")).count(), 0);
    scene.app.take_calls();
    scene.drain().await;
    assert_eq!(scene.app.take_calls(), []);
}

#[tokio::test(start_paused = true)]
async fn the_weaker_promise_is_said() {
    let scene = connected().await;
    let (status, health) = health(&scene).await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    let words = health["weaker"].as_str().unwrap();
    assert!(words.contains("at one instant"), "{words}");
    let (_, overview) = scene.app.get("overview").await;
    assert_eq!(overview["weaker"], words);
    let page = Visitor::inside(&scene.app).await.get("/").await;
    assert!(page.html.contains("không có phép đếm nguyên tử"));
    let usual = Scene::connected(On::Both).await;
    assert_eq!(usual.app.get("overview").await.1["weaker"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn without_inline_it_says_what_to_set_and_keeps_nothing() {
    let scene = edge();
    scene.app.set_variable("processing", "background");
    let (status, health) = health(&scene).await;
    assert_eq!(status, 503);
    let words = health["reasons"].to_string();
    assert!(words.contains("set processing to inline"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_counts_stays_with_the_lease_under_inline() {
    let scene = Scene::unconnected();
    scene.app.set_variable("processing", "inline");
    scene.connect().await;
    scene.switch("PUT", "customer").await;
    scene.pass(1).await;
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    assert_eq!(scene.in_getfly(), (1, 0));
    let (_, health) = health(&scene).await;
    assert_eq!(health, json!({"status": "ok"}));
    assert!(scene.app.store.dump().contains_key("kvgf/journal/1"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_upstream_is_cut_at_four_seconds_and_the_drain_goes_on() {
    let scene = connected().await;
    let hangs = FaultRule::new(Fault::Hang).on(Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(hangs.when(When::First(1)));
    scene.kiotviet.create_customer(hoa());
    let began = scene.clock.now();
    assert_eq!(scene.deliver().await, [200]);
    let took = scene.clock.now().duration_since(began).as_secs();
    assert!(took <= 4, "{took}");
    assert_eq!(states(&scene).await, ["received -"]);
    scene.minutes(3).await;
    assert_eq!(scene.in_getfly(), (1, 0));
    assert_eq!(states(&scene).await, ["created customer_created"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_retried_by_drains_and_dead_letters_obey() {
    let scene = connected().await;
    let down = scene
        .getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    scene.minutes(5).await;
    assert_eq!(scene.in_getfly(), (0, 0));
    scene.getfly_faults.remove(down);
    scene.settle().await;
    assert_eq!(scene.in_getfly(), (1, 0));

    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(1)));
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;
    scene.minutes(3).await;
    let (_, dead) = scene.app.get("events?state=dead").await;
    let seq = dead["events"][0]["seq"].as_u64().unwrap();
    assert!(seq < 1 << 53, "exact in every JSON reader");
    let retry = format!("events/{seq}/retry");
    let (status, event) = scene.app.api("POST", &retry, &Value::Null).await;
    assert_eq!(status, 200, "{event}");
    scene.settle().await;
    assert_eq!(scene.in_getfly(), (2, 0));
    let (_, overview) = scene.app.get("overview").await;
    assert_eq!(overview["balanced"], true, "{overview}");
    assert_eq!(overview["counts"]["created"], 2);
    assert_eq!(overview["counts"]["dead"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_loses_and_doubles_nothing() {
    let calls = crash_at(None).await;
    assert!(calls > 20, "{calls}");
    for number in 1..=calls {
        for mishap in Mishap::ALL {
            crash_at(Some((number, mishap))).await;
        }
    }
}

/// A customer and his sale, delivered and drained while one host call goes wrong; gives how many calls
/// there were.
async fn crash_at(script: Option<(usize, Mishap)>) -> usize {
    let scene = connected().await;
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.app.mishaps.arm(script);
    scene.deliver_mortally().await;
    scene.pass(61).await;
    scene.app.mishaps.live(scene.drain()).await;
    let calls = scene.app.mishaps.disarm().len();
    scene.minutes(12).await;
    scene.settle().await;
    assert_eq!(scene.in_getfly(), (1, 1), "{script:?}");
    assert_eq!(scene.kiotviet.undelivered(), [], "{script:?}");
    let waiting = scene.waiting().await;
    assert_eq!(waiting, Vec::<Value>::new(), "{script:?}");
    calls
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_healed_and_old_events_go() {
    let scene = connected().await;
    scene.minutes(16).await;
    for hook in scene.kiotviet.webhooks() {
        scene.kiotviet.set_webhook_active(hook.id, false);
    }
    scene.kiotviet.create_customer(hoa());
    scene.minutes(20).await;
    assert_eq!(scene.in_getfly(), (1, 0));
    assert!(scene.kiotviet.webhooks().iter().all(|h| h.is_active));
    for _ in 0..32 {
        scene.pass(86_400).await;
        scene.drain().await;
    }
    assert_eq!(states(&scene).await, [""; 0]);
    let (_, overview) = scene.app.get("overview").await;
    assert_eq!(overview["balanced"], true);
    assert_eq!(overview["counts"]["received"], 3);
}

#[tokio::test(start_paused = true)]
async fn pages_of_events_go_on_where_the_last_ended() {
    let scene = connected().await;
    for n in 0..5 {
        let phone = format!("09{:08}", 12_345_670 + n);
        scene.kiotviet.create_customer(customer("Khách", &phone));
        scene.deliver().await;
        scene.pass(1).await;
    }
    let (_, first) = scene.app.get("events?limit=2").await;
    let next = &first["next_before"];
    let (_, second) = scene
        .app
        .get(&format!("events?limit=3&before={next}"))
        .await;
    let seqs = |page: &Value| -> Vec<u64> {
        let events = page["events"].as_array().unwrap().iter();
        events.map(|e| e["seq"].as_u64().unwrap()).collect()
    };
    let all = [seqs(&first), seqs(&second)].concat();
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
    assert_eq!(second["next_before"], Value::Null);
}
