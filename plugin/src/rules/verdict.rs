//! How an event ends well, in the words of the API, and the sentence that explains it.

use core::fmt;
use serde::{Deserialize, Serialize};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A record was created in Getfly.
    Created,
    /// An account existed already.
    Linked,
    /// Nothing was due.
    Ignored,
}

impl Outcome {
    /// The word in the API and in the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Linked => "linked",
            Self::Ignored => "ignored",
        }
    }
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// R2.
    CustomerCreated,
    /// R3.
    OrderCreated,
    /// R7.
    LinkedByEmail,
    /// R7.
    LinkedByPhone,
    /// R4.
    CustomerWebhookOff,
    /// R3.
    OrderWebhookOff,
    /// R6.
    CreatedBeforeConnection,
    /// R6.
    AlreadySynced,
    /// R6.
    InvoiceEdited,
    /// R3.
    InvoiceCancelled,
    /// R10.
    NotSyncedType,
    /// R6.
    DeletedOnKiotviet,
    /// R1.
    WebhookRegisteredAgain,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::CustomerCreated,
        Self::OrderCreated,
        Self::LinkedByEmail,
        Self::LinkedByPhone,
        Self::CustomerWebhookOff,
        Self::OrderWebhookOff,
        Self::CreatedBeforeConnection,
        Self::AlreadySynced,
        Self::InvoiceEdited,
        Self::InvoiceCancelled,
        Self::NotSyncedType,
        Self::DeletedOnKiotviet,
        Self::WebhookRegisteredAgain,
    ];

    /// The outcome that belongs to it.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::CustomerCreated | Self::OrderCreated => Outcome::Created,
            Self::LinkedByEmail | Self::LinkedByPhone => Outcome::Linked,
            _ => Outcome::Ignored,
        }
    }

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerCreated => "customer_created",
            Self::OrderCreated => "order_created",
            Self::LinkedByEmail => "linked_by_email",
            Self::LinkedByPhone => "linked_by_phone",
            Self::CustomerWebhookOff => "customer_webhook_off",
            Self::OrderWebhookOff => "order_webhook_off",
            Self::CreatedBeforeConnection => "created_before_connection",
            Self::AlreadySynced => "already_synced",
            Self::InvoiceEdited => "invoice_edited",
            Self::InvoiceCancelled => "invoice_cancelled",
            Self::NotSyncedType => "not_synced_type",
            Self::DeletedOnKiotviet => "deleted_on_kiotviet",
            Self::WebhookRegisteredAgain => "webhook_registered_again",
        }
    }

    /// The rule that decided, `R1` to `R10`.
    pub fn rule(self) -> &'static str {
        match self {
            Self::WebhookRegisteredAgain => "R1",
            Self::CustomerCreated => "R2",
            Self::OrderCreated | Self::OrderWebhookOff | Self::InvoiceCancelled => "R3",
            Self::CustomerWebhookOff => "R4",
            // A record that is gone, older or already synced is not newly created.
            Self::CreatedBeforeConnection
            | Self::AlreadySynced
            | Self::InvoiceEdited
            | Self::DeletedOnKiotviet => "R6",
            Self::LinkedByEmail | Self::LinkedByPhone => "R7",
            Self::NotSyncedType => "R10",
        }
    }

    /// One plain sentence for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::CustomerCreated => {
                "The customer is new on KiotViet, and its account was created in Getfly."
            }
            Self::OrderCreated => {
                "The invoice is new on KiotViet, and its order was created in Getfly."
            }
            Self::LinkedByEmail => {
                "A Getfly account has the same e-mail address, so it was linked and nothing was created."
            }
            Self::LinkedByPhone => {
                "A Getfly account has the same phone number, so it was linked and nothing was created."
            }
            Self::CustomerWebhookOff => {
                "The customer webhook is off, so a customer alone pushes nothing."
            }
            Self::OrderWebhookOff => "The order webhook is off, so invoices push nothing.",
            Self::CreatedBeforeConnection => {
                "It was created on KiotViet before the webhook was switched on, so this is a later edit, and edits change nothing in Getfly."
            }
            Self::AlreadySynced => {
                "It was brought to Getfly before, and later changes on KiotViet change nothing in Getfly."
            }
            Self::InvoiceEdited => {
                "It is the edited form of an older invoice, and edits change nothing in Getfly."
            }
            Self::InvoiceCancelled => "The invoice is cancelled on KiotViet.",
            Self::NotSyncedType => {
                "Only customers and invoices are brought to Getfly, not this kind of record."
            }
            Self::DeletedOnKiotviet => "KiotViet does not have this record any more.",
            Self::WebhookRegisteredAgain => {
                "KiotViet no longer delivered this webhook, so it was registered again, and what changed meanwhile is read back."
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_api_are_the_serialised_ones() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.to_string());
        }
        assert_eq!(serde_json::to_value(Outcome::Created).unwrap(), "created");
    }

    #[test]
    fn every_reason_has_a_rule_and_a_sentence() {
        for reason in Reason::ALL {
            assert!(
                reason
                    .rule()
                    .strip_prefix('R')
                    .unwrap()
                    .parse::<u8>()
                    .is_ok()
            );
            assert!(reason.explain().ends_with('.'), "{reason}");
        }
    }

    #[test]
    fn outcomes_follow_the_reason() {
        assert_eq!(Reason::OrderCreated.outcome(), Outcome::Created);
        assert_eq!(Reason::LinkedByPhone.outcome(), Outcome::Linked);
        assert_eq!(Reason::InvoiceEdited.outcome(), Outcome::Ignored);
    }
}
