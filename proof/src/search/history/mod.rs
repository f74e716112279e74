//! Histories: what people, KiotViet and faults do to a shop, step by step, for a search that draws
//! them at random and makes a failing one small. Numbers in a step choose from small pools, whatever
//! their size, so that every list of steps can be run.
//!
//! A history is judged twice by the checker: at its end, with nothing repaired ([`Mode::Safety`]), or
//! after the faults have stopped and time has passed ([`Mode::Liveness`]). There may be two shops, which
//! write into one Getfly; customers of one person are in both. What is edited or deleted meanwhile is
//! judged by the versions that KiotViet's own log says were fetched.
//!
//! Getfly's people delete and merge accounts too. Not in them: that they edit them, and a shop that is connected under two names.

mod clocks;
mod people;
mod records;
mod steps;

pub use steps::{Step, Vendor};

use super::{
    checker::{self, Finding, Kind},
    run::{self, BETWEEN_DRAINS, BETWEEN_ROUNDS, ROUNDS, Run},
};
use host::keyvalue::Memory;
use host_test::admin::Admin;
use records::{SELLERS, content, new_customer, pick};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sim::{
    Habit, Personality,
    getfly::{Account, GetflySettings},
    kiotviet::Staff,
};
use std::{
    collections::BTreeSet,
    fs::{self, DirEntry},
    sync::Arc,
};

/// Accounts that Getfly has beforehand: phone, e-mail and a contact person's number. No number has spaces: whether an account
/// is found by such a text depends on how far the index is.
const ACCOUNTS: [(&str, &str, &str); 7] = [
    ("0944004444", "", ""),
    ("84987654312", "", ""),
    ("0955005555", "hoa@example.vn", ""),
    ("912345678", "hoa@example.vn", ""),
    ("0912345678", "", ""),
    ("", "", "0933003333"),
    ("0977007777", "", "0933003333"),
];
/// The moment from which a backfill is asked, before the old records.
const FROM: &str = "2026-10-05T09:00:00+07:00";
/// Statuses that switch a webhook off at once: KiotViet must never get one.
const FATAL: [u16; 5] = [400, 401, 403, 404, 405];
/// Healings after the faults: one mends the webhooks, the next one scans for what the first could
/// not know to be missing.
const HEALINGS: usize = 4;

/// Hours after which an event that keeps failing is a dead letter: retries take up to four days,
/// and a drain an hour adds to each.
const GIVEN_UP_AFTER: usize = 240;

/// A shop from its connection on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Which webhooks people switch on.
    pub on: On,
    /// Whether KiotViet's lists show anything. If not, only deliveries name records.
    pub lists: bool,
    /// Which webhooks people switch on in a second shop, if there is one.
    #[serde(default)]
    pub second: Option<On>,
    /// The deviations of two instances' clocks at first, in milliseconds; the first instance is
    /// used first.
    #[serde(default)]
    pub clocks: [i32; 2],
    /// The vendors' personality.
    #[serde(default)]
    pub personality: Personality,
    /// The accounts that Getfly has beforehand, in order of creation.
    pub accounts: Vec<u8>,
    /// The steps.
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

/// When a history is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// At its end, unrepaired: nothing doubled, nothing wrong, no status that switches a webhook
    /// off.
    Safety,
    /// After the faults have stopped and everything had time: nothing lost and nothing stuck
    /// either.
    Liveness,
}

/// Habits with an open finding, by the committed histories of that name: a search would find
/// nothing else.
///
/// # Panics
/// If one of them cannot be read.
pub fn open_habits() -> BTreeSet<Habit> {
    let folder = xtask::workspace_root().join("proof/histories");
    let files = fs::read_dir(folder).expect("the folder is there").flatten();
    let is_open = |file: &DirEntry| file.file_name().to_string_lossy().starts_with("open-");
    let read = |file: DirEntry| -> Personality {
        let text = fs::read_to_string(file.path()).expect("a history can be read");
        let fixture: Value = serde_json::from_str(&text).expect("a history is JSON");
        let of = fixture["history"]["personality"].clone();
        serde_json::from_value(of).expect("a history has a personality")
    };
    let personalities = files.filter(is_open).map(read);
    personalities.flat_map(|p| p.habits().to_vec()).collect()
}

/// All violations after this history; empty if all is well.
pub fn judge(history: &History, mode: Mode) -> BTreeSet<Finding> {
    let ended = run::in_virtual_time(run(history, mode));
    ended.unwrap_or_else(|| [run::never_ended()].into())
}

fn found(kind: Kind, what: impl Into<String>) -> Finding {
    let what = what.into();
    Finding { kind, what }
}

async fn run(history: &History, mode: Mode) -> BTreeSet<Finding> {
    let store = Arc::new(Memory::new());
    let run = match history.second {
        None => Run::new(history.lists, store),
        Some(_) => Run::of_two_shops(history.lists, store),
    };
    past(&run, history).await;
    run.shop.app.host_faults.arm([]);
    for step in &history.steps {
        match step {
            Step::Backfill if history.lists => {
                run.note();
                run.backfill(FROM).await;
            }
            // With empty lists it brings in nothing, and the records that people asked for would
            // count as owed.
            Step::Backfill => {}
            step => Box::pin(steps::take(&run, *step)).await,
        }
    }
    run.shop.app.host_faults.disarm();
    run.shop.getfly_faults.clear();
    run.shop.kiotviet_faults.clear();
    let mut findings = BTreeSet::new();
    if mode == Mode::Liveness {
        rest(&run).await;
        findings.extend(unowned_and_lost(&run).await);
    }
    // Every record of KiotViet's may exist, whether its delivery was answered or not.
    let mut evidence = run.evidence().await;
    for shop in &mut evidence.shops {
        shop.all_is_told();
    }
    let there = checker::check_records(&evidence).into_iter();
    findings.extend(there.filter(|f| matches!(f.kind, Kind::Doubled | Kind::Wrong)));
    let answered = run.shops().iter().flat_map(|s| s.kiotviet.answered());
    for answered in answered {
        if let Some(status) = answered.status.filter(|status| FATAL.contains(status)) {
            let what = format!("KiotViet got {status}, which switches its webhook off");
            findings.insert(found(Kind::Wrong, what));
        }
    }
    findings
}

/// Before the first step: puts accounts into Getfly and old records into KiotViet, and connects the
/// shops.
async fn past(run: &Run, history: &History) {
    let strict = |settings: &mut GetflySettings| settings.refuse_unknown_executor = true;
    run.shop.getfly.update_settings(strict);
    run.meets(&history.personality);
    for account in &history.accounts {
        let (phone, email, contact) = pick(&ACCOUNTS, *account);
        let contacts = Some(contact.to_owned()).filter(|text| !text.is_empty());
        run.seed(Account {
            account_name: "Có sẵn".to_owned(),
            phone_office: phone.to_owned(),
            email: email.to_owned(),
            contacts: contacts.into_iter().collect(),
            manager: Some("mai".to_owned()),
            ..Account::default()
        });
        run.shop.pass(60).await;
    }
    // Sellers with one id are two persons; Getfly knows one or the other.
    let sellers = ["0900000502", "0900000777"];
    for (shop, phone) in run.shops().iter().zip(sellers) {
        let kiotviet = &shop.kiotviet;
        kiotviet.add_staff(Staff::new(5002, "nhanvien2", "Nhân Viên Hai", phone));
        kiotviet.add_staff(Staff::new(5003, "nhanvien3", "Nhân Viên Ba", ""));
        let old = kiotviet.create_customer(new_customer(0, "0966 006 666", ""));
        kiotviet.create_invoice(content(0, Some(old), SELLERS[0]));
    }
    run.note();
    run.shop.pass(3600).await;
    run.set_clocks(history.clocks);
    for on in [Some(history.on), history.second].into_iter().flatten() {
        run.connect(match on {
            On::Both => &["customer", "order"],
            On::Customers => &["customer"],
            On::Orders => &["order"],
        })
        .await;
        run.turn();
    }
}

/// After the faults: time passes, drains and a healing run, and people retry dead letters.
async fn rest(run: &Run) {
    clocks::set_right(run).await;
    run.upgrade();
    let mut retried = Vec::new();
    for _ in 0..ROUNDS {
        for _ in run.shops() {
            run.switch_again().await;
            run.turn();
        }
        run.shop.pass(BETWEEN_ROUNDS).await;
        run.deliver().await;
        run.shop.drain().await;
        let dead = run.dead_letters().await;
        for seq in &dead {
            run.command(run.shop.app.retry(*seq)).await;
        }
        // An event that was retried and is dead again stays so.
        let quiet = dead == retried && run.shop.waiting().await.is_empty();
        retried = dead;
        if quiet && !is_backfilling(run).await {
            break;
        }
    }
    if run.has(Habit::FailsOnEmoji) {
        give_up(run).await;
    }
    for _ in 0..HEALINGS {
        run.shop.heal().await;
        run.shop.pass(BETWEEN_DRAINS).await;
        run.deliver().await;
        run.shop.drain().await;
    }
    if run.has(Habit::FailsOnEmoji) {
        // What the healings brought in.
        give_up(run).await;
    }
}

/// Waits until every event that Getfly always fails is a dead letter.
async fn give_up(run: &Run) {
    for _ in 0..GIVEN_UP_AFTER {
        if run.shop.waiting().await.is_empty() {
            break;
        }
        run.shop.pass(3600).await;
        run.shop.drain().await;
    }
}

async fn is_backfilling(run: &Run) -> bool {
    let mut one_is = false;
    for _ in run.shops() {
        let backfill = run.backfill_state().await;
        one_is |= !matches!(backfill["state"].as_str(), Some("none" | "done"));
        run.turn();
    }
    one_is
}

/// The records that are owed, by KiotViet's 2xx answers and by its lists, but absent.
async fn unowned_and_lost(run: &Run) -> BTreeSet<Finding> {
    let mut evidence = run.evidence().await;
    // What KiotViet gave up under any number of faults is owed if its lists show it.
    for shop in &mut evidence.shops {
        shop.given_up.clear();
    }
    let mut findings = checker::check(&evidence);
    let of_webhooks = |f: &Finding| f.what.starts_with("the list of webhooks");
    findings.retain(|f| matches!(f.kind, Kind::Lost | Kind::Stuck) || of_webhooks(f));
    if is_backfilling(run).await {
        findings.insert(found(Kind::Stuck, "the backfill is not done"));
    }
    let (_, overview) = run.shop.app.overview().await;
    if overview["balanced"] != Value::Bool(true) {
        let what = format!("the counts do not add up: {}", overview["counts"]);
        findings.insert(found(Kind::Wrong, what));
    }
    findings
}
