//! Claims: before the first sale the preflight names what the first sales then show, for each
//! personality of the vendors that matters to them; it is green if all is well; it makes at most
//! eighty calls, writes nothing at a vendor, keeps Getfly's rate limit, and goes on from request to
//! request; and it says which questions a side did not answer. How: a shop that has sold before its
//! connection, with vendors of one trait each.

use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, customer, hoa, sale},
    visitor::Visitor,
};
use serde_json::Value;
use sim::{
    Fault, FaultRule, Habit,
    getfly::{Account, Demanded, GetflySettings, User},
    kiotviet::{Line, NewInvoice, Staff},
};
use std::{sync::Arc, time::Duration};

/// The effect of a personality: what the preflight says beforehand, and what the sale shows
/// afterwards.
struct Row {
    vendors: Vendors,
    finding: &'static str,
    /// A part of the events' outcomes or notes.
    outcome: &'static str,
    /// The same in the words of the document.
    then: &'static str,
}

/// How the vendors are.
#[derive(Clone, Copy)]
enum Vendors {
    Of(Habit),
    /// In a way that no personality has, in words.
    Getfly(&'static str, fn(&mut GetflySettings)),
}

use Vendors::{Getfly, Of};

impl Vendors {
    fn words(self) -> &'static str {
        match self {
            Of(habit) => habit.words(),
            Getfly(words, _) => words,
        }
    }
}

const ROWS: &[Row] = &[
    Row {
        vendors: Of(Habit::OldVersionAtFirst),
        finding: "old_getfly",
        outcome: "API v3 only",
        then: "all events wait",
    },
    Row {
        vendors: Of(Habit::UsersRefused),
        finding: "no_right",
        outcome: "give the right to it in Getfly",
        then: "orders without executor, with a note",
    },
    Row {
        vendors: Of(Habit::SellersRefused),
        finding: "no_right",
        outcome: "give the right to it in KiotViet",
        then: "orders without executor, with a note",
    },
    Row {
        vendors: Of(Habit::ProductsMustExist),
        finding: "unknown_products",
        outcome: "its line goes by its name alone",
        then: "the line goes by its name alone, with a note",
    },
    Row {
        vendors: Of(Habit::ProductsHidden),
        finding: "no_right",
        outcome: "dead getfly_refused",
        then: "a dead letter",
    },
    Row {
        vendors: Of(Habit::LinesNeedProducts),
        finding: "unknown_products",
        outcome: "dead getfly_refused",
        then: "a dead letter",
    },
    Row {
        vendors: Of(Habit::PhonesRequired),
        finding: "required_field",
        outcome: "dead getfly_refused",
        then: "a customer without a phone is a dead letter",
    },
    Row {
        vendors: Of(Habit::EmailsRequired),
        finding: "required_field",
        outcome: "dead getfly_refused",
        then: "a customer without an e-mail is a dead letter",
    },
    Row {
        vendors: Of(Habit::MaskedPhones),
        finding: "masked_phones",
        outcome: "a masked phone number was left out",
        then: "masked numbers are left out, with a note",
    },
    Row {
        vendors: Of(Habit::OwnCodes),
        finding: "own_codes",
        outcome: "created order_created",
        then: "each is compared with the invoice before it; a sale of its own where there is none",
    },
    Row {
        vendors: Of(Habit::ProductsDeleted),
        finding: "deleted_products",
        outcome: "KiotViet has deleted the product SP1",
        then: "their lines go by name, with a note",
    },
    Row {
        vendors: Of(Habit::PhonesSpaced),
        finding: "phones_stored_otherwise",
        outcome: "0966 000 111",
        then: "searches may not find them; the index of accounts does, once it is whole",
    },
    Row {
        vendors: Of(Habit::PhonesDotted),
        finding: "phones_stored_otherwise",
        outcome: "0966.000.111",
        then: "searches may not find them; the index of accounts does, once it is whole",
    },
    Row {
        vendors: Of(Habit::PhonesInternational),
        finding: "phones_stored_otherwise",
        outcome: "+84966000111",
        then: "searches may not find them; the index of accounts does, once it is whole",
    },
    Row {
        vendors: Getfly("Getfly refuses an order without a field of its own", |s| {
            s.required_order_fields = vec!["nguon_don".to_owned()];
        }),
        finding: "required_field",
        outcome: "dead getfly_refused",
        then: "a dead letter",
    },
    Row {
        vendors: Getfly(
            "Getfly refuses an account without a field, by a rule of its definition",
            |s| {
                s.required_fields = vec!["website".to_owned()];
                s.demanded = Demanded::Rule;
            },
        ),
        finding: "required_field",
        outcome: "dead getfly_refused",
        then: "a dead letter",
    },
];

/// Where the table stands in the document.
const DOCUMENT: &str = "docs/first-day.md";
const TABLE: [&str; 2] = ["<!-- table -->\n", "<!-- end of the table -->"];

/// The table of all rows, and of what needs no finding because nothing comes of it.
fn table() -> String {
    let mut lines = vec![
        "| vendors | finding | what then happens |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    lines.extend(ROWS.iter().map(|row| {
        let (vendors, finding, then) = (row.vendors.words(), row.finding, row.then);
        format!("| {vendors} | `{finding}` | {then} |")
    }));
    let named = |habit: &&Habit| {
        !ROWS
            .iter()
            .any(|row| matches!(row.vendors, Of(one) if one == **habit))
    };
    let others = Habit::ALL.iter().filter(named);
    lines.extend(others.map(|habit| format!("| {} | none | no dead letter |", habit.words())));
    lines.push(String::new());
    lines.join("\n")
}

#[test]
fn the_document_has_the_table_that_is_tried_here() {
    let path = xtask::workspace_root().join(DOCUMENT);
    let text = std::fs::read_to_string(&path).expect("the document");
    let (before, rest) = text.split_once(TABLE[0]).expect("the table");
    let (there, after) = rest.split_once(TABLE[1]).expect("its end");
    if std::env::var_os("BLESS").is_some() {
        let whole = [before, TABLE[0], &table(), TABLE[1], after].concat();
        std::fs::write(&path, whole).expect("it is written");
        return;
    }
    let how = "BLESS=1 cargo test -p host-test --test native the_document_has_the_table";
    assert_eq!(there, table(), "{how}");
}

#[tokio::test(start_paused = true)]
async fn vendors_of_the_other_personalities_make_no_dead_letter_of_the_first_sales() {
    let mut wrong = Vec::new();
    for habit in Habit::ALL {
        if ROWS
            .iter()
            .any(|row| matches!(row.vendors, Of(one) if one == *habit))
        {
            continue;
        }
        let shop = shop(&[*habit]).await;
        let told = sold(&shop).await;
        if told.contains("dead ") || told.contains("retrying ") {
            wrong.push(format!("{habit:?}: {told}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// A shop whose sellers are Getfly users, of these habits, that has sold before it is connected.
async fn shop(habits: &[Habit]) -> TestShop {
    let shop = TestShop::unconnected();
    shop.kiotviet
        .change_staff(|staff| staff.retain(|one| one.is_admin));
    shop.kiotviet
        .add_staff(Staff::new(5001, "lan", "Lan", "0918273645"));
    shop.getfly
        .add_user(User::new(7, "lan.nv", "Lan", "0918273645"));
    shop.take_on(habits);
    let phone = shop.getfly.settings().phones;
    let stored = match phone {
        sim::getfly::PhoneForm::AsSent => "0977000111",
        sim::getfly::PhoneForm::Spaced => "0977 000 111",
        sim::getfly::PhoneForm::International => "+84977000111",
        sim::getfly::PhoneForm::Dotted => "0977.000.111",
    };
    shop.getfly.seed_account(Account {
        account_code: "KH-1".to_owned(),
        account_name: "Khách cũ".to_owned(),
        phone_office: stored.to_owned(),
        email: "cu@example.vn".to_owned(),
        ..Account::default()
    });
    for _ in 0..2 {
        let id = shop
            .kiotviet
            .create_customer(customer("Khách quen", "0977000111"));
        shop.kiotviet.create_invoice(of(Some(id)));
    }
    shop.kiotviet.take_deliveries();
    shop.connect_with(On::Both).await;
    shop.app.take_calls();
    shop
}

/// A sale of a product that Getfly has and of one that it may not have.
fn of(customer: Option<i64>) -> NewInvoice {
    NewInvoice {
        lines: vec![
            Line::new("SP1", "Áo", 1.into(), 100_000.into()),
            Line::new("SP9", "Quần", 1.into(), 200_000.into()),
        ],
        ..sale(customer)
    }
}

/// The whole preflight, question after question, and how many requests it took.
async fn whole(shop: &TestShop) -> (Value, usize) {
    for requests in 1..40 {
        let (status, run) = shop.app.preflight(CONNECTION).await;
        assert_eq!(status, 200, "{run}");
        if run["complete"] == true {
            return (run, requests);
        }
    }
    panic!("it does not end");
}

/// The kinds of all findings.
fn findings(run: &Value) -> Vec<String> {
    let checks = run["checks"].as_array().expect("checks").iter();
    let found = checks.flat_map(|check| check["findings"].as_array().expect("findings"));
    let kind = |finding: &Value| match &finding["finding"] {
        Value::String(kind) => kind.clone(),
        other => other
            .as_object()
            .expect("one")
            .keys()
            .next()
            .expect("a kind")
            .clone(),
    };
    found.map(kind).collect()
}

/// A few sales, and every text about them.
async fn sold(shop: &TestShop) -> String {
    for (name, phone) in [("Anh Sáu", "0966000111"), ("Chị Bảy", "0955000222")] {
        let id = shop.kiotviet.create_customer(customer(name, phone));
        shop.kiotviet.create_invoice(of(Some(id)));
    }
    shop.kiotviet.create_invoice(of(None));
    let mut bare = hoa();
    bare.contact_number = None;
    shop.kiotviet.create_customer(bare);
    for _ in 0..6 {
        shop.deliver().await;
        shop.pass(60).await;
        shop.drain().await;
    }
    let mut told = shop.outcomes().await;
    told.extend(
        shop.events()
            .await
            .iter()
            .map(|event| event["notes"].to_string()),
    );
    let accounts = shop.getfly.accounts().into_iter();
    told.extend(accounts.map(|account| account.phone_office));
    told.join("; ")
}

#[tokio::test(start_paused = true)]
async fn it_names_beforehand_what_the_first_sales_then_show() {
    let mut wrong = Vec::new();
    for Row {
        vendors,
        finding,
        outcome,
        ..
    } in ROWS
    {
        let habits: &[Habit] = match vendors {
            Of(habit) => &[*habit],
            Getfly(..) => &[],
        };
        let shop = shop(habits).await;
        if let Getfly(_, change) = vendors {
            shop.getfly.update_settings(change);
        }
        let vendors = vendors.words();
        let (run, _) = whole(&shop).await;
        let found = findings(&run);
        if !found.iter().any(|one| one == finding) {
            wrong.push(format!("{vendors}: {found:?} {run}"));
        }
        let told = sold(&shop).await;
        if !told.contains(outcome) {
            wrong.push(format!("{vendors}: no {outcome}: {told}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn it_is_green_where_all_is_well_and_writes_nothing() {
    let shop = shop(&[]).await;
    let began = tokio::time::Instant::now();
    let (run, _) = whole(&shop).await;
    assert_eq!(findings(&run), [""; 0], "{run}");
    let checks = run["checks"].as_array().expect("checks");
    assert!(
        checks.len() == 10 && checks.iter().all(|check| check["is_well"] == true),
        "{run}"
    );
    let calls = shop.app.take_calls();
    assert_eq!(run["calls"], calls.len());
    assert!(calls.len() <= 30, "{}", calls.len());
    assert!(
        calls.iter().all(|call| call.endpoint.contains(" GET ")),
        "{calls:?}"
    );
    // Two calls a second.
    let to_getfly = calls
        .iter()
        .filter(|call| call.endpoint.starts_with("Getfly"))
        .count();
    let least = Duration::from_millis(500) * u32::try_from(to_getfly).expect("few") / 2;
    assert!(
        began.elapsed() >= least,
        "{to_getfly} in {:?}",
        began.elapsed()
    );
    assert_eq!(
        (shop.getfly.accounts().len(), shop.getfly.orders().len()),
        (1, 0)
    );
    // Known findings are answered again.
    let (again, requests) = whole(&shop).await;
    assert_eq!((&again, requests), (&run, 1));
    assert_eq!(shop.app.take_calls(), []);
}

fn sell_product(shop: &TestShop, code: &str) {
    let lines = vec![Line::new(code, "Hàng", 1.into(), 1_000.into())];
    let sold = NewInvoice {
        lines,
        ..sale(None)
    };
    shop.kiotviet.create_invoice(sold);
}

/// So many products in fifty invoices.
fn sell_products(shop: &TestShop, many: usize) {
    let codes: Vec<String> = (0..many).map(|n| format!("X{n}")).collect();
    for codes in codes.chunks(many.div_ceil(50)) {
        let line = |code: &String| Line::new(code, "Hàng", 1.into(), 1_000.into());
        shop.kiotviet.create_invoice(NewInvoice {
            lines: codes.iter().map(line).collect(),
            ..sale(None)
        });
    }
    shop.kiotviet.take_deliveries();
    shop.app.take_calls();
}

/// What could not be found out.
fn unknown(run: &Value) -> Vec<&str> {
    let checks = run["checks"].as_array().expect("checks").iter();
    checks
        .filter_map(|check| check["unknown"].as_str())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn eighty_calls_are_not_passed_however_many_products_and_pages_there_are() {
    let many = shop(&[]).await;
    sell_products(&many, 60);
    let (run, requests) = whole(&many).await;
    assert!(requests > 2, "{requests}");
    let calls = many.app.take_calls().len();
    assert!(
        calls > 50 && calls <= 80 && run["calls"] == calls,
        "{calls}"
    );
    assert_eq!(findings(&run), [""; 0]);
    assert_eq!(unknown(&run), [""; 0]);

    // What was not looked up is not said to be well. What sells most is looked up first.
    let rich = shop(&[Habit::ProductsMustExist]).await;
    sell_products(&rich, 90);
    for _ in 0..3 {
        sell_product(&rich, "Z1");
    }
    rich.kiotviet.take_deliveries();
    rich.app.take_calls();
    let (run, _) = whole(&rich).await;
    assert!(rich.app.take_calls().len() <= 80);
    assert!(unknown(&run).iter().any(|why| why.contains("80 calls")));
    assert!(run.to_string().contains("Z1"), "{run}");

    let shop = shop(&[Habit::PagesOfOne, Habit::PagesOfTwo]).await;
    for n in 0..100 {
        let user = format!("u{n}");
        shop.getfly
            .add_user(User::new(100 + n, &user, &user, &format!("09180{n:05}")));
    }
    sell_products(&shop, 60);
    let (run, _) = whole(&shop).await;
    let calls = shop.app.take_calls().len();
    assert!(calls <= 80, "{calls}");
    assert_eq!(run["calls"], calls);
    let checks = run["checks"].as_array().expect("checks").iter();
    let mut unknown = checks.filter_map(|check| check["unknown"].as_str());
    assert!(unknown.any(|why| why.contains("80 calls")), "{run}");
}

#[tokio::test(start_paused = true)]
async fn what_a_side_does_not_answer_is_told_and_the_rest_is_found_out() {
    let shop = shop(&[Habit::MaskedPhones]).await;
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    let (run, _) = whole(&shop).await;
    assert_eq!(findings(&run), ["masked_phones"], "{run}");
    let version = &run["checks"][0];
    assert_eq!(
        (&version["check"], &version["is_well"]),
        (&"version".into(), &false.into())
    );
    assert!(
        version["unknown"]
            .as_str()
            .expect("why")
            .contains("busy or down"),
        "{version}"
    );
}

#[tokio::test(start_paused = true)]
async fn traces_of_other_bridges_duplicates_and_strange_sellers_are_named() {
    let shop = shop(&[]).await;
    shop.kiotviet
        .add_staff(Staff::new(5002, "minh", "Minh", "0911222333"));
    for code in ["KH2", "KH3"] {
        shop.getfly.seed_account(Account {
            account_code: code.to_owned(),
            account_name: "Khách".to_owned(),
            phone_office: "0988111222".to_owned(),
            sources: vec!["KiotViet".to_owned()],
            ..Account::default()
        });
    }
    let (run, _) = whole(&shop).await;
    let found = findings(&run);
    for finding in [
        "sellers_without_user",
        "duplicate_accounts",
        "own_integration",
    ] {
        assert!(
            found.iter().any(|one| one == finding),
            "{finding}: {found:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_shows_how_far_it_is_and_says_what_to_do_in_both_languages() {
    let shop = shop(&[Habit::PhonesRequired, Habit::TwoSeconds]).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let place = format!("/ui/shops/{CONNECTION}/preflight");
    let first = visitor.get(&place).await.html;
    assert!(
        first.contains("http-equiv=\"refresh\"") && first.contains("Đã kiểm tra"),
        "{first}"
    );
    let mut page = first;
    for _ in 0..20 {
        page = visitor.get(&place).await.html;
    }
    assert!(!page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(
        page.contains("Getfly bắt buộc khách hàng phải có phone_office"),
        "{page}"
    );
    let english = visitor.get(&format!("{place}?lang=en")).await.html;
    for words in [
        "Getfly demands the field phone_office of an account",
        "What to do",
        "All is well",
    ] {
        assert!(english.contains(words), "{words}: {english}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_bridge_for_the_same_shop_is_named() {
    // Another store; its registrations stay at KiotViet.
    let shop = shop(&[])
        .await
        .over(Arc::new(host::keyvalue::Memory::new()));
    shop.connect_with(On::Both).await;
    let (run, _) = whole(&shop).await;
    assert_eq!(findings(&run), ["other_bridge"], "{run}");
}
