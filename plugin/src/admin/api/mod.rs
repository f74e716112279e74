//! The API for people: connections, webhooks, events, preview and drain. The page in `page/` calls the
//! same functions.

pub(in crate::admin) mod backfill;
pub(in crate::admin) mod connections;
pub(in crate::admin) mod events;
pub(in crate::admin) mod metrics;
pub(in crate::admin) mod overview;
pub(in crate::admin) mod preview;
pub mod problem;
pub(in crate::admin) mod request;
pub(in crate::admin) mod staff;

use crate::{
    config::{Config, Ready},
    drain::{how::How, run::drain},
    json::ToJson,
    reconcile::upkeep::Upkeep,
    secret::Secret,
    web::{Answer, Body, Inbound},
    world::World,
};
use preview::preview_items;
use problem::Problem;
use request::{known, known_webhook, read, read_json};

/// Answers `/api/...`; `path` is what follows.
pub async fn api<W: World, B: Body>(
    world: &W,
    config: &Config,
    request: Inbound<B>,
    path: &[&str],
) -> Answer {
    match route(world, config, request, path).await {
        Ok(answer) => answer,
        Err(problem) => problem.answer(),
    }
}

/// Answers `GET /metrics`, to a caller with the admin token or the `metrics_token`.
pub async fn metrics<W: World, B: Body>(world: &W, config: &Config, request: Inbound<B>) -> Answer {
    let own = config.metrics_token.as_ref();
    let allowed = admit(config, own, &request).and_then(|()| match request.method.as_str() {
        "GET" => Ok(()),
        _ => Err(problem::method_not_allowed("GET")),
    });
    let page = match allowed {
        Ok(()) => metrics::metrics(world, config).await,
        Err(problem) => Err(problem),
    };
    page.unwrap_or_else(|problem| problem.answer())
}

/// Admits a caller with the admin token, or with the token of this route alone (`own`).
fn admit<B>(config: &Config, own: Option<&Secret>, request: &Inbound<B>) -> Result<(), Problem> {
    let Some(admin_token) = &config.admin_token else {
        return Err(problem::not_configured(config));
    };
    let header = request.authorization.as_deref();
    let mut tokens = [admin_token].into_iter().chain(own);
    if tokens.any(|token| authorized(token, header)) {
        Ok(())
    } else {
        Err(problem::unauthorized())
    }
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
    admit(config, own, &request)?;
    let method = request.method.clone();
    // What people look at works without the upstreams' variables; everything else needs them.
    let found = match (method.as_str(), path) {
        ("GET", ["events"]) => Some(events::list(world, request.query.as_deref()).await?),
        ("GET", ["events", seq]) => Some(events::one(world, seq).await?),
        ("GET", ["overview"]) => Some(overview::overview(world).await?.json),
        ("GET", ["connections", name, "backfill"]) => Some(backfill::state(world, name).await?),
        _ => None,
    };
    if let Some(found) = found {
        return Ok(Answer::json(200, &found));
    }
    let Some(ready) = &config.ready else {
        return Err(problem::not_configured(config));
    };
    let done = match (method.as_str(), path) {
        ("GET", ["connections"]) => connections::list(world, ready).await?,
        ("GET", ["connections", name, "staff"]) => {
            staff::staff(world, ready, name, staff::Phones::Hidden).await?
        }
        ("PUT", ["connections", name]) => {
            let body = read_json(request.body).await?;
            connections::put(world, ready, name, &body).await?
        }
        ("DELETE", ["connections", name]) => connections::delete(world, ready, name).await?,
        ("PUT", ["connections", name, "webhooks", webhook]) => {
            connections::switch_on(world, ready, name, known_webhook(webhook)?).await?
        }
        ("DELETE", ["connections", name, "webhooks", webhook]) => {
            connections::switch_off(world, ready, name, known_webhook(webhook)?).await?
        }
        ("POST", ["events", "retry-dead"]) => {
            let asked = events::retry_dead(world, ready, request.query.as_deref()).await?;
            return Ok(Answer::json(202, &asked));
        }
        ("POST", ["events", seq, asked @ ("retry" | "dismiss")]) => {
            let asked = match *asked {
                "retry" => events::Asked::Retry,
                _ => events::Asked::Dismiss,
            };
            let (status, event) = events::command(world, ready, seq, asked).await?;
            return Ok(Answer::json(status, &events::detail(&event)));
        }
        ("POST", ["connections", name, "backfill"]) => {
            let body = read_json(request.body).await?;
            let (status, state) = backfill::start(world, ready, name, &body).await?;
            return Ok(Answer::json(status, &state));
        }
        ("DELETE", ["connections", name, "backfill"]) => {
            let (status, state) = backfill::stop(world, ready, name).await?;
            return Ok(Answer::json(status, &state));
        }
        ("POST", ["preview", name]) => {
            let connection = known(world, name).await?;
            let body = read(request.body).await?;
            preview_items(world, ready, &connection, &body).await?
        }
        ("POST", ["drain"]) => return drain_answer(world, ready, request.query.as_deref()).await,
        (_, path) => return Err(wrong_route(path)),
    };
    Ok(Answer::json(200, &done))
}

fn wrong_route(path: &[&str]) -> Problem {
    match path {
        ["events", "retry-dead"] => problem::method_not_allowed("POST"),
        ["connections" | "events" | "overview"] | ["events", _] | ["connections", _, "staff"] => {
            problem::method_not_allowed("GET")
        }
        ["connections", _] | ["connections", _, "webhooks", _] => {
            problem::method_not_allowed("PUT or DELETE")
        }
        ["connections", _, "backfill"] => problem::method_not_allowed("GET, POST or DELETE"),
        ["events", _, "retry" | "dismiss"] | ["preview", _] | ["drain"] => {
            problem::method_not_allowed("POST")
        }
        _ => problem::not_found("no such route under /api"),
    }
}

fn authorized(wanted: &Secret, header: Option<&str>) -> bool {
    let offered = header
        .and_then(|h| h.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    offered.is_some_and(|(_, token)| Secret::new(token.trim()) == *wanted)
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
    Ok(Answer::json(status, &drained.to_json()))
}
