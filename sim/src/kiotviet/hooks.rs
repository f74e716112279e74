//! `/webhooks`: registering, listing, deleting. There is no PUT: a webhook that KiotViet switched
//! off stays off until it is deleted and registered again.

use super::{
    Edition, FNB_TYPES, KiotVietSim, State,
    api::{Asked, not_found, page, refuse},
};
use crate::{Response, wire};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The types of webhooks (manual 2.11).
pub const TYPES: [&str; 15] = [
    "customer.update",
    "customer.delete",
    "product.update",
    "product.delete",
    "stock.update",
    "order.update",
    "invoice.update",
    "pricebook.update",
    "pricebook.delete",
    "pricebookdetail.update",
    "pricebookdetail.delete",
    "category.update",
    "category.delete",
    "branch.update",
    "branch.delete",
];

/// A registered webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Number.
    pub id: i64,
    /// `customer.update`, …
    pub kind: String,
    /// Where deliveries go.
    pub url: String,
    /// KiotViet sends nothing while it is false.
    pub is_active: bool,
    /// Description.
    pub description: String,
    /// As registered; never in an answer.
    pub secret: Option<String>,
    /// When it was registered or switched off.
    pub modified_at: Timestamp,
}

impl KiotVietSim {
    /// The registered webhooks.
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.state().webhooks.values().cloned().collect()
    }

    /// Registers a webhook as another integration of the shop would.
    pub fn add_webhook(&self, kind: &str, url: &str, secret: Option<&str>) -> i64 {
        let now = self.clock.now();
        let hook = Webhook {
            id: 0,
            kind: kind.to_owned(),
            url: url.to_owned(),
            is_active: true,
            description: String::new(),
            secret: secret.map(ToOwned::to_owned),
            modified_at: now,
        };
        self.state().register(hook)
    }

    /// Switches a webhook on or off without its owner's knowledge; false if there is none.
    pub fn set_webhook_active(&self, id: i64, is_active: bool) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.webhooks.get_mut(&id).is_some_and(|hook| {
            hook.is_active = is_active;
            hook.modified_at = now;
            true
        })
    }

    /// Switches all webhooks off without their owners' knowledge.
    pub fn switch_off_webhooks(&self) {
        for hook in self.webhooks() {
            self.set_webhook_active(hook.id, false);
        }
    }

    /// Deletes a webhook without its owner's knowledge; false if there is none.
    pub fn remove_webhook(&self, id: i64) -> bool {
        self.state().webhooks.remove(&id).is_some()
    }
}

impl State {
    fn register(&mut self, mut hook: Webhook) -> i64 {
        self.numbers.webhook += 1;
        hook.id = 500_218_000 + self.numbers.webhook;
        let id = hook.id;
        // ASSUMPTION: several webhooks of one type are allowed.
        self.webhooks.insert(id, hook);
        id
    }

    pub(super) fn webhooks_endpoint(&mut self, asked: &Asked<'_>, rest: &str) -> Response {
        let id = rest.parse::<i64>().ok();
        match (asked.method, rest) {
            (&Method::GET, "") => {
                let all: Vec<&Webhook> = self.webhooks.values().collect();
                page(asked, &all, |hook| self.show(hook, true), None)
            }
            (&Method::POST, "") => self.register_endpoint(asked),
            (&Method::GET, _) => match id.and_then(|id| self.webhooks.get(&id)) {
                Some(hook) => wire::json(200, &self.show(hook, false)),
                None => not_found(),
            },
            (&Method::DELETE, _) => match id.and_then(|id| self.webhooks.remove(&id)) {
                Some(_) => wire::json(200, &json!({"message": "Hủy đăng ký webhook thành công"})),
                None => not_found(),
            },
            // ASSUMPTION: PUT is not documented; one integration states there is none.
            _ => refuse(405, "NotSupportedException", "Method not allowed"),
        }
    }

    fn show(&self, hook: &Webhook, in_list: bool) -> Value {
        let mut shown = json!({
            "id": hook.id,
            "type": hook.kind,
            "url": hook.url,
            "isActive": hook.is_active,
            "retailerId": self.settings.retailer_id,
            "description": hook.description,
        });
        if in_list {
            shown["modifiedDate"] = json!(wire::dotnet(wire::wall(hook.modified_at)));
        }
        shown
    }

    fn register_endpoint(&mut self, asked: &Asked<'_>) -> Response {
        // ASSUMPTION: the wrapper is required; the wording of the refusals is invented.
        let invalid = |message| refuse(420, "KvValidateWebhookException", message);
        let body: Value = serde_json::from_slice(asked.body).unwrap_or_default();
        let Some(wanted) = body.get("Webhook").filter(|wanted| wanted.is_object()) else {
            return invalid("Thiếu thông tin Webhook");
        };
        let text = |key: &str| wanted.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = text("Type");
        let types: &[&str] = match self.settings.edition {
            Edition::Retail => &TYPES,
            Edition::Fnb => &FNB_TYPES,
        };
        if !types.contains(&kind) {
            return invalid("Loại webhook không hợp lệ");
        }
        let mut known = self.webhooks.values();
        if self.settings.one_webhook_a_type && known.any(|hook| hook.kind == kind) {
            return invalid("Webhook đã tồn tại");
        }
        let target = url::Url::parse(text("Url")).ok();
        if !target.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
            return invalid("Url không hợp lệ");
        }
        let hook = Webhook {
            id: 0,
            kind: kind.to_owned(),
            url: text("Url").to_owned(),
            // ASSUMPTION: active unless the request says otherwise.
            is_active: wanted.get("IsActive") != Some(&Value::Bool(false)),
            description: text("Description").to_owned(),
            secret: Some(text("Secret").to_owned()).filter(|secret| !secret.is_empty()),
            modified_at: asked.now,
        };
        let id = self.register(hook);
        let shown = self.webhooks.get(&id).map(|hook| self.show(hook, false));
        wire::json(200, &shown.unwrap_or_default())
    }
}
