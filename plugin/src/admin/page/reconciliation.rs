//! A day's sales on KiotViet against Getfly's orders.

use crate::{
    admin::{
        api::{
            problem::Problem,
            reconciliation::{self as api, Day, Differs, Shop, Unread},
        },
        page::{
            layout::{alert, problem},
            reply::Reply,
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    journal::stats,
    rules::money::Money,
    time::Date,
    web::After,
    wording::money,
    world::World,
};
use maud::{Markup, html};

fn total(total: Option<Money>) -> String {
    total.map_or_else(|| "–".to_owned(), money::shown)
}

/// The table's heads.
const HEADS: [Text; 7] = [
    w::DAY,
    w::SHOP,
    w::DIFFERENCE,
    w::INVOICE_CODE,
    w::ORDER_CODE,
    w::KIOTVIET_TOTAL,
    w::GETFLY_TOTAL,
];

/// A difference in words.
fn differs(differs: Differs) -> Text {
    match differs {
        Differs::BeforeConnection => w::DIFFERS_BEFORE,
        Differs::MissingInGetfly => w::DIFFERS_MISSING,
        Differs::Total => w::DIFFERS_TOTAL,
        Differs::NotOnKiotviet => w::DIFFERS_GONE,
        Differs::Unreadable => w::DIFFERS_UNREADABLE,
    }
}

/// A shop that could not be read: why, and what to do.
fn unread<W: World>(visit: &Visit<'_, W>, shop: &Unread) -> Markup {
    html! {
        section.card {
            div.head {
                h2 { (shop.connection) }
                a.button href={ "/ui/shops/" (shop.connection) } { (visit.t(w::MANAGE)) }
            }
            p { (visit.t(w::RECONCILE_UNREAD)) }
            (problem(visit.view, &shop.problem))
        }
    }
}

fn shop<W: World>(visit: &Visit<'_, W>, shop: &Shop) -> Markup {
    html! {
        section.card {
            h2 { (shop.connection) }
            div.terms {
                @for (name, sum) in [("KiotViet", shop.kiotviet), ("Getfly", shop.getfly)] {
                    div.term { span { (name) " · " (sum.count) } strong { (money::shown(sum.sum)) } }
                }
            }
            @if shop.differences.is_empty() { p { (visit.t(w::RECONCILED)) } }
            @else {
                ul.people {
                    @for one in &shop.differences {
                        li {
                            strong { (one.invoice_code.as_deref().or(one.order_code.as_deref()).unwrap_or_default()) } " "
                            (visit.t(differs(one.differs)))
                            p.muted { "KiotViet " (total(one.kiotviet)) " · Getfly " (total(one.getfly)) }
                        }
                    }
                }
            }
        }
    }
}

fn drawn<W: World>(visit: &Visit<'_, W>, day: &str, status: u16, below: &Markup) -> Reply {
    let body = html! {
        h1 { (visit.t(w::RECONCILIATION)) }
        p { (visit.t(w::RECONCILIATION_MORE)) }
        section.card {
            form method="get" action="/ui/reconciliation" {
                div.field {
                    label for="day" { (visit.t(w::DAY)) }
                    input type="date" id="day" name="day" value=(day) required;
                }
                button.primary type="submit" { (visit.t(w::RECONCILE)) }
            }
        }
        (below)
    };
    Reply::page(status, w::RECONCILIATION, body)
}

async fn read<W: World>(visit: &Visit<'_, W>, day: Date) -> Result<Day, Problem> {
    api::of_day(visit.world, visit.ready()?, day).await
}

/// `GET /ui/reconciliation`; nothing is read before a day is chosen.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let typed = visit.query.get("day");
    if typed.is_empty() {
        let today = stats::date(visit.world.now()).map_or_else(String::new, |day| day.to_string());
        return Ok(drawn(visit, &today, 200, &html! {}));
    }
    let Ok(day) = typed.parse() else {
        let said = alert("bad", &html! { p { (visit.t(w::WRONG_DAY)) } });
        return Ok(drawn(visit, typed, 400, &said));
    };
    Ok(match read(visit, day).await {
        Err(wrong) => drawn(visit, typed, wrong.status, &problem(visit.view, &wrong)),
        Ok(found) => {
            let csv = format!("/ui/reconciliation.csv?day={day}");
            let shops = html! {
                @for one in &found.unread { (unread(visit, one)) }
                @for one in &found.shops { (shop(visit, one)) }
                p { a.button href=(csv) download { (visit.t(w::AS_CSV)) } }
            };
            drawn(visit, typed, 200, &shops)
        }
    })
}

/// `GET /ui/reconciliation.csv`: the differences as a table in the page's language. The mark in front tells Excel that it
/// is UTF-8.
pub(super) async fn csv<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let day = api::asked(Some(&format!("day={}", visit.query.get("day"))))?;
    let found = read(visit, day).await?;
    let mut reply = Reply::page(200, w::RECONCILIATION, html! {});
    let word = |one: Option<Differs>| visit.t(one.map_or(w::RECONCILE_UNREAD, differs));
    let table = api::table(&found, HEADS.map(|head| visit.t(head)), word);
    reply.table = Some(format!("\u{feff}{table}"));
    reply.after = After::Nothing;
    let name = format!("attachment; filename=\"reconciliation-{day}.csv\"");
    reply.headers.push(("content-disposition", name));
    Ok(reply)
}
