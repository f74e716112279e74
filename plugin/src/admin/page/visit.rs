//! One request of a person who is logged in, and what was typed.

use crate::{
    admin::{
        api::problem::{self, Problem},
        page::{
            layout::{View, alert},
            tree::Reader,
            words::{self as w, Text},
        },
    },
    config::{Config, Ready},
    rules::settings::GenderCodes,
    world::World,
};
use maud::{Markup, html};

/// Most fields of a form or a query: each takes memory of its own.
pub(super) const MOST_FIELDS: usize = 200;

/// What was typed, from a form's body or a query.
#[derive(Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// Reads a form or a query; none where it has more than [`MOST_FIELDS`].
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let fields = form_urlencoded::parse(bytes).into_owned();
        let fields: Vec<_> = fields.take(MOST_FIELDS.saturating_add(1)).collect();
        (fields.len() <= MOST_FIELDS).then_some(Self(fields))
    }

    /// The first field of this name, without surrounding blanks; empty when absent.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value.trim())
    }
}

/// One request of a person who is logged in.
pub(super) struct Visit<'a, W> {
    /// The outside.
    pub(super) world: &'a W,
    /// The configuration.
    pub(super) config: &'a Config,
    /// What it is drawn with.
    pub(super) view: &'a View,
    /// The query.
    pub(super) query: Fields,
    /// The form's fields; empty for a GET.
    pub(super) form: Fields,
    /// See [`Self::genuine`].
    pub(super) genuine: Result<(), Problem>,
}

impl<W: World> Visit<'_, W> {
    /// The whole configuration, which everything that calls an upstream needs.
    pub(super) fn ready(&self) -> Result<&Ready, Problem> {
        let missing = || problem::not_configured(self.config);
        self.config.ready.as_ref().ok_or_else(missing)
    }

    /// Whether the form is one of ours, of this session: to be asked before anything is changed.
    pub(super) fn genuine(&self) -> Result<(), Problem> {
        self.genuine.clone()
    }

    /// A text in the language of this visit.
    pub(super) fn t(&self, text: Text) -> &'static str {
        self.view.t(text)
    }

    /// What a value's words depend on.
    pub(super) fn reader(&self) -> Reader {
        let ready = self.config.ready.as_ref();
        Reader {
            lang: self.view.lang,
            genders: ready.map_or_else(GenderCodes::default, |ready| ready.rules.gender_codes),
        }
    }

    /// The message that a redirect asked for.
    pub(super) fn said(&self) -> Markup {
        let text = match self.query.get("done") {
            "connected" => w::CONNECTED,
            "switched" => w::SWITCHED,
            "gone" => w::DISCONNECTED,
            "gone-partly" => w::DISCONNECTED_PARTLY,
            "rotated" => w::ROTATED,
            "rotated-partly" => w::ROTATED_PARTLY,
            "again" => w::WEBHOOKS_AGAIN,
            "retried" => w::RETRIED,
            "dismissed" => w::DISMISSED_ALL,
            "wish" => w::COMMAND_DONE,
            "taken" => w::COMMAND_TAKEN,
            "alert-test" => w::ALERT_TEST_SENT,
            "started" => w::BACKFILL_STARTED,
            "stopped" => w::BACKFILL_STOPPED,
            _ => return html! {},
        };
        let class = match self.query.get("done") {
            "gone-partly" | "rotated-partly" | "again" => "warn",
            _ => "good",
        };
        alert(class, &html! { p { (self.t(text)) } })
    }
}
