//! Claims that the component does in WebAssembly what the plugin does natively: a simulated shop is
//! connected, sells, and its customer and invoice arrive in a simulated Getfly. Prints the cost of
//! an ordinary event. Time is paused; nothing leaves this process.

use host_test::{
    harness::Outcome,
    shop::{On, WasmShop, customer},
};
use serde_json::Value;
use sim::{
    Fault, FaultRule,
    kiotviet::{Chaos, Line, NewCustomer, NewInvoice},
};
use std::time::Duration;
use tokio::task::JoinSet;

/// The most memory of an instance for the worst delivery; the README names it.
const MOST_MEBIBYTES: usize = 40;

async fn connected() -> WasmShop {
    let shop = WasmShop::connected_in_wasm(On::Both, |builder| builder).await;
    shop.expect("the component connects a shop")
}

#[tokio::test(start_paused = true)]
async fn a_customer_and_an_invoice_arrive() {
    let shop = connected().await;
    let id = shop.kiotviet.create_customer(NewCustomer {
        name: "Chị Thử".into(),
        contact_number: Some("0900 000 101".into()),
        email: Some("thu101@example.vn".into()),
        ..NewCustomer::default()
    });
    let customer = shop.deliver_measured().await;
    assert_eq!(customer.len(), 1);
    assert_eq!(
        shop.app.take_calls().len(),
        4,
        "a new customer costs four calls"
    );
    let line = Line::new("SP000001", "Áo thử", 2.into(), 150_000.into());
    shop.kiotviet.create_invoice(NewInvoice {
        customer_id: Some(id),
        lines: vec![line],
        ..NewInvoice::default()
    });
    let invoice = shop.deliver_measured().await;
    assert_eq!(invoice.len(), 1);
    assert_eq!(
        shop.app.take_calls().len(),
        2,
        "an invoice of a known customer costs two calls"
    );

    let accounts = shop.getfly.accounts();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].phone_office, "0900000101");
    let orders = shop.getfly.orders();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].account_code, accounts[0].account_code);
    for (what, outcome) in [("customer", &customer[0]), ("invoice", &invoice[0])] {
        assert_eq!((outcome.status, &outcome.finished.trap), (200, &None));
        println!(
            "a new {what}: {} fuel, {} KiB of memory",
            outcome.finished.fuel,
            outcome.finished.memory / 1024
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_answered_within_a_second_while_both_upstreams_hang() {
    let shop = connected().await;
    shop.kiotviet.create_customer(NewCustomer {
        name: "Anh Chờ".into(),
        ..NewCustomer::default()
    });
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    for upstream in [&shop.kiotviet_faults, &shop.getfly_faults] {
        upstream.add(FaultRule::new(Fault::Hang));
    }
    let before = tokio::time::Instant::now();
    let (outcome, after) = shop.app.answer(shop.kiotviet.request(&delivery)).await;
    assert_eq!(outcome.status, 200);
    assert!(
        before.elapsed() < Duration::from_secs(1),
        "{:?}",
        before.elapsed()
    );
    assert_eq!(
        after
            .expect("the guest goes on")
            .await
            .expect("no panic")
            .trap,
        None
    );
}

#[tokio::test(start_paused = true)]
async fn five_mebibytes_of_garbage_are_kept_and_more_are_refused() {
    let shop = connected().await;
    shop.kiotviet.create_customer(NewCustomer::default());
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    let request = |size: usize| {
        let (parts, _) = shop.kiotviet.request(&delivery).into_parts();
        http::Request::from_parts(parts, bytes::Bytes::from(vec![b'['; size]))
    };
    let kept = shop.app.request(request(5 * 1024 * 1024)).await;
    assert_eq!((kept.status, kept.finished.trap), (200, None));
    assert_eq!(
        shop.app.request(request(5 * 1024 * 1024 + 1)).await.status,
        413
    );
    assert_eq!(shop.events().await[0]["state"], "dead");
}

#[tokio::test(start_paused = true)]
async fn five_mebibytes_of_sound_json_are_kept_within_the_memory() {
    let shop = connected().await;
    shop.kiotviet.create_customer(NewCustomer::default());
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    let (parts, _) = shop.kiotviet.request(&delivery).into_parts();
    let long = "a".repeat(4_500_000);
    // As many values as are parsed at all, and one long one.
    let many = "1,".repeat(190_000);
    let body = format!(
        r#"{{"Notifications":[{{"Action":"customer.update.1","Data":[{{"Id":1,"Name":"{long}","x":[{many}1]}}]}}]}}"#
    );
    assert!(body.len() < 5 * 1024 * 1024);
    let request = http::Request::from_parts(parts, bytes::Bytes::from(body));
    let kept = shop.app.request(request).await;
    assert_eq!((kept.status, kept.finished.trap), (200, None));
    let mebibytes = kept.finished.memory.div_ceil(1 << 20);
    println!("5 MiB of JSON: {mebibytes} MiB of memory");
    assert!(mebibytes <= MOST_MEBIBYTES, "{mebibytes} MiB");
}

#[tokio::test(start_paused = true)]
async fn forty_items_in_one_delivery_are_forty_accounts() {
    let shop = connected().await;
    shop.kiotviet.set_chaos(Chaos {
        merge_items: 40,
        ..Chaos::default()
    });
    for n in 0..40 {
        shop.kiotviet.create_customer(NewCustomer {
            name: format!("Khách {n}"),
            contact_number: Some(format!("09000002{n:02}")),
            ..NewCustomer::default()
        });
    }
    let outcomes = shop.deliver_measured().await;
    let [
        Outcome {
            status: 200,
            finished,
            ..
        },
    ] = outcomes.as_slice()
    else {
        panic!("{outcomes:?}");
    };
    assert_eq!(finished.trap, None);
    assert_eq!(shop.getfly.accounts().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn fifty_equal_deliveries_at_once_are_one_account() {
    let shop = connected().await;
    shop.kiotviet
        .create_customer(customer("Chị Một", "0900000301"));
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    let mut at_once = JoinSet::new();
    for _ in 0..50 {
        let (app, request) = (shop.app.clone(), shop.kiotviet.request(&delivery));
        at_once.spawn(async move { app.request(request).await });
    }
    while let Some(outcome) = at_once.join_next().await {
        let outcome = outcome.expect("no panic");
        assert_eq!((outcome.status, outcome.finished.trap), (200, None));
    }
    let drained = shop.drain().await;
    assert_eq!(drained["waiting"], 0, "{drained}");
    assert_eq!(shop.getfly.accounts().len(), 1);
    let events = shop.events().await;
    let created = |e: &&Value| e["outcome"] == "created";
    assert_eq!(
        (events.len(), events.iter().filter(created).count()),
        (50, 1)
    );
}
