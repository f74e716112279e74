//! What a page's handler gives.

use crate::{
    admin::page::words::{self as w, Text},
    web::After,
};
use maud::{Markup, html};

/// What a page's handler gives: a page, or another place to go to.
pub(super) struct Reply {
    /// HTTP status code.
    pub(super) status: u16,
    /// The page's title.
    pub(super) title: Text,
    /// What the page is about, before its title; empty for nothing of its own.
    pub(super) subject: String,
    /// What is between its frame.
    pub(super) body: Markup,
    /// Further header fields.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Whether the browser asks again in five seconds.
    pub(super) refresh: bool,
    /// What is done after the answer.
    pub(super) after: After,
}

impl Reply {
    /// A page.
    pub(super) fn page(status: u16, title: Text, body: Markup) -> Self {
        Self {
            status,
            title,
            subject: String::new(),
            body,
            headers: Vec::new(),
            refresh: false,
            after: After::Nothing,
        }
    }

    /// The same page, about this.
    pub(super) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Elsewhere on this page, by GET.
    pub(super) fn to(place: &str) -> Self {
        let mut reply = Self::page(303, w::OVERVIEW, html! {});
        reply.headers.push(("location", place.to_owned()));
        reply
    }
}
