//! The sales that KiotViet changed after their order was made (R6): both totals, so that a person corrects Getfly.

use crate::{
    admin::{
        api::{problem::Problem, request::known},
        page::{events, layout::facts, reply::Reply, visit::Visit, words as w},
    },
    journal::{
        changes::{self, Kept},
        connections,
    },
    rules::codes::OrderCode,
    wording::money,
    world::World,
};
use maud::{Markup, html};

/// How many changes of all shops nobody has corrected.
pub(super) async fn open<W: World>(visit: &Visit<'_, W>) -> Result<u64, Problem> {
    let mut open: u64 = 0;
    for name in connections::names(visit.world).await? {
        let changes = changes::open(visit.world, &name).await?;
        open = open.saturating_add(changes.len() as u64);
    }
    Ok(open)
}

fn change<W: World>(visit: &Visit<'_, W>, shop: &str, kept: &Kept) -> Markup {
    let one = &kept.change;
    let now = one
        .now
        .map_or_else(|| visit.t(w::CANCELLED).to_owned(), money::shown);
    html! {
        section.card {
            div.head {
                h2 { (visit.t(w::INVOICE)) " " a href={ "/ui/events/" (kept.seq) } { (one.invoice_code) } }
            }
            (facts(&[
                (visit.t(w::ORDER_CODE), html! { (one.order_code) }),
                (visit.t(w::PUSHED_TOTAL), html! { @if let Some(total) = one.pushed { (money::shown(total)) } }),
                (visit.t(w::TOTAL_NOW), html! { strong { (now) } }),
                (visit.t(w::SHOP), html! { (shop) }),
                (visit.t(w::CHANGED_AT), visit.view.time(Some(kept.at))),
            ]))
            form.inline method="post" action={ "/ui/changed/" (shop) } {
                (visit.view.csrf())
                input type="hidden" name="order" value=(one.order_code);
                input type="hidden" name="seq" value=(kept.seq);
                button type="submit" { (visit.t(w::CORRECTED)) }
            }
        }
    }
}

/// `GET /ui/changed`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let mut all = Vec::new();
    for name in connections::names(visit.world).await? {
        let changes = changes::open(visit.world, &name).await?;
        all.extend(changes.into_iter().map(|kept| (name.clone(), kept)));
    }
    all.sort_by_key(|(_, kept)| core::cmp::Reverse(kept.at));
    let body = html! {
        (visit.said())
        (events::back(visit))
        h1 { (visit.t(w::CHANGED)) }
        p { (visit.t(w::CHANGED_MORE)) }
        @if all.is_empty() { section.card.empty { p { (visit.t(w::CHANGED_NONE)) } } }
        @for (name, kept) in &all { (change(visit, name.as_str(), kept)) }
    };
    Ok(Reply::page(200, w::CHANGED, body))
}

/// `POST /ui/changed/{name}`: a person has corrected an order in Getfly.
pub(super) async fn correct<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    visit.genuine()?;
    let shop = known(visit.world, name).await?;
    let order = OrderCode::existing(visit.form.get("order").to_owned());
    let changes = changes::load(visit.world, &shop.name).await?;
    let told = changes.of(&order).map(|kept| kept.seq);
    let asked = visit.form.get("seq").parse().ok();
    // A change that came since stays.
    if let Some(seq) = told.filter(|seq| asked == Some(*seq)) {
        changes::correct(visit.world, &shop.name, &order, seq).await?;
    }
    Ok(Reply::to("/ui/changed?done=wish"))
}
