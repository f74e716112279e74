//! Trying a delivery: what it would lead to, with nothing written anywhere.

use crate::{
    admin::{
        api::{
            preview::{Wanted, preview_items},
            problem::Problem,
            request::known,
            view::{Preview, Previewed, PreviewedPlan},
        },
        page::{
            events::{kind, sentences},
            layout::{alert, badge, problem, sentence},
            reply::Reply,
            tree::tree,
            visit::Visit,
            words as w,
        },
    },
    journal::{connections, record::Kind},
    rules::verdict::Outcome,
    wording::reasons,
    world::World,
};
use maud::{Markup, html};

/// What would be done, in the words of an outcome.
fn would<W: World>(visit: &Visit<'_, W>, outcome: Outcome) -> Markup {
    let (class, words) = match outcome {
        Outcome::Created => ("good", w::WOULD_CREATE),
        Outcome::Linked => ("linked", w::WOULD_LINK),
        Outcome::Ignored => ("off", w::WOULD_IGNORE),
    };
    badge(class, visit.t(words))
}

/// What an item is about, and its code or id.
fn title<W: World>(
    visit: &Visit<'_, W>,
    about: Kind,
    code: Option<&str>,
    id: Option<i64>,
) -> Markup {
    let id = id.map_or_else(String::new, |id| id.to_string());
    html! { h2 { (kind(visit, about)) " " (code.unwrap_or(&id)) } }
}

fn item<W: World>(visit: &Visit<'_, W>, item: &Previewed) -> Markup {
    html! {
        section.card {
            @match item {
                Previewed::Plan(plan) => { (planned(visit, plan)) }
                Previewed::Problem(wrong) => {
                    div.head { (title(visit, wrong.kind, wrong.code.as_deref(), wrong.id)) }
                    (alert("bad", &html! { p { strong { (visit.t(w::TRY_PROBLEM)) } } p { (sentence(visit.view, &wrong.problem)) } }))
                }
            }
        }
    }
}

fn planned<W: World>(visit: &Visit<'_, W>, plan: &PreviewedPlan) -> Markup {
    let reason = reasons::explain(visit.view.lang, plan.reason);
    html! {
        div.head {
            (title(visit, plan.kind, plan.code.as_deref(), plan.id))
            (would(visit, plan.outcome))
        }
        // What will be created was not created yet.
        @if plan.outcome != Outcome::Created { p.lead { (reason) } }
        @if let Some(name) = reasons::rule(&plan.rule) { p.muted { (plan.rule) " · " (visit.t(name)) } }
        details open { summary { (visit.t(w::PLAN)) } (tree(visit.reader(), &plan.action)) }
        (sentences(visit, w::NOTES, &plan.notes))
        (sentences(visit, w::EVIDENCE, &plan.evidence))
    }
}

async fn drawn<W: World>(
    visit: &Visit<'_, W>,
    status: u16,
    above: &Markup,
    below: &Markup,
) -> Result<Reply, Problem> {
    let (all, _) = connections::list(visit.world).await?;
    let chosen = visit.form.get("connection");
    let body = html! {
        h1 { (visit.t(w::TRY_TITLE)) }
        p { (visit.t(w::TRY_MORE)) }
        (above)
        (below)
        section.card {
            form method="post" action="/ui/try" {
                (visit.view.csrf())
                div.field {
                    label for="connection" { (visit.t(w::SHOP)) }
                    select #connection name="connection" {
                        @for one in &all { option value=(one.name) selected[one.name.as_str() == chosen] { (one.retailer.title()) } }
                    }
                }
                div.field {
                    label for="code" { (visit.t(w::TRY_CODE)) }
                    input #code name="code" value=(visit.form.get("code")) maxlength="100" autocomplete="off";
                }
                details open[!visit.form.get("payload").is_empty()] {
                    summary { (visit.t(w::ADVANCED)) }
                    div.field {
                        label for="payload" { (visit.t(w::PAYLOAD)) }
                        textarea #payload name="payload" rows="10" spellcheck="false" { "\n" (visit.form.get("payload")) }
                    }
                }
                button.primary type="submit" { (visit.t(w::TRY_BUTTON)) }
            }
        }
    };
    Ok(Reply::page(status, w::TRY, body))
}

/// `GET /ui/try`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    visit.ready()?;
    drawn(visit, 200, &html! {}, &html! {}).await
}

async fn tried<W: World>(visit: &Visit<'_, W>) -> Result<Preview, Problem> {
    visit.genuine()?;
    let connection = known(visit.world, visit.form.get("connection")).await?;
    let (typed, payload) = (visit.form.get("code"), visit.form.get("payload"));
    let wanted = if typed.is_empty() {
        Wanted::Delivery(payload.as_bytes())
    } else {
        Wanted::Typed(typed)
    };
    preview_items(visit.world, visit.ready()?, &connection, wanted).await
}

/// `POST /ui/try`. Answers with the plan itself, not with a redirect: nothing was changed.
pub(super) async fn submit<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    visit.ready()?;
    let missing = if visit.form.get("connection").is_empty() {
        Some(w::CHOOSE_SHOP)
    } else {
        let is_empty = |name| visit.form.get(name).is_empty();
        (is_empty("code") && is_empty("payload")).then_some(w::PAYLOAD_EMPTY)
    };
    if let Some(missing) = missing.filter(|_| visit.genuine().is_ok()) {
        let said = alert("bad", &html! { p { (visit.t(missing)) } });
        return drawn(visit, 400, &said, &html! {}).await;
    }
    match tried(visit).await {
        Err(wrong) => drawn(visit, wrong.status, &problem(visit.view, &wrong), &html! {}).await,
        Ok(found) => {
            let plan = html! {
                h2 #result { (visit.t(w::TRY_RESULT)) }
                @if found.items.is_empty() {
                    p { (visit.t(if visit.form.get("code").is_empty() { w::TRY_NOTHING } else { w::TRY_UNKNOWN })) }
                }
                @for one in &found.items { (item(visit, one)) }
            };
            drawn(visit, 200, &html! {}, &plan).await
        }
    }
}
