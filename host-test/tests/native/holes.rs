//! Claims: a journal number that was reserved and never written (an acceptor died) blocks nothing;
//! an entry that is written late, within ten minutes, is processed by the next drain; and an event
//! that an upstream's pause holds back is neither lost nor makes a drain spin. How: an acceptor
//! that dies or sleeps between reserving and writing.

use host_test::{
    host_fault::HostFault,
    shop::{On, TestShop, ba, customer, hoa},
};
use plugin::journal::cursor;
use sim::{Fault, FaultRule, When};
use std::time::Duration;

/// The host call with which an acceptor writes its entry.
async fn call_that_writes(shop: &TestShop) -> usize {
    shop.kiotviet.create_customer(customer("Mẫu", "0911001111"));
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    shop.app.host_faults.arm([]);
    shop.app.answer(shop.kiotviet.request(&delivery)).await;
    let calls = shop.app.host_faults.disarm();
    shop.drain().await;
    1 + calls
        .iter()
        .position(|call| call.starts_with("set kvgf/journal/"))
        .unwrap()
}

async fn holes(shop: &TestShop) -> usize {
    cursor::load(&shop.app).await.unwrap().holes.len()
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_never_written_blocks_nothing() {
    let shop = TestShop::connected(On::Both).await;
    // The first delivery of all also stores that its signature was valid.
    call_that_writes(&shop).await;
    let write = call_that_writes(&shop).await;
    shop.kiotviet.create_customer(hoa());
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    shop.app.host_faults.arm([(write, HostFault::DiesBefore)]);
    let request = shop.kiotviet.request(&delivery);
    assert!(
        shop.app
            .host_faults
            .live(shop.app.answer(request))
            .await
            .is_none()
    );
    shop.app.host_faults.disarm();
    shop.kiotviet.settle(delivery, None);

    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    assert_eq!(shop.getfly.accounts().len(), 3);
    assert_eq!(holes(&shop).await, 1);
    shop.pass(590).await;
    shop.drain().await;
    assert_eq!(holes(&shop).await, 1, "looked at for ten minutes");
    shop.pass(15).await;
    shop.drain().await;
    assert_eq!(holes(&shop).await, 0, "and no longer");
    assert_eq!(shop.audit().await, [""; 0]);
}

/// Delivers to an acceptor that sleeps this long between reserving and writing; returns the status.
async fn deliver_slowly(shop: &TestShop, sleep: Duration) -> u16 {
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    let slow = shop.app.another(5);
    slow.hold_up("set kvgf/journal/", sleep);
    let answer = slow.answer(shop.kiotviet.request(&delivery)).await;
    let status = answer.0.status;
    shop.kiotviet.settle(delivery, Some(status));
    status
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_written_late_is_processed() {
    for (late, status) in [(9, 200), (11, 503), (590, 503)] {
        let shop = TestShop::connected(On::Both).await;
        shop.kiotviet.create_customer(hoa());
        let slowly = deliver_slowly(&shop, Duration::from_secs(late));
        let (answered, ()) = tokio::join!(slowly, async {
            for _ in 0..late {
                shop.pass(1).await;
                shop.drain().await;
            }
        });
        assert_eq!(answered, status, "written after {late} s");
        shop.drain().await;
        assert_eq!(shop.getfly.accounts().len(), 1, "written after {late} s");
        assert_eq!(holes(&shop).await, 0);
        // KiotViet sends again what was answered 503.
        shop.deliver().await;
        assert_eq!(shop.getfly.accounts().len(), 1);
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_written_late_into_a_pause_waits_for_its_end_without_a_spin() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    tokio::join!(deliver_slowly(&shop, Duration::from_secs(9)), async {
        shop.pass(1).await;
        let busy = FaultRule::new(Fault::Status(429, Some(120))).when(When::First(1));
        shop.getfly_faults.add(busy);
        shop.kiotviet.create_customer(ba());
        shop.deliver().await;
        assert_eq!(holes(&shop).await, 1);
        shop.pass(10).await;
        shop.app.take_stored();
        shop.drain().await;
        let stored = shop.app.take_stored().len();
        assert!(stored < 20, "{stored} store calls in a pause");
        shop.pass(125).await;
        shop.drain().await;
    });
    assert_eq!(shop.getfly.accounts().len(), 2);
    assert_eq!(shop.audit().await, [""; 0]);
}
