//! The first page: what needs a person, each shop's webhooks and days, and whether the counts add up.

use crate::{
    admin::{
        api::{
            overview::{self as api, Overview},
            problem::Problem,
        },
        page::{
            chart,
            layout::{alert, array, facts, number, sentence, setup, text},
            reply::Reply,
            shop::{hook_badge, nobody},
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::{
        connections::{self, Connection},
        trouble::Trouble,
    },
    world::World,
};
use maud::{Markup, html};
use serde_json::Value;

/// What is done with every event that was received, in the words of the counts.
const ENDS: [(&str, Text); 6] = [
    ("created", w::CREATED),
    ("linked", w::LINKED),
    ("ignored", w::IGNORED),
    ("dead", w::DEAD_LETTERS),
    ("dismissed", w::DISMISSED),
    ("waiting", w::WAITING),
];

fn needs<W: World>(
    visit: &Visit<'_, W>,
    overview: &Value,
    counts: &Value,
    outside: &[Trouble],
) -> Markup {
    let dead = number(counts, "dead");
    let unread = number(overview, "unread");
    html! {
        @if dead > 0 {
            (alert("bad", &html! {
                div.head.middle {
                    strong { (dead) " " (visit.t(w::NEEDS_YOU)) }
                    a.button href="/ui/events?state=dead" { (visit.t(w::SEE_THEM)) }
                }
            }))
        }
        @for pause in array(overview, "paused") {
            (alert("warn", &html! { p { strong { (text(pause, "side")) } ": " (visit.t(w::PAUSED)) " " (visit.view.time(pause.get("until"))) } }))
        }
        @for trouble in outside {
            (alert("bad", &html! { p { (sentence(visit.view, trouble)) } }))
        }
        @if !text(overview, "weaker").is_empty() { (alert("warn", &html! { p { (visit.t(w::WEAKER)) } })) }
        @if unread > 0 { (alert("info", &html! { p { (unread) " " (visit.t(w::UNREAD)) } })) }
    }
}

/// The loss equation with its numbers, checked here.
fn equation<W: World>(visit: &Visit<'_, W>, overview: &Value, counts: &Value) -> Markup {
    let received = number(counts, "received");
    let sum: u64 = ENDS.iter().map(|(name, _)| number(counts, name)).sum();
    let balanced = received == sum && overview.get("balanced") != Some(&Value::Bool(false));
    html! {
        section.card.equation {
            h2 {
                span class=(if balanced { "mark good" } else { "mark bad" }) aria-hidden="true" { (if balanced { "✓" } else { "✗" }) }
                " " (visit.t(if balanced { w::EQUATION } else { w::EQUATION_WRONG }))
            }
            p.muted { (visit.t(w::EQUATION_MORE)) }
            div.terms {
                div.term { span { (visit.t(w::RECEIVED)) } strong { (received) } }
                @for (i, (name, words)) in ENDS.iter().enumerate() {
                    div.pair {
                        span.sign { (if i == 0 { "=" } else { "+" }) }
                        div.term { span { (visit.t(*words)) } strong { (number(counts, name)) } }
                    }
                }
            }
            @if !balanced { p { (visit.t(w::EQUATION_MEND)) } }
            @if overview.get("oldest_waiting_at").is_some_and(Value::is_string) {
                p.muted { (visit.t(w::OLDEST_WAITING)) " " (visit.view.time(overview.get("oldest_waiting_at"))) }
            }
        }
    }
}

fn hook<W: World>(visit: &Visit<'_, W>, shop: &Value, webhook: &str) -> Markup {
    let hook = shop.get("webhooks").and_then(|hooks| hooks.get(webhook));
    let flag = |name| hook.and_then(|h| h.get(name)).and_then(Value::as_bool);
    match flag("on") {
        None => html! {},
        Some(on) => hook_badge(visit, on, flag("active")),
    }
}

fn shop<W: World>(
    visit: &Visit<'_, W>,
    connection: &Connection,
    found: &Value,
    problem: Option<&Trouble>,
) -> Markup {
    let (name, retailer) = (connection.name.as_str(), connection.retailer.as_str());
    let missed = match found.get("missed_at").filter(|at| at.is_string()) {
        None => html! {},
        at => visit.view.time(at),
    };
    html! {
        section.card.shop {
            div.head {
                h2 { (retailer) }
                a.button href={ "/ui/shops/" (name) } { (visit.t(w::MANAGE)) }
            }
            @if let Some(problem) = problem { (alert("warn", &html! { p { (sentence(visit.view, problem)) } })) }
            (facts(&[
                (visit.t(w::WEBHOOK_CUSTOMER), hook(visit, found, "customer")),
                (visit.t(w::WEBHOOK_ORDER), hook(visit, found, "order")),
                (visit.t(w::LAST_EVENT), visit.view.time(found.get("last_event_at"))),
                (visit.t(w::CHECKED_AT), visit.view.time(found.get("checked_at"))),
                (visit.t(w::MISSED_AT), missed),
            ]))
            @if found.get("days").is_some() { (chart::days(visit.view, array(found, "days"))) }
        }
    }
}

/// `GET /`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let Overview {
        json: overview,
        problems,
        outside,
    } = &api::overview(visit.world).await?;
    let none = Value::Null;
    let counts = overview.get("counts").unwrap_or(&none);
    let (connected, damaged) = connections::list(visit.world).await?;
    let found = |name: &str| {
        let mut all = array(overview, "connections").iter();
        all.find(|c| text(c, "name") == name).unwrap_or(&none)
    };
    let body = html! {
        (visit.said())
        h1 { (visit.t(w::OVERVIEW)) }
        @if !visit.config.problems.is_empty() { (setup(visit.view, &visit.config.problems)) }
        (needs(visit, overview, counts, outside))
        @for name in &damaged { (super::shop::damaged(visit, name.as_str())) }
        @if connected.is_empty() && damaged.is_empty() { (nobody(visit)) }
        @for one in &connected { (shop(visit, one, found(one.name.as_str()), problems.get(&one.name))) }
        (equation(visit, overview, counts))
    };
    Ok(Reply::page(200, w::OVERVIEW, body))
}
