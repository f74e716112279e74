//! Creates whose answer is lost: reading settles them, never a second create.

use super::{AFTER_THE_LEASE, Verdict, drain, in_getfly, same};
use host_test::{
    host_fault::HostFault,
    shop::{On, TestShop, customer, sale},
};
use http::Method;
use plugin::worker::lease::SLOT_SECONDS;
use sim::{Fault, FaultRule, When, kiotviet::NewCustomer};
use std::time::Duration;

/// An instance works for this many seconds and dies; then its lease runs out.
pub(super) async fn works_for(shop: &TestShop, seconds: u64) {
    let app = shop.app.another(31);
    let _ = tokio::time::timeout(Duration::from_secs(seconds), drain(&app)).await;
}

pub(super) async fn crash_after_a_create() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    for path in ["/api/v6.1/account", "/api/v6.1/sale_order"] {
        let stored = FaultRule::new(Fault::StoredThenHang).on(Method::POST, path);
        shop.getfly_faults.add(stored.when(When::First(1)));
    }
    // No search finds this customer; only its code does.
    shop.kiotviet.create_customer(NewCustomer {
        name: "Khách".to_owned(),
        ..NewCustomer::default()
    });
    shop.accept().await;
    works_for(&shop, 5).await;
    shop.pass(AFTER_THE_LEASE).await;
    shop.settle().await;
    shop.kiotviet.create_invoice(sale(None));
    shop.accept().await;
    works_for(&shop, 5).await;
    shop.pass(AFTER_THE_LEASE).await;
    shop.settle().await;
    in_getfly(&shop, 1, 1).await
}

pub(super) async fn stored_late() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    let late = FaultRule::new(Fault::Late(Duration::from_secs(33)));
    let late = late.on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(late);
    // The worker needs no other slot for its create, so that the next worker comes soon after it
    // dies.
    let into = shop.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    shop.pass((SLOT_SECONDS - into).unsigned_abs()).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.accept().await;
    works_for(&shop, 5).await;
    shop.settle().await;
    shop.pass(AFTER_THE_LEASE).await;
    in_getfly(&shop, 0, 1).await?;
    let plain = account_stored_late(None).await.1;
    let lists = plain
        .iter()
        .position(|call| call.starts_with("set kvgf/due/"));
    let shop = account_stored_late(lists.map(|at| at + 1)).await.0;
    in_getfly(&shop, 1, 0).await?;
    let dies = beside_a_retry(true, None).await.0;
    in_getfly(&dies, 1, 0).await?;
    let whole = beside_a_retry(false, None).await;
    in_getfly(&whole.0, 1, 0).await?;
    let created = whole
        .1
        .iter()
        .position(|call| call.contains("POST /account"));
    let kept = whole.1.iter().enumerate().skip(created.unwrap_or_default());
    let mut kept = kept.filter(|(_, call)| call.starts_with("set kvgf/customer/"));
    let (fails_at, _) = kept.next().ok_or("the claim is not written again")?;
    let fails = beside_a_retry(false, Some(fails_at + 1)).await.0;
    in_getfly(&fails, 1, 0).await
}

/// A customer's second attempt is due while another customer with the same phone is created, which
/// Getfly stores half a minute later. The worker dies meanwhile, or its store fails. Returns the
/// host calls of its drain too.
async fn beside_a_retry(dies: bool, fails_at: Option<usize>) -> (TestShop, Vec<String>) {
    let shop = TestShop::connected(On::Customers).await;
    let into = shop.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    shop.pass((SLOT_SECONDS + 1 - into).unsigned_abs()).await;
    let down = FaultRule::new(Fault::Status(503, None));
    shop.kiotviet_faults.add(down.when(When::First(1)));
    shop.kiotviet
        .create_customer(customer("Anh Ba", "0912345678"));
    shop.deliver().await;
    // A create at a slot's beginning needs no other slot.
    shop.pass(SLOT_SECONDS.unsigned_abs() - 1).await;
    let late = FaultRule::new(Fault::Late(Duration::from_secs(31)));
    let late = late.on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(late.when(When::First(1)));
    shop.kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    shop.accept().await;
    let mut calls = Vec::new();
    let began = tokio::time::Instant::now();
    if dies {
        works_for(&shop, 3).await;
    } else {
        shop.app
            .host_faults
            .arm(fails_at.map(|at| (at, HostFault::FailsBefore)));
        shop.drain().await;
        calls = shop.app.host_faults.disarm();
    }
    // In the next slot, when the second attempt is due.
    tokio::time::sleep_until(began + Duration::from_secs(25)).await;
    shop.drain().await;
    shop.settle().await;
    (shop, calls)
}

pub(super) async fn after_the_retention() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    let id = shop
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    shop.deliver().await;
    let sale = shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    in_getfly(&shop, 1, 1).await?;
    shop.pass(31 * 86_400).await;
    shop.drain().await;
    same("events that are left", shop.events().await.len(), 0)?;
    for account in shop.getfly.accounts() {
        shop.getfly.delete_account(account.id);
    }
    shop.kiotviet.edit_customer(id, |_| {});
    shop.kiotviet.edit_invoice(sale, |_| {});
    shop.deliver().await;
    shop.settle().await;
    in_getfly(&shop, 1, 1).await?;
    let outcomes = shop.outcomes().await;
    let edit = |outcome: &String| outcome.ends_with("invoice_edited");
    same(
        "an edit among the outcomes",
        outcomes.iter().any(edit),
        true,
    )?;
    let dead = |outcome: &String| outcome.starts_with("dead");
    same("dead letters", outcomes.iter().any(dead), false)
}

/// An account is stored late, and the store fails as the worker lists the next attempt; another
/// customer has the same phone. Returns the host calls of the first drain too.
async fn account_stored_late(fails_at: Option<usize>) -> (TestShop, Vec<String>) {
    let shop = TestShop::connected(On::Customers).await;
    let late = FaultRule::new(Fault::Late(Duration::from_secs(50)));
    let late = late.on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(late.when(When::First(1)));
    for name in ["Chị Hoa", "Anh Ba"] {
        shop.kiotviet.create_customer(customer(name, "0912345678"));
    }
    shop.accept().await;
    let fails = fails_at.map(|at| (at, HostFault::FailsBefore));
    shop.app.host_faults.arm(fails);
    shop.drain().await;
    let calls = shop.app.host_faults.disarm();
    shop.drain().await;
    shop.settle().await;
    (shop, calls)
}
