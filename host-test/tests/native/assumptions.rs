//! Claims: the API, the page and the metrics show what traffic showed of each assumption. Vendors
//! that match the assumptions contradict none; for each that traffic can contradict, vendors that
//! differ contradict it. An export holds no personal data, and what is known costs no further
//! write. How: one day's work with vendors that differ in one thing.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, hoa, sale},
    visitor::Visitor,
};
use jiff::SignedDuration;
use plugin::assumption::Assumption;
use serde_json::Value;
use sim::{
    Fault, FaultRule, Habit, Personality, When,
    getfly::{Account, Created, GetflySettings, Sums},
    kiotviet::{Casing, ChangedSince, Line, NewCustomer, NewInvoice, Settings, Signature, Times},
};
use std::{collections::BTreeSet, time::Duration};

/// How the vendors, or the day, differ from the assumptions.
#[derive(Clone, Copy)]
enum Otherwise {
    Not,
    Vendors(&'static [Habit]),
    KiotViet(fn(&mut Settings)),
    Getfly(fn(&mut GetflySettings)),
    Sold(fn(&mut NewInvoice)),
    Lives(&'static str),
    Late,
    Restaurant(fn(&mut Settings)),
}

use Otherwise::{Getfly, KiotViet, Late, Lives, Not, Restaurant, Sold, Vendors};

/// The differences that contradict each assumption.
const AGAINST: &[(Assumption, Otherwise)] = &[
    (
        Assumption::CustomerSignature,
        KiotViet(|s| s.signature = Signature::Sha256BareHex),
    ),
    (
        Assumption::InvoiceSignature,
        KiotViet(|s| s.signature = Signature::Missing),
    ),
    (
        Assumption::CustomerCasing,
        KiotViet(|s| s.customer_casing = Casing::Camel),
    ),
    (Assumption::InvoiceCasing, Vendors(&[Habit::PascalInvoices])),
    (
        Assumption::KiotVietTimes,
        Vendors(&[Habit::TimesWithOffset]),
    ),
    (
        Assumption::KiotVietTimes,
        KiotViet(|s| s.times = Times::Utc),
    ),
    (
        Assumption::CreatedDate,
        KiotViet(|s| s.no_created_date = true),
    ),
    (Assumption::EditCode, Vendors(&[Habit::OwnCodes])),
    (
        Assumption::InvoiceTotal,
        Sold(|sale| sale.total = Some(1_000.into())),
    ),
    (
        Assumption::LineDiscount,
        Sold(|sale| {
            for line in &mut sale.lines {
                let discount = line.discount.unwrap_or_default();
                line.sub_total = Some(line.quantity * line.price - discount);
            }
        }),
    ),
    (Assumption::LocationName, Lives("Hà Nội, Quận Hai Bà Trưng")),
    (
        Assumption::WebhooksSideBySide,
        Vendors(&[Habit::OneWebhookAType]),
    ),
    (Assumption::GoneRecord, Vendors(&[Habit::MissingIs420])),
    (Assumption::DeliveredSoon, Late),
    (Assumption::PhonesWhole, Vendors(&[Habit::MaskedPhones])),
    (Assumption::KiotVietUsers, Vendors(&[Habit::SellersRefused])),
    (Assumption::TokenLife, Vendors(&[Habit::TokensOfTenMinutes])),
    (Assumption::KiotVietPages, Vendors(&[Habit::PagesOfTwo])),
    (Assumption::ApiVersion, Vendors(&[Habit::OldVersionAtFirst])),
    (Assumption::GetflyUsers, Vendors(&[Habit::UsersRefused])),
    (
        Assumption::SearchByText,
        Getfly(|s| s.filters_ignored = true),
    ),
    (
        Assumption::PhoneStored,
        Vendors(&[Habit::PhonesInternational]),
    ),
    (Assumption::AccountAnswer, Vendors(&[Habit::CreatedIdOnly])),
    (
        Assumption::OrderAnswer,
        Vendors(&[Habit::CreatedMessageOnly]),
    ),
    (
        Assumption::ListedByCreation,
        Getfly(|s| {
            s.created = Created::IdOnly;
            s.numbers_itself = true;
            s.finds_by_id = false;
        }),
    ),
    (
        Assumption::ChangesListed,
        Vendors(&[Habit::ChangesUnfiltered]),
    ),
    (
        Assumption::ContactNumbers,
        Getfly(|s| {
            s.duplicates_by_digits = true;
            s.searches_contacts = false;
        }),
    ),
    (Assumption::AccountsSorted, Vendors(&[Habit::ListsUnsorted])),
    (Assumption::CodeKept, Vendors(&[Habit::NumbersItself])),
    (
        Assumption::DuplicateWords,
        Vendors(&[Habit::EnglishRefusals, Habit::DigitsUnique]),
    ),
    (
        Assumption::RefusalStatus,
        Vendors(&[Habit::RefusalsIn200, Habit::DetailsRefused]),
    ),
    (
        Assumption::RefusalForm,
        Vendors(&[Habit::SentenceRefusals, Habit::DetailsRefused]),
    ),
    (Assumption::Gender, Vendors(&[Habit::DetailsRefused])),
    (Assumption::Details, Vendors(&[Habit::DetailsRefused])),
    (
        Assumption::OrderWithoutAccount,
        Vendors(&[Habit::OrdersMakeAccounts]),
    ),
    (
        Assumption::OrderWithoutAccount,
        Vendors(&[Habit::OrdersNeedAccounts]),
    ),
    (
        Assumption::OrderWithoutAccount,
        Vendors(&[Habit::OrdersTakeAnAccount]),
    ),
    (Assumption::Products, Vendors(&[Habit::ProductsMustExist])),
    (Assumption::LineByName, Vendors(&[Habit::LinesNeedProducts])),
    (Assumption::GetflyRate, Vendors(&[Habit::OneRequestASecond])),
    (Assumption::GetflyPages, Vendors(&[Habit::PagesOfOne])),
    (Assumption::GetflyTimes, Vendors(&[Habit::TimesInSeconds])),
    (Assumption::OrderTotal, Vendors(&[Habit::LinesRounded])),
    (
        Assumption::StoredInTime,
        Getfly(|s| s.create_latency = Duration::from_secs(40)),
    ),
    (
        Assumption::OrdersCounted,
        Getfly(|s| {
            s.order_creates_account = true;
            s.counts_orders = false;
        }),
    ),
    (
        Assumption::ListedChanges,
        KiotViet(|s| s.fnb.changed_since = ChangedSince::Ignored),
    ),
    (
        Assumption::ReadsSeeWrites,
        Getfly(|s| s.shown_after = Duration::from_secs(20)),
    ),
    (
        Assumption::FnbChanges,
        Restaurant(|s| s.fnb.changed_since = ChangedSince::Refused),
    ),
];

/// The assumptions that traffic can only confirm.
const ONLY_CONFIRMED: [Assumption; 4] = [
    Assumption::FoundByCode,
    Assumption::DeletedMark,
    Assumption::AccountCodeUnique,
    Assumption::UnknownAccount,
];

#[test]
fn the_document_tells_which_ones_traffic_does_not_show_and_which_it_only_confirms() {
    let path = xtask::workspace_root().join("docs/assumptions.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let from = text.find("*Traffic does not show it*").expect("the words");
    let (said, _) = text[from..].split_once("| Id |").expect("the table");
    let named = |one: &&Assumption| said.contains(&format!("`{}`", one.id()));
    let named: Vec<_> = Assumption::ALL.iter().filter(named).collect();
    let not_against = |one: &&Assumption| !one.is_shown() || ONLY_CONFIRMED.contains(one);
    let expected: Vec<_> = Assumption::ALL.iter().filter(not_against).collect();
    assert_eq!(named, expected);
}

/// A day's work that touches as many assumptions as it can.
async fn day(otherwise: Otherwise) -> TestShop {
    let shop = match otherwise {
        Restaurant(change) => {
            let (shop, _) = TestShop::of_settings(Settings::fnb(), []);
            shop.kiotviet.update_settings(change);
            shop.connect_with(On::Both).await;
            shop
        }
        _ => TestShop::connected(On::Both).await,
    };
    shop.pass(1200).await;
    // A sale of the day before, which no list of what changed since may hold.
    shop.kiotviet.create_invoice(NewInvoice {
        created_at: Some(shop.clock.now() - SignedDuration::from_hours(30)),
        ..sale(None)
    });
    shop.kiotviet.take_deliveries();
    let old = |code: &str, phone: &str| Account {
        account_code: code.to_owned(),
        account_name: "Khách cũ".to_owned(),
        phone_office: phone.to_owned(),
        ..Account::default()
    };
    shop.getfly.seed_account(old("KH1", "0933000111"));
    shop.getfly.seed_account(old("KH2", "0933000111"));
    let (mut kiotviet, mut getfly) = (shop.kiotviet.settings(), shop.getfly.settings());
    match otherwise {
        Vendors(habits) => {
            let personality = Personality::of(habits.iter().copied());
            personality.set(&mut getfly, &mut kiotviet);
        }
        KiotViet(change) => change(&mut kiotviet),
        Getfly(change) => change(&mut getfly),
        Not | Sold(_) | Lives(_) | Late | Restaurant(_) => {}
    }
    shop.kiotviet.update_settings(|s| *s = kiotviet);
    shop.getfly.update_settings(|s| *s = getfly);
    // The connection's own token was fetched outside of the events.
    shop.kiotviet.revoke_tokens();
    let lives = match otherwise {
        Lives(place) => place,
        _ => "Hà Nội - Quận Hai Bà Trưng",
    };
    let hoa = shop.kiotviet.create_customer(NewCustomer {
        gender: Some(false),
        birth_date: Some(jiff::civil::date(1990, 5, 20)),
        location_name: Some(lives.to_owned()),
        ..hoa()
    });
    let line = Line {
        discount: Some(1_000.into()),
        sub_total: Some("148500.6".parse().expect("an amount")),
        ..Line::new(
            "SP9",
            "Vải",
            "1.5".parse().expect("a quantity"),
            "100000.4".parse().expect("a price"),
        )
    };
    let mut sold = NewInvoice {
        lines: vec![line],
        ..sale(Some(hoa))
    };
    if let Sold(change) = otherwise {
        change(&mut sold);
    }
    shop.kiotviet.create_invoice(sold);
    if matches!(otherwise, Late) {
        shop.pass(1200).await;
    }
    work(&shop).await;
    shop.kiotviet
        .create_customer(customer("Chị Hoa (chợ)", "+84 912 345 678"));
    shop.kiotviet
        .create_customer(customer("Anh Năm", "0933 000 111"));
    // Too late for the index of accounts.
    shop.getfly.seed_account(old("KH3", "0944.555.666"));
    shop.kiotviet
        .create_customer(customer("Chị Sáu", "0944 555 666"));
    work(&shop).await;
    shop.kiotviet.create_invoice(sale(None));
    let gone = shop
        .kiotviet
        .create_customer(customer("Khách xóa", "0955111222"));
    shop.kiotviet.delete_customer(gone);
    work(&shop).await;
    shop.kiotviet.switch_off_webhooks();
    shop.heal().await;
    shop
}

async fn work(shop: &TestShop) {
    for _ in 0..8 {
        shop.deliver().await;
        shop.pass(400).await;
        shop.drain().await;
    }
}

async fn rows(shop: &TestShop) -> Vec<Value> {
    let (status, table) = shop.app.assumptions().await;
    assert_eq!(status, 200);
    table["assumptions"].as_array().expect("rows").clone()
}

async fn ids(shop: &TestShop, state: &str) -> BTreeSet<String> {
    let rows = rows(shop).await.into_iter();
    let of_state = rows.filter(|row| row["state"] == state);
    of_state
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn vendors_that_are_as_assumed_contradict_nothing_and_confirm_most() {
    let shop = day(Not).await;
    assert_eq!(ids(&shop, "contradicted").await, BTreeSet::new());
    let confirmed = ids(&shop, "confirmed").await;
    assert!(confirmed.len() >= 25, "{} {confirmed:?}", confirmed.len());
}

#[tokio::test(start_paused = true)]
async fn an_edit_shows_that_invoices_are_found_by_their_code() {
    let shop = TestShop::connected(On::Orders).await;
    let sold = shop.kiotviet.create_invoice(sale(None));
    work(&shop).await;
    assert!(!ids(&shop, "confirmed").await.contains("found_by_code"));
    shop.kiotviet.edit_invoice(sold, |_| {});
    work(&shop).await;
    assert!(ids(&shop, "confirmed").await.contains("found_by_code"));
}

#[tokio::test(start_paused = true)]
async fn each_assumption_is_contradicted_by_vendors_that_are_otherwise() {
    let mut wrong = Vec::new();
    for (assumption, otherwise) in AGAINST {
        let shop = day(*otherwise).await;
        let against = ids(&shop, "contradicted").await;
        if !against.contains(assumption.id()) {
            wrong.push(format!(
                "{assumption:?}: {against:?} {:?}",
                shop.outcomes().await
            ));
        }
    }
    assert_eq!(wrong, [""; 0]);
    for assumption in Assumption::ALL {
        let against = AGAINST.iter().any(|(one, _)| one == assumption);
        let cannot = !assumption.is_shown() || ONLY_CONFIRMED.contains(assumption);
        assert!(against != cannot, "{assumption:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_is_told_on_the_page_and_in_the_metrics_and_the_export_holds_no_persons_data()
 {
    let shop = day(Vendors(&[Habit::DetailsRefused])).await;
    let against = ids(&shop, "contradicted").await;
    assert!(against.contains("gender") && against.contains("details"));
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["contradicted"], against.len());
    let (_, table) = shop.app.assumptions().await;
    let export = table.to_string();
    for person in ["Hoa", "912", "hoa@", "Năm", "0933", "cuahangthu"] {
        assert!(!export.contains(person), "{person}");
    }
    let mut visitor = Visitor::inside(&shop.app).await;
    let overview = visitor.get("/").await.html;
    assert!(overview.contains("giả định không đúng ở đây"), "{overview}");
    let page = visitor.get("/ui/assumptions?lang=en").await.html;
    for words in [
        "Version 6.1 takes the gender of a new account",
        "Contradicted",
        "Traffic does not show it",
        "&quot;id&quot;:&quot;gender&quot;",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let mut stranger = Visitor::new(&shop.app);
    assert_eq!(stranger.get("/ui/assumptions").await.status, 303);
    let gender = rows(&shop)
        .await
        .into_iter()
        .find(|row| row["id"] == "gender");
    let gender = gender.expect("a row");
    assert_eq!(gender["contradicted"]["times"], 1);
    assert!(gender["contradicted"]["since"].is_string() && gender["confirmed"]["since"].is_null());
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_an_assumption_costs_no_further_write() {
    let shop = day(Not).await;
    let again = async |n: u32| {
        let id = shop.kiotviet.create_customer(NewCustomer {
            gender: Some(true),
            ..customer("Khách", &format!("09660001{n:02}"))
        });
        shop.kiotviet.create_invoice(sale(Some(id)));
        work(&shop).await;
        let stored = shop.app.take_stored().into_iter();
        stored
            .filter(|s| s.is_write() && s.key == "kvgf/assumptions")
            .count()
    };
    again(1).await;
    let times = |rows: Vec<Value>| -> u64 {
        let times = rows.iter().map(|row| row["confirmed"]["times"].as_u64());
        times.flatten().sum()
    };
    let before = times(rows(&shop).await);
    assert_eq!(again(2).await, 0);
    assert!(times(rows(&shop).await) > before + 5);
}

#[tokio::test(start_paused = true)]
async fn the_first_twenty_orders_are_read_back_in_idle_time_and_then_one_in_a_hundred() {
    let shop = TestShop::connected(On::Orders).await;
    let read = || {
        let calls = shop.app.take_calls().into_iter();
        calls
            .filter(|call| call.endpoint == "Getfly GET /sale_order")
            .count()
    };
    // Another rule (R5) reads what Getfly makes of a walk-in's.
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    read();
    let mut back = Vec::new();
    for order in 2..=205 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        assert_eq!(read(), 0, "no sale waits for it");
        if order == 2 {
            // A drain does not read what has just been made either.
            shop.drain().await;
            assert_eq!(read(), 0);
            shop.pass(700).await;
            shop.drain().await;
            assert_eq!(read(), 2);
        }
        shop.pass(700).await;
        shop.drain().await;
        if read() > 0 {
            back.push(order);
        }
    }
    let expected: Vec<u32> = (3..=20).chain([100, 200]).collect();
    assert_eq!(back, expected);
    let rows = rows(&shop).await;
    let total = rows.iter().find(|row| row["id"] == "order_total");
    assert_eq!(total.expect("a row")["confirmed"]["times"], 22);
}

#[tokio::test(start_paused = true)]
async fn another_total_is_a_note_on_the_event_and_a_getfly_that_fails_is_asked_again() {
    let shop = TestShop::connected(On::Orders).await;
    shop.getfly
        .update_settings(|s| s.sums = Sums::WholeQuantities);
    let mut sold = sale(None);
    sold.lines = vec![Line::new(
        "SP1",
        "Vải",
        "1.5".parse().expect("a quantity"),
        100_000.into(),
    )];
    shop.kiotviet.create_invoice(sold);
    shop.deliver().await;
    shop.pass(700).await;
    shop.getfly_faults.add(
        FaultRule::new(Fault::Status(503, None))
            .on(http::Method::GET, "/api/v6.1/sale_order")
            .when(When::First(1)),
    );
    shop.drain().await;
    let notes = async || shop.events().await[0]["notes"].to_string();
    assert!(!notes().await.contains("Getfly's total"));
    shop.drain().await;
    let told = notes().await;
    assert!(
        told.contains("R3: Getfly's total of this order is 100000, and 150000 was sent"),
        "{told}"
    );
}
