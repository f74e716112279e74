//! Vendors that are down, busy, or refuse a token; and how often they are called.

use super::{Verdict, in_getfly, same};
use host_test::shop::{On, TestShop, customer, hoa, sale};
use sim::{Fault, FaultRule, When};

const HOUR: i64 = 3600;

pub(super) async fn outage() -> Verdict {
    three_days().await?;
    a_pause_is_kept().await?;
    the_ceiling_is_kept().await?;
    a_token_is_renewed().await
}

async fn three_days() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    let began = shop.clock.now();
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    while shop.clock.now().duration_since(began).as_secs() < 72 * HOUR {
        shop.pass(1800).await;
        shop.drain().await;
    }
    shop.getfly_faults.clear();
    shop.settle().await;
    in_getfly(&shop, 1, 0).await
}

async fn a_pause_is_kept() -> Verdict {
    let shop = TestShop::connected(On::Both).await;
    let busy = FaultRule::new(Fault::Status(429, Some(900))).when(When::First(1));
    shop.getfly_faults.add(busy);
    let began = shop.clock.now();
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.settle().await;
    // Both searches of the first attempt were under way together.
    let calls = shop.getfly_faults.calls();
    let next = calls.get(2).map(|c| c.at.duration_since(began).as_secs());
    same("calls within the pause", next < Some(900), false)?;
    in_getfly(&shop, 1, 1).await
}

async fn the_ceiling_is_kept() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    for n in 0..4 {
        let new = customer("Khách", &format!("091234560{n}"));
        shop.kiotviet.create_customer(new);
    }
    shop.deliver().await;
    shop.settle().await;
    let calls = shop.getfly.calls();
    let at: Vec<i128> = calls.iter().map(|c| c.at.as_nanosecond()).collect();
    let third = at.iter().zip(at.iter().skip(2));
    let crowded = third.filter(|(a, c)| *c - *a < 1_000_000_000).count();
    same("seconds with more than two calls to Getfly", crowded, 0)?;
    in_getfly(&shop, 4, 0).await
}

async fn a_token_is_renewed() -> Verdict {
    let shop = TestShop::connected(On::Orders).await;
    for _ in 0..2 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        shop.kiotviet.revoke_tokens();
    }
    in_getfly(&shop, 0, 2).await
}
