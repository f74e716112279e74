//! A connected shop in a few lines: the plugin run natively, a simulated KiotViet and Getfly, and
//! KiotViet's deliveries carried between them. For tests of what the whole does.

use crate::native::{Native, test_variables};
use host::keyvalue::Backend;
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::{
    Clouds, Faulty, GetflySim, KiotVietSim, SimClock, TokioClock, Upstream,
    getfly::GetflySettings,
    kiotviet::{Line, NewCustomer, NewInvoice, Settings},
};
use std::{sync::Arc, time::Duration};

/// The name of the connection in a scene.
pub const CONNECTION: &str = "shop";

/// A customer of the shop with one number and no e-mail.
pub fn customer(name: &str, phone: &str) -> NewCustomer {
    NewCustomer {
        name: name.to_owned(),
        contact_number: Some(phone.to_owned()),
        ..NewCustomer::default()
    }
}

/// A customer whose number and e-mail no other text holds.
pub fn hoa() -> NewCustomer {
    NewCustomer {
        email: Some("hoa@example.vn".to_owned()),
        ..customer("Chị Hoa", "0912 345 678")
    }
}

/// An invoice of 300,000 đ that staff member 5001 sold to a customer, or to a walk-in.
pub fn sale(customer_id: Option<i64>) -> NewInvoice {
    NewInvoice {
        customer_id,
        sold_by: Some(5001),
        lines: vec![Line::new("SP1", "Áo", 2.into(), 150_000.into())],
        ..NewInvoice::default()
    }
}

/// See the module.
pub struct Scene {
    /// The plugin.
    pub app: Native,
    /// KiotViet.
    pub kiotviet: Arc<KiotVietSim>,
    /// Getfly.
    pub getfly: Arc<GetflySim>,
    /// Faults in front of KiotViet.
    pub kiotviet_faults: Arc<Faulty>,
    /// Faults in front of Getfly.
    pub getfly_faults: Arc<Faulty>,
    /// Time.
    pub clock: Arc<dyn SimClock>,
}

/// Which webhooks are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Both.
    Both,
    /// Orders only (R4).
    Orders,
    /// Customers only.
    Customers,
    /// Neither.
    Neither,
}

impl Scene {
    /// A shop that is connected, with these webhooks on. Needs tokio's time, paused in tests.
    pub async fn connected(on: On) -> Self {
        let scene = Self::unconnected();
        scene.connect().await;
        if matches!(on, On::Both | On::Customers) {
            scene.switch("PUT", "customer").await;
        }
        if matches!(on, On::Both | On::Orders) {
            scene.switch("PUT", "order").await;
        }
        // Whatever the shop does next is later than the switches.
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.app.take_calls();
        scene
    }

    /// The same before anybody has connected anything.
    pub fn unconnected() -> Self {
        Self::beside([]).0
    }

    /// The same with other shops at the same KiotViet, of these settings; gives these too.
    pub fn beside(others: impl IntoIterator<Item = Settings>) -> (Self, Vec<Arc<KiotVietSim>>) {
        let start: Timestamp = "2026-10-05T03:00:00Z".parse().unwrap_or_default();
        let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(start));
        let shop = |settings| Arc::new(KiotVietSim::new(settings, clock.clone()));
        let kiotviet = shop(Settings::default());
        let others: Vec<_> = others.into_iter().map(shop).collect();
        let clouds = Arc::new(Clouds::new(kiotviet.clone(), others.iter().cloned()));
        let getfly = Arc::new(GetflySim::new(GetflySettings::default(), clock.clone()));
        let kiotviet_faults = Arc::new(Faulty::new(clouds, clock.clone(), 1));
        let getfly_faults = Arc::new(Faulty::new(getfly.clone(), clock.clone(), 2));
        let app = Native::new(
            test_variables(&getfly.settings().api_key),
            kiotviet_faults.clone() as Arc<dyn Upstream>,
            getfly_faults.clone() as Arc<dyn Upstream>,
            clock.clone(),
            7,
        );
        let scene = Self {
            app,
            kiotviet,
            getfly,
            kiotviet_faults,
            getfly_faults,
            clock,
        };
        (scene, others)
    }

    /// This scene over another store, before anything was done in it.
    pub fn over(mut self, backend: Arc<dyn Backend>) -> Self {
        self.app = self.app.over(backend);
        self
    }

    /// Connects the shop with its right credentials.
    pub async fn connect(&self) -> (u16, Value) {
        self.connect_as(CONNECTION, &self.kiotviet).await
    }

    /// Connects a shop under this name.
    pub async fn connect_as(&self, name: &str, kiotviet: &KiotVietSim) -> (u16, Value) {
        let settings = kiotviet.settings();
        let body = json!({
            "retailer": settings.retailer,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        });
        self.app
            .api("PUT", &format!("connections/{name}"), &body)
            .await
    }

    /// Switches a webhook on (`PUT`) or off (`DELETE`).
    pub async fn switch(&self, method: &str, webhook: &str) -> (u16, Value) {
        self.app
            .api(
                method,
                &format!("connections/{CONNECTION}/webhooks/{webhook}"),
                &Value::Null,
            )
            .await
    }

    /// Carries every delivery that is due, one after another; gives the statuses KiotViet got.
    pub async fn deliver(&self) -> Vec<u16> {
        let mut statuses = Vec::new();
        loop {
            let due = self.kiotviet.take_deliveries();
            if due.is_empty() {
                return statuses;
            }
            for delivery in due {
                let answer = self.app.request(self.kiotviet.request(&delivery)).await;
                statuses.push(answer.status);
                self.kiotviet.settle(delivery, Some(answer.status));
            }
        }
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// An admin's drain.
    pub async fn drain(&self) -> Value {
        self.app.api("POST", "drain", &Value::Null).await.1
    }

    /// An admin's drain that looks after the webhooks at once.
    pub async fn heal(&self) -> Value {
        self.app.api("POST", "drain?heal=now", &Value::Null).await.1
    }

    /// Drains every minute, as any scheduler would.
    pub async fn minutes(&self, minutes: u64) {
        for _ in 0..minutes {
            self.pass(60).await;
            self.drain().await;
        }
    }

    /// How many accounts and orders there are in Getfly.
    pub fn in_getfly(&self) -> (usize, usize) {
        (self.getfly.accounts().len(), self.getfly.orders().len())
    }

    /// Drains again and again, past every retry time, until nothing waits.
    pub async fn settle(&self) {
        for _ in 0..200 {
            self.drain().await;
            if self.waiting().await.is_empty() {
                return;
            }
            self.pass(600).await;
        }
    }

    /// All events, oldest first.
    pub async fn events(&self) -> Vec<Value> {
        let (_, mut list) = self.app.get("events?limit=200").await;
        let mut events = list
            .get_mut("events")
            .and_then(Value::as_array_mut)
            .map(std::mem::take)
            .unwrap_or_default();
        events.reverse();
        events
    }

    /// The events that are not final.
    pub async fn waiting(&self) -> Vec<Value> {
        let waits = |e: &Value| matches!(e["state"].as_str(), Some("received" | "retrying"));
        self.events().await.into_iter().filter(waits).collect()
    }

    /// `outcome reason` of every event, oldest first; a dead letter's outcome is `dead`.
    pub async fn outcomes(&self) -> Vec<String> {
        let word = |e: &Value| {
            let outcome = e["outcome"].as_str().or(e["state"].as_str()).unwrap_or("?");
            format!("{outcome} {}", e["reason"].as_str().unwrap_or("-"))
        };
        self.events().await.iter().map(word).collect()
    }
}
