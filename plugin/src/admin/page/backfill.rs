//! Older customers and invoices: the days, a preview that writes nothing, the run, and watching it.

use crate::{
    admin::{
        api::{
            backfill as api,
            problem::Problem,
            request::known,
            view::{Backfill, BackfillPreview, BackfillRun, BackfillStarted, FoundInList},
        },
        page::{
            layout::{alert, badge, facts, problem, sentence},
            overview::ends,
            reply::Reply,
            shop::{tab_title, tabs},
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::{backfill::State, list_scan::ListScan},
    time::{Date, Timestamp},
    web::After,
    world::World,
};
use maud::{Markup, html};

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

/// What is told of one list: each count with its word.
type Told = Vec<(Text, u64)>;

fn found(found: &FoundInList) -> Told {
    vec![
        (w::LISTED, found.listed),
        (w::KNOWN, found.known),
        (w::TO_PROCESS, found.to_process),
    ]
}

fn scanned(scan: &ListScan) -> Told {
    vec![
        (w::TOTAL, scan.total),
        (w::LISTED, scan.listed),
        (w::KNOWN, scan.known),
        (w::QUEUED, scan.queued),
    ]
}

/// The counts of the customers and of the invoices, as far as there are such.
fn counts<W: World>(
    visit: &Visit<'_, W>,
    customers: Option<Told>,
    invoices: Option<Told>,
) -> Markup {
    html! {
        @for (title, told) in [(w::CUSTOMERS, customers), (w::INVOICES, invoices)] {
            @if let Some(told) = told {
                h3 { (visit.t(title)) }
                div.terms {
                    @for (words, count) in told { div.term { span { (visit.t(words)) } strong { (count) } } }
                }
            }
        }
    }
}

fn period<W: World>(visit: &Visit<'_, W>, from: Timestamp, to: Timestamp) -> Markup {
    html! { (visit.view.time(Some(from))) " – " (visit.view.time(Some(to))) }
}

/// Whether the lists were read, and what they brought is still worked on.
fn is_at_work(run: &BackfillRun) -> bool {
    let waiting = run.outcomes.is_some_and(|outcomes| outcomes.waiting > 0);
    run.state == State::Done && waiting
}

fn progress<W: World>(visit: &Visit<'_, W>, name: &str, run: &BackfillRun) -> Markup {
    let (class, words) = match run.state {
        State::Running => ("wait", w::RUN_RUNNING),
        State::Done if is_at_work(run) => ("wait", w::RUN_WORKING),
        State::Done => ("good", w::RUN_DONE),
        State::Stopped => ("off", w::RUN_STOPPED),
    };
    let place = format!("/ui/shops/{name}/backfill");
    html! {
        section.card {
            div.head { h2 { (visit.t(w::BACKFILL_STATE)) } (badge(class, visit.t(words))) }
            (facts(&[(visit.t(w::PERIOD), period(visit, run.from, run.to))]))
            (counts(visit, run.customers.as_ref().map(scanned), run.invoices.as_ref().map(scanned)))
            @if let Some(outcomes) = &run.outcomes {
                h3 { (visit.t(w::BACKFILL_OUTCOMES)) }
                div.terms {
                    @for (count, words) in ends(outcomes) { div.term { span { (visit.t(words)) } strong { (count) } } }
                }
            }
            @if let Some(note) = &run.note { (alert("warn", &html! { p { (sentence(visit.view, note)) } })) }
            @if run.state == State::Running {
                div.buttons {
                    a.button href=(place) { (visit.t(w::REFRESH)) }
                    (visit.view.button(&format!("{place}/stop"), w::BACKFILL_STOP, "danger"))
                }
            }
        }
    }
}

fn previewed<W: World>(visit: &Visit<'_, W>, preview: &BackfillPreview) -> Markup {
    html! {
        section.card {
            h2 { (visit.t(w::BACKFILL_WOULD)) }
            (counts(visit, preview.customers.as_ref().map(found), preview.invoices.as_ref().map(found)))
            (facts(&[
                (visit.t(w::PERIOD), period(visit, preview.from, preview.to)),
                (visit.t(w::BACKFILL_TIME), html! { (preview.seconds.div_ceil(60)) " " (visit.t(w::MINUTES)) }),
            ]))
            @if !preview.complete { (alert("warn", &html! { p { (visit.t(w::BACKFILL_INCOMPLETE)) } })) }
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

/// Whether the worker has not come yet to the command that the address names. The run that is known is an older one then.
async fn is_queued<W: World>(
    visit: &Visit<'_, W>,
    run: Option<&BackfillRun>,
) -> Result<bool, Problem> {
    let Ok(command) = visit.query.get("command").parse() else {
        return Ok(false);
    };
    let is_older = run.is_none_or(|run| run.by < command);
    Ok(is_older && api::is_queued(visit.world, command).await?)
}

async fn drawn<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    status: u16,
    above: &Markup,
) -> Result<Reply, Problem> {
    let shop = known(visit.world, name).await?;
    let run = match api::state(visit.world, name).await? {
        Backfill::Never(_) => None,
        Backfill::Run(run) => Some(run),
    };
    let running = run.as_ref().is_some_and(|run| run.state == State::Running);
    let at_work = run.as_deref().is_some_and(is_at_work);
    let queued = is_queued(visit, run.as_deref()).await?;
    let body = html! {
        (visit.said())
        h1 { (shop.retailer.title()) }
        (tabs(visit, name, w::BACKFILL))
        (above)
        @if queued { section.card { div.head { h2 { (visit.t(w::BACKFILL_STATE)) } (badge("wait", visit.t(w::RUN_QUEUED))) } } }
        @if !running && !queued { (days_form(visit, name)) }
        @if let Some(run) = &run { (progress(visit, name, run)) }
    };
    let mut reply = Reply::page(status, w::SHOPS, body).about(tab_title(
        visit,
        w::BACKFILL,
        &shop.retailer.title(),
    ));
    // Only what was asked for by address: to send a form again by itself would be a surprise.
    reply.refresh = (running || queued || at_work) && visit.form.0.is_empty();
    Ok(reply)
}

/// `GET /ui/shops/{name}/backfill`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    drawn(visit, name, 200, &html! {}).await
}

async fn started<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
) -> Result<(BackfillStarted, u64), Problem> {
    visit.genuine()?;
    let asked = api::Asked {
        dry_run: visit.form.get("do") != "run",
        from: visit.form.get("from").to_owned(),
        to: visit.form.get("to").to_owned(),
    };
    let (_, started, command) = api::start(visit.world, visit.ready()?, name, &asked).await?;
    Ok((started, command))
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
        Ok((BackfillStarted::Preview(preview), _)) => {
            drawn(visit, name, 200, &previewed(visit, &preview)).await
        }
        Ok((BackfillStarted::Asked(_), command)) => {
            let place = format!("/ui/shops/{name}/backfill?done=started&command={command}");
            let mut reply = Reply::to(&place);
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
