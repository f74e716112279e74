//! Claims: our webhook that KiotViet switched off, that a person deleted, or that delivers to an
//! old address is registered again automatically; records that changed meanwhile come in through
//! the same journal; deliveries that KiotViet silently did not make are found; another system's
//! webhook is never touched; nothing comes twice, and the events say what happened. How: hours pass
//! in virtual time, with a drain every minute as a scheduler would call it.

use host_test::{
    admin::Admin,
    host_fault::HostFault,
    shop::{CONNECTION, On, TestShop, ba, hoa, sale},
    variables::{MASTER_KEY, OTHER_MASTER_KEY, PUBLIC},
};
use http::Method;
use jiff::SignedDuration;
use serde_json::Value;
use sim::{Fault, FaultRule};

/// What KiotViet has registered: type, active.
fn hooks(shop: &TestShop) -> Vec<(String, bool)> {
    let all = shop.kiotviet.webhooks().into_iter();
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
fn unseen_sale(shop: &TestShop) {
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
}

async fn again(shop: &TestShop) -> Vec<Value> {
    let events = shop.events().await.into_iter();
    events
        .filter(|e| e["reason"] == "webhook_registered_again")
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_kiotviet_switched_off_is_registered_again_and_the_gap_is_read_back() {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(20).await;
    shop.kiotviet.switch_off_webhooks();
    unseen_sale(&shop);
    assert!(shop.deliver().await.is_empty(), "KiotViet sends nothing");
    assert_eq!(shop.in_getfly(), (0, 0));
    shop.minutes(15).await;
    assert_eq!(hooks(&shop), both_sound());
    assert_eq!(shop.in_getfly(), (1, 1));
    let told = again(&shop).await;
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
    let events = shop.events().await;
    let sale = events.iter().find(|e| e["kind"] == "invoice").unwrap();
    assert_eq!(sale["notes"][0], "read back: KiotViet had not delivered it");

    // From here on KiotViet delivers again, and no further event is made and no list scanned.
    let before = shop.events().await.len();
    shop.minutes(45).await;
    assert_eq!(shop.events().await.len(), before);
    shop.kiotviet.create_customer(ba());
    assert_eq!(shop.deliver().await, [200]);
    shop.minutes(45).await;
    assert_eq!(shop.in_getfly(), (2, 1));
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_was_deleted_is_registered_again_and_others_stay_as_they_are() {
    let shop = TestShop::connected(On::Both).await;
    let foreign =
        shop.kiotviet
            .add_webhook("customer.update", "https://crm.example.vn/kiotviet", None);
    shop.kiotviet.set_webhook_active(foreign, false);
    for hook in shop.kiotviet.webhooks() {
        if hook.url.starts_with(PUBLIC) {
            shop.kiotviet.remove_webhook(hook.id);
        }
    }
    unseen_sale(&shop);
    shop.minutes(16).await;
    let foreign = shop
        .kiotviet
        .webhooks()
        .into_iter()
        .find(|h| h.id == foreign);
    assert!(foreign.is_some_and(|h| !h.is_active), "not ours to mend");
    assert_eq!(shop.kiotviet.webhooks().len(), 3);
    assert_eq!(shop.in_getfly(), (1, 1));
    let words = again(&shop).await[0]["notes"][0].to_string();
    assert!(words.contains("deleted on KiotViet"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_new_public_url_moves_the_webhooks() {
    let shop = TestShop::connected(On::Both).await;
    shop.app
        .set_variable("public_url", "https://new.bridge.test");
    shop.minutes(16).await;
    let urls: Vec<String> = shop
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
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(20).await;
    // Both webhooks stay active, and yet nothing comes.
    unseen_sale(&shop);
    shop.kiotviet.take_deliveries();
    shop.minutes(40).await;
    assert_eq!(shop.in_getfly(), (1, 1));
    assert!(again(&shop).await.is_empty());
    let (_, overview) = shop.app.overview().await;
    assert!(overview["connections"][0]["missed_at"].is_string());
    // A delivery that comes late after all changes nothing.
    let before = shop.in_getfly();
    shop.kiotviet.set_chaos(sim::kiotviet::Chaos::default());
    shop.minutes(60).await;
    assert_eq!(shop.in_getfly(), before);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_or_is_a_dead_letter_is_not_brought_in_again() {
    let shop = TestShop::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refused);
    unseen_sale(&shop);
    shop.deliver().await;
    // Another one waits for an upstream that fails for this record only.
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/customers/");
    shop.kiotviet_faults.add(down);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    let before = shop.events().await.len();
    shop.minutes(90).await;
    assert_eq!(
        shop.events().await.len(),
        before,
        "{:?}",
        shop.outcomes().await
    );
    shop.heal().await;
    assert_eq!(shop.events().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn while_getfly_is_down_webhooks_are_healed_all_the_same() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.kiotviet.switch_off_webhooks();
    shop.minutes(16).await;
    assert_eq!(hooks(&shop), both_sound());
}

#[tokio::test(start_paused = true)]
async fn a_kiotviet_that_refuses_to_register_is_told_and_read_all_the_same() {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(16).await;
    shop.kiotviet.switch_off_webhooks();
    let refuse = FaultRule::new(Fault::Status(500, None)).on(Method::POST, "/webhooks");
    let rule = shop.kiotviet_faults.add(refuse);
    unseen_sale(&shop);
    shop.minutes(16).await;
    assert_eq!(shop.in_getfly(), (1, 1), "its lists are read instead");
    let (_, overview) = shop.app.overview().await;
    let shown = &overview["connections"][0];
    assert_eq!(shown["webhooks"]["order"]["active"], false);
    let problem = shown["problem"].as_str().unwrap();
    assert!(problem.contains("KiotViet"), "{problem}");
    shop.kiotviet_faults.remove(rule);
    shop.minutes(16).await;
    assert_eq!(hooks(&shop), both_sound());
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["connections"][0]["problem"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_a_person_switched_off_stays_off() {
    let shop = TestShop::connected(On::Both).await;
    shop.switch("customer", false).await;
    shop.minutes(40).await;
    shop.heal().await;
    assert_eq!(hooks(&shop), [("invoice.update".to_owned(), true)]);
    // What it would have brought does not come in either.
    shop.kiotviet.create_customer(hoa());
    shop.minutes(40).await;
    assert_eq!(shop.in_getfly(), (0, 0));
}

/// KiotViet answers the switch-off 503; another tool's webhook and another connection's exist too.
#[tokio::test(start_paused = true)]
async fn what_a_switch_off_has_left_at_kiotviet_is_removed_and_nothing_of_others() {
    for on in [On::Both, On::Customers] {
        let shop = TestShop::connected(on).await;
        let others = [
            format!("{PUBLIC}/hooks/{CONNECTION}/another-token"),
            "https://crm.example.vn/kiotviet".to_owned(),
        ];
        for url in &others {
            shop.kiotviet.add_webhook("customer.update", url, None);
        }
        let refuse = FaultRule::new(Fault::Status(503, None)).on(Method::DELETE, "/webhooks/");
        let rule = shop.kiotviet_faults.add(refuse);
        assert_eq!(shop.switch("customer", false).await.0, 502);
        let (_, list) = shop.app.connections().await;
        let hook = &list["connections"][0]["webhooks"]["customer"];
        assert_eq!(
            (&hook["on"], &hook["kiotviet"]["registered"]),
            (&false.into(), &true.into())
        );
        shop.minutes(16).await;
        let (_, overview) = shop.app.overview().await;
        assert!(overview["connections"][0]["problem"].is_string());

        shop.kiotviet_faults.remove(rule);
        shop.minutes(16).await;
        let left = shop.kiotviet.webhooks().into_iter();
        let left: Vec<_> = left.filter(|w| w.kind == "customer.update").collect();
        let urls: Vec<_> = left.iter().map(|w| w.url.as_str()).collect();
        assert_eq!(urls, others, "{on:?}");
        let (_, overview) = shop.app.overview().await;
        assert_eq!(overview["connections"][0]["problem"], Value::Null);
        assert!(again(&shop).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_registrations_of_ours_one_is_left() {
    let shop = TestShop::connected(On::Customers).await;
    let url = shop.kiotviet.webhooks()[0].url.clone();
    shop.kiotviet.add_webhook("customer.update", &url, None);
    shop.heal().await;
    assert_eq!(hooks(&shop), [("customer.update".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn older_records_and_cancelled_sales_are_no_missed_deliveries() {
    let shop = TestShop::unconnected();
    let old = shop.kiotviet.create_customer(hoa());
    let old_sale = shop.kiotviet.create_invoice(sale(Some(old)));
    shop.pass(5).await;
    shop.connect_with(On::Both).await;
    shop.pass(4).await;
    shop.kiotviet
        .edit_customer(old, |c| c.name = "Chị Hoa (sửa)".to_owned());
    shop.kiotviet.set_invoice_status(old_sale, 1);
    let cancelled = shop.kiotviet.create_invoice(sale(None));
    shop.kiotviet.cancel_invoice(cancelled);
    shop.kiotviet.take_deliveries();
    shop.minutes(60).await;
    shop.heal().await;
    assert_eq!(shop.outcomes().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_sales_of_an_outage_come_in_one_by_one_and_live_ones_do_not_wait() {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(16).await;
    shop.kiotviet.switch_off_webhooks();
    for _ in 0..200 {
        shop.kiotviet.create_invoice(sale(None));
    }
    shop.minutes(16).await;
    for _ in 0..5 {
        shop.minutes(1).await;
    }
    assert_eq!(shop.in_getfly(), (0, 200));
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn heal_takes_now_and_nothing_else() {
    let shop = TestShop::connected(On::Both).await;
    let (status, problem) = shop
        .app
        .call("POST", "drain?heal=maybe", &Value::Null)
        .await;
    assert_eq!(
        (status, &problem["type"]),
        (400, &Value::from("invalid-request"))
    );
    shop.kiotviet.switch_off_webhooks();
    unseen_sale(&shop);
    shop.heal().await;
    assert_eq!(hooks(&shop), both_sound());
    assert_eq!(shop.in_getfly(), (1, 1));
    assert_eq!(CONNECTION, again(&shop).await[0]["connection"]);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_master_key_seals_the_connection_anew_and_the_former_one_can_go() {
    let shop = TestShop::connected(On::Both).await;
    let both = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
    shop.app.set_variable("master_key", &both);
    shop.minutes(16).await;
    shop.app.set_variable("master_key", OTHER_MASTER_KEY);
    unseen_sale(&shop);
    assert_eq!(shop.deliver().await, [200, 200]);
    assert_eq!(shop.in_getfly(), (1, 1));
    let events = shop.events().await;
    assert!(
        events
            .iter()
            .all(|e| e["notes"].to_string().find("secrets").is_none())
    );
}

/// Otherwise a shop would be scanned from its first day on.
#[tokio::test(start_paused = true)]
async fn who_comes_after_one_whose_clock_is_a_moment_ahead_does_not_read_everything_anew() {
    let shop = TestShop::connected(On::Both).await;
    let ahead = shop.app.another(7);
    let off = SignedDuration::from_millis(1_500);
    ahead.skew.set(shop.clock.now(), Some(off));
    shop.minutes(60).await;
    let lists = || {
        let calls = shop.kiotviet.calls().into_iter();
        calls
            .filter(|c| c.path.contains("lastModifiedFrom"))
            .count()
    };
    let before = lists();
    let heal = ahead.heal().await;
    assert_eq!(heal.0, 200);
    let read = lists();
    assert!(read > before, "it reads");
    shop.heal().await;
    assert_eq!(lists(), read, "what was read a moment ago is read");
}

/// Webhooks that are off and an undelivered sale, healed while one host call fails; returns how
/// many calls there were.
async fn healed_under(script: Option<(usize, HostFault)>) -> usize {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(16).await;
    shop.kiotviet.switch_off_webhooks();
    unseen_sale(&shop);
    shop.app.host_faults.arm(script);
    shop.app.host_faults.live(shop.heal()).await;
    let calls = shop.app.host_faults.disarm().len();
    shop.minutes(16).await;
    shop.settle().await;
    assert_eq!(hooks(&shop), both_sound(), "{script:?}");
    assert_eq!(shop.in_getfly(), (1, 1), "{script:?}");
    // One event for each; after a crash between making an event and noting it, one more.
    let told = again(&shop).await.len();
    let most = if script.is_some() { 3 } else { 2 };
    assert!((2..=most).contains(&told), "{told} times: {script:?}");
    assert_eq!(shop.audit().await, [""; 0], "{script:?}");
    calls
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_in_between_it_is_healed_and_told_and_nothing_comes_twice() {
    let calls = healed_under(None).await;
    assert!(calls > 50, "{calls}");
    for number in 1..=calls {
        for fault in HostFault::ALL {
            healed_under(Some((number, fault))).await;
        }
    }
}
