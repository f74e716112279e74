//! R6: which sale an invoice is, and the code of its order. KiotViet edits `HD000123` by cancelling
//! it and making `HD000123.01`, with a new id and the same day of sale. Shops number their own
//! invoices like that too. A person decides what cannot be decided safely.

use super::{
    codes::{InvoiceCode, OrderCode, ShopCodes},
    model::Invoice,
    money::Money,
    newness::{CANCELLED, KnownInvoice},
    verdict::Reason,
};
use crate::time::Date;
use serde::{Deserialize, Serialize};

/// What an invoice is whose code looks like an edit's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditOrSale {
    /// An edit of the invoice whose code is its own without `.NN`.
    Edit,
    /// A sale of its own.
    Sale,
}

/// Which sale an invoice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sale {
    /// The sale of its base code: the original, or what an edit made of it.
    Family,
    /// A sale of its own, though its code looks like an edit's.
    Own,
    /// Another sale under a code that was used before.
    Again,
}

impl Sale {
    /// The code of its order.
    pub fn order_code(self, shop: &ShopCodes, invoice: &InvoiceCode, id: i64) -> OrderCode {
        match self {
            Self::Family => OrderCode::for_sale(shop, invoice.base()),
            Self::Own => OrderCode::for_sale(shop, invoice.as_str()),
            Self::Again => OrderCode::for_sale(shop, &format!("{invoice}-{id}")),
        }
    }
}

/// What the ledger knows of the invoice that this one may be an edit of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Original {
    /// Nothing.
    Unknown,
    /// It was ordered, attempted or found too old; with its day of sale, where that is known.
    Known(Option<Date>),
}

/// What an invoice is whose code ends in `.NN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaybeEdit {
    /// An edit of the original.
    Edit,
    /// A sale of its own.
    Own,
    /// A sale of its own from before the switch-on.
    OldSale,
    /// The original lives; KiotViet may not have cancelled it yet.
    Wait,
    /// The original is cancelled or gone, and was sold on another day: a person must decide.
    Ask,
}

/// R6: what `invoice`, whose code ends in `.NN`, is. `on_kiotviet`: the invoice of exactly the code
/// before that, if KiotViet has it. `waited`: KiotViet has had its time to cancel it. `on_day`: the
/// day of the switch-on.
pub fn maybe_edit(
    invoice: &Invoice,
    on_kiotviet: Option<&Invoice>,
    in_ledger: Original,
    waited: bool,
    on_day: Option<Date>,
) -> MaybeEdit {
    let day = invoice.purchase_date;
    let original_day = match (on_kiotviet, in_ledger) {
        (Some(original), _) if original.status != CANCELLED => {
            return if waited {
                MaybeEdit::Own
            } else {
                MaybeEdit::Wait
            };
        }
        (Some(original), _) => original.purchase_date,
        (None, Original::Known(day)) => day,
        (None, Original::Unknown) => {
            let before = day.zip(on_day).is_some_and(|(day, on)| day < on);
            return if before {
                MaybeEdit::OldSale
            } else {
                MaybeEdit::Own
            };
        }
    };
    if original_day.is_some() && original_day == day {
        MaybeEdit::Edit
    } else {
        MaybeEdit::Ask
    }
}

/// R6: whether `invoice` is another sale than the one that was ordered under its code from an
/// invoice with another id: only if day or total differs. A fact that is not known of the older one
/// does not differ.
pub fn is_another(invoice: &Invoice, day: Option<Date>, total: Option<Money>) -> bool {
    let other_day = day.zip(invoice.purchase_date).is_some_and(|(a, b)| a != b);
    other_day || total.is_some_and(|total| total != invoice.total)
}

/// R3, R6: why a cancelled invoice becomes no order; none for a living one. `own` is what is known
/// of its code, `family` of the code before `.NN`.
pub fn cancelled(
    invoice: &Invoice,
    own: Option<KnownInvoice>,
    family: Option<KnownInvoice>,
) -> Option<Reason> {
    let ordered = |known| matches!(known, Some(KnownInvoice::Ordered { .. }));
    if invoice.status != CANCELLED || mutant!(CancelledCreates) {
        None
    } else if ordered(own) {
        Some(Reason::AlreadySynced)
    } else if ordered(family) {
        Some(Reason::InvoiceEdited)
    } else {
        Some(Reason::InvoiceCancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules::codes::RetailerId, time::tests::date};
    use proptest::prelude::*;

    fn invoice(code: &str, status: i64, day: Option<Date>) -> Invoice {
        Invoice {
            id: 7,
            code: InvoiceCode::new(code),
            status,
            purchase_date: day,
            total: Money::dong(1_000).unwrap(),
            ..Invoice::default()
        }
    }

    fn day(of_month: u8) -> Option<Date> {
        Some(date(2026, 10, of_month))
    }

    #[test]
    fn r6_order_codes_are_of_the_family_the_whole_code_or_the_id() {
        let shop = ShopCodes::of(&RetailerId::parse("thu").unwrap(), false);
        let code = InvoiceCode::new("HD1.01");
        let order = |sale: Sale| sale.order_code(&shop, &code, 7).to_string();
        assert_eq!(order(Sale::Family), "thu-HD1");
        assert_eq!(order(Sale::Own), "thu-HD1.01");
        assert_eq!(order(Sale::Again), "thu-HD1.01-7");
    }

    #[test]
    fn r6_an_edit_has_a_cancelled_or_gone_original_of_the_same_day() {
        use MaybeEdit::{Ask, Edit, OldSale, Own, Wait};
        use Original::{Known, Unknown};
        let cancelled = |day| Some(invoice("HD1", CANCELLED, day));
        let living = |status| Some(invoice("HD1", status, day(5)));
        for (on_kiotviet, in_ledger, waited, sold, expected) in [
            (cancelled(day(5)), Unknown, false, day(5), Edit),
            (cancelled(day(5)), Known(day(9)), true, day(5), Edit),
            (cancelled(day(5)), Unknown, false, day(6), Ask),
            (cancelled(None), Unknown, false, day(5), Ask),
            (cancelled(None), Unknown, false, None, Ask),
            (None, Known(day(5)), false, day(5), Edit),
            (None, Known(day(5)), false, day(6), Ask),
            (None, Known(None), false, day(5), Ask),
            (living(1), Unknown, false, day(5), Wait),
            (living(1), Known(day(5)), true, day(5), Own),
            (living(3), Unknown, true, day(5), Own),
            (living(5), Unknown, true, day(6), Own),
            (None, Unknown, false, day(5), Own),
            (None, Unknown, false, day(4), Own),
            (None, Unknown, true, day(3), OldSale),
            (None, Unknown, false, None, Own),
        ] {
            let edit = invoice("HD1.01", 1, sold);
            let decided = maybe_edit(&edit, on_kiotviet.as_ref(), in_ledger, waited, day(4));
            assert_eq!(
                decided, expected,
                "{on_kiotviet:?} {in_ledger:?} {waited} {sold:?}"
            );
        }
    }

    #[test]
    fn r6_a_used_number_is_another_sale_only_by_day_or_total() {
        let living = invoice("HD1", 1, day(5));
        let total = |dong| Some(Money::dong(dong).unwrap());
        for (day, total, expected) in [
            (day(5), total(1_000), false),
            (day(6), total(1_000), true),
            (day(5), total(1_001), true),
            (None, None, false),
            (None, total(1_001), true),
            (day(4), None, true),
        ] {
            assert_eq!(
                is_another(&living, day, total),
                expected,
                "{day:?} {total:?}"
            );
        }
        assert!(!is_another(&invoice("HD1", 1, None), day(5), total(1_000)));
    }

    #[test]
    fn r3_r6_a_cancelled_invoice_becomes_no_order() {
        let ordered = Some(KnownInvoice::Ordered {
            invoice_id: 9,
            day: None,
            total: None,
        });
        let old = Some(KnownInvoice::Old {
            invoice_id: 9,
            edited: false,
        });
        for (status, own, family, expected) in [
            (2, None, None, Some(Reason::InvoiceCancelled)),
            (2, old, old, Some(Reason::InvoiceCancelled)),
            (2, ordered, None, Some(Reason::AlreadySynced)),
            (2, None, ordered, Some(Reason::InvoiceEdited)),
            (1, ordered, ordered, None),
            (3, None, None, None),
        ] {
            let record = invoice("HD1.01", status, day(5));
            assert_eq!(
                cancelled(&record, own, family),
                expected,
                "{status} {own:?} {family:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn r6_nothing_is_an_edit_of_a_living_or_unknown_invoice(
            living in any::<bool>(), status in 0i64..6, sold in 1u8..28, on in 1u8..28, waited in any::<bool>(),
        ) {
            let original = invoice("HD1", status, day(sold));
            let original = (living && status != CANCELLED).then_some(&original);
            let edit = invoice("HD1.01", 1, day(sold));
            let decided = maybe_edit(&edit, original, Original::Unknown, waited, day(on));
            prop_assert!(!matches!(decided, MaybeEdit::Edit | MaybeEdit::Ask));
        }
    }
}
