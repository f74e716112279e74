//! The scenarios of the search, each a small value: what is there before, what happens under mishaps,
//! and what people do about what they see once mishaps are over.

use super::play::Play;
use host_test::scene::{customer, hoa, sale};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sim::{
    Fault, FaultRule,
    getfly::Account,
    kiotviet::{Chaos, Line, NewCustomer, NewInvoice, Surcharge},
};
use std::{future::Future, pin::Pin};

/// A step of a scenario.
pub type Step<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// See the module.
pub struct Scenario {
    /// Its name, as `--only` takes it.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub what: &'static str,
    /// Whether KiotViet's lists show anything. Where they do not, nothing that is lost can come in by
    /// reading back.
    pub lists: bool,
    /// Before, without mishaps.
    pub past: for<'a> fn(&'a Play) -> Step<'a, ()>,
    /// Under mishaps.
    pub act: for<'a> fn(&'a Play) -> Step<'a, ()>,
    /// Without mishaps, again and again: people look and act; whether they are content.
    pub content: for<'a> fn(&'a Play) -> Step<'a, bool>,
}

/// A scenario of deliveries that people leave alone.
fn deliveries(
    name: &'static str,
    what: &'static str,
    past: for<'a> fn(&'a Play) -> Step<'a, ()>,
    act: for<'a> fn(&'a Play) -> Step<'a, ()>,
) -> Scenario {
    Scenario {
        name,
        what,
        lists: false,
        past,
        act,
        content: |_| Box::pin(async { true }),
    }
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    vec![
        deliveries(
            "new-customer",
            "a new customer with every field (R2, R9, R14)",
            |play| Box::pin(play.connect(&["customer"])),
            |play| {
                play.scene.kiotviet.create_customer(an());
                Box::pin(deliver_and_drain(play))
            },
        ),
        deliveries(
            "invoice-new-customer",
            "an invoice brings its customer, the customer webhook is off (R4, R12, R13)",
            |play| Box::pin(play.connect(&["order"])),
            |play| {
                new_sale(play);
                Box::pin(deliver_and_drain(play))
            },
        ),
        deliveries(
            "invoice-known-customer",
            "an invoice with discounts, fractions and two surcharges, of a customer that is in Getfly (R3)",
            |play| {
                Box::pin(async {
                    play.connect(&["customer", "order"]).await;
                    play.scene.kiotviet.create_customer(hoa());
                    play.deliver().await;
                })
            },
            |play| {
                let id = play.scene.kiotviet.customers().first().map(|c| c.id);
                play.scene.kiotviet.create_invoice(of_odd_amounts(id));
                Box::pin(deliver_and_drain(play))
            },
        ),
        deliveries(
            "invoice-walk-in",
            "an invoice without a customer (R5)",
            |play| Box::pin(play.connect(&["customer", "order"])),
            |play| {
                play.scene.kiotviet.create_invoice(sale(None));
                Box::pin(deliver_and_drain(play))
            },
        ),
        deliveries(
            "both-at-once",
            "a customer and the invoice in one delivery (R2, R3, R12)",
            |play| Box::pin(play.connect(&["customer", "order"])),
            |play| {
                new_sale(play);
                Box::pin(deliver_and_drain(play))
            },
        ),
        deliveries(
            "duplicates",
            "a customer and an invoice, each delivered twice, in disorder, and told again later (R6)",
            |play| Box::pin(play.connect(&["customer", "order"])),
            |play| Box::pin(duplicates(play)),
        ),
        deliveries(
            "edit",
            "records edited before their first delivery and after it; one cancelled at once (R6)",
            |play| Box::pin(play.connect(&["customer", "order"])),
            |play| Box::pin(edit(play)),
        ),
        deliveries(
            "merged-phones",
            "several phones in one field, shared by other customers and by a Getfly account (R7, R8)",
            |play| {
                play.seed(account("Anh Tư cũ", "0944004444", ""));
                Box::pin(play.connect(&["customer", "order"]))
            },
            |play| Box::pin(merged_phones(play)),
        ),
        deliveries(
            "conflict",
            "the e-mail is one account's, the phone an older one's (R7)",
            |play| Box::pin(conflict_past(play)),
            |play| {
                new_sale(play);
                Box::pin(deliver_and_drain(play))
            },
        ),
        Scenario {
            name: "backfill",
            what: "a person asks for what is older than the webhooks",
            lists: true,
            past: |play| Box::pin(backfill_past(play)),
            act: |play| Box::pin(backfill(play)),
            content: |play| Box::pin(backfill_is_done(play)),
        },
        Scenario {
            name: "healing",
            what: "KiotViet switched one webhook off, somebody deleted the other, and a sale was not delivered",
            lists: true,
            past: |play| Box::pin(healing_past(play)),
            act: |play| Box::pin(play.drain()),
            content: |play| Box::pin(an_hour(play)),
        },
        Scenario {
            name: "dead-letters",
            what: "a person retries what Getfly had refused",
            lists: false,
            past: |play| Box::pin(refused(play)),
            act: |play| Box::pin(retry_dead(play)),
            content: |play| Box::pin(no_dead_letters(play)),
        },
        deliveries(
            "accept-many",
            "twelve customers and four invoices in one delivery",
            |play| Box::pin(play.connect(&["customer", "order"])),
            |play| Box::pin(many(play)),
        ),
    ]
}

async fn deliver_and_drain(play: &Play) {
    play.scene.kiotviet.set_chaos(Chaos {
        merge_items: 12,
        merge_notifications: 2,
        ..Chaos::default()
    });
    play.deliver().await;
    play.drain().await;
}

/// A customer with every field.
fn an() -> NewCustomer {
    let text = |text: &str| Some(text.to_owned());
    NewCustomer {
        gender: Some(false),
        birth_date: Some(civil::date(1990, 2, 28)),
        contact_number: text("+84 912 000 111"),
        address: text("12 Phố Huế"),
        email: text("an@example.vn"),
        tax_code: text("0101234567"),
        comments: text("Khách quen"),
        ..customer("Trần Thị An", "")
    }
}

fn account(name: &str, phone: &str, email: &str) -> Account {
    Account {
        account_name: name.to_owned(),
        phone_office: phone.to_owned(),
        email: email.to_owned(),
        manager: Some("mai".to_owned()),
        ..Account::default()
    }
}

/// A new customer buys.
fn new_sale(play: &Play) {
    let id = play.scene.kiotviet.create_customer(hoa());
    play.scene.kiotviet.create_invoice(sale(Some(id)));
}

fn of_odd_amounts(customer_id: Option<i64>) -> NewInvoice {
    let line = Line {
        discount: Some(Decimal::new(3_333, 0)),
        ..Line::new("SP2", "Vải", Decimal::new(15, 1), Decimal::new(99_999, 0))
    };
    NewInvoice {
        lines: vec![
            line,
            Line::new("SP3", "Cúc", 7.into(), Decimal::new(1_001, 1)),
        ],
        discount: Some(10_000.into()),
        surcharges: [("Phí giao hàng", 25_000), ("Gói quà", 5_000)]
            .map(|(name, price)| Surcharge {
                name: name.to_owned(),
                price: price.into(),
            })
            .to_vec(),
        ..sale(customer_id)
    }
}

async fn duplicates(play: &Play) {
    let kiotviet = &play.scene.kiotviet;
    kiotviet.set_chaos(Chaos {
        seed: 3,
        duplicates: 1.0,
        out_of_order: true,
        ..Chaos::default()
    });
    let id = kiotviet.create_customer(hoa());
    let sold = kiotviet.create_invoice(sale(Some(id)));
    play.deliver().await;
    play.scene.pass(5).await;
    kiotviet.edit_customer(id, |_| {});
    kiotviet.set_invoice_status(sold, 1);
    play.deliver().await;
    play.drain().await;
}

async fn edit(play: &Play) {
    let kiotviet = &play.scene.kiotviet;
    let dearer = |invoice: &mut NewInvoice| {
        invoice.lines = vec![Line::new("SP9", "Váy", 1.into(), 777_000.into())];
    };
    // Before anything is delivered: the corrected invoice becomes the order.
    let early = kiotviet.create_invoice(sale(None));
    let cancelled = kiotviet.create_invoice(sale(None));
    play.note();
    play.scene.pass(120).await;
    kiotviet.edit_invoice(early, dearer);
    kiotviet.cancel_invoice(cancelled);
    play.scene.pass(120).await;
    // After it: the order stays as it is.
    let id = kiotviet.create_customer(hoa());
    let sold = kiotviet.create_invoice(sale(Some(id)));
    play.deliver().await;
    play.scene.pass(120).await;
    kiotviet.edit_customer(id, |customer| customer.name = "Chị Hoa (sửa)".to_owned());
    kiotviet.edit_invoice(sold, dearer);
    play.deliver().await;
    play.drain().await;
}

async fn merged_phones(play: &Play) {
    let kiotviet = &play.scene.kiotviet;
    let two = kiotviet.create_customer(customer("Chị Ba", "912 345 678 / 0987.654.312"));
    let second = kiotviet.create_customer(customer("Anh Ba", "+84987654312"));
    let known = kiotviet.create_customer(customer("Anh Tư", "0933 003 333; 84944004444"));
    for id in [two, second, known] {
        kiotviet.create_invoice(sale(Some(id)));
    }
    deliver_and_drain(play).await;
}

async fn conflict_past(play: &Play) {
    play.seed(account("Người có số", "0912345678", ""));
    play.scene.pass(60).await;
    play.seed(account("Người có email", "0955005555", "HOA@example.vn"));
    play.scene.pass(60).await;
    play.seed(account("Người có cả hai", "0912 345 678", "hoa@example.vn"));
    play.scene.pass(60).await;
    play.connect(&["customer", "order"]).await;
}

/// The moment that the backfill is asked from; the scene begins three hours later.
const FROM: &str = "2026-10-05T07:00:00+07:00";

async fn backfill_past(play: &Play) {
    let kiotviet = &play.scene.kiotviet;
    let old = kiotviet.create_customer(NewCustomer {
        created_at: "2026-10-04T00:00:00Z".parse().ok(),
        ..customer("Khách rất cũ", "0911001111")
    });
    new_sale(play);
    kiotviet.create_customer(customer("Anh Ba", "0987654312"));
    kiotviet.create_invoice(sale(Some(old)));
    let cancelled = kiotviet.create_invoice(sale(None));
    kiotviet.cancel_invoice(cancelled);
    play.scene.pass(3600).await;
    play.connect(&["customer", "order"]).await;
}

async fn ask_for_backfill(play: &Play) {
    let from: Option<Timestamp> = FROM.parse().ok();
    play.is_to_bring_in_from(from.unwrap_or_default(), play.scene.clock.now(), true);
    let body = json!({"from": FROM});
    play.wish("POST", &play.backfill_path(), &body).await;
}

async fn backfill(play: &Play) {
    ask_for_backfill(play).await;
    play.drain().await;
    play.drain().await;
}

/// Whoever got no answer looks, and asks again.
async fn backfill_is_done(play: &Play) -> bool {
    let (_, state) = play.scene.app.get(&play.backfill_path()).await;
    if state["state"] == "none" {
        ask_for_backfill(play).await;
    }
    state["state"] == "done"
}

async fn healing_past(play: &Play) {
    play.connect(&["customer", "order"]).await;
    play.scene.pass(1000).await;
    play.scene.drain().await;
    play.scene.pass(1000).await;
    let kiotviet = &play.scene.kiotviet;
    for (webhook, deleted) in kiotviet.webhooks().iter().zip([false, true]) {
        if deleted {
            kiotviet.remove_webhook(webhook.id);
        } else {
            kiotviet.set_webhook_active(webhook.id, false);
        }
    }
    new_sale(play);
}

/// Webhooks are looked after every quarter of an hour.
async fn an_hour(play: &Play) -> bool {
    for _ in 0..12 {
        play.drain().await;
    }
    true
}

async fn refused(play: &Play) {
    play.connect(&["customer", "order"]).await;
    let refusal = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/");
    play.scene.getfly_faults.add(refusal);
    new_sale(play);
    play.scene.kiotviet.create_invoice(sale(None));
    play.deliver().await;
    play.drain().await;
    play.scene.getfly_faults.clear();
}

async fn retry_dead(play: &Play) {
    for seq in 1..=3 {
        let path = format!("events/{seq}/retry");
        play.wish("POST", &path, &Value::Null).await;
    }
    play.drain().await;
}

async fn no_dead_letters(play: &Play) -> bool {
    let dead = play.dead_letters().await;
    for seq in &dead {
        let path = format!("events/{seq}/retry");
        play.wish("POST", &path, &Value::Null).await;
    }
    dead.is_empty()
}

async fn many(play: &Play) {
    let kiotviet = &play.scene.kiotviet;
    for n in 10..22 {
        let id = kiotviet.create_customer(customer(&format!("Khách {n}"), &format!("09123456{n}")));
        if n % 3 == 0 {
            kiotviet.create_invoice(sale(Some(id)));
        }
    }
    deliver_and_drain(play).await;
}
