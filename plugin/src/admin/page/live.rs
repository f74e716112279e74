//! What both systems have now of what an event is about, on its page.

use crate::{
    admin::{
        api::{
            live::{self as api, Live, LiveCustomer, LiveInvoice},
            problem::Problem,
        },
        page::{
            answers::{answered, body},
            layout::{alert, badge, facts, sentence},
            visit::Visit,
            words as w,
        },
    },
    journal::{
        connections,
        record::{Kind, Record},
    },
    rules::money::Money,
    wording::{money, times},
    world::World,
};
use maud::{Markup, html};

fn amount(amount: Option<Money>) -> Markup {
    html! { @if let Some(amount) = amount { (money::shown(amount)) } }
}

fn customer<W: World>(visit: &Visit<'_, W>, customer: &LiveCustomer) -> Markup {
    facts(&[
        (visit.t(w::CUSTOMER_CODE), html! { (customer.code) }),
        (visit.t(w::CUSTOMER_NAME), html! { (customer.name) }),
        (visit.t(w::PHONE), html! { (customer.phone) }),
        (visit.t(w::EMAIL), html! { (customer.email) }),
        (visit.t(w::ADDRESS), html! { (customer.address) }),
    ])
}

fn invoice<W: World>(visit: &Visit<'_, W>, invoice: &LiveInvoice) -> Markup {
    let day = invoice.day.map(|day| times::day(&day.to_string()));
    html! {
        @if invoice.is_cancelled { p { (badge("off", visit.t(w::CANCELLED))) } }
        (facts(&[
            (visit.t(w::INVOICE_CODE), html! { (invoice.code) }),
            (visit.t(w::DAY), html! { @if let Some(day) = day { (day) } }),
            (visit.t(w::SELLER), html! { @if let Some(seller) = &invoice.seller { (seller) } }),
            (visit.t(w::CUSTOMER_NAME), html! { (invoice.customer_name) }),
        ]))
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { (visit.t(w::PRODUCT)) }
                        th scope="col" { (visit.t(w::QUANTITY)) }
                        th scope="col" { (visit.t(w::PRICE)) }
                        th scope="col" { (visit.t(w::DISCOUNT)) }
                        th scope="col" { (visit.t(w::SALE_TOTAL)) }
                    }
                }
                tbody {
                    @for line in &invoice.lines {
                        tr {
                            th scope="row" { (line.name) " " span.muted { (line.code) } }
                            td { (line.quantity.replace('.', ",")) }
                            td { (money::shown(line.price)) }
                            td { (money::shown(line.discount)) }
                            td { (amount(line.total)) }
                        }
                    }
                }
            }
        }
        (facts(&[
            (visit.t(w::DISCOUNT), amount(invoice.discount)),
            (visit.t(w::TAX), amount(invoice.tax)),
        ]))
        @if !invoice.surcharges.is_empty() {
            ul { @for (name, added) in &invoice.surcharges { li { (name) ": " (money::shown(*added)) } } }
        }
        p { strong { (visit.t(w::SALE_TOTAL)) ": " (money::shown(invoice.total)) } }
    }
}

/// The card on the event's page: a button, or when that was pressed what was read.
pub(super) async fn card<W: World>(
    visit: &Visit<'_, W>,
    event: &Record,
) -> Result<Markup, Problem> {
    if event.hint.is_none() {
        return Ok(html! {});
    }
    let connection = connections::load(visit.world, &event.connection).await?;
    let places = connection
        .zip(visit.ready().ok())
        .map(|(connection, ready)| api::places(&connection.retailer, ready, event, None, None));
    let place = format!("/ui/events/{}?live=true#live", event.seq);
    let read = match (visit.query.get("live") == "true", visit.ready()) {
        (true, Ok(ready)) => Some(api::of(visit.world, ready, event).await),
        _ => None,
    };
    Ok(html! {
        section.card #live {
            h2 { (visit.t(w::LIVE)) }
            @match read {
                None => {
                    p { (visit.t(w::LIVE_MORE)) }
                    @if let Some([kiotviet, getfly]) = places {
                        (in_kiotviet(visit, event, &kiotviet))
                        (in_getfly(visit, event, &getfly))
                    }
                }
                Some(Err(problem)) => (super::layout::problem(visit.view, &problem)),
                Some(Ok(live)) => (found(visit, event, &live)),
            }
            div.buttons { a.button href=(place) rel="nofollow" { (visit.t(w::LIVE_READ)) } }
        }
    })
}

/// The way to a page of the vendor's own, and what to look for there.
fn way<W: World>(visit: &Visit<'_, W>, vendor: &str, place: &str, code: Option<&str>) -> Markup {
    html! {
        p {
            a href=(place) rel="noreferrer" { (visit.t(w::LIVE_OPEN)) " " (vendor) }
            @if let Some(code) = code { ". " span.hint { (visit.t(w::LIVE_LOOK_FOR)) " " strong { (code) } "." } }
        }
    }
}

fn in_kiotviet<W: World>(visit: &Visit<'_, W>, event: &Record, place: &str) -> Markup {
    let hinted = event.hint.as_ref().and_then(|hint| hint.code.as_deref());
    way(visit, "KiotViet", place, hinted)
}

/// Only an account's page is known: an order is looked for by its code.
fn in_getfly<W: World>(visit: &Visit<'_, W>, event: &Record, place: &str) -> Markup {
    let account = event.account_code.as_ref().map(|code| code.as_str());
    let order = event.order_code.as_ref().map(|code| code.as_str());
    let code = match event.kind {
        Kind::Invoice => order.or(account),
        Kind::Customer | Kind::Other => account,
    };
    way(visit, "Getfly", place, code)
}

fn found<W: World>(visit: &Visit<'_, W>, event: &Record, live: &Live) -> Markup {
    let [kiotviet, getfly] = &live.links;
    html! {
        @for why in &live.unread { (alert("warn", &html! { p { (sentence(visit.view, why)) } })) }
        h3 { "KiotViet" }
        @if let Some(one) = &live.invoice { (invoice(visit, one)) }
        @if let Some(one) = &live.customer { (customer(visit, one)) }
        @if live.invoice.is_none() && live.customer.is_none() { p.muted { (visit.t(w::LIVE_NONE)) } }
        (in_kiotviet(visit, event, kiotviet))
        h3 { "Getfly" }
        @for one in &live.sent { (body(visit, w::FIRST_DAY_SENT, &one.sent, &html! { code { (one.call) } })) }
        @for one in &live.getfly { (answered(visit, w::FIRST_DAY_HAS, one)) }
        @if live.getfly.is_empty() { p.muted { (visit.t(w::LIVE_NONE)) } }
        (in_getfly(visit, event, getfly))
    }
}
