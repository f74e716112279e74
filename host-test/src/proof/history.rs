//! Histories: what people, KiotViet and mishaps do to a shop, step by step, for a search that draws
//! them at random and makes a failing one small. Numbers in a step choose from small pools, whatever
//! their size, so that every list of steps can be played.
//!
//! A history is judged twice by the checker: at its end, with nothing repaired ([`Mode::Safety`]), or
//! after the faults have stopped and time has passed ([`Mode::Liveness`]). Steps that the checker
//! cannot judge are left out: a customer with a phone and an e-mail that no account in Getfly has yet, switching a webhook off and on again, dismissing a dead letter, an edit
//! that changes a customer's phone or e-mail, and deleting a customer.

use super::{
    checker::{self, Finding, Kind},
    play::{BETWEEN_DRAINS, BETWEEN_ROUNDS, Play, ROUNDS},
};
use crate::{
    keyvalue::Memory,
    mishap::Mishap,
    scene::CONNECTION,
    sim::{
        Fault, FaultRule, When,
        getfly::Account,
        kiotviet::{Chaos, Line, NewCustomer, NewInvoice, Staff, Surcharge},
    },
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Phone fields of customers; several are the same person's.
const PHONES: [&str; 9] = [
    "",
    "0912 345 678",
    "+84912345678",
    "987654321",
    "0987.654.321",
    "0912345678 / 0987654321",
    "0933 333 333; 84944444444",
    "0944444444",
    "0933333333",
];
/// E-mail fields of customers.
const EMAILS: [&str; 4] = ["", "hoa@example.vn", "HOA@example.vn", "oa@example.vn"];
/// Accounts that Getfly has beforehand: phone and e-mail. No number has spaces: Getfly's search finds
/// no such text (README says so).
const ACCOUNTS: [(&str, &str); 5] = [
    ("0944444444", ""),
    ("84987654321", ""),
    ("0955555555", "hoa@example.vn"),
    ("912345678", "hoa@example.vn"),
    ("0912345678", ""),
];
/// Sellers: one that Getfly knows, one that it does not, one without a phone, the admin, nobody.
const SELLERS: [Option<i64>; 5] = [Some(5001), Some(5002), Some(5003), Some(5000), None];
/// Statuses that switch a webhook off at once: KiotViet must never get one.
const FATAL: [u16; 5] = [400, 401, 403, 404, 405];
/// Healings after the faults: one mends the webhooks, the next one reads back what the first could not
/// know to be missing.
const HEALINGS: usize = 4;
/// The code of the invoice that is older than the webhooks.
const OLD_INVOICE: &str = "HD000001";
/// The customer who is.
const OLD_CUSTOMER: i64 = 20_000_001;
/// KiotViet is never later with a delivery.
const LATEST: u64 = 120;
/// A history that takes longer, in virtual time, never ends.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// A shop from its connection on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Which webhooks people switch on.
    pub on: On,
    /// Whether KiotViet's lists show anything. Where they do not, only deliveries tell.
    pub lists: bool,
    /// Whether nobody touches the records that are older than the webhooks: a backfill that finds one
    /// of them waiting is an open finding (`host-test/histories/open-*.json`).
    #[serde(default)]
    pub old_stays: bool,
    /// Which accounts Getfly has beforehand, in order of creation.
    pub accounts: Vec<u8>,
    /// What happens.
    pub steps: Vec<Step>,
}

/// Which webhooks people switch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    /// Both.
    Both,
    /// Customers only.
    Customers,
    /// Orders only (R4).
    Orders,
}

/// Whose calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vendor {
    /// KiotViet.
    KiotViet,
    /// Getfly.
    Getfly,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// A customer is typed in.
    Customer {
        /// From the pool of phone fields.
        phone: u8,
        /// From the pool of e-mails.
        email: u8,
    },
    /// A sale to a customer that is there, or to a walk-in.
    Sale {
        /// None is a walk-in.
        customer: Option<u8>,
        /// From the pool of sellers.
        seller: u8,
        /// From the pool of contents.
        content: u8,
    },
    /// Name and address of a customer change.
    EditCustomer(u8),
    /// KiotViet tells a customer again.
    TellCustomer(u8),
    /// An invoice gets another content: a new invoice in the place of the old.
    EditInvoice {
        /// Which.
        invoice: u8,
        /// From the pool of contents.
        content: u8,
    },
    /// An invoice is cancelled.
    CancelInvoice(u8),
    /// KiotViet sends what is due.
    Deliver,
    /// The same, each delivery twice, in another order, several in one.
    DeliverChaotically(u8),
    /// What is due is lost on its way.
    LoseDeliveries,
    /// What is due arrives, and KiotViet sees no answer.
    LoseAnswers,
    /// Time passes; KiotViet sends again what it had to.
    Pass {
        /// Seconds.
        seconds: u32,
    },
    /// A scheduler's drain.
    Drain,
    /// A drain that looks after the webhooks at once.
    Heal,
    /// A person asks for what is older than the webhooks.
    Backfill,
    /// A person retries a dead letter.
    Retry(u8),
    /// KiotViet switches a webhook off.
    WebhookOff(u8),
    /// A person switches a webhook on that is on already.
    SwitchOnAgain(u8),
    /// What befalls the n-th host call from here.
    Mishap {
        /// From 1.
        call: u8,
        /// What.
        mishap: Mishap,
    },
    /// The next calls to a vendor fail.
    Fault {
        /// Whose.
        vendor: Vendor,
        /// From the pool of faults.
        fault: u8,
        /// So many.
        calls: u8,
    },
}

/// When a history is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// At its end, as it stands: nothing doubled, nothing wrong, no status that switches a webhook off.
    Safety,
    /// After the faults have stopped and everything had time: nothing lost and nothing stuck either.
    Liveness,
}

/// Everything that must not be, after this history; empty when all is well.
pub fn judge(history: &History, mode: Mode) -> BTreeSet<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let all = async { tokio::time::timeout(LONGEST, play(history, mode)).await };
    let ended = runtime.ok().and_then(|runtime| runtime.block_on(all).ok());
    ended.unwrap_or_else(|| [found(Kind::Stuck, "the run never ended")].into())
}

fn found(kind: Kind, what: impl Into<String>) -> Finding {
    let what = what.into();
    Finding { kind, what }
}

async fn play(history: &History, mode: Mode) -> BTreeSet<Finding> {
    let play = Play::new(history.lists, Arc::new(Memory::new()));
    past(&play, history).await;
    play.scene.app.mishaps.arm([]);
    let mut asked = None;
    for step in &history.steps {
        match step {
            Step::Backfill if history.lists => asked = Some(backfill(&play).await),
            // With empty lists it brings in nothing, and what people asked for would count as owed.
            Step::Backfill => {}
            step => take(&play, *step, history.old_stays).await,
        }
    }
    play.scene.app.mishaps.disarm();
    play.scene.getfly_faults.clear();
    play.scene.kiotviet_faults.clear();
    let mut findings = BTreeSet::new();
    if mode == Mode::Liveness {
        rest(&play).await;
        findings.extend(unowned_and_lost(&play).await);
    }
    // A backfill that was asked for without an answer may have been kept or not.
    if let Some(from) = asked {
        play.is_to_bring_in_from(from);
    }
    // Whatever KiotViet has on record may be there, whether its delivery was answered or not.
    let mut evidence = play.evidence().await;
    evidence.told_customers = evidence.kiotviet.customers.iter().map(|c| c.id).collect();
    evidence.told_invoices = evidence.kiotviet.invoices.iter().map(|i| i.id).collect();
    let there = checker::check_records(&evidence).into_iter();
    findings.extend(there.filter(|f| matches!(f.kind, Kind::Doubled | Kind::Wrong)));
    for answered in play.scene.kiotviet.answered() {
        if let Some(status) = answered.status.filter(|status| FATAL.contains(status)) {
            let what = format!("KiotViet got {status}, which switches its webhook off");
            findings.insert(found(Kind::Wrong, what));
        }
    }
    findings
}

/// Before the first step: accounts in Getfly, old records in KiotViet, and the shop is connected.
async fn past(play: &Play, history: &History) {
    let kiotviet = &play.scene.kiotviet;
    kiotviet.add_staff(Staff::new(5002, "nhanvien2", "Nhân Viên Hai", "0900000502"));
    kiotviet.add_staff(Staff::new(5003, "nhanvien3", "Nhân Viên Ba", ""));
    for account in &history.accounts {
        let (phone, email) = pick(&ACCOUNTS, *account);
        play.seed(Account {
            account_name: "Có sẵn".to_owned(),
            phone_office: phone.to_owned(),
            email: email.to_owned(),
            manager: Some("mai".to_owned()),
            ..Account::default()
        });
        play.scene.pass(60).await;
    }
    let old = kiotviet.create_customer(new_customer(0, "0966 666 666", ""));
    kiotviet.create_invoice(content(0, Some(old), SELLERS[0]));
    play.note();
    play.scene.pass(3600).await;
    let on: &[&str] = match history.on {
        On::Both => &["customer", "order"],
        On::Customers => &["customer"],
        On::Orders => &["order"],
    };
    play.connect(on).await;
}

/// A person asks for everything from before the old records on; gives that moment. It is owed only
/// when the answer says so.
async fn backfill(play: &Play) -> Timestamp {
    let text = "2026-10-05T09:00:00+07:00";
    let from: Timestamp = text.parse().unwrap_or_default();
    let body = json!({"from": text});
    play.note();
    let status = play.wish("POST", &Play::backfill_path(), &body).await;
    if status.is_some_and(|status| (200..300).contains(&status)) {
        play.is_to_bring_in_from(from);
    }
    from
}

/// The faults have stopped: time passes, drains and a healing, and people retry dead letters.
async fn rest(play: &Play) {
    for _ in 0..ROUNDS {
        play.scene.pass(BETWEEN_ROUNDS).await;
        play.deliver().await;
        play.scene.drain().await;
        let dead = play.dead_letters().await;
        for seq in &dead {
            let path = format!("events/{seq}/retry");
            play.wish("POST", &path, &Value::Null).await;
        }
        let quiet = dead.is_empty() && play.scene.waiting().await.is_empty();
        if quiet && !is_backfilling(play).await {
            break;
        }
    }
    for _ in 0..HEALINGS {
        play.scene.heal().await;
        play.scene.pass(BETWEEN_DRAINS).await;
        play.deliver().await;
        play.scene.drain().await;
    }
}

async fn is_backfilling(play: &Play) -> bool {
    let (_, backfill) = play.scene.app.get(&Play::backfill_path()).await;
    !matches!(backfill["state"].as_str(), Some("none" | "done"))
}

/// What is owed, by what KiotViet was answered 2xx and by its lists, and is not there.
async fn unowned_and_lost(play: &Play) -> BTreeSet<Finding> {
    let mut evidence = play.evidence().await;
    // What KiotViet gave up, under any number of faults, is owed where its lists tell of it.
    evidence.given_up.clear();
    let mut findings = checker::check(&evidence);
    let of_webhooks = |f: &Finding| f.what.starts_with("the list of webhooks");
    findings.retain(|f| matches!(f.kind, Kind::Lost | Kind::Stuck) || of_webhooks(f));
    if is_backfilling(play).await {
        findings.insert(found(Kind::Stuck, "the backfill is not done"));
    }
    let (_, overview) = play.scene.app.get("overview").await;
    if overview["balanced"] != Value::Bool(true) {
        let what = format!("the counts do not add up: {}", overview["counts"]);
        findings.insert(found(Kind::Wrong, what));
    }
    findings
}

fn pick<T: Copy>(pool: &[T], index: u8) -> T {
    pool[usize::from(index) % pool.len()]
}

/// The id that this index chooses, of those there are.
fn chosen(ids: Vec<i64>, index: u8) -> Option<i64> {
    (!ids.is_empty()).then(|| ids[usize::from(index) % ids.len()])
}

fn a_customer(play: &Play, index: u8) -> Option<i64> {
    let all = play.scene.kiotviet.customers();
    chosen(all.iter().map(|c| c.id).collect(), index)
}

fn an_invoice(play: &Play, index: u8, old_stays: bool) -> Option<i64> {
    let mut all = play.scene.kiotviet.invoices();
    all.retain(|invoice| !old_stays || invoice.base_code() != OLD_INVOICE);
    chosen(all.iter().map(|i| i.id).collect(), index)
}

/// The same of a customer who is to be edited or told again.
fn a_changing_customer(play: &Play, index: u8, old_stays: bool) -> Option<i64> {
    a_customer(play, index).filter(|id| !old_stays || *id != OLD_CUSTOMER)
}

async fn take(play: &Play, step: Step, old_stays: bool) {
    let kiotviet = &play.scene.kiotviet;
    // No two versions of a record are of the same moment.
    play.note();
    play.scene.pass(1).await;
    match step {
        Step::Customer { phone, email } => {
            let number = kiotviet.customers().len();
            let (mut phone, email) = (pick(&PHONES, phone), pick(&EMAILS, email));
            let has = |account: Account| account.email.eq_ignore_ascii_case(email);
            if !email.is_empty() && !play.scene.getfly.accounts().into_iter().any(has) {
                // Somebody known by the phone first, whose e-mail another account gets later, would
                // seem linked wrongly to the checker, which sees all accounts at once.
                phone = "";
            }
            kiotviet.create_customer(new_customer(number, phone, email));
        }
        Step::Sale {
            customer,
            seller,
            content: of,
        } => {
            let customer = customer.and_then(|index| a_customer(play, index));
            kiotviet.create_invoice(content(of, customer, pick(&SELLERS, seller)));
        }
        Step::EditCustomer(index) => {
            if let Some(id) = a_changing_customer(play, index, old_stays) {
                kiotviet.edit_customer(id, |customer| {
                    customer.name.push_str(" (sửa)");
                    customer.address = Some("12 Phố Huế".to_owned());
                });
            }
        }
        Step::TellCustomer(index) => {
            if let Some(id) = a_changing_customer(play, index, old_stays) {
                kiotviet.edit_customer(id, |_| {});
            }
        }
        Step::EditInvoice {
            invoice,
            content: of,
        } => {
            if let Some(id) = an_invoice(play, invoice, old_stays) {
                kiotviet.edit_invoice(id, |invoice| {
                    *invoice = content(of, invoice.customer_id, invoice.sold_by);
                });
            }
        }
        Step::CancelInvoice(index) => {
            if let Some(id) = an_invoice(play, index, old_stays) {
                kiotviet.cancel_invoice(id);
            }
        }
        Step::Deliver => deliver(play, Carried::Whole).await,
        Step::DeliverChaotically(seed) => {
            kiotviet.set_chaos(Chaos {
                seed: seed.into(),
                duplicates: 0.7,
                out_of_order: true,
                merge_items: 3,
                merge_notifications: 2,
                ..Chaos::default()
            });
            deliver(play, Carried::Whole).await;
            kiotviet.set_chaos(Chaos::default());
        }
        Step::LoseDeliveries => deliver(play, Carried::Lost).await,
        Step::LoseAnswers => deliver(play, Carried::Unanswered).await,
        Step::Pass { seconds } => pass(play, seconds.into()).await,
        Step::Drain => live(play, play.scene.drain()).await,
        Step::Heal => live(play, play.scene.heal()).await,
        Step::Backfill => {}
        Step::Retry(seq) => {
            let path = format!("events/{}/retry", seq % 12 + 1);
            play.wish("POST", &path, &Value::Null).await;
        }
        Step::WebhookOff(index) => {
            let ids = kiotviet.webhooks().iter().map(|h| h.id).collect();
            if let Some(id) = chosen(ids, index) {
                kiotviet.set_webhook_active(id, false);
            }
        }
        Step::SwitchOnAgain(index) => {
            let kinds: Vec<_> = kiotviet.webhooks().into_iter().map(|h| h.kind).collect();
            if let Some(kind) = kinds.get(usize::from(index) % kinds.len().max(1)) {
                let webhook = match kind.as_str() {
                    "customer.update" => "customer",
                    _ => "order",
                };
                let path = format!("connections/{CONNECTION}/webhooks/{webhook}");
                play.wish("PUT", &path, &Value::Null).await;
            }
        }
        Step::Mishap { call, mishap } => {
            play.scene.app.mishaps.befall_later(call.into(), mishap);
        }
        Step::Fault {
            vendor,
            fault,
            calls,
        } => {
            let faults = match vendor {
                Vendor::KiotViet => &play.scene.kiotviet_faults,
                Vendor::Getfly => &play.scene.getfly_faults,
            };
            let mut rule = FaultRule::new(a_fault(fault));
            rule.when = When::First(calls.into());
            faults.add(rule);
        }
    }
}

/// How far a delivery comes.
#[derive(Clone, Copy, PartialEq)]
enum Carried {
    /// There and back.
    Whole,
    /// Not there.
    Lost,
    /// There, and no answer back.
    Unanswered,
}

/// KiotViet sends what is due, to a plugin that may die at it.
async fn deliver(play: &Play, carried: Carried) {
    let (kiotviet, app) = (&play.scene.kiotviet, &play.scene.app);
    play.note();
    for delivery in kiotviet.take_due() {
        if carried == Carried::Lost {
            kiotviet.settle(delivery, None);
            continue;
        }
        let request = kiotviet.request(&delivery);
        let answered = app.mishaps.live(app.answer(request)).await;
        let status = answered.as_ref().map(|(answer, _)| answer.status);
        kiotviet.settle(delivery, status.filter(|_| carried == Carried::Whole));
        if let Some((_, after)) = answered {
            app.mishaps.live(app.after(after)).await;
        }
    }
}

async fn live<T>(play: &Play, work: impl Future<Output = T>) {
    play.scene.app.mishaps.live(work).await;
}

/// Time passes, and KiotViet sends what becomes due; what is due within two minutes may wait.
async fn pass(play: &Play, seconds: u64) {
    let kiotviet = &play.scene.kiotviet;
    let now = play.scene.clock.now();
    let end = now.checked_add(Duration::from_secs(seconds)).unwrap_or(now);
    if seconds > LATEST {
        while let Some(due) = kiotviet.next_due().filter(|due| *due < end) {
            play.scene.pass_to(due).await;
            deliver(play, Carried::Whole).await;
        }
    }
    play.scene.pass_to(end).await;
}

fn a_fault(index: u8) -> Fault {
    let all = [
        Fault::Status(503, None),
        Fault::Status(429, Some(30)),
        Fault::Status(401, None),
        Fault::HtmlError(502),
        Fault::EmptyBody,
        Fault::HtmlBody200,
        Fault::ErrorsIn200,
        Fault::Garbled,
        Fault::Hang,
        Fault::DropBefore,
        Fault::Late(Duration::from_secs(20)),
        Fault::StoredButReplyLost,
        Fault::StoredThen500,
        Fault::StoredThenEmpty,
        Fault::StoredThenHang,
    ];
    all[usize::from(index) % all.len()].clone()
}

fn new_customer(number: usize, phone: &str, email: &str) -> NewCustomer {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    NewCustomer {
        name: format!("Khách {number}"),
        contact_number: text(phone),
        email: text(email),
        ..NewCustomer::default()
    }
}

/// What is sold: whole and broken quantities, discounts, a surcharge.
fn content(index: u8, customer_id: Option<i64>, sold_by: Option<i64>) -> NewInvoice {
    let plain = NewInvoice {
        customer_id,
        sold_by,
        lines: vec![Line::new("SP1", "Áo", 2.into(), 150_000.into())],
        ..NewInvoice::default()
    };
    let cloth = Line {
        discount: Some(Decimal::new(3_333, 0)),
        ..Line::new("SP2", "Vải", Decimal::new(15, 1), Decimal::new(99_999, 0))
    };
    let coffee = Line::new("SP4", "Cà phê", Decimal::new(3, 1), 199_990.into());
    match index % 4 {
        0 => plain,
        1 => NewInvoice {
            lines: vec![coffee],
            ..plain
        },
        2 => NewInvoice {
            lines: vec![cloth, coffee],
            discount: Some(10_000.into()),
            ..plain
        },
        _ => NewInvoice {
            lines: vec![cloth],
            surcharges: vec![Surcharge {
                name: "Phí giao hàng".to_owned(),
                price: 25_000.into(),
            }],
            ..plain
        },
    }
}
