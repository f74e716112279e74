//! What was sent to Getfly and what it answered, as trees under their titles.

use crate::{
    admin::{
        api::first_day::Shown,
        page::{tree::tree, visit::Visit, words as w, words::Text},
    },
    world::World,
};
use maud::{Markup, html};
use serde_json::Value;

/// A body under its title.
pub(super) fn body<W: World>(
    visit: &Visit<'_, W>,
    title: Text,
    value: &Value,
    status: &Markup,
) -> Markup {
    html! {
        details open {
            summary { (visit.t(title)) " " (status) }
            (tree(visit.reader(), value))
        }
    }
}

/// An answer under its title, with its status and time.
pub(super) fn answered<W: World>(visit: &Visit<'_, W>, title: Text, shown: &Shown) -> Markup {
    let status = html! {
        span.muted {
            @match shown.status { Some(status) => { (status) }, None => { (visit.t(w::NO_ANSWER)) } }
            " · " (visit.view.time(Some(shown.at)))
        }
    };
    body(visit, title, &shown.answer, &status)
}
