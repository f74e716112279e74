//! What is taken for granted about the vendors, and what traffic showed of it here.

use crate::{
    admin::{
        api::{
            assumptions::{self as api, Row, State},
            problem::Problem,
        },
        page::{
            layout::{alert, badge},
            reply::Reply,
            visit::Visit,
            words as w,
            words::{Lang, Text},
        },
    },
    assumption::About,
    json,
    world::World,
};
use maud::{Markup, html};

fn state(row: &Row) -> (&'static str, Text) {
    match row.state {
        State::Unseen if !row.shown_by_traffic => ("", w::ASSUMED_UNSHOWN),
        State::Unseen => ("", w::ASSUMED_UNSEEN),
        State::Confirmed => ("good", w::ASSUMED_CONFIRMED),
        State::Contradicted => ("bad", w::ASSUMED_CONTRADICTED),
    }
}

fn row<W: World>(visit: &Visit<'_, W>, row: &Row) -> Markup {
    let (class, words) = state(row);
    let said = match visit.view.lang {
        Lang::Vi => row.says_vi,
        Lang::En => row.says,
    };
    html! {
        tr {
            td { @if row.about == About::Hosts { (visit.t(w::HOSTS)) } @else { (row.about.as_str()) } }
            td { (said) " " code.muted { (row.id) } }
            td { (badge(class, visit.t(words))) }
            @for (head, seen) in [(w::ASSUMED_CONFIRMED, &row.confirmed), (w::ASSUMED_CONTRADICTED, &row.contradicted)] {
                td data-head=(visit.t(head)) { @if seen.times > 0 { (seen.times) " · " (visit.view.time(seen.since)) } }
            }
        }
    }
}

/// What is said of so many assumptions that do not hold.
pub(super) fn wrong_words(count: usize) -> Text {
    if count == 1 {
        w::ASSUMPTIONS_WRONG_1
    } else {
        w::ASSUMPTIONS_WRONG
    }
}

/// `GET /ui/assumptions`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let table = api::assumptions(visit.world).await?;
    let wrong = table.contradicted();
    let export = String::from_utf8_lossy(&json::text(&table)).into_owned();
    let body = html! {
        h1 { (visit.t(w::ASSUMPTIONS)) }
        p { (visit.t(w::ASSUMPTIONS_MORE)) }
        @if wrong > 0 {
            (alert("warn", &html! { p { strong { (wrong) } " " (visit.t(wrong_words(wrong))) } }))
        }
        section.card {
            div {
                table.numbers.stacks {
                    thead {
                        tr {
                            th { (visit.t(w::ASSUMED_ABOUT)) }
                            th { (visit.t(w::ASSUMED_WHAT)) }
                            th { (visit.t(w::ASSUMED_STATE)) }
                            th { (visit.t(w::ASSUMED_CONFIRMED)) }
                            th { (visit.t(w::ASSUMED_CONTRADICTED)) }
                        }
                    }
                    tbody { @for one in &table.assumptions { (row(visit, one)) } }
                }
            }
        }
        section.card {
            h2 { (visit.t(w::ASSUMPTIONS_EXPORT)) }
            p.muted { (visit.t(w::ASSUMPTIONS_EXPORT_MORE)) }
            textarea readonly rows="6" aria-label=(visit.t(w::ASSUMPTIONS_EXPORT)) { (export) }
        }
    };
    Ok(Reply::page(200, w::ASSUMPTIONS, body))
}
