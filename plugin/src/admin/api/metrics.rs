//! `GET /metrics`: Prometheus' text format (version 0.0.4). Everything comes from the store; nothing here
//! names a person, and labels hold only connections, reasons and the names of calls.

use crate::{
    admin::api::{assumptions, overview::oldest_waiting, problem::Problem},
    config::Config,
    journal::{
        account_index,
        acts::{self, Act},
        backfill::{self, State},
        changes,
        connection_name::ConnectionName,
        connections::{self, Switches, Webhook},
        cursor::{self, Counts},
        dead_reason::DeadReason,
        format::FORMAT,
        sorted_map::SortedMap,
        stats::{self, Stats},
    },
    reconcile::webhook_health,
    rules::verdict::Reason,
    time::Timestamp,
    web::Answer,
    worker::lease,
    world::World,
};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text under way.
struct Page(String);

impl Page {
    /// Begins a metric.
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        for part in [
            "# HELP ",
            name,
            " ",
            help,
            "\n# TYPE ",
            name,
            " ",
            kind,
            "\n",
        ] {
            self.0.push_str(part);
        }
    }

    /// One sample of it.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            self.0.push(if i == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            for c in text.chars() {
                match c {
                    '\n' => self.0.push_str("\\n"),
                    '"' | '\\' => self.0.extend(['\\', c]),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        self.0.push(' ');
        self.0.push_str(&value.to_string());
        self.0.push('\n');
    }

    /// A metric of one sample.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.metric(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// The whole page.
pub(in crate::admin) async fn metrics<W: World>(
    world: &W,
    config: &Config,
) -> Result<Answer, Problem> {
    let mut page = Page(String::new());
    let build = "kvgf_build_info";
    page.metric(build, "gauge", "Always 1; what runs is in the labels.");
    let format = FORMAT.to_string();
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("store_format", &format),
        (
            "component",
            config.component_digest.as_deref().unwrap_or_default(),
        ),
    ];
    page.sample(build, &labels, 1);
    let problems = u64::try_from(config.problems.len()).unwrap_or(u64::MAX);
    page.one(
        "kvgf_configuration_problems",
        "gauge",
        "Variables that are missing or malformed.",
        problems,
    );
    page.one(
        "kvgf_failed_log_ins_total",
        "counter",
        "Failed log-ins that this instance has seen; there may be others.",
        config.failed_log_ins.total(),
    );
    let name = "kvgf_security_events_total";
    let help = "What people did: log-ins, connections, switches, rotations, retries, dismissals.";
    page.metric(name, "counter", help);
    let acts = acts::counts(world).await?;
    for act in Act::ALL {
        let n = acts.get(act.as_str()).copied().unwrap_or_default();
        page.sample(name, &[("act", act.as_str())], n);
    }
    if let Some(index) = account_index::load(world).await? {
        let gauges = [
            (
                "kvgf_getfly_accounts",
                "Getfly's accounts that the last whole scan saw.",
                index.accounts,
            ),
            (
                "kvgf_getfly_accounts_scanned",
                "Accounts that the scan under way has seen; 0 when none runs.",
                index.scan.as_ref().map_or(0, |scan| scan.seen),
            ),
            (
                "kvgf_getfly_accounts_filled_seconds",
                "Seconds since the last whole scan of Getfly's accounts ended; 0 before the first one.",
                index.filled_at.map_or(0, |at| age(world.now(), at)),
            ),
            (
                "kvgf_getfly_accounts_unfiltered",
                "Whether Getfly ignores which accounts were changed, so that all are read daily.",
                u64::from(index.unfiltered_since.is_some()),
            ),
        ];
        for (name, help, value) in gauges {
            page.one(name, "gauge", help, value);
        }
    }
    let names = connections::names(world).await?;
    let stats = events(world, &names, &mut page).await?;
    shops(world, &names, &stats, &mut page).await?;
    changed(world, &names, &mut page).await?;
    Ok(Answer {
        content_type: Some(CONTENT_TYPE),
        body: page.0.into_bytes(),
        ..Answer::empty(200)
    })
}

async fn events<W: World>(
    world: &W,
    names: &[ConnectionName],
    page: &mut Page,
) -> Result<Stats, Problem> {
    let cursor = cursor::load(world).await?;
    let oldest = oldest_waiting(world, &cursor).await?;
    let counter = "counter";
    page.one(
        "kvgf_events_received_total",
        counter,
        "Events the worker has looked at.",
        cursor.counts.received,
    );
    page.metric(
        "kvgf_events_total",
        counter,
        "Events that ended, by outcome and reason.",
    );
    endings(names, &cursor.stats, page);
    of_each(
        page,
        ("kvgf_events_waiting", "Events that wait for another try."),
        cursor.counts.waiting,
        names,
        &cursor.shops,
        Counts::open,
    );
    page.one(
        "kvgf_oldest_waiting_seconds",
        "gauge",
        "Age of the oldest event that is not final; 0 when none waits.",
        oldest.map_or(0, |at| age(world.now(), at)),
    );
    of_each(
        page,
        ("kvgf_dead_letters", "Dead letters that need a person."),
        cursor.counts.dead,
        names,
        &cursor.shops,
        |counts| counts.dead,
    );
    page.metric(
        "kvgf_upstream_calls_total",
        counter,
        "The worker's calls, by HTTP status (none: no answer).",
    );
    for ((call, code), n) in cursor.stats.calls.iter() {
        let (vendor, endpoint) = call.split_once(' ').unwrap_or(("", call));
        let labels = [("vendor", vendor), ("endpoint", endpoint), ("code", code)];
        page.sample("kvgf_upstream_calls_total", &labels, *n);
    }
    let contradicted = assumptions::of_cursor(world, &cursor).await?.contradicted();
    page.one(
        "kvgf_assumptions_contradicted",
        "gauge",
        "What was taken for granted about the vendors and does not hold here.",
        u64::try_from(contradicted).unwrap_or(u64::MAX),
    );
    let held = lease::is_held(world).await?;
    page.one(
        "kvgf_lease_held",
        "gauge",
        "Whether a worker holds the lease now.",
        u64::from(held),
    );
    for (name, help, counts) in [
        (
            "kvgf_webhooks_registered_again_total",
            "Webhooks that KiotViet no longer delivered and that were registered again.",
            &cursor.stats.registered_again,
        ),
        (
            "kvgf_read_back_total",
            "Events that KiotViet had not delivered.",
            &cursor.stats.read_back,
        ),
    ] {
        page.metric(name, counter, help);
        for connection in known(names, counts) {
            let n = counts.get(connection).copied().unwrap_or_default();
            page.sample(name, &[("connection", connection.as_str())], n);
        }
    }
    Ok(cursor.stats)
}

async fn changed<W: World>(
    world: &W,
    names: &[ConnectionName],
    page: &mut Page,
) -> Result<(), Problem> {
    let name = "kvgf_orders_changed_total";
    let help = "Sales that KiotViet edited or cancelled after their order was made.";
    page.metric(name, "counter", help);
    for shop in names {
        let total = changes::load(world, shop).await?.total;
        page.sample(name, &[("connection", shop.as_str())], total);
    }
    Ok(())
}

/// Every connection that there was, and those that are counted: so each counter begins at 0.
fn known<'n, V>(
    names: &'n [ConnectionName],
    counted: &'n SortedMap<ConnectionName, V>,
) -> Vec<&'n ConnectionName> {
    let mut known: Vec<_> = names.iter().chain(counted.keys()).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// The events that ended; of a connection also what has not happened yet.
fn endings(names: &[ConnectionName], stats: &Stats, page: &mut Page) {
    let name = "kvgf_events_total";
    for ((outcome, reason), n) in stats.endings.iter() {
        let labels = [("outcome", outcome.as_str()), ("reason", reason.as_str())];
        page.sample(name, &labels, *n);
    }
    for connection in known(names, &stats.endings_at) {
        let mut endings = stats
            .endings_at
            .get(connection)
            .cloned()
            .unwrap_or_default();
        let ends = Reason::ALL.map(|reason| (reason.outcome().as_str(), reason.as_str()));
        let dies = DeadReason::ALL.map(|reason| ("dead", reason.as_str()));
        let closed = DeadReason::ALL.map(|reason| ("dismissed", reason.as_str()));
        for (outcome, reason) in ends.into_iter().chain(dies).chain(closed) {
            stats::add(&mut endings, (outcome.to_owned(), reason.to_owned()), 0);
        }
        for ((outcome, reason), n) in endings.iter() {
            let labels = [
                ("connection", connection.as_str()),
                ("outcome", outcome.as_str()),
                ("reason", reason.as_str()),
            ];
            page.sample(name, &labels, *n);
        }
    }
}

/// A gauge of each connection; what is of none that is known stands without one.
fn of_each(
    page: &mut Page,
    (name, help): (&str, &str),
    sum: u64,
    names: &[ConnectionName],
    shops: &SortedMap<ConnectionName, Counts>,
    count: fn(&Counts) -> u64,
) {
    page.metric(name, "gauge", help);
    let mut rest = sum;
    let known = known(names, shops);
    for connection in &known {
        let n = shops.get(*connection).map(count).unwrap_or_default();
        rest = rest.saturating_sub(n);
        page.sample(name, &[("connection", connection.as_str())], n);
    }
    if rest > 0 || known.is_empty() {
        page.sample(name, &[], rest);
    }
}

async fn shops<W: World>(
    world: &W,
    names: &[ConnectionName],
    stats: &Stats,
    page: &mut Page,
) -> Result<(), Problem> {
    let (active, checked, running, last, others, polled) = (
        "kvgf_webhook_active",
        "kvgf_webhooks_checked_seconds",
        "kvgf_backfill_running",
        "kvgf_last_event_seconds",
        "kvgf_other_bridges",
        "kvgf_polled_seconds",
    );
    let mut text = [active, checked, running, last, others, polled].map(|_| Page(String::new()));
    let [actives, checks, runs, lasts, bridges, polls] = &mut text;
    for name in names {
        // One that cannot be read hides no other.
        let Ok(Some(connection)) = connections::load(world, name).await else {
            continue;
        };
        let switches = connections::readable_switches(world, name).await?;
        let health = webhook_health::load(world, name).await?;
        let of_shop = [("connection", name.as_str())];
        for webhook in Webhook::ALL {
            let seen = health.of(webhook).active;
            if let (Some(_), Some(seen)) = (switches.since(webhook), seen) {
                let labels = [("connection", name.as_str()), ("webhook", webhook.as_str())];
                actives.sample(active, &labels, u64::from(seen));
            }
        }
        let polled_at = health.order.sound_at.filter(|_| switches.order.is_some());
        if let Some(at) = polled_at.filter(|_| connection.polls(Webhook::Order)) {
            polls.sample(polled, &of_shop, age(world.now(), at));
        }
        // Of a shop with both webhooks off nothing is expected.
        let is_on = switches != Switches::default();
        if let Some(at) = stats.last_event.get(name).filter(|_| is_on) {
            lasts.sample(last, &of_shop, age(world.now(), *at));
        }
        if let Some(at) = health.checked_at {
            checks.sample(checked, &of_shop, age(world.now(), at));
            bridges.sample(others, &of_shop, health.other_bridges);
        }
        let job = backfill::load(world, name).await?;
        let runs_now = job.is_some_and(|job| job.state == State::Running);
        runs.sample(running, &of_shop, u64::from(runs_now));
    }
    let helps = [
        "Whether KiotViet delivered a webhook that is on, at the last look.",
        "Seconds since KiotViet's list of webhooks was last seen.",
        "Whether a backfill runs.",
        "Seconds since the last event of a shop with a webhook on came.",
        "Other bridges with a store of their own that are registered for the shop.",
        "Seconds since the invoices of an F&B shop were last polled to the end.",
    ];
    let names = [active, checked, running, last, others, polled];
    for ((name, help), samples) in names.into_iter().zip(helps).zip(&text) {
        page.metric(name, "gauge", help);
        page.0.push_str(&samples.0);
    }
    Ok(())
}

fn age(now: Timestamp, then: Timestamp) -> u64 {
    now.saturating_since(then).as_secs()
}
