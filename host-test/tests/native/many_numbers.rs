//! Claims R7 for a field that holds many numbers or addresses: each of them is searched for,
//! however many there are, so an account that has any of them is linked; the rate limit is kept and
//! no second worker comes in meanwhile; and if there are too many, nothing is created.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, hoa},
};
use sim::{getfly::Account, kiotviet::NewCustomer};

fn number(n: usize) -> String {
    format!("09123456{n:02}")
}

fn many(count: usize) -> String {
    let numbers: Vec<String> = (0..count).map(number).collect();
    numbers.join(", ")
}

/// The shop's new customer, in whose field the last number or address is an existing account's.
async fn outcome_for(new: NewCustomer, existing: Account) -> Vec<String> {
    let shop = TestShop::connected(On::Customers).await;
    shop.getfly.seed_account(existing);
    shop.kiotviet.create_customer(new);
    shop.deliver().await;
    shop.outcomes().await
}

#[tokio::test(start_paused = true)]
async fn the_last_of_many_numbers_links_the_account_that_has_it() {
    for count in [6, 7, 12, 13, 60] {
        let existing = Account {
            phone_office: number(count - 1),
            ..Account::default()
        };
        let outcomes = outcome_for(customer("Chị Hoa", &many(count)), existing).await;
        assert_eq!(outcomes, ["linked linked_by_phone"], "{count} numbers");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_of_many_addresses_links_the_account_that_has_it() {
    for count in [6, 7, 13] {
        let address = |n: usize| format!("khach{n}@example.vn");
        let all: Vec<String> = (0..count).map(address).collect();
        let new = NewCustomer {
            email: Some(all.join("; ")),
            ..hoa()
        };
        let existing = Account {
            email: address(count - 1),
            ..Account::default()
        };
        let outcomes = outcome_for(new, existing).await;
        assert_eq!(outcomes, ["linked linked_by_email"], "{count} addresses");
    }
}

#[tokio::test(start_paused = true)]
async fn many_searches_keep_the_ceiling_and_the_lease() {
    let shop = TestShop::connected(On::Customers).await;
    // The slowest rate, so that the searches take fifteen slots of the lease.
    shop.app.set_variable("getfly_requests_per_second", "0.2");
    let new = customer("Chị Hoa", &many(90));
    shop.kiotviet.create_customer(new);
    let second = shop.app.another(3);
    let (_, ()) = tokio::join!(shop.deliver(), async {
        for _ in 0..6 {
            shop.pass(1).await;
            let (_, drained) = second.drain().await;
            assert_eq!(drained["busy"], true);
        }
    });
    shop.settle().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
    let at: Vec<_> = shop.getfly.calls().iter().map(|c| c.at).collect();
    // The last one is a page for the index of accounts.
    assert_eq!(at.len(), 92, "each number is searched for once");
    for pair in at.windows(2) {
        let apart = pair[1].duration_since(pair[0]).as_millis();
        assert!(apart >= 5000, "{apart} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_to_search_for_is_a_dead_letter_until_some_are_taken_away() {
    let shop = TestShop::connected(On::Customers).await;
    let all: Vec<String> = (100..201).map(|n| format!("0912345{n}")).collect();
    let id = shop
        .kiotviet
        .create_customer(customer("Chị Hoa", &all.join(", ")));
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["dead too_many_numbers"]);
    let blank = format!("0912345678{:2000}0987654312", ",");
    shop.kiotviet
        .edit_customer(id, |c| c.contact_number = Some(blank));
    retry(&shop).await;
    assert_eq!(shop.outcomes().await[0], "dead too_many_numbers");
    assert_eq!(shop.in_getfly(), (0, 0));
    shop.kiotviet
        .edit_customer(id, |c| c.contact_number = Some(all[..100].join(", ")));
    retry(&shop).await;
    assert_eq!(shop.outcomes().await[0], "created customer_created");
    assert_eq!(shop.audit().await, [""; 0]);
}

async fn retry(shop: &TestShop) {
    let answer = shop.app.retry(1);
    assert_eq!(answer.await.0, 200);
    shop.settle().await;
}
