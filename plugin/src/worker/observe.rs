//! What an event shows about the assumptions, from its end or its record.

use crate::{
    assumption::Assumption,
    getfly::refusal::Detail,
    journal::{
        dead_reason::DeadReason, evidence::Evidence, kind::Kind, note::Note, record::Record,
    },
    rules::{
        model::{Invoice, InvoiceLine},
        remark::Remark,
        verdict::{Outcome, Reason},
    },
    time::Timestamp,
    world::{Clock, Http},
};
use core::time::Duration;

/// A delivery is expected within this time after the change.
const SOON: Duration = Duration::from_secs(600);
/// A delivery that is this late, give or take [`SOON`], shows that the record's times have another
/// zone.
const ZONE: Duration = Duration::from_hours(7);

/// What the end of `record` shows.
pub fn ended(http: &impl Http, record: &mut Record) {
    let saw = |assumption, holds| http.saw(assumption, holds);
    let made = matches!(
        record.status.outcome(),
        Some(Outcome::Created | Outcome::Linked)
    );
    // Any sender could have caused an event that led to nothing.
    if let Some((signed, cased)) = record.as_assumed.take()
        && made
    {
        let [signature, casing] = match record.kind {
            Kind::Customer => [Assumption::CustomerSignature, Assumption::CustomerCasing],
            Kind::Invoice | Kind::Other => {
                [Assumption::InvoiceSignature, Assumption::InvoiceCasing]
            }
        };
        signed.into_iter().for_each(|holds| saw(signature, holds));
        cased.into_iter().for_each(|holds| saw(casing, holds));
    }
    let reason = record.status.done();
    if made || reason == Some(Reason::CreatedBeforeConnection) {
        saw(Assumption::CreatedDate, true);
    }
    match record.status.dead() {
        Some(DeadReason::CreationDateMissing) => saw(Assumption::CreatedDate, false),
        Some(DeadReason::EditOrSale) => saw(Assumption::EditCode, false),
        Some(DeadReason::GetflyRefused) if by_name(record) => saw(Assumption::LineByName, false),
        _ => {}
    }
    if reason == Some(Reason::InvoiceEdited) {
        saw(Assumption::EditCode, true);
    }
    if made && record.evidence.iter().any(is_own_sale) {
        saw(Assumption::EditCode, false);
    }
    details(http, record, made);
}

/// Whether a code that ends in `.NN` was a sale of its own.
fn is_own_sale(evidence: &Evidence) -> bool {
    matches!(
        evidence,
        Evidence::NoOriginal { .. } | Evidence::OriginalStands { .. }
    )
}

fn by_name(record: &Record) -> bool {
    let by_name = |note: &Note| matches!(note, Note::ProductByName { .. });
    record.notes.iter().any(by_name)
}

/// What the event's remarks show, or their absence.
fn details(http: &impl Http, record: &Record, made: bool) {
    let mut against = Vec::new();
    for note in &record.notes {
        let (assumption, holds) = match note {
            Note::Rules(Remark::Difference { .. }) => (Assumption::InvoiceTotal, false),
            Note::Rules(Remark::MaskedPhone) => (Assumption::PhonesWhole, false),
            Note::CreatedWithout {
                detail: Detail::Gender,
                ..
            } => (Assumption::Gender, false),
            Note::CreatedWithout { .. } => (Assumption::Details, false),
            Note::ProductByName { .. } | Note::ProductUnder { .. } => (Assumption::Products, false),
            Note::ProductDeleted { .. } => (Assumption::DeletedMark, true),
            Note::AccountGone { .. } => (Assumption::UnknownAccount, true),
            Note::CodeUsed { .. } => (Assumption::AccountCodeUnique, true),
            _ => continue,
        };
        if !against.contains(&assumption) {
            http.saw(assumption, holds);
            against.push(assumption);
        }
    }
    let reason = record.status.done();
    let shown = match (record.kind, reason) {
        (Kind::Invoice, Some(Reason::OrderCreated)) => {
            [Assumption::InvoiceTotal, Assumption::Products]
        }
        (Kind::Customer, Some(Reason::CustomerCreated)) => {
            [Assumption::PhonesWhole, Assumption::Details]
        }
        _ => return,
    };
    for assumption in shown {
        if !against.contains(&assumption) {
            http.saw(assumption, true);
        }
    }
    if made && by_name(record) {
        http.saw(Assumption::LineByName, true);
    }
}

/// How long after the change at `modified` the delivery of `record` came.
pub fn delivered<W: Http + Clock>(world: &W, record: &Record, modified: Option<Timestamp>) {
    let (Some(modified), Some(_), 0) = (modified, record.as_assumed, record.attempts) else {
        return;
    };
    let late = record.received_at.saturating_since(modified);
    let ahead = modified.saturating_since(world.now());
    let other_zone = late > ZONE.saturating_sub(SOON) && late < ZONE.saturating_add(SOON);
    if other_zone || ahead > SOON {
        world.saw(Assumption::KiotVietTimes, false);
    } else {
        world.saw(Assumption::DeliveredSoon, late <= SOON);
    }
}

/// What the lines of an invoice show.
pub fn lines(http: &impl Http, invoice: &Invoice) {
    if let Some(holds) = invoice.lines.iter().find_map(is_per_unit) {
        http.saw(Assumption::LineDiscount, holds);
    }
}

/// Whether the line's total applies its discount to each unit; none if that makes no difference.
fn is_per_unit(line: &InvoiceLine) -> Option<bool> {
    let total = line.sub_total?;
    let whole = line.price.checked_mul(line.quantity).ok()?;
    let per_unit = line.discount.checked_mul(line.quantity).ok()?;
    let (by_unit, by_line) = (
        whole.checked_sub(per_unit).ok()?,
        whole.checked_sub(line.discount).ok()?,
    );
    (by_unit != by_line).then_some(())?;
    (total == by_unit || total == by_line).then_some(total == by_unit)
}
