//! Histories: what people, KiotViet and mishaps do to a shop, step by step, for a search that draws
//! them at random and makes a failing one small. Numbers in a step choose from small pools, whatever
//! their size, so that every list of steps can be played.
//!
//! A history is judged twice by the checker: at its end, with nothing repaired ([`Mode::Safety`]), or
//! after the faults have stopped and time has passed ([`Mode::Liveness`]). There may be two shops, which
//! write into one Getfly; customers of one person are in both. What is edited or deleted meanwhile is
//! judged by the versions that KiotViet's own log says were fetched.
//!
//! Not in them: Getfly's people at work on accounts, and a shop that is connected under two names.

mod clocks;
mod people;
mod records;
mod steps;

pub use steps::{Step, Vendor};

use super::{
    checker::{self, Finding, Kind},
    play::{BETWEEN_DRAINS, BETWEEN_ROUNDS, Play, ROUNDS, is_done},
};
use host::keyvalue::Memory;
use jiff::Timestamp;
use records::{SELLERS, content, new_customer, pick};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sim::{
    getfly::{Account, GetflySettings},
    kiotviet::Staff,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Accounts that Getfly has beforehand: phone and e-mail. No number has spaces: Getfly's search finds
/// no such text (README says so).
const ACCOUNTS: [(&str, &str); 5] = [
    ("0944004444", ""),
    ("84987654312", ""),
    ("0955005555", "hoa@example.vn"),
    ("912345678", "hoa@example.vn"),
    ("0912345678", ""),
];
/// Statuses that switch a webhook off at once: KiotViet must never get one.
const FATAL: [u16; 5] = [400, 401, 403, 404, 405];
/// Healings after the faults: one mends the webhooks, the next one reads back what the first could not
/// know to be missing.
const HEALINGS: usize = 4;
/// A history that takes longer, in virtual time, never ends.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// A shop from its connection on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Which webhooks people switch on.
    pub on: On,
    /// Whether KiotViet's lists show anything. Where they do not, only deliveries tell.
    pub lists: bool,
    /// Which webhooks people switch on in a second shop, where there is one.
    #[serde(default)]
    pub second: Option<On>,
    /// How far the clocks of two instances are off at first, in milliseconds; the first is asked first.
    #[serde(default)]
    pub clocks: [i32; 2],
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
    let store = Arc::new(Memory::new());
    let play = match history.second {
        None => Play::new(history.lists, store),
        Some(_) => Play::of_two_shops(history.lists, store),
    };
    past(&play, history).await;
    play.scene.app.mishaps.arm([]);
    for step in &history.steps {
        match step {
            Step::Backfill if history.lists => backfill(&play).await,
            // With empty lists it brings in nothing, and what people asked for would count as owed.
            Step::Backfill => {}
            step => Box::pin(steps::take(&play, *step)).await,
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
    // Whatever KiotViet has on record may be there, whether its delivery was answered or not.
    let mut evidence = play.evidence().await;
    for shop in &mut evidence.shops {
        shop.all_is_told();
    }
    let there = checker::check_records(&evidence).into_iter();
    findings.extend(there.filter(|f| matches!(f.kind, Kind::Doubled | Kind::Wrong)));
    let answered = play.shops().iter().flat_map(|s| s.kiotviet.answered());
    for answered in answered {
        if let Some(status) = answered.status.filter(|status| FATAL.contains(status)) {
            let what = format!("KiotViet got {status}, which switches its webhook off");
            findings.insert(found(Kind::Wrong, what));
        }
    }
    findings
}

/// Before the first step: accounts in Getfly, old records in KiotViet, and the shops are connected.
async fn past(play: &Play, history: &History) {
    let strict = |settings: &mut GetflySettings| settings.refuse_unknown_executor = true;
    play.scene.getfly.update_settings(strict);
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
    // Sellers of one id are two persons, of whom Getfly knows the one or the other.
    let sellers = ["0900000502", "0900000777"];
    for (shop, phone) in play.shops().iter().zip(sellers) {
        let kiotviet = &shop.kiotviet;
        kiotviet.add_staff(Staff::new(5002, "nhanvien2", "Nhân Viên Hai", phone));
        kiotviet.add_staff(Staff::new(5003, "nhanvien3", "Nhân Viên Ba", ""));
        let old = kiotviet.create_customer(new_customer(0, "0966 006 666", ""));
        kiotviet.create_invoice(content(0, Some(old), SELLERS[0]));
    }
    play.note();
    play.scene.pass(3600).await;
    play.set_clocks(history.clocks);
    for on in [Some(history.on), history.second].into_iter().flatten() {
        play.connect(match on {
            On::Both => &["customer", "order"],
            On::Customers => &["customer"],
            On::Orders => &["order"],
        })
        .await;
        play.turn();
    }
}

/// A person asks for everything from before the old records on. It is owed only when the answer says so.
async fn backfill(play: &Play) {
    let text = "2026-10-05T09:00:00+07:00";
    let from: Timestamp = text.parse().unwrap_or_default();
    let body = json!({"from": text});
    play.note();
    let asked = play.scene.clock.now();
    let status = play.wish("POST", &play.backfill_path(), &body).await;
    play.is_to_bring_in_from(from, asked, is_done(status));
}

/// The faults have stopped: time passes, drains and a healing, and people retry dead letters.
async fn rest(play: &Play) {
    clocks::set_right(play).await;
    for _ in 0..ROUNDS {
        for _ in play.shops() {
            play.switch_again().await;
            play.turn();
        }
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
    let mut one_is = false;
    for _ in play.shops() {
        let (_, backfill) = play.scene.app.get(&play.backfill_path()).await;
        one_is |= !matches!(backfill["state"].as_str(), Some("none" | "done"));
        play.turn();
    }
    one_is
}

/// What is owed, by what KiotViet was answered 2xx and by its lists, and is not there.
async fn unowned_and_lost(play: &Play) -> BTreeSet<Finding> {
    let mut evidence = play.evidence().await;
    // What KiotViet gave up, under any number of faults, is owed where its lists tell of it.
    for shop in &mut evidence.shops {
        shop.given_up.clear();
    }
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
