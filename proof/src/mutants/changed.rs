//! Changes by people between the first attempt at an event and the next: a customer is edited or
//! deleted, a webhook is switched off and on.

use super::{AFTER_THE_LEASE, Verdict, creating::works_for, in_getfly, same};
use host_test::shop::{On, TestShop, hoa, sale};
use http::Method;
use serde_json::json;
use sim::{Fault, FaultRule, When, getfly::Account};

const ACCOUNT: &str = "/api/v6.1/account";
const ORDER: &str = "/api/v6.1/sale_order";

pub(super) async fn between_attempts() -> Verdict {
    a_switch_after_an_order().await?;
    an_old_customer_after_its_account().await?;
    a_deletion_after_the_account().await?;
    a_deletion_before_the_account().await
}

/// Makes Getfly fail the first create of this kind so.
fn first_create(shop: &TestShop, path: &str, fault: Fault) {
    let rule = FaultRule::new(fault).on(Method::POST, path);
    shop.getfly_faults.add(rule.when(When::First(1)));
}

fn accounts_of_orders(shop: &TestShop) -> Vec<String> {
    let orders = shop.getfly.orders().into_iter();
    orders.map(|order| order.account_code).collect()
}

/// A worker dies after its order was stored, and the invoice is older than the webhook by the next attempt.
async fn a_switch_after_an_order() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    first_create(&shop, ORDER, Fault::StoredThenHang);
    shop.kiotviet.create_invoice(sale(None));
    shop.accept().await;
    works_for(&shop, 5).await;
    shop.switch("order", false).await;
    shop.switch("order", true).await;
    shop.pass(AFTER_THE_LEASE).await;
    shop.settle().await;
    shop.backfill(json!({"from": "2026-10-05"})).await;
    shop.minutes(10).await;
    in_getfly(&shop, 0, 1).await
}

/// A worker dies after it stored an old customer's account for an invoice. The invoice is cancelled, and
/// the customer gets a number that another account has.
async fn an_old_customer_after_its_account() -> Verdict {
    let shop = TestShop::unconnected();
    let id = shop.kiotviet.create_customer(hoa());
    shop.getfly.seed_account(Account {
        account_name: "Có sẵn".to_owned(),
        phone_office: "0977007777".to_owned(),
        ..Account::default()
    });
    shop.pass(60).await;
    shop.connect_with(On::Both).await;
    first_create(&shop, ACCOUNT, Fault::StoredThenHang);
    let sold = shop.kiotviet.create_invoice(sale(Some(id)));
    shop.accept().await;
    works_for(&shop, 5).await;
    shop.kiotviet.cancel_invoice(sold);
    shop.kiotviet.edit_customer(id, |customer| {
        customer.contact_number = Some("0977007777".to_owned());
        customer.email = None;
    });
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.accept().await;
    shop.pass(AFTER_THE_LEASE).await;
    shop.settle().await;
    let own = format!("KV-cuahangthu-{id}");
    same("orders' accounts", accounts_of_orders(&shop), vec![own])?;
    in_getfly(&shop, 2, 1).await
}

async fn a_deletion_after_the_account() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    first_create(&shop, ORDER, Fault::Status(503, None));
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.kiotviet.delete_customer(id);
    shop.settle().await;
    let own = format!("KV-cuahangthu-{id}");
    same("orders' accounts", accounts_of_orders(&shop), vec![own])?;
    in_getfly(&shop, 1, 1).await
}

async fn a_deletion_before_the_account() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    first_create(&shop, ACCOUNT, Fault::Status(503, None));
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.kiotviet.delete_customer(id);
    shop.settle().await;
    // It comes once the others have their orders.
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.settle().await;
    let none = vec![String::new(); 3];
    same("orders' accounts", accounts_of_orders(&shop), none)?;
    in_getfly(&shop, 0, 3).await
}
