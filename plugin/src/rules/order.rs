//! The Getfly order that a KiotViet invoice becomes (R3, R5, R11). A difference between its sum and
//! KiotViet's total is never silent. Pure: `newness` decides whether an order is due.

#[cfg(test)]
mod tests;

use super::{
    codes::OrderCode,
    model::{GetflyUser, Invoice, NewOrder, OrderAccount, OrderLine},
    money::{AbsurdAmount, Money},
    remark::Remark,
    settings::RuleSettings,
    text::{filled, fold, undeleted},
    total::{self, Sum},
};

/// R5: the name on an order without a customer.
const WALK_IN: &str = "Khách lẻ";

/// An order and the remarks about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOrder {
    /// The order, whole, for one create call.
    pub order: NewOrder,
    /// KiotViet's total minus the sum that Getfly will compute, if they differ by more than
    /// rounding.
    pub difference: Option<Money>,
    /// For people.
    pub notes: Vec<Remark>,
}

/// R5: the customer block of an order without a customer. It is attached to the operator's walk-in
/// account, if there is one.
pub fn walk_in_account(settings: &RuleSettings) -> OrderAccount {
    OrderAccount {
        code: settings.walk_in_account_code.clone(),
        name: Some(WALK_IN.to_owned()),
        ..OrderAccount::default()
    }
}

/// Whether a line may keep its own code although KiotViet has deleted the product since: only if
/// Getfly's product of that code has the same name. Getfly may use the code for another product.
pub fn keeps_code(line: &OrderLine, name_in_getfly: &str) -> bool {
    let words = |name: &str| {
        let name = fold(undeleted(name).0);
        name.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    !line.is_deleted || words(&line.product_name) == words(name_in_getfly)
}

/// R3: the order that `invoice` becomes under `code`. Refuses amounts that cannot be calculated with.
pub fn new_order(
    code: OrderCode,
    invoice: &Invoice,
    account: OrderAccount,
    executor: Option<&GetflyUser>,
    settings: &RuleSettings,
) -> Result<PlannedOrder, AbsurdAmount> {
    let Sum {
        lines,
        discount,
        vat,
        transport,
        installation,
        computed,
        difference,
        mut notes,
    } = total::nearest(invoice)?;
    let mut terms = Vec::new();
    if let Some(difference) = difference {
        let total = invoice.total;
        terms.push(format!(
            "KiotViet: tổng {total}, tính lại {computed}, chênh lệch {difference}"
        ));
        notes.push(Remark::Difference {
            total,
            computed,
            difference,
        });
    }
    let order = NewOrder {
        code,
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
