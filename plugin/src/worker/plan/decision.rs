//! What an event should lead to: which account, which order, what to remember, and why.

use crate::{
    journal::{
        evidence::{Evidence, NewSince},
        ledger::{InvoiceEntry, Sold},
        note::Note,
        record::{Alternative, Hint},
        webhook::Webhook,
    },
    rules::{
        codes::{AccountCode, InvoiceCode, OrderCode},
        matching::MatchedBy,
        model::{NewAccount, NewOrder, OrderAccount},
        verdict::Reason,
    },
    time::Timestamp,
};
use serde::{Serialize, Serializer};

/// Which account an event leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountPlan {
    /// The ledger knows it.
    Known(AccountCode),
    /// R7: link this one.
    Link {
        /// Its code.
        code: AccountCode,
        /// Its own name; may be empty.
        name: String,
        /// What matched.
        by: MatchedBy,
    },
    /// An earlier attempt at event `by` created it under our code.
    Ours {
        /// Its code.
        code: AccountCode,
        /// Its own name; may be empty.
        name: String,
        /// Its phone field as Getfly has it.
        #[serde(skip)]
        phone: String,
        /// The event that was about to create it, if the ledger still knows it.
        by: Option<u64>,
    },
    /// Create it.
    Create(Box<NewAccount>),
}

impl AccountPlan {
    /// The account's code, now or after the create.
    pub fn code(&self) -> &AccountCode {
        match self {
            Self::Known(code) | Self::Link { code, .. } | Self::Ours { code, .. } => code,
            Self::Create(account) => &account.code,
        }
    }

    /// R6: the customer block of its order: with the account's own name, or none if that is not
    /// known.
    pub fn order_block(&self) -> OrderAccount {
        let name = match self {
            Self::Known(_) => None,
            Self::Link { name, .. } | Self::Ours { name, .. } => Some(name.trim()),
            Self::Create(account) => {
                return OrderAccount {
                    code: Some(account.code.clone()),
                    name: Some(account.name.clone()),
                    phone: account.phone.clone(),
                    email: account.email.clone(),
                    address: account.address.clone(),
                };
            }
        };
        OrderAccount {
            code: Some(self.code().clone()),
            name: name.filter(|name| !name.is_empty()).map(str::to_owned),
            ..OrderAccount::default()
        }
    }
}

/// What the ledger remembers of an event that is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remember {
    /// Nothing.
    Nothing,
    /// This customer is older than the webhook.
    OldCustomer(i64),
    /// This about an invoice. People see its code.
    #[serde(serialize_with = "code_alone")]
    Invoice {
        /// Its code.
        code: InvoiceCode,
        /// The ledger's key.
        key: String,
        /// What became of the invoice.
        entry: InvoiceEntry,
    },
}

fn code_alone<S: Serializer>(
    code: &InvoiceCode,
    _key: &str,
    _entry: &InvoiceEntry,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    code.serialize(serializer)
}

/// The ledger key of an order, and the decision to store there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleClaim {
    /// The ledger's key.
    pub key: String,
    /// What was decided.
    pub sold: Sold,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing, for this reason.
    Ignore {
        /// Why.
        reason: Reason,
        /// For the ledger.
        remember: Remember,
    },
    /// A customer event.
    Customer {
        /// KiotViet's id.
        customer_id: i64,
        /// Its account.
        account: AccountPlan,
    },
    /// An invoice event.
    Order {
        /// KiotViet's id.
        invoice_id: i64,
        /// KiotViet's code.
        invoice_code: InvoiceCode,
        /// The customer's id and account; none for a walk-in.
        account: Option<(i64, AccountPlan)>,
        /// The order.
        order: Box<NewOrder>,
        /// For the ledger.
        #[serde(skip)]
        claim: SaleClaim,
    },
    /// The order exists, from an earlier attempt at event `by`.
    OrderIsThere {
        /// KiotViet's id.
        invoice_id: i64,
        /// KiotViet's code.
        invoice_code: InvoiceCode,
        /// The order's code.
        code: OrderCode,
        /// The event that was about to create it; none if the store may not know all.
        by: Option<u64>,
        /// For the ledger.
        #[serde(skip)]
        claim: SaleClaim,
    },
}

/// A plan with its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What to do.
    pub action: Action,
    /// The facts that it was decided on.
    pub evidence: Vec<Evidence>,
    /// Accounts that matched.
    pub alternatives: Vec<Alternative>,
    /// Remarks for people.
    pub notes: Vec<Note>,
}

impl Plan {
    /// The plan to do nothing, for a reason that needs no explanation.
    pub fn ignoring(reason: Reason) -> Self {
        Explanation::default().ignore(reason)
    }

    /// The reason with which the event ends if everything goes as planned.
    pub fn reason(&self) -> Reason {
        match &self.action {
            Action::Ignore { reason, .. } => *reason,
            Action::Order { .. } => Reason::OrderCreated,
            Action::OrderIsThere { .. } => Reason::AlreadySynced,
            Action::Customer { account, .. } => match account {
                AccountPlan::Create(_) => Reason::CustomerCreated,
                AccountPlan::Link { by, .. } => by.reason(),
                AccountPlan::Known(_) | AccountPlan::Ours { .. } => Reason::AlreadySynced,
            },
        }
    }
}

/// The facts behind a plan, collected while it is made.
#[derive(Default)]
pub(super) struct Explanation {
    pub(super) evidence: Vec<Evidence>,
    pub(super) alternatives: Vec<Alternative>,
    pub(super) notes: Vec<Note>,
}

impl Explanation {
    /// Adds a remark.
    pub(super) fn note(&mut self, note: impl Into<Note>) {
        self.notes.push(note.into());
    }

    pub(super) fn plan(self, action: Action) -> Plan {
        Plan {
            action,
            evidence: self.evidence,
            alternatives: self.alternatives,
            notes: self.notes,
        }
    }

    pub(super) fn ignore(self, reason: Reason) -> Plan {
        self.plan(Action::Ignore {
            reason,
            remember: Remember::Nothing,
        })
    }
}

/// The moment from which a record counts as new.
pub(super) fn new_since(webhook: Webhook, since: Timestamp, hint: &Hint) -> NewSince {
    if hint.since == Some(since) {
        NewSince::Backfill(since)
    } else {
        NewSince::SwitchedOn(webhook, since)
    }
}
