//! The scenarios of the search, each a small value: the state before, the action under faults, and
//! what people do about what they see afterwards.

use super::run::{Run, Step};
use host_test::{
    admin::Admin,
    shop::{ba, customer, hoa, sale},
};
use jiff::civil;
use rust_decimal::Decimal;
use sim::{
    Fault, FaultRule, Habit, When,
    getfly::Account,
    kiotviet::{ChangedSince, Chaos, Fnb, Line, NewCustomer, NewInvoice, Settings, Surcharge},
};

pub use super::run::Scenario;

/// A scenario of deliveries without people.
fn deliveries(
    name: &'static str,
    what: &'static str,
    past: for<'a> fn(&'a Run) -> Step<'a, ()>,
    act: for<'a> fn(&'a Run) -> Step<'a, ()>,
) -> Scenario {
    Scenario {
        name,
        what,
        lists: false,
        past,
        act,
        people: None,
        beside: None,
    }
}

/// A scenario in which Getfly refuses a create at first. A garbled refusal is a dead letter, which
/// people retry.
fn refusing(
    name: &'static str,
    what: &'static str,
    past: for<'a> fn(&'a Run) -> Step<'a, ()>,
    act: for<'a> fn(&'a Run) -> Step<'a, ()>,
) -> Scenario {
    Scenario {
        people: Some(|run| Box::pin(no_dead_letters(run))),
        ..deliveries(name, what, past, act)
    }
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    vec![
        deliveries(
            "new-customer",
            "a new customer with every field (R2, R9, R14)",
            |run| Box::pin(run.connect(&["customer"])),
            |run| {
                run.shop.kiotviet.create_customer(an());
                Box::pin(deliver_and_drain(run))
            },
        ),
        deliveries(
            "invoice-new-customer",
            "an invoice brings its customer, the customer webhook is off (R4, R12, R13)",
            |run| Box::pin(run.connect(&["order"])),
            |run| {
                new_sale(run);
                Box::pin(deliver_and_drain(run))
            },
        ),
        deliveries(
            "invoice-known-customer",
            "an invoice with discounts, fractions and two surcharges, of a customer that is in Getfly (R3)",
            |run| {
                Box::pin(async {
                    run.connect(&["customer", "order"]).await;
                    run.shop.kiotviet.create_customer(hoa());
                    run.deliver().await;
                })
            },
            |run| {
                let id = run.shop.kiotviet.customers().first().map(|c| c.id);
                run.shop.kiotviet.create_invoice(of_odd_amounts(id));
                Box::pin(deliver_and_drain(run))
            },
        ),
        deliveries(
            "invoice-walk-in",
            "an invoice without a customer (R5)",
            |run| Box::pin(run.connect(&["customer", "order"])),
            |run| {
                run.shop.kiotviet.create_invoice(sale(None));
                Box::pin(deliver_and_drain(run))
            },
        ),
        deliveries(
            "both-at-once",
            "a customer and the invoice in one delivery (R2, R3, R12)",
            |run| Box::pin(run.connect(&["customer", "order"])),
            |run| {
                new_sale(run);
                Box::pin(deliver_and_drain(run))
            },
        ),
        deliveries(
            "duplicates",
            "a customer and an invoice, each delivered twice, in disorder, and told again later (R6)",
            |run| Box::pin(run.connect(&["customer", "order"])),
            |run| Box::pin(duplicates(run)),
        ),
        deliveries(
            "edit",
            "records edited before their first delivery and after it; one cancelled at once (R6)",
            |run| Box::pin(run.connect(&["customer", "order"])),
            |run| Box::pin(edit(run)),
        ),
        deliveries(
            "merged-phones",
            "several phones in one field, shared by other customers and by a Getfly account (R7, R8)",
            |run| {
                run.seed(account("Anh Tư cũ", "0944004444", ""));
                Box::pin(run.connect(&["customer", "order"]))
            },
            |run| Box::pin(merged_phones(run)),
        ),
        deliveries(
            "conflict",
            "the e-mail is one account's, the phone an older one's (R7)",
            |run| Box::pin(conflict_past(run)),
            |run| {
                new_sale(run);
                Box::pin(deliver_and_drain(run))
            },
        ),
        Scenario {
            name: "backfill",
            what: "a person asks for what is older than the webhooks",
            lists: true,
            past: |run| Box::pin(backfill_past(run)),
            act: |run| Box::pin(backfill(run)),
            people: Some(|run| Box::pin(backfill_is_done(run))),
            beside: None,
        },
        Scenario {
            name: "healing",
            what: "KiotViet switched one webhook off, somebody deleted the other, and a sale was not delivered",
            lists: true,
            past: |run| Box::pin(healing_past(run)),
            act: |run| Box::pin(run.drain()),
            people: Some(|run| Box::pin(an_hour(run))),
            beside: None,
        },
        Scenario {
            name: "dead-letters",
            what: "a person retries what Getfly had refused",
            lists: false,
            past: |run| Box::pin(refused(run)),
            act: |run| Box::pin(retry_dead(run)),
            people: Some(|run| Box::pin(no_dead_letters(run))),
            beside: None,
        },
        deliveries(
            "tried-again",
            "three customers in one delivery, while Getfly fails seven times",
            |run| Box::pin(run.connect(&["customer"])),
            |run| Box::pin(tried_again(run)),
        ),
        deliveries(
            "lost-replies",
            "the replies to a customer's account and to his order are lost, and reading them back fails twice (R12)",
            |run| Box::pin(run.connect(&["customer", "order"])),
            |run| Box::pin(lost_replies(run)),
        ),
        deliveries(
            "walk-ins-made-accounts",
            "three walk-ins, while Getfly makes an account for an order without one (R5)",
            |run| Box::pin(run.connect(&["order"])),
            |run| {
                run.meets_too(Habit::OrdersMakeAccounts);
                Box::pin(walk_ins(run))
            },
        ),
        refusing(
            "walk-ins-need-an-account",
            "three walk-ins, while Getfly refuses an order without an account (R5)",
            |run| Box::pin(run.connect(&["order"])),
            |run| {
                run.meets_too(Habit::OrdersNeedAccounts);
                Box::pin(walk_ins(run))
            },
        ),
        refusing(
            "account-is-gone",
            "an invoice of a customer whose account people deleted in Getfly; its code stays taken (R4, R7)",
            |run| {
                Box::pin(async {
                    run.connect(&["order"]).await;
                    new_sale(run);
                    run.deliver().await;
                })
            },
            |run| Box::pin(account_is_gone(run)),
        ),
        deliveries(
            "accept-many",
            "twelve customers and four invoices in one delivery",
            |run| Box::pin(run.connect(&["customer", "order"])),
            |run| Box::pin(many(run)),
        ),
        polled(
            "polled-by-change",
            "an F&B shop sells to a new customer and to a walk-in; polls ask for what changed",
            |run| Box::pin(restaurant(run, ChangedSince::Honoured)),
        ),
        polled(
            "polled-by-sales",
            "the same, while KiotViet refuses to tell what changed",
            |run| Box::pin(restaurant(run, ChangedSince::Refused)),
        ),
        Scenario {
            name: "two-editions",
            what: "a retail shop and an F&B shop of one name sell at once: same ids, same codes",
            lists: true,
            past: |run| Box::pin(two_editions(run)),
            act: |run| Box::pin(both_sell(run)),
            people: Some(|run| Box::pin(an_hour(run))),
            beside: Some(|| Settings {
                retailer: Settings::default().retailer,
                fnb: Fnb {
                    has_users: true,
                    ..Fnb::default()
                },
                ..Settings::fnb()
            }),
        },
    ]
}

/// A scenario of an F&B shop.
fn polled(
    name: &'static str,
    what: &'static str,
    past: for<'a> fn(&'a Run) -> Step<'a, ()>,
) -> Scenario {
    Scenario {
        lists: true,
        people: Some(|run| Box::pin(an_hour(run))),
        ..deliveries(name, what, past, |run| Box::pin(sold_at_a_restaurant(run)))
    }
}

/// The shop is of KiotViet F&B.
async fn restaurant(run: &Run, changed_since: ChangedSince) {
    let kiotviet = &run.shop.kiotviet;
    let fnb = Settings::fnb();
    kiotviet.update_settings(|settings| {
        settings.edition = fnb.edition;
        settings.token_path = fnb.token_path;
        settings.fnb = Fnb {
            changed_since,
            has_users: true,
            ..fnb.fnb
        };
    });
    // The personality's habits of F&B come over its defaults.
    run.meets_again();
    run.connect(&["customer", "order"]).await;
    run.shop.drain().await;
}

async fn sold_at_a_restaurant(run: &Run) {
    new_sale(run);
    run.shop.kiotviet.create_invoice(sale(None));
    deliver_and_drain(run).await;
}

async fn two_editions(run: &Run) {
    run.connect(&["order"]).await;
    run.turn();
    run.connect(&["order"]).await;
    run.turn();
    run.shop.drain().await;
}

async fn both_sell(run: &Run) {
    for shop in run.shops() {
        let id = shop.kiotviet.create_customer(NewCustomer {
            email: None,
            ..customer("Chị Hoa", "")
        });
        shop.kiotviet.create_invoice(sale(Some(id)));
    }
    deliver_and_drain(run).await;
}

/// KiotViet puts up to this many records of one kind, and both kinds, into one delivery.
fn merge(run: &Run, merge_items: usize) {
    run.shop.kiotviet.set_chaos(Chaos {
        merge_items,
        merge_notifications: 2,
        ..Chaos::default()
    });
}

async fn deliver_and_drain(run: &Run) {
    merge(run, 12);
    run.deliver().await;
    run.drain().await;
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
fn new_sale(run: &Run) {
    let id = run.shop.kiotviet.create_customer(hoa());
    run.shop.kiotviet.create_invoice(sale(Some(id)));
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

async fn duplicates(run: &Run) {
    let kiotviet = &run.shop.kiotviet;
    kiotviet.set_chaos(Chaos {
        seed: 3,
        duplicates: 1.0,
        out_of_order: true,
        ..Chaos::default()
    });
    let id = kiotviet.create_customer(hoa());
    let sold = kiotviet.create_invoice(sale(Some(id)));
    run.deliver().await;
    run.shop.pass(5).await;
    kiotviet.edit_customer(id, |_| {});
    kiotviet.set_invoice_status(sold, 1);
    run.deliver().await;
    run.drain().await;
}

async fn edit(run: &Run) {
    let kiotviet = &run.shop.kiotviet;
    let dearer = |invoice: &mut NewInvoice| {
        invoice.lines = vec![Line::new("SP9", "Váy", 1.into(), 777_000.into())];
    };
    // Before anything is delivered: the corrected invoice becomes the order.
    let early = kiotviet.create_invoice(sale(None));
    let cancelled = kiotviet.create_invoice(sale(None));
    run.note();
    run.shop.pass(120).await;
    kiotviet.edit_invoice(early, dearer);
    kiotviet.cancel_invoice(cancelled);
    run.shop.pass(120).await;
    // After it: the order stays as it is.
    let id = kiotviet.create_customer(hoa());
    let sold = kiotviet.create_invoice(sale(Some(id)));
    run.deliver().await;
    run.shop.pass(120).await;
    kiotviet.edit_customer(id, |customer| customer.name = "Chị Hoa (sửa)".to_owned());
    kiotviet.edit_invoice(sold, dearer);
    run.deliver().await;
    run.drain().await;
}

async fn merged_phones(run: &Run) {
    let kiotviet = &run.shop.kiotviet;
    let two = kiotviet.create_customer(customer("Chị Ba", "912 345 678 / 0987.654.312"));
    let second = kiotviet.create_customer(customer("Anh Ba", "+84987654312"));
    let known = kiotviet.create_customer(customer("Anh Tư", "0933 003 333; 84944004444"));
    for id in [two, second, known] {
        kiotviet.create_invoice(sale(Some(id)));
    }
    deliver_and_drain(run).await;
}

async fn conflict_past(run: &Run) {
    run.seed(account("Người có số", "0912345678", ""));
    run.shop.pass(60).await;
    run.seed(account("Người có email", "0955005555", "HOA@example.vn"));
    run.shop.pass(60).await;
    run.seed(account("Người có cả hai", "0912 345 678", "hoa@example.vn"));
    run.shop.pass(60).await;
    run.connect(&["customer", "order"]).await;
}

/// The moment from which the backfill is asked; the shop begins three hours later.
const FROM: &str = "2026-10-05T07:00:00+07:00";

async fn backfill_past(run: &Run) {
    let kiotviet = &run.shop.kiotviet;
    let old = kiotviet.create_customer(NewCustomer {
        created_at: "2026-10-04T00:00:00Z".parse().ok(),
        ..customer("Khách rất cũ", "0911001111")
    });
    new_sale(run);
    kiotviet.create_customer(ba());
    kiotviet.create_invoice(sale(Some(old)));
    let cancelled = kiotviet.create_invoice(sale(None));
    kiotviet.cancel_invoice(cancelled);
    run.shop.pass(3600).await;
    run.connect(&["customer", "order"]).await;
}

async fn backfill(run: &Run) {
    run.backfill(FROM).await;
    run.drain().await;
    run.drain().await;
}

/// A person who got no answer looks, and asks again.
async fn backfill_is_done(run: &Run) -> bool {
    let state = run.backfill_state().await;
    if state["state"] == "none" {
        run.backfill(FROM).await;
    }
    state["state"] == "done"
}

async fn healing_past(run: &Run) {
    run.connect(&["customer", "order"]).await;
    run.shop.pass(1000).await;
    run.shop.drain().await;
    run.shop.pass(1000).await;
    let kiotviet = &run.shop.kiotviet;
    for (webhook, deleted) in kiotviet.webhooks().iter().zip([false, true]) {
        if deleted {
            kiotviet.remove_webhook(webhook.id);
        } else {
            kiotviet.set_webhook_active(webhook.id, false);
        }
    }
    new_sale(run);
}

/// Webhooks are checked every quarter of an hour.
async fn an_hour(run: &Run) -> bool {
    for _ in 0..12 {
        run.drain().await;
    }
    true
}

async fn refused(run: &Run) {
    run.connect(&["customer", "order"]).await;
    let refusal = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/");
    run.shop.getfly_faults.add(refusal);
    new_sale(run);
    run.shop.kiotviet.create_invoice(sale(None));
    run.deliver().await;
    run.drain().await;
    run.shop.getfly_faults.clear();
}

async fn retry_dead(run: &Run) {
    for seq in 1..=3 {
        run.command(run.shop.app.retry(seq)).await;
    }
    run.drain().await;
}

async fn no_dead_letters(run: &Run) -> bool {
    let dead = run.dead_letters().await;
    for seq in &dead {
        run.command(run.shop.app.retry(*seq)).await;
    }
    dead.is_empty()
}

async fn walk_ins(run: &Run) {
    merge(run, 3);
    for _ in 0..3 {
        run.shop.kiotviet.create_invoice(sale(None));
    }
    drain_through(run, 2).await;
}

async fn account_is_gone(run: &Run) {
    let getfly = &run.shop.getfly;
    run.meets_too(Habit::AccountsMustExist);
    for account in getfly.accounts() {
        run.remove_account(account, None);
    }
    let id = run.shop.kiotviet.customers().first().map(|c| c.id);
    run.shop.kiotviet.create_invoice(sale(id));
    drain_through(run, 3).await;
}

/// Retries due events repeatedly, until the vendors' faults are over.
async fn drain_through(run: &Run, drains: usize) {
    run.deliver().await;
    for _ in 0..drains {
        run.shop.pass_last_retry().await;
        run.drain().await;
    }
    run.shop.getfly_faults.clear();
}

async fn tried_again(run: &Run) {
    let down = FaultRule::new(Fault::Status(503, None)).when(When::First(7));
    run.shop.getfly_faults.add(down);
    merge(run, 3);
    for n in 1..=3 {
        let new = customer(&format!("Khách {n}"), &format!("091234567{n}"));
        run.shop.kiotviet.create_customer(new);
    }
    drain_through(run, 5).await;
}

async fn lost_replies(run: &Run) {
    let faults = &run.shop.getfly_faults;
    for nth in [1, 2] {
        let lost = FaultRule::new(Fault::StoredThenHang).on(http::Method::POST, "/api/v6.1/");
        faults.add(lost.when(When::Nth(nth)));
    }
    let page = FaultRule::new(Fault::HtmlError(502)).on(http::Method::GET, "/api/v6.1/sale_order");
    faults.add(page.when(When::First(2)));
    merge(run, 3);
    new_sale(run);
    drain_through(run, 4).await;
}

async fn many(run: &Run) {
    let kiotviet = &run.shop.kiotviet;
    for n in 10..22 {
        let id = kiotviet.create_customer(customer(&format!("Khách {n}"), &format!("09123456{n}")));
        if n % 3 == 0 {
            kiotviet.create_invoice(sale(Some(id)));
        }
    }
    deliver_and_drain(run).await;
}
