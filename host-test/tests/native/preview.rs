//! Claims: a preview says what a delivery would do, item by item, and writes nothing anywhere: the
//! store is the same before and after, and no call changes anything at either vendor. How: previews
//! of deliveries of every kind, compared with the result of the delivery itself afterwards.

use bytes::Bytes;
use host_test::{
    shop::{CONNECTION, On, TestShop, hoa, sale},
    variables::{ADMIN_TOKEN, PUBLIC},
};
use serde_json::Value;
use sim::{
    Fault, FaultRule, When,
    getfly::Account,
    kiotviet::{Chaos, NewCustomer, NewInvoice},
};

async fn preview(shop: &TestShop, body: Bytes) -> (u16, Value) {
    let request = http::Request::post(format!("{PUBLIC}/api/preview/{CONNECTION}"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(body)
        .unwrap();
    let answer = shop.app.request(request).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_preview_foretells_and_writes_nothing() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.set_chaos(Chaos {
        merge_notifications: 10,
        merge_items: 10,
        ..Chaos::default()
    });
    shop.getfly.seed_account(Account {
        account_code: "CU".to_owned(),
        account_name: "Hoa cũ".to_owned(),
        email: "hoa@example.vn".to_owned(),
        ..Account::default()
    });
    let hour_ago = shop.clock.now() - jiff::SignedDuration::from_hours(1);
    let linked = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(NewCustomer {
        created_at: Some(hour_ago),
        ..host_test::shop::customer("Khách cũ", "0933003333")
    });
    shop.kiotviet.create_customer(host_test::shop::ba());
    shop.kiotviet.create_invoice(sale(Some(linked)));
    shop.kiotviet.create_invoice(sale(None));
    shop.kiotviet.create_invoice(NewInvoice {
        status: Some(2),
        ..sale(None)
    });
    let delivery = shop.kiotviet.take_deliveries().remove(0);

    let store = shop.app.store.dump();
    shop.app.take_calls();
    for _ in 0..2 {
        let (status, answer) = preview(&shop, delivery.body()).await;
        assert_eq!(status, 200);
        let items = answer["items"].as_array().unwrap().iter();
        let foretold: Vec<String> = items
            .map(|i| {
                format!(
                    "{} {}",
                    i["outcome"].as_str().unwrap(),
                    i["reason"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            foretold,
            [
                "linked linked_by_email",
                "ignored created_before_connection",
                "created customer_created",
                "created order_created",
                "created order_created",
                "ignored invoice_cancelled",
            ]
        );
    }
    assert!(shop.app.store.dump() == store, "it wrote to the store");
    let writes = shop.app.take_calls().into_iter();
    let writes: Vec<&str> = writes
        .map(|c| c.endpoint)
        .filter(|e| !e.contains(" GET "))
        .collect();
    assert!(
        writes.iter().all(|e| *e == "KiotViet POST /connect/token"),
        "{writes:?}"
    );

    shop.app.request(shop.kiotviet.request(&delivery)).await;
    // Sales come first, and the first one links its customer.
    assert_eq!(
        shop.outcomes().await,
        [
            "ignored already_synced",
            "ignored created_before_connection",
            "created customer_created",
            "created order_created",
            "created order_created",
            "ignored invoice_cancelled",
        ]
    );
    // Afterwards it predicts repeats.
    let (_, answer) = preview(&shop, delivery.body()).await;
    assert_eq!(answer["items"][2]["reason"], "already_synced");
    assert_eq!(answer["items"][3]["reason"], "already_synced");
}

#[tokio::test(start_paused = true)]
async fn a_preview_of_trouble_says_so_and_writes_nothing() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    let body = shop.kiotviet.take_deliveries()[0].body();
    let store = shop.app.store.dump();
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(500, None)));
    let (status, answer) = preview(&shop, body.clone()).await;
    assert_eq!(status, 200);
    assert!(answer["items"][0]["problem"].is_string(), "{answer}");
    shop.getfly_faults.clear();
    // A token that is refused once is fetched again, and not stored.
    shop.kiotviet_faults
        .add(FaultRule::new(Fault::Status(401, None)).when(When::First(1)));
    let (_, answer) = preview(&shop, body).await;
    assert_eq!(answer["items"][0]["reason"], "customer_created", "{answer}");
    for body in ["", "{}", "[1]"] {
        assert_eq!(preview(&shop, body.into()).await.0, 422);
    }
    assert!(shop.app.store.dump() == store);
    assert!(shop.getfly.accounts().is_empty());
}
