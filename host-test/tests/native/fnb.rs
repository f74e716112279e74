//! Claims for shops of KiotViet F&B: they connect by a pasted address or with `edition`; credentials of the other
//! edition are told as such; both editions may be connected to one Getfly at once, also under one name, and their
//! codes and keys never meet. Their invoices are polled: each is in Getfly within 90 s, whatever the filter by
//! change is worth there, at 400 KiotViet calls an hour at most; what a till sends late is found; nothing is lost
//! or doubled through a crash at any call of a poll. How: hours pass in virtual time over the simulated F&B edition,
//! with a drain every minute as a scheduler would call it.

use host_test::{
    admin::{Admin, credentials},
    host_fault::HostFault,
    shop::{AFTER_THE_LEASE, CONNECTION, On, TestShop, customer, hoa, sale},
    variables::{KIOTVIET_FNB, KIOTVIET_FNB_ID},
};
use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use sim::{
    Fault, FaultRule,
    kiotviet::{ChangedSince, Fnb, NewInvoice, ScopeField, Settings},
};
use std::{collections::BTreeMap, sync::Arc};

/// An unconnected F&B shop.
fn restaurant() -> TestShop {
    TestShop::of_settings(Settings::fnb(), []).0
}

#[tokio::test(start_paused = true)]
async fn r1_a_shop_is_connected_by_its_pasted_address_or_with_its_edition() {
    let settings = Settings::fnb();
    for (retailer, edition) in [
        ("https://fnb.kiotviet.vn/QuanThu#/login", None),
        ("fnb.kiotviet.vn/quanthu", Some("fnb")),
        ("quanthu", Some("fnb")),
    ] {
        let shop = restaurant();
        let mut body = credentials(&settings);
        body["retailer"] = retailer.into();
        body["edition"] = edition.into();
        let (status, answer) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(status, 200, "{retailer}: {answer}");
        assert_eq!(
            (&answer["retailer"], &answer["edition"]),
            (&"quanthu".into(), &"fnb".into())
        );
        let (_, list) = shop.app.connections().await;
        let one = &list["connections"][0];
        assert_eq!(
            (&one["retailer"], &one["edition"]),
            (&"quanthu".into(), &"fnb".into())
        );
        let asked = shop.app.take_calls();
        let urls: Vec<&str> = asked.iter().map(|call| call.url.as_str()).collect();
        assert_eq!(urls[0], format!("{KIOTVIET_FNB_ID}/identity/connect/token"));
        let of_fnb = |url: &&str| url.starts_with(KIOTVIET_FNB) || url.starts_with(KIOTVIET_FNB_ID);
        assert!(urls.iter().all(of_fnb), "{urls:?}");
        assert!(asked[0].body.contains("scope=PublicApi.Access.FNB"));
    }
}

#[tokio::test(start_paused = true)]
async fn r1_an_address_and_an_edition_that_contradict_each_other_are_refused() {
    let shop = restaurant();
    for (retailer, edition, words) in [
        ("https://fnb.kiotviet.vn/quanthu", "retail", "KiotViet F&B"),
        ("quanthu.kiotviet.vn", "fnb", "KiotViet bán lẻ"),
        ("quanthu", "spa", "retail or fnb"),
        (
            "https://fnb.kiotviet.vn/",
            "fnb",
            "not a KiotViet shop name",
        ),
    ] {
        let body = json!({"retailer": retailer, "edition": edition, "client_id": "x", "client_secret": "y"});
        let (status, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(status, 400, "{retailer}: {problem}");
        assert!(problem["detail"].to_string().contains(words), "{problem}");
    }
    assert!(shop.app.take_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn r1_credentials_of_the_other_edition_are_told_as_such() {
    let (shop, others) = TestShop::of_settings(Settings::default(), [Settings::fnb()]);
    let (retail, fnb) = (shop.kiotviet.settings(), others[0].settings());
    for (of, edition, kind) in [
        (&fnb, "retail", "kiotviet-of-fnb"),
        (&retail, "fnb", "kiotviet-of-retail"),
    ] {
        let mut body = credentials(of);
        body["edition"] = edition.into();
        let (status, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!((status, &problem["type"]), (422, &kind.into()), "{problem}");
        let (_, list) = shop.app.connections().await;
        assert_eq!(list["connections"], json!([]), "nothing is kept");
        body["client_secret"] = "wrong".into();
        let (_, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(problem["type"], "kiotviet-refused-credentials");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_given_whichever_field_carries_the_scope() {
    for field in [ScopeField::Either, ScopeField::Scope, ScopeField::Scopes] {
        let shop = restaurant();
        shop.kiotviet.update_settings(|s| s.fnb.scope_field = field);
        assert_eq!(shop.connect().await.0, 200, "{field:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_editions_under_one_name_share_nothing() {
    let lan = |settings| Settings {
        retailer: "lan".to_owned(),
        ..settings
    };
    let (shop, others) = TestShop::of_settings(lan(Settings::default()), [lan(Settings::fnb())]);
    let fnb = Arc::clone(&others[0]);
    shop.connect_with(On::Customers).await;
    assert_eq!(shop.connect_as("quan", &fnb).await.0, 200);
    let (status, answer) = shop.app.switch("quan", "customer", true).await;
    assert_eq!(status, 200, "{answer}");
    shop.pass(1).await;
    // The same number and the same code on both sides are two customers.
    let ids = [&shop.kiotviet, &fnb].map(|kiotviet| {
        kiotviet.create_customer(sim::kiotviet::NewCustomer {
            contact_number: None,
            email: None,
            ..hoa()
        })
    });
    assert_eq!(ids[0], ids[1]);
    shop.deliver().await;
    for delivery in fnb.take_deliveries() {
        let (answer, after) = shop.app.answer(fnb.request(&delivery)).await;
        fnb.settle(delivery, Some(answer.status));
        shop.app.after(after).await;
    }
    let codes: Vec<String> = shop
        .getfly
        .accounts()
        .into_iter()
        .map(|a| a.account_code)
        .collect();
    let id = ids[0];
    assert_eq!(codes, [format!("KV-lan-{id}"), format!("KV-fnb.lan-{id}")]);
    // Another edition is another shop, so a connection's name does not pass to it.
    let (status, problem) = shop.app.connect(CONNECTION, &fnb.settings()).await;
    assert_eq!((status, &problem["type"]), (409, &"another-shop".into()));
}

/// A connected F&B shop of this behaviour with a history of `old` invoices from before.
async fn selling(on: On, fnb: Fnb, old: usize) -> TestShop {
    let shop = restaurant();
    shop.kiotviet.update_settings(|s| s.fnb = fnb);
    let week_ago = shop.clock.now() - SignedDuration::from_hours(7 * 24);
    for n in 0..old {
        let created_at = week_ago + SignedDuration::from_mins(i64::try_from(n).unwrap_or(0) * 30);
        shop.kiotviet.create_invoice(NewInvoice {
            created_at: Some(created_at.min(shop.clock.now() - SignedDuration::from_mins(1))),
            ..sale(None)
        });
    }
    shop.connect_with(on).await;
    shop.app.take_calls();
    shop
}

/// Sells every 24 s for so many minutes, with a drain every minute; the longest that an order took, in seconds.
async fn sell(shop: &TestShop, minutes: u64) -> i64 {
    let mut made = BTreeMap::new();
    let mut slowest = 0;
    for second in 1..=minutes * 60 {
        shop.pass(1).await;
        if second % 24 == 5 && second < minutes * 60 - 120 {
            let phone = format!("09{:08}", 12_345_678 + second * 37);
            let id = shop.kiotviet.create_customer(customer("Chị Hoa", &phone));
            shop.deliver().await;
            let id = shop.kiotviet.create_invoice(sale(Some(id)));
            let code = shop.kiotviet.invoice(id).expect("it was made").code;
            made.insert(format!("quanthu-{code}"), shop.clock.now());
        }
        if second % 60 == 0 {
            shop.drain().await;
            for order in shop.getfly.orders() {
                let code = order.order_code.replacen("fnb.", "", 1);
                if let Some(at) = made.remove(&code) {
                    slowest = slowest.max(order.created_at.duration_since(at).as_secs());
                }
            }
        }
    }
    assert_eq!(made, BTreeMap::new(), "every sale has its order");
    slowest
}

/// KiotViet calls since this was last asked.
fn of_kiotviet(shop: &TestShop) -> usize {
    let calls = shop.app.take_calls();
    calls
        .iter()
        .filter(|c| c.endpoint.starts_with("KiotViet"))
        .count()
}

/// What the shop's page of the API says of its order webhook.
async fn at_kiotviet(shop: &TestShop) -> serde_json::Value {
    let (_, list) = shop.app.connections().await;
    list["connections"][0]["webhooks"]["order"]["kiotviet"].clone()
}

#[tokio::test(start_paused = true)]
async fn invoices_are_polled_where_there_is_no_webhook_for_them() {
    let shop = selling(On::Neither, Fnb::default(), 0).await;
    assert_eq!(shop.switch("order", true).await.0, 200);
    let asked = shop.app.take_calls();
    assert!(
        asked.iter().all(|c| !c.endpoint.contains("webhooks")),
        "{asked:?}"
    );
    assert_eq!(
        asked
            .iter()
            .filter(|c| c.endpoint.ends_with("/invoices"))
            .count(),
        1
    );
    shop.pass(1).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.minutes(1).await;
    assert_eq!(shop.outcomes().await, ["created order_created"]);
    let event = &shop.events().await[0];
    assert!(!event["notes"].to_string().contains("read back"), "{event}");
    let now = shop.clock.now().strftime("%Y-%m-%dT%H:%M").to_string();
    let seen = at_kiotviet(&shop).await;
    assert_eq!(seen["comes_through"], true);
    assert!(
        seen["polled_at"]
            .as_str()
            .is_some_and(|at| at.starts_with(&now)),
        "{seen}"
    );

    // Healing registers nothing for it, and finds nothing missed.
    shop.minutes(60).await;
    assert_eq!(shop.kiotviet.webhooks(), []);
    assert_eq!(shop.events().await.len(), 1);
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn off_means_that_nothing_is_polled_and_on_again_that_only_new_sales_count() {
    let shop = selling(On::Orders, Fnb::default(), 3).await;
    shop.minutes(2).await;
    assert_eq!(shop.switch("order", false).await.0, 200);
    shop.minutes(2).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.app.take_calls();
    shop.minutes(10).await;
    assert_eq!(of_kiotviet(&shop), 0);
    assert_eq!(shop.switch("order", true).await.0, 200);
    shop.pass(1).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly().1, 1, "the sale in between is none of ours");
}

#[tokio::test(start_paused = true)]
async fn a_sale_is_in_getfly_within_90_seconds_at_400_calls_an_hour_whatever_the_filter_is_worth() {
    let plain = Fnb {
        cancelled_status: 4,
        ..Fnb::default()
    };
    for (changed_since, order_ignored, pages_overlap, hours) in [
        (ChangedSince::Honoured, false, false, 3),
        (ChangedSince::AsWallTime, false, true, 2),
        (ChangedSince::Ignored, false, false, 2),
        (ChangedSince::Refused, false, true, 2),
        (ChangedSince::Refused, true, true, 1),
    ] {
        let fnb = Fnb {
            changed_since,
            order_ignored,
            pages_overlap,
            ..plain.clone()
        };
        let named = format!("{changed_since:?} {order_ignored} {pages_overlap}");
        let shop = selling(On::Both, fnb, 250).await;
        for _ in 0..hours {
            let slowest = sell(&shop, 60).await;
            assert!(slowest <= 90, "{named}: {slowest} s");
            let calls = shop.app.take_calls();
            let calls = calls.iter().map(|call| call.endpoint);
            let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
            calls
                .filter(|call| call.starts_with("KiotViet"))
                .for_each(|call| *tally.entry(call).or_default() += 1);
            let calls: usize = tally.values().sum();
            // Without an order that is heeded, whole windows are read.
            let bar = if order_ignored { 1000 } else { 400 };
            assert!(calls <= bar, "{named}: {tally:?}");
        }
        assert_eq!(shop.audit().await, [""; 0], "{named}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_till_sends_late_is_found_by_the_sweep_and_from_then_on_at_once() {
    for changed_since in [ChangedSince::Honoured, ChangedSince::Refused] {
        let fnb = Fnb {
            changed_since,
            ..Fnb::default()
        };
        let shop = selling(On::Orders, fnb, 10).await;
        shop.minutes(5 * 60).await;
        let hours = |n: i64| shop.clock.now() - SignedDuration::from_hours(n);
        shop.kiotviet.sync_late(sale(None), hours(4));
        shop.minutes(70).await;
        assert_eq!(shop.in_getfly().1, 1, "{changed_since:?}");
        shop.kiotviet.sync_late(sale(None), hours(3));
        shop.minutes(2).await;
        assert_eq!(shop.in_getfly().1, 2, "{changed_since:?}");
        // A till of the days before.
        shop.minutes(60 * 60).await;
        shop.kiotviet.sync_late(sale(None), hours(50));
        shop.minutes(70).await;
        assert_eq!(shop.in_getfly().1, 3, "{changed_since:?}");
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_invoice_is_told_by_its_words_and_a_number_alone_means_nothing() {
    for (completed, cancelled, in_words) in [
        (1, 2, false),
        (1, 4, false),
        (2, 1, false),
        (3, 0, false),
        (0, 0, true),
    ] {
        let fnb = Fnb {
            completed_status: completed,
            cancelled_status: cancelled,
            status_in_words: in_words,
            ..Fnb::default()
        };
        let shop = selling(On::Orders, fnb, 0).await;
        let gone = shop.kiotviet.create_invoice(sale(None));
        shop.kiotviet.cancel_invoice(gone);
        shop.kiotviet.create_invoice(sale(None));
        shop.minutes(2).await;
        assert_eq!(
            shop.outcomes().await,
            ["created order_created"],
            "{completed} {cancelled} {in_words}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_users_that_the_edition_does_not_have_costs_no_sale_no_wait_and_no_calls() {
    for missing_as_page in [false, true] {
        let fnb = Fnb {
            missing_as_page,
            ..Fnb::default()
        };
        let shop = selling(On::Orders, fnb, 0).await;
        for _ in 0..5 {
            shop.kiotviet.create_invoice(sale(None));
            shop.minutes(1).await;
        }
        assert_eq!(shop.in_getfly().1, 5);
        let event = &shop.events().await[0];
        let notes = event["notes"].to_string();
        assert!(
            notes.contains("KiotViet F&B has no list of users"),
            "{event}"
        );
        assert_eq!(event["attempts"], 0, "no attempt failed");
        let users = shop.app.take_calls();
        let users = users.iter().filter(|c| c.endpoint == "KiotViet GET /users");
        assert_eq!(users.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_is_cancelled_after_its_order_is_told_once() {
    let shop = selling(On::Orders, Fnb::default(), 3).await;
    let sold = shop.kiotviet.create_invoice(sale(None));
    shop.minutes(5).await;
    assert_eq!(shop.in_getfly().1, 1);
    shop.kiotviet.cancel_invoice(sold);
    shop.minutes(60).await;
    let outcomes = shop.outcomes().await;
    assert_eq!(
        outcomes,
        ["created order_created", "ignored already_synced"]
    );
    let events = shop.events().await;
    let told = &events[1]["notes"];
    assert!(told.to_string().contains("cancelled"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_its_record_contradicts_makes_one_event_for_each_change() {
    for no_modified_date in [false, true] {
        let fnb = Fnb {
            rows_look_sold: true,
            no_modified_date,
            ..Settings::fnb().fnb
        };
        let shop = selling(On::Orders, fnb, 3).await;
        let sold = shop.kiotviet.create_invoice(sale(None));
        shop.kiotviet.cancel_invoice(sold);
        shop.kiotviet.create_invoice(sale(None));
        shop.minutes(50).await;
        let outcomes = shop.outcomes().await;
        let ignored = outcomes.iter().filter(|o| o.starts_with("ignored")).count();
        // The sweep may find it once more.
        assert!((1..=2).contains(&ignored), "{outcomes:?}");
        assert_eq!(shop.in_getfly().1, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn r1_without_a_list_of_branches_the_invoices_prove_the_shop() {
    let shop = restaurant();
    shop.kiotviet
        .update_settings(|s| s.fnb.has_no_branches = true);
    let (status, answer) = shop.connect().await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["branches"], json!(null));
    shop.connect_with(On::Both).await;
    // A record that is gone is found to be gone.
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.delete_customer(id);
    shop.deliver().await;
    shop.minutes(15).await;
    let outcomes = shop.outcomes().await;
    assert!(
        outcomes.iter().all(|o| o.starts_with("ignored")),
        "{outcomes:?}"
    );
}

/// The filter by changes may work and leave out what was never changed, or fail for ever.
#[tokio::test(start_paused = true)]
async fn a_filter_that_shows_nothing_or_fails_loses_no_sale() {
    for changed_since in [ChangedSince::ChangedOnly, ChangedSince::Fails] {
        let fnb = Fnb {
            changed_since,
            ..Fnb::default()
        };
        let shop = selling(On::Orders, fnb, 10).await;
        shop.kiotviet.create_invoice(sale(None));
        shop.minutes(30).await;
        assert_eq!(shop.in_getfly().1, 1, "{changed_since:?}");
        shop.kiotviet.create_invoice(sale(None));
        shop.minutes(2).await;
        assert_eq!(
            shop.in_getfly().1,
            2,
            "{changed_since:?}, from then on at once"
        );
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_backfill_asked_for_at_once_finds_what_was_never_changed() {
    let fnb = Fnb {
        changed_since: ChangedSince::ChangedOnly,
        ..Fnb::default()
    };
    let shop = restaurant();
    shop.kiotviet.update_settings(|s| s.fnb = fnb);
    shop.kiotviet.create_invoice(sale(None));
    shop.pass(60).await;
    shop.connect_with(On::Orders).await;
    let now = shop.clock.now();
    let from = (now - SignedDuration::from_hours(1)).to_string();
    assert_eq!(shop.backfill(json!({ "from": from })).await.0, 202);
    shop.minutes(3).await;
    assert_eq!(shop.in_getfly().1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_was_not_polled_for_hours_is_caught_up_whole() {
    for changed_since in [
        ChangedSince::Honoured,
        ChangedSince::Refused,
        ChangedSince::Ignored,
    ] {
        let fnb = Fnb {
            changed_since,
            ..Fnb::default()
        };
        let shop = selling(On::Orders, fnb, 120).await;
        shop.minutes(3).await;
        for _ in 0..450 {
            shop.pass(60).await;
            shop.kiotviet.create_invoice(sale(None));
        }
        // KiotViet breaks down in the midst of it.
        let third = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
        let rule = shop.kiotviet_faults.add(third.when(sim::When::Nth(3)));
        shop.minutes(20).await;
        shop.kiotviet_faults.remove(rule);
        shop.settle().await;
        assert_eq!(shop.in_getfly().1, 450, "{changed_since:?}");
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn polls_that_do_not_come_through_are_told() {
    let shop = selling(On::Orders, Fnb::default(), 0).await;
    shop.minutes(2).await;
    let all = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
    let rule = shop.kiotviet_faults.add(all);
    shop.minutes(5).await;
    assert_eq!(
        at_kiotviet(&shop).await["comes_through"],
        true,
        "once is no news"
    );
    shop.minutes(10).await;
    assert_eq!(at_kiotviet(&shop).await["comes_through"], false);
    let (_, overview) = shop.app.look("overview").await;
    assert!(
        overview["connections"][0]["problem"]
            .to_string()
            .contains("503"),
        "{overview}"
    );
    shop.kiotviet.create_invoice(sale(None));
    shop.kiotviet_faults.remove(rule);
    shop.minutes(6).await;
    assert_eq!(at_kiotviet(&shop).await["comes_through"], true);
    assert_eq!(shop.in_getfly().1, 1);
    let (_, overview) = shop.app.look("overview").await;
    assert!(
        overview["connections"][0]["problem"].is_null(),
        "{overview}"
    );
}

/// A shop with two sales that no poll has seen, polled with this fault; returns the calls of that drain.
async fn polled_with(
    changed_since: ChangedSince,
    fault: Option<(usize, HostFault)>,
) -> Vec<String> {
    let fnb = Fnb {
        changed_since,
        ..Fnb::default()
    };
    let shop = selling(On::Orders, fnb, 2).await;
    shop.minutes(1).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.kiotviet.create_invoice(sale(None));
    shop.pass(60).await;
    shop.app.host_faults.arm(fault);
    shop.app.host_faults.live(shop.drain()).await;
    let calls = shop.app.host_faults.disarm();
    shop.pass(AFTER_THE_LEASE).await;
    shop.minutes(6).await;
    shop.settle().await;
    assert_eq!(
        shop.in_getfly(),
        (1, 2),
        "{changed_since:?} {fault:?} {calls:?}"
    );
    assert_eq!(shop.audit().await, [""; 0], "{changed_since:?} {fault:?}");
    calls
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_any_call_of_a_poll_loses_and_doubles_nothing() {
    for changed_since in [ChangedSince::Honoured, ChangedSince::Refused] {
        let calls = polled_with(changed_since, None).await;
        let watch = format!("set kvgf/connection/{CONNECTION}/watch");
        let end = calls.iter().position(|call| *call == watch);
        let end = end.expect("the poll keeps how far it is") + 2;
        assert!(end > 10, "{calls:?}");
        for (number, call) in (1..).zip(&calls).take(end) {
            for fault in HostFault::distinct(call) {
                polled_with(changed_since, Some((number, *fault))).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_two_pages_of_a_poll_by_sales_passes_nothing_over() {
    let fnb = || Fnb {
        changed_since: ChangedSince::Refused,
        ..Fnb::default()
    };
    for at in [None, Some(150), Some(380), Some(700)] {
        let shop = selling(On::Orders, fnb(), 0).await;
        shop.minutes(3).await;
        // Nobody called for half an hour; the sweep is not due yet.
        for _ in 0..250 {
            shop.pass(7).await;
            shop.kiotviet.create_invoice(sale(None));
        }
        shop.app
            .host_faults
            .arm(at.map(|n| (n, HostFault::DiesBefore)));
        shop.app.host_faults.live(shop.drain()).await;
        let calls = shop.app.host_faults.disarm();
        shop.pass(AFTER_THE_LEASE).await;
        shop.minutes(10).await;
        assert_eq!(shop.in_getfly().1, 250, "{at:?} {}", calls.len());
        assert_eq!(shop.audit().await, [""; 0], "{at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_backfill_leaves_polls_their_share_of_calls() {
    let shop = selling(On::Orders, Fnb::default(), 0).await;
    let week_ago = shop.clock.now() - SignedDuration::from_hours(7 * 24);
    for n in 0..1_300 {
        shop.kiotviet.create_invoice(NewInvoice {
            created_at: Some(week_ago + SignedDuration::from_secs(n)),
            ..sale(None)
        });
    }
    let from = week_ago.strftime("%Y-%m-%d").to_string();
    shop.backfill(json!({"from": from})).await;
    let mut before = 0;
    while before < 1_000 || shop.in_getfly().1 > before {
        before = shop.in_getfly().1;
        shop.minutes(1).await;
    }
    assert!(before < 1_300, "the hour's calls are used up");
    shop.kiotviet.create_invoice(sale(None));
    shop.minutes(2).await;
    assert_eq!(shop.in_getfly().1, before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_refuses_everything_says_nothing_about_the_filter() {
    let shop = selling(On::Orders, Fnb::default(), 0).await;
    shop.minutes(2).await;
    let lapsed = FaultRule::new(Fault::Status(420, None)).on(Method::GET, "/invoices");
    let rule = shop.kiotviet_faults.add(lapsed);
    shop.minutes(3).await;
    shop.kiotviet_faults.remove(rule);
    shop.minutes(6).await;
    shop.app.take_calls();
    shop.kiotviet.create_invoice(sale(None));
    shop.minutes(1).await;
    assert_eq!(shop.in_getfly().1, 1);
    let asked = shop.app.take_calls();
    let lists = asked.iter().filter(|c| c.endpoint.ends_with("/invoices"));
    let mut lists = lists.map(|c| c.url.as_str());
    assert!(
        lists.all(|url| url.contains("lastModifiedFrom")),
        "{asked:?}"
    );
    let (_, overview) = shop.app.look("overview").await;
    assert_eq!(overview["contradicted"], 0, "{overview}");
    // What was wrong for less than ten minutes is not told for longer.
    assert!(
        overview["connections"][0]["problem"].is_null(),
        "{overview}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_invoice_that_was_changed_says_nothing_about_the_filter_where_no_row_tells_its_change()
 {
    let fnb = Fnb {
        no_modified_date: true,
        ..Fnb::default()
    };
    let shop = selling(On::Orders, fnb, 1).await;
    shop.minutes(2).await;
    let old = shop.kiotviet.invoices()[0].id;
    for _ in 0..3 {
        shop.kiotviet.create_invoice(sale(None));
    }
    shop.kiotviet.edit_invoice(old, |_| {});
    shop.minutes(3).await;
    assert_eq!(shop.in_getfly().1, 3);
    let (_, overview) = shop.app.look("overview").await;
    assert_eq!(overview["contradicted"], 0, "{overview}");
}

#[tokio::test(start_paused = true)]
async fn the_members_of_the_first_invoices_are_in_the_export_and_no_value() {
    let shop = selling(On::Orders, Fnb::default(), 0).await;
    let id = shop.kiotviet.create_customer(hoa());
    for id in [Some(id), None] {
        shop.kiotviet.create_invoice(sale(id));
    }
    shop.minutes(2).await;
    let (_, table) = shop.app.assumptions().await;
    let members = table["fnb_invoices"].as_array().expect("members");
    let member = |name: &str| {
        members
            .iter()
            .find(|m| m["member"] == name)
            .expect("a member")
    };
    assert_eq!(
        member("invoiceDetails[].price"),
        &json!({"of": 2, "invoices": 2, "kinds": ["number"], "member": "invoiceDetails[].price"})
    );
    assert_eq!(member("customerId")["invoices"], 1);
    for value in ["Hoa", "HD000001", "Áo", "150000"] {
        assert!(!table.to_string().contains(value), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_makes_a_total_differ_is_told_and_never_silent() {
    let shop = selling(On::Orders, Fnb::default(), 0).await;
    // A topping or a service charge that no line shows.
    shop.kiotviet.create_invoice(NewInvoice {
        total: Some(345_000.into()),
        ..sale(None)
    });
    shop.minutes(2).await;
    assert_eq!(shop.outcomes().await, ["created order_created"]);
    let event = &shop.events().await[0];
    assert!(
        event["notes"].to_string().contains("45000")
            || event["notes"].to_string().contains("45,000"),
        "{event}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_preflight_knows_that_this_edition_has_no_list_of_users() {
    let fnb = Fnb {
        has_users: false,
        ..Fnb::default()
    };
    let shop = selling(On::Both, fnb, 3).await;
    let mut found = json!({});
    for _ in 0..20 {
        found = shop.app.preflight(CONNECTION).await.1;
        shop.pass(5).await;
    }
    let found = found.to_string();
    assert!(found.contains("users_not_offered"), "{found}");
    assert!(!found.contains("no_right"), "{found}");
}
