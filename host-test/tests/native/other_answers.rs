//! Claims the outcome of customers and sales where a vendor answers in another way than its manual
//! shows: pages where a record or an address is missing, rows without a record, an account without
//! a code, answers that take nine seconds. How: simulated vendors with one such trait each.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, ba, customer, hoa, sale},
};
use http::Method;
use sim::{Fault, FaultRule, Habit, When, getfly::Account};

/// A connected shop whose vendors have these habits from now on.
async fn of(habits: &[Habit]) -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.take_on(habits);
    shop
}

/// An account with a contact person. A search for 0912 000 222 shows it, although that is not its
/// number, and from then on the product searches by contact persons too.
fn with_contact() -> Account {
    Account {
        contacts: vec!["0987000111".to_owned()],
        ..account("KH-1", "Anh Bình", "09120002229")
    }
}

fn account(code: &str, name: &str, phone: &str) -> Account {
    Account {
        account_code: code.to_owned(),
        account_name: name.to_owned(),
        phone_office: phone.to_owned(),
        ..Account::default()
    }
}

const BOTH: [&str; 2] = ["created customer_created", "created order_created"];

#[tokio::test(start_paused = true)]
async fn ordinary_customers_and_sales_pass_whatever_the_address_of_a_missing_thing_shows() {
    for habit in [
        Habit::NoVersion60,
        Habit::MissingIsPage,
        Habit::MissingIsText,
        Habit::CountsRefused,
        Habit::RowOfIdZero,
        Habit::NineSecondsForAny,
    ] {
        let shop = of(&[habit]).await;
        shop.getfly.seed_account(with_contact());
        shop.kiotviet
            .create_customer(customer("Anh Bình", "0912000222"));
        shop.deliver().await;
        let id = shop.kiotviet.create_customer(hoa());
        shop.kiotviet.create_invoice(sale(Some(id)));
        shop.deliver().await;
        let outcomes = shop.outcomes().await;
        assert_eq!(outcomes[0], "created customer_created", "{habit:?}");
        assert_eq!(outcomes[1..], BOTH, "{habit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_a_page_says_is_missing_is_gone_and_is_not_asked_for_for_days() {
    let shop = of(&[Habit::MissingIsText, Habit::MissingIsPage]).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.delete_customer(id);
    shop.deliver().await;
    shop.minutes(15).await;
    let outcomes = shop.outcomes().await;
    assert!(
        outcomes.iter().all(|o| o.starts_with("ignored ")),
        "{outcomes:?}"
    );
    // The reply to a create is lost before it reaches Getfly, so that the read finds a page.
    let lost = FaultRule::new(Fault::Status(500, None)).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(lost.when(When::First(1)));
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.minutes(10).await;
    assert_eq!(
        shop.outcomes().await.last().expect("an event"),
        "created customer_created"
    );
    assert_eq!(shop.in_getfly(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn walk_ins_go_on_where_getfly_does_not_let_orders_be_counted() {
    let shop = of(&[Habit::CountsRefused, Habit::OrdersMakeAccounts]).await;
    for _ in 0..3 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
    }
    assert_eq!(shop.outcomes().await, ["created order_created"; 3]);
    assert_eq!(shop.in_getfly(), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn an_account_without_a_code_asks_a_person_and_is_linked_once_it_has_one() {
    let shop = TestShop::connected(On::Both).await;
    let bare = shop
        .getfly
        .seed_account(account(" ", "Chị Hoa", "0912345678"));
    let id = shop
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 0), "neither doubled nor lost");
    let event = shop.events().await.remove(0);
    assert_eq!(event["reason"], "getfly_refused", "{event}");
    let notes = event["notes"].to_string();
    let told = format!("Getfly's account number {bare} is this customer's and has no code");
    assert!(notes.contains(&told), "{notes}");

    // Another account with the phone has one: that is taken.
    shop.getfly
        .seed_account(account("KH-2", "Chị Hoa", "0912345678"));
    for event in shop.events().await {
        let seq = event["seq"].as_u64().expect("a number");
        shop.app.retry(seq).await;
    }
    shop.settle().await;
    assert_eq!(
        shop.outcomes().await,
        ["linked linked_by_phone", "created order_created"]
    );
    assert_eq!(shop.getfly.orders()[0].account_code, "KH-2");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_read_back_is_not_asked_for_for_ever() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    let never = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/api/v6.1/sale_order");
    let rule = shop.getfly_faults.add(never);
    shop.minutes(60).await;
    shop.pass(24 * 3600).await;
    shop.drain().await;
    shop.getfly_faults.remove(rule);
    shop.app.take_calls();
    shop.drain().await;
    let asked = shop.app.take_calls();
    let mut asked = asked.iter().map(|call| call.endpoint);
    assert!(!asked.any(|endpoint| endpoint == "Getfly GET /sale_order"));
}
