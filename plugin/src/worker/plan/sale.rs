//! R6: decides which sale an invoice is, from the ledger, from an earlier attempt's decision and,
//! for a code that ends in `.NN`, from the invoice at KiotViet that it may be an edit of.

use crate::{
    assumption::Assumption,
    getfly::wire::StoredOrder,
    journal::{
        changes::Change,
        dead_reason::DeadReason,
        evidence::Evidence,
        keys,
        ledger::{self, CodeKnown, EarlierAttempt, InvoiceEntry, InvoiceKnown, Sold},
        life,
        note::Note,
        trouble::Trouble,
    },
    kiotviet::assumptions::SHOP_HOURS_AHEAD,
    rules::{
        codes::OrderCode,
        model::Invoice,
        money::Money,
        newness::KnownInvoice,
        sale::{self, EditOrSale, MaybeEdit, Original, Sale},
        verdict::Reason,
    },
    time::{Date, Timestamp},
    worker::{
        failure::Failure,
        memory,
        plan::decision::{Explanation, Remember, SaleClaim},
        session::{Changed, Session},
    },
    world::World,
};
use core::time::Duration;

/// How long KiotViet may take to cancel the original of an edit.
const CANCELS_WITHIN: Duration = Duration::from_secs(120);

/// By how much Getfly's total may differ from KiotViet's and still count as equal: Getfly may round
/// lines.
const ROUNDING: i64 = 10;

/// What an invoice is.
pub(super) enum Decision {
    /// Nothing is due.
    Ignore(Reason, Remember),
    /// This sale.
    Sale(Box<Decided>),
}

/// A sale, and everything that is never decided again once it was attempted.
pub(super) struct Decided {
    /// Its order's code.
    pub(super) code: OrderCode,
    /// Its ledger key.
    pub(super) key: String,
    /// The ledger key that says that this very invoice is too old: never over another one's order.
    pub(super) own_key: String,
    /// An earlier attempt at it.
    pub(super) perhaps: Option<EarlierAttempt>,
    /// The invoice that it is an edit of, if KiotViet has it.
    pub(super) original: Option<Invoice>,
    /// What the ledger knows of that one.
    pub(super) known_original: Option<KnownInvoice>,
}

impl Decided {
    /// The ledger key of the sale, and the decision to store there.
    pub(super) fn claim(&self, invoice: &Invoice) -> SaleClaim {
        SaleClaim {
            key: self.key.clone(),
            sold: self.sold(invoice),
        }
    }

    fn sold(&self, invoice: &Invoice) -> Sold {
        Sold {
            order_code: Some(self.code.clone()),
            day: invoice.purchase_date,
            total: Some(invoice.total),
        }
    }
}

/// An order that was made from another invoice with the same code.
struct Used {
    code: OrderCode,
    day: Option<Date>,
    total: Option<Money>,
}

/// Decides what `invoice` is, whose event was received at `received`. A record from before
/// `on_since` is old.
pub(super) async fn decide<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    known: &InvoiceKnown,
    on_since: Timestamp,
    received: Timestamp,
    why: &mut Explanation,
) -> Result<Decision, Failure> {
    if let Some(reason) = sale::cancelled(invoice, known.own.known, known.family.known) {
        return Ok(Decision::Ignore(reason, Remember::Nothing));
    }
    if let Some(claimed) = claimed(session, invoice, known) {
        return Ok(Decision::Sale(Box::new(claimed)));
    }
    if let Some(used) = used(session, invoice, &known.own).await? {
        return used_number(session, invoice, used, why).await;
    }
    if !invoice.code.is_edit() {
        return Ok(sale(session, Sale::Family, invoice));
    }
    let answered = known.own.answered.filter(|(id, _)| *id == invoice.id);
    let answer = answered.map(|(_, is)| is);
    maybe_edit(
        session,
        invoice,
        &known.family,
        answer,
        (on_since, received),
        why,
    )
    .await
}

/// The sale that an earlier attempt at this very invoice decided on.
fn claimed<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    known: &InvoiceKnown,
) -> Option<Decided> {
    let own = if invoice.code.is_edit() {
        Sale::Own
    } else {
        Sale::Family
    };
    let places = [
        (own, &known.own),
        (Sale::Family, &known.family),
        (Sale::Again, &known.again),
    ];
    places.into_iter().find_map(|(sale, code)| {
        let perhaps = code.perhaps.clone()?;
        // An unreadable one may be this invoice's.
        let ours = match perhaps.invoice_id {
            Some(id) => id == invoice.id,
            None => sale == own,
        };
        ours.then(|| {
            let mut decided = decided(session, sale, invoice);
            if let Some(code) = perhaps.sold.order_code.clone() {
                decided.code = code;
            }
            Decided {
                perhaps: Some(perhaps),
                ..decided
            }
        })
    })
}

fn decided<W: World>(session: &Session<'_, W>, sale: Sale, invoice: &Invoice) -> Decided {
    let retailer = &session.connection.retailer;
    let own_key = match sale {
        Sale::Family | Sale::Own => keys::invoice(retailer, invoice.code.as_str()),
        Sale::Again => keys::invoice_again(retailer, invoice.id),
    };
    Decided {
        code: sale.order_code(&session.codes, &invoice.code, invoice.id),
        key: match sale {
            Sale::Family => keys::invoice(retailer, invoice.code.base()),
            Sale::Own | Sale::Again => own_key.clone(),
        },
        own_key,
        perhaps: None,
        original: None,
        known_original: None,
    }
}

fn sale<W: World>(session: &Session<'_, W>, sale: Sale, invoice: &Invoice) -> Decision {
    Decision::Sale(Box::new(decided(session, sale, invoice)))
}

/// The order of another invoice with the same code, including one that another attempt may just
/// have made.
async fn used<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    own: &CodeKnown,
) -> Result<Option<Used>, Failure> {
    let derived = || OrderCode::for_sale(&session.codes, invoice.code.as_str());
    if let Some(KnownInvoice::Ordered {
        invoice_id,
        day,
        total,
    }) = own.known
        && invoice_id != invoice.id
    {
        let code = own.order_code.clone().unwrap_or_else(derived);
        return Ok(Some(Used { code, day, total }));
    }
    let Some(tried) = &own.perhaps else {
        return Ok(None);
    };
    let code = tried.sold.order_code.clone().unwrap_or_else(derived);
    let (day, total) = (tried.sold.day, tried.sold.total);
    if session.getfly().order_by_code(&code).await?.is_some() {
        return Ok(Some(Used { code, day, total }));
    }
    if let Some(settled) = ledger::unsettled_until(tried.since, session.world.now()) {
        return Err(Failure::Later(settled));
    }
    let numbered = memory::order_by_text(session, &code, tried.since).await?;
    Ok(numbered.map(|code| Used { code, day, total }))
}

/// Whether the invoice is the sale that was ordered under its code, or another one.
async fn used_number<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    mut used: Used,
    why: &mut Explanation,
) -> Result<Decision, Failure> {
    if used.day.is_none() || used.total.is_none() {
        let order = session.getfly().order_by_code(&used.code).await?;
        used = told_by_getfly(used, order, invoice)?;
    }
    if sale::is_another(invoice, used.day, used.total) {
        let decided = decided(session, Sale::Again, invoice);
        why.note(Note::CodeReused {
            invoice: invoice.code.clone(),
            order: decided.code.clone(),
        });
        return Ok(Decision::Sale(Box::new(decided)));
    }
    let entry = InvoiceEntry::Ordered {
        invoice_id: invoice.id,
        sold: Sold {
            order_code: Some(used.code),
            day: used.day,
            total: used.total,
        },
    };
    let remember = Remember::Invoice {
        code: invoice.code.clone(),
        key: keys::invoice_again(&session.connection.retailer, invoice.id),
        entry,
    };
    Ok(Decision::Ignore(Reason::AlreadySynced, remember))
}

/// If the store may not know all: the code of the order of this sale that Getfly already has. If
/// Getfly has another sale's order under its code, the sale gets a code of its own.
pub(super) async fn order_in_getfly<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    sale: &mut Decided,
    why: &mut Explanation,
) -> Result<Option<OrderCode>, Failure> {
    let original = sale
        .original
        .as_ref()
        .and_then(|original| original.created_at);
    let created = original.or(invoice.created_at);
    if !life::is_in_doubt(session.world, created).await? {
        return Ok(None);
    }
    let found = memory::order_in_doubt(session, &sale.code, invoice.created_at).await?;
    let Some((code, order)) = found else {
        return Ok(None);
    };
    if sale.original.is_some() {
        return Ok(Some(code));
    }
    let used = Used {
        code: sale.code.clone(),
        day: None,
        total: None,
    };
    let used = told_by_getfly(used, Some(order), invoice)?;
    // People may have changed one of the two in Getfly since.
    let day = used.day.zip(invoice.purchase_date);
    let other_day = day.is_some_and(|(one, other)| one != other);
    let other_total = used.total.is_some_and(|total| total != invoice.total);
    if !(other_day && other_total) {
        return Ok(Some(code));
    }
    *sale = decided(session, Sale::Again, invoice);
    why.note(Note::CodeReused {
        invoice: invoice.code.clone(),
        order: sale.code.clone(),
    });
    let again = memory::order_in_doubt(session, &sale.code, invoice.created_at).await?;
    Ok(again.map(|(code, _)| code))
}

/// Facts about an order that an earlier version's ledger lacks, read from Getfly.
fn told_by_getfly(
    used: Used,
    order: Option<StoredOrder>,
    invoice: &Invoice,
) -> Result<Used, Failure> {
    let told = |total: Money| -> Option<Money> {
        let off = total.checked_sub(invoice.total).ok()?.abs();
        let same = off <= Money::dong(ROUNDING).ok()?;
        Some(if same { invoice.total } else { total })
    };
    let (day, total) = order.map_or((None, None), |order| (order.date, order.total));
    Ok(Used {
        day: used.day.or(day),
        total: used.total.or(total.and_then(told)),
        ..used
    })
}

/// What an invoice is whose code ends in `.NN`: a person's answer, or what KiotViet and the ledger
/// show.
async fn maybe_edit<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    family: &CodeKnown,
    answer: Option<EditOrSale>,
    (on_since, received): (Timestamp, Timestamp),
    why: &mut Explanation,
) -> Result<Decision, Failure> {
    let base = invoice.code.base();
    let original = session
        .kiotviet(async |k| k.invoice_by_code(base).await)
        .await?;
    if original.is_some() {
        session.world.saw(Assumption::FoundByCode, true);
    }
    let in_ledger = if family.known.is_some() || family.perhaps.is_some() {
        let gone = original.is_none();
        Original::Known(day_of(session, base, family, gone).await?)
    } else {
        Original::Unknown
    };
    let until = received.saturating_add(CANCELS_WITHIN);
    let waited = session.world.now() >= until;
    let on_day = on_since.to_wall(SHOP_HOURS_AHEAD).map(|wall| wall.date());
    let mut is = match answer {
        Some(EditOrSale::Edit) => MaybeEdit::Edit,
        Some(EditOrSale::Sale) => MaybeEdit::Own,
        None => sale::maybe_edit(invoice, original.as_ref(), in_ledger, waited, on_day),
    };
    if mutant!(EditCreates) {
        is = MaybeEdit::Own;
    }
    let own = decided(session, Sale::Own, invoice);
    let ordered = matches!(family.known, Some(KnownInvoice::Ordered { .. }));
    Ok(match is {
        MaybeEdit::Wait => return Err(Failure::Later(until)),
        MaybeEdit::Ask => return Err(edit_or_sale(invoice)),
        MaybeEdit::OldSale => Decision::Ignore(
            Reason::CreatedBeforeConnection,
            Remember::Invoice {
                code: invoice.code.clone(),
                key: own.own_key,
                entry: InvoiceEntry::Old {
                    invoice_id: invoice.id,
                    edited: false,
                    day: invoice.purchase_date,
                },
            },
        ),
        MaybeEdit::Own => {
            let base = base.to_owned();
            match (answer, &original) {
                (Some(_), _) => {}
                (None, Some(_)) => why.evidence.push(Evidence::OriginalStands { base }),
                (None, None) => why.evidence.push(Evidence::NoOriginal { base }),
            }
            Decision::Sale(Box::new(own))
        }
        MaybeEdit::Edit if ordered => {
            changed_after(session, invoice, family);
            Decision::Ignore(
                Reason::InvoiceEdited,
                Remember::Invoice {
                    code: invoice.code.clone(),
                    key: own.own_key,
                    entry: InvoiceEntry::Edit {
                        invoice_id: invoice.id,
                    },
                },
            )
        }
        MaybeEdit::Edit => Decision::Sale(Box::new(Decided {
            perhaps: family.perhaps.clone(),
            original,
            known_original: family.known,
            ..decided(session, Sale::Family, invoice)
        })),
    })
}

/// R6: notes that `invoice` is an edit of a sale whose order is made with another total.
fn changed_after<W: World>(session: &Session<'_, W>, invoice: &Invoice, family: &CodeKnown) {
    let derived = || OrderCode::for_sale(&session.codes, invoice.code.base());
    let pushed = match family.known {
        Some(KnownInvoice::Ordered { total, .. }) => total,
        _ => None,
    };
    session.changed.replace(Some(Changed {
        since: invoice.created_at,
        day: invoice.purchase_date,
        change: Change {
            order_code: family.order_code.clone().unwrap_or_else(derived),
            invoice_code: invoice.code.clone(),
            pushed,
            now: Some(invoice.total),
        },
    }));
}

/// The day of sale of an original that the ledger knows. If an earlier version's ledger lacks it
/// and it is needed, Getfly's order has it.
async fn day_of<W: World>(
    session: &Session<'_, W>,
    base: &str,
    family: &CodeKnown,
    gone: bool,
) -> Result<Option<Date>, Failure> {
    if family.day.is_some() || !gone {
        return Ok(family.day);
    }
    let derived = || OrderCode::for_sale(&session.codes, base);
    let code = family.order_code.clone().unwrap_or_else(derived);
    let order = session.getfly().order_by_code(&code).await?;
    Ok(order.and_then(|order| order.date))
}

fn edit_or_sale(invoice: &Invoice) -> Failure {
    Failure::dead(
        DeadReason::EditOrSale,
        Trouble::EditOrSale {
            code: invoice.code.clone(),
            base: invoice.code.base().to_owned(),
        },
    )
}
