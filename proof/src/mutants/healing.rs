//! What KiotViet failed to deliver, and to whom its webhooks belong.

use super::{Verdict, in_getfly, same};
use host_test::shop::{On, TestShop, hoa, sale};
use http::Method;
use serde_json::json;
use sim::{Fault, FaultRule};

pub(super) async fn healing() -> Verdict {
    the_gap_is_read_back().await?;
    what_waits_is_not_read_back().await?;
    an_edit_after_a_failed_try_is_read_back().await?;
    an_edit_during_a_backfill_comes_in().await?;
    others_are_left_alone().await
}

async fn the_gap_is_read_back() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    shop.minutes(20).await;
    shop.kiotviet.switch_off_webhooks();
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.minutes(60).await;
    let hooks = shop.kiotviet.webhooks();
    let active = hooks.iter().filter(|hook| hook.is_active).count();
    same("active webhooks", active, 2)?;
    in_getfly(&shop, 1, 1).await
}

async fn what_waits_is_not_read_back() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/customers/");
    shop.kiotviet_faults.add(down);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    // KiotViet's pause is over, the next attempt is not due.
    shop.pass(15).await;
    shop.heal().await;
    shop.kiotviet_faults.clear();
    shop.settle().await;
    same("events of one customer", shop.events().await.len(), 1)?;
    in_getfly(&shop, 1, 0).await
}

/// An invoice from before the connection is edited after a person asked for it.
async fn an_edit_during_a_backfill_comes_in() -> Verdict {
    let shop = TestShop::unconnected();
    let old = shop.kiotviet.create_invoice(sale(None));
    shop.pass(3600).await;
    shop.connect_with(On::Orders).await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
    shop.kiotviet_faults.add(down);
    shop.backfill(json!({"from": "2026-10-05"})).await;
    // The edit is younger than the backfill's window.
    shop.pass(1).await;
    shop.kiotviet.edit_invoice(old, |_| {});
    shop.kiotviet_faults.clear();
    shop.deliver().await;
    shop.minutes(10).await;
    in_getfly(&shop, 0, 1).await
}

/// The first attempt is refused, the shop edits the invoice, and the edit is never delivered.
async fn an_edit_after_a_failed_try_is_read_back() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    shop.minutes(20).await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(down);
    let sold = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.pass(60).await;
    shop.kiotviet.edit_invoice(sold, |_| {});
    shop.kiotviet.take_deliveries();
    shop.getfly_faults.clear();
    shop.settle().await;
    in_getfly(&shop, 0, 0).await?;
    shop.minutes(60).await;
    in_getfly(&shop, 0, 1).await
}

async fn others_are_left_alone() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    let url = "https://crm.example.vn/kiotviet";
    let theirs = shop.kiotviet.add_webhook("customer.update", url, None);
    shop.kiotviet.set_webhook_active(theirs, false);
    let hooks = || shop.kiotviet.webhooks().into_iter();
    let ids = || -> Vec<_> { hooks().map(|hook| (hook.id, hook.is_active)).collect() };
    let before = ids();
    shop.heal().await;
    same("webhooks", ids(), before)
}
