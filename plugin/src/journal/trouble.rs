//! Why something could not be done, as a fact: why an attempt failed, what is wrong with a shop's
//! webhooks, why a backfill waits. `Display` is the English sentence of the API.

use crate::{
    getfly::error::GetflyError,
    journal::{
        connection_name::Side,
        tagged::{Tagged, tagged},
    },
    kiotviet::error::KiotVietError,
    rules::{
        codes::{AccountCode, InvoiceCode},
        money::AbsurdAmount,
    },
    seal::SealError,
    stored,
    time::Timestamp,
};
use core::fmt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The trouble with a Getfly without this version of its API, and the remedy.
pub const OLD_GETFLY: &str = "Getfly 4.x with API v3 only: this tenant does not have API 6.1, which the bridge needs. \
                              Ask Getfly for version 6.0; events wait until then and use up no attempt";

/// A kind of record at KiotViet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A customer.
    Customer,
    /// An invoice.
    Invoice,
}

/// A kind of record in Getfly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An account.
    Account,
    /// An order.
    Order,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Trouble {
    /// A call to KiotViet.
    #[serde(rename = "kiotviet")]
    KiotViet(KiotVietError),
    /// A call to Getfly.
    Getfly(GetflyError),
    /// The tenant does not have this version of Getfly's API.
    OldGetfly,
    /// A connection's secrets cannot be opened.
    Sealed(SealError),
    /// `getfly_url` is another tenant than the one that has the store's accounts and orders.
    AnotherGetfly {
        /// The store's tenant.
        kept: String,
        /// The one that waits for a person.
        asked: String,
    },
    /// Another bridge is registered for this shop: two stores that do not know each other could
    /// double everything.
    AnotherBridge {
        /// The address to which KiotViet delivers for it.
        origin: String,
    },
    /// The connection or its switches cannot be read.
    ConnectionUnreadable {
        /// In the words of what failed.
        why: String,
    },
    /// The lease ended, or the store failed.
    Stopped {
        /// In the words of what failed.
        why: String,
    },
    /// An item of a delivery has no id.
    NoReadableId,
    /// The invoice may be an edit of another one or a sale of its own.
    EditOrSale {
        /// Its code.
        code: InvoiceCode,
        /// The code of the other invoice.
        base: String,
    },
    /// The account to which a person linked the customer is gone from Getfly.
    LinkedAccountGone {
        /// Its code.
        code: AccountCode,
    },
    /// The customer's account has no code, by which an order could name it.
    AccountWithoutCode {
        /// Getfly's number of the account.
        id: i64,
    },
    /// A list of users cannot be read (R13).
    UsersUnread {
        /// The side with the list.
        side: Side,
        /// Of which connection, or `getfly`.
        subject: String,
        /// Since when.
        since: Timestamp,
    },
    /// KiotViet's record has no creation date.
    NoCreationDate {
        /// Which record.
        of: Source,
    },
    /// The customer has too many numbers and addresses.
    TooManyNumbers {
        /// The most that can be searched.
        most: usize,
    },
    /// An amount cannot be calculated with.
    AbsurdAmount,
    /// Getfly refuses the record even without all optional details, and under every code.
    EveryFormRefused {
        /// Which record.
        of: Target,
    },
    /// KiotViet does not show the record.
    NotShown {
        /// When it is read again.
        until: Timestamp,
    },
    /// The create of an earlier attempt may still take effect.
    Unsettled {
        /// Until then.
        until: Timestamp,
    },
    /// A sentence that an earlier version stored.
    #[serde(skip)]
    Text(String),
}

tagged!(Trouble);

impl Tagged for Trouble {
    fn of_old(text: String) -> Self {
        if text == OLD_GETFLY {
            Self::OldGetfly
        } else {
            Self::Text(text)
        }
    }

    fn of_value(value: Value) -> Option<Self> {
        Self::deserialize(stored::Reader(&value)).ok()
    }
}

impl Trouble {
    /// A trouble from an earlier version's sentence.
    pub(super) fn of_text(text: &str) -> Self {
        Self::of_old(text.to_owned())
    }

    /// Whether it is about a whole upstream, not one record: its key, its address or its version.
    pub fn is_upstreams(&self) -> bool {
        match self {
            Self::Getfly(e) => matches!(
                e,
                GetflyError::KeyRefused { .. } | GetflyError::Unreachable(_) | GetflyError::Denied
            ),
            Self::KiotViet(e) => matches!(
                e,
                KiotVietError::Unauthorized { .. }
                    | KiotVietError::CredentialsRefused { .. }
                    | KiotVietError::Unreachable(_)
                    | KiotVietError::Denied { .. }
            ),
            Self::OldGetfly | Self::AnotherGetfly { .. } => true,
            _ => false,
        }
    }

    /// The English sentence, with times as `time` shows them.
    pub fn english(&self, time: fn(Timestamp) -> String) -> String {
        match self {
            Self::KiotViet(e) => e.to_string(),
            Self::Getfly(e) => e.to_string(),
            Self::OldGetfly => OLD_GETFLY.to_owned(),
            Self::Sealed(e) => e.to_string(),
            Self::AnotherGetfly { kept, asked } => format!(
                "getfly_url is {asked}, but this store's accounts and orders are in {kept}: nothing is sent, deliveries are kept. Confirm that it is the same Getfly under a new address (the page, or POST /api/getfly), set getfly_url back, or use a store of its own"
            ),
            Self::AnotherBridge { origin } => format!(
                "another KiotViet → Getfly bridge with a store of its own is registered for this shop, at {origin}: everything may be doubled. Switch the webhooks off there, or delete its registration on KiotViet"
            ),
            Self::ConnectionUnreadable { why } => {
                format!("the connection cannot be read: {why}; connect the shop again")
            }
            Self::Stopped { why } => why.clone(),
            Self::NoReadableId => "the item has no readable Id".to_owned(),
            Self::EditOrSale { code, base } => format!(
                "{code} looks like an edit of {base}, which was sold on another day or on a day that is not known"
            ),
            Self::LinkedAccountGone { code } => format!(
                "the customer was linked by hand to the account {code}, which Getfly no longer has"
            ),
            Self::AccountWithoutCode { id } => format!(
                "Getfly's account number {id} is this customer's and has no code, by which an order names its account: give it a code in Getfly, then retry"
            ),
            Self::UsersUnread {
                side,
                subject,
                since,
            } => format!(
                "R13: {}'s list of users ({subject}) cannot be read since {}; orders go without executor until its right to read users is given",
                side.as_str(),
                time(*since)
            ),
            Self::NoCreationDate { of } => {
                let of = match of {
                    Source::Customer => "customer",
                    Source::Invoice => "invoice",
                };
                format!("KiotViet's {of} has no createdDate, so new and old cannot be told apart")
            }
            Self::TooManyNumbers { most } => format!(
                "the customer has more than {most} phone numbers and e-mail addresses, too many to look for an account by each"
            ),
            Self::AbsurdAmount => AbsurdAmount.to_string(),
            Self::EveryFormRefused { of } => {
                let of = match of {
                    Target::Account => "account",
                    Target::Order => "order",
                };
                format!("Getfly refuses every form of this {of}")
            }
            Self::NotShown { until } => format!(
                "KiotViet does not show the record; it is asked again at {}",
                time(*until)
            ),
            Self::Unsettled { until } => {
                format!("an earlier try is not settled before {}", time(*until))
            }
            Self::Text(text) => text.clone(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english(|time| time.to_string()))
    }
}

impl From<KiotVietError> for Trouble {
    fn from(e: KiotVietError) -> Self {
        Self::KiotViet(e)
    }
}

impl From<GetflyError> for Trouble {
    fn from(e: GetflyError) -> Self {
        Self::Getfly(e)
    }
}

impl From<SealError> for Trouble {
    fn from(e: SealError) -> Self {
        Self::Sealed(e)
    }
}
