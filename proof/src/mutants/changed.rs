//! What people change between the first try of an event and the next: a customer is edited or deleted,
//! a webhook is switched off and on.

use super::{AFTER_THE_LEASE, Verdict, accepted, creating::works_for, in_getfly, same};
use host_test::scene::{CONNECTION, On, Scene, hoa, sale};
use http::Method;
use serde_json::json;
use sim::{Fault, FaultRule, When, getfly::Account};

const ACCOUNT: &str = "/api/v6.1/account";
const ORDER: &str = "/api/v6.1/sale_order";

pub(super) async fn between_tries() -> Verdict {
    a_switch_after_an_order().await?;
    an_old_customer_after_its_account().await?;
    a_deletion_after_the_account().await?;
    a_deletion_before_the_account().await
}

/// Getfly does this with the first create of the kind.
fn first_create(scene: &Scene, path: &str, fault: Fault) {
    let rule = FaultRule::new(fault).on(Method::POST, path);
    scene.getfly_faults.add(rule.when(When::First(1)));
}

fn accounts_of_orders(scene: &Scene) -> Vec<String> {
    let orders = scene.getfly.orders().into_iter();
    orders.map(|order| order.account_code).collect()
}

/// A worker dies after its order was stored, and the invoice is older than the webhook by the next try.
async fn a_switch_after_an_order() -> Verdict {
    let scene = Scene::connected(On::Orders).await;
    first_create(&scene, ORDER, Fault::StoredThenHang);
    scene.kiotviet.create_invoice(sale(None));
    accepted(&scene).await;
    works_for(&scene, 5).await;
    scene.switch("DELETE", "order").await;
    scene.switch("PUT", "order").await;
    scene.pass(AFTER_THE_LEASE).await;
    scene.settle().await;
    let path = format!("connections/{CONNECTION}/backfill");
    let body = json!({"from": "2026-10-05"});
    scene.app.api("POST", &path, &body).await;
    scene.minutes(10).await;
    in_getfly(&scene, 0, 1).await
}

/// A worker dies after it stored an old customer's account for an invoice. The invoice is cancelled, and
/// the customer gets a number that another account has.
async fn an_old_customer_after_its_account() -> Verdict {
    let scene = Scene::unconnected();
    let id = scene.kiotviet.create_customer(hoa());
    scene.getfly.seed_account(Account {
        account_name: "Có sẵn".to_owned(),
        phone_office: "0977007777".to_owned(),
        ..Account::default()
    });
    scene.pass(60).await;
    scene.connect().await;
    scene.switch("PUT", "customer").await;
    scene.switch("PUT", "order").await;
    scene.pass(1).await;
    first_create(&scene, ACCOUNT, Fault::StoredThenHang);
    let sold = scene.kiotviet.create_invoice(sale(Some(id)));
    accepted(&scene).await;
    works_for(&scene, 5).await;
    scene.kiotviet.cancel_invoice(sold);
    scene.kiotviet.edit_customer(id, |customer| {
        customer.contact_number = Some("0977007777".to_owned());
        customer.email = None;
    });
    scene.kiotviet.create_invoice(sale(Some(id)));
    accepted(&scene).await;
    scene.pass(AFTER_THE_LEASE).await;
    scene.settle().await;
    let own = format!("KV-cuahangthu-{id}");
    same("orders' accounts", accounts_of_orders(&scene), vec![own])?;
    in_getfly(&scene, 2, 1).await
}

async fn a_deletion_after_the_account() -> Verdict {
    let scene = Scene::connected(On::Orders).await;
    first_create(&scene, ORDER, Fault::Status(503, None));
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    scene.kiotviet.delete_customer(id);
    scene.settle().await;
    let own = format!("KV-cuahangthu-{id}");
    same("orders' accounts", accounts_of_orders(&scene), vec![own])?;
    in_getfly(&scene, 1, 1).await
}

async fn a_deletion_before_the_account() -> Verdict {
    let scene = Scene::connected(On::Orders).await;
    first_create(&scene, ACCOUNT, Fault::Status(503, None));
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    scene.kiotviet.delete_customer(id);
    scene.settle().await;
    let none = vec![String::new(); 2];
    same("orders' accounts", accounts_of_orders(&scene), none)?;
    in_getfly(&scene, 0, 2).await
}
