//! What an instance is asked for in a race, and what the shop's evidence has to tell of it.

use crate::search::run::{Run, is_done};
use host_test::{admin::Admin, native::Native, shop::CONNECTION};
use jiff::Timestamp;
use serde_json::json;
use sim::kiotviet::Delivery;

/// The moment that a backfill is asked from, older than all that a race sells.
const FROM: &str = "2026-10-01T00:00:00+07:00";
/// How often a person repeats a command.
const REPEATS: usize = 3;

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
    pub(super) async fn of(self, app: &Native, run: &Run) {
        let asked = run.shop.clock.now();
        let mut status = self.ask(app).await;
        // A person who is asked to repeat a command does so; a scheduler comes again anyway.
        for _ in 0..REPEATS {
            if status == 503 && matches!(self, Self::Leave | Self::Switch(_, false)) {
                status = self.ask(app).await;
            }
        }
        self.note(run, asked, is_done(Some(status)));
    }

    async fn ask(self, app: &Native) -> u16 {
        let reply = match self {
            Self::Drain => app.drain().await,
            Self::Heal => app.heal().await,
            Self::Retry(seq) => app.retry(seq).await,
            Self::Switch(webhook, on) => app.switch(CONNECTION, webhook, on).await,
            Self::Leave => app.disconnect(CONNECTION).await,
            Self::Backfill => app.backfill(CONNECTION, &json!({"from": FROM})).await,
        };
        reply.0
    }

    fn note(self, run: &Run, asked: Timestamp, done: bool) {
        match self {
            Self::Drain | Self::Heal | Self::Retry(_) => {}
            Self::Switch(webhook, on) => run.is_switched(webhook, on, asked, done),
            Self::Leave => {
                for webhook in ["customer", "order"] {
                    run.is_switched(webhook, false, asked, done);
                }
            }
            Self::Backfill => {
                let from = FROM.parse().unwrap_or_default();
                run.is_to_bring_in_from(from, asked, done);
            }
        }
    }
}
