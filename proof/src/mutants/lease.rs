//! Several workers over one store: stopped, woken late, and concurrent.

use super::{Verdict, drain, in_getfly};
use host_test::{
    host_fault::HostFault,
    shop::{On, TestShop, ba, hoa, sale},
};
use jiff::SignedDuration;
use plugin::worker::lease::SLOT_SECONDS;
use sim::{Fault, FaultRule};
use std::time::Duration;

/// An accepted sale that waits.
async fn a_sale_waits() -> TestShop {
    let shop = TestShop::connected(On::Orders).await;
    // The index of accounts is filled: no later drain has anything else to do.
    drain(&shop.app).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.accept().await;
    shop
}

/// One worker is stopped for `stopped` seconds just before it announces its create. Another one
/// comes two seconds after it, under these faults.
async fn overtaken(stopped: u64, faults: &[(usize, HostFault)]) -> Verdict {
    let shop = a_sale_waits().await;
    let (first, second) = (shop.app.another(1), shop.app.another(2));
    first.hold_up("set kvgf/invoice/", Duration::from_secs(stopped));
    second.host_faults.arm(faults.iter().copied());
    tokio::join!(drain(&first), async {
        shop.pass(2).await;
        drain(&second).await;
    });
    shop.settle().await;
    in_getfly(&shop, 0, 1).await
}

pub(super) async fn two_workers() -> Verdict {
    overtaken(5, &[]).await
}

pub(super) async fn lost_reply() -> Verdict {
    // The first host call of a drain is the lease's increment.
    overtaken(5, &[(1, HostFault::FailsAfter)]).await
}

pub(super) async fn late_worker() -> Verdict {
    // Within the next slot, which the other worker had and released; and long after it.
    overtaken(31, &[]).await?;
    overtaken(38, &[]).await?;
    overtaken(65, &[]).await
}

pub(super) async fn clocks_apart() -> Verdict {
    let shop = a_sale_waits().await;
    let (first, second) = (shop.app.another(1), shop.app.another(2));
    let ahead = SignedDuration::from_millis(1_990);
    second.skew.set(shop.clock.now(), Some(ahead));
    // Before the seconds in which a worker takes the next slot too.
    let into = shop.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    let wait = (12 - into).rem_euclid(SLOT_SECONDS);
    shop.pass(wait.unsigned_abs()).await;
    first.hold_up("set kvgf/invoice/", Duration::from_millis(16_500));
    tokio::join!(drain(&first), async {
        tokio::time::sleep(Duration::from_millis(16_100)).await;
        drain(&second).await;
    });
    shop.settle().await;
    in_getfly(&shop, 0, 1).await
}

pub(super) async fn late_cursor() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    let down = FaultRule::new(Fault::Status(503, None));
    shop.getfly_faults.add(down);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.pass_last_retry().await;
    let (first, second) = (shop.app.another(1), shop.app.another(2));
    first.hold_up("get kvgf/due/", Duration::from_secs(70));
    tokio::join!(drain(&first), async {
        shop.pass(1).await;
        drain(&second).await;
    });
    shop.getfly_faults.clear();
    shop.settle().await;
    in_getfly(&shop, 1, 0).await
}

pub(super) async fn given_back() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    let (first, second) = (shop.app.another(1), shop.app.another(2));
    first.hold_up("delete kvgf/lease/", Duration::from_secs(5));
    let mut requests = Vec::new();
    for new in [hoa(), ba()] {
        shop.kiotviet.create_customer(new);
        let deliveries = shop.kiotviet.take_deliveries();
        requests.extend(deliveries.iter().map(|d| shop.kiotviet.request(d)));
    }
    let mut requests = requests.into_iter();
    let (Some(one), Some(two)) = (requests.next(), requests.next()) else {
        return Err("there are no deliveries".to_owned());
    };
    tokio::join!(first.request(one), async {
        shop.pass(3).await;
        second.request(two).await;
    });
    // No drain comes any more.
    in_getfly(&shop, 2, 0).await
}
