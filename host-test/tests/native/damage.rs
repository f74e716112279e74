//! Claims that an unreadable value of the store (a downgrade, a foreign writer) never stops the
//! worker and never doubles anything: a damaged journal entry is a dead letter, a damaged ledger
//! entry is settled by reading the code back, a damaged connection is connected again or removed.
//! How: values are overwritten by hand.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
    visitor::Visitor,
};
use plugin::{
    journal::{connection_name::ConnectionName, keys, webhook::Webhook},
    rules::codes::RetailerId,
    world::Store,
};
use serde_json::{Value, json};

fn connection() -> ConnectionName {
    ConnectionName::parse("shop").expect("a name")
}

async fn damage(shop: &TestShop, key: &str) {
    assert!(
        Store::get(&shop.app, key)
            .await
            .expect("readable")
            .is_some(),
        "{key} is there"
    );
    shop.app
        .set(key, b"{\"no such thing\":1}")
        .await
        .expect("written");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_entry_is_a_dead_letter_and_the_next_ones_go_on() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    // Accepted, and not yet processed.
    let (answer, _) = shop.app.answer(shop.kiotviet.request(&delivery)).await;
    assert_eq!(answer.status, 200);
    damage(&shop, &keys::entry(1)).await;
    shop.kiotviet.create_invoice(sale(None));
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(
        shop.outcomes().await,
        ["dead damaged_entry", "created order_created"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_ledger_entry_doubles_nothing() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    let invoice = shop.kiotviet.create_invoice(sale(Some(id)));
    assert_eq!(shop.deliver().await, [200, 200]);
    let retailer = shop.kiotviet.settings().retailer;
    let retailer = RetailerId::parse(&retailer).expect("a shop's name");
    damage(&shop, &keys::customer(&retailer, id)).await;
    let code = shop.kiotviet.invoice(invoice).expect("it is there").code;
    damage(&shop, &keys::invoice(&retailer, &code)).await;
    shop.kiotviet.edit_customer(id, |_| {});
    shop.kiotviet.set_invoice_status(invoice, 1);
    assert_eq!(shop.deliver().await, [200, 200]);
    assert_eq!(
        shop.outcomes().await[2..],
        ["ignored already_synced", "ignored already_synced"]
    );
    assert_eq!(
        (shop.getfly.accounts().len(), shop.getfly.orders().len()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_place_is_made_anew_from_the_journal() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    assert_eq!(shop.deliver().await, [200]);
    damage(&shop, keys::CURSOR).await;
    shop.kiotviet.create_invoice(sale(Some(id)));
    assert_eq!(shop.deliver().await, [200]);
    assert_eq!(
        shop.outcomes().await,
        ["created customer_created", "created order_created"]
    );
    assert_eq!(shop.audit().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_connection_holds_up_its_own_events_only() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    let (answer, _) = shop.app.answer(shop.kiotviet.request(&delivery)).await;
    assert_eq!(answer.status, 200);
    let key = keys::switch(&connection(), Webhook::Customer);
    let sound = Store::get(&shop.app, &key)
        .await
        .expect("readable")
        .expect("there");
    damage(&shop, &key).await;
    let drained = shop.drain().await;
    assert_eq!(drained.get("stopped"), None, "{drained}");
    assert_eq!(shop.outcomes().await, ["retrying -"]);
    let mut visitor = Visitor::inside(&shop.app).await;
    for page in ["/", "/ui/shops", "/ui/shops/shop"] {
        assert_eq!(visitor.get(page).await.status, 200, "{page}");
    }
    assert_eq!(shop.app.connections().await.0, 200);
    assert_eq!(shop.switch("customer", true).await.0, 200);
    shop.app.set(&key, &sound).await.expect("written");
    shop.settle().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_connection_is_shown_and_connected_again_and_hides_no_other() {
    let shop = TestShop::connected(On::Both).await;
    let settings = shop.kiotviet.settings();
    let other = json!({
        "retailer": settings.retailer,
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    });
    let put = async |name: &str| {
        let path = format!("connections/{name}");
        shop.app.call("PUT", &path, &other).await
    };
    assert_eq!(put("other").await.0, 200);
    damage(&shop, &keys::connection(&connection())).await;

    let (status, list) = shop.app.connections().await;
    let names: Vec<_> = list["connections"].as_array().unwrap().iter().collect();
    assert_eq!((status, names.len()), (200, 2), "{list}");
    assert_eq!(names[0]["name"], "other");
    assert_eq!(*names[1], json!({"name": "shop", "damaged": true}));
    let mut visitor = Visitor::inside(&shop.app).await;
    for page in ["/", "/ui/events", "/ui/shops", "/ui/shops/shop/disconnect"] {
        assert_eq!(visitor.get(page).await.status, 200, "{page}");
    }
    let shops = visitor.get("/ui/shops").await.html;
    assert!(shops.contains("Không đọc được thông tin kết nối"));
    assert!(shops.contains("/ui/connect?retailer=shop"));

    // KiotViet's deliveries meanwhile are neither lost nor refused.
    shop.kiotviet.create_customer(hoa());
    let delivery = shop.kiotviet.take_deliveries().pop().expect("a delivery");
    let (answer, _) = shop.app.answer(shop.kiotviet.request(&delivery)).await;
    assert_eq!(answer.status, 503);

    let (status, made) = put("shop").await;
    assert_eq!(
        (status, &made["webhooks_need_switching_on"]),
        (200, &true.into())
    );
    damage(&shop, &keys::connection(&connection())).await;
    let (status, gone) = shop
        .app
        .call("DELETE", "connections/shop", &Value::Null)
        .await;
    assert_eq!(status, 200);
    assert!(gone["warning"].is_string(), "{gone}");
    let (_, list) = shop.app.connections().await;
    assert_eq!(list["connections"].as_array().unwrap().len(), 1);
    assert_eq!(put("shop").await.0, 200);
}
