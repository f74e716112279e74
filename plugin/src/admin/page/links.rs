//! Which account an event's customer is: the form to say so, and what a person said.

use crate::{
    admin::{
        api::{links as api, problem::Problem, view},
        page::{reply::Reply, visit::Visit, words as w},
    },
    journal::{connections, kind::Kind, links::Link, record::Record},
    web::After,
    world::World,
};
use maud::{Markup, html};

/// The link of an event's customer, and the form to make or undo it; nothing for an event without a customer.
pub(super) async fn card<W: World>(
    visit: &Visit<'_, W>,
    event: &Record,
) -> Result<Markup, Problem> {
    if event.kind == Kind::Other || event.hint.is_none() {
        return Ok(html! {});
    }
    let linked = api::known_link(visit.world, event).await?;
    let others = match &linked {
        Some((id, link)) => others(visit, event, *id, link).await?,
        None => Vec::new(),
    };
    let place = format!("/ui/events/{}", event.seq);
    Ok(html! {
        section.card {
            h2 { (visit.t(w::LINK_BY_HAND)) }
            @if let Some((_, link)) = &linked {
                p { (visit.t(w::LINKED_TO)) " " strong { (link.account_code) } }
                (visit.view.button(&format!("{place}/unlink"), w::UNLINK, ""))
            }
            @if !others.is_empty() {
                h3 { (visit.t(w::OTHER_ORDERS)) }
                ul {
                    @for one in &others {
                        li { a href={ "/ui/events/" (one.seq) } { (one.order_code) } " · " (one.account_code) }
                    }
                }
            }
            form method="post" action={ (place) "/link" } {
                (visit.view.csrf())
                label for="account_code" { (visit.t(w::ACCOUNT_CODE)) }
                input #account_code name="account_code" required maxlength="100" autocomplete="off";
                p.hint { (visit.t(w::LINK_HINT)) }
                button type="submit" { (visit.t(w::LINK)) }
            }
        }
    })
}

async fn others<W: World>(
    visit: &Visit<'_, W>,
    event: &Record,
    customer_id: i64,
    link: &Link,
) -> Result<Vec<view::OtherOrder>, Problem> {
    match connections::load(visit.world, &event.connection).await? {
        Some(connection) => {
            api::other_orders(visit.world, &connection, customer_id, &link.account_code).await
        }
        None => Ok(Vec::new()),
    }
}

/// `POST /ui/events/{seq}/link` and `/unlink`.
pub(super) async fn submit<W: World>(
    visit: &Visit<'_, W>,
    seq: &str,
    links: bool,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    let code = match links {
        true => Some(api::read_code(visit.form.get("account_code"))?),
        false => None,
    };
    let (status, _) = api::link(visit.world, visit.ready()?, seq, code).await?;
    let said = if status == 200 { "wish" } else { "taken" };
    let mut reply = Reply::to(&format!("/ui/events/{seq}?done={said}"));
    reply.after = After::Drain;
    Ok(reply)
}
