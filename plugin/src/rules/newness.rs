//! Whether a customer or an invoice is newly created (R2, R3, R4, R6, R10). KiotViet sends one kind
//! of event for creations and edits. So KiotViet's own record and the ledger decide, never the
//! delivery. `on_since` is when the webhook was switched on; none: it is off.

use super::{
    model::{Customer, Invoice},
    money::Money,
    verdict::Reason,
};
use crate::time::{Date, Timestamp};

/// KiotViet's status of a cancelled invoice.
pub const CANCELLED: i64 = 2;

/// What the ledger knows of a KiotViet customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// Created before the webhook was switched on.
    Before,
    /// Created or linked in Getfly.
    Synced,
}

/// What the ledger knows of the invoices of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownInvoice {
    /// The invoice is older than the webhook, or an edit of one that is.
    Old {
        /// The invoice.
        invoice_id: i64,
        /// Whether it is an edit.
        edited: bool,
    },
    /// The invoice is an edit of one that has its order.
    Edit {
        /// The invoice.
        invoice_id: i64,
    },
    /// The invoice has an order.
    Ordered {
        /// The invoice that the order was made from.
        invoice_id: i64,
        /// Its day of sale; earlier versions did not store it.
        day: Option<Date>,
        /// Its total; earlier versions did not store it.
        total: Option<Money>,
    },
}

impl KnownInvoice {
    /// Why invoice `id` need not be read, if this is about that very invoice.
    fn reason_for(self, id: i64) -> Option<Reason> {
        let (invoice_id, reason) = match self {
            Self::Ordered { invoice_id, .. } => (invoice_id, Reason::AlreadySynced),
            Self::Edit { invoice_id }
            | Self::Old {
                invoice_id,
                edited: true,
            } => (invoice_id, Reason::InvoiceEdited),
            Self::Old { invoice_id, .. } => (invoice_id, Reason::CreatedBeforeConnection),
        };
        (invoice_id == id).then_some(reason)
    }
}

/// What KiotViet's record shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newness {
    /// Nothing is due.
    Ignore(Reason),
    /// It is newly created.
    New,
    /// KiotViet sends no creation date, so newness cannot be decided: a dead letter.
    NoCreationDate,
}

impl Newness {
    /// Whether only its age, or its original's, speaks against it.
    pub fn is_too_old(self) -> bool {
        matches!(
            self,
            Self::Ignore(Reason::CreatedBeforeConnection | Reason::InvoiceEdited)
        )
    }
}

/// R2, R4, R6: why KiotViet's record need not be read for a customer event, if so.
pub fn customer_before_reading(on_since: Option<Timestamp>, known: Known) -> Option<Reason> {
    match (on_since, known) {
        (None, _) => Some(Reason::CustomerWebhookOff),
        (_, Known::Synced) => Some(Reason::AlreadySynced),
        (_, Known::Before) => Some(Reason::CreatedBeforeConnection),
        (_, Known::Nothing) => None,
    }
}

/// R2: whether the customer that KiotViet has (none: 404) is new.
pub fn customer_after_reading(on_since: Timestamp, record: Option<&Customer>) -> Newness {
    let Some(customer) = record else {
        return Newness::Ignore(Reason::DeletedOnKiotviet);
    };
    match customer.created_at {
        None => Newness::NoCreationDate,
        Some(created) if created < on_since && !mutant!(OldIsNew) => {
            Newness::Ignore(Reason::CreatedBeforeConnection)
        }
        Some(_) => Newness::New,
    }
}

/// R3: why KiotViet's record need not be read for an invoice event, if so: only because of what is
/// `known` of this very invoice. A code in the delivery alone decides nothing.
pub fn invoice_before_reading(
    on_since: Option<Timestamp>,
    known: &[KnownInvoice],
    id: i64,
) -> Option<Reason> {
    if on_since.is_none() {
        return Some(Reason::OrderWebhookOff);
    }
    known.iter().find_map(|known| known.reason_for(id))
}

/// R3, R6: whether a living invoice is new. `original`: for an edit (`HD000123.01`), KiotViet's
/// record of the base code, if it has one; otherwise what is `known` of that code counts. An
/// original that was cancelled before it became an order does not block its corrected invoice.
pub fn invoice_after_reading(
    on_since: Timestamp,
    invoice: &Invoice,
    original: Option<&Invoice>,
    known: Option<KnownInvoice>,
) -> Newness {
    if original.is_none() && matches!(known, Some(KnownInvoice::Old { .. })) {
        return Newness::Ignore(Reason::InvoiceEdited);
    }
    let before = |invoice: &Invoice| invoice.created_at.map(|created| created < on_since);
    match (original.map(before), before(invoice)) {
        (Some(Some(true)), _) => Newness::Ignore(Reason::InvoiceEdited),
        (_, Some(true)) => Newness::Ignore(Reason::CreatedBeforeConnection),
        (Some(None), _) | (_, None) => Newness::NoCreationDate,
        (_, Some(false)) => Newness::New,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::codes::InvoiceCode;
    use Newness::{Ignore, New, NoCreationDate};

    const ON: &str = "2026-01-02T03:04:05Z";
    const BEFORE: Option<&str> = Some("2026-01-02T03:04:04.999999999Z");
    const AT: Option<&str> = Some("2026-01-02T10:04:05+07:00");
    const AFTER: Option<&str> = Some("2026-01-02T03:04:05.000000001Z");

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn customer(created: Option<&str>) -> Customer {
        Customer {
            id: 1,
            created_at: created.map(time),
            ..Customer::default()
        }
    }

    fn invoice(code: &str, status: i64, created: Option<&str>) -> Invoice {
        Invoice {
            id: 1,
            code: InvoiceCode::new(code),
            created_at: created.map(time),
            status,
            ..Invoice::default()
        }
    }

    #[test]
    fn r4_a_customer_alone_pushes_nothing_while_the_webhook_is_off() {
        for known in [Known::Nothing, Known::Before, Known::Synced] {
            assert_eq!(
                customer_before_reading(None, known),
                Some(Reason::CustomerWebhookOff)
            );
        }
    }

    #[test]
    fn r6_a_customer_with_an_outcome_is_not_read_again() {
        let decide = |known| customer_before_reading(Some(time(ON)), known);
        assert_eq!(decide(Known::Synced), Some(Reason::AlreadySynced));
        assert_eq!(decide(Known::Before), Some(Reason::CreatedBeforeConnection));
        assert_eq!(decide(Known::Nothing), None);
    }

    #[test]
    fn r2_a_customer_is_new_from_the_switch_on_moment_on() {
        for (created, expected) in [
            (BEFORE, Ignore(Reason::CreatedBeforeConnection)),
            (AT, New),
            (AFTER, New),
            (None, NoCreationDate),
        ] {
            assert_eq!(
                customer_after_reading(time(ON), Some(&customer(created))),
                expected,
                "{created:?}"
            );
        }
        assert_eq!(
            customer_after_reading(time(ON), None),
            Ignore(Reason::DeletedOnKiotviet)
        );
    }

    const fn ordered(invoice_id: i64) -> KnownInvoice {
        KnownInvoice::Ordered {
            invoice_id,
            day: None,
            total: None,
        }
    }

    const fn old(invoice_id: i64, edited: bool) -> KnownInvoice {
        KnownInvoice::Old { invoice_id, edited }
    }

    #[test]
    fn r3_r6_only_a_known_invoice_is_not_read_again() {
        let edit = KnownInvoice::Edit { invoice_id: 1 };
        for (known, id, expected) in [
            (&[ordered(1)][..], 1, Some(Reason::AlreadySynced)),
            (&[ordered(1)], 2, None),
            (&[old(1, false)], 1, Some(Reason::CreatedBeforeConnection)),
            (&[old(1, true)], 1, Some(Reason::InvoiceEdited)),
            (&[old(1, false)], 2, None),
            (&[edit], 1, Some(Reason::InvoiceEdited)),
            (&[edit], 2, None),
            (&[ordered(2), edit], 1, Some(Reason::InvoiceEdited)),
            (&[], 1, None),
        ] {
            let decided = invoice_before_reading(Some(time(ON)), known, id);
            assert_eq!(decided, expected, "{known:?} {id}");
            let off = invoice_before_reading(None, known, id);
            assert_eq!(off, Some(Reason::OrderWebhookOff));
        }
    }

    #[test]
    fn r3_an_invoice_is_new_from_the_switch_on_moment_on() {
        for (status, created, expected) in [
            (1, BEFORE, Ignore(Reason::CreatedBeforeConnection)),
            (1, AT, New),
            (3, AFTER, New),
            (5, AFTER, New),
            (1, None, NoCreationDate),
        ] {
            let record = invoice("HD1", status, created);
            assert_eq!(
                invoice_after_reading(time(ON), &record, None, None),
                expected,
                "{status} {created:?}"
            );
        }
    }

    #[test]
    fn r6_an_edit_is_new_only_when_its_original_is() {
        for (created, original, expected) in [
            (AFTER, Some(BEFORE), Ignore(Reason::InvoiceEdited)),
            (BEFORE, Some(BEFORE), Ignore(Reason::InvoiceEdited)),
            (None, Some(BEFORE), Ignore(Reason::InvoiceEdited)),
            (BEFORE, None, Ignore(Reason::CreatedBeforeConnection)),
            (AFTER, Some(AT), New),
            (AFTER, None, New),
            (AFTER, Some(None), NoCreationDate),
            (None, Some(AFTER), NoCreationDate),
        ] {
            let record = invoice("HD1.01", 1, created);
            let original = original.map(|created| invoice("HD1", 2, created));
            let decided = invoice_after_reading(time(ON), &record, original.as_ref(), None);
            assert_eq!(decided, expected, "{created:?} {original:?}");
        }
    }

    #[test]
    fn r6_an_edit_whose_original_is_gone_is_what_its_family_was() {
        let edit = invoice("HD1.01", 1, AFTER);
        let original = invoice("HD1", 2, AFTER);
        for (known, original, expected) in [
            (Some(old(2, false)), None, Ignore(Reason::InvoiceEdited)),
            (Some(old(2, false)), Some(&original), New),
            (None, None, New),
        ] {
            let decided = invoice_after_reading(time(ON), &edit, original, known);
            assert_eq!(decided, expected);
        }
    }
}
