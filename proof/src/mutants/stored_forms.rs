//! The index of Getfly's accounts: what it finds, what it does not believe, and what its scan survives.

use super::{Verdict, dies_before, drain, in_getfly, same};
use host_test::shop::{On, TestShop, customer};
use sim::getfly::Account;
use std::time::Duration;

pub(super) async fn stored_forms() -> Verdict {
    what_is_stale_is_not_believed().await?;
    a_crash_forgets_nothing().await?;
    a_page_that_moved_hides_nothing().await?;
    a_filter_that_is_ignored_is_not_used().await
}

fn stored(phone: &str) -> Account {
    Account {
        phone_office: phone.to_owned(),
        ..Account::default()
    }
}

/// Accounts of other people.
fn crowd(shop: &TestShop, count: usize) {
    for n in 0..count {
        shop.getfly
            .seed_account(stored(&format!("03 1234 5{n:03}")));
    }
}

async fn becomes(shop: &TestShop, wanted: &str) -> Verdict {
    shop.kiotviet
        .create_customer(customer("Anh An", "0912345678"));
    shop.deliver().await;
    let event = shop.events().await.pop().unwrap_or_default();
    same("the customer", event["reason"].as_str(), Some(wanted))
}

async fn what_is_stale_is_not_believed() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    let id = shop.getfly.seed_account(stored("0912 345 678"));
    drain(&shop.app).await;
    shop.getfly.change_phone(id, "0911 000 001");
    becomes(&shop, "customer_created").await?;
    in_getfly(&shop, 2, 0).await
}

async fn a_crash_forgets_nothing() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.getfly.seed_account(stored("0912 345 678"));
    // Long before the scan: that it was changed tells nothing.
    shop.pass(3600).await;
    dies_before(&shop, "set kvgf/accounts/", async |app| drain(app).await).await;
    shop.minutes(16).await;
    becomes(&shop, "linked_by_phone").await
}

async fn a_page_that_moved_hides_nothing() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    crowd(&shop, 320);
    shop.getfly.seed_account(stored("0912 345 678"));
    crowd(&shop, 100);
    let scan = async {
        let app = shop.app.another(31);
        drain(&app).await;
    };
    let people = async {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let accounts = shop.getfly.accounts();
        for account in accounts.iter().take(50) {
            shop.getfly.delete_account(account.id);
        }
    };
    tokio::join!(scan, people);
    becomes(&shop, "linked_by_phone").await
}

async fn a_filter_that_is_ignored_is_not_used() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.getfly.update_settings(|s| s.heeds_updated_at = false);
    crowd(&shop, 250);
    shop.pass(3600).await;
    shop.minutes(70).await;
    let calls = shop.getfly.calls();
    let lists = calls.iter().filter(|c| c.path.contains("/accounts?"));
    // All of them once, and one question for changes.
    same("pages of accounts in an hour", lists.count(), 4)
}
