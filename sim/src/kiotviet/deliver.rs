//! Webhook deliveries: the outbox, the attempts, and what an answer does to the registration.
//! Chaos is seeded: the same seed and the same actions give the same deliveries.

use super::{KiotVietSim, State};
use crate::{Boxed, Broken, Request, Upstream, clock::later};
use bytes::Bytes;
use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

/// One of these answers switches the webhook off for good (manual, and measured).
const FATAL: [u16; 5] = [400, 401, 403, 404, 405];

/// Carries a delivery to its URL and returns the status.
pub trait Deliverer: Send + Sync {
    /// Sends it. The five-second limit is KiotViet's, not the deliverer's.
    fn deliver<'a>(&'a self, request: Request) -> Boxed<'a, Result<u16, Broken>>;
}

impl<U: Upstream + ?Sized> Deliverer for U {
    fn deliver<'a>(&'a self, request: Request) -> Boxed<'a, Result<u16, Broken>> {
        Box::pin(async move { Ok(self.handle(request).await?.status().as_u16()) })
    }
}

/// One record inside a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Customer, invoice or order id.
    pub id: i64,
    /// Its JSON as sent.
    pub json: String,
}

/// One notification of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// `customer.update.500123456`.
    pub action: String,
    /// `Data`.
    pub items: Vec<Item>,
}

/// One delivery: the attempt that is due, or on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The envelope's `Id`.
    pub id: String,
    /// The envelope's `Attempt`, from 1.
    pub attempt: u32,
    /// Target.
    pub url: String,
    /// Content.
    pub notifications: Vec<Notification>,
    /// The earliest moment to send it.
    pub due: Timestamp,
    /// A copy made by chaos: it is answered and logged, but never retried.
    pub duplicate: bool,
    /// The registrations that asked for it.
    pub webhooks: Vec<i64>,
    secret: Option<String>,
    /// `{"RemoveId":[…]}` instead of an envelope.
    bare: bool,
}

impl Delivery {
    /// The raw body.
    pub fn body(&self) -> Bytes {
        let joined = |items: &[Item]| {
            let items: Vec<&str> = items.iter().map(|item| &*item.json).collect();
            items.join(",")
        };
        if self.bare {
            let ids: Vec<String> = self
                .notifications
                .iter()
                .map(|n| joined(&n.items))
                .collect();
            return format!(r#"{{"RemoveId":[{}]}}"#, ids.join(",")).into();
        }
        let notifications: Vec<String> = self
            .notifications
            .iter()
            .map(|n| {
                format!(
                    r#"{{"Action":"{}","Data":[{}]}}"#,
                    n.action,
                    joined(&n.items)
                )
            })
            .collect();
        let (id, attempt) = (&self.id, self.attempt);
        let notifications = notifications.join(",");
        format!(r#"{{"Id":"{id}","Attempt":{attempt},"Notifications":[{notifications}]}}"#).into()
    }

    /// Every action and record id in it.
    pub fn items(&self) -> Vec<(String, i64)> {
        let of = |n: &Notification| {
            let action = n.action.clone();
            let ids: Vec<_> = n.items.iter().map(|item| item.id).collect();
            ids.into_iter().map(move |id| (action.clone(), id))
        };
        self.notifications.iter().flat_map(of).collect()
    }
}

/// One attempt and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When it was settled.
    pub at: Timestamp,
    /// The envelope's `Id`.
    pub delivery_id: String,
    /// The envelope's `Attempt`.
    pub attempt: u32,
    /// Actions and record ids.
    pub items: Vec<(String, i64)>,
    /// None: no answer in time, or the connection broke.
    pub status: Option<u16>,
}

impl Answered {
    /// Whether the receiver accepted it (2xx).
    pub fn accepted(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// How deliveries misbehave. The default is orderly.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Chaos {
    /// Decides every draw.
    pub seed: u64,
    /// Probability (0 to 1) that a delivery is sent a second time, same `Id` and `Attempt`.
    pub duplicates: f64,
    /// First attempts wait for the next multiple of this, then go all at once.
    pub burst: Option<Duration>,
    /// Deliveries due at the same time are sent in random order.
    pub out_of_order: bool,
    /// The most records of one action in one notification (0 and 1: no merging).
    pub merge_items: usize,
    /// The most notifications in one envelope, for one URL and secret (0 and 1: no merging).
    pub merge_notifications: usize,
}

impl KiotVietSim {
    /// Misbehaves like this from now on.
    pub fn set_chaos(&self, chaos: Chaos) {
        let mut state = self.state();
        state.chaos = chaos;
        state.rng = StdRng::seed_from_u64(chaos.seed);
    }

    /// The deliveries that wait to be sent, retries included.
    pub fn outbox(&self) -> Vec<Delivery> {
        self.state().outbox.clone()
    }

    /// When the next delivery is due; none if the outbox is empty.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state()
            .outbox
            .iter()
            .map(|delivery| delivery.due)
            .min()
    }

    /// Every attempt so far.
    pub fn answered(&self) -> Vec<Answered> {
        self.state().answered.clone()
    }

    /// The deliveries that KiotViet gave up: actions and record ids that were queued and will not
    /// come.
    pub fn undelivered(&self) -> Vec<(String, i64)> {
        self.state().undelivered.clone()
    }

    /// Takes everything out of the outbox, due or not, and applies the chaos. The caller sends
    /// [`KiotVietSim::request`] and reports with [`KiotVietSim::settle`].
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        self.state().take(Timestamp::MAX)
    }

    /// Takes what is due by now, in the same way.
    pub fn take_due(&self) -> Vec<Delivery> {
        self.state().take(self.clock.now())
    }

    /// The signed request of a delivery.
    pub fn request(&self, delivery: &Delivery) -> Request {
        let body = delivery.body();
        let form = self.state().settings.signature;
        // ASSUMPTION: without a registered secret there is no signature.
        let signature = delivery.secret.as_ref().and_then(|s| form.header(s, &body));
        let mut request = http::Request::post(&*delivery.url).header(
            http::header::CONTENT_TYPE,
            "application/json; charset=utf-8",
        );
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature", signature);
        }
        request.body(body).unwrap_or_default()
    }

    /// Sends what is due and applies the effects of the answers; returns how many were accepted.
    /// Dropping the future loses the deliveries under way, as if KiotViet had crashed.
    pub async fn deliver_due<D: Deliverer + ?Sized>(&self, to: &D) -> usize {
        let batch = self.state().take(self.clock.now());
        let sent = batch.len();
        let parallel = self.state().settings.parallel_deliveries.max(1);
        let mut waiting = batch.into_iter().peekable();
        while waiting.peek().is_some() {
            let together = waiting.by_ref().take(parallel);
            join(together.map(|delivery| self.send(to, delivery)).collect()).await;
        }
        sent
    }

    fn send<'a, D: Deliverer + ?Sized>(&'a self, to: &'a D, delivery: Delivery) -> Boxed<'a, ()> {
        Box::pin(async move {
            if !self.state().still_wanted(&delivery) {
                return;
            }
            let limit = self.state().settings.delivery_timeout;
            let request = self.request(&delivery);
            let answer = tokio::time::timeout(limit, to.deliver(request)).await;
            self.settle(delivery, answer.ok().and_then(Result::ok));
        })
    }

    /// Reports the answer to a delivery; none: no answer in time, or a broken connection.
    pub fn settle(&self, delivery: Delivery, status: Option<u16>) {
        let now = self.clock.now();
        self.state().settle(delivery, status, now);
    }
}

impl State {
    /// Queues one record for every active webhook of a type.
    pub(super) fn queue(&mut self, kind: &str, id: i64, json: String, bare: bool, now: Timestamp) {
        let action = format!("{kind}.{}", self.settings.retailer_id);
        let due = burst_end(later(now, self.settings.delivery_delay), self.chaos.burst);
        let hooks = self.webhooks.values();
        for hook in hooks.filter(|hook| hook.is_active && hook.kind == kind) {
            self.numbers.delivery += 1;
            let json = json.clone();
            self.outbox.push(Delivery {
                id: guid(self.settings.retailer_id, self.numbers.delivery),
                attempt: 1,
                url: hook.url.clone(),
                notifications: vec![Notification {
                    action: action.clone(),
                    items: vec![Item { id, json }],
                }],
                due,
                duplicate: false,
                webhooks: vec![hook.id],
                secret: hook.secret.clone(),
                bare,
            });
        }
    }

    /// Takes out what is due by `now` and applies the chaos.
    fn take(&mut self, now: Timestamp) -> Vec<Delivery> {
        let (mut due, later) = std::mem::take(&mut self.outbox)
            .into_iter()
            .partition::<Vec<_>, _>(|delivery| delivery.due <= now);
        self.outbox = later;
        due.sort_by_key(|delivery| delivery.due);
        let mut batch: Vec<Delivery> = Vec::new();
        for delivery in due {
            if self.still_wanted(&delivery) {
                merge(&mut batch, delivery, &self.chaos);
            }
        }
        let mut sent = Vec::with_capacity(batch.len());
        for delivery in batch {
            if self.rng.random_bool(self.chaos.duplicates.clamp(0.0, 1.0)) {
                sent.push(Delivery {
                    duplicate: true,
                    ..delivery.clone()
                });
            }
            sent.push(delivery);
        }
        if self.chaos.out_of_order {
            sent.shuffle(&mut self.rng);
        }
        sent
    }

    /// Whether an active registration still wants it; if not, it is given up.
    fn still_wanted(&mut self, delivery: &Delivery) -> bool {
        // ASSUMPTION: deliveries queued for a webhook that is off or gone are discarded.
        let active = |id| self.webhooks.get(id).is_some_and(|hook| hook.is_active);
        let wanted = delivery.webhooks.iter().any(active);
        if !wanted && !delivery.duplicate {
            self.undelivered.extend(delivery.items());
        }
        wanted
    }

    fn settle(&mut self, mut delivery: Delivery, status: Option<u16>, now: Timestamp) {
        let answered = Answered {
            at: now,
            delivery_id: delivery.id.clone(),
            attempt: delivery.attempt,
            items: delivery.items(),
            status,
        };
        let accepted = answered.accepted();
        self.answered.push(answered);
        let fatal = status.is_some_and(|status| FATAL.contains(&status));
        // ASSUMPTION: 5xx, redirects, timeouts and broken connections are retried alike.
        let exhausted = !accepted && delivery.attempt >= self.settings.max_attempts;
        if fatal || (exhausted && !delivery.duplicate) {
            for id in &delivery.webhooks {
                if let Some(hook) = self.webhooks.get_mut(id) {
                    hook.is_active = false;
                    hook.modified_at = now;
                }
            }
            if !delivery.duplicate {
                self.undelivered.extend(delivery.items());
            }
        } else if !accepted && !delivery.duplicate {
            let wait = self.settings.retry_wait * delivery.attempt;
            delivery.due = later(now, wait);
            delivery.attempt += 1;
            if !self.settings.retry_keeps_id {
                self.numbers.delivery += 1;
                delivery.id = guid(self.settings.retailer_id, self.numbers.delivery);
            }
            self.outbox.push(delivery);
        }
    }
}

/// Merges a delivery into one that is already in the batch, or adds it at the end.
fn merge(batch: &mut Vec<Delivery>, delivery: Delivery, chaos: &Chaos) {
    let first = |d: &Delivery| d.attempt == 1 && !d.bare;
    let Some(notification) = delivery.notifications.first().filter(|_| first(&delivery)) else {
        batch.push(delivery);
        return;
    };
    let same_target = |d: &Delivery| d.url == delivery.url && d.secret == delivery.secret;
    for open in batch.iter_mut().filter(|d| first(d)) {
        if open.webhooks == delivery.webhooks
            && let [only] = open.notifications.as_mut_slice()
            && only.action == notification.action
            && only.items.len() < chaos.merge_items
        {
            only.items.extend(notification.items.iter().cloned());
            return;
        }
    }
    // ASSUMPTION: notifications share an envelope when their target and secret are the same.
    for open in batch.iter_mut().filter(|d| first(d)) {
        if same_target(open) && open.notifications.len() < chaos.merge_notifications {
            open.notifications.extend(delivery.notifications);
            open.webhooks.extend(delivery.webhooks);
            open.webhooks.sort_unstable();
            open.webhooks.dedup();
            return;
        }
    }
    batch.push(delivery);
}

/// The end of the burst interval that `at` lies in.
fn burst_end(at: Timestamp, burst: Option<Duration>) -> Timestamp {
    let Some(length) = burst.filter(|length| !length.is_zero()) else {
        return at;
    };
    let length = i128::try_from(length.as_nanos()).unwrap_or(i128::MAX);
    let into = at.as_nanosecond().rem_euclid(length);
    let wait = u64::try_from((length - into) % length).unwrap_or(u64::MAX);
    later(at, Duration::from_nanos(wait))
}

fn guid(retailer_id: i64, number: u64) -> String {
    format!(
        "{:08x}-0000-4000-8000-{number:012x}",
        retailer_id & 0xffff_ffff
    )
}

/// Waits for all of them, making progress on each.
async fn join(mut all: Vec<Boxed<'_, ()>>) {
    poll_fn(|context| {
        all.retain_mut(|one| Pin::as_mut(one).poll(context).is_pending());
        if all.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
