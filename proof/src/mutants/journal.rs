//! Accepting deliveries and saving the cursor in between, with a store that fails or is slow and
//! workers that die.

use super::{Verdict, dies_before, drain, in_getfly, same};
use host_test::{
    admin::Admin,
    host_fault::HostFault,
    shop::{On, TestShop, ba, customer, hoa},
};
use serde_json::json;
use sim::{Fault, FaultRule, When};
use std::time::Duration;

/// More host calls than accepting a delivery makes.
const ACCEPTING: usize = 6;

pub(super) async fn store_fails() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    for call in 1..=ACCEPTING {
        let new = customer("Khách", &format!("091234560{call}"));
        shop.kiotviet.create_customer(new);
        shop.app.host_faults.arm([(call, HostFault::FailsBefore)]);
        shop.deliver_under_faults().await;
        shop.app.host_faults.disarm();
    }
    shop.settle().await;
    in_getfly(&shop, ACCEPTING, 0).await
}

/// A delivery whose acceptor is stopped for this long between taking a number and writing the
/// entry, while drains go on.
async fn written_after(seconds: u64) -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.kiotviet.create_customer(hoa());
    let slow = shop.app.another(5);
    slow.hold_up("set kvgf/journal/", Duration::from_secs(seconds));
    let Some(delivery) = shop.kiotviet.take_deliveries().pop() else {
        return Err("there is no delivery".to_owned());
    };
    let ((answer, _), ()) = tokio::join!(slow.answer(shop.kiotviet.request(&delivery)), async {
        for _ in 0..seconds / 4 {
            shop.pass(4).await;
            shop.drain().await;
        }
    });
    shop.kiotviet.settle(delivery, Some(answer.status));
    shop.drain().await;
    shop.deliver().await;
    // KiotViet's second delivery counts.
    same("accounts in Getfly", shop.getfly.accounts().len(), 1)?;
    // An entry that was written after ten minutes is looked at once more, after eighty hours.
    shop.pass(81 * 3600).await;
    shop.drain().await;
    in_getfly(&shop, 1, 0).await
}

/// A store that does not count: a drain takes up what a delivery's own request could not end.
pub(super) async fn without_atomics() -> Verdict {
    let shop = TestShop::unconnected();
    shop.app.set_variable("processing", "inline");
    shop.app.break_atomics();
    shop.connect().await;
    shop.switch("customer", true).await;
    shop.pass(5).await;
    let down = FaultRule::new(Fault::Status(503, None)).when(When::First(1));
    shop.getfly_faults.add(down);
    shop.kiotviet.create_customer(hoa());
    same("answers", shop.deliver().await, vec![200])?;
    shop.pass(61).await;
    shop.settle().await;
    in_getfly(&shop, 1, 0).await
}

pub(super) async fn slow_acceptor() -> Verdict {
    written_after(9).await?;
    // The worker looks at a missing entry for ten minutes.
    written_after(660).await
}

pub(super) async fn crash_after_a_retry() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    let down = FaultRule::new(Fault::Status(503, None));
    shop.getfly_faults.add(down);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.pass_last_retry().await;
    dies_before(&shop, "set kvgf/journal/cursor", drain).await;
    shop.getfly_faults.clear();
    shop.settle().await;
    in_getfly(&shop, 1, 0).await
}

pub(super) async fn crash_after_a_command() -> Verdict {
    // During the attempt that the person asked for, and after it.
    command_then_crash("get kvgf/connection/").await?;
    command_then_crash("set kvgf/journal/cursor").await
}

async fn command_then_crash(dies_at: &str) -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    same(
        "outcomes",
        shop.outcomes().await,
        vec!["dead getfly_refused".to_owned()],
    )?;
    // Past its retention, so that the command is the oldest entry that may be removed.
    shop.pass(40 * 86_400).await;
    shop.drain().await;
    dies_before(&shop, dies_at, async |app| {
        app.retry(1).await;
    })
    .await;
    shop.settle().await;
    in_getfly(&shop, 1, 0).await?;
    let (_, overview) = shop.app.overview().await;
    same("dead letters", &overview["counts"]["dead"], &json!(0))
}

pub(super) async fn counts_after_a_crash() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.refuse_accounts(1);
    // The second customer keeps the worker busy until the command for the first one has come.
    let slow = Fault::Delay(Duration::from_secs(5));
    let slow = FaultRule::new(slow).on(http::Method::GET, "/customers/20000002");
    shop.kiotviet_faults.add(slow);
    shop.kiotviet.create_customer(hoa());
    let second = ba();
    shop.kiotviet.create_customer(second);
    shop.accept().await;
    let work = dies_before(&shop, "set kvgf/journal/cursor", drain);
    let asked = async {
        shop.pass(4).await;
        shop.app.dismiss(1).await.0
    };
    let ((), asked) = tokio::join!(work, asked);
    same("the command's answer", asked, 202)?;
    shop.settle().await;
    let (_, overview) = shop.app.overview().await;
    same(
        "counts balanced",
        overview["balanced"].as_bool(),
        Some(true),
    )?;
    in_getfly(&shop, 1, 0).await
}
