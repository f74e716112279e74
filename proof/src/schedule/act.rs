//! The requests to an instance in a race, and what the shop's evidence must record of them.

use crate::search::run::{Run, is_done};
use host_test::{admin::Admin, native::Native, shop::CONNECTION};
use jiff::Timestamp;
use serde_json::json;
use sim::kiotviet::Delivery;

/// The moment from which a backfill is asked, older than all sales of a race.
const FROM: &str = "2026-10-01T00:00:00+07:00";
/// How often a person repeats a command.
const REPEATS: usize = 3;

/// A request to one instance.
pub(super) enum Act {
    /// KiotViet delivers this.
    Deliver(Delivery),
    /// A person or a scheduler asks.
    Ask(Ask),
}

/// A request of a person or a scheduler.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    /// A drain.
    Drain,
    /// A drain that checks the webhooks at once.
    Heal,
    /// A retry of the dead letter with this number.
    Retry(u64),
    /// A webhook switched on or off.
    Switch(&'static str, bool),
    /// A disconnection.
    Leave,
    /// A backfill of what is older than the webhooks.
    Backfill,
}

impl Ask {
    /// Sends the request to this instance, and records the answer that people got.
    pub(super) async fn of(self, app: &Native, run: &Run) {
        let asked = run.shop.clock.now();
        let mut status = self.ask(app).await;
        // A person repeats a command that had no answer; a scheduler comes again anyway.
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
