//! The Getfly order that a KiotViet invoice becomes (R3, R5, R11), with the sum that Getfly will
//! compute checked against KiotViet's total. A difference is never silent. Pure: whether an order is
//! due is decided in `newness`.

#[cfg(test)]
mod tests;

use super::{
    codes::{OrderCode, RetailerId},
    model::{GetflyUser, Invoice, InvoiceLine, NewOrder, OrderAccount, OrderLine, Surcharge},
    money::{AbsurdAmount, Money},
    settings::RuleSettings,
    text::{filled, fold},
};
use rust_decimal::{Decimal, RoundingStrategy};

/// R5: the name on an order without a customer.
const WALK_IN: &str = "Khách lẻ";

/// Most fraction digits of a unit price that is raised.
const PRICE_DIGITS: u32 = 2;

/// An order and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOrder {
    /// The order, whole, for one create call.
    pub order: NewOrder,
    /// KiotViet's total minus the sum that Getfly will compute, when they differ.
    pub difference: Option<Money>,
    /// English sentences for the audit record.
    pub notes: Vec<String>,
}

/// R5: the customer block of an order without a customer; attached to the operator's account for
/// those, if there is one.
pub fn walk_in_account(settings: &RuleSettings) -> OrderAccount {
    OrderAccount {
        code: settings.walk_in_account_code.clone(),
        name: WALK_IN.to_owned(),
        ..OrderAccount::default()
    }
}

/// R3: the order that `invoice` becomes. Refuses amounts that cannot be calculated with.
pub fn new_order(
    retailer: &RetailerId,
    invoice: &Invoice,
    account: OrderAccount,
    executor: Option<&GetflyUser>,
    settings: &RuleSettings,
) -> Result<PlannedOrder, AbsurdAmount> {
    let mut notes = Vec::new();
    let mut sum = Money::ZERO;
    let mut lines = Vec::with_capacity(invoice.lines.len());
    for line in &invoice.lines {
        let line = order_line(line, &mut notes)?;
        sum = sum.checked_add(line_total(&line)?)?;
        lines.push(line);
    }
    let discount = invoice_discount(invoice, sum)?;
    let (transport, installation) = surcharges(&invoice.surcharges)?;
    let before_tax = sum
        .checked_sub(discount)?
        .checked_add(transport)?
        .checked_add(installation)?;
    let vat = tax(invoice, before_tax)?;
    let computed = before_tax.checked_add(vat)?;
    let difference = invoice.total.checked_sub(computed)?;
    let difference = Some(difference).filter(|difference| !difference.is_zero());
    let mut terms = Vec::new();
    if let Some(difference) = difference {
        let total = invoice.total;
        terms.push(format!(
            "KiotViet: tổng {total}, tính lại {computed}, chênh lệch {difference}"
        ));
        notes.push(format!(
            "KiotViet's total is {total}, this order adds up to {computed}: a difference of {difference}."
        ));
    }
    let order = NewOrder {
        code: OrderCode::for_invoice(retailer, &invoice.code),
        date: invoice.purchase_date,
        account,
        executor: executor.and_then(|user| filled(&user.user_name)),
        lines,
        discount,
        vat,
        transport,
        installation,
        campaign_code: settings.order_campaign_code.as_deref().and_then(filled),
        terms,
    };
    Ok(PlannedOrder {
        order,
        difference,
        notes,
    })
}

/// What Getfly will compute for a line.
fn line_total(line: &OrderLine) -> Result<Money, AbsurdAmount> {
    line.price
        .checked_mul(line.quantity)?
        .checked_sub(line.cash_discount)
}

/// R3: a line that adds up to KiotViet's line total, with money off that is not negative: where
/// KiotViet charges more than price × quantity, the unit price is raised.
fn order_line(line: &InvoiceLine, notes: &mut Vec<String>) -> Result<OrderLine, AbsurdAmount> {
    let quantity = line.quantity;
    let total = match line.sub_total {
        Some(total) => total,
        None => line
            .price
            .checked_sub(line.discount)?
            .checked_mul(quantity)?,
    };
    let mut price = line.price;
    let mut cash_discount = price.checked_mul(quantity)?.checked_sub(total)?;
    if cash_discount.is_negative() {
        let code = &line.product_code;
        if quantity > Decimal::ZERO {
            (price, cash_discount) = raised(total, quantity)?;
            notes.push(format!(
                "Line {code}: KiotViet charges more than price × quantity, so the unit price is {price} \
                 instead of {}.",
                line.price
            ));
        } else {
            cash_discount = Money::ZERO;
            notes.push(format!(
                "Line {code}: KiotViet's line total {total} cannot be told for quantity {}.",
                quantity.normalize()
            ));
        }
    }
    Ok(OrderLine {
        product_code: line.product_code.clone(),
        product_name: line.product_name.clone(),
        quantity,
        price,
        cash_discount,
        note: None,
    })
}

/// The unit price and the money off that make `total` exactly: the quotient where it has at most two
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

/// The whole invoice's discount; from its ratio only where KiotViet gives no amount.
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

/// Surcharges for shipping, and all others.
fn surcharges(surcharges: &[Surcharge]) -> Result<(Money, Money), AbsurdAmount> {
    let (mut transport, mut installation) = (Money::ZERO, Money::ZERO);
    for surcharge in surcharges {
        let sum = if is_shipping(&surcharge.name) {
            &mut transport
        } else {
            &mut installation
        };
        *sum = sum.checked_add(surcharge.amount)?;
    }
    Ok((transport, installation))
}

/// Whether a surcharge's name speaks of shipping, whatever its case and diacritics.
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

/// The tax goes on top only where that makes the sum KiotViet's total; else it is in the prices, or
/// the difference is told.
fn tax(invoice: &Invoice, before_tax: Money) -> Result<Money, AbsurdAmount> {
    let tax = invoice.total_tax.unwrap_or_default();
    let on_top = before_tax.checked_add(tax)? == invoice.total;
    Ok(if on_top { tax } else { Money::ZERO })
}
