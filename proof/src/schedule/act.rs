//! What an instance is asked for in a race, and what the shop's evidence has to tell of it.

use crate::search::play::{Play, is_done};
use host_test::{native::Native, scene::CONNECTION};
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::kiotviet::Delivery;

/// The moment that a backfill is asked from, older than all that a race sells.
const FROM: &str = "2026-10-01T00:00:00+07:00";
/// How often a person repeats a wish.
const WISHES: usize = 3;

/// What one instance is asked for.
pub(super) enum Act {
    /// KiotViet delivers this.
    Deliver(Delivery),
    /// A person or a scheduler asks.
    Ask(Ask),
}

/// What a person or a scheduler asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    /// A drain.
    Drain,
    /// A drain that looks after the webhooks at once.
    Heal,
    /// A dead letter of this number is to be tried again.
    Retry(u64),
    /// A webhook is to be on or off.
    Switch(&'static str, bool),
    /// The shop is to be disconnected.
    Leave,
    /// What is older than the webhooks is to come in.
    Backfill,
}

impl Ask {
    /// Asks this instance, and writes down what people were told.
    pub(super) async fn of(self, app: &Native, play: &Play) {
        let (method, path, body) = self.request();
        let asked = play.scene.clock.now();
        let mut status = app.api(method, &path, &body).await.0;
        // A person who is asked to repeat a wish does so; a scheduler comes again anyway.
        for _ in 0..WISHES {
            if status == 503 && method == "DELETE" {
                status = app.api(method, &path, &body).await.0;
            }
        }
        self.note(play, asked, is_done(Some(status)));
    }

    fn request(self) -> (&'static str, String, Value) {
        let connection = format!("connections/{CONNECTION}");
        match self {
            Self::Drain => ("POST", "drain".to_owned(), Value::Null),
            Self::Heal => ("POST", "drain?heal=now".to_owned(), Value::Null),
            Self::Retry(seq) => ("POST", format!("events/{seq}/retry"), Value::Null),
            Self::Switch(webhook, on) => {
                let path = format!("{connection}/webhooks/{webhook}");
                (if on { "PUT" } else { "DELETE" }, path, Value::Null)
            }
            Self::Leave => ("DELETE", connection, Value::Null),
            Self::Backfill => {
                let path = format!("{connection}/backfill");
                ("POST", path, json!({"from": FROM}))
            }
        }
    }

    fn note(self, play: &Play, asked: Timestamp, done: bool) {
        match self {
            Self::Drain | Self::Heal | Self::Retry(_) => {}
            Self::Switch(webhook, on) => play.is_switched(webhook, on, asked, done),
            Self::Leave => {
                for webhook in ["customer", "order"] {
                    play.is_switched(webhook, false, asked, done);
                }
            }
            Self::Backfill => {
                let from = FROM.parse().unwrap_or_default();
                play.is_to_bring_in_from(from, asked, done);
            }
        }
    }
}
