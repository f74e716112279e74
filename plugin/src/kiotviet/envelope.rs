//! Takes a webhook delivery apart into items (manual 2.11). A delivery is only a hint: this reads
//! as much as it can and judges nothing. It never panics, whatever the bytes.

use crate::{
    json::{self, NotJson},
    kiotviet::{
        assumptions::{CUSTOMER_UPDATE, INVOICE_UPDATE},
        fields::{Fields, whole_number},
    },
    vendor::body::without_bom,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// KiotViet's id of the delivery; empty if absent.
    pub id: String,
    /// 1 on the first attempt in every capture.
    pub attempt: Option<i64>,
    /// Every item of every notification, in order; none is left out.
    pub items: Vec<Item>,
}

/// One customer, invoice or anything else that a delivery mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Lower-case type without the retailer, e.g. `customer.update`; empty if absent.
    pub action: String,
    /// The numeric retailer at the type's end.
    pub retailer_id: Option<i64>,
    /// What the sync does with it.
    pub kind: Kind,
    /// The record's id, if it is readable and positive.
    pub id: Option<i64>,
    /// The record's code, if it has one.
    pub code: Option<String>,
    /// Whether its members are named in PascalCase; none if it has no id under either name.
    pub is_pascal: Option<bool>,
    /// The item's JSON text as it came.
    pub raw: Vec<u8>,
}

/// What the sync does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `customer.update`.
    Customer,
    /// `invoice.update`.
    Invoice,
    /// Every other type, deletions and orders (R10) among them.
    Other,
}

/// Why a body is not one of KiotViet's deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAnEnvelope {
    /// It may be a delivery, but has more items than asked for.
    TooManyItems,
    /// It is not JSON.
    NotJson,
    /// It is not an object.
    NotAnObject,
    /// It has no notifications.
    NoNotifications,
    /// Its notifications are not a list.
    NotAList,
}

impl NotAnEnvelope {
    /// The reason in words, without any of the body's content.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooManyItems => "too many items",
            Self::NotJson => "not JSON",
            Self::NotAnObject => "not an object",
            Self::NoNotifications => "neither Notifications nor RemoveId",
            Self::NotAList => "Notifications is not a list",
        }
    }
}

/// Takes the body of one delivery apart: `{Id, Attempt, Notifications: [{Action, Data: […]}]}`, or
/// `{RemoveId: […]}` for a deletion. Names match in any case. A delivery with more than `max_items`
/// items is refused as a whole.
pub fn parse(body: &[u8], max_items: usize) -> Result<Delivery, NotAnEnvelope> {
    let value = match json::parse(without_bom(body)) {
        Ok(value) => value,
        Err(NotJson::TooLarge) => return Err(NotAnEnvelope::TooManyItems),
        Err(NotJson::Malformed) => return Err(NotAnEnvelope::NotJson),
    };
    let Ok(envelope) = Fields::of(&value, "delivery") else {
        return Err(NotAnEnvelope::NotAnObject);
    };
    let (notifications, removed) = (envelope.get("Notifications"), envelope.get("RemoveId"));
    if notifications.is_none() && removed.is_none() {
        return Err(NotAnEnvelope::NoNotifications);
    }

    let mut items = Vec::new();
    match notifications {
        None => {}
        Some(Value::Array(list)) => list
            .iter()
            .for_each(|one| read_notification(one, &mut items)),
        Some(one @ Value::Object(_)) => read_notification(one, &mut items),
        Some(_) => return Err(NotAnEnvelope::NotAList),
    }
    if let Some(removed) = removed {
        read_removed(envelope, removed, &mut items);
    }
    if items.len() > max_items {
        return Err(NotAnEnvelope::TooManyItems);
    }
    Ok(Delivery {
        id: envelope.text("Id").unwrap_or_default(),
        attempt: envelope.integer("Attempt").unwrap_or_default(),
        items,
    })
}

/// Reads `{Action, Data: […]}`. Anything else becomes one item without a type.
fn read_notification(notification: &Value, items: &mut Vec<Item>) {
    let Ok(fields) = Fields::of(notification, "notification") else {
        return push(&Action::default(), notification, items);
    };
    let action = Action::of(fields);
    match fields.get("Data") {
        None => {}
        Some(Value::Array(data)) => data.iter().for_each(|one| push(&action, one, items)),
        Some(one) => push(&action, one, items),
    }
}

/// Reads the manual's shape of a deletion: usually ids and nothing else. Such an item is never
/// synced.
fn read_removed(envelope: Fields<'_>, removed: &Value, items: &mut Vec<Item>) {
    let action = Action {
        kind: Kind::Other,
        ..Action::of(envelope)
    };
    match removed {
        Value::Array(ids) if !ids.is_empty() => ids.iter().for_each(|id| push(&action, id, items)),
        _ => push(&action, removed, items),
    }
}

fn push(action: &Action, raw: &Value, items: &mut Vec<Item>) {
    let fields = Fields::of(raw, "item").ok();
    let id = fields.map_or(Some(raw), |fields| fields.get("Id"));
    let code = fields.and_then(|fields| fields.text("Code").ok());
    let named = |name| raw.get(name).is_some();
    items.push(Item {
        action: action.name.clone(),
        retailer_id: action.retailer_id,
        kind: action.kind,
        id: id.and_then(whole_number).filter(|&id| id > 0),
        code: code.filter(|code| !code.is_empty()),
        is_pascal: (named("Id") != named("id")).then(|| named("Id")),
        raw: json::text(raw),
    });
}

/// `customer.update.500123456`, taken apart.
struct Action {
    name: String,
    retailer_id: Option<i64>,
    kind: Kind,
}

impl Default for Action {
    fn default() -> Self {
        Self {
            name: String::new(),
            retailer_id: None,
            kind: Kind::Other,
        }
    }
}

impl Action {
    fn of(fields: Fields<'_>) -> Self {
        let text = fields.text("Action").unwrap_or_default();
        let text = text.trim().to_lowercase();
        let mut parts = text.splitn(4, '.');
        let name: Vec<&str> = parts.by_ref().take(2).collect();
        let name = name.join(".");
        Self {
            retailer_id: parts.next().and_then(|id| id.parse().ok()),
            kind: match name.as_str() {
                CUSTOMER_UPDATE => Kind::Customer,
                INVOICE_UPDATE => Kind::Invoice,
                "order.update" if mutant!(OrderIsInvoice) => Kind::Invoice,
                _ => Kind::Other,
            },
            name,
        }
    }
}

#[cfg(test)]
mod tests;
