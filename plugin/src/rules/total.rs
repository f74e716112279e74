//! R3: an invoice's lines, discount, surcharges and tax as Getfly adds them up, in the
//! interpretation that comes nearest to KiotViet's total. KiotViet rounds each amount by itself.
//! The few đồng that this leaves over go into one amount of the whole order, so that the totals are
//! equal.

#[cfg(test)]
mod tests;

use super::{
    model::{Invoice, InvoiceLine, OrderLine, Surcharge},
    money::{AbsurdAmount, Money},
    remark::{Remainder, Remark},
    text::fold,
};
use rust_decimal::{Decimal, RoundingStrategy};

/// The most fraction digits of a unit price that is raised.
const PRICE_DIGITS: u32 = 2;

/// The most that rounding can leave over, in đồng, however many amounts there are.
const REST_AT_MOST: usize = 10;

/// `pricingMode` of a shop whose prices include tax.
const AFTER_TAX: i64 = 1;

/// The order's amounts and the remarks about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Lines; none has a negative discount.
    pub lines: Vec<OrderLine>,
    /// Discount on the whole order.
    pub discount: Money,
    /// Tax on top.
    pub vat: Money,
    /// Shipping surcharges.
    pub transport: Money,
    /// Any other surcharge.
    pub installation: Money,
    /// The exact sum of these.
    pub computed: Money,
    /// KiotViet's total minus `computed`, if they differ by more than rounding.
    pub difference: Option<Money>,
    /// For people.
    pub notes: Vec<Remark>,
}

/// Where an invoice's tax is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// On top of lines, discount and surcharges.
    OnTop,
    /// Included in the prices.
    Inside,
    /// Included, and prices and discounts are the ones that KiotViet sends with their tax.
    WithTax,
}

/// R3: adds `invoice` up. Refuses amounts that cannot be calculated with.
pub fn nearest(invoice: &Invoice) -> Result<Sum, AbsurdAmount> {
    let rounding = most_rounding(invoice)?;
    let mut best: Option<(_, Sum)> = None;
    for reading in readings(invoice) {
        let sum = add_up(invoice, reading)?;
        let off = invoice.total.checked_sub(sum.computed)?.abs();
        // The unit prices that KiotViet calls so come before those with tax.
        let with_tax = reading == Reading::WithTax;
        let rank = (off > rounding, sum.notes.len(), with_tax, off);
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            best = Some((rank, sum));
        }
    }
    let (_, sum) = best.ok_or(AbsurdAmount)?;
    settle(invoice.total, rounding, sum)
}

/// The interpretations that are tried; of two that are equally near, the first one wins.
fn readings(invoice: &Invoice) -> impl Iterator<Item = Reading> {
    let after_tax = |line: &InvoiceLine| line.price_after_tax.is_some();
    let with_tax = invoice.discount_after_tax.is_some() || invoice.lines.iter().any(after_tax);
    let order = match invoice.pricing_mode {
        None => [Reading::Inside, Reading::OnTop, Reading::WithTax],
        Some(AFTER_TAX) => [Reading::OnTop, Reading::WithTax, Reading::Inside],
        Some(_) => [Reading::OnTop, Reading::Inside, Reading::WithTax],
    };
    order
        .into_iter()
        .filter(move |reading| with_tax || *reading != Reading::WithTax)
}

fn add_up(invoice: &Invoice, reading: Reading) -> Result<Sum, AbsurdAmount> {
    let mut notes = Vec::new();
    let mut total = Money::ZERO;
    let mut lines = Vec::with_capacity(invoice.lines.len());
    for line in &invoice.lines {
        let line = order_line(line, reading, &mut notes)?;
        total = total.checked_add(line_total(&line)?)?;
        lines.push(line);
    }
    let discount = match invoice.discount_after_tax {
        Some(discount) if reading == Reading::WithTax => discount,
        _ => invoice_discount(invoice, total)?,
    };
    let (transport, installation) = surcharges(&invoice.surcharges)?;
    let vat = match reading {
        Reading::OnTop => invoice.total_tax.unwrap_or_default(),
        Reading::Inside | Reading::WithTax => Money::ZERO,
    };
    let computed = total
        .checked_sub(discount)?
        .checked_add(transport)?
        .checked_add(installation)?
        .checked_add(vat)?;
    Ok(Sum {
        lines,
        discount,
        vat,
        transport,
        installation,
        computed,
        difference: None,
        notes,
    })
}

/// Puts the remainder of rounding into an amount of the whole order; a larger difference stays one.
fn settle(total: Money, rounding: Money, mut sum: Sum) -> Result<Sum, AbsurdAmount> {
    let before = sum.computed;
    let rest = total.checked_sub(before)?;
    if rest.is_zero() {
        return Ok(sum);
    }
    if rest.abs() > rounding {
        sum.difference = Some(rest);
        return Ok(sum);
    }
    let (amount, into) = if rest.is_negative() {
        (&mut sum.discount, Remainder::Discount)
    } else if sum.vat > Money::ZERO {
        (&mut sum.vat, Remainder::Tax)
    } else {
        (&mut sum.installation, Remainder::Surcharge)
    };
    *amount = amount.checked_add(rest.abs())?;
    sum.computed = total;
    sum.notes.push(Remark::Rounded {
        total,
        before,
        rest,
        into,
    });
    Ok(sum)
}

/// One đồng for each amount that KiotViet rounded by itself: line totals and each line's tax, the
/// discount, surcharges, and the tax.
fn most_rounding(invoice: &Invoice) -> Result<Money, AbsurdAmount> {
    let given = |amount: Option<Money>| usize::from(amount.is_some_and(|a| !a.is_zero()));
    let taxed = given(invoice.total_tax);
    let of_lines = invoice.lines.len().saturating_mul(taxed.saturating_add(1));
    let ratio = invoice.discount.is_none() && invoice.discount_ratio.is_some();
    let surcharges = invoice.surcharges.iter().filter(|s| is_due(s)).count();
    let amounts = of_lines
        .saturating_add(surcharges)
        .saturating_add(given(invoice.discount).max(usize::from(ratio)))
        .saturating_add(taxed);
    Money::new(Decimal::from(amounts.min(REST_AT_MOST)))
}

/// The total that Getfly will compute for a line.
fn line_total(line: &OrderLine) -> Result<Money, AbsurdAmount> {
    line.price
        .checked_mul(line.quantity)?
        .checked_sub(line.cash_discount)
}

/// R3: a line that adds up to KiotViet's line total, with a discount that is not negative. If
/// KiotViet charges more than price × quantity, the unit price is raised, but not for rounding.
fn order_line(
    line: &InvoiceLine,
    reading: Reading,
    notes: &mut Vec<Remark>,
) -> Result<OrderLine, AbsurdAmount> {
    let quantity = line.quantity;
    let with_tax = reading == Reading::WithTax;
    let unit = line.price_after_tax.filter(|_| with_tax);
    let unit = unit.unwrap_or(line.price);
    let off = line.discount_after_tax.filter(|_| with_tax);
    let off = off.unwrap_or(line.discount);
    let total = match line.sub_total {
        Some(total) => total,
        None => unit.checked_sub(off)?.checked_mul(quantity)?,
    };
    let mut price = unit;
    let mut cash_discount = price.checked_mul(quantity)?.checked_sub(total)?;
    if cash_discount.is_negative() {
        let product_code = line.product_code.clone();
        if cash_discount.abs() <= Money::dong(1)? {
            cash_discount = Money::ZERO;
        } else if quantity > Decimal::ZERO {
            (price, cash_discount) = raised(total, quantity)?;
            notes.push(Remark::PriceRaised {
                product_code,
                price,
                unit,
            });
        } else {
            cash_discount = Money::ZERO;
            notes.push(Remark::LineTotalUnclear {
                product_code,
                total,
                quantity: quantity.normalize(),
            });
        }
    }
    Ok(OrderLine {
        product_code: line.product_code.clone(),
        is_deleted: line.is_deleted,
        product_name: line.product_name.clone(),
        quantity,
        price,
        cash_discount,
        note: None,
    })
}

/// The unit price and the discount that make `total` exactly: the quotient if it has at most two
/// fraction digits, else the next whole đồng. `quantity` is above zero.
fn raised(total: Money, quantity: Decimal) -> Result<(Money, Money), AbsurdAmount> {
    let quotient = total.amount().checked_div(quantity).ok_or(AbsurdAmount)?;
    let up = |digits| {
        let price = quotient.round_dp_with_strategy(digits, RoundingStrategy::ToPositiveInfinity);
        let price = Money::new(price)?;
        Ok((price, price.checked_mul(quantity)?.checked_sub(total)?))
    };
    let exact = up(PRICE_DIGITS)?;
    if exact.1.is_zero() { Ok(exact) } else { up(0) }
}

/// The discount on the whole invoice; from its ratio only if KiotViet sends no amount.
fn invoice_discount(invoice: &Invoice, lines: Money) -> Result<Money, AbsurdAmount> {
    match (invoice.discount, invoice.discount_ratio) {
        (Some(discount), _) => Ok(discount),
        (None, None) => Ok(Money::ZERO),
        (None, Some(percent)) => {
            let factor = percent
                .checked_mul(Decimal::new(1, 2))
                .ok_or(AbsurdAmount)?;
            let discount = lines.checked_mul(factor)?.amount();
            Money::new(discount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
        }
    }
}

/// Whether a surcharge is charged: KiotViet adds up only amounts above zero.
fn is_due(surcharge: &Surcharge) -> bool {
    surcharge.amount > Money::ZERO
}

/// The sums of the surcharges for shipping and of all others.
fn surcharges(surcharges: &[Surcharge]) -> Result<(Money, Money), AbsurdAmount> {
    let (mut transport, mut installation) = (Money::ZERO, Money::ZERO);
    for surcharge in surcharges.iter().filter(|s| is_due(s)) {
        let sum = if is_shipping(&surcharge.name) {
            &mut transport
        } else {
            &mut installation
        };
        *sum = sum.checked_add(surcharge.amount)?;
    }
    Ok((transport, installation))
}

/// Whether a surcharge's name means shipping, whatever its case and diacritics.
fn is_shipping(name: &str) -> bool {
    let folded = fold(name);
    let words: Vec<_> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let joined = words.concat();
    ["vanchuyen", "giaohang", "phigiao", "chuyenphat"]
        .iter()
        .any(|term| joined.contains(term))
        || words.iter().any(|word| {
            word.starts_with("ship")
                || matches!(*word, "cuoc" | "delivery" | "freight" | "transport")
        })
}
