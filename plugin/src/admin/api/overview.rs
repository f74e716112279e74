//! Where everything stands, for the page: the counts that must add up, what waits since when, and
//! each shop's webhooks and last days. Asks nobody outside; what is known of KiotViet is of the last look.

use crate::{
    admin::api::problem::Problem,
    journal::{
        connection_name::{ConnectionName, Upstream},
        connections::{self, Switches, Webhook},
        cursor::{self, Counts, Cursor},
        entries, no_atomics,
        sorted_map::SortedMap,
        stats::{Day, Tally},
        trouble::Trouble,
    },
    json::{ToJson, object},
    reconcile::webhook_health::{self, WebhookHealth},
    time::{Date, Timestamp},
    worker::outside,
    world::{StoreError, World},
};
use serde_json::Value;

/// Where everything stands.
pub(in crate::admin) struct Overview {
    /// As the API answers it.
    pub(in crate::admin) json: Value,
    /// What is wrong with each shop's webhooks.
    pub(in crate::admin) problems: SortedMap<ConnectionName, Trouble>,
    /// What only people can mend outside of this application.
    pub(in crate::admin) outside: Vec<Trouble>,
}

/// `GET /api/overview`.
pub(in crate::admin) async fn overview<W: World>(world: &W) -> Result<Overview, Problem> {
    let cursor = cursor::load(world).await?;
    let tail = entries::tail(world).await?;
    let now = world.now();
    let days = cursor.stats.all_days(world).await?;
    let (mut shops, mut problems) = (Vec::new(), SortedMap::default());
    let names = connections::names(world).await?;
    for name in names.clone() {
        // One that cannot be read hides no other.
        let Ok(Some(connection)) = connections::load(world, &name).await else {
            continue;
        };
        let switches = connections::readable_switches(world, &name).await?;
        let health = webhook_health::load(world, &name).await?;
        let problem = health.problem.as_ref().map(Trouble::to_string);
        shops.push(object(vec![
            ("name", name.to_json()),
            ("retailer", connection.retailer.to_json()),
            (
                "last_event_at",
                cursor.stats.last_event.get(&name).copied().to_json(),
            ),
            ("checked_at", health.checked_at.to_json()),
            ("missed_at", missed_at(&health).to_json()),
            ("problem", problem.to_json()),
            ("webhooks", webhooks(switches, &health)),
            ("days", shop_days(&days, &name)),
        ]));
        if let Some(problem) = health.problem {
            problems.insert(name, problem);
        }
    }
    let paused = cursor.pauses.iter().filter(|(_, pause)| pause.until > now);
    let paused = paused.map(|(upstream, pause)| {
        let side = match upstream {
            Upstream::Getfly => "Getfly",
            Upstream::KiotViet(name) => name.as_str(),
        };
        object(vec![
            ("side", side.to_json()),
            ("until", pause.until.to_json()),
        ])
    });
    let outside = outside::troubles(world, &names).await;
    let sentences = outside.iter().map(|trouble| trouble.to_string().to_json());
    let json = object(vec![
        ("counts", counts(&cursor.counts)),
        (
            "weaker",
            Some(no_atomics::WEAKER)
                .filter(|_| !world.is_atomic())
                .to_json(),
        ),
        ("outside", Value::Array(sentences.collect())),
        ("balanced", cursor.counts.balanced().to_json()),
        ("unread", tail.saturating_sub(cursor.low).to_json()),
        (
            "oldest_waiting_at",
            oldest_waiting(world, &cursor).await?.to_json(),
        ),
        ("paused", Value::Array(paused.collect())),
        ("connections", Value::Array(shops)),
    ]);
    Ok(Overview {
        json,
        problems,
        outside,
    })
}

/// When the oldest event came that is not final; none when nothing waits.
pub(in crate::admin) async fn oldest_waiting<W: World>(
    world: &W,
    cursor: &Cursor,
) -> Result<Option<Timestamp>, StoreError> {
    let open = cursor.due.iter().filter(|(_, b)| b.next < b.len);
    let retried = open.filter_map(|(_, bucket)| bucket.since).min();
    let first = entries::read_event(world, cursor.low.saturating_add(1)).await?;
    let unread = first
        .filter(|r| !r.state().is_final())
        .map(|r| r.received_at);
    Ok([retried, unread].into_iter().flatten().min())
}

fn counts(counts: &Counts) -> Value {
    object(vec![
        ("received", counts.received.to_json()),
        ("created", counts.created.to_json()),
        ("linked", counts.linked.to_json()),
        ("ignored", counts.ignored.to_json()),
        ("dead", counts.dead.to_json()),
        ("dismissed", counts.dismissed.to_json()),
        ("waiting", counts.waiting.to_json()),
    ])
}

fn missed_at(health: &WebhookHealth) -> Option<Timestamp> {
    health.customer.missed_at.max(health.order.missed_at)
}

fn webhooks(switches: Switches, health: &WebhookHealth) -> Value {
    let one = |webhook: Webhook| {
        let on = switches.since(webhook).is_some();
        let active = health.of(webhook).active.filter(|_| on);
        let value = object(vec![("on", on.to_json()), ("active", active.to_json())]);
        (webhook.as_str(), value)
    };
    object(Webhook::ALL.map(one).into())
}

fn shop_days(days: &[(Date, Day)], name: &ConnectionName) -> Value {
    let here = days
        .iter()
        .filter_map(|(date, day)| day.get(name).map(|tally| shop_day(*date, tally)));
    Value::Array(here.collect())
}

fn shop_day(date: Date, tally: &Tally) -> Value {
    object(vec![
        ("date", date.to_json()),
        ("created", tally.created.to_json()),
        ("linked", tally.linked.to_json()),
        ("ignored", tally.ignored.to_json()),
        ("dead", tally.dead.to_json()),
    ])
}
