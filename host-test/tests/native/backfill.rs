//! Claims: a backfill brings a shop's earlier customers and invoices through the same journal, rules and
//! ledger as live events, once, whatever happens in between; its preview says what it would bring
//! and writes nothing; it keeps to KiotViet's calls an hour and lets live events pass; wrong input is
//! told and loses nothing. How: a simulated shop with a past, through the API, in virtual time.

use host_test::{
    mishap::Mishap,
    scene::{CONNECTION, On, Scene, customer, hoa, sale},
};
use http::Method;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, kiotviet::NewCustomer};

const FROM: &str = "2026-10-05T00:00:00+07:00";

fn path() -> String {
    format!("connections/{CONNECTION}/backfill")
}

async fn backfill(scene: &Scene, body: Value) -> (u16, Value) {
    scene.app.api("POST", &path(), &body).await
}

async fn state(scene: &Scene) -> Value {
    scene.app.get(&path()).await.1
}

/// A shop with two customers and three invoices (one of them a walk-in's, one cancelled) from before
/// anything was switched on.
async fn shop_with_a_past(on: On) -> Scene {
    let scene = Scene::unconnected();
    let hoa = scene.kiotviet.create_customer(hoa());
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.kiotviet.create_invoice(sale(Some(hoa)));
    scene.kiotviet.create_invoice(sale(None));
    let cancelled = scene.kiotviet.create_invoice(sale(Some(hoa)));
    scene.kiotviet.cancel_invoice(cancelled);
    scene.pass(3600).await;
    scene.connect().await;
    if on != On::Orders {
        scene.switch("PUT", "customer").await;
    }
    if on != On::Customers {
        scene.switch("PUT", "order").await;
    }
    scene.pass(1).await;
    scene
}

#[tokio::test(start_paused = true)]
async fn a_preview_says_what_would_come_and_writes_nothing() {
    let scene = shop_with_a_past(On::Both).await;
    let before = scene.app.store.dump();
    let (status, preview) = backfill(&scene, json!({"from": FROM, "dry_run": true})).await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(
        preview["customers"],
        json!({"listed": 2, "known": 0, "to_process": 2})
    );
    assert_eq!(
        preview["invoices"],
        json!({"listed": 2, "known": 0, "to_process": 2})
    );
    assert_eq!(preview["complete"], true);
    assert_eq!(preview["seconds"], 6, "three calls each at two a second");
    assert_eq!(scene.app.store.dump(), before);
    assert_eq!(scene.in_getfly(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn it_brings_in_what_is_older_than_the_switch_once() {
    let scene = shop_with_a_past(On::Both).await;
    // A delivery of an old record is ignored, and does not stand in a backfill's way.
    let old = scene.kiotviet.customers()[1].id;
    scene
        .kiotviet
        .edit_customer(old, |c| c.name = "Anh Ba (sửa)".to_owned());
    scene.deliver().await;
    assert_eq!(
        scene.outcomes().await,
        ["ignored created_before_connection"]
    );

    let (status, begun) = backfill(&scene, json!({"from": FROM})).await;
    assert_eq!(status, 202, "{begun}");
    scene.minutes(2).await;
    assert_eq!(scene.in_getfly(), (2, 2));
    let done = state(&scene).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(done["customers"]["queued"], 2);
    assert_eq!(done["invoices"]["listed"], 2);
    assert_eq!(done["invoices"]["queued"], 2);
    assert!(done["finished_at"].is_string());
    let events = scene.events().await;
    let event = events.iter().find(|e| e["kind"] == "invoice").unwrap();
    assert_eq!(event["notes"][0], "from a backfill");

    // Again: everything is known.
    let (_, preview) = backfill(&scene, json!({"from": FROM, "dry_run": true})).await;
    assert_eq!(preview["customers"]["to_process"], 0, "{preview}");
    assert_eq!(preview["invoices"]["known"], 2, "{preview}");
    let before = scene.events().await.len();
    assert_eq!(backfill(&scene, json!({"from": FROM})).await.0, 202);
    scene.minutes(2).await;
    assert_eq!(state(&scene).await["state"], "done");
    assert_eq!(scene.events().await.len(), before);
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_live_event_that_waits_does_not_stand_in_its_way() {
    let scene = shop_with_a_past(On::Both).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/customers/");
    scene.kiotviet_faults.add(down);
    let old = scene.kiotviet.customers()[1].id;
    scene.kiotviet.edit_customer(old, |_| {});
    scene.deliver().await;
    assert_eq!(scene.outcomes().await, ["retrying -"]);
    // Judged by its age, it will end as too old.
    scene.pass(15).await;
    assert_eq!(backfill(&scene, json!({"from": FROM})).await.0, 202);
    scene.minutes(2).await;
    scene.kiotviet_faults.clear();
    scene.settle().await;
    assert_eq!(scene.in_getfly(), (2, 2));
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_old_invoice_that_is_edited_meanwhile_comes_as_its_edit() {
    let scene = shop_with_a_past(On::Both).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/invoices");
    scene.kiotviet_faults.add(down);
    assert_eq!(backfill(&scene, json!({"from": FROM})).await.0, 202);
    let old = scene.kiotviet.invoices();
    let edit = |id| {
        scene
            .kiotviet
            .edit_invoice(id, |i| i.lines[0].quantity = 5.into())
    };
    scene.pass(1).await;
    let edited = edit(old[0].id).unwrap();
    scene.deliver().await;
    scene.kiotviet_faults.clear();
    scene.minutes(10).await;
    assert_eq!(state(&scene).await["state"], "done");
    assert_eq!(scene.in_getfly(), (2, 2));
    let order = &scene.getfly.orders()[0];
    assert_eq!(order.order_code, "cuahangthu-HD000001");
    assert_eq!(order.total(), 750_000.into());

    // R6: it has its order now, and so has the other one.
    edit(edited).unwrap();
    edit(old[1].id).unwrap();
    scene.deliver().await;
    scene.minutes(2).await;
    assert_eq!(scene.in_getfly(), (2, 2));
    let edits = scene.outcomes().await.split_off(6);
    assert!(
        edits.contains(&"ignored invoice_edited".to_owned()),
        "{edits:?}"
    );
    assert_eq!(scene.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_what_no_backfill_wants_stays_out() {
    for (window, ended) in [
        (json!({"from": FROM}), true),
        (json!({"from": FROM, "to": "2026-10-05T02:59:59Z"}), false),
    ] {
        let scene = shop_with_a_past(On::Both).await;
        let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/invoices");
        scene.kiotviet_faults.add(down);
        assert_eq!(backfill(&scene, window).await.0, 202);
        if ended {
            scene.app.api("DELETE", &path(), &Value::Null).await;
        }
        let old = scene.kiotviet.invoices()[0].id;
        scene.kiotviet.edit_invoice(old, |_| {});
        scene.kiotviet_faults.clear();
        scene.deliver().await;
        scene.minutes(10).await;
        assert_eq!(scene.getfly.orders().len(), 0);
        let outcomes = scene.outcomes().await;
        assert!(
            outcomes.contains(&"ignored invoice_edited".to_owned()),
            "{outcomes:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r4_with_the_customer_webhook_off_only_sales_bring_their_customers() {
    let scene = shop_with_a_past(On::Orders).await;
    let (_, preview) = backfill(&scene, json!({"from": FROM, "dry_run": true})).await;
    assert_eq!(preview["customers"], Value::Null);
    backfill(&scene, json!({"from": FROM})).await;
    scene.minutes(2).await;
    assert_eq!(scene.in_getfly(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn only_the_window_comes() {
    let scene = shop_with_a_past(On::Both).await;
    let to = "2026-10-05T03:30:00Z";
    scene
        .kiotviet
        .create_customer(customer("Chị Mai", "0933003333"));
    scene.kiotviet.take_deliveries();
    backfill(&scene, json!({"from": "2026-10-05", "to": to})).await;
    scene.minutes(2).await;
    assert_eq!(scene.in_getfly(), (2, 2));
    assert_eq!(state(&scene).await["to"], to);
    let (_, none) = backfill(
        &scene,
        json!({"from": "2026-10-05T03:30:01Z", "to": "2026-10-05T03:30:02Z", "dry_run": true}),
    )
    .await;
    assert_eq!(none["customers"]["listed"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_crash_anywhere_neither_loses_nor_doubles_and_it_goes_on() {
    let story_calls = {
        let scene = shop_with_a_past(On::Both).await;
        backfill_under(&scene, None).await
    };
    assert!(story_calls > 40, "{story_calls}");
    for at in 1..=story_calls {
        let scene = shop_with_a_past(On::Both).await;
        backfill_under(&scene, Some(at)).await;
        scene.pass(61).await;
        // Whoever asked got no answer perhaps, and asks again.
        if state(&scene).await["state"] == "none" {
            backfill(&scene, json!({"from": FROM})).await;
        }
        scene.minutes(8).await;
        scene.settle().await;
        let now = state(&scene).await;
        assert_eq!(now["state"], "done", "crash at {at}: {now}");
        assert_eq!(scene.in_getfly(), (2, 2), "crash at {at}");
        assert_eq!(scene.audit().await, [""; 0], "crash at {at}");
    }
}

/// Asks for a backfill and drains, dying at host call `at`; gives how many calls there were.
async fn backfill_under(scene: &Scene, at: Option<usize>) -> usize {
    let death = at.map(|at| (at, Mishap::DiesAfter));
    scene.app.mishaps.arm(death);
    let act = async {
        backfill(scene, json!({"from": FROM})).await;
        scene.drain().await;
        scene.drain().await;
    };
    scene.app.mishaps.live(act).await;
    scene.app.mishaps.disarm().len()
}

#[tokio::test(start_paused = true)]
async fn it_keeps_to_kiotviets_calls_an_hour_and_lets_live_events_pass() {
    let scene = Scene::unconnected();
    scene.app.set_variable("getfly_requests_per_second", "100");
    for n in 0..2_500 {
        scene.kiotviet.create_customer(NewCustomer {
            name: format!("Khách {n}"),
            contact_number: Some(format!("09{n:08}")),
            ..NewCustomer::default()
        });
    }
    scene.pass(60).await;
    scene.connect().await;
    scene.switch("PUT", "customer").await;
    scene.pass(1).await;
    backfill(&scene, json!({"from": FROM})).await;
    let began = scene.clock.now();
    let mut live = None;
    let mut done_after = 0;
    for minute in 1..=120 {
        if minute == 2 {
            live = Some(scene.kiotviet.create_customer(hoa()));
            scene.deliver().await;
        }
        scene.pass(60).await;
        scene.drain().await;
        if minute == 3 {
            let name = |a: &sim::getfly::Account| a.account_name == "Chị Hoa";
            assert!(scene.getfly.accounts().iter().any(name), "{live:?}");
        }
        if state(&scene).await["state"] == "done" {
            done_after = minute;
            break;
        }
    }
    assert!(
        (59..=61).contains(&done_after),
        "in the second hour: {done_after}"
    );
    assert_eq!(scene.in_getfly().0, 2_501);
    let calls = scene.kiotviet.calls();
    let in_the_hour = calls
        .iter()
        .filter(|c| c.at.duration_since(began).as_secs() < 3600);
    assert!(in_the_hour.count() < 5_000);
}

#[tokio::test(start_paused = true)]
async fn it_can_be_ended_and_begun_again() {
    let scene = shop_with_a_past(On::Both).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(http::Method::GET, "/customers");
    let rule = scene.kiotviet_faults.add(down);
    backfill(&scene, json!({"from": FROM})).await;
    scene.drain().await;
    let waits = state(&scene).await;
    assert_eq!(waits["state"], "running");
    assert!(
        waits["note"].as_str().unwrap().contains("busy or down"),
        "{waits}"
    );
    let (status, problem) = backfill(&scene, json!({"from": FROM})).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &Value::from("backfill-running"))
    );
    let (status, ended) = scene.app.api("DELETE", &path(), &Value::Null).await;
    assert_eq!((status, &ended["state"]), (202, &Value::from("stopped")));
    scene.kiotviet_faults.remove(rule);
    scene.minutes(10).await;
    assert_eq!(scene.in_getfly(), (0, 0));
    backfill(&scene, json!({"from": FROM})).await;
    scene.minutes(10).await;
    assert_eq!(scene.in_getfly(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn wrong_input_is_told() {
    let scene = shop_with_a_past(On::Neither).await;
    for webhook in ["customer", "order"] {
        scene.switch("DELETE", webhook).await;
    }
    for (body, status, kind) in [
        (json!({}), 400, "invalid-request"),
        (json!({"from": "yesterday"}), 400, "invalid-request"),
        (json!({"from": "2026-13-01"}), 400, "invalid-request"),
        (json!({"from": "2027-01-01"}), 400, "invalid-request"),
        (
            json!({"from": FROM, "to": "2026-10-04"}),
            400,
            "invalid-request",
        ),
        (json!({"from": FROM}), 409, "webhooks-are-off"),
    ] {
        let (got, problem) = backfill(&scene, body.clone()).await;
        assert_eq!(
            (got, problem["type"].as_str()),
            (status, Some(kind)),
            "{body}"
        );
    }
    let body = json!({"from": FROM});
    let nobody = "connections/nobody/backfill";
    assert_eq!(scene.app.api("POST", nobody, &body).await.0, 404);
    assert_eq!(state(&scene).await["state"], "none");
}
