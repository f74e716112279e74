//! The simulated shop against which payloads without a script are replayed: connected, both
//! webhooks on, with every record that a payload mentions.

use super::{Line, records, sandbox::Sandbox};
use crate::{
    admin::{Admin, Carrier, successful},
    fixture::{Delivery, Surroundings},
    harness::{START, component},
    shop::{CONNECTION, On},
    variables::test_variables,
};
use anyhow::{Context, Result};
use jiff::Timestamp;
use sim::{
    GetflySim, KiotVietSim, SimClock, TokioClock, getfly::GetflySettings, kiotviet::Settings,
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep as pass;

/// The time between two deliveries, so that the users of both vendors, which are cached for ten
/// minutes, are read again.
const BETWEEN: Duration = Duration::from_secs(11 * 60);
const HOUR: Duration = Duration::from_secs(3600);
/// Waiting events are retried every hour; retries end after 75 hours or a little more.
const SETTLE_HOURS: u32 = 150;
/// The most items of a delivery that are read; the plugin takes fewer.
const ITEMS: usize = 100_000;

pub(super) struct Shop {
    sandbox: Sandbox,
    kiotviet: Arc<KiotVietSim>,
    getfly: Arc<GetflySim>,
    clock: Arc<dyn SimClock>,
}

impl Shop {
    /// A connected shop. Needs tokio's time, paused.
    pub(super) async fn open() -> Result<Self> {
        let component = component()?;
        let start: Timestamp = START.parse().context("the start")?;
        let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(start));
        let kiotviet = Arc::new(KiotVietSim::new(Settings::default(), clock.clone()));
        let getfly = Arc::new(GetflySim::new(GetflySettings::default(), clock.clone()));
        let surroundings = Surroundings {
            variables: test_variables(&getfly.settings().api_key),
            kiotviet: kiotviet.clone(),
            getfly: getfly.clone(),
            start,
        };
        let shop = Self {
            sandbox: Sandbox::new(&component, surroundings),
            kiotviet,
            getfly,
            clock,
        };
        shop.connect().await?;
        Ok(shop)
    }

    async fn connect(&self) -> Result<()> {
        let settings = self.kiotviet.settings();
        successful(self.sandbox.connect(CONNECTION, &settings).await)?;
        for webhook in On::Both.webhooks() {
            successful(self.sandbox.switch(CONNECTION, webhook, true).await)?;
        }
        Ok(())
    }

    /// Delivers a payload as KiotViet would; returns its events, and what is wrong.
    pub(super) async fn deliver(
        &self,
        file: &str,
        delivery: &Delivery,
    ) -> Result<(Vec<Line>, Vec<String>)> {
        pass(BETWEEN).await;
        if let Ok(told) = plugin::kiotviet::envelope::parse(&delivery.body, ITEMS) {
            records::exist(&self.kiotviet, &self.getfly, &told.items, self.clock.now());
        }
        let hook = self.kiotviet.webhooks().pop().context("no webhook")?;
        let secret = hook.secret.unwrap_or_default();
        let request = delivery.request(&hook.url, &secret, delivery.body.clone());
        let request = request.context("its headers make no request")?;
        let before = self.sandbox.tail().await;
        let status = self.sandbox.carry(request).await?.status().as_u16();
        let mut wrong = Vec::new();
        if status != 200 {
            wrong.push(format!("the delivery was answered {status}"));
        }
        let mut lines = self.sandbox.lines(file, before).await?;
        for _ in 0..SETTLE_HOURS {
            let waits = |line: &Line| line.state == "received" || line.state == "retrying";
            if !lines.iter().any(waits) {
                break;
            }
            pass(HOUR).await;
            self.sandbox.drain().await;
            lines = self.sandbox.lines(file, before).await?;
        }
        Ok((lines, wrong))
    }
}
