//! A clock that was wrong and is corrected.

use super::{Verdict, in_getfly, same};
use host_test::shop::{On, TestShop, hoa, sale};
use jiff::SignedDuration;
use sim::getfly::User;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn set_right() -> Verdict {
    what_was_not_delivered_comes_in().await?;
    users_are_read_anew().await?;
    calls_do_not_wait().await
}

fn set(shop: &TestShop, off: SignedDuration) {
    shop.app.skew.set(shop.clock.now(), Some(off));
}

/// A shop whose webhooks were checked while the clock was ahead.
async fn ahead() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    let user = User::new(2, "nhanvien1", "Nhân Viên Một", "0900000501");
    shop.getfly.add_user(user);
    shop.minutes(20).await;
    set(&shop, DAY);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.minutes(20).await;
    set(&shop, SignedDuration::ZERO);
    shop
}

async fn what_was_not_delivered_comes_in() -> Verdict {
    let shop = ahead().await;
    shop.kiotviet.switch_off_webhooks();
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.minutes(60).await;
    in_getfly(&shop, 1, 2).await
}

async fn users_are_read_anew() -> Verdict {
    let shop = ahead().await;
    shop.getfly.change_users(|users| {
        users.retain(|user| user.user_name != "nhanvien1");
    });
    shop.pass(601).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let order = shop.getfly.orders().pop();
    let executor = order.and_then(|order| order.assigned_username);
    same("executor", executor, None)
}

async fn calls_do_not_wait() -> Verdict {
    let shop = ahead().await;
    let began = shop.clock.now();
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let took = shop.clock.now().duration_since(began).as_secs();
    same("a customer waits for the ceiling", took > 60, false)?;
    in_getfly(&shop, 1, 1).await
}
