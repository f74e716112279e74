//! What was last seen of a connection's webhooks at KiotViet, and until when everything is known to
//! have arrived. KiotViet does not say when it stops sending, so it is asked.

use crate::{
    journal::list_scan::ListScan,
    journal::{
        connection_name::ConnectionName, connections::Webhook, keys, note::Note, trouble::Trouble,
    },
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The webhooks are checked once in this time.
pub const EVERY: Duration = Duration::from_secs(15 * 60);
/// A record that changed less than this ago may still be on its way: deliveries come minutes late,
/// in bursts (field reports).
pub const GRACE: Duration = Duration::from_secs(10 * 60);
/// One webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Whether KiotViet delivered it at the last check.
    pub active: Option<bool>,
    /// It was just registered again: what changed until this moment may be missing.
    pub gap: bool,
    /// What was found wrong with it, until it is mended and its event is made.
    pub mending: Option<Note>,
    /// The last moment at which a record was found that KiotViet had not delivered.
    pub missed_at: Option<Timestamp>,
    /// Everything that changed until this moment has arrived.
    pub read_until: Option<Timestamp>,
    /// The list scan that is running.
    pub reading: Option<ListScan>,
    /// The last check at which it was sound; of a polled one, the last poll that came through.
    pub sound_at: Option<Timestamp>,
    /// Since when a polled one is asked for by the day of sale: KiotViet does not tell what changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_sales_since: Option<Timestamp>,
    /// Of a polled one, the rows that were found last: ids, and when each was changed. A row that the
    /// record itself contradicts would be found by each poll.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<(i64, Option<Timestamp>)>,
    /// Of a polled one, the sweep that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<ListScan>,
    /// When the last sweep began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swept_from: Option<Timestamp>,
    /// When its last page was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swept_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookHealth {
    /// The last check that KiotViet answered.
    pub checked_at: Option<Timestamp>,
    /// The customer webhook.
    pub customer: Seen,
    /// The order webhook.
    pub order: Seen,
    /// Other bridges that are registered for this shop.
    #[serde(skip_serializing_if = "is_zero")]
    pub other_bridges: u64,
    /// Why the last check failed, or what could not be mended.
    pub problem: Option<Trouble>,
}

impl WebhookHealth {
    /// What is known of `webhook`.
    pub fn of(&self, webhook: Webhook) -> &Seen {
        match webhook {
            Webhook::Customer => &self.customer,
            Webhook::Order => &self.order,
        }
    }

    /// What is known of `webhook`, to be changed.
    pub fn of_mut(&mut self, webhook: Webhook) -> &mut Seen {
        match webhook {
            Webhook::Customer => &mut self.customer,
            Webhook::Order => &mut self.order,
        }
    }
}

/// Reads it; a damaged or missing entry starts as new.
pub async fn load(store: &impl Store, name: &ConnectionName) -> Result<WebhookHealth, StoreError> {
    let bytes = store.get(&keys::webhook_health(name)).await?;
    Ok(bytes
        .and_then(|b| stored::read(&b).ok())
        .unwrap_or_default())
}

/// Stores that a person has just switched `webhook` on and KiotViet has it. A concurrent write of
/// the worker may win or lose: the worker only looks again.
pub async fn seen_sound(
    store: &impl Store,
    name: &ConnectionName,
    webhook: Webhook,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut health = load(store, name).await?;
    health.checked_at = Some(now);
    let seen = health.of_mut(webhook);
    seen.active = Some(true);
    seen.sound_at = Some(now);
    save(store, name, &health).await
}

/// Writes it.
pub async fn save(
    store: &impl Store,
    name: &ConnectionName,
    health: &WebhookHealth,
) -> Result<(), StoreError> {
    store
        .set(&keys::webhook_health(name), &stored::write(health))
        .await
}
