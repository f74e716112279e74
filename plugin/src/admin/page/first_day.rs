//! A shop's first events one under the other, and the question whether they are right.

use crate::{
    admin::{
        api::{
            first_day::{self as api, FirstDay, FirstEvent},
            problem::Problem,
            request::known,
        },
        page::{
            answers::{answered, body},
            events::{kind, status, why},
            layout::{alert, sentence},
            reply::Reply,
            shop::{tab_title, tabs},
            visit::Visit,
            words as w,
        },
    },
    journal::first_events::Looked,
    wording::reasons,
    world::World,
};
use maud::{Markup, html};

/// The question, until it is answered with yes; then the answer.
fn question<W: World>(visit: &Visit<'_, W>, name: &str, answer: Option<Looked>) -> Markup {
    let place = format!("/ui/shops/{name}/first-day");
    let said = |class, text, at| {
        let words = html! { p { strong { (visit.t(text)) } " " (visit.view.time(Some(at))) } };
        alert(class, &words)
    };
    html! {
        @match answer {
            Some(Looked { all_right: true, at }) => (said("good", w::FIRST_DAY_IS_RIGHT, at)),
            _ => section.card.todo {
                h2 { (visit.t(w::FIRST_DAY_ASK)) }
                @if let Some(Looked { at, .. }) = answer {
                    (said("bad", w::FIRST_DAY_IS_WRONG, at))
                    ol {
                        li { a href={ "/ui/shops/" (name) } { (visit.t(w::FIRST_DAY_STOP)) } }
                        li { a href="/ui/assumptions" { (visit.t(w::FIRST_DAY_SEE)) } }
                        li { (visit.t(w::FIRST_DAY_REPORT)) }
                    }
                }
                div.buttons {
                    (visit.view.button(&format!("{place}/right"), w::FIRST_DAY_RIGHT, "primary"))
                    @if answer.is_none() { (visit.view.button(&format!("{place}/wrong"), w::FIRST_DAY_WRONG, "danger")) }
                }
            }
        }
    }
}

fn event<W: World>(visit: &Visit<'_, W>, first: &FirstEvent) -> Markup {
    let event = &first.event;
    html! {
        section.card {
            div.head {
                h2 { a href={ "/ui/events/" (event.seq) } { (kind(visit, event.kind)) " " (event.key) } }
                (status(visit, event.status))
            }
            p { (why(visit, event)) }
            @if !first.differs.is_empty() {
                (alert("warn", &html! {
                    p { (visit.t(w::FIRST_DAY_DIFFERS)) " " @for name in &first.differs { (reasons::label(visit.view.lang, name)) " (" code { (name) } ") " } }
                }))
            }
            @if first.sent.is_empty() { p.muted { (visit.t(w::FIRST_DAY_NOTHING_SENT)) } }
            @for one in &first.sent {
                h3 { code { (one.call) } }
                (body(visit, w::FIRST_DAY_SENT, &one.sent, &html! {}))
                (answered(visit, w::FIRST_DAY_ANSWERED, one))
            }
            @match &first.read_back {
                Some(read) => {
                    @for one in read {
                        h3 { code { (one.call) } }
                        (answered(visit, w::FIRST_DAY_HAS, one))
                    }
                }
                None => p.muted { (visit.t(w::FIRST_DAY_NOT_READ)) }
            }
        }
    }
}

/// `GET /ui/shops/{name}/first-day`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    let shop = known(visit.world, name).await?;
    let again = visit.query.get("again") == "true";
    let found = api::first_day(visit.world, visit.ready()?, name, again).await?;
    let place = format!("/ui/shops/{name}/first-day");
    if again {
        // Reloading goes on with it.
        return Ok(Reply::to(&place));
    }
    let FirstDay {
        answer,
        complete,
        events,
        of,
        unread,
    } = &found;
    let body = html! {
        h1 { (shop.retailer.title()) }
        (tabs(visit, name, w::FIRST_DAY))
        p { (visit.t(w::FIRST_DAY_MORE)) }
        @if events.is_empty() && answer.is_none() {
            section.card.empty { p { (visit.t(w::FIRST_DAY_NONE)) } }
        } @else {
            (question(visit, name, *answer))
            p { strong { (events.len()) } " " (visit.t(w::OF_FIRST)) " " (of) }
        }
        @if let Some(why) = unread { (alert("warn", &html! { p { (sentence(visit.view, why)) } })) }
        @for one in events { (event(visit, one)) }
        @if !events.is_empty() { p { a.button href={ (place) "?again=true" } { (visit.t(w::FIRST_DAY_AGAIN)) } } }
    };
    let mut reply = Reply::page(200, w::SHOPS, body).about(tab_title(
        visit,
        w::FIRST_DAY,
        &shop.retailer.title(),
    ));
    reply.refresh = !complete && unread.is_none();
    Ok(reply)
}

/// `POST /ui/shops/{name}/first-day/right` and `/wrong`.
pub(super) async fn answer<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    all_right: bool,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    api::answer(visit.world, name, all_right).await?;
    Ok(Reply::to(&format!("/ui/shops/{name}/first-day")))
}
