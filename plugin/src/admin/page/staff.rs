//! R13: which sellers have no Getfly user of the same phone, and what to mend. Phone numbers are shown
//! here, behind the log-in, and nowhere else.

use crate::{
    admin::{
        api::{
            problem::Problem,
            request::known,
            staff as api,
            view::{Seller, SellerProblem},
        },
        page::{
            layout::alert,
            reply::Reply,
            shop::{tab_title, tabs},
            visit::Visit,
            words as w,
        },
    },
    rules::codes::Edition,
    world::World,
};
use maud::{Markup, html};

fn seller<W: World>(visit: &Visit<'_, W>, seller: &Seller) -> Markup {
    let phone = seller.phone.as_deref().unwrap_or_default();
    let mend = match seller.problem {
        Some(SellerProblem::SellerWithoutPhone) => Some(w::STAFF_NO_PHONE),
        Some(SellerProblem::NobodyWithThatPhone) => Some(w::STAFF_NOBODY),
        Some(SellerProblem::UnknownSeller) | None => None,
    };
    html! {
        li {
            div {
                strong { (seller.name) } " "
                span.muted { (if phone.is_empty() { visit.t(w::NO_PHONE) } else { phone }) }
            }
            @if let Some(user) = &seller.getfly_user {
                p { (visit.t(w::GETFLY_USER)) ": " (user.name) " (" (user.login) ")" }
            }
            @if let Some(mend) = mend { p { (visit.t(mend)) } }
        }
    }
}

fn group<'v, W: World>(visit: &Visit<'_, W>, sellers: impl Iterator<Item = &'v Seller>) -> Markup {
    html! { ul.people { @for one in sellers { (seller(visit, one)) } } }
}

/// `GET /ui/shops/{name}/staff`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    let shop = known(visit.world, name).await?;
    let found = api::staff(visit.world, visit.ready()?, name, api::Phones::Shown).await?;
    let sellers = &found.staff;
    let unmatched = |s: &&Seller| s.problem.is_some();
    let wrong = sellers.iter().filter(unmatched).count();
    let empty = match shop.retailer.edition() {
        Edition::Retail => w::STAFF_EMPTY,
        Edition::Fnb => w::STAFF_NOT_OFFERED,
    };
    let body = html! {
        h1 { (shop.retailer.title()) }
        (tabs(visit, name, w::STAFF))
        p { (visit.t(w::STAFF_MORE)) }
        @if sellers.is_empty() {
            section.card.empty { p { (visit.t(empty)) } }
        } @else if wrong == 0 {
            (alert("good", &html! { p { (visit.t(w::STAFF_ALL_FINE)) } }))
        } @else {
            section.card {
                h2 { (visit.t(w::STAFF_TO_MEND)) " (" (wrong) ")" }
                (group(visit, sellers.iter().filter(unmatched)))
            }
        }
        @if wrong < sellers.len() {
            section.card {
                h2 { (visit.t(w::STAFF_MATCHED)) " (" (sellers.len() - wrong) ")" }
                (group(visit, sellers.iter().filter(|s| !unmatched(s))))
            }
        }
        p.hint { (visit.t(w::STAFF_ADMIN)) " " (visit.t(w::STAFF_FRESH)) }
    };
    let subject = tab_title(visit, w::STAFF, &shop.retailer.title());
    Ok(Reply::page(200, w::SHOPS, body).about(subject))
}
