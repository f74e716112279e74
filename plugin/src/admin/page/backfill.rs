//! Older customers and invoices: the days, a preview that writes nothing, the run, and watching it.

use crate::{
    admin::{
        api::{backfill as api, problem::Problem, request::known},
        page::{
            layout::{alert, badge, facts, number, problem, sentence, text},
            reply::Reply,
            shop::tabs,
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::trouble::Trouble,
    json::{ToJson, object},
    time::Date,
    web::After,
    world::World,
};
use maud::{Markup, html};
use serde_json::Value;

/// What is wrong with the days that were typed.
fn wrong_days(from: &str, to: &str) -> Option<Text> {
    let first: Option<Date> = from.parse().ok();
    let last: Option<Date> = to.parse().ok();
    match (first, last) {
        (None, _) => Some(w::WRONG_DAY),
        (_, None) if !to.is_empty() => Some(w::WRONG_DAY),
        (Some(first), Some(last)) if last < first => Some(w::WRONG_ORDER),
        _ => None,
    }
}

fn counts<W: World>(visit: &Visit<'_, W>, all: &Value) -> Markup {
    let columns = [
        ("total", w::TOTAL),
        ("listed", w::LISTED),
        ("known", w::KNOWN),
        ("to_process", w::TO_PROCESS),
        ("queued", w::QUEUED),
    ];
    let rows = [("customers", w::CUSTOMERS), ("invoices", w::INVOICES)];
    html! {
        @for (name, title) in rows {
            @if let Some(row) = all.get(name).filter(|row| row.is_object()) {
                h3 { (visit.t(title)) }
                div.terms {
                    @for (column, words) in columns {
                        @if row.get(column).is_some() { div.term { span { (visit.t(words)) } strong { (number(row, column)) } } }
                    }
                }
            }
        }
    }
}

fn period<W: World>(visit: &Visit<'_, W>, state: &Value) -> Markup {
    html! { @if !text(state, "from").is_empty() { (visit.view.time(state.get("from"))) " – " (visit.view.time(state.get("to"))) } }
}

fn progress<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    state: &Value,
    waits_for: Option<&Trouble>,
) -> Markup {
    let word = text(state, "state");
    let (class, words) = match word {
        "running" => ("wait", w::RUN_RUNNING),
        "done" => ("good", w::RUN_DONE),
        _ => ("off", w::RUN_STOPPED),
    };
    let place = format!("/ui/shops/{name}/backfill");
    html! {
        section.card {
            div.head { h2 { (visit.t(w::BACKFILL_STATE)) } (badge(class, visit.t(words))) }
            (facts(&[(visit.t(w::PERIOD), period(visit, state))]))
            (counts(visit, state))
            @if let Some(why) = waits_for { (alert("warn", &html! { p { (sentence(visit.view, why)) } })) }
            @if word == "running" {
                div.buttons {
                    a.button href=(place) { (visit.t(w::REFRESH)) }
                    (visit.view.button(&format!("{place}/stop"), w::BACKFILL_STOP, "danger"))
                }
            }
        }
    }
}

fn previewed<W: World>(visit: &Visit<'_, W>, found: &Value) -> Markup {
    let complete = found.get("complete") != Some(&Value::Bool(false));
    html! {
        section.card {
            h2 { (visit.t(w::BACKFILL_WOULD)) }
            (counts(visit, found))
            (facts(&[
                (visit.t(w::PERIOD), period(visit, found)),
                (visit.t(w::BACKFILL_SECONDS), html! { (number(found, "seconds")) }),
            ]))
            @if !complete { (alert("warn", &html! { p { (visit.t(w::BACKFILL_INCOMPLETE)) } })) }
        }
    }
}

fn days_form<W: World>(visit: &Visit<'_, W>, name: &str) -> Markup {
    let field = |id: &'static str, label: Text, required: bool| {
        html! {
            div.field {
                label for=(id) { (visit.t(label)) }
                input type="date" id=(id) name=(id) value=(visit.form.get(id)) required[required];
            }
        }
    };
    html! {
        section.card {
            p { (visit.t(w::BACKFILL_MORE)) }
            form method="post" action={ "/ui/shops/" (name) "/backfill" } {
                (visit.view.csrf())
                div.days { (field("from", w::FROM_DAY, true)) (field("to", w::TO_DAY, false)) }
                div.buttons {
                    button.primary type="submit" name="do" value="preview" { (visit.t(w::BACKFILL_PREVIEW)) }
                    button type="submit" name="do" value="run" { (visit.t(w::BACKFILL_RUN)) }
                }
            }
        }
    }
}

async fn drawn<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    status: u16,
    above: &Markup,
) -> Result<Reply, Problem> {
    let shop = known(visit.world, name).await?;
    let (state, waits_for) = api::stands(visit.world, name).await?;
    let running = text(&state, "state") == "running";
    let body = html! {
        (visit.said())
        h1 { (shop.retailer.as_str()) }
        (tabs(visit, name, w::BACKFILL))
        (above)
        @if !running { (days_form(visit, name)) }
        @if text(&state, "state") != "none" { (progress(visit, name, &state, waits_for.as_ref())) }
    };
    let mut reply = Reply::page(status, w::SHOPS, body);
    // Only what was asked for by address: to send a form again by itself would be a surprise.
    reply.refresh = running && visit.form.0.is_empty();
    Ok(reply)
}

/// `GET /ui/shops/{name}/backfill`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    drawn(visit, name, 200, &html! {}).await
}

async fn started<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Value, Problem> {
    visit.genuine()?;
    let ready = visit.ready()?;
    let dry = visit.form.get("do") != "run";
    let body = vec![
        ("from", visit.form.get("from").to_json()),
        ("to", visit.form.get("to").to_json()),
        ("dry_run", dry.to_json()),
    ];
    let (_, value) = api::start(visit.world, ready, name, &object(body)).await?;
    Ok(value)
}

/// `POST /ui/shops/{name}/backfill`: a preview, or the run.
pub(super) async fn submit<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    let wrong = wrong_days(visit.form.get("from"), visit.form.get("to"));
    if let Some(wrong) = wrong.filter(|_| visit.genuine().is_ok()) {
        let said = alert("bad", &html! { p { (visit.t(wrong)) } });
        return drawn(visit, name, 400, &said).await;
    }
    match started(visit, name).await {
        Err(wrong) => drawn(visit, name, wrong.status, &problem(visit.view, &wrong)).await,
        Ok(found) if found.get("dry_run") == Some(&Value::Bool(true)) => {
            drawn(visit, name, 200, &previewed(visit, &found)).await
        }
        Ok(_) => {
            let mut reply = Reply::to(&format!("/ui/shops/{name}/backfill?done=started"));
            reply.after = After::ReadLists;
            Ok(reply)
        }
    }
}

/// `POST /ui/shops/{name}/backfill/stop`.
pub(super) async fn stop<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    visit.genuine()?;
    api::stop(visit.world, visit.ready()?, name).await?;
    Ok(Reply::to(&format!(
        "/ui/shops/{name}/backfill?done=stopped"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_asked_for_in_order() {
        assert_eq!(wrong_days("2026-10-01", ""), None);
        assert_eq!(wrong_days("2026-10-01", "2026-10-01"), None);
        for (from, to) in [("", ""), ("1/10/2026", ""), ("2026-10-01", "soon")] {
            assert_eq!(wrong_days(from, to), Some(w::WRONG_DAY), "{from} {to}");
        }
        assert_eq!(wrong_days("2026-10-02", "2026-10-01"), Some(w::WRONG_ORDER));
    }
}
