//! The shops, and one shop: its two webhooks with what each does to the person in charge (R4, R12), and
//! leaving it.

use crate::{
    admin::{
        api::{
            connections as api, overview,
            problem::{Problem, unknown_connection},
            request::{known, known_webhook, named},
            view::{AtKiotViet, Connection, Hook, Listed},
        },
        page::{
            connect,
            layout::{alert, badge, facts, is_unseen, problem, sentence},
            reply::Reply,
            visit::Visit,
            words as w,
            words::Text,
        },
    },
    config::SignaturePolicy,
    journal::connections::{self, Webhook},
    time::Timestamp,
    world::World,
};
use maud::{Markup, html};

/// A webhook as people see it.
struct Words {
    title: Text,
    on: Text,
    off: Text,
}

fn words(webhook: Webhook) -> Words {
    match webhook {
        Webhook::Customer => Words {
            title: w::REGISTER_CUSTOMER,
            on: w::CUSTOMER_ON_MEANS,
            off: w::CUSTOMER_OFF_MEANS,
        },
        Webhook::Order => Words {
            title: w::REGISTER_ORDER,
            on: w::ORDER_ON_MEANS,
            off: w::ORDER_OFF_MEANS,
        },
    }
}

/// The state of a webhook: switched off, or as KiotViet reports it (`active`, none while unknown).
pub(super) fn hook_badge<W: World>(visit: &Visit<'_, W>, on: bool, active: Option<bool>) -> Markup {
    let (class, words) = match (on, active) {
        (false, _) => ("off", w::HOOK_OFF),
        (true, Some(true)) => ("good", w::HOOK_ACTIVE),
        (true, Some(false)) => ("bad", w::HOOK_BROKEN),
        (true, None) => ("linked", w::HOOK_ON),
    };
    badge(class, visit.t(words))
}

/// That invoices are polled, and when they last were.
pub(super) fn polled<W: World>(visit: &Visit<'_, W>, at: Option<Timestamp>) -> Markup {
    let seconds = visit
        .config
        .ready
        .as_ref()
        .map_or(60, |ready| ready.poll_every.as_secs());
    html! {
        span.polled {
            @if seconds == 60 { (visit.t(w::POLLED)) } @else { (visit.t(w::POLLED_EVERY)) " " (seconds) " s" }
            @if at.is_some() { ", " (visit.t(w::POLLED_AT)) " " (visit.view.time(at)) }
        }
    }
}

fn state<W: World>(visit: &Visit<'_, W>, hook: &Hook) -> Markup {
    match (hook.on, hook.kiotviet.registered()) {
        (true, Some(false)) => return badge("bad", visit.t(w::HOOK_MISSING)),
        (false, Some(true)) => return badge("bad", visit.t(w::HOOK_LEFT)),
        _ => {}
    }
    hook_badge(visit, hook.on, hook.kiotviet.active())
}

/// The links between a shop's pages.
pub(super) fn tabs<W: World>(visit: &Visit<'_, W>, name: &str, here: Text) -> Markup {
    let places = [
        ("", w::CONNECTION),
        ("/preflight", w::PREFLIGHT),
        ("/first-day", w::FIRST_DAY),
        ("/staff", w::STAFF),
        ("/backfill", w::BACKFILL),
    ];
    html! {
        div.tabs {
            @for (path, text) in places {
                a href={ "/ui/shops/" (name) (path) } aria-current=[(text == here).then_some("page")] { (visit.t(text)) }
            }
        }
    }
}

/// What one of a shop's pages is about, for its title.
pub(super) fn tab_title<W: World>(visit: &Visit<'_, W>, tab: Text, shop: &str) -> String {
    format!("{} · {shop}", visit.t(tab))
}

/// `GET /ui/shops`.
pub(super) async fn list<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let list = api::list(visit.world, visit.ready()?).await?;
    let shops = &list.connections;
    let body = html! {
        (visit.said())
        h1 { (visit.t(w::SHOPS)) }
        @for shop in shops {
            @match shop {
                Listed::Sound(shop) => { (listed(visit, shop)) }
                Listed::Damaged { name, .. } => { (damaged(visit, name.as_str())) }
            }
        }
        @if shops.is_empty() { (nobody(visit)) }
        @else { p { a.button href="/ui/connect" { (visit.t(w::CONNECT_ANOTHER)) } } }
    };
    Ok(Reply::page(200, w::SHOPS, body))
}

fn listed<W: World>(visit: &Visit<'_, W>, shop: &Connection) -> Markup {
    html! {
        section.card.shop {
            div.head {
                h2 { (shop.retailer.title()) }
                a.button href={ "/ui/shops/" (shop.name) } { (visit.t(w::MANAGE)) }
            }
            (facts(&[
                (visit.t(w::WEBHOOK_CUSTOMER), state(visit, &shop.webhooks.customer)),
                (visit.t(w::WEBHOOK_ORDER), html! {
                    (state(visit, &shop.webhooks.order))
                    @if let Some(at) = shop.webhooks.order.kiotviet.polled().filter(|_| shop.webhooks.order.on) { " " (polled(visit, at)) }
                }),
                (visit.t(w::CONNECTED_AT), visit.view.time(Some(shop.connected_at))),
            ]))
        }
    }
}

/// A shop whose record cannot be read.
pub(super) fn damaged<W: World>(visit: &Visit<'_, W>, name: &str) -> Markup {
    html! {
        section.card.shop {
            h2 { (name) }
            (alert("bad", &html! { p { (visit.t(w::SHOP_DAMAGED)) } }))
            div.buttons {
                a.button.primary href={ "/ui/connect?retailer=" (name) } { (visit.t(w::CONNECT_AGAIN)) }
                a.button.danger href={ "/ui/shops/" (name) "/disconnect" } { (visit.t(w::DISCONNECT)) }
            }
        }
    }
}

/// What is shown before there is a shop.
pub(super) fn nobody<W: World>(visit: &Visit<'_, W>) -> Markup {
    html! {
        section.card.empty {
            h2 { (visit.t(w::NO_SHOP)) }
            p { (visit.t(w::NO_SHOP_MORE)) }
            p { a.button.primary href="/ui/connect" { (visit.t(w::CONNECT_FIRST)) } }
        }
    }
}

/// A webhook's card. `unseen`: why KiotViet's side of the shop cannot be seen.
fn switch_card<W: World>(
    visit: &Visit<'_, W>,
    shop: &Connection,
    webhook: Webhook,
    waiting: u64,
    checked_at: Option<Timestamp>,
) -> Markup {
    let (hook, words) = (shop.webhooks.of(webhook), words(webhook));
    let on = hook.on;
    let sound = hook.kiotviet.active() == Some(true);
    let left = !on && hook.kiotviet.registered() == Some(true);
    let unseen = matches!(&hook.kiotviet, AtKiotViet::Unseen { error } if is_unseen(&error.0));
    let place = format!("/ui/shops/{}/webhooks/{}", shop.name, webhook.as_str());
    html! {
        section.card.switch id=(webhook.as_str()) {
            div.head { h2 { (visit.t(words.title)) } (state(visit, hook)) }
            ul.means {
                li.chosen[on] { (visit.t(words.on)) }
                li.chosen[!on] { (visit.t(words.off)) }
            }
            @if on { p.muted { (visit.t(w::ON_SINCE)) " " (visit.view.time(hook.on_since)) } }
            @if let Some(at) = hook.kiotviet.polled() {
                @if on { p { (polled(visit, at)) } } @else { p.hint { (visit.t(w::POLLED_MEANS)) } }
            }
            @if let AtKiotViet::Unseen { error } = &hook.kiotviet {
                (alert("warn", &html! { p {
                    @if unseen && checked_at.is_some() { (visit.t(w::UNSEEN_SINCE)) " " (visit.view.time(checked_at)) ": " }
                    (sentence(visit.view, error))
                } }))
            }
            @if left { (alert("warn", &html! { p { (visit.t(w::HOOK_LEFT_MORE)) } })) }
            @if on && waiting > 0 { (alert("warn", &html! { p { (visit.t(w::WAITING_WARNING)) " " strong { (waiting) } } })) }
            div.buttons {
                @if on && !sound && !unseen { (visit.view.button(&format!("{place}/on"), w::REPAIR, "primary")) }
                @if on || left { (visit.view.button(&format!("{place}/off"), w::SWITCH_OFF, if left { "primary" } else { "" })) }
                @if !on { (visit.view.button(&format!("{place}/on"), w::SWITCH_ON, if left { "" } else { "primary" })) }
            }
        }
    }
}

/// `GET /ui/shops/{name}`, or the same after something about it went wrong.
pub(super) async fn show<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    wrong: Option<&Problem>,
) -> Result<Reply, Problem> {
    let shop = api::one(visit.world, visit.ready()?, name).await?;
    let overview = overview::overview(visit.world, visit.config.processing).await?;
    let waiting = overview.counts.waiting;
    let seen = overview
        .connections
        .iter()
        .find(|one| one.name == shop.name);
    let checked_at = seen.and_then(|seen| seen.checked_at);
    let (signed, retailer) = (shop.valid_signature_seen, &shop.retailer);
    let body = html! {
        (visit.said())
        @if let Some(wrong) = wrong { (problem(visit.view, wrong)) }
        h1 { (retailer.title()) }
        (tabs(visit, name, w::CONNECTION))
        @for webhook in Webhook::ALL { (switch_card(visit, &shop, webhook, waiting, checked_at)) }
        div.columns {
            section.card {
                h2 { (visit.t(w::CONNECTION)) }
                (facts(&[
                    (visit.t(w::SHOP_NAME), html! { (retailer.title()) }),
                    (visit.t(w::CLIENT_ID), html! { code { (shop.client_id) } }),
                    (visit.t(w::CONNECTED_AT), visit.view.time(Some(shop.connected_at))),
                    (visit.t(w::SIGNATURE), html! { (visit.t(if signed { w::YES } else { w::NO })) }),
                ]))
                @match visit.config.signature_policy {
                    SignaturePolicy::Observe => { (alert("warn", &html! { p { (visit.t(w::SIGNATURE_OBSERVED)) } })) }
                    SignaturePolicy::Enforce if !signed => { p.hint { (visit.t(w::SIGNATURE_NO_ENFORCED)) } }
                    SignaturePolicy::Auto if !signed => { p.hint { (visit.t(w::SIGNATURE_NO)) } }
                    _ => {}
                }
                div.buttons {
                    a.button href={ "/ui/connect?retailer=" (retailer) } { (visit.t(w::NEW_CREDENTIALS)) }
                    a.button.danger href={ "/ui/shops/" (name) "/disconnect" } { (visit.t(w::DISCONNECT)) }
                }
            }
            (connect::guide(visit))
        }
        (rotation(visit, &shop))
    };
    let status = wrong.map_or(200, |p| p.status);
    Ok(Reply::page(status, w::SHOPS, body).about(retailer.title()))
}

/// A new webhook path and secret: what it means, and the buttons.
fn rotation<W: World>(visit: &Visit<'_, W>, shop: &Connection) -> Markup {
    let place = format!("/ui/shops/{}", shop.name);
    html! {
        section.card {
            h2 { (visit.t(w::ROTATE)) }
            p { (visit.t(w::ROTATE_MEANS)) }
            @if shop.former_path_valid { (alert("info", &html! { p { (visit.t(w::FORMER_PATH_VALID)) } })) }
            div.buttons {
                (visit.view.button(&format!("{place}/rotate"), w::ROTATE_BUTTON, ""))
                (visit.view.button(&format!("{place}/rotate-now"), w::ROTATE_NOW_BUTTON, "danger"))
            }
        }
    }
}

/// `POST /ui/shops/{name}/rotate` and `/rotate-now`.
pub(super) async fn rotate<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    at_once: bool,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    let rotated = api::rotate(visit.world, visit.ready()?, name, at_once).await?;
    let said = if rotated.warning.is_some() {
        "rotated-partly"
    } else {
        "rotated"
    };
    Ok(Reply::to(&format!("/ui/shops/{name}?done={said}")))
}

/// `POST /ui/shops/{name}/webhooks/{webhook}/on` and `/off`.
pub(super) async fn switch<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
    webhook: &str,
    on: bool,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    let (ready, webhook) = (visit.ready()?, known_webhook(webhook)?);
    known(visit.world, name).await?;
    let done = if on {
        api::switch_on(visit.world, ready, name, webhook).await
    } else {
        api::switch_off(visit.world, ready, name, webhook).await
    };
    match done {
        Ok(_) => Ok(Reply::to(&format!("/ui/shops/{name}?done=switched"))),
        Err(wrong) => show(visit, name, Some(&wrong)).await,
    }
}

/// `GET /ui/shops/{name}/disconnect`.
pub(super) async fn sure<W: World>(visit: &Visit<'_, W>, name: &str) -> Result<Reply, Problem> {
    let Some(shop) = connections::load_or_damage(visit.world, &named(name)?).await? else {
        return Err(unknown_connection(name));
    };
    let shown = shop.map_or_else(|_| name.to_owned(), |shop| shop.retailer.title());
    let subject = tab_title(visit, w::DISCONNECT, &shown);
    let place = format!("/ui/shops/{name}");
    let body = html! {
        section.card.narrow {
            h1 { (visit.t(w::DISCONNECT_SURE)) }
            p { strong { (shown) } }
            p { (visit.t(w::DISCONNECT_MEANS)) }
            div.buttons {
                (visit.view.button(&format!("{place}/disconnect"), w::DISCONNECT, "danger"))
                a.button href=(place) { (visit.t(w::BACK)) }
            }
        }
    };
    Ok(Reply::page(200, w::SHOPS, body).about(subject))
}

/// `POST /ui/shops/{name}/disconnect`.
pub(super) async fn disconnect<W: World>(
    visit: &Visit<'_, W>,
    name: &str,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    let gone = api::delete(visit.world, visit.ready()?, name).await?;
    let said = if gone.warning.is_some() {
        "gone-partly"
    } else {
        "gone"
    };
    Ok(Reply::to(&format!("/ui/shops?done={said}")))
}
