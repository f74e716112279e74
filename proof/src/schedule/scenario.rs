//! The races: the shop before them, and the request to each instance at the same moment.

use super::act::{Act, Ask};
use crate::search::run::Run;
use host::keyvalue::Memory;
use host_test::{
    shop::{CONNECTION, TestShop, customer, hoa, sale},
    variables::{MASTER_KEY, OTHER_MASTER_KEY},
};
use plugin::{
    journal::{connection_name::ConnectionName, keys},
    worker::lease::SLOT_SECONDS,
};
use sim::{
    Fault, FaultRule, When,
    kiotviet::{Delivery, Fnb, Settings},
};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

const BOTH: &[&str] = &["customer", "order"];

/// A race that is about to begin.
pub(super) struct Stage {
    /// The shop, whose evidence is recorded from the beginning.
    pub(super) run: Run,
    /// Its store.
    pub(super) store: Memory,
    /// One for each instance.
    pub(super) acts: Vec<Act>,
    /// Whether the drain at the end checks the webhooks, as one does once in a quarter of an hour.
    pub(super) heals: bool,
    /// What else is wrong at the end, besides the vendors' records.
    pub(super) check: fn(&TestShop) -> Vec<String>,
}

impl Stage {
    /// An unconnected shop; `lists` says whether its KiotViet's lists show anything.
    fn new(lists: bool) -> Self {
        let store = Memory::new();
        Self {
            run: Run::new(lists, Arc::new(store.clone())),
            store,
            acts: Vec::new(),
            heals: false,
            check: |_| Vec::new(),
        }
    }

    /// A shop with these webhooks on. Its lists are empty, so that no list scan brings in what is
    /// lost.
    async fn connected(webhooks: &[&str]) -> Self {
        let stage = Self::new(false);
        stage.run.connect(webhooks).await;
        stage
    }

    /// A shop with both webhooks on and lists that show everything.
    async fn listing() -> Self {
        let stage = Self::new(true);
        stage.run.connect(BOTH).await;
        stage
    }

    fn with(self, acts: Vec<Act>) -> Self {
        Self { acts, ..self }
    }

    fn shop(&self) -> &TestShop {
        &self.run.shop
    }
}

type Preparing = Pin<Box<dyn Future<Output = Stage>>>;

/// A race.
pub struct Scenario {
    /// Its name for people; [`named`] finds it by this.
    pub name: &'static str,
    /// How many instances take part.
    pub instances: usize,
    /// How long a frozen instance may stand still.
    pub freezes: &'static [Duration],
    /// By how many milliseconds each clock is ahead; empty: all are right.
    pub ahead: &'static [i64],
    pub(super) prepare: fn() -> Preparing,
}

/// When a late create takes effect: past every client's patience, and before it counts as settled.
const TAKES_EFFECT: Duration = Duration::from_secs(50);

/// Below the outbound timeout; past the end of the slot; past the next slot too.
const FREEZES: &[Duration] = &[
    Duration::from_secs(8),
    Duration::from_secs(35),
    Duration::from_secs(65),
];

/// One freeze ends in a slot's last two seconds, which are over by a clock that is ahead.
const FREEZES_TO_THE_END: &[Duration] = &[
    Duration::from_secs(8),
    Duration::from_millis(17_500),
    Duration::from_secs(35),
];

const fn race(name: &'static str, instances: usize, prepare: fn() -> Preparing) -> Scenario {
    Scenario {
        name,
        instances,
        freezes: FREEZES,
        ahead: &[],
        prepare,
    }
}

/// The same race with clocks that differ as far as they may: by almost two seconds.
const fn apart(mut race: Scenario) -> Scenario {
    race.ahead = &[0, 1_990];
    race.freezes = FREEZES_TO_THE_END;
    race
}

/// The races of two.
pub const SCENARIOS: &[Scenario] = &[
    race("the same customer twice", 2, || Box::pin(same_customer(2))),
    race("two customers with one phone", 2, || Box::pin(one_phone(2))),
    race(
        "two customers with one phone, the first create late",
        2,
        || Box::pin(late(one_phone(2), "/api/v6.1/account")),
    ),
    race("a customer and his invoice", 2, || {
        Box::pin(customer_and_invoice())
    }),
    race(
        "a customer and his invoice, the account's create late",
        2,
        || Box::pin(late(customer_and_invoice(), "/api/v6.1/account")),
    ),
    race("an invoice twice", 2, || Box::pin(invoice_twice())),
    race("an invoice twice, the order's create late", 2, || {
        Box::pin(late(invoice_twice(), "/api/v6.1/sale_order"))
    }),
    race("two drains", 2, || Box::pin(drains(2, 2))),
    race("two drains near the end of a slot", 2, || {
        Box::pin(drains(2, 19))
    }),
    race("a delivery beside a drain", 2, || {
        Box::pin(delivery_and_drain())
    }),
    race("a retry beside a drain", 2, || Box::pin(retry_and_drain(1))),
    race("the same retry twice", 2, || Box::pin(retry_and_drain(2))),
    race("healing beside a switch-off", 2, || {
        Box::pin(healing_and_switch())
    }),
    race("healing beside a switch-on", 2, || {
        Box::pin(healing_and_switch_on())
    }),
    race("healing beside a disconnection", 2, || {
        Box::pin(healing_and_leaving())
    }),
    race("a new master_key beside a disconnection", 2, || {
        Box::pin(sealing_and_leaving())
    }),
    race("healing twice", 2, || Box::pin(healing_twice())),
    race("two backfills", 2, || Box::pin(backfills())),
    race("two drains of a shop that is polled", 2, || {
        Box::pin(polls())
    }),
    race("a poll beside a switch-off", 2, || {
        Box::pin(poll_and_switch())
    }),
    apart(race(
        "two drains of a sale, by clocks that differ",
        2,
        || Box::pin(drains_of_a_sale()),
    )),
    apart(race(
        "the same customer twice, by clocks that differ",
        2,
        || Box::pin(same_customer(2)),
    )),
];

/// The races of three.
pub const THREE: &[Scenario] = &[
    race("the same customer thrice", 3, || Box::pin(same_customer(3))),
    race("three customers with one phone", 3, || {
        Box::pin(one_phone(3))
    }),
    race("three drains near the end of a slot", 3, || {
        Box::pin(drains(3, 19))
    }),
    race("a retry twice beside a drain", 3, || {
        Box::pin(retry_and_drain(3))
    }),
];

/// The scenario of this name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().chain(THREE).find(|s| s.name == name)
}

/// Waits until this many seconds of a lease's slot are over.
async fn into_slot(shop: &TestShop, seconds: i64) {
    let into = shop.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    let wait = (seconds - into).rem_euclid(SLOT_SECONDS);
    shop.pass(u64::try_from(wait).unwrap_or(0)).await;
}

fn take_all(shop: &TestShop) -> Vec<Act> {
    let due = shop.kiotviet.take_deliveries().into_iter();
    due.map(Act::Deliver).collect()
}

/// One delivery for each of the instances.
fn copies(delivery: Delivery, instances: usize) -> Vec<Act> {
    let copy = |n| {
        let mut copy = delivery.clone();
        // KiotViet sends an unanswered delivery again once, however many copies there were.
        copy.duplicate = n > 0;
        Act::Deliver(copy)
    };
    (0..instances).map(copy).collect()
}

async fn same_customer(instances: usize) -> Stage {
    let stage = Stage::connected(BOTH).await;
    let shop = stage.shop();
    into_slot(shop, 15).await;
    shop.kiotviet.create_customer(hoa());
    let acts = copies(shop.kiotviet.take_deliveries().remove(0), instances);
    stage.with(acts)
}

/// The same race where the first create of this kind takes effect long after its client gave up.
async fn late(stage: impl Future<Output = Stage>, path: &'static str) -> Stage {
    let stage = stage.await;
    let late = FaultRule::new(Fault::Late(TAKES_EFFECT))
        .on(http::Method::POST, path)
        .when(When::Nth(1));
    stage.shop().getfly_faults.add(late);
    stage
}

async fn one_phone(instances: usize) -> Stage {
    let stage = Stage::connected(BOTH).await;
    let shop = stage.shop();
    into_slot(shop, 15).await;
    for n in 0..instances {
        let new = customer(&format!("Khách {n}"), "0912345678");
        shop.kiotviet.create_customer(new);
    }
    let acts = take_all(shop);
    stage.with(acts)
}

/// A new customer buys.
fn new_sale(shop: &TestShop) {
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
}

async fn customer_and_invoice() -> Stage {
    let stage = Stage::connected(BOTH).await;
    let shop = stage.shop();
    into_slot(shop, 15).await;
    new_sale(shop);
    let acts = take_all(shop);
    stage.with(acts)
}

async fn invoice_twice() -> Stage {
    let stage = Stage::connected(&["order"]).await;
    let shop = stage.shop();
    into_slot(shop, 15).await;
    new_sale(shop);
    let acts = copies(shop.kiotviet.take_deliveries().remove(0), 2);
    stage.with(acts)
}

async fn drains(instances: usize, into: i64) -> Stage {
    let stage = Stage::connected(BOTH).await;
    let shop = stage.shop();
    for name in ["Khách 1", "Khách 2"] {
        let id = shop.kiotviet.create_customer(customer(name, "0912345678"));
        shop.kiotviet.create_invoice(sale(Some(id)));
    }
    shop.accept().await;
    into_slot(shop, into).await;
    stage.with((0..instances).map(|_| Act::Ask(Ask::Drain)).collect())
}

/// Near the end of a slot, and done within a moment.
async fn drains_of_a_sale() -> Stage {
    let stage = Stage::connected(&["order"]).await;
    let shop = stage.shop();
    // The index of accounts is filled: neither drain has anything else to do.
    shop.drain().await;
    shop.kiotviet.create_invoice(sale(None));
    shop.accept().await;
    // Before the seconds in which a worker takes the next slot too.
    into_slot(shop, 12).await;
    stage.with(vec![Act::Ask(Ask::Drain), Act::Ask(Ask::Drain)])
}

async fn delivery_and_drain() -> Stage {
    let stage = Stage::connected(BOTH).await;
    let shop = stage.shop();
    let first = customer("Khách 1", "0912345678");
    let id = shop.kiotviet.create_customer(first);
    shop.accept().await;
    into_slot(shop, 15).await;
    shop.kiotviet.create_invoice(sale(Some(id)));
    let mut acts = take_all(shop);
    acts.push(Act::Ask(Ask::Drain));
    stage.with(acts)
}

/// A dead letter whose cause is over, and a new customer with the same phone. One instance drains,
/// the others get the retry (or all do).
async fn retry_and_drain(retries: usize) -> Stage {
    let stage = Stage::connected(BOTH).await;
    let shop = stage.shop();
    shop.refuse_accounts(1);
    shop.kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    stage.run.deliver().await;
    shop.kiotviet
        .create_customer(customer("Anh Ba", "0912345678"));
    shop.accept().await;
    into_slot(shop, 15).await;
    let (retry, drain) = (|| Act::Ask(Ask::Retry(1)), || Act::Ask(Ask::Drain));
    stage.with(match retries {
        1 => vec![retry(), drain()],
        2 => vec![retry(), retry()],
        _ => vec![retry(), drain(), retry()],
    })
}

fn switch_off_at_kiotviet(shop: &TestShop) {
    shop.kiotviet.switch_off_webhooks();
}

/// One instance heals, another one gets this request.
fn heal_and(ask: Ask) -> Vec<Act> {
    vec![Act::Ask(Ask::Heal), Act::Ask(ask)]
}

/// KiotViet has switched both webhooks off and a sale was not delivered. One instance heals,
/// another one is asked to switch the customer webhook off.
async fn healing_and_switch() -> Stage {
    let stage = Stage::listing().await;
    switch_off_at_kiotviet(stage.shop());
    new_sale(stage.shop());
    into_slot(stage.shop(), 15).await;
    Stage {
        heals: true,
        ..stage.with(heal_and(Ask::Switch("customer", false)))
    }
}

/// KiotViet did not unregister the customer webhook when it was switched off. One instance heals,
/// another one is asked to switch it on again.
async fn healing_and_switch_on() -> Stage {
    let stage = Stage::listing().await;
    let shop = stage.shop();
    let refuse = FaultRule::new(Fault::Status(503, None)).on(http::Method::DELETE, "/webhooks/");
    let rule = shop.kiotviet_faults.add(refuse);
    stage.run.switch("customer", false).await;
    shop.kiotviet_faults.remove(rule);
    into_slot(shop, 15).await;
    Stage {
        heals: true,
        ..stage.with(heal_and(Ask::Switch("customer", true)))
    }
}

/// KiotViet has switched both webhooks off. One instance heals, another one is asked to disconnect.
async fn healing_and_leaving() -> Stage {
    let stage = Stage::listing().await;
    switch_off_at_kiotviet(stage.shop());
    into_slot(stage.shop(), 15).await;
    stage.with(heal_and(Ask::Leave))
}

/// `master_key` is rotated. One instance heals and seals the connection under the new key, another
/// one is asked to disconnect.
async fn sealing_and_leaving() -> Stage {
    let stage = Stage::listing().await;
    let both = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
    stage.shop().app.set_variable("master_key", &both);
    into_slot(stage.shop(), 15).await;
    Stage {
        check: |scene| {
            let name = ConnectionName::parse(CONNECTION).expect("a name");
            let (key, backend) = (keys::connection(&name), scene.app.backend());
            // Memory answers at once.
            let mut now = Context::from_waker(Waker::noop());
            match pin!(backend.get(&key)).poll(&mut now) {
                Poll::Ready(Ok(None)) => Vec::new(),
                _ => vec!["the connection's secrets are kept".to_owned()],
            }
        },
        ..stage.with(heal_and(Ask::Leave))
    }
}

async fn healing_twice() -> Stage {
    let stage = Stage::listing().await;
    switch_off_at_kiotviet(stage.shop());
    new_sale(stage.shop());
    into_slot(stage.shop(), 15).await;
    Stage {
        heals: true,
        ..stage.with(heal_and(Ask::Heal))
    }
}

/// An F&B shop that has sold, and whose poll is due.
async fn restaurant() -> Stage {
    let stage = Stage::new(true);
    let shop = stage.shop();
    let fnb = Settings::fnb();
    shop.kiotviet.update_settings(|settings| {
        settings.edition = fnb.edition;
        settings.token_path = fnb.token_path;
        settings.fnb = Fnb {
            has_users: true,
            ..fnb.fnb
        };
    });
    stage.run.connect(&["order"]).await;
    shop.drain().await;
    new_sale(shop);
    shop.pass(60).await;
    into_slot(shop, 15).await;
    stage
}

async fn polls() -> Stage {
    let stage = restaurant().await;
    stage.with(vec![Act::Ask(Ask::Drain), Act::Ask(Ask::Drain)])
}

async fn poll_and_switch() -> Stage {
    let stage = restaurant().await;
    stage.with(vec![
        Act::Ask(Ask::Drain),
        Act::Ask(Ask::Switch("order", false)),
    ])
}

/// Records older than the connection: only a backfill brings them in.
async fn backfills() -> Stage {
    let stage = Stage::new(true);
    new_sale(stage.shop());
    stage.shop().pass(5).await;
    stage.run.connect(BOTH).await;
    into_slot(stage.shop(), 15).await;
    stage.with(vec![Act::Ask(Ask::Backfill), Act::Ask(Ask::Backfill)])
}
