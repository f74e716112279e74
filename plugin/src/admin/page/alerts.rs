//! Alerts: whether anybody is told, what stands, a test message, and what nobody wants to be told of.

use crate::{
    admin::{
        api::{
            alerts as api,
            problem::{Problem, invalid},
            view,
        },
        page::{
            layout::{alert, facts, sentence},
            reply::Reply,
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::alerts::{Cause, Outcome, last_sent},
    stored,
    wording::alerts::cause as in_words,
    world::World,
};
use maud::{Markup, html};

fn row<W: World>(visit: &Visit<'_, W>, cause: &Cause, count: u64, mute: bool) -> Markup {
    let (target, label): (_, Text) = if mute {
        ("/ui/alerts/mute", w::MUTE)
    } else {
        ("/ui/alerts/unmute", w::UNMUTE)
    };
    let value = String::from_utf8(stored::write(cause)).unwrap_or_default();
    html! {
        li {
            (in_words(visit.view.lang, cause, count)) " "
            form.inline method="post" action=(target) {
                (visit.view.csrf())
                input type="hidden" name="cause" value=(value);
                button.link { (visit.t(label)) }
            }
        }
    }
}

fn standing<W: World>(visit: &Visit<'_, W>, alerts: &view::Alerts) -> Markup {
    let told = alerts
        .causes
        .iter()
        .filter(|c| !alerts.muted.contains(&c.cause));
    let told: Vec<_> = told.collect();
    html! {
        section.card {
            h2 { (visit.t(w::ALERTS_STAND)) }
            @if told.is_empty() { p.muted { (visit.t(w::ALERTS_NOTHING)) } }
            ul.sentences { @for one in &told { (row(visit, &one.cause, one.count, true)) } }
        }
        @if !alerts.muted.is_empty() {
            section.card {
                h2 { (visit.t(w::MUTED)) }
                ul.sentences { @for one in &alerts.muted { (row(visit, one, 1, false)) } }
            }
        }
    }
}

/// `GET /ui/alerts`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let alerts = api::alerts(visit.world, visit.ready()?).await?;
    let last = html! {
        @match &last_sent(visit.world).await? {
            None => (visit.t(w::ALERT_NONE)),
            Some(last) => {
                (visit.view.time(Some(last.at))) " · "
                (visit.t(if last.outcome == Outcome::Arrived { w::ALERT_ARRIVED } else { w::ALERT_FAILED }))
                @if last.outcome != Outcome::Arrived { ": " (sentence(visit.view, &last.outcome)) }
            }
        }
    };
    let body = html! {
        (visit.said())
        h1 { (visit.t(w::ALERTS)) }
        @match &alerts.format {
            None => (alert("warn", &html! { p { (visit.t(w::ALERTS_OFF)) } p { (visit.t(w::ALERTS_HOW)) } })),
            Some(format) => section.card {
                (facts(&[
                    (visit.t(w::ALERT_FORMAT), html! { (format) }),
                    (visit.t(w::ALERT_LAST), last),
                ]))
                (visit.view.button("/ui/alerts/test", w::ALERT_TEST, "primary"))
            }
        }
        (standing(visit, &alerts))
    };
    Ok(Reply::page(200, w::ALERTS, body))
}

/// `POST /ui/alerts/test`.
pub(super) async fn test<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    visit.genuine()?;
    api::test(visit.world, visit.ready()?).await?;
    Ok(Reply::to("/ui/alerts?done=alert-test"))
}

/// `POST /ui/alerts/mute` and `/unmute`.
pub(super) async fn mute<W: World>(visit: &Visit<'_, W>, mute: bool) -> Result<Reply, Problem> {
    visit.genuine()?;
    let cause = stored::read(visit.form.get("cause").as_bytes());
    let cause = cause.map_err(|_| invalid("This cause is unknown."))?;
    api::mute(visit.world, cause, mute).await?;
    Ok(Reply::to("/ui/alerts"))
}
