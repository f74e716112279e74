//! The races: what is in the shop, and what each instance is asked for at the same moment.

use crate::{
    native::{MASTER_KEY, OTHER_MASTER_KEY},
    scene::{CONNECTION, On, Scene, customer, hoa, sale},
    sim::{Fault, FaultRule, When, kiotviet::Delivery},
};
use plugin::sync::{keys, lease::SLOT_SECONDS};
use serde_json::{Value, json};
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// What one instance is asked for.
pub(super) enum Act {
    /// KiotViet delivers this.
    Deliver(Delivery),
    /// A person or a scheduler asks: method, path below `/api/`, body.
    Ask(&'static str, String, Value),
}

/// A race that is about to begin.
pub(super) struct Stage {
    pub(super) scene: Scene,
    /// One for each instance.
    pub(super) acts: Vec<Act>,
    /// Accounts and orders that Getfly must have in the end.
    pub(super) wanted: (usize, usize),
    /// The drain at the end looks after the webhooks, as it does once in a quarter of an hour.
    pub(super) heals: bool,
    /// What else is wrong in the end.
    pub(super) check: fn(&Scene) -> Vec<String>,
}

type Preparing = Pin<Box<dyn Future<Output = Stage>>>;

/// A race.
pub struct Scenario {
    /// What it is, for people; also finds it ([`named`]).
    pub name: &'static str,
    /// How many instances take part.
    pub instances: usize,
    /// How long a frozen instance may stand still.
    pub freezes: &'static [Duration],
    /// By how many milliseconds each one's clock is ahead, where they are not right.
    pub ahead: &'static [i64],
    pub(super) prepare: fn() -> Preparing,
}

/// Below the outbound timeout; past the end of the slot; past the next slot too.
const FREEZES: &[Duration] = &[
    Duration::from_secs(8),
    Duration::from_secs(35),
    Duration::from_secs(65),
];

/// One ends in a slot's last two seconds, which are over by a clock that is ahead.
const FREEZES_TO_THE_END: &[Duration] = &[
    Duration::from_secs(8),
    Duration::from_millis(10_500),
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

/// The same where the clocks differ as far as they may: by almost two seconds.
const fn apart(mut race: Scenario) -> Scenario {
    race.ahead = &[0, 1_990];
    race.freezes = FREEZES_TO_THE_END;
    race
}

/// The races of two.
pub const SCENARIOS: &[Scenario] = &[
    race("the same customer twice", 2, || Box::pin(same_customer(2))),
    race("two customers with one phone", 2, || Box::pin(one_phone(2))),
    race("a customer and his invoice", 2, || {
        Box::pin(customer_and_invoice())
    }),
    race("an invoice twice", 2, || Box::pin(invoice_twice())),
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

fn nothing(_: &Scene) -> Vec<String> {
    Vec::new()
}

fn drain() -> Act {
    Act::Ask("POST", "drain".to_owned(), Value::Null)
}

fn heal() -> Act {
    Act::Ask("POST", "drain?heal=now".to_owned(), Value::Null)
}

/// Waits until so many seconds of a lease's slot are over.
async fn into_slot(scene: &Scene, seconds: i64) {
    let into = scene.clock.now().as_second().rem_euclid(SLOT_SECONDS);
    let wait = (seconds - into).rem_euclid(SLOT_SECONDS);
    scene.pass(u64::try_from(wait).unwrap_or(0)).await;
}

/// Takes in what KiotViet has to tell, without processing it.
async fn take_in(scene: &Scene) {
    for delivery in scene.kiotviet.take_deliveries() {
        let request = scene.kiotviet.request(&delivery);
        let (answer, _) = scene.app.answer(request).await;
        scene.kiotviet.settle(delivery, Some(answer.status));
    }
}

fn take_all(scene: &Scene) -> Vec<Act> {
    let due = scene.kiotviet.take_deliveries().into_iter();
    due.map(Act::Deliver).collect()
}

/// One delivery as often as there are instances.
fn copies(delivery: Delivery, instances: usize) -> Vec<Act> {
    let copy = |n| {
        let mut copy = delivery.clone();
        // KiotViet sends again what was not answered once, however often it came.
        copy.duplicate = n > 0;
        Act::Deliver(copy)
    };
    (0..instances).map(copy).collect()
}

fn stage(scene: Scene, acts: Vec<Act>, wanted: (usize, usize)) -> Stage {
    Stage {
        scene,
        acts,
        wanted,
        heals: false,
        check: nothing,
    }
}

async fn same_customer(instances: usize) -> Stage {
    let scene = Scene::connected(On::Both).await;
    into_slot(&scene, 15).await;
    scene.kiotviet.create_customer(hoa());
    let acts = copies(scene.kiotviet.take_deliveries().remove(0), instances);
    stage(scene, acts, (1, 0))
}

async fn one_phone(instances: usize) -> Stage {
    let scene = Scene::connected(On::Both).await;
    into_slot(&scene, 15).await;
    for n in 0..instances {
        let new = customer(&format!("Khách {n}"), "0912345678");
        scene.kiotviet.create_customer(new);
    }
    let acts = take_all(&scene);
    stage(scene, acts, (1, 0))
}

async fn customer_and_invoice() -> Stage {
    let scene = Scene::connected(On::Both).await;
    into_slot(&scene, 15).await;
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    let acts = take_all(&scene);
    stage(scene, acts, (1, 1))
}

async fn invoice_twice() -> Stage {
    let scene = Scene::connected(On::Orders).await;
    into_slot(&scene, 15).await;
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    let acts = copies(scene.kiotviet.take_deliveries().remove(0), 2);
    stage(scene, acts, (1, 1))
}

async fn drains(instances: usize, into: i64) -> Stage {
    let scene = Scene::connected(On::Both).await;
    for name in ["Khách 1", "Khách 2"] {
        let id = scene.kiotviet.create_customer(customer(name, "0912345678"));
        scene.kiotviet.create_invoice(sale(Some(id)));
    }
    take_in(&scene).await;
    into_slot(&scene, into).await;
    let acts = (0..instances).map(|_| drain()).collect();
    stage(scene, acts, (1, 2))
}

/// Near the end of a slot, and done within a moment.
async fn drains_of_a_sale() -> Stage {
    let scene = Scene::connected(On::Orders).await;
    scene.kiotviet.create_invoice(sale(None));
    take_in(&scene).await;
    into_slot(&scene, 19).await;
    stage(scene, vec![drain(), drain()], (0, 1))
}

async fn delivery_and_drain() -> Stage {
    let scene = Scene::connected(On::Both).await;
    let first = customer("Khách 1", "0912345678");
    let id = scene.kiotviet.create_customer(first);
    take_in(&scene).await;
    into_slot(&scene, 15).await;
    scene.kiotviet.create_invoice(sale(Some(id)));
    let mut acts = take_all(&scene);
    acts.push(drain());
    stage(scene, acts, (1, 1))
}

/// A dead letter whose cause is over and a new customer of the same phone; one instance drains, the
/// others are asked for the retry (or all are).
async fn retry_and_drain(retries: usize) -> Stage {
    let scene = Scene::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(1)));
    scene
        .kiotviet
        .create_customer(customer("Chị Hoa", "0912345678"));
    scene.deliver().await;
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0912345678"));
    take_in(&scene).await;
    into_slot(&scene, 15).await;
    let retry = || Act::Ask("POST", "events/1/retry".to_owned(), Value::Null);
    let acts = match retries {
        1 => vec![retry(), drain()],
        2 => vec![retry(), retry()],
        _ => vec![retry(), drain(), retry()],
    };
    stage(scene, acts, (1, 0))
}

fn switch_off_at_kiotviet(scene: &Scene) {
    for hook in scene.kiotviet.webhooks() {
        scene.kiotviet.set_webhook_active(hook.id, false);
    }
}

fn registered(scene: &Scene) -> Vec<(String, bool)> {
    let all = scene.kiotviet.webhooks().into_iter();
    let mut all: Vec<_> = all.map(|w| (w.kind, w.is_active)).collect();
    all.sort();
    all
}

fn unlike(have: &[(String, bool)], wanted: &[(&str, bool)]) -> Vec<String> {
    let same = have.iter().map(|(kind, is)| (kind.as_str(), *is));
    if same.eq(wanted.iter().copied()) {
        return Vec::new();
    }
    vec![format!("registered at KiotViet: {have:?}, not {wanted:?}")]
}

/// KiotViet has switched both webhooks off and a sale was not told; one instance heals, another one
/// is asked to switch the customer webhook off.
async fn healing_and_switch() -> Stage {
    let scene = Scene::connected(On::Both).await;
    switch_off_at_kiotviet(&scene);
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    into_slot(&scene, 15).await;
    let path = format!("connections/{CONNECTION}/webhooks/customer");
    let acts = vec![heal(), Act::Ask("DELETE", path, Value::Null)];
    Stage {
        heals: true,
        check: |scene| unlike(&registered(scene), &[("invoice.update", true)]),
        ..stage(scene, acts, (1, 1))
    }
}

/// KiotViet did not unregister the customer webhook when it was switched off; one instance heals, another
/// one is asked to switch it on again.
async fn healing_and_switch_on() -> Stage {
    let scene = Scene::connected(On::Both).await;
    let refuse = FaultRule::new(Fault::Status(503, None)).on(http::Method::DELETE, "/webhooks/");
    let rule = scene.kiotviet_faults.add(refuse);
    scene.switch("DELETE", "customer").await;
    scene.kiotviet_faults.remove(rule);
    into_slot(&scene, 15).await;
    let path = format!("connections/{CONNECTION}/webhooks/customer");
    let acts = vec![heal(), Act::Ask("PUT", path, Value::Null)];
    Stage {
        check: both_sound,
        ..stage(scene, acts, (0, 0))
    }
}

/// KiotViet has switched both webhooks off; one instance heals, another one is asked to disconnect.
async fn healing_and_leaving() -> Stage {
    let scene = Scene::connected(On::Both).await;
    switch_off_at_kiotviet(&scene);
    into_slot(&scene, 15).await;
    let path = format!("connections/{CONNECTION}");
    let acts = vec![heal(), Act::Ask("DELETE", path, Value::Null)];
    Stage {
        check: |scene| unlike(&registered(scene), &[]),
        ..stage(scene, acts, (0, 0))
    }
}

/// `master_key` is rotated; one instance heals and seals the connection anew, another one is asked to
/// disconnect.
async fn sealing_and_leaving() -> Stage {
    let scene = Scene::connected(On::Both).await;
    let both = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
    scene.app.set_variable("master_key", &both);
    into_slot(&scene, 15).await;
    let path = format!("connections/{CONNECTION}");
    let acts = vec![heal(), Act::Ask("DELETE", path, Value::Null)];
    Stage {
        check: |scene| {
            let (key, backend) = (keys::connection(CONNECTION), scene.app.backend());
            let mut wrong = unlike(&registered(scene), &[]);
            // Memory answers at once.
            let mut now = Context::from_waker(Waker::noop());
            if pin!(backend.get(&key)).poll(&mut now) != Poll::Ready(Ok(None)) {
                wrong.push("the connection's secrets are kept".to_owned());
            }
            wrong
        },
        ..stage(scene, acts, (0, 0))
    }
}

fn both_sound(scene: &Scene) -> Vec<String> {
    let wanted = [("customer.update", true), ("invoice.update", true)];
    unlike(&registered(scene), &wanted)
}

async fn healing_twice() -> Stage {
    let scene = Scene::connected(On::Both).await;
    switch_off_at_kiotviet(&scene);
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    into_slot(&scene, 15).await;
    Stage {
        heals: true,
        check: both_sound,
        ..stage(scene, vec![heal(), heal()], (1, 1))
    }
}

/// Older than the connection: only a backfill brings it in.
async fn backfills() -> Stage {
    let scene = Scene::unconnected();
    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.pass(5).await;
    scene.connect().await;
    scene.switch("PUT", "customer").await;
    scene.switch("PUT", "order").await;
    into_slot(&scene, 15).await;
    let ask = || {
        let path = format!("connections/{CONNECTION}/backfill");
        Act::Ask("POST", path, json!({ "from": "2026-10-01" }))
    };
    stage(scene, vec![ask(), ask()], (1, 1))
}
