//! The facts that an event was decided on. `Display` is the English sentence of the API.

use crate::{
    journal::{
        tagged::{Tagged, tagged},
        webhook::Webhook,
    },
    rules::{
        codes::{AccountCode, InvoiceCode},
        verdict::Reason,
    },
    stored,
    time::Timestamp,
};
use core::fmt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The moment from which a record counts as new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewSince {
    /// This webhook was switched on at this moment.
    SwitchedOn(Webhook, Timestamp),
    /// A backfill reaches back to this moment.
    Backfill(Timestamp),
}

impl NewSince {
    fn english(self, time: fn(Timestamp) -> String) -> String {
        match self {
            Self::SwitchedOn(webhook, at) => format!(
                "the {} webhook was switched on at {}",
                webhook.as_str(),
                time(at)
            ),
            Self::Backfill(from) => format!("the backfill reaches back to {}", time(from)),
        }
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Evidence {
    /// When KiotViet created the customer.
    CustomerCreated {
        /// None if KiotViet does not say.
        at: Option<Timestamp>,
        /// The moment from which it counts as new.
        since: NewSince,
    },
    /// When KiotViet created the invoice.
    InvoiceCreated {
        /// Its code.
        code: InvoiceCode,
        /// None if KiotViet does not say.
        at: Option<Timestamp>,
        /// The moment from which it counts as new.
        since: NewSince,
    },
    /// The invoice is older than its webhook, but a backfill wants it.
    Wanted {
        /// The moment from which the backfill wants invoices.
        from: Timestamp,
    },
    /// The invoice's code looks like an edit, and the original is not cancelled.
    OriginalStands {
        /// The original's code.
        base: String,
    },
    /// The invoice's code looks like an edit, and there is no original.
    NoOriginal {
        /// The code that the original would have.
        base: String,
    },
    /// The account under our code exists.
    AccountIsThere {
        /// Its code.
        code: AccountCode,
    },
    /// How many accounts have the customer's e-mail or phone.
    Matches {
        /// How many.
        accounts: usize,
    },
    /// The final decision.
    Decided(Reason),
    /// A sentence that an earlier version stored.
    #[serde(skip)]
    Text(String),
}

tagged!(Evidence);

impl Tagged for Evidence {
    fn of_old(text: String) -> Self {
        Self::Text(text)
    }

    fn of_value(value: Value) -> Option<Self> {
        Self::deserialize(stored::Reader(&value)).ok()
    }
}

impl Evidence {
    /// The English sentence, with times as `time` shows them.
    pub fn english(&self, time: fn(Timestamp) -> String) -> String {
        let given = |at: &Option<Timestamp>| at.map_or_else(|| "not given".to_owned(), time);
        match self {
            Self::CustomerCreated { at, since } => format!(
                "KiotViet created it at {}; {}",
                given(at),
                since.english(time)
            ),
            Self::InvoiceCreated { code, at, since } => format!(
                "KiotViet created {code} at {}; {}",
                given(at),
                since.english(time)
            ),
            Self::Wanted { from } => NewSince::Backfill(*from).english(time),
            Self::OriginalStands { base } => {
                format!("{base} is not cancelled on KiotViet, so this is a sale of its own")
            }
            Self::NoOriginal { base } => {
                format!("KiotViet has no invoice {base}, so this is a sale of its own")
            }
            Self::AccountIsThere { code } => format!("Getfly has the account {code} already"),
            Self::Matches { accounts } => {
                format!("accounts in Getfly with the same e-mail or phone: {accounts}")
            }
            Self::Decided(reason) => reason.explain().to_owned(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english(|time| time.to_string()))
    }
}
