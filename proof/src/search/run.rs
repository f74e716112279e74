//! One run of a scenario under a script of faults at host calls: a fresh shop, the past, the action
//! under faults, then rest, and the checker's judgement. Time is virtual and every draw is seeded:
//! the same script makes the same run.

use super::{
    checker::{self, Finding, Kind},
    evidence::{self, Dismissed, Evidence, Gone, Since, Unfinished, Versions},
    model,
    switched::Switched,
};
use host::keyvalue::{Backend, Memory};
use host_test::{
    admin::{Admin, Reply},
    host_fault::HostFault,
    native::Native,
    shop::{AFTER_THE_LEASE, CONNECTION, TestShop},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim::{
    Habit, KiotVietSim, Personality,
    getfly::{Account, GetflySettings, User},
    kiotviet::Settings,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

/// A dead worker's lease is over by then, and a call that failed once or twice is due again.
pub(super) const BETWEEN_DRAINS: u64 = 300;
/// Pause between two rounds on the way to rest.
pub(super) const BETWEEN_ROUNDS: u64 = 601;
/// Rounds until rest; an event that needs more is stuck.
pub(super) const ROUNDS: usize = 30;
/// A run that takes longer, in virtual time, never ends.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// A step of a scenario.
pub type Step<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A scenario as a small value: the state before, the action under faults, and what people do
/// afterwards.
pub struct Scenario {
    /// Its name, as `--only` takes it.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub what: &'static str,
    /// Whether KiotViet's lists show anything. If not, no list scan can bring in what is lost.
    pub lists: bool,
    /// The state before, made without faults.
    pub past: for<'a> fn(&'a Run) -> Step<'a, ()>,
    /// Under faults.
    pub act: for<'a> fn(&'a Run) -> Step<'a, ()>,
    /// Without faults, repeatedly: people look and act; true once they are content. None if people
    /// have nothing to do: then one drain after the last retry time must be enough.
    pub people: Option<for<'a> fn(&'a Run) -> Step<'a, bool>>,
    /// Another shop, connected by the past.
    pub beside: Option<fn() -> Settings>,
}

/// The numbers of host calls, with the fault of each.
pub type Script = Vec<(usize, HostFault)>;

/// The record of a run.
#[derive(Debug)]
pub struct Ended {
    /// The host calls that faults could hit, by name.
    pub calls: Vec<String>,
    /// The checker's findings.
    pub findings: BTreeSet<Finding>,
}

/// The shops of a run; one by default.
pub struct Run {
    /// The first shop, Getfly and the plugin.
    pub shop: TestShop,
    lists: bool,
    personality: RefCell<Personality>,
    shops: Vec<Shop>,
    here: Cell<usize>,
    seeded: RefCell<Vec<Account>>,
    gone: RefCell<Vec<Gone>>,
    /// Another instance, for concurrent work.
    pub(super) beside: Native,
    /// The deviation of the clock of the machine that is not in use.
    pub(super) other_clock: Cell<SignedDuration>,
}

/// One KiotViet shop, and what people do with it.
pub(super) struct Shop {
    pub(super) kiotviet: Arc<KiotVietSim>,
    /// The name of its connection.
    connection: &'static str,
    since: RefCell<Since>,
    dismissed: RefCell<Dismissed>,
    versions: RefCell<Versions>,
}

/// Runs a scenario under a script, in a runtime of its own, over a store in memory.
pub fn scenario(scenario: &Scenario, script: &[(usize, HostFault)]) -> Ended {
    scenario_over(scenario, script, Arc::new(Memory::new()))
}

/// Runs it over this store, which must be empty and answer at once: time is virtual, and passes
/// when every task waits.
pub fn scenario_over(
    scenario: &Scenario,
    script: &[(usize, HostFault)],
    store: Arc<dyn Backend>,
) -> Ended {
    run_of(&Personality::default(), scenario, script, store)
}

/// Runs it like [`scenario`], with both vendors of this personality from the beginning.
pub fn scenario_at(
    personality: &Personality,
    scenario: &Scenario,
    script: &[(usize, HostFault)],
) -> Ended {
    run_of(personality, scenario, script, Arc::new(Memory::new()))
}

fn run_of(
    personality: &Personality,
    scenario: &Scenario,
    script: &[(usize, HostFault)],
    store: Arc<dyn Backend>,
) -> Ended {
    let ended = in_virtual_time(async {
        let run = Run::for_scenario(scenario, store);
        run.meets(personality);
        run.past(scenario).await;
        run.shop.app.host_faults.arm(script.iter().copied());
        (scenario.act)(&run).await;
        let calls = run.shop.app.host_faults.disarm();
        let findings = run.rest(scenario).await;
        Ended { calls, findings }
    });
    ended.unwrap_or_else(|| Ended {
        calls: Vec::new(),
        findings: [never_ended()].into(),
    })
}

/// What a run returns, in a runtime of its own; none if it never ended.
pub(super) fn in_virtual_time<T>(run: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let all = async { tokio::time::timeout(LONGEST, run).await };
    runtime.ok()?.block_on(all).ok()
}

pub(super) fn never_ended() -> Finding {
    Finding {
        kind: Kind::Stuck,
        what: "the run never ended".to_owned(),
    }
}

/// Whether a person was told that a command is done.
pub(crate) fn is_done(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

impl Run {
    /// An unconnected shop; `lists` says whether its KiotViet's lists show anything.
    pub(crate) fn new(lists: bool, store: Arc<dyn Backend>) -> Self {
        Self::of(lists, store, [])
    }

    /// The shops of a scenario.
    pub(crate) fn for_scenario(scenario: &Scenario, store: Arc<dyn Backend>) -> Self {
        let beside = scenario.beside.map(|settings| settings());
        Self::of(scenario.lists, store, beside)
    }

    /// Two shops at the same KiotViet.
    pub(super) fn of_two_shops(lists: bool, store: Arc<dyn Backend>) -> Self {
        let second = Settings {
            retailer: "cuahanghai".to_owned(),
            retailer_id: 500_654_321,
            client_id: "22222222-3333-4444-8555-666666666666".to_owned(),
            client_secret: "89ABCDEF0123456789ABCDEF0123456789ABCDEF".to_owned(),
            ..Settings::default()
        };
        Self::of(lists, store, [second])
    }

    fn of(
        lists: bool,
        store: Arc<dyn Backend>,
        others: impl IntoIterator<Item = Settings>,
    ) -> Self {
        let (shop, others) = TestShop::beside(others);
        let all = [shop.kiotviet.clone()].into_iter().chain(others);
        let named = all.zip([CONNECTION, "second"]);
        let shops = named.map(|(kiotviet, connection)| Shop {
            kiotviet,
            connection,
            since: RefCell::default(),
            dismissed: RefCell::default(),
            versions: RefCell::default(),
        });
        let shop = shop.over(store);
        let run = Self {
            shops: shops.collect(),
            beside: shop.app.another(8),
            other_clock: Cell::default(),
            shop,
            lists,
            personality: RefCell::default(),
            here: Cell::new(0),
            seeded: RefCell::default(),
            gone: RefCell::default(),
        };
        run.list_everything(lists);
        // Getfly's user with the phone of the shop's seller, and one with another.
        let getfly = &run.shop.getfly;
        getfly.add_user(User::new(12, "lan", "Nhân Viên Một", "+84 900 000 501"));
        getfly.add_user(User::new(11, "mai", "Chị Mai", "0900000777"));
        run
    }

    /// Makes the state before the faults.
    pub(super) async fn past(&self, scenario: &Scenario) {
        (scenario.past)(self).await;
        self.note();
        // Fetching a token and the users can fail too.
        self.forget_caches().await;
    }

    /// Without further faults, until no event waits: the findings then, and after a last healing.
    pub(super) async fn rest(&self, scenario: &Scenario) -> BTreeSet<Finding> {
        let mut findings = BTreeSet::new();
        self.upgrade();
        // Vendors that refuse or are unreadable at first are asked more than once.
        if scenario.people.is_none() && self.personality.borrow().habits().is_empty() {
            findings.extend(self.one_drain().await);
        }
        for _ in 0..ROUNDS {
            self.shop.pass(BETWEEN_ROUNDS).await;
            self.deliver().await;
            self.shop.drain().await;
            let cut = self.retry_what_was_cut().await;
            let content = match scenario.people {
                Some(people) => people(self).await,
                None => true,
            };
            if content && !cut && self.shop.waiting().await.is_empty() {
                break;
            }
        }
        let evidence = self.evidence_twice().await;
        findings.extend(evidence.iter().flat_map(checker::check));
        let books = self.shop.audit_books().await.into_iter();
        let wrong = |what| Finding {
            kind: Kind::Wrong,
            what,
        };
        findings.extend(books.map(wrong));
        findings
    }

    /// People retry the dead letters of which only the status came: a vendor that refuses a detail refused it, and the
    /// words were cut. True if there was one.
    async fn retry_what_was_cut(&self) -> bool {
        if self.personality.borrow().habits().is_empty() {
            return false;
        }
        let mut any = false;
        for event in self.shop.events().await {
            let last = event["notes"].as_array().and_then(|notes| notes.last());
            let is_cut = last.is_some_and(|note| note == checker::CUT_WORDS);
            if let (true, true, Some(seq)) =
                (event["state"] == "dead", is_cut, event["seq"].as_u64())
            {
                any = true;
                self.command(self.shop.app.retry(seq)).await;
            }
        }
        any
    }

    /// Guarantee 3: one drain after the last retry time ends every event.
    async fn one_drain(&self) -> Option<Finding> {
        self.shop.pass(AFTER_THE_LEASE).await;
        self.shop.pass_last_retry().await;
        self.shop.drain().await;
        let waiting = self.shop.waiting().await;
        (!waiting.is_empty()).then(|| Finding {
            kind: Kind::Stuck,
            what: format!("after one drain past the last retry time: {waiting:?}"),
        })
    }

    /// Both vendors have this personality from now on.
    pub(crate) fn meets(&self, personality: &Personality) {
        let mut getfly = self.shop.getfly.settings();
        for shop in &self.shops {
            let change = |kiotviet: &mut Settings| personality.set(&mut getfly, kiotviet);
            shop.kiotviet.update_settings(change);
        }
        self.shop
            .getfly
            .update_settings(|settings| *settings = getfly);
        self.personality.replace(personality.clone());
    }

    /// The vendors' settings were set anew: they have their personality again.
    pub(super) fn meets_again(&self) {
        let personality = self.personality.borrow().clone();
        self.meets(&personality);
    }

    /// They also have this habit from now on, instead of one that excludes it.
    pub(super) fn meets_too(&self, habit: Habit) {
        let known = self.personality.borrow().habits().to_vec();
        self.meets(&Personality::of([habit].into_iter().chain(known)));
    }

    /// A Getfly with version 3 of its API only is moved to a newer one.
    pub(super) fn upgrade(&self) {
        let upgraded = |settings: &mut GetflySettings| settings.old_version = false;
        self.shop.getfly.update_settings(upgraded);
    }

    /// Whether the vendors have this habit.
    pub(super) fn has(&self, habit: Habit) -> bool {
        self.personality.borrow().has(habit)
    }

    /// The shop of the present steps.
    pub(super) fn here(&self) -> &Shop {
        &self.shops[self.here.get()]
    }

    /// The next steps concern the next shop; after the last, the first.
    pub(super) fn turn(&self) {
        self.here.set((self.here.get() + 1) % self.shops.len());
    }

    /// All of them.
    pub(super) fn shops(&self) -> &[Shop] {
        &self.shops
    }

    pub(super) async fn forget_caches(&self) {
        let store = self.shop.app.backend();
        let keys = store.list_keys().await.unwrap_or_default();
        for key in keys.iter().filter(|key| key.contains("/cache/")) {
            // A cache that stays saves the run a call, and the count of calls would show that.
            let _ = store.delete(key).await;
        }
    }

    /// While its lists are empty, no list scan can bring in what was lost.
    pub(super) fn list_everything(&self, list: bool) {
        for shop in &self.shops {
            let kiotviet = &shop.kiotviet;
            kiotviet.update_settings(|settings| settings.lists_are_empty = !list);
        }
    }

    /// Connects the shop and switches on these webhooks.
    pub async fn connect(&self, webhooks: &[&str]) {
        let shop = self.here();
        let connection = shop.connection;
        self.shop.connect_as(connection, &shop.kiotviet).await;
        for webhook in webhooks {
            let (now, shown) = (self.shop.clock.now(), self.shop.app.time());
            *shop.since.borrow_mut().of_mut(webhook) = Switched::on(now, shown);
            self.shop.app.switch(connection, webhook, true).await;
        }
        // The shop's next actions are later than the switches.
        self.shop.pass(1).await;
    }

    /// A person switches a webhook on or off; the answer may be lost.
    pub async fn switch(&self, webhook: &str, on: bool) {
        let at = self.shop.clock.now();
        let asked = self.shop.app.switch(self.here().connection, webhook, on);
        let status = self.command(asked).await;
        self.is_switched(webhook, on, at, is_done(status));
    }

    /// Notes that a webhook was asked to be on or off at this moment, and whether it was answered.
    pub(crate) fn is_switched(&self, webhook: &str, on: bool, asked: Timestamp, answered: bool) {
        let done = answered.then(|| self.shop.clock.now());
        let mut since = self.here().since.borrow_mut();
        let shown = self.shown(asked);
        since.of_mut(webhook).switch(on, asked, done, shown);
    }

    /// A person repeats the last command for each webhook, if it was not answered.
    pub async fn switch_again(&self) {
        let since = self.here().since.borrow().clone();
        for (webhook, switched) in [("customer", since.customers), ("order", since.invoices)] {
            if !switched.is_sure() {
                self.switch(webhook, switched.should_be_on()).await;
            }
        }
    }

    /// Notes that a backfill was asked for at this moment, and whether it was answered: records
    /// created from `from` on are new.
    pub fn is_to_bring_in_from(&self, from: Timestamp, asked: Timestamp, answered: bool) {
        let done = answered.then(|| self.shop.clock.now());
        let mut since = self.here().since.borrow_mut();
        let shown = self.shown(asked);
        since.customers.backfill(from, asked, done, shown.clone());
        since.invoices.backfill(from, asked, done, shown);
    }

    /// A person dismisses a dead letter.
    pub async fn dismiss(&self, seq: u64) {
        let app = &self.shop.app;
        let Some((200, event)) = app.host_faults.live(app.event(seq)).await else {
            // A person who cannot see an event cannot dismiss it.
            return;
        };
        let status = self.command(app.dismiss(seq)).await;
        let refused = status.is_some_and(|status| (400..500).contains(&status));
        let key = event["key"]
            .as_str()
            .filter(|_| !refused)
            .unwrap_or_default();
        let mut shops = self.shops.iter();
        let Some(shop) = shops.find(|shop| event["connection"] == shop.connection) else {
            return;
        };
        let mut dismissed = shop.dismissed.borrow_mut();
        match event["kind"].as_str() {
            Some("customer") => dismissed.customers.extend(key.parse::<i64>()),
            Some("invoice") => {
                let invoices = shop.kiotviet.invoices().into_iter();
                let invoices = invoices.filter(|i| i.code == key || i.id.to_string() == key);
                dismissed.invoices.extend(invoices.map(|i| i.id));
            }
            _ => {}
        }
    }

    /// Getfly's people type in an account.
    pub fn seed(&self, account: Account) {
        let id = self.shop.getfly.seed_account(account);
        let accounts = self.shop.getfly.accounts().into_iter();
        let new = accounts.filter(|account| account.id == id);
        self.seeded.borrow_mut().extend(new);
    }

    /// The accounts that Getfly's people can see, but for those of walk-ins.
    pub(super) fn accounts(&self) -> Vec<Account> {
        let accounts = self.shop.getfly.accounts().into_iter();
        let shown = accounts.filter(|a| !a.deleted && a.account_name != model::WALK_IN);
        shown.collect()
    }

    /// Getfly's people delete this account, or merge it into the one of a code.
    pub(super) fn remove_account(&self, account: Account, into: Option<String>) {
        let getfly = &self.shop.getfly;
        match &into {
            Some(into) => getfly.merge_account(account.id, into),
            None => getfly.delete_account(account.id),
        };
        self.gone.borrow_mut().push(Gone {
            account,
            at: self.shop.clock.now(),
            into,
        });
    }

    /// Records the present versions of KiotViet's records. It must be called before they change
    /// again.
    pub fn note(&self) {
        for shop in &self.shops {
            let mut versions = shop.versions.borrow_mut();
            versions.note(shop.kiotviet.customers(), shop.kiotviet.invoices());
        }
    }

    /// KiotViet delivers, and repeats at its own times what was not answered 2xx.
    pub async fn deliver(&self) {
        self.note();
        for shop in &self.shops {
            self.shop.deliver_under_faults_of(&shop.kiotviet).await;
        }
    }

    /// A scheduler's drain, some minutes later.
    pub async fn drain(&self) {
        self.shop.pass(BETWEEN_DRAINS).await;
        self.shop.app.host_faults.live(self.shop.drain()).await;
    }

    /// A person's command through the API; returns the status, none if no answer came.
    pub async fn command(&self, asked: impl Future<Output = Reply>) -> Option<u16> {
        let answer = self.shop.app.host_faults.live(asked).await;
        answer.map(|(status, _)| status)
    }

    /// The dead letters' numbers, from the public list.
    pub async fn dead_letters(&self) -> Vec<u64> {
        let events = self.shop.events().await.into_iter();
        let dead = events.filter(|event| event["state"] == "dead");
        dead.filter_map(|event| event["seq"].as_u64()).collect()
    }

    /// A person asks for a backfill of what was created from this moment on.
    pub async fn backfill(&self, from: &str) {
        let asked_at = self.shop.clock.now();
        let body = json!({ "from": from });
        let asked = self.shop.app.backfill(self.here().connection, &body);
        let status = self.command(asked).await;
        let from = from.parse().unwrap_or_default();
        self.is_to_bring_in_from(from, asked_at, is_done(status));
    }

    /// The state of the backfill.
    pub async fn backfill_state(&self) -> Value {
        let connection = self.here().connection;
        self.shop.app.backfill_state(connection).await.1
    }

    /// The evidence for the checker at this moment.
    pub(crate) async fn evidence(&self) -> Evidence {
        self.note();
        let unfinished = evidence::unfinished(&self.shop.app).await;
        let unfinished = unfinished.unwrap_or_else(|e| {
            let shown = format!("the list: {e:#}");
            vec![Unfinished {
                shown,
                ..Unfinished::default()
            }]
        });
        let shops = self.shops.iter().map(|shop| {
            let mut evidence = evidence::Shop::of(
                &shop.kiotviet,
                shop.since.borrow().clone(),
                shop.dismissed.borrow().clone(),
                shop.versions.borrow().clone(),
            );
            shop.connection.clone_into(&mut evidence.connection);
            if self.lists {
                evidence.all_is_told();
            }
            evidence
        });
        let seeded = self.seeded.borrow().clone();
        let getfly = &self.shop.getfly;
        let mut evidence = Evidence::of(shops.collect(), getfly, seeded, unfinished);
        evidence.clocks = self.clocks();
        let asked = self.shop.getfly_faults.calls();
        let path = "/api/v6.1/users";
        evidence.users = evidence.users.behind(&asked, path);
        let asked = self.shop.kiotviet_faults.calls();
        // That layer does not see faults at host calls.
        let befallen = self.shop.app.host_faults.befallen();
        let befell = |call: &str| befallen.iter().any(|name| name == call);
        evidence.users.failed |= befell("Getfly GET /users");
        for shop in &mut evidence.shops {
            shop.staff = shop.staff.clone().behind(&asked, "/users");
            shop.staff.failed |= befell("KiotViet GET /users");
        }
        let evidence = evidence.without(&self.gone.borrow());
        evidence.of_vendors(self.personality.borrow().clone())
    }

    /// The evidence for the checker now, and after a healing that scans KiotViet's lists.
    pub(crate) async fn evidence_twice(&self) -> [Evidence; 2] {
        let at_rest = self.evidence().await;
        self.list_everything(true);
        self.shop.heal().await;
        self.shop.pass(BETWEEN_DRAINS).await;
        self.shop.drain().await;
        [at_rest, self.evidence().await]
    }
}
