//! Claims the outcome of a sale when a vendor differs from its manual: refused details, lists of
//! users that cannot be read, accounts and products that are gone, codes of Getfly's own, walk-ins,
//! another version or edition, calls that the host denies. How: simulated vendors with one such
//! trait each.

use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{On, TestShop, customer, hoa, sale},
    variables::{GETFLY, KIOTVIET, KIOTVIET_ID, PUBLIC},
};
use http::Method;
use serde_json::Value;
use sim::{
    Fault, FaultRule, When,
    getfly::{Account, Created, PhoneForm, Refusals, User},
    kiotviet::{Line, NewCustomer, Staff},
};
use std::time::Duration;

/// The notes of the last event.
async fn last_notes(shop: &TestShop) -> Vec<String> {
    let events = shop.events().await;
    let last = events.last().expect("an event");
    let notes = last["notes"].as_array().expect("notes").iter();
    notes
        .map(|n| n.as_str().expect("text").to_owned())
        .collect()
}

async fn last(shop: &TestShop) -> Value {
    shop.events().await.pop().expect("an event")
}

fn has(notes: &[String], part: &str) -> bool {
    notes.iter().any(|note| note.contains(part))
}

fn endpoints(shop: &TestShop) -> Vec<&'static str> {
    let calls = shop.app.take_calls().into_iter();
    calls.map(|call| call.endpoint).collect()
}

/// Status and body of the health check.
async fn health(shop: &TestShop) -> (u16, String) {
    let request = http::Request::get(format!("{PUBLIC}/healthz")).body(Bytes::new());
    let answer = shop.app.request(request.expect("a request")).await;
    (answer.status, String::from_utf8(answer.body).expect("text"))
}

fn with_seller(shop: &TestShop) {
    let seller = Staff::new(5001, "lan", "Lan", "0918273645");
    shop.kiotviet.add_staff(seller);
    shop.getfly
        .add_user(User::new(7, "lan.nv", "Lan", "0918273645"));
}

fn account(code: &str, name: &str, phone: &str, email: &str) -> Account {
    Account {
        account_code: code.to_owned(),
        account_name: name.to_owned(),
        phone_office: phone.to_owned(),
        email: email.to_owned(),
        created_at: Some("2024-05-01T02:00:00Z".parse().expect("a time")),
        ..Account::default()
    }
}

#[tokio::test(start_paused = true)]
async fn r13_a_list_of_users_that_is_refused_costs_no_sale() {
    for refused_by in ["Getfly", "KiotViet"] {
        let shop = TestShop::connected(On::Both).await;
        with_seller(&shop);
        match refused_by {
            "Getfly" => shop.getfly.update_settings(|s| s.users_refused = true),
            _ => shop.kiotviet.update_settings(|s| s.users_refused = true),
        }
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        assert_eq!(shop.outcomes().await, ["created order_created"]);
        assert_eq!(shop.getfly.orders()[0].assigned_username, None);
        let notes = last_notes(&shop).await;
        assert!(has(&notes, "R13: no executor"), "{notes:?}");
        assert!(has(&notes, &format!("in {refused_by}")), "{notes:?}");
        // The page says which right is missing, until the list is read again.
        let missing = async || shop.app.overview().await.1["outside"].to_string();
        let told = missing().await;
        assert!(
            told.contains(&format!("{refused_by}'s list of users")),
            "{told}"
        );
        shop.getfly.update_settings(|s| s.users_refused = false);
        shop.kiotviet.update_settings(|s| s.users_refused = false);
        shop.pass(700).await;
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        assert_eq!(missing().await, "[]");
    }
}

#[tokio::test(start_paused = true)]
async fn r13_a_list_of_users_that_fails_is_waited_for_for_five_minutes() {
    for (minutes, executor) in [(2, Some("lan.nv")), (60, None)] {
        let shop = TestShop::connected(On::Both).await;
        with_seller(&shop);
        let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/api/v6.1/users");
        let rule = shop.getfly_faults.add(down);
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        for minute in 0..12 {
            if minute == minutes {
                shop.getfly_faults.remove(rule);
            }
            let before = shop.getfly.orders().len();
            shop.minutes(1).await;
            if executor.is_none() && shop.getfly.orders().len() > before {
                assert!((4..9).contains(&minute), "ordered after {minute} minutes");
            }
        }
        let orders = shop.getfly.orders();
        assert_eq!(orders.len(), 1);
        let notes = last_notes(&shop).await;
        assert_eq!(
            orders[0].assigned_username.as_deref(),
            executor,
            "{notes:?}"
        );
        if executor.is_none() {
            assert!(has(&last_notes(&shop).await, "failed for five minutes"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_detail_that_is_refused_by_its_field_is_left_out_once_each_with_a_note() {
    let shop = TestShop::connected(On::Both).await;
    let fields = [
        "birthday",
        "billing_address_street",
        "phone_office",
        "email",
    ];
    shop.getfly
        .update_settings(|s| s.refused_fields = fields.map(str::to_owned).to_vec());
    shop.kiotviet.create_customer(NewCustomer {
        birth_date: Some("1990-02-28".parse().expect("a date")),
        address: Some("12 Phố Huế".to_owned()),
        comments: Some("Khách quen".to_owned()),
        ..hoa()
    });
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
    let account = shop.getfly.accounts().remove(0);
    assert_eq!(
        (&*account.birthday, &*account.billing_address_street),
        ("", "")
    );
    assert_eq!((&*account.phone_office, &*account.email), ("", ""));
    // Their texts are not lost.
    assert_eq!(
        account.description,
        format!(
            "Khách quen\nĐiện thoại: 0912345678\nE-mail: hoa@example.vn\n{}",
            account.account_code
        )
    );
    let notes = last_notes(&shop).await;
    for detail in ["birthday", "address", "phone", "e-mail"] {
        let note = format!("created without the {detail}: ");
        let told = notes.iter().filter(|n| n.starts_with(&note)).count();
        assert_eq!(told, 1, "{detail}: {notes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tax_code_that_is_checked_for_duplicates_stops_no_customer_and_links_none() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.checked_fields = vec!["sic_code".to_owned()]);
    for (name, phone) in [("Cầu Giấy", "0912345601"), ("Hà Đông", "0912345602")] {
        shop.kiotviet.create_customer(NewCustomer {
            tax_code: Some("0100000107".to_owned()),
            ..customer(name, phone)
        });
    }
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"; 2]);
    let taxes: Vec<_> = shop
        .getfly
        .accounts()
        .into_iter()
        .map(|a| a.sic_code)
        .collect();
    assert_eq!(taxes, ["0100000107", ""]);
    assert!(has(
        &last_notes(&shop).await,
        "created without the tax code"
    ));
}

#[tokio::test(start_paused = true)]
async fn r7_a_placeholder_refused_as_a_duplicate_is_left_out_and_a_real_number_links() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.refuse_duplicate_phone = true);
    for name in ["Anh Một", "Anh Hai"] {
        shop.kiotviet.create_customer(customer(name, "0000000000"));
    }
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"; 2]);
    let phones: Vec<_> = shop
        .getfly
        .accounts()
        .into_iter()
        .map(|a| a.phone_office)
        .collect();
    assert_eq!(phones, ["0000000000", ""]);
    assert!(has(&last_notes(&shop).await, "created without the phone"));
    for name in ["Anh Ba", "Anh Tư"] {
        shop.kiotviet.create_customer(customer(name, "0912345678"));
        shop.deliver().await;
    }
    assert_eq!(shop.getfly.accounts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_inside_a_200_is_a_dead_letter_at_the_first_attempt_in_getflys_words() {
    for form in FORMS_IN_200 {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly.update_settings(|s| {
            s.refusals = form;
            s.refused_fields = vec!["account_name".to_owned()];
        });
        shop.kiotviet.create_customer(hoa());
        shop.deliver().await;
        assert_eq!(shop.outcomes().await, ["dead getfly_refused"], "{form:?}");
        assert!(has(&last_notes(&shop).await, "không hợp lệ"), "{form:?}");
        assert_eq!(last(&shop).await["attempts"], 0, "{form:?}");
    }
}

/// How a refusal in a 200 looks where there is no `errors`.
const FORMS_IN_200: [Refusals; 3] = [
    Refusals::In200,
    Refusals::UnsuccessfulSentence,
    Refusals::ErrorStatus,
];

#[tokio::test(start_paused = true)]
async fn a_detail_that_is_refused_inside_a_200_is_left_out() {
    for form in FORMS_IN_200 {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly.update_settings(|s| {
            s.refusals = form;
            s.refuse_gender = true;
        });
        shop.kiotviet.create_customer(NewCustomer {
            gender: Some(true),
            ..hoa()
        });
        shop.deliver().await;
        assert_eq!(
            shop.outcomes().await,
            ["created customer_created"],
            "{form:?}"
        );
        let notes = last_notes(&shop).await;
        assert!(has(&notes, "without the gender"), "{notes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r7_an_email_that_is_a_part_of_thousands_is_found_by_equality_within_a_few_calls() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .seed_account(account("KH-1", "Anh A", "", "A@gmail.com"));
    for n in 0..3000 {
        let email = format!("khach{n}a@gmail.com");
        shop.getfly.seed_account(account("", "Khách", "", &email));
    }
    shop.kiotviet.create_customer(NewCustomer {
        name: "Anh A".to_owned(),
        email: Some("a@gmail.com".to_owned()),
        ..NewCustomer::default()
    });
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["linked linked_by_email"]);
    assert_eq!(last(&shop).await["account_code"], "KH-1");
    let calls = endpoints(&shop).len();
    assert!(calls <= 10, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn the_code_that_getfly_answers_is_recorded_and_used() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly.update_settings(|s| {
        s.numbers_itself = true;
        s.refuse_unknown_account = true;
    });
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    let account = shop.getfly.accounts().remove(0);
    assert!(
        account.account_code.starts_with("KH"),
        "{}",
        account.account_code
    );
    assert!(
        account
            .description
            .ends_with(&format!("KV-cuahangthu-{id}"))
    );
    assert_eq!(
        shop.events().await[0]["account_code"],
        *account.account_code
    );
    let orders = shop.getfly.orders();
    assert_eq!(orders.len(), 2);
    for (order, event) in orders.iter().zip(&shop.events().await[1..]) {
        assert_eq!(order.account_code, account.account_code);
        assert!(order.order_code.starts_with("DH"));
        assert_eq!(event["order_code"], *order.order_code);
        assert!(
            order.terms[0].starts_with("cuahangthu-HD"),
            "{:?}",
            order.terms
        );
    }
    assert!(has(&last_notes(&shop).await, "under its own code"));
}

#[tokio::test(start_paused = true)]
async fn where_getfly_numbers_itself_a_lost_reply_is_settled_by_the_text() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly.update_settings(|s| s.numbers_itself = true);
    // It once answered another code.
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;

    // Neither a phone nor an e-mail would find this one.
    let lost = FaultRule::new(Fault::StoredButReplyLost).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(lost.when(When::First(1)));
    let silent = NewCustomer {
        name: "Khách Không Số".to_owned(),
        ..NewCustomer::default()
    };
    shop.kiotviet.create_customer(silent);
    shop.deliver().await;
    shop.settle().await;
    let lost = FaultRule::new(Fault::StoredButReplyLost).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(lost.when(When::First(1)));
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (2, 2));
    let events = shop.events().await;
    assert_eq!(
        events[2]["account_code"],
        *shop.getfly.accounts()[1].account_code
    );
    assert_eq!(events[3]["order_code"], *shop.getfly.orders()[1].order_code);
    assert_eq!(
        shop.outcomes().await,
        [
            "created customer_created",
            "created order_created",
            "created customer_created",
            "created order_created"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_that_getfly_chose_and_does_not_tell_is_read_back_before_it_is_remembered() {
    for created in [Created::IdOnly, Created::MessageOnly] {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly.update_settings(|s| {
            s.numbers_itself = true;
            s.created = created;
            s.refuse_unknown_account = true;
            // No search finds a phone in this form.
            s.phones = PhoneForm::Spaced;
        });
        let id = shop.kiotviet.create_customer(hoa());
        shop.kiotviet.create_invoice(sale(Some(id)));
        shop.kiotviet.create_invoice(sale(None));
        let same_phone = NewCustomer {
            email: None,
            ..hoa()
        };
        shop.kiotviet.create_customer(same_phone);
        shop.deliver().await;
        assert_eq!(
            shop.outcomes().await,
            [
                "created customer_created",
                "created order_created",
                "created order_created",
                "linked linked_by_phone"
            ],
            "{created:?}, without a second attempt"
        );
        assert_eq!(shop.in_getfly(), (1, 2));
        let account = shop.getfly.accounts().remove(0);
        let events = shop.events().await;
        assert_eq!(events[0]["account_code"], *account.account_code);
        for (order, event) in shop.getfly.orders().iter().zip(&events[1..]) {
            assert!(order.order_code.starts_with("DH"));
            assert_eq!(event["order_code"], *order.order_code);
        }
        assert_eq!(shop.getfly.orders()[0].account_code, account.account_code);
    }
}

#[tokio::test(start_paused = true)]
async fn r8_an_account_found_by_its_text_is_found_again_by_its_phone() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly.update_settings(|s| {
        s.numbers_itself = true;
        s.phones = PhoneForm::Spaced;
    });
    let lost = FaultRule::new(Fault::StoredButReplyLost).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(lost.when(When::First(1)));
    let only_phone = || NewCustomer {
        email: None,
        ..hoa()
    };
    shop.kiotviet.create_customer(only_phone());
    shop.deliver().await;
    shop.settle().await;
    shop.kiotviet.create_customer(only_phone());
    shop.deliver().await;
    assert_eq!(
        shop.outcomes().await,
        ["created customer_created", "linked linked_by_phone"]
    );
    assert_eq!(shop.in_getfly().0, 1);
}

/// A shop whose customer is in Getfly, and whose account there refuses unknown codes.
async fn remembered() -> (TestShop, i64, i64) {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.refuse_unknown_account = true);
    let id = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let account = shop.getfly.accounts()[0].id;
    (shop, id, account)
}

#[tokio::test(start_paused = true)]
async fn r7_a_remembered_account_that_was_merged_is_matched_again() {
    let (shop, id, account_id) = remembered().await;
    shop.getfly
        .seed_account(account("KH-9", "Chị Hoa", "0912345678", ""));
    assert!(shop.getfly.merge_account(account_id, "KH-9"));
    shop.pass(60).await;
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(last(&shop).await["reason"], "order_created");
    assert_eq!(shop.getfly.orders()[0].account_code, "KH-9");
    assert_eq!(last(&shop).await["account_code"], "KH-9");
    assert!(has(&last_notes(&shop).await, "no longer has the account"));
    // And remembered.
    endpoints(&shop);
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(
        endpoints(&shop),
        ["KiotViet GET /invoices/{id}", "Getfly POST /sale_order"]
    );
    assert_eq!(shop.getfly.orders()[1].account_code, "KH-9");
}

#[tokio::test(start_paused = true)]
async fn r4_a_deleted_account_is_created_anew_under_the_next_code() {
    let (shop, id, account) = remembered().await;
    for number in [2, 3] {
        let last_id = shop.getfly.accounts().last().expect("an account").id;
        shop.getfly
            .delete_account(if number == 2 { account } else { last_id });
        shop.pass(60).await;
        shop.kiotviet.create_invoice(sale(Some(id)));
        shop.deliver().await;
        let code = format!("KV-cuahangthu-{id}-{number}");
        let newest = shop.getfly.accounts().pop().expect("an account");
        assert_eq!(newest.account_code, code);
        assert!(newest.description.ends_with(&code));
        let order = shop.getfly.orders().pop().expect("an order");
        assert_eq!(order.account_code, code);
        assert!(has(&last_notes(&shop).await, "perhaps to a deleted one"));
    }
    assert_eq!(shop.getfly.orders().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn r7_a_link_is_not_dropped_while_it_is_young_or_getfly_answers_nothing_else() {
    let (shop, id, account) = remembered().await;
    shop.getfly.delete_account(account);
    // Younger than the time in which a create may still take effect.
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(last(&shop).await["state"], "retrying");
    assert_eq!(last(&shop).await["attempts"], 0);
    assert_eq!(shop.getfly.accounts().len(), 1);
    // The control read fails: nothing is known about the account.
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/api/v6.1/accounts");
    let rule = shop.getfly_faults.add(down);
    shop.minutes(3).await;
    assert_eq!(shop.getfly.accounts().len(), 1);
    shop.getfly_faults.remove(rule);
    shop.settle().await;
    assert_eq!(shop.in_getfly(), (2, 1));
    assert_eq!(last(&shop).await["reason"], "order_created");
}

#[tokio::test(start_paused = true)]
async fn r3_unknown_products_are_replaced_together_at_the_first_refusal() {
    for fallback in ["KHAC", ""] {
        let shop = TestShop::connected(On::Both).await;
        shop.app.set_variable("fallback_product_code", fallback);
        let known = ["SP1", "KHAC"].map(str::to_owned).to_vec();
        shop.getfly.update_settings(|s| s.products = Some(known));
        let mut invoice = sale(None);
        invoice.lines = vec![
            Line::new("SP1", "Áo", 1.into(), 150_000.into()),
            Line::new("SP2", "Quần", 2.into(), 100_000.into()),
            Line::new("SP3", "Mũ", 1.into(), 50_000.into()),
            Line::new("SP2", "Quần", 1.into(), 100_000.into()),
        ];
        shop.kiotviet.create_invoice(invoice);
        shop.deliver().await;
        assert_eq!(shop.outcomes().await, ["created order_created"]);
        let order = shop.getfly.orders().remove(0);
        assert_eq!(order.total(), 500_000.into());
        let codes: Vec<_> = order.lines.iter().map(|l| &*l.product_code).collect();
        assert_eq!(codes, ["SP1", fallback, fallback, fallback]);
        let names: Vec<_> = order.lines.iter().map(|l| &*l.product_name).collect();
        assert_eq!(names, ["Áo", "Quần", "Mũ", "Quần"]);
        let line = &order.request["saved_order_details"][1];
        if fallback.is_empty() {
            assert_eq!(line.get("product_code"), None);
        } else {
            assert_eq!(line["note"], "SP2 Quần");
        }
        let looked_up = endpoints(&shop);
        let looked_up = looked_up
            .iter()
            .filter(|e| **e == "Getfly GET /product")
            .count();
        assert_eq!(looked_up, 3, "each code once");
        assert!(has(&last_notes(&shop).await, "Getfly has no product SP3"));
    }
}

#[tokio::test(start_paused = true)]
async fn r3_lines_that_getfly_refuses_in_every_form_are_a_dead_letter_that_says_how_to_mend_it() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly.update_settings(|s| {
        s.products = Some(Vec::new());
        s.lines_need_code = true;
    });
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    assert_eq!(shop.outcomes().await, ["dead getfly_refused"]);
    let notes = last_notes(&shop).await;
    assert!(has(&notes, "Mã sản phẩm là bắt buộc"), "{notes:?}");
    assert!(has(&notes, "fallback_product_code"), "{notes:?}");
}

/// Sells to five walk-ins; returns Getfly's accounts and the codes on the orders.
async fn walk_ins(shop: &TestShop) -> (usize, Vec<String>) {
    for _ in 0..5 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        shop.settle().await;
    }
    let orders = shop.getfly.orders();
    assert_eq!(orders.len(), 5);
    assert!(orders.iter().all(|order| order.account_name == "Khách lẻ"));
    let codes = orders.into_iter().map(|order| order.account_code).collect();
    (shop.getfly.accounts().len(), codes)
}

#[tokio::test(start_paused = true)]
async fn r5_walk_ins_make_at_most_one_account_whatever_getfly_does() {
    let own = "KV-cuahangthu-KHACHLE";
    // Getfly stores them without an account.
    let shop = TestShop::connected(On::Both).await;
    let (accounts, codes) = walk_ins(&shop).await;
    assert_eq!((accounts, codes), (0, vec![String::new(); 5]));
    // Getfly makes an account for each: the first is used from then on.
    for counts_orders in [true, false] {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly.update_settings(|s| {
            s.order_creates_account = true;
            s.counts_orders = counts_orders;
        });
        let (accounts, codes) = walk_ins(&shop).await;
        assert_eq!(accounts, 1);
        let made = shop.getfly.accounts().remove(0).account_code;
        assert_eq!(codes, vec![made; 5]);
    }
    // Getfly chooses another customer's account.
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .seed_account(account("KH-1", "Chị Lan", "0912345678", ""));
    shop.getfly
        .update_settings(|s| s.order_takes_an_account = true);
    let (accounts, codes) = walk_ins(&shop).await;
    assert_eq!(accounts, 2);
    assert_eq!(codes, ["KH-1", own, own, own, own]);
    // Getfly demands an account.
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.order_needs_account = true);
    let (accounts, codes) = walk_ins(&shop).await;
    assert_eq!((accounts, codes), (1, vec![own.to_owned(); 5]));
    assert_eq!(shop.getfly.accounts()[0].account_name, "Khách lẻ");
}

#[tokio::test(start_paused = true)]
async fn r5_walk_ins_that_getfly_refuses_for_good_make_at_most_one_account() {
    for traits in 0..8_u8 {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly.update_settings(|s| {
            s.order_needs_account = traits & 1 == 0;
            s.order_creates_account = traits & 1 == 1;
            s.numbers_itself = traits & 2 == 0;
            s.products = Some(Vec::new());
            s.lines_need_code = true;
            if traits & 4 == 4 {
                s.created = Created::IdOnly;
            }
        });
        for _ in 0..3 {
            shop.kiotviet.create_invoice(sale(None));
            shop.deliver().await;
            shop.settle().await;
        }
        assert_eq!(shop.outcomes().await, ["dead getfly_refused"; 3]);
        let accounts = shop.getfly.accounts().len();
        assert!(accounts <= 1, "{accounts} accounts with traits {traits:b}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_customer_of_a_sale_whom_kiotviet_shows_late_gets_the_order() {
    let shop = TestShop::connected(On::Orders).await;
    let late = FaultRule::new(Fault::Status(404, None)).on(Method::GET, "/customers/");
    shop.kiotviet_faults.add(late.when(When::First(2)));
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.minutes(2).await;
    assert_eq!(shop.outcomes().await, ["created order_created"]);
    let order = shop.getfly.orders().remove(0);
    assert_eq!(order.account_code, format!("KV-cuahangthu-{id}"));
}

#[tokio::test(start_paused = true)]
async fn r3_a_look_up_of_products_that_is_refused_does_not_cost_the_sale() {
    for status in [400, 404, 422] {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly
            .update_settings(|s| s.products = Some(Vec::new()));
        let refused =
            FaultRule::new(Fault::Status(status, None)).on(Method::GET, "/api/v6.1/product");
        shop.getfly_faults.add(refused);
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        assert_eq!(shop.outcomes().await, ["created order_created"], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn r5_an_account_with_other_orders_is_not_taken_for_walk_ins() {
    let shop = TestShop::connected(On::Both).await;
    // A person of the shop keeps an account of this name, and uses it.
    shop.getfly
        .seed_account(account("KH-1", "Khách lẻ", "", ""));
    shop.app.set_variable("walk_in_account_code", "KH-1");
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.app.set_variable("walk_in_account_code", "");
    shop.getfly
        .update_settings(|s| s.order_takes_an_account = true);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let codes: Vec<_> = shop
        .getfly
        .orders()
        .into_iter()
        .map(|o| o.account_code)
        .collect();
    assert_eq!(codes, ["KH-1", "KH-1", "KV-cuahangthu-KHACHLE"]);
}

#[tokio::test(start_paused = true)]
async fn r5_a_read_back_that_failed_is_owed_to_the_next_walk_in() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.order_creates_account = true);
    let down = FaultRule::new(Fault::Status(500, None)).on(Method::GET, "/api/v6.1/sale_order");
    shop.getfly_faults.add(down.when(When::First(1)));
    let (accounts, codes) = walk_ins(&shop).await;
    assert_eq!(accounts, 1);
    assert_eq!(codes, vec![codes[0].clone(); 5]);
    assert_eq!(shop.outcomes().await, ["created order_created"; 5]);
}

#[tokio::test(start_paused = true)]
async fn r5_the_reply_of_the_first_walk_in_is_lost_and_one_account_is_made_all_the_same() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .update_settings(|s| s.order_needs_account = true);
    let lost = FaultRule::new(Fault::StoredButReplyLost).on(Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(lost.when(When::First(1)));
    let (accounts, _) = walk_ins(&shop).await;
    assert_eq!(accounts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_is_gone_from_kiotviet_is_named_in_the_terms_of_a_walk_ins_order() {
    let shop = TestShop::connected(On::Orders).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.kiotviet.delete_customer(id);
    shop.deliver().await;
    // He may only be shown late.
    assert_eq!(shop.getfly.orders(), []);
    shop.minutes(12).await;
    let order = shop.getfly.orders().remove(0);
    assert_eq!(order.account_name, "Khách lẻ");
    assert!(
        order.terms.contains(&"Khách hàng: Chị Hoa".to_owned()),
        "{:?}",
        order.terms
    );
    assert_eq!(shop.getfly.accounts(), []);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_without_this_version_is_told_and_events_wait_without_using_up_attempts() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly.update_settings(|s| s.old_version = true);
    // Neither needs a search before its create.
    shop.kiotviet.create_customer(NewCustomer {
        name: "Chị Vân".to_owned(),
        ..NewCustomer::default()
    });
    shop.kiotviet.create_invoice(sale(None));
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.minutes(60).await;
    let events = shop.events().await;
    assert_eq!(events.len(), 4);
    assert_eq!(shop.waiting().await.len(), 4);
    assert!(events.iter().all(|e| e["attempts"] == 0), "{events:?}");
    let waits = |e: &Value| {
        e["notes"]
            .to_string()
            .contains("Getfly 4.x with API v3 only")
    };
    assert!(events.iter().any(waits), "{events:?}");
    let (status, told) = health(&shop).await;
    assert_eq!(status, 503);
    assert!(told.contains("Getfly 4.x with API v3 only"), "{told}");
    // Getfly is upgraded.
    shop.getfly.update_settings(|s| s.old_version = false);
    shop.minutes(12).await;
    assert_eq!(shop.in_getfly(), (2, 2));
    assert_eq!(health(&shop).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_404_for_a_while_is_not_an_old_version() {
    let shop = TestShop::connected(On::Both).await;
    let gone = FaultRule::new(Fault::Status(404, None));
    let rule = shop.getfly_faults.add(gone);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert_eq!(last(&shop).await["attempts"], 1);
    assert_eq!(health(&shop).await.0, 200);
    shop.getfly_faults.remove(rule);
    shop.settle().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_host_denies_names_the_variable_and_is_no_attempt() {
    for (variable, origin) in [
        ("getfly_url", GETFLY),
        ("kiotviet_api_url", KIOTVIET),
        ("kiotviet_auth_url", KIOTVIET_ID),
    ] {
        let shop = TestShop::connected(On::Both).await;
        shop.app.set_variable(variable, "https://elsewhere.test");
        shop.kiotviet.revoke_tokens();
        shop.kiotviet.create_customer(hoa());
        shop.deliver().await;
        shop.minutes(30).await;
        let event = last(&shop).await;
        assert_eq!(
            (&event["state"], &event["attempts"]),
            (&"retrying".into(), &0.into())
        );
        assert!(has(&last_notes(&shop).await, variable), "{event}");
        shop.app.set_variable(variable, origin);
        shop.minutes(12).await;
        assert_eq!(
            shop.outcomes().await,
            ["created customer_created"],
            "{variable}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r1_a_hotels_log_in_address_is_refused_in_plain_words() {
    let shop = TestShop::unconnected();
    for (address, kind, words) in [("hotel.kiotviet.vn/nhanghi", "kiotviet-hotel", "Hotel")] {
        let body = serde_json::json!({"retailer": address, "client_id": "x", "client_secret": "y"});
        let (status, problem) = shop.app.call("PUT", "connections/shop", &body).await;
        assert_eq!(status, 422, "{problem}");
        assert!(problem["type"].to_string().contains(kind), "{problem}");
        let detail = problem["detail"].as_str().expect("text");
        assert!(
            detail.contains(words) && detail.contains("<shop>.kiotviet.vn"),
            "{detail}"
        );
    }
    assert_eq!(endpoints(&shop), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_short_life_is_used_for_nine_tenths_of_it() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet
        .update_settings(|s| s.token_life = Duration::from_secs(1000));
    shop.kiotviet.revoke_tokens();
    let mut tokens = 0;
    for _ in 0..20 {
        shop.kiotviet.create_customer(NewCustomer::default());
        shop.deliver().await;
        let asked = endpoints(&shop);
        tokens += asked
            .iter()
            .filter(|e| e.ends_with("/connect/token"))
            .count();
        shop.pass(90).await;
    }
    // 1800 s of 900 s each, and the renewal of the one that was revoked.
    assert!((2..=3).contains(&tokens), "{tokens}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_can_only_be_read_a_while_after_its_delivery_is_not_taken_for_gone() {
    for (hidden, missing_is_420) in [(20, false), (200, true)] {
        let shop = TestShop::connected(On::Both).await;
        shop.kiotviet.update_settings(|s| {
            s.shown_after = Duration::from_secs(hidden);
            s.missing_is_420 = missing_is_420;
        });
        let id = shop.kiotviet.create_customer(hoa());
        shop.kiotviet.create_invoice(sale(Some(id)));
        shop.deliver().await;
        assert_eq!(shop.in_getfly(), (0, 0));
        let events = shop.events().await;
        assert!(events.iter().all(|e| e["attempts"] == 0), "{events:?}");
        shop.minutes(8).await;
        assert_eq!(shop.in_getfly(), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_counts_as_gone_after_four_answers_and_a_control() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.update_settings(|s| s.missing_is_420 = true);
    shop.kiotviet.delete_customer(id);
    shop.deliver().await;
    shop.minutes(10).await;
    assert_eq!(shop.outcomes().await[0], "ignored deleted_on_kiotviet");
    let asked = endpoints(&shop);
    let reads = asked
        .iter()
        .filter(|e| **e == "KiotViet GET /customers/{id}")
        .count();
    assert_eq!(reads, 4);
    assert!(asked.contains(&"KiotViet GET /branches"));
}

#[tokio::test(start_paused = true)]
async fn nothing_counts_as_gone_while_the_shops_branches_cannot_be_read() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    let all = FaultRule::new(Fault::Status(404, None)).on(Method::GET, "/");
    let rule = shop.kiotviet_faults.add(all);
    shop.deliver().await;
    shop.minutes(30).await;
    assert_eq!(last(&shop).await["state"], "retrying");
    shop.kiotviet_faults.remove(rule);
    shop.settle().await;
    assert_eq!(shop.outcomes().await, ["created customer_created"]);
    assert!(id > 0);
}
