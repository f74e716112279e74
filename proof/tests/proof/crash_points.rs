//! Claims guarantees 1 to 3 at every single point: whichever host call fails or is the last before
//! a crash, before it took effect or after, KiotViet's redelivery and one drain after the last retry
//! time lead to exactly one account and one order, no event is stuck, and the counts add up.
//! How: each story is told once to count its host calls, then once for every call and mishap.

use host_test::story::Story;
use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, hoa, sale},
};
use sim::{Fault, FaultRule, When, getfly::GetflySettings};

fn nothing(_: &Scene) {}

fn new_customer(scene: &Scene) {
    scene.kiotviet.create_customer(hoa());
}

fn sold_to_the_first_customer(scene: &Scene) {
    let id = scene.kiotviet.customers().first().map(|c| c.id);
    scene.kiotviet.create_invoice(sale(id));
}

fn both_at_once(scene: &Scene) {
    new_customer(scene);
    sold_to_the_first_customer(scene);
}

fn three_customers(scene: &Scene) {
    for n in 1..=3 {
        let new = customer(&format!("Khách {n}"), &format!("091234567{n}"));
        scene.kiotviet.create_customer(new);
    }
}

async fn every_point(story: Story) {
    let told = story.tell(&[]).await;
    assert_eq!(told.wrong, [""; 0], "without any mishap");
    assert!(told.calls.len() > 10, "{:?}", told.calls);
    let mut failures = Vec::new();
    for (number, call) in (1..).zip(&told.calls) {
        for mishap in Mishap::ALL {
            let wrong = story.tell(&[(number, mishap)]).await.wrong;
            if !wrong.is_empty() {
                failures.push(format!("{number} {call}, {mishap:?}: {wrong:#?}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{}: {}",
        failures.len(),
        failures.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_customer() {
    every_point(Story {
        on: On::Both,
        before: nothing,
        act: new_customer,
        drains: 1,
        accounts: 1,
        orders: 0,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_invoice_of_a_new_customer() {
    every_point(Story {
        on: On::Orders,
        before: nothing,
        act: both_at_once,
        drains: 1,
        accounts: 1,
        orders: 1,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_invoice_of_a_known_customer() {
    every_point(Story {
        on: On::Both,
        before: new_customer,
        act: sold_to_the_first_customer,
        drains: 1,
        accounts: 1,
        orders: 1,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_invoice_of_a_walk_in() {
    every_point(Story {
        on: On::Both,
        before: nothing,
        act: |scene| {
            scene.kiotviet.create_invoice(sale(None));
        },
        drains: 1,
        accounts: 0,
        orders: 1,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_and_an_invoice_at_once() {
    every_point(Story {
        on: On::Both,
        before: nothing,
        act: both_at_once,
        drains: 1,
        accounts: 1,
        orders: 1,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn three_customers_in_one_delivery() {
    every_point(Story {
        on: On::Both,
        before: nothing,
        act: three_customers,
        drains: 1,
        accounts: 3,
        orders: 0,
    })
    .await;
}

/// Getfly fails so often that every event is tried again through the due lists, twice and more.
#[tokio::test(start_paused = true)]
async fn three_customers_that_are_tried_again() {
    every_point(Story {
        on: On::Both,
        before: nothing,
        act: |scene| {
            let fault = FaultRule::new(Fault::Status(503, None)).when(When::First(7));
            scene.getfly_faults.add(fault);
            three_customers(scene);
        },
        drains: 5,
        accounts: 3,
        orders: 0,
    })
    .await;
}

/// The order's reply is lost twice.
#[tokio::test(start_paused = true)]
async fn an_invoice_whose_replies_are_lost() {
    every_point(Story {
        on: On::Both,
        before: nothing,
        act: |scene| {
            let order = |nth| {
                FaultRule::new(Fault::StoredThenHang)
                    .on(http::Method::POST, "/api/v6.1/")
                    .when(When::Nth(nth))
            };
            scene.getfly_faults.add(order(1));
            scene.getfly_faults.add(order(2));
            let read =
                FaultRule::new(Fault::HtmlError(502)).on(http::Method::GET, "/api/v6.1/sale_order");
            scene.getfly_faults.add(read.when(When::First(2)));
            both_at_once(scene);
        },
        drains: 4,
        accounts: 1,
        orders: 1,
    })
    .await;
}

fn three_walk_ins(scene: &Scene) {
    for _ in 0..3 {
        scene.kiotviet.create_invoice(sale(None));
    }
}

/// R5: Getfly makes an account for an order without one.
#[tokio::test(start_paused = true)]
async fn walk_ins_where_getfly_makes_an_account() {
    every_point(Story {
        on: On::Orders,
        before: nothing,
        act: |scene| {
            let settings = |s: &mut GetflySettings| s.order_creates_account = true;
            scene.getfly.update_settings(settings);
            three_walk_ins(scene);
        },
        drains: 2,
        accounts: 1,
        orders: 3,
    })
    .await;
}

/// R5: Getfly refuses an order without an account.
#[tokio::test(start_paused = true)]
async fn walk_ins_where_getfly_wants_an_account() {
    every_point(Story {
        on: On::Orders,
        before: nothing,
        act: |scene| {
            let settings = |s: &mut GetflySettings| s.order_needs_account = true;
            scene.getfly.update_settings(settings);
            three_walk_ins(scene);
        },
        drains: 2,
        accounts: 1,
        orders: 3,
    })
    .await;
}

/// R4, R7: the customer's account was deleted in Getfly, and its code stays taken.
#[tokio::test(start_paused = true)]
async fn an_invoice_whose_customers_account_is_gone() {
    every_point(Story {
        on: On::Orders,
        before: both_at_once,
        act: |scene| {
            let settings = |s: &mut GetflySettings| s.refuse_unknown_account = true;
            scene.getfly.update_settings(settings);
            for account in scene.getfly.accounts() {
                scene.getfly.delete_account(account.id);
            }
            sold_to_the_first_customer(scene);
        },
        drains: 3,
        // The deleted one is hidden and still there.
        accounts: 2,
        orders: 2,
    })
    .await;
}
