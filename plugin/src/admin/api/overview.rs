//! Where everything stands, for the page: the counts that must add up, what waits since when, and
//! each shop's webhooks and last days. Asks nobody outside; what is known of KiotViet is of the last look.

use crate::{
    admin::api::{assumptions, problem::Problem, view},
    config::Processing,
    journal::{
        account_index,
        connection_name::{ConnectionName, Upstream},
        connections::{self, Switches, Webhook},
        cursor::{self, Counts, Cursor},
        entries, first_events, no_atomics,
        record::{Record, State},
        stats::{self, Day},
    },
    reconcile::webhook_health::{self, WebhookHealth},
    time::{Date, Timestamp},
    worker::outside,
    world::{StoreError, World},
};

/// `GET /api/overview`.
pub(in crate::admin) async fn overview<W: World>(
    world: &W,
    processing: Processing,
) -> Result<view::Overview, Problem> {
    let cursor = cursor::load(world).await?;
    let tail = entries::tail(world).await?;
    let now = world.now();
    let days = cursor.stats.all_days(world).await?;
    let open = open_dead(world, &cursor).await?;
    let open: Vec<_> = open.into_iter().map(day_of).collect();
    let unread = cursor.unread(tail);
    let mut shops = Vec::new();
    let names = connections::names(world).await?;
    for name in names.clone() {
        // One that cannot be read hides no other.
        let Ok(Some(connection)) = connections::load(world, &name).await else {
            continue;
        };
        let switches = connections::readable_switches(world, &name).await?;
        let health = webhook_health::load(world, &name).await?;
        let polls = connection.polls(Webhook::Order);
        shops.push(view::ShopOverview {
            checked_at: health.checked_at,
            days: shop_days(&days, &open, &name),
            first_events: first_events::list(world, &cursor, &name).await?.len(),
            first_events_looked_at: first_events::looked(world, &name).await?.is_some(),
            last_event_at: cursor.stats.last_event.get(&name).copied(),
            missed_at: health.customer.missed_at.max(health.order.missed_at),
            edition: connection.retailer.edition(),
            retailer: connection.retailer,
            webhooks: webhooks(polls, switches, &health),
            problem: health.problem.map(view::InWords),
            name,
        });
    }
    let paused = cursor.pauses.iter().filter(|(_, pause)| pause.matters(now));
    let paused = paused.map(|(upstream, pause)| view::Paused {
        side: match upstream {
            Upstream::Getfly => "Getfly".to_owned(),
            Upstream::KiotViet(name) => name.to_string(),
        },
        since: pause.since,
        until: Some(pause.until).filter(|until| *until > now),
        waiting: waiting(&cursor, upstream, unread, names.len()),
        why: pause.why.clone().map(view::InWords),
    });
    let outside = outside::troubles(world, &names).await;
    let accounts = account_index::load(world).await?;
    let is_inline = processing == Processing::Inline;
    Ok(view::Overview {
        advice: cursor.late_starts.advice(is_inline),
        accounts: accounts.map(view::KnownAccounts::from),
        balanced: cursor.counts.balanced(),
        connections: shops,
        contradicted: assumptions::of_cursor(world, &cursor).await?.contradicted(),
        counts: cursor.counts,
        oldest_waiting_at: oldest_waiting(world, &cursor).await?,
        outside: outside.into_iter().map(view::InWords).collect(),
        paused: paused.collect(),
        unread,
        weaker: (!world.is_atomic()).then(|| no_atomics::WEAKER.to_owned()),
    })
}

/// How many events wait for a paused upstream, of `shops` connections. Whose the `unread` entries are is not known before
/// they are read.
fn waiting(cursor: &Cursor, upstream: Upstream<'_>, unread: u64, shops: usize) -> u64 {
    let (waiting, is_all) = match upstream {
        Upstream::Getfly => (cursor.counts.waiting, true),
        Upstream::KiotViet(name) => (cursor.shops.get(name).map_or(0, Counts::open), shops == 1),
    };
    waiting.saturating_add(if is_all { unread } else { 0 })
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

fn webhooks(
    polls: bool,
    switches: Switches,
    health: &WebhookHealth,
) -> view::Webhooks<view::SeenHook> {
    let seen = |webhook: Webhook| {
        let on = switches.since(webhook).is_some();
        let active = health.of(webhook).active.filter(|_| on);
        view::SeenHook {
            active,
            on,
            polled_at: None,
        }
    };
    let order = seen(Webhook::Order);
    let polled_at = health.order.sound_at.filter(|_| polls && order.on);
    view::Webhooks {
        customer: seen(Webhook::Customer),
        order: view::SeenHook { polled_at, ..order },
    }
}

fn day_of(record: Record) -> (ConnectionName, Option<Date>) {
    let day = record.status.finished_at().and_then(stats::date);
    (record.connection, day)
}

/// The listed dead letters that still need a person.
pub(in crate::admin) async fn open_dead<W: World>(
    world: &W,
    cursor: &Cursor,
) -> Result<Vec<Record>, StoreError> {
    let mut open = Vec::new();
    for seq in cursor.dead.iter().copied() {
        if let Some(record) = entries::read_event(world, seq).await?
            && record.state() == State::Dead
        {
            open.push(record);
        }
    }
    Ok(open)
}

fn shop_days(
    days: &[(Date, Day)],
    open: &[(ConnectionName, Option<Date>)],
    name: &ConnectionName,
) -> Vec<view::ShopDay> {
    let open_on = |date: Date| {
        let here = open
            .iter()
            .filter(|(shop, day)| shop == name && *day == Some(date));
        here.count() as u64
    };
    let here = days.iter().filter_map(|(date, day)| {
        day.get(name).map(|tally| view::ShopDay {
            created: tally.created,
            date: *date,
            dead: tally.dead,
            open: open_on(*date),
            ignored: tally.ignored,
            linked: tally.linked,
        })
    });
    here.collect()
}
