//! Claims: a webhook of ours that KiotViet switched off, that somebody deleted, or that delivers to an
//! old address is registered again by itself; what changed meanwhile is read back through the same
//! journal; deliveries that KiotViet silently did not make are found; somebody else's webhook is
//! never touched; nothing comes twice, and what happened stands in the events. How: hours pass in
//! virtual time, with a drain every minute as any scheduler would call it.

use host_test::{
    mishap::Mishap,
    native::{MASTER_KEY, OTHER_MASTER_KEY, PUBLIC},
    scene::{CONNECTION, On, Scene, customer, hoa, sale},
};
use http::Method;
use jiff::SignedDuration;
use serde_json::Value;
use sim::{Fault, FaultRule};

/// What KiotViet has registered: type, active.
fn hooks(scene: &Scene) -> Vec<(String, bool)> {
    let all = scene.kiotviet.webhooks().into_iter();
    let mut all: Vec<_> = all.map(|w| (w.kind, w.is_active)).collect();
    all.sort();
    all
}

fn both_sound() -> Vec<(String, bool)> {
    ["customer.update", "invoice.update"]
        .map(|kind| (kind.to_owned(), true))
        .into()
}

/// A customer and a sale that KiotViet does not deliver, because nothing active is registered.
fn unseen_sale(scene: &Scene) {
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
}

fn switch_off(scene: &Scene) {
    for hook in scene.kiotviet.webhooks() {
        scene.kiotviet.set_webhook_active(hook.id, false);
    }
}

async fn again(scene: &Scene) -> Vec<Value> {
    let events = scene.events().await.into_iter();
    events
        .filter(|e| e["reason"] == "webhook_registered_again")
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_kiotviet_switched_off_is_registered_again_and_the_gap_is_read_back() {
    let scene = Scene::connected(On::Both).await;
    scene.minutes(20).await;
    switch_off(&scene);
    unseen_sale(&scene);
    assert!(scene.deliver().await.is_empty(), "KiotViet sends nothing");
    assert_eq!(scene.in_getfly(), (0, 0));
    scene.minutes(15).await;
    assert_eq!(hooks(&scene), both_sound());
    assert_eq!(scene.in_getfly(), (1, 1));
    let told = again(&scene).await;
    assert_eq!(told.len(), 2);
    let words = told[0]["notes"][0].as_str().unwrap();
    assert!(
        words.contains("KiotViet had switched the webhook off"),
        "{words}"
    );
    assert!(
        words.contains("last seen sound at 2026-10-05T03:"),
        "{words}"
    );
    let events = scene.events().await;
    let sale = events.iter().find(|e| e["kind"] == "invoice").unwrap();
    assert_eq!(sale["notes"][0], "read back: KiotViet had not delivered it");

    // From here on KiotViet delivers again, and nothing more is told or read.
    let before = scene.events().await.len();
    scene.minutes(45).await;
    assert_eq!(scene.events().await.len(), before);
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    assert_eq!(scene.deliver().await, [200]);
    scene.minutes(45).await;
    assert_eq!(scene.in_getfly(), (2, 1));
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_somebody_deleted_is_registered_again_and_others_stay_as_they_are() {
    let scene = Scene::connected(On::Both).await;
    let foreign =
        scene
            .kiotviet
            .add_webhook("customer.update", "https://crm.example.vn/kiotviet", None);
    scene.kiotviet.set_webhook_active(foreign, false);
    for hook in scene.kiotviet.webhooks() {
        if hook.url.starts_with(PUBLIC) {
            scene.kiotviet.remove_webhook(hook.id);
        }
    }
    unseen_sale(&scene);
    scene.minutes(16).await;
    let foreign = scene
        .kiotviet
        .webhooks()
        .into_iter()
        .find(|h| h.id == foreign);
    assert!(foreign.is_some_and(|h| !h.is_active), "not ours to mend");
    assert_eq!(scene.kiotviet.webhooks().len(), 3);
    assert_eq!(scene.in_getfly(), (1, 1));
    let words = again(&scene).await[0]["notes"][0].to_string();
    assert!(words.contains("deleted on KiotViet"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_new_public_url_moves_the_webhooks() {
    let scene = Scene::connected(On::Both).await;
    scene
        .app
        .set_variable("public_url", "https://new.bridge.test");
    scene.minutes(16).await;
    let urls: Vec<String> = scene
        .kiotviet
        .webhooks()
        .into_iter()
        .map(|h| h.url)
        .collect();
    assert_eq!(urls.len(), 2);
    assert!(
        urls.iter()
            .all(|u| u.starts_with("https://new.bridge.test/hooks/shop/"))
    );
}

#[tokio::test(start_paused = true)]
async fn deliveries_that_were_silently_not_made_are_found() {
    let scene = Scene::connected(On::Both).await;
    scene.minutes(20).await;
    // Both webhooks stay active, and yet nothing comes.
    unseen_sale(&scene);
    scene.kiotviet.take_deliveries();
    scene.minutes(40).await;
    assert_eq!(scene.in_getfly(), (1, 1));
    assert!(again(&scene).await.is_empty());
    let (_, overview) = scene.app.get("overview").await;
    assert!(overview["connections"][0]["missed_at"].is_string());
    // What then comes late after all changes nothing.
    let before = scene.in_getfly();
    scene.kiotviet.set_chaos(sim::kiotviet::Chaos::default());
    scene.minutes(60).await;
    assert_eq!(scene.in_getfly(), before);
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_or_is_a_dead_letter_is_not_brought_in_again() {
    let scene = Scene::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    scene.getfly_faults.add(refused);
    unseen_sale(&scene);
    scene.deliver().await;
    // Another one waits for an upstream that is down for this record only.
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/customers/");
    scene.kiotviet_faults.add(down);
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;
    let before = scene.events().await.len();
    scene.minutes(90).await;
    assert_eq!(
        scene.events().await.len(),
        before,
        "{:?}",
        scene.outcomes().await
    );
    scene.heal().await;
    assert_eq!(scene.events().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn while_getfly_is_down_webhooks_are_healed_all_the_same() {
    let scene = Scene::connected(On::Both).await;
    scene
        .getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    scene.kiotviet.create_customer(hoa());
    scene.deliver().await;
    switch_off(&scene);
    scene.minutes(16).await;
    assert_eq!(hooks(&scene), both_sound());
}

#[tokio::test(start_paused = true)]
async fn a_kiotviet_that_refuses_to_register_is_told_and_read_all_the_same() {
    let scene = Scene::connected(On::Both).await;
    scene.minutes(16).await;
    switch_off(&scene);
    let refuse = FaultRule::new(Fault::Status(500, None)).on(Method::POST, "/webhooks");
    let rule = scene.kiotviet_faults.add(refuse);
    unseen_sale(&scene);
    scene.minutes(16).await;
    assert_eq!(scene.in_getfly(), (1, 1), "its lists are read instead");
    let (_, overview) = scene.app.get("overview").await;
    let shop = &overview["connections"][0];
    assert_eq!(shop["webhooks"]["order"]["active"], false);
    assert!(
        shop["problem"].as_str().unwrap().contains("KiotViet"),
        "{shop}"
    );
    scene.kiotviet_faults.remove(rule);
    scene.minutes(16).await;
    assert_eq!(hooks(&scene), both_sound());
    let (_, overview) = scene.app.get("overview").await;
    assert_eq!(overview["connections"][0]["problem"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_a_person_switched_off_stays_off() {
    let scene = Scene::connected(On::Both).await;
    scene.switch("DELETE", "customer").await;
    scene.minutes(40).await;
    scene.heal().await;
    assert_eq!(hooks(&scene), [("invoice.update".to_owned(), true)]);
    // Nor does anything come in of what it would have brought.
    scene.kiotviet.create_customer(hoa());
    scene.minutes(40).await;
    assert_eq!(scene.in_getfly(), (0, 0));
}

/// KiotViet answers the switch-off 503; another tool's webhook and another connection's stand beside.
#[tokio::test(start_paused = true)]
async fn what_a_switch_off_has_left_at_kiotviet_is_removed_and_nothing_of_others() {
    for on in [On::Both, On::Customers] {
        let scene = Scene::connected(on).await;
        let others = [
            format!("{PUBLIC}/hooks/{CONNECTION}/another-token"),
            "https://crm.example.vn/kiotviet".to_owned(),
        ];
        for url in &others {
            scene.kiotviet.add_webhook("customer.update", url, None);
        }
        let refuse = FaultRule::new(Fault::Status(503, None)).on(Method::DELETE, "/webhooks/");
        let rule = scene.kiotviet_faults.add(refuse);
        assert_eq!(scene.switch("DELETE", "customer").await.0, 502);
        let (_, list) = scene.app.get("connections").await;
        let hook = &list["connections"][0]["webhooks"]["customer"];
        assert_eq!(
            (&hook["on"], &hook["kiotviet"]["registered"]),
            (&false.into(), &true.into())
        );
        scene.minutes(16).await;
        let (_, overview) = scene.app.get("overview").await;
        assert!(overview["connections"][0]["problem"].is_string());

        scene.kiotviet_faults.remove(rule);
        scene.minutes(16).await;
        let left = scene.kiotviet.webhooks().into_iter();
        let left: Vec<_> = left.filter(|w| w.kind == "customer.update").collect();
        let urls: Vec<_> = left.iter().map(|w| w.url.as_str()).collect();
        assert_eq!(urls, others, "{on:?}");
        let (_, overview) = scene.app.get("overview").await;
        assert_eq!(overview["connections"][0]["problem"], Value::Null);
        assert!(again(&scene).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_registrations_of_ours_one_is_left() {
    let scene = Scene::connected(On::Customers).await;
    let url = scene.kiotviet.webhooks()[0].url.clone();
    scene.kiotviet.add_webhook("customer.update", &url, None);
    scene.heal().await;
    assert_eq!(hooks(&scene), [("customer.update".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn older_records_and_cancelled_sales_are_no_missed_deliveries() {
    let scene = Scene::unconnected();
    let old = scene.kiotviet.create_customer(hoa());
    let old_sale = scene.kiotviet.create_invoice(sale(Some(old)));
    scene.pass(5).await;
    scene.connect().await;
    scene.switch("PUT", "customer").await;
    scene.switch("PUT", "order").await;
    scene.pass(5).await;
    scene
        .kiotviet
        .edit_customer(old, |c| c.name = "Chị Hoa (sửa)".to_owned());
    scene.kiotviet.set_invoice_status(old_sale, 1);
    let cancelled = scene.kiotviet.create_invoice(sale(None));
    scene.kiotviet.cancel_invoice(cancelled);
    scene.kiotviet.take_deliveries();
    scene.minutes(60).await;
    scene.heal().await;
    assert_eq!(scene.outcomes().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_sales_of_an_outage_come_in_one_by_one_and_live_ones_do_not_wait() {
    let scene = Scene::connected(On::Both).await;
    scene.minutes(16).await;
    switch_off(&scene);
    for _ in 0..200 {
        scene.kiotviet.create_invoice(sale(None));
    }
    scene.minutes(16).await;
    for _ in 0..5 {
        scene.minutes(1).await;
    }
    assert_eq!(scene.in_getfly(), (0, 200));
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn heal_takes_now_and_nothing_else() {
    let scene = Scene::connected(On::Both).await;
    let (status, problem) = scene
        .app
        .api("POST", "drain?heal=maybe", &Value::Null)
        .await;
    assert_eq!(
        (status, &problem["type"]),
        (400, &Value::from("invalid-request"))
    );
    switch_off(&scene);
    unseen_sale(&scene);
    scene.heal().await;
    assert_eq!(hooks(&scene), both_sound());
    assert_eq!(scene.in_getfly(), (1, 1));
    assert_eq!(CONNECTION, again(&scene).await[0]["connection"]);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_master_key_seals_the_connection_anew_and_the_former_one_can_go() {
    let scene = Scene::connected(On::Both).await;
    let both = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
    scene.app.set_variable("master_key", &both);
    scene.minutes(16).await;
    scene.app.set_variable("master_key", OTHER_MASTER_KEY);
    unseen_sale(&scene);
    assert_eq!(scene.deliver().await, [200, 200]);
    assert_eq!(scene.in_getfly(), (1, 1));
    let events = scene.events().await;
    assert!(
        events
            .iter()
            .all(|e| e["notes"].to_string().find("secrets").is_none())
    );
}

/// Otherwise a shop would be read from its first day on.
#[tokio::test(start_paused = true)]
async fn who_comes_after_one_whose_clock_is_a_moment_ahead_does_not_read_everything_anew() {
    let scene = Scene::connected(On::Both).await;
    let ahead = scene.app.another(7);
    let off = SignedDuration::from_millis(1_500);
    ahead.skew.set(scene.clock.now(), Some(off));
    scene.minutes(60).await;
    let lists = || {
        let calls = scene.kiotviet.calls().into_iter();
        calls
            .filter(|c| c.path.contains("lastModifiedFrom"))
            .count()
    };
    let before = lists();
    let heal = ahead.api("POST", "drain?heal=now", &Value::Null).await;
    assert_eq!(heal.0, 200);
    let read = lists();
    assert!(read > before, "it reads");
    scene.heal().await;
    assert_eq!(lists(), read, "what was read a moment ago is read");
}

/// Webhooks that are off and a sale nobody told of, healed while one host call goes wrong; gives how
/// many calls there were.
async fn healed_under(script: Option<(usize, Mishap)>) -> usize {
    let scene = Scene::connected(On::Both).await;
    scene.minutes(16).await;
    switch_off(&scene);
    unseen_sale(&scene);
    scene.app.mishaps.arm(script);
    scene.app.mishaps.live(scene.heal()).await;
    let calls = scene.app.mishaps.disarm().len();
    scene.minutes(16).await;
    scene.settle().await;
    assert_eq!(hooks(&scene), both_sound(), "{script:?}");
    assert_eq!(scene.in_getfly(), (1, 1), "{script:?}");
    // Told for both; after a crash between telling and keeping that it was told, once more.
    let told = again(&scene).await.len();
    let most = if script.is_some() { 3 } else { 2 };
    assert!((2..=most).contains(&told), "{told} times: {script:?}");
    assert_eq!(scene.audit().await, [""; 0], "{script:?}");
    calls
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_in_between_it_is_healed_and_told_and_nothing_comes_twice() {
    let calls = healed_under(None).await;
    assert!(calls > 50, "{calls}");
    for number in 1..=calls {
        for mishap in Mishap::ALL {
            healed_under(Some((number, mishap))).await;
        }
    }
}
