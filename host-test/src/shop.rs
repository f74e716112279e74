//! A shop in a few lines: a simulated KiotViet, a simulated Getfly, and the application between
//! them, natively ([`TestShop`]) or as WebAssembly ([`WasmShop`]). For tests of the whole product.

use crate::{
    admin::{self, Admin, Carrier, Reply},
    harness::{Builder, Harness, Outcome, START},
    native::Native,
    variables::test_variables,
};
use anyhow::Result;
use host::keyvalue::Backend;
use jiff::Timestamp;
use plugin::journal::{
    cursor::{self, Counts},
    entries,
    record::{Entry, Record, State},
};
use serde_json::Value;
use sim::{
    Clouds, Fault, FaultRule, Faulty, GetflySim, Habit, KiotVietSim, Personality, Request,
    SimClock, TokioClock, When,
    getfly::GetflySettings,
    kiotviet::{Line, NewCustomer, NewInvoice, Settings},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The name of the shop's connection.
pub const CONNECTION: &str = "shop";
/// Longer than two slots of the lease, in seconds: a crashed worker holds it no longer than that.
pub const AFTER_THE_LEASE: u64 = 61;

/// A customer of the shop with one number and no e-mail.
pub fn customer(name: &str, phone: &str) -> NewCustomer {
    NewCustomer {
        name: name.to_owned(),
        contact_number: Some(phone.to_owned()),
        ..NewCustomer::default()
    }
}

/// A customer whose number and e-mail occur in no other text.
pub fn hoa() -> NewCustomer {
    NewCustomer {
        email: Some("hoa@example.vn".to_owned()),
        ..customer("Chị Hoa", "0912 345 678")
    }
}

/// Another customer.
pub fn ba() -> NewCustomer {
    customer("Anh Ba", "0987654312")
}

/// An invoice of 300,000 đ that staff member 5001 sold to a customer, or to a walk-in.
pub fn sale(customer_id: Option<i64>) -> NewInvoice {
    NewInvoice {
        customer_id,
        sold_by: Some(5001),
        lines: vec![Line::new("SP1", "Áo", 2.into(), 150_000.into())],
        ..NewInvoice::default()
    }
}

/// See the module.
pub struct TestShop<A = Native> {
    /// The application.
    pub app: A,
    /// KiotViet.
    pub kiotviet: Arc<KiotVietSim>,
    /// Getfly.
    pub getfly: Arc<GetflySim>,
    /// Faults in front of KiotViet.
    pub kiotviet_faults: Arc<Faulty>,
    /// Faults in front of Getfly.
    pub getfly_faults: Arc<Faulty>,
    /// Time.
    pub clock: Arc<dyn SimClock>,
}

/// A shop at the component.
pub type WasmShop = TestShop<Arc<Harness>>;

/// Which webhooks are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Both.
    Both,
    /// Orders only (R4).
    Orders,
    /// Customers only.
    Customers,
    /// Neither.
    Neither,
}

impl On {
    /// Their words in our routes.
    pub fn webhooks(self) -> &'static [&'static str] {
        match self {
            Self::Both => &["customer", "order"],
            Self::Orders => &["order"],
            Self::Customers => &["customer"],
            Self::Neither => &[],
        }
    }
}

impl<A> TestShop<A> {
    /// An unconnected shop beside other shops of these settings at the same KiotViet; returns these
    /// too. `make` makes the application. Needs tokio's time, paused in tests.
    fn of(
        first: Settings,
        others: impl IntoIterator<Item = Settings>,
        make: impl FnOnce(&Arc<Faulty>, &Arc<Faulty>, &GetflySim, &Arc<dyn SimClock>) -> Result<A>,
    ) -> Result<(Self, Vec<Arc<KiotVietSim>>)> {
        let start: Timestamp = START.parse()?;
        let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(start));
        let shop = |settings| Arc::new(KiotVietSim::new(settings, clock.clone()));
        let kiotviet = shop(first);
        let others: Vec<_> = others.into_iter().map(shop).collect();
        let clouds = Arc::new(Clouds::new(kiotviet.clone(), others.iter().cloned()));
        let getfly = Arc::new(GetflySim::new(GetflySettings::default(), clock.clone()));
        let kiotviet_faults = Arc::new(Faulty::new(clouds, clock.clone(), 1));
        let getfly_faults = Arc::new(Faulty::new(getfly.clone(), clock.clone(), 2));
        let app = make(&kiotviet_faults, &getfly_faults, &getfly, &clock)?;
        let shop = Self {
            app,
            kiotviet,
            getfly,
            kiotviet_faults,
            getfly_faults,
            clock,
        };
        Ok((shop, others))
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits for this moment.
    pub async fn pass_to(&self, moment: Timestamp) {
        let wait = moment.duration_since(self.clock.now());
        if let Ok(wait) = wait.try_into() {
            tokio::time::sleep(wait).await;
        }
    }

    /// The numbers of accounts and orders in Getfly.
    pub fn in_getfly(&self) -> (usize, usize) {
        (self.getfly.accounts().len(), self.getfly.orders().len())
    }

    /// Gives both vendors these habits.
    pub fn take_on(&self, habits: &[Habit]) {
        let (mut kiotviet, mut getfly) = (self.kiotviet.settings(), self.getfly.settings());
        Personality::of(habits.iter().copied()).set(&mut getfly, &mut kiotviet);
        self.kiotviet.update_settings(|s| *s = kiotviet);
        self.getfly.update_settings(|s| *s = getfly);
    }

    /// Makes Getfly refuse the next `times` accounts.
    pub fn refuse_accounts(&self, times: u64) {
        let refuse = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
        self.getfly_faults.add(refuse.when(When::First(times)));
    }

    async fn carry_due<T>(
        &self,
        carry: impl AsyncFn(Request) -> T,
        status: fn(&T) -> u16,
    ) -> Vec<T> {
        let mut answers = Vec::new();
        loop {
            let due = self.kiotviet.take_deliveries();
            if due.is_empty() {
                return answers;
            }
            for delivery in due {
                let answer = carry(self.kiotviet.request(&delivery)).await;
                self.kiotviet.settle(delivery, Some(status(&answer)));
                answers.push(answer);
            }
        }
    }
}

impl<A: Carrier> TestShop<A> {
    /// Connects the shop with its right credentials.
    pub async fn connect(&self) -> Reply {
        self.connect_as(CONNECTION, &self.kiotviet).await
    }

    /// Connects a shop under this name.
    pub async fn connect_as(&self, name: &str, kiotviet: &KiotVietSim) -> Reply {
        self.app.connect(name, &kiotviet.settings()).await
    }

    /// Connects the shop and switches these webhooks on, a second before anything else happens.
    pub async fn connect_with(&self, on: On) {
        let (status, answer) = self.connect().await;
        assert_eq!(status, 200, "{answer}");
        for webhook in on.webhooks() {
            let (status, answer) = self.switch(webhook, true).await;
            assert_eq!(status, 200, "{answer}");
        }
        self.pass(1).await;
    }

    /// Switches a webhook on or off.
    pub async fn switch(&self, webhook: &str, on: bool) -> Reply {
        self.app.switch(CONNECTION, webhook, on).await
    }

    /// Asks for a backfill.
    pub async fn backfill(&self, wanted: Value) -> Reply {
        self.app.backfill(CONNECTION, &wanted).await
    }

    /// Carries every delivery that is due, one after another; returns the statuses that KiotViet
    /// got (0: no answer).
    pub async fn deliver(&self) -> Vec<u16> {
        let carry = async |request| {
            let answer = self.app.carry(request).await;
            answer.map_or(0, |answer| answer.status().as_u16())
        };
        self.carry_due(carry, |status| *status).await
    }

    /// Posts these bytes to the address of the shop's first webhook; returns the status.
    pub async fn post(&self, body: impl Into<bytes::Bytes>) -> u16 {
        let hooks = self.kiotviet.webhooks();
        let hook = hooks.first().expect("a webhook that is on").url.clone();
        let request = http::Request::post(hook).body(body.into());
        let answer = self.app.carry(request.expect("a request")).await;
        answer.expect("an answer").status().as_u16()
    }

    /// An admin's drain.
    pub async fn drain(&self) -> Value {
        self.app.drain().await.1
    }

    /// An admin's drain that checks the webhooks at once.
    pub async fn heal(&self) -> Value {
        self.app.heal().await.1
    }

    /// Drains every minute, as a scheduler would.
    pub async fn minutes(&self, minutes: u64) {
        for _ in 0..minutes {
            self.pass(60).await;
            self.drain().await;
        }
    }

    /// Drains repeatedly, past every retry time, until no event waits.
    pub async fn settle(&self) {
        for _ in 0..200 {
            self.drain().await;
            if self.waiting().await.is_empty() {
                return;
            }
            self.pass(600).await;
        }
    }

    /// All events, oldest first.
    pub async fn events(&self) -> Vec<Value> {
        let mut events = admin::listed(self.app.events("limit=200").await);
        events.reverse();
        events
    }

    /// The events that are not final.
    pub async fn waiting(&self) -> Vec<Value> {
        self.events()
            .await
            .into_iter()
            .filter(admin::waits)
            .collect()
    }

    /// `outcome reason` of every event, oldest first; a dead letter's outcome is `dead`.
    pub async fn outcomes(&self) -> Vec<String> {
        let word = |e: &Value| {
            let outcome = e["outcome"].as_str().or(e["state"].as_str()).unwrap_or("?");
            format!("{outcome} {}", e["reason"].as_str().unwrap_or("-"))
        };
        self.events().await.iter().map(word).collect()
    }
}

impl WasmShop {
    /// An unconnected shop with the component; `changed` may change variables or store. Needs
    /// tokio's time, paused in tests.
    ///
    /// # Errors
    /// If the component cannot be built.
    pub fn in_wasm(changed: impl FnOnce(Builder) -> Builder) -> Result<Self> {
        let make = |kiotviet: &_, getfly: &_, _: &_, clock: &Arc<dyn SimClock>| {
            let app = Harness::builder().vendors(kiotviet, getfly);
            Ok(Arc::new(changed(app.clock(clock.clone())).build()?))
        };
        Ok(Self::of(Settings::default(), [], make)?.0)
    }

    /// A connected shop with the component, with these webhooks on.
    ///
    /// # Errors
    /// If the component cannot be built.
    pub async fn connected_in_wasm(
        on: On,
        changed: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self> {
        let shop = Self::in_wasm(changed)?;
        shop.connect_with(on).await;
        shop.app.take_calls();
        Ok(shop)
    }

    /// Like [`TestShop::deliver`]; returns what each delivery led to and cost, once the guest is
    /// done.
    pub async fn deliver_measured(&self) -> Vec<Outcome> {
        let carry = async |request| self.app.request(request).await;
        self.carry_due(carry, |outcome| outcome.status).await
    }
}

impl TestShop {
    /// A connected shop with these webhooks on. Needs tokio's time, paused in tests.
    pub async fn connected(on: On) -> Self {
        let shop = Self::unconnected();
        shop.connect_with(on).await;
        shop.app.take_calls();
        shop
    }

    /// A shop before its connection.
    pub fn unconnected() -> Self {
        Self::beside([]).0
    }

    /// An unconnected shop of these settings beside others at the same KiotViet; returns these too.
    pub fn of_settings(
        first: Settings,
        others: impl IntoIterator<Item = Settings>,
    ) -> (Self, Vec<Arc<KiotVietSim>>) {
        let make = |kiotviet: &Arc<Faulty>,
                    getfly: &Arc<Faulty>,
                    sim: &GetflySim,
                    clock: &Arc<dyn SimClock>| {
            let variables = test_variables(&sim.settings().api_key);
            let (kiotviet, getfly) = (kiotviet.clone(), getfly.clone());
            Ok(Native::new(variables, kiotviet, getfly, clock.clone(), 7))
        };
        Self::of(first, others, make).expect("it starts at a moment")
    }

    /// An unconnected shop beside other shops at the same KiotViet, of these settings; returns
    /// these too.
    pub fn beside(others: impl IntoIterator<Item = Settings>) -> (Self, Vec<Arc<KiotVietSim>>) {
        Self::of_settings(Settings::default(), others)
    }

    /// This shop over another store, before anything was done in it.
    pub fn over(mut self, backend: Arc<dyn Backend>) -> Self {
        self.app = self.app.over(backend);
        self
    }

    /// Answers every delivery that is due, and processes nothing.
    pub async fn accept(&self) {
        for delivery in self.kiotviet.take_deliveries() {
            let (answer, _) = self.app.answer(self.kiotviet.request(&delivery)).await;
            self.kiotviet.settle(delivery, Some(answer.status));
        }
    }

    /// Carries every delivery as [`TestShop::deliver`] does, to an application that may die at it.
    /// KiotViet sends each delivery that was not answered 2xx again, at its own times.
    pub async fn deliver_under_faults(&self) {
        self.deliver_under_faults_of(&self.kiotviet).await;
    }

    /// The same for any shop.
    pub async fn deliver_under_faults_of(&self, kiotviet: &KiotVietSim) {
        while let Some(due) = kiotviet.next_due() {
            self.pass_to(due).await;
            for delivery in kiotviet.take_deliveries() {
                let request = kiotviet.request(&delivery);
                let answered = self.app.host_faults.live(self.app.answer(request)).await;
                let status = answered.as_ref().map(|(answer, _)| answer.status);
                kiotviet.settle(delivery, status);
                if let Some((_, after)) = answered {
                    self.app.host_faults.live(self.app.after(after)).await;
                }
            }
        }
    }

    /// Every event in the journal.
    pub async fn journal(&self) -> Vec<Record> {
        let reader = self.app.another(0);
        let tail = entries::tail(&reader).await.unwrap_or_default();
        let mut records = Vec::new();
        for seq in 1..=tail {
            match entries::read(&reader, seq).await {
                Ok(Some(Entry::Event(record))) => records.push(*record),
                Ok(_) => {}
                Err(e) => panic!("entry {seq}: {e}"),
            }
        }
        records
    }

    /// Waits until every retry time is over.
    pub async fn pass_last_retry(&self) {
        let times = self.journal().await.into_iter();
        let last = times.filter_map(|r| r.status.next_attempt_at()).max();
        let last = last.and_then(|t| t.to_string().parse().ok());
        if let Some(last) = last {
            self.pass_to(last).await;
        }
    }

    /// What is wrong once faults are over and everything was drained. It needs a journal from which
    /// no event was removed.
    pub async fn audit(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let journal = self.journal().await;
        for record in journal.iter().filter(|r| r.state() != State::Done) {
            let (seq, state, reason) = (record.seq, record.state(), record.status.reason());
            wrong.push(format!("event {seq} is {state:?} {reason:?}"));
        }
        self.audit_loss(&journal, &mut wrong);
        self.audit_doubles(&mut wrong);

        // KiotViet's whole lists are scanned: a lost record would come again.
        self.heal().await;
        let after = self.journal().await.len();
        if after != journal.len() {
            let n = after - journal.len();
            wrong.push(format!("{n} event(s) were only found by reading back"));
        }
        wrong.extend(self.audit_books().await);
        wrong
    }

    /// The part of the audit that no vendor's record shows: counts that do not add up, due lists
    /// that are left, and a drain that finds work.
    pub async fn audit_books(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.audit_counts(&mut wrong).await;
        self.app.take_calls();
        self.app.take_stored();
        self.drain().await;
        let calls = self.app.take_calls();
        let writes = self.app.take_stored();
        let idle = |key: &str| key.starts_with("kvgf/lease/");
        let writes = writes.iter().filter(|s| s.is_write() && !idle(&s.key));
        let writes: Vec<String> = writes.map(|s| format!("{} {}", s.call, s.key)).collect();
        if !(calls.is_empty() && writes.is_empty()) {
            wrong.push(format!("an idle drain did {calls:?} {writes:?}"));
        }
        wrong
    }

    /// The counts in the cursor, and the counts of the journal's events.
    pub async fn counts(&self) -> (Counts, Counts) {
        let mut recount = Counts::default();
        for record in self.journal().await {
            recount.received += 1;
            recount.enter(&record);
        }
        let cursor = cursor::load(&self.app).await.unwrap_or_default();
        (cursor.counts, recount)
    }

    async fn audit_counts(&self, wrong: &mut Vec<String>) {
        let (counts, recount) = self.counts().await;
        if counts != recount {
            wrong.push(format!("counts {counts:?}, recount {recount:?}"));
        }
        let cursor = cursor::load(&self.app).await.unwrap_or_default();
        let shops = || cursor.shops.iter().map(|(_, counts)| counts);
        let open: u64 = shops().map(Counts::open).sum();
        let dead: u64 = shops().map(|counts| counts.dead).sum();
        if (open, dead) != (counts.waiting, counts.dead) {
            wrong.push(format!("{counts:?}, by shop {:?}", cursor.shops));
        }
        // Events that are listed for later only wait for their removal.
        let soon = self.clock.now().as_second() + 86_000;
        let due = cursor.due;
        if due.keys().any(|start| *start < soon) {
            wrong.push(format!("due lists are left: {due:?}"));
        }
    }

    /// Checks that every item that KiotViet had a 200 for has its event.
    fn audit_loss(&self, journal: &[Record], wrong: &mut Vec<String>) {
        let answered = self.kiotviet.answered();
        for (action, id) in answered
            .iter()
            .filter(|a| a.accepted())
            .flat_map(|a| &a.items)
        {
            if !journal
                .iter()
                .any(|r| r.hint.as_ref().is_some_and(|h| h.id == *id))
            {
                wrong.push(format!("{action} {id} was answered 200 and is lost"));
            }
        }
        let given_up = self.kiotviet.undelivered();
        if !given_up.is_empty() {
            wrong.push(format!("KiotViet gave up on {given_up:?}"));
        }
    }

    fn audit_doubles(&self, wrong: &mut Vec<String>) {
        let mut accounts = self.getfly.accounts();
        accounts.retain(|account| !account.deleted);
        let orders = self.getfly.orders();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for account in &accounts {
            let of = |text| Some(text).filter(|t: &&str| !t.is_empty());
            let marks = [of(&account.phone_office), of(&account.email)];
            for mark in marks.into_iter().flatten() {
                *seen.entry(mark).or_default() += 1;
            }
        }
        for order in &orders {
            *seen.entry(&order.order_code).or_default() += 1;
            let code = &order.account_code;
            if !code.is_empty() && accounts.iter().all(|a| a.account_code != *code) {
                wrong.push(format!("order {} is of nobody: {code}", order.order_code));
            }
        }
        for (mark, times) in seen.into_iter().filter(|(_, times)| *times > 1) {
            wrong.push(format!("{times} times in Getfly: {mark}"));
        }
    }
}
