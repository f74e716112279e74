//! What all pages share: the frame around them, badges, times, and how an error looks. Everything that
//! is shown goes through maud, which escapes it.

use crate::{
    admin::{
        api::{
            problem::{Detail, Problem},
            view::InWords,
        },
        page::{
            problems,
            reply::Reply,
            style::style_path,
            words as w,
            words::{Lang, Text},
        },
    },
    config::Problem as Variable,
    journal::trouble::Trouble,
    secret::Secret,
    time::Timestamp,
    vendor::fate::Fate,
    wording::{
        sentences::{Fact, Sentence},
        times::shown,
    },
};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

impl<T: Fact> Fact for InWords<T> {
    fn sentence(&self, lang: Lang) -> Sentence {
        self.0.sentence(lang)
    }
}

/// What every page is drawn with.
pub(super) struct View {
    /// The language.
    pub(super) lang: Lang,
    /// What forms that change something carry; empty while nobody is logged in.
    pub(super) csrf: Secret,
    /// Whether somebody is logged in.
    pub(super) inside: bool,
    /// This page's address in the other language.
    pub(super) switch: String,
    /// Now.
    pub(super) now: Timestamp,
}

impl View {
    /// A text in this language.
    #[inline(never)]
    pub(super) fn t(&self, text: Text) -> &'static str {
        text.of(self.lang)
    }

    /// A number and what is counted, in the singular or the plural.
    pub(super) fn counted(&self, count: u64, (one, many): (Text, Text)) -> String {
        format!("{count} {}", self.t(if count == 1 { one } else { many }))
    }

    /// The hidden field that proves that a form is ours.
    pub(super) fn csrf(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf.reveal()); }
    }

    /// A form that is one button.
    pub(super) fn button(&self, action: &str, text: Text, class: &str) -> Markup {
        html! {
            form.inline method="post" action=(action) {
                (self.csrf())
                button class=(class) type="submit" { (self.t(text)) }
            }
        }
    }

    /// A moment as Vietnam's clocks show it; a dash for none.
    pub(super) fn time(&self, moment: Option<Timestamp>) -> Markup {
        match moment.and_then(|at| Some((at, shown(at)?))) {
            Some((at, shown)) => html! { time datetime=(at) { (shown) } },
            None => html! { span.muted { "–" } },
        }
    }

    /// The same, empty for none.
    pub(super) fn moment(&self, at: Option<Timestamp>) -> Markup {
        html! { @if at.is_some() { (self.time(at)) } }
    }
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A word in a coloured box.
#[inline(never)]
pub(super) fn badge(class: &str, words: &str) -> Markup {
    html! { span class={ "badge " (class) } { (words) } }
}

/// A message above a page's content.
#[inline(never)]
pub(super) fn alert(class: &str, content: &Markup) -> Markup {
    html! { div class={ "alert " (class) } role=(if class == "bad" { "alert" } else { "status" }) { (content) } }
}

/// A fact of the journal in a sentence.
pub(super) fn sentence(view: &View, fact: &impl Fact) -> Markup {
    drawn(&fact.sentence(view.lang))
}

fn drawn(sentence: &Sentence) -> Markup {
    html! { @if sentence.ours { (sentence.words) } @else { span lang="en" { (sentence.words) } } }
}

/// Whether KiotViet cannot be asked for a while: nothing that a person could do.
pub(super) fn is_unseen(why: &Trouble) -> bool {
    matches!(why, Trouble::KiotViet(error) if matches!(error.fate(), Fate::Retry { .. }))
}

/// What a problem says.
fn detail(view: &View, detail: &Detail) -> Markup {
    match detail {
        Detail::Words(words) => drawn(&Sentence {
            words: words.clone(),
            ours: view.lang == Lang::En,
        }),
        Detail::Trouble(why) => sentence(view, why),
        Detail::Passing(why) => {
            html! { (sentence(view, why)) ". " (view.t(w::TRY_IN_A_MINUTE)) }
        }
        Detail::FromTooLate => html! { (view.t(w::FROM_TOO_LATE)) },
    }
}

/// What was wrong and how to mend it.
pub(super) fn problem(view: &View, problem: &Problem) -> Markup {
    let ours = problems::problem(problem.kind);
    // The request's words are English: our own sentence says it on the Vietnamese page.
    let is_said = |words: &str| words.is_empty() || (view.lang == Lang::Vi && ours.is_some());
    let content = html! {
        p { strong { (ours.map_or(problem.title, |text| view.t(text))) } }
        @if !matches!(&*problem.detail, Detail::Words(words) if is_said(words)) {
            p.detail {
                @if ours.is_some() { (view.t(w::WHAT_IT_SAID)) " " }
                (detail(view, &problem.detail))
            }
        }
    };
    alert("bad", &content)
}

/// Which variables need attention, and how to set each.
pub(super) fn setup(view: &View, variables: &[Variable]) -> Markup {
    html! {
        section.card {
            h1 { (view.t(w::SETUP)) }
            p { (view.t(w::SETUP_MORE)) }
            dl.variables {
                @for variable in variables {
                    dt { code { (variable.variable) } }
                    dd {
                        @let how = problems::variable(variable.variable);
                        @if let Some(how) = how { p { (view.t(how)) } }
                        @if how.is_none() || view.lang == Lang::En {
                            p.detail lang="en" { (variable.variable) " " (variable.problem) }
                        }
                    }
                }
            }
            p.hint { (view.t(w::SETUP_HOW)) }
        }
    }
}

/// A table of a term and its value in each row; rows without a value are left out.
pub(super) fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (term, value) in rows {
                @if !value.0.is_empty() { div { dt { (term) } dd { (value) } } }
            }
        }
    }
}

fn nav(view: &View, title: Text) -> Markup {
    let places = [
        ("/", w::OVERVIEW),
        ("/ui/shops", w::SHOPS),
        ("/ui/events", w::EVENTS),
        ("/ui/try", w::TRY),
        ("/ui/alerts", w::ALERTS),
    ];
    html! {
        nav {
            @for (path, text) in places {
                a href=(path) aria-current=[(text == title).then_some("page")] { (view.t(text)) }
            }
        }
    }
}

/// A whole document.
pub(super) fn document(view: &View, reply: &Reply) -> String {
    let (title, refresh, content) = (reply.title, reply.refresh, &reply.body);
    let page = html! {
        (DOCTYPE)
        html lang=(view.lang.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if refresh { meta http-equiv="refresh" content="5"; }
                title { @if !reply.subject.is_empty() { (reply.subject) " · " } (view.t(title)) " · KiotViet → Getfly" }
                link rel="stylesheet" href=(style_path());
                link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230b5563'/%3E%3Cpath d='M4 8h7M8 5l3 3-3 3' stroke='%23fff' stroke-width='2' fill='none'/%3E%3C/svg%3E";
            }
            body {
                a.skip href="#main" { (view.t(w::SKIP)) }
                header.top {
                    div.bar {
                        a.brand href="/" { span { "KiotViet" } span.arrow aria-hidden="true" { "→" } span { "Getfly" } }
                        div.tools {
                            a hreflang=(if view.lang == Lang::Vi { "en" } else { "vi" }) href=(view.switch) { (view.t(w::OTHER_LANGUAGE)) }
                            @if view.inside { (view.button("/ui/logout", w::LOG_OUT, "link")) }
                        }
                    }
                    @if view.inside { (nav(view, title)) }
                }
                main #main { (content) }
            }
        }
    };
    page.into_string()
}
