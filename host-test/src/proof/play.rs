//! One run of a scenario under a script of mishaps: a fresh shop, the past, what happens under mishaps,
//! then rest, and what the checker says of it. Time is virtual, every draw is seeded: the same script
//! gives the same run.

use super::{
    checker::{self, Finding, Kind},
    evidence::{Dismissed, Evidence, Since, Versions},
    scenario::Scenario,
    switched::Switched,
};
use crate::{
    keyvalue::{Backend, Memory},
    mishap::Mishap,
    scene::{CONNECTION, Scene},
    sim::getfly::{Account, User},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeSet, sync::Arc, time::Duration};

/// A worker that died holds its lease no longer, and what failed once or twice may be tried again.
pub(super) const BETWEEN_DRAINS: u64 = 300;
/// Pause between two rounds on the way to rest.
pub(super) const BETWEEN_ROUNDS: u64 = 601;
/// Rounds until rest; more is stuck.
pub(super) const ROUNDS: usize = 30;
/// A run that takes longer, in virtual time, never ends.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// The numbers of host calls, and what befalls each.
pub type Script = Vec<(usize, Mishap)>;

/// How a run went.
#[derive(Debug)]
pub struct Played {
    /// The host calls that mishaps could befall, by name.
    pub calls: Vec<String>,
    /// What must not be, by the checker.
    pub findings: BTreeSet<Finding>,
}

/// A shop under way.
pub struct Play {
    /// The shop and the plugin.
    pub scene: Scene,
    lists: bool,
    since: RefCell<Since>,
    dismissed: RefCell<Dismissed>,
    versions: RefCell<Versions>,
    seeded: RefCell<Vec<Account>>,
}

/// Plays a scenario under a script, in a runtime of its own, over a store in memory.
pub fn run(scenario: &Scenario, script: &[(usize, Mishap)]) -> Played {
    run_over(scenario, script, Arc::new(Memory::new()))
}

/// The same over this store, which must be empty and answer at once: time is virtual, and whoever
/// waits lets it pass.
pub fn run_over(
    scenario: &Scenario,
    script: &[(usize, Mishap)],
    store: Arc<dyn Backend>,
) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let all = async { tokio::time::timeout(LONGEST, play(scenario, script, store)).await };
    let ended = runtime.ok().and_then(|runtime| runtime.block_on(all).ok());
    ended.map_or_else(never_ended, |(calls, evidence)| Played {
        calls,
        findings: evidence.iter().flat_map(checker::check).collect(),
    })
}

fn never_ended() -> Played {
    let finding = Finding {
        kind: Kind::Stuck,
        what: "the run never ended".to_owned(),
    };
    Played {
        calls: Vec::new(),
        findings: [finding].into(),
    }
}

/// The host calls, and the evidence before and after a last healing.
pub(super) async fn play(
    scenario: &Scenario,
    script: &[(usize, Mishap)],
    store: Arc<dyn Backend>,
) -> (Vec<String>, [Evidence; 2]) {
    let play = Play::new(scenario.lists, store);
    (scenario.past)(&play).await;
    play.note();
    // Fetching a token and the users is part of what can go wrong.
    play.forget_caches().await;
    play.scene.app.mishaps.arm(script.iter().copied());
    (scenario.act)(&play).await;
    let calls = play.scene.app.mishaps.disarm();

    for _ in 0..ROUNDS {
        play.scene.pass(BETWEEN_ROUNDS).await;
        play.deliver().await;
        play.scene.drain().await;
        let content = (scenario.content)(&play).await;
        if content && play.scene.waiting().await.is_empty() {
            break;
        }
    }
    let at_rest = play.evidence().await;
    play.list_everything(true);
    play.scene.heal().await;
    play.scene.pass(BETWEEN_DRAINS).await;
    play.scene.drain().await;
    (calls, [at_rest, play.evidence().await])
}

/// Whether a person was told that a wish is done.
pub(super) fn is_done(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

impl Play {
    pub(super) fn new(lists: bool, store: Arc<dyn Backend>) -> Self {
        let play = Self {
            scene: Scene::unconnected().over(store),
            lists,
            since: RefCell::default(),
            dismissed: RefCell::default(),
            versions: RefCell::default(),
            seeded: RefCell::default(),
        };
        play.list_everything(lists);
        // Getfly's user with the phone of the shop's seller, and one with another.
        let getfly = &play.scene.getfly;
        getfly.add_user(User::new(12, "lan", "Nhân Viên Một", "+84 900 000 501"));
        getfly.add_user(User::new(11, "mai", "Chị Mai", "0900000777"));
        play
    }

    pub(super) async fn forget_caches(&self) {
        let store = self.scene.app.backend();
        let keys = store.list_keys().await.unwrap_or_default();
        for key in keys.iter().filter(|key| key.contains("/cache/")) {
            // One that stays spares the run a call to be tried, which the count of calls would show.
            let _ = store.delete(key).await;
        }
    }

    /// While its lists are empty, nothing can be read back that was lost.
    pub(super) fn list_everything(&self, list: bool) {
        let kiotviet = &self.scene.kiotviet;
        kiotviet.update_settings(|settings| settings.lists_are_empty = !list);
    }

    /// Connects the shop and switches on these webhooks.
    pub async fn connect(&self, webhooks: &[&str]) {
        self.scene.connect().await;
        for webhook in webhooks {
            let now = self.scene.clock.now();
            *self.since.borrow_mut().of_mut(webhook) = Switched::on(now);
            self.scene.switch("PUT", webhook).await;
        }
        // Whatever the shop does next is later than the switches.
        self.scene.pass(1).await;
    }

    /// A person switches a webhook on or off, which may be answered or not.
    pub async fn switch(&self, webhook: &str, on: bool) {
        let method = if on { "PUT" } else { "DELETE" };
        let at = self.scene.clock.now();
        let path = format!("connections/{CONNECTION}/webhooks/{webhook}");
        let status = self.wish(method, &path, &Value::Null).await;
        let done = is_done(status).then(|| self.scene.clock.now());
        let mut since = self.since.borrow_mut();
        since.of_mut(webhook).switch(on, at, done);
    }

    /// A person repeats the last switching of each webhook, where it was not answered.
    pub async fn switch_again(&self) {
        let since = self.since.borrow().clone();
        for (webhook, switched) in [("customer", since.customers), ("order", since.invoices)] {
            if !switched.is_sure() {
                self.switch(webhook, switched.should_be_on()).await;
            }
        }
    }

    /// A backfill was asked for at this moment, and that it began was answered or not: what was created from
    /// then on is new.
    pub fn is_to_bring_in_from(&self, from: Timestamp, asked: Timestamp, answered: bool) {
        let done = answered.then(|| self.scene.clock.now());
        let mut since = self.since.borrow_mut();
        since.customers.backfill(from, asked, done);
        since.invoices.backfill(from, asked, done);
    }

    /// A person dismisses a dead letter.
    pub async fn dismiss(&self, seq: u64) {
        let path = format!("events/{seq}");
        let app = &self.scene.app;
        let Some((200, event)) = app.mishaps.live(app.get(&path)).await else {
            // Who cannot see an event dismisses nothing.
            return;
        };
        let path = format!("events/{seq}/dismiss");
        let status = self.wish("POST", &path, &Value::Null).await;
        let refused = status.is_some_and(|status| (400..500).contains(&status));
        let key = event["key"]
            .as_str()
            .filter(|_| !refused)
            .unwrap_or_default();
        let mut dismissed = self.dismissed.borrow_mut();
        match event["kind"].as_str() {
            Some("customer") => dismissed.customers.extend(key.parse::<i64>()),
            Some("invoice") => {
                let invoices = self.scene.kiotviet.invoices().into_iter();
                let invoices = invoices.filter(|i| i.code == key || i.id.to_string() == key);
                dismissed.invoices.extend(invoices.map(|i| i.id));
            }
            _ => {}
        }
    }

    /// Getfly's people type in an account.
    pub fn seed(&self, account: Account) {
        let id = self.scene.getfly.seed_account(account);
        let accounts = self.scene.getfly.accounts().into_iter();
        let new = accounts.filter(|account| account.id == id);
        self.seeded.borrow_mut().extend(new);
    }

    /// Writes down how KiotViet's records are. To be called before they change again.
    pub fn note(&self) {
        let kiotviet = &self.scene.kiotviet;
        let mut versions = self.versions.borrow_mut();
        versions.note(kiotviet.customers(), kiotviet.invoices());
    }

    /// KiotViet delivers, and again at its own times what was not answered 2xx.
    pub async fn deliver(&self) {
        self.note();
        self.scene.deliver_mortally().await;
    }

    /// A scheduler's drain, some minutes later.
    pub async fn drain(&self) {
        self.scene.pass(BETWEEN_DRAINS).await;
        self.scene.app.mishaps.live(self.scene.drain()).await;
    }

    /// A person's wish through the API; gives the status, none when no answer came.
    pub async fn wish(&self, method: &str, path: &str, body: &Value) -> Option<u16> {
        let app = &self.scene.app;
        let answer = app.mishaps.live(app.api(method, path, body)).await;
        answer.map(|(status, _)| status)
    }

    /// The dead letters' numbers, from the public list.
    pub async fn dead_letters(&self) -> Vec<u64> {
        let events = self.scene.events().await.into_iter();
        let dead = events.filter(|event| event["state"] == "dead");
        dead.filter_map(|event| event["seq"].as_u64()).collect()
    }

    /// Where a backfill is asked for.
    pub fn backfill_path() -> String {
        format!("connections/{CONNECTION}/backfill")
    }

    async fn unfinished(&self) -> Vec<String> {
        let mut unfinished = Vec::new();
        for state in ["received", "retrying", "dead"] {
            let path = format!("events?limit=200&state={state}");
            let (_, list) = self.scene.app.get(&path).await;
            let events = list["events"].as_array().into_iter().flatten();
            unfinished.extend(events.map(|e| format!("{} {state} {}", e["seq"], e["reason"])));
        }
        unfinished
    }

    pub(super) async fn evidence(&self) -> Evidence {
        self.note();
        let unfinished = self.unfinished().await;
        let (kiotviet, getfly) = (&self.scene.kiotviet, &self.scene.getfly);
        let answered = kiotviet.answered().into_iter();
        let told: Vec<(String, i64)> = answered
            .filter(|a| a.accepted())
            .flat_map(|a| a.items)
            .collect();
        let told = |kind: &'static str| {
            let of_kind = told
                .iter()
                .filter(move |(action, _)| action.starts_with(kind));
            of_kind.map(|(_, id)| *id)
        };
        let listed_customers = kiotviet.customers().into_iter().map(|c| c.id);
        let listed_invoices = kiotviet.invoices().into_iter().map(|i| i.id);
        let listed = |_: &i64| self.lists;
        Evidence {
            retailer: kiotviet.settings().retailer,
            since: self.since.borrow().clone(),
            dismissed: self.dismissed.borrow().clone(),
            told_customers: told("customer.update")
                .chain(listed_customers.filter(listed))
                .collect(),
            told_invoices: told("invoice.update")
                .chain(listed_invoices.filter(listed))
                .collect(),
            given_up: kiotviet.undelivered(),
            kiotviet: self.versions.borrow().clone(),
            staff: kiotviet.staff(),
            webhooks: kiotviet.webhooks(),
            users: getfly.users(),
            seeded: self.seeded.borrow().clone(),
            accounts: getfly.accounts(),
            orders: getfly.orders(),
            writes: getfly
                .calls()
                .into_iter()
                .filter(|call| call.method != http::Method::GET)
                .collect(),
            unfinished,
        }
    }
}
