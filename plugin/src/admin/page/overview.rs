//! The first page: what needs a person, each shop's webhooks and days, and whether the counts add up.

use crate::{
    admin::{
        api::{
            overview as api,
            problem::Problem,
            tenant,
            view::{KnownAccounts, Overview, SeenHook, ShopOverview},
        },
        page::{
            assumptions::wrong_words,
            chart,
            layout::{alert, facts, is_unseen, sentence, setup},
            reply::Reply,
            shop::{hook_badge, nobody},
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::{connections, cursor::Counts, trouble::Trouble},
    web::After,
    world::World,
};
use maud::{Markup, html};

/// What was done with every event that was received, in the words of the counts.
pub(super) fn ends(counts: &Counts) -> [(u64, Text); 6] {
    [
        (counts.created, w::CREATED),
        (counts.linked, w::LINKED),
        (counts.ignored, w::IGNORED),
        (counts.dead, w::DEAD_LETTERS),
        (counts.dismissed, w::DISMISSED),
        (counts.waiting, w::WAITING),
    ]
}

fn needs<W: World>(visit: &Visit<'_, W>, overview: &Overview, changed: u64) -> Markup {
    let (dead, unread) = (overview.counts.dead, overview.unread);
    html! {
        @if dead > 0 {
            (alert("bad", &html! {
                div.head.middle {
                    strong { (visit.view.counted(dead, (w::NEEDS_YOU_1, w::NEEDS_YOU))) }
                    a.button href="/ui/events?state=dead" { (visit.t(w::SEE_THEM)) }
                }
            }))
        }
        @for pause in &overview.paused {
            (alert("bad", &html! {
                p {
                    @if pause.side != "Getfly" { strong { (pause.side) } ": " }
                    @match &pause.why {
                        Some(why) => (sentence(visit.view, why)),
                        None => (visit.t(w::FAILS)),
                    }
                }
                p {
                    @if let Some(since) = pause.since { (visit.t(w::FAILS_SINCE)) " " (visit.view.time(Some(since))) ". " }
                    (visit.view.counted(pause.waiting, (w::EVENTS_WAIT_1, w::EVENTS_WAIT))) " "
                    @if let Some(until) = pause.until { (visit.t(w::ASKED_AGAIN)) " " (visit.view.time(Some(until))) "." }
                }
            }))
        }
        @for trouble in &overview.outside {
            (alert("bad", &html! {
                p { (sentence(visit.view, trouble)) }
                @if matches!(trouble.0, Trouble::AnotherGetfly { .. }) {
                    (visit.view.button("/ui/getfly", w::SAME_GETFLY, "primary"))
                }
            }))
        }
        @if changed > 0 {
            (alert("warn", &html! {
                div.head.middle {
                    strong { (visit.view.counted(changed, (w::CHANGED_OPEN_1, w::CHANGED_OPEN))) }
                    a.button href="/ui/changed" { (visit.t(w::SEE_THEM)) }
                }
            }))
        }
        @if overview.contradicted > 0 {
            (alert("warn", &html! {
                div.head.middle {
                    p { strong { (overview.contradicted) } " " (visit.t(wrong_words(overview.contradicted))) }
                    a.button href="/ui/assumptions" { (visit.t(w::SEE_THEM)) }
                }
            }))
        }
        @if overview.advice.is_some() { (alert("warn", &html! { p { (visit.t(w::ENDS_AT_ANSWER)) } })) }
        @if overview.weaker.is_some() { (alert("warn", &html! { p { (visit.t(w::WEAKER)) } })) }
        @for token in &visit.config.weak_tokens {
            (alert("warn", &html! { p { code { (token) } " " (visit.t(w::WEAK_TOKEN)) } }))
        }
        @if unread > 0 { (alert("info", &html! { p { (visit.view.counted(unread, (w::UNREAD_1, w::UNREAD))) } })) }
    }
}

/// The loss equation with its numbers, checked here.
fn equation<W: World>(visit: &Visit<'_, W>, overview: &Overview) -> Markup {
    let (received, ends) = (overview.counts.received, ends(&overview.counts));
    let sum: u64 = ends.iter().map(|(count, _)| *count).sum();
    let balanced = received == sum && overview.balanced;
    html! {
        section.card.equation {
            h2 {
                span class=(if balanced { "mark good" } else { "mark bad" }) aria-hidden="true" { (if balanced { "✓" } else { "✗" }) }
                " " (visit.t(if balanced { w::EQUATION } else { w::EQUATION_WRONG }))
            }
            p.muted { (visit.t(w::EQUATION_MORE)) }
            div.terms {
                div.term { span { (visit.t(w::RECEIVED)) } strong { (received) } }
                @for (i, (count, words)) in ends.iter().enumerate() {
                    div.pair {
                        span.sign { (if i == 0 { "=" } else { "+" }) }
                        div.term { span { (visit.t(*words)) } strong { (count) } }
                    }
                }
            }
            @if !balanced { p { (visit.t(w::EQUATION_MEND)) } }
            @if overview.oldest_waiting_at.is_some() {
                p.muted { (visit.t(w::OLDEST_WAITING)) " " (visit.view.time(overview.oldest_waiting_at)) }
            }
        }
    }
}

/// The index of Getfly's accounts.
fn accounts<W: World>(visit: &Visit<'_, W>, known: &KnownAccounts) -> Markup {
    let warnings = [
        (known.is_full, w::ACCOUNTS_FULL),
        (known.is_unsorted, w::ACCOUNTS_UNSORTED),
        (known.unfiltered_since.is_some(), w::ACCOUNTS_UNFILTERED),
    ];
    let filled = html! { @if known.filled_at.is_some() { (visit.view.time(known.filled_at)) } };
    let all = html! { @if known.filled_at.is_some() { (known.accounts) } };
    html! {
        section.card {
            h2 { (visit.t(w::ACCOUNTS)) }
            p.muted { (visit.t(w::ACCOUNTS_MORE)) }
            @if let Some(problem) = &known.problem { (alert("warn", &html! { p { (sentence(visit.view, problem)) } })) }
            @for (_, words) in warnings.into_iter().filter(|(is_so, _)| *is_so) {
                (alert("warn", &html! { p { (visit.t(words)) } }))
            }
            (facts(&[
                (visit.t(w::ACCOUNTS_KNOWN), all),
                (visit.t(w::ACCOUNTS_READ_AT), filled),
                (visit.t(w::ACCOUNTS_READING), html! { @if let Some(scanned) = known.scanned { (scanned) } }),
            ]))
        }
    }
}

fn hook<W: World>(visit: &Visit<'_, W>, hook: &SeenHook) -> Markup {
    html! {
        (hook_badge(visit, hook.on, hook.active))
        @if hook.polled_at.is_some() { " " (super::shop::polled(visit, hook.polled_at)) }
    }
}

/// A shop; `found` is none where its overview could not be had.
fn shop<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    retailer: &str,
    found: Option<&ShopOverview>,
) -> Markup {
    html! {
        section.card.shop {
            div.head {
                h2 { (retailer) }
                a.button href={ "/ui/shops/" (name) } { (visit.t(w::MANAGE)) }
            }
            @if let Some(found) = found { (known(visit, found)) }
        }
    }
}

/// What is to be done where a shop is connected and nothing of it is brought over.
fn all_off<W: World>(visit: &Visit<'_, W>, name: &str) -> Markup {
    alert(
        "warn",
        &html! {
            p { strong { (visit.t(w::ALL_OFF)) } }
            ol { @for step in [w::ALL_OFF_1, w::ALL_OFF_2, w::ALL_OFF_3] { li { (visit.t(step)) } } }
            p { a.button.primary href={ "/ui/shops/" (name) } { (visit.t(w::ALL_OFF_BUTTON)) } }
        },
    )
}

/// What is known of a shop.
fn known<W: World>(visit: &Visit<'_, W>, found: &ShopOverview) -> Markup {
    let missed = html! { @if found.missed_at.is_some() { (visit.view.time(found.missed_at)) } };
    html! {
        @if found.first_events > 0 && !found.first_events_looked_at {
            (alert("info", &html! {
                div.head.middle {
                    p { (visit.t(w::FIRST_DAY_LOOK)) }
                    a.button href={ "/ui/shops/" (found.name) "/first-day" } { (visit.t(w::FIRST_DAY_OPEN)) }
                }
            }))
        }
        @if let Some(problem) = &found.problem {
            (alert("warn", &html! { p {
                @if is_unseen(&problem.0) && found.checked_at.is_some() { (visit.t(w::UNSEEN_SINCE)) " " (visit.view.time(found.checked_at)) ": " }
                (sentence(visit.view, problem))
            } }))
        }
        @if !found.webhooks.customer.on && !found.webhooks.order.on { (all_off(visit, found.name.as_str())) }
        (facts(&[
            (visit.t(w::WEBHOOK_CUSTOMER), hook(visit, &found.webhooks.customer)),
            (visit.t(w::WEBHOOK_ORDER), hook(visit, &found.webhooks.order)),
            (visit.t(w::LAST_EVENT), visit.view.time(found.last_event_at)),
            (visit.t(w::CHECKED_AT), visit.view.time(found.checked_at)),
            (visit.t(w::MISSED_AT), missed),
        ]))
        (chart::days(visit.view, found.name.as_str(), &found.days))
    }
}

/// `POST /ui/getfly`.
pub(super) async fn confirm_getfly<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    visit.genuine()?;
    let ready = visit.ready()?;
    tenant::confirm(visit.world, ready, &ready.getfly_url).await?;
    let mut reply = Reply::to("/?done=wish");
    reply.after = After::Drain;
    Ok(reply)
}

/// `GET /`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let overview = api::overview(visit.world, visit.config.processing).await?;
    let (connected, damaged) = connections::list(visit.world).await?;
    let changed = super::changed::open(visit).await?;
    let found = |one: &connections::Connection| {
        let mut all = overview.connections.iter();
        all.find(|shop| shop.name == one.name)
    };
    let body = html! {
        (visit.said())
        h1 { (visit.t(w::OVERVIEW)) }
        @if !visit.config.problems.is_empty() { (setup(visit.view, &visit.config.problems)) }
        (needs(visit, &overview, changed))
        @for name in &damaged { (super::shop::damaged(visit, name.as_str())) }
        @if connected.is_empty() && damaged.is_empty() { (nobody(visit)) }
        @for one in &connected { (shop(visit, one.name.as_str(), &one.retailer.title(), found(one))) }
        (equation(visit, &overview))
        p { a href="/ui/reconciliation" { (visit.t(w::RECONCILIATION)) } " · " a href="/ui/changed" { (visit.t(w::CHANGED)) } }
        @if let Some(known) = &overview.accounts { (accounts(visit, known)) }
        p { a href="/ui/assumptions" { (visit.t(w::ASSUMPTIONS)) } }
        p { (visit.view.button("/ui/logout-everywhere", w::LOG_OUT_EVERYWHERE, "link")) }
    };
    Ok(Reply::page(200, w::OVERVIEW, body))
}
