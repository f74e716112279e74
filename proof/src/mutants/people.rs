//! People's decisions hold: which Getfly is the store's, what they dismissed, whom they linked.
//! Also a store that they restored from a copy.

use super::{Verdict, in_getfly, same};
use host_test::{
    admin::Admin,
    shop::{On, TestShop, ba, customer, hoa, sale},
};
use serde_json::json;
use sim::getfly::{Account, GetflySettings, GetflySim};
use std::sync::Arc;

pub(super) async fn put_back() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(20).await;
    let copy = shop.app.store.copy();
    shop.minutes(30).await;
    let who = shop.kiotviet.create_customer(customer("Chị Không Số", ""));
    let sold = shop.kiotviet.create_invoice(sale(Some(who)));
    shop.deliver().await;
    let shop = shop.over(Arc::new(copy));
    shop.kiotviet.edit_customer(who, |_| {});
    shop.kiotviet.set_invoice_status(sold, 1);
    shop.deliver().await;
    shop.minutes(60).await;
    shop.settle().await;
    in_getfly(&shop, 1, 1).await
}

pub(super) async fn another_tenant() -> Verdict {
    let mut shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let clock = shop.clock.clone();
    let other = Arc::new(GetflySim::new(GetflySettings::default(), clock));
    shop.app = shop
        .app
        .serving("https://other.example.test", other.clone());
    shop.app
        .set_variable("getfly_url", "https://other.example.test");
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.minutes(10).await;
    same("accounts in the other Getfly", other.accounts().len(), 0)
}

pub(super) async fn a_persons_word() -> Verdict {
    a_dismissal().await?;
    a_link().await
}

async fn a_dismissal() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.refuse_accounts(1);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.app.dismiss(1).await;
    shop.kiotviet.edit_customer(id, |_| {});
    shop.deliver().await;
    in_getfly(&shop, 0, 0).await
}

async fn a_link() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.refuse_unknown_account = true);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let linked = shop.getfly.seed_account(Account {
        account_code: "KH-7".to_owned(),
        account_name: "Công ty".to_owned(),
        ..Account::default()
    });
    let code = json!({"account_code": "KH-7"});
    shop.app.call("POST", "events/1/link", &code).await;
    shop.getfly.delete_account(linked);
    shop.pass(60).await;
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    let last = shop.outcomes().await.pop();
    same(
        "the order",
        last.as_deref(),
        Some("dead linked_account_gone"),
    )
}
