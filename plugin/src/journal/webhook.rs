//! The two webhooks that a connection may have.

use crate::journal::kind::Kind;
use serde::{Deserialize, Serialize};

/// The two webhooks that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Webhook {
    /// R2: `customer.update`.
    Customer,
    /// R3: `invoice.update`.
    Order,
}

impl Webhook {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Customer, Self::Order];

    /// The word in our routes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Order => "order",
        }
    }

    /// KiotViet's type.
    pub fn kiotviet_type(self) -> &'static str {
        match self {
            Self::Customer => "customer.update",
            Self::Order => "invoice.update",
        }
    }

    /// The kind of its events.
    pub fn kind(self) -> Kind {
        match self {
            Self::Customer => Kind::Customer,
            Self::Order => Kind::Invoice,
        }
    }

    /// From the word in our routes.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == word)
    }
}
