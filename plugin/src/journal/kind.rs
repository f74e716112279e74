//! What events are about.

use serde::{Deserialize, Serialize};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `customer.update`.
    Customer,
    /// `invoice.update`.
    Invoice,
    /// Any other type, and unreadable deliveries.
    Other,
}

impl Kind {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Invoice => "invoice",
            Self::Other => "other",
        }
    }
}
