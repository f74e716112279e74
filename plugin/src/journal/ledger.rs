//! The outcomes of customers and invoices. A cache that makes repeats free: losing it must
//! not create one duplicate. An entry is written *before* a create is sent, so that whoever comes
//! next, after any crash, reads the record back by its code before trying again.

use crate::{
    journal::{
        entries, keys,
        record::{Record, State},
    },
    rules::{
        codes::{AccountCode, InvoiceCode, OrderCode, RetailerId, ShopCodes},
        money::Money,
        newness::{Known, KnownInvoice},
        phone::PhoneNumber,
        sale::EditOrSale,
        verdict::Outcome,
    },
    seal::Sealer,
    stored::{self, Damaged},
    time::{Date, Timestamp},
    world::{CREATE_TIMEOUT, Store, StoreError},
};
use core::time::Duration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What is kept of a KiotViet customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerEntry {
    /// Older than its connection's webhook: never pushed by its own events.
    Before,
    /// It is this Getfly account. Only an older version kept it without the moment.
    Synced(AccountCode),
    /// It is this Getfly account.
    Linked {
        /// The account's code.
        code: AccountCode,
        /// Since when.
        since: Timestamp,
    },
    /// A person said that it is this Getfly account.
    LinkedByHand {
        /// The account's code.
        code: AccountCode,
        /// Since when.
        since: Timestamp,
        /// What was known before, for when the link is undone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        former: Option<Box<CustomerEntry>>,
    },
    /// Event `seq` was about to create this account.
    Creating {
        /// The account's code.
        code: AccountCode,
        /// The event.
        seq: u64,
        /// By when its call has ended; it may still take effect for [`SETTLE`]. 1970 once Getfly has refused it.
        since: Timestamp,
    },
}

/// What is kept of the invoices of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceEntry {
    /// This invoice is older than its connection's webhook, or an edit of one that is.
    Old {
        /// Its day of sale; not kept by earlier versions.
        #[serde(skip_serializing_if = "Option::is_none")]
        day: Option<Date>,
        /// It is an edit.
        #[serde(default)]
        edited: bool,
        /// The invoice's id.
        invoice_id: i64,
    },
    /// This invoice is an edit of one that has its order.
    Edit {
        /// The invoice's id.
        invoice_id: i64,
    },
    /// A person said what this invoice is, which could not be told.
    Answered {
        /// The invoice's id.
        invoice_id: i64,
        /// What it is.
        is: EditOrSale,
    },
    /// Event `seq` was about to create the order from this invoice.
    Ordering {
        /// The invoice's id.
        invoice_id: i64,
        /// The event.
        seq: u64,
        /// By when its call has ended; it may still take effect for [`SETTLE`].
        since: Timestamp,
        /// What was decided: it is never decided anew.
        #[serde(default, skip_serializing_if = "Sold::is_unknown")]
        sold: Sold,
    },
    /// The order exists.
    Ordered {
        /// From this invoice.
        invoice_id: i64,
        /// What was sold.
        #[serde(default, skip_serializing_if = "Sold::is_unknown")]
        sold: Sold,
    },
}

/// What an order was decided to be. Earlier versions kept nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// The invoice's day of sale.
    pub day: Option<Date>,
    /// The order's code.
    pub order_code: Option<OrderCode>,
    /// The invoice's total.
    pub total: Option<Money>,
}

impl Sold {
    /// The same under the code that Getfly keeps the order by.
    pub fn under(self, code: Option<OrderCode>) -> Self {
        Self {
            order_code: code.or(self.order_code),
            ..self
        }
    }

    /// Whether nothing of it was kept.
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// How long after its call has ended a request without an answer may still take effect at Getfly: PHP's
/// customary limit of 30 s. A record that cannot be found is not created again before.
pub const SETTLE: Duration = Duration::from_secs(30);

/// How long after its announcement a create's call has ended at the latest: it waits for the rate limit, by a clock
/// that may differ, then for its answer.
const CALL_ENDS: Duration = Duration::from_secs(CREATE_TIMEOUT.as_secs() + 3);

/// By when the call has ended of a create that is announced now.
pub fn call_ends(now: Timestamp) -> Timestamp {
    now.saturating_add(CALL_ENDS)
}

/// A record whose call had ended at `since` was looked for and is not there: until when it may still come, if
/// it may.
pub fn unsettled_until(since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let settled = since.checked_add(SETTLE)?;
    (now < settled && !mutant!(SettleTimeIgnored)).then_some(settled)
}

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerKnown {
    /// Nothing.
    Nothing,
    /// Older than the webhook.
    Before,
    /// This account.
    Synced(AccountCode),
    /// An earlier attempt may have created it: read it back by its code.
    Perhaps {
        /// The event that tried; none when it ended so long ago that its record is removed.
        by: Option<u64>,
        /// By when its call has ended.
        since: Timestamp,
        /// Under which code; none where the entry cannot be read.
        code: Option<AccountCode>,
    },
}

impl CustomerKnown {
    /// The customer as a backfill sees it, for which nothing is too old.
    pub fn without_age(self) -> Self {
        match self {
            Self::Before => Self::Nothing,
            known => known,
        }
    }

    /// The rules' view.
    pub fn for_rules(&self) -> Known {
        match self {
            Self::Nothing | Self::Perhaps { .. } => Known::Nothing,
            Self::Before => Known::Before,
            Self::Synced(_) => Known::Synced,
        }
    }
}

/// What is known of the invoices of one code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeKnown {
    /// For the rules.
    pub known: Option<KnownInvoice>,
    /// The order's code, where an order is known and this version or a later one made it.
    pub order_code: Option<OrderCode>,
    /// The day of sale of what is known or tried.
    pub day: Option<Date>,
    /// An earlier attempt may have created the order: read it back by its code.
    pub perhaps: Option<EarlierAttempt>,
    /// What a person said that the invoice of this id is.
    pub answered: Option<(i64, EditOrSale)>,
}

impl CodeKnown {
    /// Whether an order was made under the code, or may have been.
    pub fn is_ordered_or_tried(&self) -> bool {
        self.perhaps.is_some() || matches!(self.known, Some(KnownInvoice::Ordered { .. }))
    }

    /// The same as a backfill sees it, for which nothing is too old.
    pub fn without_age(mut self) -> Self {
        self.known = self
            .known
            .filter(|known| !matches!(known, KnownInvoice::Old { .. }));
        self
    }
}

/// An attempt that nobody saw the end of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierAttempt {
    /// The event that tried.
    pub by: u64,
    /// By when its call has ended.
    pub since: Timestamp,
    /// From this invoice; none where that cannot be read.
    pub invoice_id: Option<i64>,
    /// What it was decided to be.
    pub sold: Sold,
}

/// What the ledger has; the inner error is an entry that cannot be read, which must not stop anybody:
/// something was done, and reading it back by its code tells what.
type Loaded<T> = Result<Option<Result<T, Damaged>>, StoreError>;

async fn load<T: DeserializeOwned>(store: &impl Store, key: &str) -> Loaded<T> {
    Ok(store.get(key).await?.map(|bytes| stored::read(&bytes)))
}

async fn save(store: &impl Store, key: &str, value: &impl Serialize) -> Result<(), StoreError> {
    store.set(key, &stored::write(value)).await
}

/// What became of event `seq`, which was about to create.
enum Claim {
    Created(Option<OrderCode>),
    Open,
    /// It ended, and its record is past its retention.
    Removed,
}

async fn claim_of(
    store: &impl Store,
    seq: u64,
    has_it: impl FnOnce(&Record) -> bool,
) -> Result<Claim, StoreError> {
    let created = |r: &Record| r.status.outcome() == Some(Outcome::Created);
    Ok(match entries::read_event(store, seq).await? {
        None => Claim::Removed,
        Some(record) if created(&record) && has_it(&record) => Claim::Created(record.order_code),
        Some(_) => Claim::Open,
    })
}

/// What is known of KiotViet customer `id`.
pub async fn customer(
    store: &impl Store,
    retailer: &RetailerId,
    id: i64,
) -> Result<CustomerKnown, StoreError> {
    Ok(match load(store, &keys::customer(retailer, id)).await? {
        None => CustomerKnown::Nothing,
        Some(Err(_)) => CustomerKnown::Perhaps {
            by: None,
            since: Timestamp::UNIX_EPOCH,
            code: None,
        },
        Some(Ok(CustomerEntry::Before)) => CustomerKnown::Before,
        Some(Ok(
            CustomerEntry::Synced(code)
            | CustomerEntry::Linked { code, .. }
            | CustomerEntry::LinkedByHand { code, .. },
        )) => CustomerKnown::Synced(code),
        Some(Ok(CustomerEntry::Creating { seq, code, since })) => {
            // An invoice whose customer was deleted meanwhile has an order, and no account.
            let has_it =
                |r: &Record| r.account_code.as_ref() == Some(&code) || mutant!(OrderMeansAccount);
            match claim_of(store, seq, has_it).await? {
                Claim::Created(_) => CustomerKnown::Synced(code),
                Claim::Open => CustomerKnown::Perhaps {
                    by: Some(seq),
                    since,
                    code: Some(code),
                },
                Claim::Removed => CustomerKnown::Perhaps {
                    by: None,
                    since,
                    code: Some(code),
                },
            }
        }
    })
}

/// Since when customer `id` is known to be an account; the beginning of time where that is not kept, none
/// where nothing is known.
pub async fn linked_since(
    store: &impl Store,
    retailer: &RetailerId,
    id: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let entry = load(store, &keys::customer(retailer, id)).await?;
    Ok(entry.map(|entry| match entry {
        Ok(
            CustomerEntry::Linked { since, .. }
            | CustomerEntry::LinkedByHand { since, .. }
            | CustomerEntry::Creating { since, .. },
        ) => since,
        _ => Timestamp::UNIX_EPOCH,
    }))
}

/// The entry of customer `id`; none also for one that cannot be read.
pub async fn customer_entry(
    store: &impl Store,
    retailer: &RetailerId,
    id: i64,
) -> Result<Option<CustomerEntry>, StoreError> {
    let entry = load(store, &keys::customer(retailer, id)).await?;
    Ok(entry.and_then(Result::ok))
}

/// Forgets which account customer `id` is.
pub async fn forget_customer(
    store: &impl Store,
    retailer: &RetailerId,
    id: i64,
) -> Result<(), StoreError> {
    store.delete(&keys::customer(retailer, id)).await
}

/// Keeps what became of a customer.
pub async fn keep_customer(
    store: &impl Store,
    retailer: &RetailerId,
    id: i64,
    entry: &CustomerEntry,
) -> Result<(), StoreError> {
    save(store, &keys::customer(retailer, id), entry).await
}

/// The account that was created with this phone number among several of one field. Getfly stores
/// such a field as it was written (R8), with blanks inside its numbers, and its search cannot find
/// them there.
pub async fn account_with_number(
    store: &impl Store,
    sealer: &Sealer,
    number: &PhoneNumber,
) -> Result<Option<AccountCode>, StoreError> {
    for fingerprint in sealer.fingerprints(number.as_str()) {
        let loaded: Option<Result<AccountCode, Damaged>> =
            load(store, &keys::number(&fingerprint)).await?;
        if let Some(Ok(code)) = loaded {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

/// Keeps that `code` is created with these numbers in one field.
pub async fn keep_numbers(
    store: &impl Store,
    sealer: &Sealer,
    numbers: &[PhoneNumber],
    code: &AccountCode,
) -> Result<(), StoreError> {
    for number in numbers {
        save(
            store,
            &keys::number(&sealer.fingerprint(number.as_str())),
            code,
        )
        .await?;
    }
    Ok(())
}

/// What is known of the invoices under `key` ([`keys::invoice`], [`keys::invoice_again`]).
pub async fn invoice(store: &impl Store, key: &str) -> Result<CodeKnown, StoreError> {
    let known = |known, sold: Sold| CodeKnown {
        known: Some(known),
        order_code: sold.order_code,
        day: sold.day,
        ..CodeKnown::default()
    };
    let ordered = |invoice_id, sold: Sold| {
        let (day, total) = (sold.day, sold.total);
        let ordered = KnownInvoice::Ordered {
            invoice_id,
            day,
            total,
        };
        known(ordered, sold)
    };
    let tried = |by, since, invoice_id, sold: Sold| CodeKnown {
        day: sold.day,
        perhaps: Some(EarlierAttempt {
            by,
            since,
            invoice_id,
            sold,
        }),
        ..CodeKnown::default()
    };
    Ok(match load(store, key).await? {
        None => CodeKnown::default(),
        Some(Err(_)) => tried(NOBODY, Timestamp::UNIX_EPOCH, None, Sold::default()),
        Some(Ok(InvoiceEntry::Old {
            invoice_id,
            edited,
            day,
        })) => CodeKnown {
            known: Some(KnownInvoice::Old { invoice_id, edited }),
            day,
            ..CodeKnown::default()
        },
        Some(Ok(InvoiceEntry::Edit { invoice_id })) => {
            known(KnownInvoice::Edit { invoice_id }, Sold::default())
        }
        Some(Ok(InvoiceEntry::Answered { invoice_id, is })) => CodeKnown {
            answered: Some((invoice_id, is)),
            ..CodeKnown::default()
        },
        Some(Ok(InvoiceEntry::Ordered { invoice_id, sold })) => ordered(invoice_id, sold),
        Some(Ok(InvoiceEntry::Ordering {
            seq,
            invoice_id,
            since,
            sold,
        })) => match claim_of(store, seq, |_| true).await? {
            Claim::Created(code) => ordered(invoice_id, sold.under(code)),
            Claim::Open => tried(seq, since, Some(invoice_id), sold),
            // It ended without an order (see `settle`). Getfly tells for sure.
            Claim::Removed => tried(NOBODY, since, Some(invoice_id), sold),
        },
    })
}

/// Whether nothing is to be done about invoice `id` with this code. A backfill asks again about what was
/// once found too old. Whoever tried it may have ended without an order, because it was cancelled or
/// edited; while somebody is at it, or a dead letter, the invoice is marked as unfinished.
pub async fn is_settled(
    store: &impl Store,
    retailer: &RetailerId,
    code: &InvoiceCode,
    id: i64,
    backfill: bool,
) -> Result<bool, StoreError> {
    let all = invoices(store, retailer, code, id).await?;
    Ok(all.each().any(|code| match code.known {
        Some(KnownInvoice::Old { invoice_id, .. }) => invoice_id == id && !backfill,
        Some(KnownInvoice::Ordered { invoice_id, .. } | KnownInvoice::Edit { invoice_id }) => {
            invoice_id == id
        }
        None => mutant!(TriedIsSettled) && code.perhaps.is_some(),
    }))
}

/// What is known of one invoice: by its code, by the code before an edit's `.NN`, and by its id where its
/// code was used by another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvoiceKnown {
    /// Under its whole code.
    pub own: CodeKnown,
    /// Under the code before `.NN`; nothing where it has none.
    pub family: CodeKnown,
    /// Under its id.
    pub again: CodeKnown,
}

impl InvoiceKnown {
    fn each(&self) -> impl Iterator<Item = &CodeKnown> {
        [&self.own, &self.family, &self.again].into_iter()
    }

    /// The order that was made of this invoice, or of the one that it is an edit of, and its total where that is kept.
    pub fn order(
        &self,
        shop: &ShopCodes,
        id: i64,
        code: &InvoiceCode,
    ) -> Option<(OrderCode, Option<Money>)> {
        let is_edit =
            matches!(self.own.known, Some(KnownInvoice::Edit { invoice_id }) if invoice_id == id);
        self.each().find_map(|known| match known.known {
            Some(KnownInvoice::Ordered {
                invoice_id, total, ..
            }) if invoice_id == id || is_edit => {
                let word = if is_edit { code.base() } else { code.as_str() };
                let derived = || OrderCode::for_sale(shop, word);
                Some((known.order_code.clone().unwrap_or_else(derived), total))
            }
            _ => None,
        })
    }

    /// For the rules.
    pub fn for_rules(&self) -> Vec<KnownInvoice> {
        self.each().filter_map(|code| code.known).collect()
    }

    /// The same as a backfill sees it, for which nothing is too old.
    pub fn without_age(self) -> Self {
        Self {
            own: self.own.without_age(),
            family: self.family.without_age(),
            again: self.again.without_age(),
        }
    }
}

/// What is known of invoice `id` with this code.
pub async fn invoices(
    store: &impl Store,
    retailer: &RetailerId,
    code: &InvoiceCode,
    id: i64,
) -> Result<InvoiceKnown, StoreError> {
    let own = invoice(store, &keys::invoice(retailer, code.as_str())).await?;
    let family = if code.is_edit() {
        invoice(store, &keys::invoice(retailer, code.base())).await?
    } else {
        CodeKnown::default()
    };
    let tried = own.perhaps.as_ref().and_then(|tried| tried.invoice_id);
    let ordered = match own.known {
        Some(KnownInvoice::Ordered { invoice_id, .. }) => Some(invoice_id),
        _ => tried,
    };
    let again = if ordered.is_some_and(|other| other != id) {
        invoice(store, &keys::invoice_again(retailer, id)).await?
    } else {
        CodeKnown::default()
    };
    Ok(InvoiceKnown { own, family, again })
}

/// No event has this number.
const NOBODY: u64 = 0;

/// Keeps what `record`'s claims came to, before it is removed: what was created stays known, whatever
/// becomes of it in Getfly, and so does an order that a person wanted no more.
pub async fn settle(store: &impl Store, record: &Record) -> Result<(), StoreError> {
    if mutant!(RemovedClaimForgotten) {
        return Ok(());
    }
    let created = record.status.outcome() == Some(Outcome::Created);
    if let Some(key) = &record.account_claim
        && created
        && let Some(Ok(CustomerEntry::Creating { seq, code, since })) = load(store, key).await?
        && seq == record.seq
        && record.account_code.as_ref() == Some(&code)
    {
        save(store, key, &CustomerEntry::Linked { code, since }).await?;
    }
    if let Some(key) = &record.order_claim
        && (created || record.state() == State::Dismissed)
        && let Some(Ok(InvoiceEntry::Ordering {
            seq,
            invoice_id,
            sold,
            ..
        })) = load(store, key).await?
        && seq == record.seq
    {
        let sold = sold.under(record.order_code.clone());
        save(store, key, &InvoiceEntry::Ordered { invoice_id, sold }).await?;
    }
    Ok(())
}

/// Keeps what became of the invoices under `key`.
pub async fn keep_invoice(
    store: &impl Store,
    key: &str,
    entry: &InvoiceEntry,
) -> Result<(), StoreError> {
    save(store, key, entry).await
}
