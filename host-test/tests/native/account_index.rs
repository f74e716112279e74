//! Claims: R7 finds an account however its phone or e-mail is stored, a contact person's too, by an index that a scan
//! fills in idle time; what the index has is read before it is believed; an ordinary event costs no further call; a scan
//! delays no sale, ends, goes on after a crash and keeps up with what is changed; a lost index is filled anew; and a
//! hundred thousand accounts fit. How: accounts are seeded as people type them, and lists shift, lie or come unsorted.

use bytes::Bytes;
use host::keyvalue::{Backend as _, Embedded};
use host_test::{
    admin::{self, Admin, Carrier as _},
    host_fault::HostFault,
    native::Native,
    shop::{AFTER_THE_LEASE, On, TestShop, customer, hoa, sale},
    variables::PUBLIC,
};
use plugin::{
    journal::{account_index::Gathered, keys},
    rules::{codes::AccountCode, model},
    seal::Sealer,
};
use serde_json::Value;
use sim::{getfly::Account, kiotviet::NewCustomer};
use std::{sync::Arc, time::Duration};

/// The number and the address of every customer here.
const PHONE: &str = "0912345678";
const EMAIL: &str = "an.nguyen@example.vn";

fn endpoints(shop: &TestShop) -> Vec<&'static str> {
    let calls = shop.app.take_calls().into_iter();
    calls.map(|call| call.endpoint).collect()
}

fn stored(phone: &str) -> Account {
    Account {
        phone_office: phone.to_owned(),
        ..Account::default()
    }
}

fn contact(text: &str) -> Account {
    Account {
        contacts: vec![text.to_owned()],
        ..stored("028 3812 3456")
    }
}

fn created(account: Account, at: &str) -> Account {
    Account {
        created_at: Some(at.parse().expect("a time")),
        ..account
    }
}

/// Many accounts of other people, in the form that no search finds.
fn crowd(shop: &TestShop, count: usize) {
    for n in 0..count {
        let phone = format!(
            "03{:02} {:03} {:03}",
            n / 1_000_000 % 100,
            n / 1000 % 1000,
            n % 1000
        );
        shop.getfly.seed_account(stored(&phone));
    }
}

async fn with(accounts: impl IntoIterator<Item = Account>) -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    for account in accounts {
        shop.getfly.seed_account(account);
    }
    shop
}

/// What becomes of a customer with that phone and e-mail: outcome, account.
async fn becomes(shop: &TestShop) -> (String, String) {
    let an = NewCustomer {
        email: Some(EMAIL.to_owned()),
        ..customer("Anh An", PHONE)
    };
    shop.kiotviet.create_customer(an);
    shop.deliver().await;
    let event = shop.events().await.pop().expect("an event");
    let text = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
    (text("reason"), text("account_code"))
}

async fn metrics(shop: &TestShop) -> String {
    let mut request = admin::request(shop.app.token(), "GET", "", Bytes::new());
    *request.uri_mut() = format!("{PUBLIC}/metrics").parse().expect("an address");
    let answer = shop.app.request(request).await;
    String::from_utf8(answer.body).expect("text")
}

async fn known(shop: &TestShop) -> Value {
    let overview = shop.app.overview().await.1;
    overview["accounts"].clone()
}

#[tokio::test(start_paused = true)]
async fn r7_an_account_is_found_in_each_form_in_which_people_store_a_phone() {
    let email = |email: &str| Account {
        email: email.to_owned(),
        ..Account::default()
    };
    let forms = [
        (stored("0912.345.678"), "linked_by_phone"),
        (stored("0912 345 678"), "linked_by_phone"),
        (stored("+84 912 345 678"), "linked_by_phone"),
        (stored("84-912-345-678"), "linked_by_phone"),
        (stored("(0912) 345.678"), "linked_by_phone"),
        (stored("091 2345 678"), "linked_by_phone"),
        (stored("0084 912.345.678"), "linked_by_phone"),
        (stored("０９１２ ３４５ ６７８"), "linked_by_phone"),
        (
            stored("0987 654 312 / 0912 345 678 (chị Hoa)"),
            "linked_by_phone",
        ),
        (contact("0912 345 678"), "linked_by_phone"),
        (contact("+84912345678"), "linked_by_phone"),
        (contact("An.Nguyen@Example.vn"), "linked_by_email"),
        (email("<An.Nguyen@Example.vn>"), "linked_by_email"),
    ];
    for (account, reason) in forms {
        let form = format!(
            "{} {} {:?}",
            account.phone_office, account.email, account.contacts
        );
        let shop = with([account]).await;
        shop.drain().await;
        let code = shop.getfly.accounts()[0].account_code.clone();
        assert_eq!(becomes(&shop).await, (reason.to_owned(), code), "{form}");
        assert_eq!(shop.in_getfly().0, 1, "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_index_such_an_account_is_not_found() {
    let shop = with([stored("0912 345 678")]).await;
    assert_eq!(becomes(&shop).await.0, "customer_created");
}

#[tokio::test(start_paused = true)]
async fn r7_of_several_the_one_created_first_is_linked_and_an_e_mail_decides_before_a_phone() {
    let (old, new) = ("2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z");
    let shop = with([
        created(stored("0912.345.678"), new),
        created(stored("0912 345 678"), old),
        created(contact("0912 345 678"), "2023-01-01T00:00:00Z"),
    ])
    .await;
    shop.drain().await;
    let code = shop.getfly.accounts()[1].account_code.clone();
    shop.app.take_calls();
    assert_eq!(becomes(&shop).await, ("linked_by_phone".to_owned(), code));
    let read = endpoints(&shop);
    let read = read.iter().filter(|e| **e == "Getfly GET /account");
    assert_eq!(
        read.count(),
        1,
        "the others were created later, or have it on a contact"
    );

    // The phone's account was found by its e-mail's mark; the e-mail is another's since.
    let both = Account {
        email: format!("<{}>", EMAIL.to_uppercase()),
        ..created(stored("0911 000 001"), new)
    };
    let shop = with([created(stored("0912 345 678"), old), both]).await;
    shop.drain().await;
    let code = shop.getfly.accounts()[1].account_code.clone();
    assert_eq!(becomes(&shop).await, ("linked_by_email".to_owned(), code));
}

#[tokio::test(start_paused = true)]
async fn r7_nobody_is_linked_where_contact_persons_of_two_accounts_could_be_meant() {
    for pair in [
        [contact("0912 345 678"), contact("0912.345.678")],
        [contact("0912 345 678"), contact(EMAIL)],
    ] {
        let shop = with(pair).await;
        shop.drain().await;
        assert_eq!(becomes(&shop).await.0, "customer_created");
        let notes = shop.events().await.pop().expect("an event")["notes"].to_string();
        assert!(
            notes.contains("contact persons of several accounts"),
            "{notes}"
        );
    }
    // Nor where there are too many to read.
    let shop = with((0..30).map(|_| contact("0912 345 678"))).await;
    shop.drain().await;
    shop.app.take_calls();
    assert_eq!(becomes(&shop).await.0, "customer_created");
    let calls = endpoints(&shop).len();
    assert!(calls <= 4 + 20 + 1, "{calls}");
}

#[tokio::test(start_paused = true)]
async fn what_the_index_has_is_read_before_it_is_believed() {
    let shop = with([stored("0912 345 678"), stored("0912.345.678")]).await;
    shop.drain().await;
    let ids: Vec<i64> = shop.getfly.accounts().iter().map(|a| a.id).collect();
    shop.getfly.change_phone(ids[0], "0911 000 001");
    shop.getfly.delete_account(ids[1]);
    assert_eq!(becomes(&shop).await.0, "customer_created");
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_event_costs_no_further_call() {
    let shop = TestShop::connected(On::Both).await;
    crowd(&shop, 300);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.minutes(1).await;
    shop.app.take_calls();
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(endpoints(&shop).len(), 4);
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(endpoints(&shop).len(), 2);
    // Found by a search: the index is not asked.
    shop.getfly.seed_account(stored(PHONE));
    shop.app.take_stored();
    assert_eq!(becomes(&shop).await.0, "linked_by_phone");
    let asked = shop.app.take_stored().into_iter();
    assert_eq!(
        asked.filter(|s| s.key.starts_with(keys::ACCOUNTS)).count(),
        0
    );
    assert_eq!(endpoints(&shop).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn more_than_twenty_thousand_accounts_are_read_over_several_drains_and_the_page_tells_how_far()
 {
    let shop = TestShop::connected(On::Both).await;
    crowd(&shop, 21_000);
    shop.getfly.seed_account(stored("0912 345 678"));
    let began = shop.clock.now();
    shop.app.take_calls();
    shop.drain().await;
    let took = shop.clock.now().duration_since(began).as_secs();
    assert!(
        (25..=35).contains(&took),
        "{took} s: a page a second, at most half a minute"
    );
    let seen = known(&shop).await;
    assert!(seen["scanned"].as_u64() > Some(2_000), "{seen}");
    shop.minutes(10).await;
    let seen = known(&shop).await;
    assert_eq!(
        (&seen["accounts"], &seen["scanned"]),
        (&Value::from(21_001), &Value::Null)
    );
    let pages = endpoints(&shop).len();
    assert!(pages <= 215, "{pages}");
    let code = shop.getfly.accounts()[21_000].account_code.clone();
    assert_eq!(becomes(&shop).await, ("linked_by_phone".to_owned(), code));
    let metrics = metrics(&shop).await;
    assert!(
        metrics.contains("kvgf_getfly_accounts 21001\n"),
        "{metrics}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_scan_delays_no_sale() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    crowd(&shop, 6_000);
    let drain = shop.app.another(3);
    let sales = async {
        let mut waits = Vec::new();
        for n in 0..10 {
            // At another moment between two pages each time.
            tokio::time::sleep(Duration::from_millis(4_030 + 97 * n)).await;
            let before = shop.in_getfly().1;
            let sold = tokio::time::Instant::now();
            shop.kiotviet.create_invoice(sale(Some(id)));
            shop.deliver().await;
            while shop.in_getfly().1 == before {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            waits.push(sold.elapsed());
        }
        let scanning = known(&shop).await;
        (waits, scanning)
    };
    let (_, (waits, scanning)) = tokio::join!(drain.drain(), sales);
    assert!(scanning["scanned"].as_u64().is_some(), "{scanning}");
    let longest = waits.iter().max().expect("ten").as_millis();
    assert!(longest <= 600, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_index_keeps_up_with_what_is_changed_in_getfly() {
    let shop = with([stored("0911 000 001"), stored("0911 000 002")]).await;
    shop.drain().await;
    shop.minutes(20).await;
    shop.app.take_calls();
    let id = shop.getfly.accounts()[0].id;
    shop.getfly.change_phone(id, "0912 345 678");
    shop.minutes(16).await;
    let calls = endpoints(&shop);
    let asked = calls
        .iter()
        .filter(|e| e.starts_with("Getfly GET /accounts?"));
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked, [&"Getfly GET /accounts?updated"]);
    assert_eq!(becomes(&shop).await.0, "linked_by_phone");
    assert!(known(&shop).await["unfiltered_since"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_getfly_that_ignores_the_filter_by_changes_is_told_and_read_whole_once_a_day() {
    let shop = with([stored("0911 000 001"), stored("0911 000 002")]).await;
    shop.getfly.update_settings(|s| s.heeds_updated_at = false);
    shop.drain().await;
    shop.minutes(40).await;
    let seen = known(&shop).await;
    assert!(!seen["unfiltered_since"].is_null(), "{seen}");
    let told = shop.app.log().join("\n");
    assert!(
        told.contains("does not filter accounts by updated_at"),
        "{told}"
    );
    shop.app.take_calls();
    let id = shop.getfly.accounts()[0].id;
    shop.getfly.change_phone(id, "0912 345 678");
    shop.minutes(60).await;
    let lists = |e: &&str| e.starts_with("Getfly GET /accounts?");
    assert_eq!(endpoints(&shop).iter().filter(|e| lists(e)).count(), 0);
    for _ in 0..24 {
        shop.pass(3600).await;
        shop.drain().await;
    }
    assert_eq!(becomes(&shop).await.0, "linked_by_phone");
    // It is mended: a week later that is seen.
    shop.getfly.update_settings(|s| s.heeds_updated_at = true);
    for _ in 0..(8 * 24) {
        shop.pass(3600).await;
        shop.drain().await;
    }
    shop.getfly.change_phone(id, "0911 000 009");
    shop.minutes(40).await;
    assert!(known(&shop).await["unfiltered_since"].is_null());
}

#[tokio::test(start_paused = true)]
async fn lists_in_no_certain_order_and_pages_of_one_are_read_too() {
    for (sorted, limit) in [(true, 1), (false, 1), (false, 100), (true, 7)] {
        let shop = with([stored("0912 345 678")]).await;
        crowd(&shop, 250);
        shop.getfly.update_settings(|s| {
            s.heeds_sort = sorted;
            s.max_limit = limit;
        });
        shop.minutes(12).await;
        let seen = known(&shop).await;
        assert_eq!(seen["accounts"], 251, "{sorted} {limit}: {seen}");
        assert_eq!(seen["is_unsorted"], !sorted, "{limit}");
        assert_eq!(
            becomes(&shop).await.0,
            "linked_by_phone",
            "{sorted} {limit}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_that_are_deleted_during_the_scan_hide_no_other() {
    let shop = TestShop::connected(On::Both).await;
    crowd(&shop, 350);
    let hidden = shop.getfly.seed_account(stored("0912 345 678"));
    crowd(&shop, 40);
    let drain = shop.app.another(3);
    let people = async {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let accounts = shop.getfly.accounts();
        for account in accounts.iter().take(250).filter(|a| a.id != hidden) {
            shop.getfly.delete_account(account.id);
        }
    };
    tokio::join!(drain.drain(), people);
    assert_eq!(becomes(&shop).await.0, "linked_by_phone");
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_a_crash_ends_goes_on() {
    let calls = {
        let shop = with([stored("0912 345 678")]).await;
        crowd(&shop, 150);
        shop.app.host_faults.arm(None);
        shop.drain().await;
        shop.app.host_faults.disarm()
    };
    let of_marks = |call: &String| call.contains("kvgf/accounts/");
    let marks: Vec<usize> = (0..calls.len())
        .filter(|at| of_marks(&calls[*at]))
        .collect();
    let of_scan = |call: &String| call.contains("accounts");
    let points = (0..calls.len()).filter(|at| of_scan(&calls[*at]));
    // Every call of the scan, but of its many alike only the first, the last and some between.
    let points = points.filter(|at| {
        !marks.contains(at)
            || marks
                .iter()
                .position(|m| m == at)
                .is_some_and(|n| n % 70 == 0)
    });
    let mut tried = 0;
    for at in points {
        for fault in HostFault::ALL {
            let shop = with([stored("0912 345 678")]).await;
            crowd(&shop, 150);
            // Long before the scan: that they were changed tells nothing.
            shop.pass(3600).await;
            let app = shop.app.another(31);
            app.host_faults.arm(Some((at + 1, fault)));
            app.host_faults.live(app.drain()).await;
            shop.pass(AFTER_THE_LEASE).await;
            shop.minutes(17).await;
            let became = becomes(&shop).await.0;
            assert_eq!(became, "linked_by_phone", "{fault:?} at {}", calls[at]);
            tried += 1;
        }
    }
    assert!(tried >= 24, "{tried}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_or_damaged_index_is_filled_anew_and_one_of_another_key_is_not_used() {
    let shop = with([stored("0912 345 678")]).await;
    shop.drain().await;
    for key in shop.app.store.list_keys().await.expect("keys") {
        if key.starts_with(keys::ACCOUNTS) {
            shop.app.store.delete(&key).await.expect("it is removed");
        }
    }
    shop.minutes(16).await;
    assert_eq!(becomes(&shop).await.0, "linked_by_phone");

    let shop = with([stored("0912 345 678")]).await;
    shop.drain().await;
    shop.app
        .store
        .set(keys::ACCOUNTS, b"{".to_vec())
        .await
        .expect("it is written");
    let damaged = b"\xff\n\nAbC".to_vec();
    for shard in 0..128 {
        let key = keys::account_marks(shard);
        shop.app
            .store
            .set(&key, damaged.clone())
            .await
            .expect("it is written");
    }
    shop.minutes(16).await;
    assert_eq!(becomes(&shop).await.0, "linked_by_phone");

    let shop = with([stored("0912 345 678")]).await;
    shop.drain().await;
    let before = shop.app.store.list_keys().await.expect("keys");
    let key = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    shop.app.set_variable("master_key", key);
    shop.minutes(16).await;
    let after = shop.app.store.list_keys().await.expect("keys");
    let marks = |keys: &[String]| {
        let marks = keys.iter().filter(|key| key.starts_with("kvgf/accounts/"));
        marks.cloned().collect::<Vec<_>>()
    };
    assert_eq!(marks(&after).len(), 1);
    assert_ne!(marks(&before), marks(&after));
}

#[tokio::test(start_paused = true)]
async fn a_getfly_that_refuses_its_list_of_accounts_delays_nothing_and_is_told() {
    let shop = TestShop::connected(On::Both).await;
    let refused = sim::FaultRule::new(sim::Fault::Status(429, None))
        .on(http::Method::GET, "/api/v6.1/accounts");
    // A call that is answered 429 is made once more.
    shop.getfly_faults.add(refused.when(sim::When::First(2)));
    shop.app.take_calls();
    shop.minutes(10).await;
    assert_eq!(endpoints(&shop).len(), 2);
    assert!(known(&shop).await["problem"].to_string().contains("429"));
    shop.minutes(10).await;
    assert!(known(&shop).await["problem"].is_null());
}

/// Counts a store's bytes of a hundred thousand accounts with a phone and an e-mail each, kept as a scan keeps them.
#[tokio::test]
async fn a_hundred_thousand_accounts_fit_within_sixty_megabytes_of_the_embedded_store() {
    const ACCOUNTS: i64 = 100_000;
    const AT_ONCE: i64 = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(Embedded::open(folder.path()).expect("a store"));
    let shop = TestShop::unconnected();
    let app: Native = shop.app.another(1).over(store.clone());
    let sealer = Sealer::from_base64(
        &"AQEB"
            .repeat(10)
            .chars()
            .chain("AQE=".chars())
            .collect::<String>(),
    );
    let sealer = sealer.expect("a key");
    for batch in 0..ACCOUNTS / AT_ONCE {
        let mut gathered = Gathered::default();
        for id in batch * AT_ONCE..(batch + 1) * AT_ONCE {
            gathered.add(
                &sealer,
                &model::Account {
                    id,
                    code: AccountCode::existing(format!("KV-cuahangthu-{}", 20_000_000 + id)),
                    name: String::new(),
                    phone: format!(
                        "09{:02} {:03} {:03}",
                        id / 1_000_000,
                        id / 1000 % 1000,
                        id % 1000
                    ),
                    email: format!("khach{id}@example.vn"),
                    created_at: "2024-05-01 08:00:00".parse().ok(),
                    contacts: Vec::new(),
                    contact_emails: Vec::new(),
                },
            );
        }
        assert!(gathered.keep(&app).await.expect("it is kept"));
    }
    let (mut largest, mut all) = (0, 0);
    for shard in 0..128 {
        let value = store
            .get(&keys::account_marks(shard))
            .await
            .expect("it is read");
        let len = value.map_or(0, |value| value.len());
        (largest, all) = (largest.max(len), all + len);
    }
    drop((app, store));
    let files = std::fs::read_dir(folder.path()).expect("a folder");
    let sizes = files.map(|file| file.expect("a file").metadata().expect("its size").len());
    let on_disk: u64 = sizes.sum();
    println!("marks {all} B, largest value {largest} B, files {on_disk} B");
    assert!(on_disk <= 60_000_000, "{on_disk} B");
    assert!(largest <= 120_000, "{largest} B");
    // What the file takes is not mostly air.
    assert!(
        on_disk <= 6 * u64::try_from(all).expect("it fits"),
        "{on_disk} B for {all} B"
    );
}
