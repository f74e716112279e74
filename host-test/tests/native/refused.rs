//! Claims that refused and unreadable deliveries, which any sender who knows a webhook's path can
//! send without end, leave little behind: the first 20 of an hour whole, 50 MB of them, further
//! ones as a count with a hash; all of that no longer than finished events; and that the lists are
//! scanned for records that a dropped one may have named. A person's commands about them are
//! bounded too. How: garbage and unsigned deliveries to the plugin running natively.

use bytes::Bytes;
use host::keyvalue::Cell;
use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer},
};
use serde_json::{Value, json};
use sim::kiotviet::Signature;
use std::collections::BTreeMap;

/// The SHA-256 of "garbage 0".
const HASH: &str = "419901dbadf3db6c7e3249a1600dbe1926ddc976f85daf3d974e1c5149a530e7";

async fn shop(policy: &str) -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("signature_policy", policy);
    shop
}

async fn garbage(shop: &TestShop, times: usize) {
    for n in 0..times {
        assert_eq!(shop.post(format!("garbage {n}")).await, 200);
    }
}

/// Bytes in the store.
fn bytes(cells: &BTreeMap<String, Cell>) -> usize {
    let size = |cell: &Cell| match cell {
        Cell::Value(value) => value.len(),
        Cell::Counter(_) => 8,
    };
    cells.iter().map(|(key, cell)| key.len() + size(cell)).sum()
}

async fn dead(shop: &TestShop, query: &str) -> Vec<Value> {
    let (_, list) = shop
        .app
        .events(&format!("state=dead&limit=200{query}"))
        .await;
    list["events"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn twenty_an_hour_are_kept_and_further_ones_counted_in_one_event() {
    let shop = shop("auto").await;
    garbage(&shop, 20).await;
    let kept = shop.app.store.dump().len();
    shop.app.take_stored();
    garbage(&shop, 1000).await;
    let writes = shop.app.take_stored();
    let writes = writes.iter().filter(|call| call.is_write()).count();
    assert!(writes < 1100, "one write each, and one event: {writes}");
    let more = shop.app.store.dump().len() - kept;
    assert!(more <= 4, "{more} more keys");

    let events = dead(&shop, "").await;
    assert_eq!(events.len(), 21);
    let (_, told) = shop
        .app
        .event(events[0]["seq"].as_u64().expect("a number"))
        .await;
    let notes = told["notes"].to_string();
    assert!(
        notes.contains("1000 further deliveries of this hour"),
        "{notes}"
    );
    assert!(notes.contains(&format!("SHA-256 {HASH}")), "{notes}");

    shop.pass(3600).await;
    garbage(&shop, 20).await;
    assert_eq!(dead(&shop, "").await.len(), 41, "another hour");
}

#[tokio::test(start_paused = true)]
async fn fifty_megabytes_are_kept_and_come_free_with_the_retention() {
    let shop = shop("auto").await;
    let before = bytes(&shop.app.store.dump());
    let large = Bytes::from(vec![b'x'; 5 << 20]);
    for _ in 0..4 {
        for _ in 0..10 {
            assert_eq!(shop.post(large.clone()).await, 200);
        }
        shop.pass(3600).await;
    }
    let grown = bytes(&shop.app.store.dump()) - before;
    assert!((35_000_000..60_000_000).contains(&grown), "{grown}");
    assert!(dead(&shop, "").await.len() >= 8);

    shop.pass(31 * 86_400).await;
    shop.drain().await;
    shop.drain().await;
    let left = bytes(&shop.app.store.dump());
    assert!(left < 200_000, "{left}");
    assert_eq!(dead(&shop, "").await, [json!(null); 0]);
    let left = shop.app.store.dump();
    let of_refused: Vec<_> = left
        .iter()
        .filter(|(key, _)| key.contains("/refused/"))
        .collect();
    assert_eq!(
        left["kvgf/refused/shop/bytes"],
        Cell::Counter(0),
        "{of_refused:?}"
    );
    assert!(of_refused.len() <= 4, "{of_refused:?}");
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["balanced"], true, "{overview}");
    assert_eq!(overview["counts"]["dead"], 0, "{overview}");

    assert_eq!(shop.post(large).await, 200);
    assert!(
        bytes(&shop.app.store.dump()) > 6_000_000,
        "there is room again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_genuine_delivery_that_was_dropped_is_read_back_from_the_list() {
    let shop = shop("enforce").await;
    shop.heal().await;
    garbage(&shop, 25).await;
    shop.kiotviet
        .update_settings(|s| s.signature = Signature::Wrong);
    shop.kiotviet
        .create_customer(customer("Khách thật", "0911111111"));
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(shop.in_getfly(), (0, 0), "only counted");
    shop.minutes(45).await;
    assert_eq!(shop.in_getfly(), (1, 0));
    assert!(
        !shop
            .app
            .store
            .dump()
            .contains_key("kvgf/refused/shop/since")
    );
}

#[tokio::test(start_paused = true)]
async fn items_without_an_id_are_bounded_and_their_neighbours_are_not() {
    let shop = shop("observe").await;
    let items = vec![json!({"Code": "KH1"}); 100];
    let mut data = items.clone();
    data.push(json!({"Id": 4711}));
    data.extend(items);
    data.pop();
    let delivery = json!({"Notifications": [{"Action": "customer.update.1", "Data": data}]});
    for _ in 0..5 {
        assert_eq!(shop.post(delivery.to_string()).await, 200);
    }
    assert_eq!(dead(&shop, "").await.len(), 21);
    let outcomes = shop.outcomes().await;
    let others = outcomes.iter().filter(|o| !o.starts_with("dead")).count();
    assert_eq!(others, 5, "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_forged_delivery_makes_two_hundred_events_and_says_what_is_left() {
    let shop = shop("enforce").await;
    let data: Vec<Value> = (1..=500).map(|id| json!({"Id": id})).collect();
    let delivery = json!({"Notifications": [{"Action": "customer.update.1", "Data": data}]});
    assert_eq!(shop.post(delivery.to_string()).await, 200);
    for (events, left) in [(200, 300), (400, 100)] {
        let (_, event) = shop.app.retry(1).await;
        assert_eq!(event["state"], "dead");
        let notes = event["notes"].to_string();
        let words = format!("{events} of its items were accepted anew as events; {left} are left");
        assert!(notes.contains(&words), "{notes}");
        let (_, list) = shop.app.events("limit=1").await;
        assert!(list["events"][0]["seq"].as_u64() <= Some(events + 10));
    }
    let (_, event) = shop.app.retry(1).await;
    assert_eq!(event["state"], "dismissed", "{event}");
    assert!(
        event["notes"]
            .to_string()
            .contains("accepted anew as 500 events")
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_be_forged_is_retried_and_dismissed_by_its_reason_only() {
    let shop = shop("enforce").await;
    shop.refuse_accounts(1);
    shop.kiotviet
        .create_customer(customer("Khách", "0911111111"));
    shop.deliver().await;
    garbage(&shop, 3).await;
    let call = async |path: &str| shop.app.call("POST", path, &Value::Null).await;
    let (status, told) = call("events/retry-dead").await;
    assert_eq!(
        (status, told),
        (202, json!({"retried": 1, "next_before": null}))
    );
    assert_eq!(shop.in_getfly(), (1, 0));
    let (_, told) = call("events/retry-dead?reason=bad_signature").await;
    assert_eq!(told["retried"], 3);
    assert_eq!(
        dead(&shop, "&reason=bad_signature").await.len(),
        3,
        "garbage is garbage again"
    );
    assert_eq!(dead(&shop, "&reason=unreadable").await.len(), 0);

    let (status, problem) = call("events/dismiss").await;
    assert_eq!((status, &problem["type"]), (400, &"invalid-request".into()));
    let (_, told) = call("events/dismiss?reason=bad_signature&connection=other").await;
    assert_eq!(told, json!({"dismissed": 0, "next_before": null}));
    let (status, told) = call("events/dismiss?reason=bad_signature&connection=shop").await;
    assert_eq!(
        (status, told),
        (202, json!({"dismissed": 3, "next_before": null}))
    );
    assert_eq!(dead(&shop, "").await.len(), 0);
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["balanced"], true, "{overview}");
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_is_none_is_named() {
    let shop = shop("auto").await;
    for (query, words) in [
        (
            "reasons=bad_signature",
            "“reasons” is no parameter of this route",
        ),
        ("reason=bad", "reason must be one of getfly_refused"),
    ] {
        let (status, problem) = shop.app.events(query).await;
        assert_eq!(status, 400, "{problem}");
        assert!(
            problem["detail"].as_str().expect("words").contains(words),
            "{problem}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_only_counted_says_so_when_it_is_retried() {
    let shop = shop("auto").await;
    garbage(&shop, 21).await;
    let (_, event) = shop.app.retry(21).await;
    assert_eq!(event["state"], "dead");
    assert!(
        event["notes"]
            .to_string()
            .contains("there is nothing to retry"),
        "{event}"
    );
}

/// Secrets that another `master_key` sealed.
#[tokio::test(start_paused = true)]
async fn a_delivery_whose_signature_cannot_be_checked_is_refused_where_signatures_are_enforced() {
    for (policy, state) in [("enforce", "dead"), ("observe", "received")] {
        let shop = shop(policy).await;
        shop.app
            .set_variable("master_key", host_test::variables::OTHER_MASTER_KEY);
        shop.kiotviet
            .create_customer(customer("Khách", "0911111111"));
        assert_eq!(shop.deliver().await, [200]);
        let event = shop.events().await.remove(0);
        let refused = event["reason"] == "bad_signature";
        assert_eq!(refused, state == "dead", "{policy}: {event}");
        assert!(
            event["notes"].to_string().contains("signature not checked"),
            "{event}"
        );
        assert_eq!(shop.in_getfly(), (0, 0));
    }
}
