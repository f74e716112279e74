//! A simulated shop, a simulated Getfly and the component as WebAssembly between them: what
//! [`crate::scene`] is natively.

use crate::{
    harness::{Builder, Harness, Outcome, START},
    scene::{CONNECTION, On},
};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sim::{Faulty, GetflySim, KiotVietSim, TokioClock, getfly::GetflySettings, kiotviet::Settings};
use std::{sync::Arc, time::Duration};

/// See the module.
pub struct WasmScene {
    /// The component.
    pub app: Arc<Harness>,
    /// The shop.
    pub kiotviet: Arc<KiotVietSim>,
    /// The CRM.
    pub getfly: Arc<GetflySim>,
    /// Breaks calls to KiotViet.
    pub kiotviet_faults: Arc<Faulty>,
    /// Breaks calls to Getfly.
    pub getfly_faults: Arc<Faulty>,
}

impl WasmScene {
    /// A shop that nobody has connected, from [`START`] on; `changed` may change variables or store. An
    /// error when the component cannot be built. Needs tokio's time, paused in tests.
    pub fn unconnected(changed: impl FnOnce(Builder) -> Builder) -> Result<Self> {
        let clock = Arc::new(TokioClock::starting_at(START.parse()?));
        let kiotviet = Arc::new(KiotVietSim::new(Settings::default(), clock.clone()));
        let getfly = Arc::new(GetflySim::new(GetflySettings::default(), clock.clone()));
        let kiotviet_faults = Arc::new(Faulty::new(kiotviet.clone(), clock.clone(), 1));
        let getfly_faults = Arc::new(Faulty::new(getfly.clone(), clock.clone(), 2));
        let app = Harness::builder()
            .vendors(&kiotviet_faults, &getfly_faults)
            .clock(clock);
        Ok(Self {
            app: Arc::new(changed(app).build()?),
            kiotviet,
            getfly,
            kiotviet_faults,
            getfly_faults,
        })
    }

    /// A shop that is connected, with these webhooks on. An error when the component cannot be built
    /// or refuses.
    pub async fn connected(on: On, changed: impl FnOnce(Builder) -> Builder) -> Result<Self> {
        let scene = Self::unconnected(changed)?;
        scene.connect(on).await?;
        Ok(scene)
    }

    /// Connects the shop and switches these webhooks on.
    pub async fn connect(&self, on: On) -> Result<()> {
        let settings = self.kiotviet.settings();
        let body = json!({
            "retailer": settings.retailer,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        });
        let connection = format!("connections/{CONNECTION}");
        self.put(&connection, &body).await?;
        for (webhook, is_on) in [
            ("customer", matches!(on, On::Both | On::Customers)),
            ("order", matches!(on, On::Both | On::Orders)),
        ] {
            if is_on {
                let path = format!("{connection}/webhooks/{webhook}");
                self.put(&path, &Value::Null).await?;
            }
        }
        // Whatever the shop does next is later than the switches.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.app.take_calls();
        Ok(())
    }

    async fn put(&self, path: &str, body: &Value) -> Result<()> {
        let answer = self.app.api("PUT", path, body).await;
        ensure!(answer.status == 200, "PUT {path}: {}", answer.json());
        Ok(())
    }

    /// Carries the deliveries that are due, once each, and waits until the guest is done.
    pub async fn deliver(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for delivery in self.kiotviet.take_deliveries() {
            let outcome = self.app.request(self.kiotviet.request(&delivery)).await;
            self.kiotviet.settle(delivery, Some(outcome.status));
            outcomes.push(outcome);
        }
        outcomes
    }

    /// How many accounts and orders are in Getfly.
    pub fn in_getfly(&self) -> (usize, usize) {
        (self.getfly.accounts().len(), self.getfly.orders().len())
    }
}
