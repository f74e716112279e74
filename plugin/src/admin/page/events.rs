//! The events: a filtered list, one event with its explanation, and what a person can do about a dead
//! letter.

use crate::{
    admin::{
        api::{
            events as api,
            problem::{self, Problem},
        },
        page::{
            layout::{alert, badge, facts, sentence},
            links, live,
            reply::Reply,
            tree::matched,
            visit::{Fields, Visit},
            words as w,
            words::Text,
        },
    },
    journal::{
        connection_name::Upstream,
        connections, cursor,
        dead_reason::DeadReason,
        pauses::Pauses,
        record::{Alternative, Call, Kind, Record, State, Status, Told},
        shown::Shown,
        trouble::Trouble,
    },
    rules::verdict::Outcome,
    time::Timestamp,
    web::After,
    wording::{money, reasons, sentences::Fact, times},
    world::World,
};
use maud::{Markup, html};

const STATES: [(&str, Text); 5] = [
    ("dead", w::DEAD),
    ("received", w::WAITING),
    ("retrying", w::RETRYING),
    ("done", w::DONE),
    ("dismissed", w::DISMISSED),
];

/// Pages that "newer" can go back through.
const PAGES_KEPT: usize = 40;

/// A state's or outcome's colour and words.
pub(super) fn status<W: World>(visit: &Visit<'_, W>, status: Status) -> Markup {
    let (class, words) = match status {
        Status::Received => ("wait", w::WAITING),
        Status::Retrying { .. } => ("wait", w::RETRYING),
        Status::Dead { .. } => ("bad", w::DEAD),
        Status::Dismissed { .. } => ("off", w::DISMISSED),
        Status::Done { reason, .. } => match reason.outcome() {
            Outcome::Created => ("good", w::CREATED),
            Outcome::Linked => ("linked", w::LINKED),
            Outcome::Ignored => ("off", w::IGNORED),
        },
    };
    badge(class, visit.t(words))
}

/// What an event is about, in words.
pub(super) fn kind<W: World>(visit: &Visit<'_, W>, kind: Kind) -> &'static str {
    visit.t(match kind {
        Kind::Customer => w::CUSTOMER,
        Kind::Invoice => w::INVOICE,
        Kind::Other => w::OTHER,
    })
}

/// Why an event ended as it did, in a sentence.
pub(super) fn why<W: World>(visit: &Visit<'_, W>, event: &Record) -> &'static str {
    match event.status {
        Status::Received | Status::Retrying { .. } => "",
        Status::Done { reason, .. } => reasons::explain(visit.view.lang, reason),
        Status::Dead { reason, .. } | Status::Dismissed { reason, .. } => {
            visit.t(reasons::death_of(reason).means)
        }
    }
}

/// What people see of an event's customer or sale.
fn shown<W: World>(visit: &Visit<'_, W>, event: &Record) -> Shown {
    let opened = event.shown.as_deref().zip(visit.config.sealer.as_ref());
    let shown = opened.and_then(|(sealed, sealer)| Shown::open(sealed, sealer, event.seq));
    let mut shown = shown.unwrap_or_default();
    if shown.code.is_empty() {
        let hinted = event.hint.as_ref().and_then(|hint| hint.code.as_deref());
        shown.code = hinted.unwrap_or(&event.key).to_owned();
    }
    shown
}

/// The customer's name and the sale's total.
fn who(shown: &Shown) -> String {
    let total = shown.total.map(money::shown);
    let parts = [Some(shown.name.clone()), total].into_iter().flatten();
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// The address of a list with this filter, before an event, with the pages that are newer.
fn place(query: &Fields, before: &str, back: &str) -> String {
    let mut written = form_urlencoded::Serializer::new(String::new());
    let kept = ["q", "connection", "state", "reason"].map(|name| (name, query.get(name)));
    for (name, value) in kept.into_iter().chain([("before", before), ("back", back)]) {
        if !value.is_empty() {
            written.append_pair(name, value);
        }
    }
    format!("/ui/events?{}", written.finish())
}

/// The addresses of the newer and the older page, where there are such.
fn pages(query: &Fields, next: Option<u64>) -> (Option<String>, Option<String>) {
    let (before, back) = (query.get("before"), query.get("back"));
    let newer = (!before.is_empty()).then(|| match back.rsplit_once('.') {
        Some((rest, last)) => place(query, last, rest),
        None => place(query, back, ""),
    });
    let older = next.map(|next| {
        let back = match (back, before) {
            ("", before) => before.to_owned(),
            (back, before) => format!("{back}.{before}"),
        };
        let kept = back.split('.').rev().take(PAGES_KEPT);
        let kept: Vec<&str> = kept.collect::<Vec<_>>().into_iter().rev().collect();
        place(query, &next.to_string(), &kept.join("."))
    });
    (newer, older)
}

fn filter<W: World>(visit: &Visit<'_, W>, names: &[(String, String)]) -> Markup {
    let (shop, state) = (visit.query.get("connection"), visit.query.get("state"));
    let reason = visit.query.get("reason");
    html! {
        form.filter method="get" action="/ui/events" {
            div {
                label for="q" { (visit.t(w::LOOK_FOR)) }
                input #q name="q" value=(visit.query.get("q")) maxlength="100" autocomplete="off";
            }
            div {
                label for="connection" { (visit.t(w::SHOP)) }
                select #connection name="connection" {
                    option value="" { (visit.t(w::ALL_SHOPS)) }
                    @for (name, retailer) in names { option value=(name) selected[name == shop] { (retailer) } }
                }
            }
            div {
                label for="state" { (visit.t(w::STATE)) }
                select #state name="state" {
                    option value="" { (visit.t(w::ALL_STATES)) }
                    @for (word, words) in STATES { option value=(word) selected[word == state] { (visit.t(words)) } }
                }
            }
            div {
                label for="reason" { (visit.t(w::DEAD_REASON)) }
                select #reason name="reason" {
                    option value="" { (visit.t(w::ALL_REASONS)) }
                    @for one in DeadReason::ALL {
                        option value=(one) selected[one.as_str() == reason] { (visit.t(reasons::death_of(one).means)) }
                    }
                }
            }
            button type="submit" { (visit.t(w::FILTER)) }
        }
    }
}

/// What stood in a dead letter's way: what was told last.
fn last_told(event: &Record) -> Option<Told<'_>> {
    let last = event.told().pop();
    last.filter(|_| event.state() == State::Dead)
}

/// What an event waits for: what its last attempt failed with, else the side that is paused.
fn waits_for<'e>(event: &'e Record, pauses: &'e Pauses, now: Timestamp) -> Option<&'e Trouble> {
    if event.state().is_final() {
        return None;
    }
    let sides = [Upstream::KiotViet(&event.connection), Upstream::Getfly];
    let mut paused = sides.into_iter().filter_map(|side| pauses.get(side));
    let last = event.last_failure.as_ref().map(|last| &last.why);
    last.or_else(|| paused.find(|pause| pause.matters(now))?.why.as_ref())
}

fn row<W: World>(visit: &Visit<'_, W>, event: &Record, pauses: &Pauses) -> Markup {
    let shown = shown(visit, event);
    let who = who(&shown);
    html! {
        li {
            a.event href={ "/ui/events/" (event.seq) } {
                span.what { strong { (kind(visit, event.kind)) " " (shown.code) } (status(visit, event.status)) }
                @if !who.is_empty() { span.who { (who) } }
                span.why { (why(visit, event)) }
                @if let Some(last) = last_told(event) { span { "“" (sentence(visit.view, &last)) "”" } }
                @if event.is_queued_again() { span { (visit.t(w::QUEUED_AGAIN)) } }
                @if let Some(why) = waits_for(event, pauses, visit.view.now) { span.danger { (sentence(visit.view, why)) } }
                span.muted { "#" (event.seq) " · " (event.connection) " · " (visit.view.moment(Some(event.received_at))) }
            }
        }
    }
}

/// What can be done about all dead letters of the filter at once. Those of one reason can be dismissed together.
fn about_all<W: World>(visit: &Visit<'_, W>) -> Markup {
    let reason = visit.query.get("reason");
    let fields = html! {
        (visit.view.csrf())
        input type="hidden" name="connection" value=(visit.query.get("connection"));
        input type="hidden" name="reason" value=(reason);
        input type="hidden" name="before" value=(visit.query.get("rest"));
    };
    html! {
        form.inline method="post" action="/ui/events/retry-dead" {
            (fields)
            button.primary type="submit" { (visit.t(w::RETRY_ALL)) }
            " " span.hint { (visit.t(w::RETRY_ALL_MORE)) }
        }
        @if !reason.is_empty() {
            form.inline method="post" action="/ui/events/dismiss-dead" {
                (fields)
                button type="submit" { (visit.t(w::DISMISS_ALL)) }
                " " span.hint { (visit.t(w::DISMISS_ALL_MORE)) }
            }
        }
    }
}

/// The query for the API's list: the filter and the place, nothing else that stood in the address.
fn asked(query: &Fields) -> String {
    let mut written = form_urlencoded::Serializer::new(String::new());
    for name in ["q", "connection", "state", "reason", "before"] {
        written.append_pair(name, query.get(name));
    }
    written.finish()
}

/// `GET /ui/events`.
pub(super) async fn list<W: World>(visit: &Visit<'_, W>) -> Result<Reply, Problem> {
    let (events, next) = api::listed(
        visit.world,
        visit.config.sealer.as_ref(),
        Some(&asked(&visit.query)),
    )
    .await?;
    let (connected, _) = connections::list(visit.world).await?;
    let pauses = cursor::load(visit.world).await?.pauses;
    let names: Vec<(String, String)> = connected
        .iter()
        .map(|c| (c.name.to_string(), c.retailer.title()))
        .collect();
    let (newer, older) = pages(&visit.query, next);
    let dead = visit.query.get("state") == "dead";
    let body = html! {
        (visit.said())
        @if !visit.query.get("rest").is_empty() { (alert("warn", &html! { p { (visit.t(w::RETRY_MORE)) } })) }
        h1 { (visit.t(w::EVENTS)) }
        (filter(visit, &names))
        @if dead && !events.is_empty() { (about_all(visit)) }
        @if events.is_empty() {
            section.card.empty { p { (visit.t(if older.is_some() { w::NO_EVENTS_HERE } else { w::NO_EVENTS })) } }
        } @else {
            ul.events { @for event in &events { (row(visit, event, &pauses)) } }
        }
        div.pages {
            @if let Some(newer) = newer { a.button href=(newer) { "← " (visit.t(w::NEWER)) } }
            @if let Some(older) = older { a.button.right href=(older) { (visit.t(w::OLDER)) " →" } }
        }
    };
    Ok(Reply::page(200, w::EVENTS, body))
}

fn matches<W: World>(visit: &Visit<'_, W>, found: &[Alternative]) -> Markup {
    html! {
        section.card {
            h2 { (visit.t(w::MATCHES)) }
            ul.people {
                @for one in found {
                    li {
                        strong { (one.account_code) } " "
                        @if one.chosen { (badge("good", visit.t(w::CHOSEN))) }
                        p.muted {
                            (visit.t(matched(one.matched_by)))
                            @if let Some(at) = one.created_at.as_deref().filter(|at| !at.is_empty()) { " · " (visit.t(w::CREATED_ON_GETFLY)) " " (times::of_text(at)) }
                        }
                    }
                }
            }
            p.hint { (visit.t(w::CHOSEN_WHY)) }
        }
    }
}

/// A list of facts in sentences.
pub(super) fn sentences<W: World>(visit: &Visit<'_, W>, title: Text, all: &[impl Fact]) -> Markup {
    html! {
        @if !all.is_empty() {
            h3 { (visit.t(title)) }
            ul.sentences {
                @for one in all { li { (sentence(visit.view, one)) } }
            }
        }
    }
}

fn calls<W: World>(visit: &Visit<'_, W>, calls: &[Call]) -> Markup {
    html! {
        @if !calls.is_empty() {
            h3 { (visit.t(w::CALLS)) }
            ul.calls {
                @for call in calls {
                    li {
                        code { (call.endpoint) } " "
                        span.muted {
                            @match call.status { Some(status) => { (status) }, None => { (visit.t(w::NO_ANSWER)) } }
                            " · " (call.ms) " ms"
                        }
                    }
                }
            }
        }
    }
}

fn rule<W: World>(visit: &Visit<'_, W>, event: &Record) -> Markup {
    let number = event.status.rule().unwrap_or_default();
    html! { @if let Some(name) = reasons::rule(number) { (number) " · " (visit.t(name)) } }
}

/// The way back to the list.
pub(super) fn back<W: World>(visit: &Visit<'_, W>) -> Markup {
    html! { p { a href="/ui/events" { "← " (visit.t(w::EVENTS)) } } }
}

/// What came of a retry, or what else a redirect asked to say.
fn said<W: World>(visit: &Visit<'_, W>, event: &Record) -> Markup {
    if visit.query.get("done") != "tried" {
        return visit.said();
    }
    let command: Option<u64> = visit.query.get("command").parse().ok();
    let is_carried_out = command.is_none() || event.commanded_by >= command;
    if !is_carried_out || event.is_queued_again() {
        return alert("warn", &html! { p { (visit.t(w::QUEUED_AGAIN)) } });
    }
    let last = event.tried.last();
    match event.status {
        Status::Done { .. } | Status::Dismissed { .. } => {
            alert("good", &html! { p { (visit.t(w::RETRIED_DONE)) } })
        }
        Status::Dead { .. } => alert(
            "bad",
            &html! {
                p { (visit.t(w::RETRIED_REFUSED)) @if let Some(last) = last { " " (sentence(visit.view, &last.why)) } }
            },
        ),
        Status::Received | Status::Retrying { .. } => alert(
            "warn",
            &html! {
                p { (visit.t(w::RETRIED_WAITS)) " " (visit.view.time(event.status.next_attempt_at())) "." }
                @if let Some(last) = last { p { (sentence(visit.view, &last.why)) } }
            },
        ),
    }
}

/// The attempts that failed, and how it ended.
fn tried<W: World>(visit: &Visit<'_, W>, event: &Record) -> Markup {
    html! {
        @if !event.tried.is_empty() {
            h3 { (visit.t(w::TRIED)) }
            ol.sentences {
                @for one in &event.tried {
                    li { (visit.view.time(Some(one.at))) " · " (sentence(visit.view, &one.why)) }
                }
                @if event.is_queued_again() { li { (visit.t(w::QUEUED_AGAIN)) } }
                @if let Status::Done { finished_at, .. } = event.status {
                    li { (visit.view.time(Some(finished_at))) " · " (why(visit, event)) }
                }
            }
        }
    }
}

/// What is to be done about a dead letter, with its buttons.
fn to_do<W: World>(visit: &Visit<'_, W>, event: &Record, reason: DeadReason) -> Markup {
    let place = format!("/ui/events/{}", event.seq);
    html! {
        section.card.todo {
            h2 { (visit.t(w::WHAT_TO_DO)) }
            @if let Some(last) = last_told(event) { blockquote { (sentence(visit.view, &last)) } }
            p { (visit.t(reasons::death_of(reason).mend)) }
            @if reason == DeadReason::EditOrSale {
                div.buttons {
                    (visit.view.button(&format!("{place}/edit"), w::IS_EDIT, "primary"))
                    (visit.view.button(&format!("{place}/sale"), w::IS_SALE, "primary"))
                }
            }
            div.buttons {
                (visit.view.button(&format!("{place}/retry"), w::RETRY, "primary"))
                (visit.view.button(&format!("{place}/dismiss"), w::DISMISS, ""))
            }
        }
    }
}

/// The head of an event's page: what it is, where it stands, and the facts of it.
fn head<W: World>(
    visit: &Visit<'_, W>,
    event: &Record,
    shown: &Shown,
    waits_for: Option<&Trouble>,
) -> Markup {
    let time = |at| visit.view.moment(at);
    html! {
        section.card {
            div.head {
                h1 { (kind(visit, event.kind)) " " (shown.code) }
                (status(visit, event.status))
            }
            @if !why(visit, event).is_empty() { p.lead { (why(visit, event)) } }
            @if let Some(why) = waits_for { p.lead.danger { (sentence(visit.view, why)) } }
            (facts(&[
                (visit.t(w::CUSTOMER_NAME), html! { (shown.name) }),
                (visit.t(w::SALE_TOTAL), html! { @if let Some(total) = shown.total { (money::shown(total)) } }),
                (visit.t(w::RULE), rule(visit, event)),
                (visit.t(w::ACCOUNT_CODE), html! { @if let Some(code) = &event.account_code { (code) } }),
                (visit.t(w::ORDER_CODE), html! { @if let Some(code) = &event.order_code { (code) } }),
                (visit.t(w::SHOP), html! { (event.connection) }),
                (visit.t(w::RECEIVED_AT), time(Some(event.received_at))),
                (visit.t(w::FINISHED_AT), time(event.status.finished_at())),
                (visit.t(w::NEXT_ATTEMPT), time(event.status.next_attempt_at())),
                (visit.t(w::ATTEMPTS), html! { @if event.attempts > 0 { (event.attempts) } }),
                (visit.t(w::EVENT), html! { "#" (event.seq) }),
            ]))
        }
    }
}

/// `GET /ui/events/{seq}`.
pub(super) async fn one<W: World>(visit: &Visit<'_, W>, seq: &str) -> Result<Reply, Problem> {
    let event = &api::read(visit.world, seq).await?;
    let shown = shown(visit, event);
    let pauses = cursor::load(visit.world).await?.pauses;
    let waits_for = waits_for(event, &pauses, visit.view.now);
    let body = html! {
        (said(visit, event))
        (back(visit))
        (head(visit, event, &shown, waits_for))
        @if let Status::Dead { reason, .. } = event.status { (to_do(visit, event, reason)) }
        @if !event.alternatives.is_empty() { (matches(visit, &event.alternatives)) }
        (links::card(visit, event).await?)
        (live::card(visit, event).await?)
        section.card.details {
            h2 { (visit.t(w::DETAILS)) }
            (sentences(visit, w::NOTES, &event.told()))
            (sentences(visit, w::EVIDENCE, &event.evidence))
            (tried(visit, event))
            (calls(visit, &event.calls))
        }
    };
    let subject = format!("{} {}", kind(visit, event.kind), shown.code);
    Ok(Reply::page(200, w::EVENTS, body).about(subject))
}

/// `POST /ui/events/{seq}/retry`, `/dismiss`, `/edit` and `/sale`.
pub(super) async fn command<W: World>(
    visit: &Visit<'_, W>,
    seq: &str,
    asked: &str,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    let asked = api::Asked::parse(asked).ok_or_else(|| problem::not_found(""))?;
    let commanded = api::command(visit.world, visit.ready()?, seq, asked).await?;
    let said = match (commanded.status, asked) {
        (200, api::Asked::Dismiss) => "wish".to_owned(),
        (_, api::Asked::Dismiss) => "taken".to_owned(),
        (200, api::Asked::Retry | api::Asked::Answer(_)) => "tried".to_owned(),
        _ => format!("tried&command={}", commanded.number),
    };
    let seq = commanded.record.seq;
    let mut reply = Reply::to(&format!("/ui/events/{seq}?done={said}"));
    reply.after = After::Drain;
    Ok(reply)
}

/// `POST /ui/events/retry-dead` and `/ui/events/dismiss-dead`.
pub(super) async fn all_dead<W: World>(
    visit: &Visit<'_, W>,
    asked: &str,
) -> Result<Reply, Problem> {
    visit.genuine()?;
    let (world, ready) = (visit.world, visit.ready()?);
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["connection", "reason", "before"] {
        query.append_pair(name, visit.form.get(name));
    }
    let query = query.finish();
    let (said, rest) = if asked == "dismiss-dead" {
        let done = api::dismiss_dead(world, ready, Some(&query)).await?;
        ("dismissed", done.next_before)
    } else {
        let done = api::retry_dead(world, ready, Some(&query)).await?;
        ("retried", done.next_before)
    };
    let to = format!("/ui/events?state=dead&done={said}");
    let mut to = form_urlencoded::Serializer::new(to);
    let rest = rest.map_or_else(String::new, |rest| rest.to_string());
    for (name, value) in [
        ("connection", visit.form.get("connection")),
        ("reason", visit.form.get("reason")),
        ("rest", &rest),
    ] {
        if !value.is_empty() {
            to.append_pair(name, value);
        }
    }
    let mut reply = Reply::to(&to.finish());
    reply.after = After::Drain;
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Fields {
        Fields::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn newer_leads_back_through_the_pages_one_came_by() {
        let (newer, older) = pages(&query("state=dead"), Some(70));
        assert_eq!(newer, None);
        assert_eq!(older.unwrap(), "/ui/events?state=dead&before=70");
        let (newer, older) = pages(&query("state=dead&before=70"), Some(20));
        assert_eq!(newer.unwrap(), "/ui/events?state=dead");
        assert_eq!(older.unwrap(), "/ui/events?state=dead&before=20&back=70");
        let (newer, older) = pages(&query("before=20&back=70"), Some(5));
        assert_eq!(newer.unwrap(), "/ui/events?before=70");
        assert_eq!(older.unwrap(), "/ui/events?before=5&back=70.20");
        let (newer, older) = pages(&query("before=5&back=70.20"), None);
        assert_eq!(newer.unwrap(), "/ui/events?before=20&back=70");
        assert_eq!(older, None);
    }
}
