//! Shops whose invoices are polled.

use super::{Verdict, in_getfly, same};
use host_test::shop::{On, TestShop, sale};
use http::Method;
use jiff::SignedDuration;
use sim::{Fault, FaultRule, When, kiotviet::Settings};

pub(super) async fn polled() -> Verdict {
    a_poll_goes_on_where_it_ended().await?;
    a_late_sale_is_swept_up().await
}

async fn shop() -> TestShop {
    let (shop, _) = TestShop::of_settings(Settings::fnb(), []);
    shop.connect_with(On::Orders).await;
    shop.minutes(2).await;
    shop
}

async fn a_poll_goes_on_where_it_ended() -> Verdict {
    let shop = shop().await;
    // Three pages and ten hours, while no scheduler called.
    for _ in 0..300 {
        shop.pass(120).await;
        shop.kiotviet.create_invoice(sale(None));
    }
    let once = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
    let rule = shop.kiotviet_faults.add(once.when(When::Nth(2)));
    shop.minutes(1).await;
    shop.kiotviet_faults.remove(rule);
    // The sweep finds them too, some minutes later.
    same("sales that were found", shop.journal().await.len(), 300)?;
    shop.minutes(20).await;
    in_getfly(&shop, 0, 300).await
}

async fn a_late_sale_is_swept_up() -> Verdict {
    let shop = shop().await;
    shop.minutes(300).await;
    let made = shop.clock.now() - SignedDuration::from_hours(4);
    shop.kiotviet.sync_late(sale(None), made);
    shop.minutes(70).await;
    in_getfly(&shop, 0, 1).await
}
