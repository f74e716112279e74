//! Claims: a person says which account a customer is; later orders are that account's, orders under
//! another one are listed, undoing restores what was known, and a link to an account that is gone
//! asks. How: the API's commands with the plugin running natively between the simulated vendors.

use host_test::{
    admin::{Admin, Reply},
    shop::{On, TestShop, hoa, sale},
};
use serde_json::{Value, json};
use sim::getfly::Account;

async fn link(shop: &TestShop, seq: u64, code: Value) -> Reply {
    let path = format!("events/{seq}/link");
    shop.app
        .call("POST", &path, &json!({"account_code": code}))
        .await
}

async fn links(shop: &TestShop) -> Value {
    shop.app.look("connections/shop/links").await.1["links"].clone()
}

fn account(code: &str) -> Account {
    Account {
        account_code: code.to_owned(),
        account_name: "Công ty Thử Nghiệm".to_owned(),
        ..Account::default()
    }
}

/// The account codes of all orders.
fn owners(shop: &TestShop) -> Vec<String> {
    let orders = shop.getfly.orders();
    orders.into_iter().map(|o| o.account_code).collect()
}

/// A customer (event 1) with an order (event 2), and another account in Getfly.
async fn with_an_order() -> (TestShop, i64, String) {
    let shop = TestShop::connected(On::Both).await;
    let customer = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(customer)));
    shop.deliver().await;
    shop.getfly.seed_account(account("KH-7"));
    let own = owners(&shop).remove(0);
    (shop, customer, own)
}

async fn order(shop: &TestShop, customer: i64) -> String {
    shop.kiotviet.create_invoice(sale(Some(customer)));
    shop.deliver().await;
    owners(shop).pop().expect("an order")
}

#[tokio::test(start_paused = true)]
async fn r7_a_link_by_hand_moves_later_orders_and_lists_earlier_ones() {
    for seq in [1, 2] {
        let (shop, customer, own) = with_an_order().await;
        let (status, linked) = link(&shop, seq, " KH-7 ".into()).await;
        assert_eq!(status, 200, "{linked}");
        assert_eq!(linked["customer_id"], customer);
        assert_eq!(linked["other_orders"][0]["seq"], 2, "{linked}");
        assert_eq!(linked["other_orders"][0]["account_code"], own.as_str());
        assert_eq!(order(&shop, customer).await, "KH-7");
        let all = links(&shop).await;
        assert_eq!(all[0]["account_code"], "KH-7", "{all}");
        // Undone, the customer has its former account; nothing is created again.
        assert_eq!(link(&shop, seq, Value::Null).await.0, 200);
        assert_eq!(order(&shop, customer).await, own);
        assert_eq!(links(&shop).await, json!([]));
        assert_eq!(shop.getfly.accounts().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn r7_linking_twice_and_undoing_forgets_nothing() {
    let (shop, customer, own) = with_an_order().await;
    shop.getfly.seed_account(account("KH-8"));
    link(&shop, 1, "KH-7".into()).await;
    link(&shop, 1, "KH-8".into()).await;
    assert_eq!(order(&shop, customer).await, "KH-8");
    link(&shop, 1, Value::Null).await;
    assert_eq!(order(&shop, customer).await, own);
}

#[tokio::test(start_paused = true)]
async fn r7_a_link_to_an_account_that_is_gone_asks_and_is_never_dropped_silently() {
    let (shop, customer, own) = with_an_order().await;
    shop.getfly
        .update_settings(|s| s.refuse_unknown_account = true);
    link(&shop, 1, "KH-7".into()).await;
    let id = shop.getfly.accounts().last().expect("an account").id;
    shop.getfly.delete_account(id);
    shop.pass(60).await;
    shop.kiotviet.create_invoice(sale(Some(customer)));
    shop.deliver().await;
    assert_eq!(shop.outcomes().await[2], "dead linked_account_gone");
    assert_eq!(links(&shop).await[0]["account_code"], "KH-7");
    // The answer: another account, or none; either way the order goes out. The first link was entry 3.
    assert_eq!(link(&shop, 4, Value::Null).await.0, 200);
    shop.settle().await;
    assert_eq!(shop.outcomes().await[2], "created order_created");
    assert_eq!(owners(&shop), [own.clone(), own]);
    let (counts, recount) = shop.counts().await;
    assert_eq!(counts, recount);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_linked_says_why() {
    let (shop, ..) = with_an_order().await;
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let kind =
        |(status, problem): Reply| (status, problem["type"].as_str().unwrap_or("").to_owned());
    for (seq, code, status, word) in [
        (1, json!("KH-99"), 422, "unknown-account"),
        (1, json!(""), 400, "invalid-request"),
        (1, json!(7), 400, "invalid-request"),
        (1, Value::Null, 409, "not-linked"),
        (3, json!("KH-7"), 422, "no-customer"),
        (99, json!("KH-7"), 404, "unknown-event"),
    ] {
        let answer = kind(link(&shop, seq, code).await);
        assert_eq!(answer, (status, word.to_owned()), "{seq}");
    }
    let path = "connections/other/links";
    assert_eq!(shop.app.look(path).await.0, 404);
    assert_eq!(links(&shop).await, json!([]));
}
