//! The API for people: connections, webhooks, events, preview and drain. The page in `page/` calls the
//! same functions.

pub(in crate::admin) mod alerts;
pub(in crate::admin) mod assumptions;
pub(in crate::admin) mod backfill;
pub(in crate::admin) mod connections;
pub(in crate::admin) mod events;
pub(in crate::admin) mod first_day;
pub(in crate::admin) mod guard;
pub(in crate::admin) mod links;
pub(in crate::admin) mod live;
pub(in crate::admin) mod metrics;
pub(in crate::admin) mod overview;
pub(in crate::admin) mod preflight;
pub(in crate::admin) mod preview;
pub mod problem;
pub(in crate::admin) mod reconciliation;
pub(in crate::admin) mod request;
pub(in crate::admin) mod security;
pub(in crate::admin) mod staff;
pub(in crate::admin) mod tenant;
pub mod view;

use crate::{
    config::{Config, Ready},
    drain::{how::How, run::drain},
    journal::format,
    reconcile::upkeep::Upkeep,
    web::{Answer, Body, Inbound},
    world::World,
};
use guard::{Door, admit};
use preview::{Wanted, preview_items};
use problem::Problem;
use request::{Most, known, known_webhook, read, read_json};
use serde::Serialize;

/// Answers `/api/...`; `path` is what follows.
pub async fn api<W: World, B: Body>(
    world: &W,
    config: &Config,
    request: Inbound<B>,
    path: &[&str],
) -> Answer {
    let asked = security::of_api(&request.method, path);
    let client = request.client.clone();
    let begins_backfill = request.method == "POST" && matches!(path, [_, _, "backfill"]);
    let answer = match route(world, config, request, path).await {
        Ok(answer) => answer,
        Err(problem) => return problem.answer(),
    };
    // A backfill that is begun is answered 202, its preview 200.
    let is_preview = begins_backfill && answer.status == 200;
    if let Some((act, about)) = asked.filter(|_| (200..300).contains(&answer.status) && !is_preview)
    {
        let by = security::By {
            token: "admin_token",
            client: client.as_deref(),
        };
        security::done(world, by, act, about).await;
    }
    answer
}

/// Answers `GET /metrics`, to a caller with the admin token or the `metrics_token`.
pub async fn metrics<W: World, B: Body>(world: &W, config: &Config, request: Inbound<B>) -> Answer {
    let own = config.metrics_token.as_ref();
    let admitted = admit(world, config, Door::Metrics, own, &request).await;
    let allowed = admitted.and_then(|()| match request.method.as_str() {
        "GET" => Ok(()),
        _ => Err(problem::method_not_allowed("GET")),
    });
    let page = match allowed {
        Ok(()) => metrics::metrics(world, config).await,
        Err(problem) => Err(problem),
    };
    page.unwrap_or_else(|problem| problem.answer())
}

async fn route<W: World, B: Body>(
    world: &W,
    config: &Config,
    request: Inbound<B>,
    path: &[&str],
) -> Result<Answer, Problem> {
    let own = match path {
        ["drain"] => config.drain_token.as_ref(),
        _ => None,
    };
    admit(world, config, Door::Api, own, &request).await?;
    // A drain finds out by itself.
    if path != ["drain"] {
        format::check_store(world).await?;
    }
    let method = request.method.clone();
    // What people look at works without the upstreams' variables; everything else needs them.
    let query = request.query.as_deref();
    let shown = match (method.as_str(), path) {
        ("GET", ["events"]) => Some(answer(
            &events::list(world, config.sealer.as_ref(), query).await?,
        )),
        ("GET", ["events", seq]) => Some(answer(&events::one(world, seq).await?)),
        ("GET", ["assumptions"]) => Some(answer(&assumptions::assumptions(world).await?)),
        ("GET", ["overview"]) => Some(answer(&overview::overview(world, config.processing).await?)),
        ("GET", ["connections", name, "links"]) => Some(answer(&links::list(world, name).await?)),
        ("GET", ["connections", name, "backfill"]) => {
            Some(answer(&backfill::state(world, name).await?))
        }
        _ => None,
    };
    match (shown, &config.ready) {
        (Some(shown), _) => Ok(shown),
        (None, Some(ready)) => route_ready(world, ready, request, path).await,
        (None, None) => Err(problem::not_configured(config)),
    }
}

fn answer(done: &impl Serialize) -> Answer {
    Answer::json(200, done)
}

/// The routes that need the upstreams' variables.
async fn route_ready<W: World, B: Body>(
    world: &W,
    ready: &Ready,
    request: Inbound<B>,
    path: &[&str],
) -> Result<Answer, Problem> {
    let method = request.method.clone();
    let query = request.query.as_deref();
    Ok(match (method.as_str(), path) {
        ("GET", ["alerts"]) => answer(&alerts::alerts(world, ready).await?),
        ("POST", ["alerts", "test"]) => answer(&alerts::test(world, ready).await?),
        ("POST", ["alerts", how @ ("mute" | "unmute")]) => {
            let cause = alerts::asked(&read_json(request.body).await?)?;
            answer(&alerts::mute(world, cause, *how == "mute").await?)
        }
        ("GET", ["reconciliation"]) => {
            let day = reconciliation::asked(query)?;
            answer(&reconciliation::of_day(world, ready, day).await?)
        }
        ("GET", ["reconciliation.csv"]) => {
            let day = reconciliation::asked(query)?;
            let found = reconciliation::of_day(world, ready, day).await?;
            Answer {
                content_type: Some("text/csv; charset=utf-8"),
                body: reconciliation::csv(&found).into_bytes(),
                ..Answer::empty(200)
            }
        }
        ("GET", ["connections"]) => answer(&connections::list(world, ready).await?),
        ("GET", ["events", seq, "live"]) => answer(&live::live(world, ready, seq).await?),
        ("GET", ["connections", name, "preflight"]) => {
            let anew = flag(query, "again")?;
            answer(&preflight::View::from(
                preflight::go_on(world, ready, name, anew).await?,
            ))
        }
        ("GET", ["connections", name, "first-day"]) => {
            let again = flag(query, "again")?;
            answer(&first_day::first_day(world, ready, name, again).await?)
        }
        ("POST", ["connections", name, "first-day"]) => {
            let said = first_day::asked(&read_json(request.body).await?)?;
            answer(&first_day::answer(world, name, said).await?)
        }
        ("GET", ["connections", name, "staff"]) => {
            answer(&staff::staff(world, ready, name, staff::Phones::Hidden).await?)
        }
        ("PUT", ["connections", name]) => {
            let body = read_json(request.body).await?;
            let asked = connections::NewConnection::read(&body);
            answer(&connections::put(world, ready, name, &asked).await?)
        }
        ("DELETE", ["connections", name]) => {
            answer(&connections::delete(world, ready, name).await?)
        }
        ("PUT", ["connections", name, "webhooks", webhook]) => {
            answer(&connections::switch_on(world, ready, name, known_webhook(webhook)?).await?)
        }
        ("DELETE", ["connections", name, "webhooks", webhook]) => {
            answer(&connections::switch_off(world, ready, name, known_webhook(webhook)?).await?)
        }
        ("POST", ["events", "retry-dead"]) => {
            Answer::json(202, &events::retry_dead(world, ready, query).await?)
        }
        ("POST", ["events", "dismiss"]) => {
            Answer::json(202, &events::dismiss_dead(world, ready, query).await?)
        }
        ("POST", ["events", seq, "link"]) => {
            let code = links::asked(&read_json(request.body).await?)?;
            let (status, linked) = links::link(world, ready, seq, code).await?;
            Answer::json(status, &linked)
        }
        ("POST", ["events", seq, asked]) => {
            let asked = events::Asked::parse(asked).ok_or_else(|| wrong_route(path))?;
            let done = events::command(world, ready, seq, asked).await?;
            Answer::json(done.status, &view::EventDetail::from(done.record))
        }
        ("POST", ["connections", name, "rotate"]) => {
            answer(&connections::rotate(world, ready, name, flag(query, "now")?).await?)
        }
        ("POST", ["connections", name, "backfill"]) => {
            let body = read_json(request.body).await?;
            let (status, state, _) =
                backfill::start(world, ready, name, &backfill::Asked::read(&body)).await?;
            Answer::json(status, &state)
        }
        ("DELETE", ["connections", name, "backfill"]) => {
            let (status, state) = backfill::stop(world, ready, name).await?;
            Answer::json(status, &state)
        }
        ("POST", ["preview", name]) => {
            let connection = known(world, name).await?;
            let body = read(request.body, Most::Delivery).await?;
            answer(&preview_items(world, ready, &connection, Wanted::Delivery(&body)).await?)
        }
        ("POST", ["getfly"]) => {
            let asked = tenant::asked(&read_json(request.body).await?)?;
            answer(&tenant::confirm(world, ready, &asked).await?)
        }
        ("POST", ["drain"]) => drain_answer(world, ready, query).await?,
        (_, path) => return Err(wrong_route(path)),
    })
}

fn wrong_route(path: &[&str]) -> Problem {
    match path {
        ["events", "retry-dead" | "dismiss"] | ["alerts", "test" | "mute" | "unmute"] => {
            problem::method_not_allowed("POST")
        }
        ["assumptions" | "connections" | "events" | "overview" | "alerts"]
        | ["events", _]
        | ["connections", _, "staff" | "links" | "preflight"] => problem::method_not_allowed("GET"),
        ["connections", _] | ["connections", _, "webhooks", _] => {
            problem::method_not_allowed("PUT or DELETE")
        }
        ["connections", _, "first-day"] => problem::method_not_allowed("GET or POST"),
        ["connections", _, "backfill"] => problem::method_not_allowed("GET, POST or DELETE"),
        ["events", _, "retry" | "dismiss" | "edit" | "sale" | "link"]
        | ["connections", _, "rotate"]
        | ["preview", _]
        | ["drain" | "getfly"] => problem::method_not_allowed("POST"),
        _ => problem::not_found("no such route under /api"),
    }
}

/// `?{wanted}=true`.
fn flag(query: Option<&str>, wanted: &str) -> Result<bool, Problem> {
    let mut fields = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match fields.next() {
        None => Ok(false),
        Some((name, value)) if name == wanted && value == "true" => Ok(true),
        Some((name, value)) if name == wanted && value == "false" => Ok(false),
        Some(_) => {
            let words = format!("{wanted} must be true, or left out.");
            Err(problem::invalid(words))
        }
    }
}

/// `POST /api/drain`; `?heal=now` looks after the webhooks without waiting for its turn.
async fn drain_answer<W: World>(
    world: &W,
    ready: &Ready,
    query: Option<&str>,
) -> Result<Answer, Problem> {
    let mut how = How::WHOLE;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*name, &*value) {
            ("heal", "now") => how.upkeep = Upkeep::Now,
            ("heal", _) => return Err(problem::invalid("heal must be now, or left out.")),
            _ => {}
        }
    }
    let drained = drain(world, ready, how).await;
    let status = if drained.stopped.is_some() { 503 } else { 200 };
    let drained = view::Drained {
        busy: drained.busy,
        dead: drained.dead,
        ended: drained.ended,
        failed: drained.failed,
        stopped: drained.stopped.map(|why| why.to_string()),
        waiting: drained.waiting,
    };
    Ok(Answer::json(status, &drained))
}
