//! Whether a customer or an invoice is newly created (R2, R3, R4, R6, R10). KiotViet sends one kind
//! of event for creations and edits, so this goes by KiotViet's own record and by what was done
//! before, never by the delivery. `on_since` is when the webhook was switched on; none: it is off.

use super::{
    codes::InvoiceCode,
    model::{Customer, Invoice},
    verdict::Reason,
};
use crate::time::Timestamp;

/// KiotViet's status of a cancelled invoice.
const CANCELLED: i64 = 2;

/// What is known of a KiotViet customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// Created before the webhook was switched on.
    Before,
    /// Created or linked in Getfly.
    Synced,
}

/// What is known of an invoice's family (all invoices with one base code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownInvoice {
    /// Created before the webhook was switched on.
    Before,
    /// There is an order.
    Ordered {
        /// The invoice that it was made from.
        invoice_id: i64,
    },
}

/// What KiotViet's record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newness {
    /// Nothing is due.
    Ignore(Reason),
    /// It is newly created.
    New,
    /// KiotViet gives no creation date, so it cannot be told: a dead letter.
    NoCreationDate,
}

/// R2, R4, R6: why a customer event needs no reading of KiotViet's record, if so.
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
        Some(created) if created < on_since => Newness::Ignore(Reason::CreatedBeforeConnection),
        Some(_) => Newness::New,
    }
}

/// R3, R6: why an invoice event needs no reading of KiotViet's record, if so. `known` is of the
/// family of `code`; `id` and `code` are the event's.
pub fn invoice_before_reading(
    on_since: Option<Timestamp>,
    known: Option<KnownInvoice>,
    id: i64,
    code: Option<&InvoiceCode>,
) -> Option<Reason> {
    let edit = code.is_some_and(InvoiceCode::is_edit);
    match (on_since, known) {
        (None, _) => Some(Reason::OrderWebhookOff),
        (_, None) => None,
        (_, Some(KnownInvoice::Ordered { invoice_id })) if edit && invoice_id != id => {
            Some(Reason::InvoiceEdited)
        }
        (_, Some(KnownInvoice::Ordered { .. })) => Some(Reason::AlreadySynced),
        (_, Some(KnownInvoice::Before)) if edit => Some(Reason::InvoiceEdited),
        (_, Some(KnownInvoice::Before)) => Some(Reason::CreatedBeforeConnection),
    }
}

/// R3, R6: whether the invoice that KiotViet has (none: 404) is new. `original`: for an edit
/// (`HD000123.01`), KiotViet's record of the base code, where it has one. An original that was
/// cancelled before it became an order does not block its corrected invoice.
pub fn invoice_after_reading(
    on_since: Timestamp,
    record: Option<&Invoice>,
    original: Option<&Invoice>,
) -> Newness {
    let Some(invoice) = record else {
        return Newness::Ignore(Reason::DeletedOnKiotviet);
    };
    if invoice.status == CANCELLED {
        return Newness::Ignore(Reason::InvoiceCancelled);
    }
    let original = original.filter(|_| invoice.code.is_edit());
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
            purchase_date: None,
            status,
            sold_by_id: None,
            customer_id: None,
            customer_name: String::new(),
            total: Default::default(),
            discount: None,
            discount_ratio: None,
            total_tax: None,
            lines: Vec::new(),
            surcharges: Vec::new(),
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

    #[test]
    fn r3_r6_a_known_invoice_family_is_not_read_again() {
        let ordered = Some(KnownInvoice::Ordered { invoice_id: 1 });
        let before = Some(KnownInvoice::Before);
        for (known, id, code, expected) in [
            (ordered, 1, Some("HD1"), Some(Reason::AlreadySynced)),
            (ordered, 1, Some("HD1.01"), Some(Reason::AlreadySynced)),
            (ordered, 2, Some("HD1.01"), Some(Reason::InvoiceEdited)),
            (ordered, 2, Some("HD1"), Some(Reason::AlreadySynced)),
            (ordered, 2, None, Some(Reason::AlreadySynced)),
            (
                before,
                1,
                Some("HD1"),
                Some(Reason::CreatedBeforeConnection),
            ),
            (before, 2, Some("HD1.01"), Some(Reason::InvoiceEdited)),
            (before, 2, None, Some(Reason::CreatedBeforeConnection)),
            (None, 1, Some("HD1"), None),
            (None, 1, Some("HD1.01"), None),
        ] {
            let code = code.map(InvoiceCode::new);
            let decided = invoice_before_reading(Some(time(ON)), known, id, code.as_ref());
            assert_eq!(decided, expected, "{known:?} {id} {code:?}");
            let off = invoice_before_reading(None, known, id, code.as_ref());
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
            (2, AFTER, Ignore(Reason::InvoiceCancelled)),
            (2, BEFORE, Ignore(Reason::InvoiceCancelled)),
            (2, None, Ignore(Reason::InvoiceCancelled)),
        ] {
            let record = invoice("HD1", status, created);
            assert_eq!(
                invoice_after_reading(time(ON), Some(&record), None),
                expected,
                "{status} {created:?}"
            );
        }
        assert_eq!(
            invoice_after_reading(time(ON), None, None),
            Ignore(Reason::DeletedOnKiotviet)
        );
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
            let decided = invoice_after_reading(time(ON), Some(&record), original.as_ref());
            assert_eq!(decided, expected, "{created:?} {original:?}");
        }
    }

    #[test]
    fn r6_an_invoice_without_suffix_has_no_original() {
        let (record, other) = (invoice("HD1", 1, AFTER), invoice("HD1", 1, BEFORE));
        assert_eq!(
            invoice_after_reading(time(ON), Some(&record), Some(&other)),
            New
        );
    }
}
