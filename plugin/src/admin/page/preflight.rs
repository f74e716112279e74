//! What would go wrong with a shop's first sales, as far as it is known; the page goes on by itself.

use crate::{
    admin::{
        api::{preflight as api, problem::Problem, request::known},
        page::{
            layout::{alert, badge, sentence},
            reply::Reply,
            shop::{tab_title, tabs},
            visit::Visit,
            words as w,
            words::{Lang, Text},
        },
    },
    preflight::{
        finding::Finding,
        report::{Check, Checked, Unknown},
    },
    world::World,
};
use maud::{Markup, html};

fn name(check: Check) -> Text {
    match check {
        Check::Version => w::CHECK_VERSION,
        Check::GetflyRights => w::CHECK_GETFLY_RIGHTS,
        Check::KiotVietRights => w::CHECK_KIOTVIET_RIGHTS,
        Check::OtherBridges => w::CHECK_OTHER_BRIDGES,
        Check::Sellers => w::CHECK_SELLERS,
        Check::Fields => w::CHECK_FIELDS,
        Check::Accounts => w::CHECK_ACCOUNTS,
        Check::Customers => w::CHECK_CUSTOMERS,
        Check::Invoices => w::CHECK_INVOICES,
        Check::Products => w::CHECK_PRODUCTS,
    }
}

fn found<W: World>(visit: &Visit<'_, W>, finding: &Finding) -> Markup {
    let told = match visit.view.lang {
        Lang::Vi => finding.vietnamese(),
        Lang::En => finding.english(),
    };
    let class = if finding.is_bad() { "bad" } else { "warn" };
    alert(
        class,
        &html! {
            p { strong { (told.what) } }
            p { (told.then) }
            p { (visit.t(w::PREFLIGHT_DO)) ": " (told.mend) }
        },
    )
}

fn checked<W: World>(visit: &Visit<'_, W>, one: &Checked) -> Markup {
    let (class, words) = match (&one.unknown, one.findings.as_slice()) {
        (Some(_), _) => ("", w::PREFLIGHT_UNKNOWN),
        (None, []) => ("good", w::PREFLIGHT_WELL),
        (None, findings) if findings.iter().any(Finding::is_bad) => ("bad", w::PREFLIGHT_BAD),
        (None, _) => ("warn", w::PREFLIGHT_WARN),
    };
    html! {
        section.card {
            div.head {
                h2 { (visit.t(name(one.check))) }
                (badge(class, visit.t(words)))
            }
            @match &one.unknown {
                Some(Unknown::Failed(trouble)) => { p { (sentence(visit.view, trouble)) } }
                Some(Unknown::CallsUsedUp) => { p { (visit.t(w::PREFLIGHT_USED_UP)) } }
                None => {}
            }
            @for finding in &one.findings { (found(visit, finding)) }
        }
    }
}

/// `GET /ui/shops/{name}/preflight`.
pub(super) async fn show<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    let shop = known(visit.world, name).await?;
    let anew = visit.query.get("again") == "true";
    let run = api::go_on(visit.world, visit.ready()?, name, anew).await?;
    let place = format!("/ui/shops/{name}/preflight");
    if anew {
        // Reloading goes on with it.
        return Ok(Reply::to(&place));
    }
    let (done, of) = (run.checked.len(), Check::ALL.len());
    let body = html! {
        h1 { (shop.retailer.title()) }
        (tabs(visit, name, w::PREFLIGHT))
        p { (visit.t(w::PREFLIGHT_MORE)) }
        p {
            (visit.t(w::PREFLIGHT_PROGRESS)) " " strong { (done) "/" (of) } " · " (visit.view.counted(run.calls, (w::PREFLIGHT_CALLS_1, w::PREFLIGHT_CALLS)))
            " · " (visit.view.time(Some(run.began_at)))
        }
        @for one in &run.checked { (checked(visit, one)) }
        @if run.is_complete() {
            p { a.button href={ (place) "?again=true" } { (visit.t(w::PREFLIGHT_AGAIN)) } }
        }
    };
    let mut reply = Reply::page(200, w::SHOPS, body).about(tab_title(
        visit,
        w::PREFLIGHT,
        &shop.retailer.title(),
    ));
    reply.refresh = !run.is_complete();
    Ok(reply)
}
