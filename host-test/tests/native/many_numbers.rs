//! Claims R7 for a field that holds many numbers or addresses: each of them is searched for, however
//! many there are, so an account that has any of them is linked; the ceiling is kept and no second
//! worker comes in meanwhile; and where there are too many, nothing is created behind anybody's back.

use host_test::scene::{On, Scene, customer, hoa};
use serde_json::Value;
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
    let scene = Scene::connected(On::Customers).await;
    scene.getfly.seed_account(existing);
    scene.kiotviet.create_customer(new);
    scene.deliver().await;
    scene.outcomes().await
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
    let scene = Scene::connected(On::Customers).await;
    // The slowest there is, so that the searches take fifteen slots of the lease.
    scene.app.set_variable("getfly_requests_per_second", "0.2");
    let new = customer("Chị Hoa", &many(90));
    scene.kiotviet.create_customer(new);
    let second = scene.app.another(3);
    let (_, ()) = tokio::join!(scene.deliver(), async {
        for _ in 0..6 {
            scene.pass(1).await;
            let (_, drained) = second.api("POST", "drain", &Value::Null).await;
            assert_eq!(drained["busy"], true);
        }
    });
    scene.settle().await;
    assert_eq!(scene.outcomes().await, ["created customer_created"]);
    let at: Vec<_> = scene.getfly.calls().iter().map(|c| c.at).collect();
    assert_eq!(at.len(), 91, "each number is searched for once");
    for pair in at.windows(2) {
        let apart = pair[1].duration_since(pair[0]).as_millis();
        assert!(apart >= 5000, "{apart} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_to_search_for_is_a_dead_letter_until_some_are_taken_away() {
    let scene = Scene::connected(On::Customers).await;
    let all: Vec<String> = (100..201).map(|n| format!("0912345{n}")).collect();
    let id = scene
        .kiotviet
        .create_customer(customer("Chị Hoa", &all.join(", ")));
    scene.deliver().await;
    assert_eq!(scene.outcomes().await, ["dead too_many_numbers"]);
    let blank = format!("0912345678{:2000}0987654312", ",");
    scene
        .kiotviet
        .edit_customer(id, |c| c.contact_number = Some(blank));
    retry(&scene).await;
    assert_eq!(scene.outcomes().await[0], "dead too_many_numbers");
    assert_eq!(scene.in_getfly(), (0, 0));
    scene
        .kiotviet
        .edit_customer(id, |c| c.contact_number = Some(all[..100].join(", ")));
    retry(&scene).await;
    assert_eq!(scene.outcomes().await[0], "created customer_created");
    assert_eq!(scene.audit().await, [""; 0]);
}

async fn retry(scene: &Scene) {
    let answer = scene.app.api("POST", "events/1/retry", &Value::Null);
    assert_eq!(answer.await.0, 200);
    scene.settle().await;
}
