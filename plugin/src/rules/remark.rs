//! Remarks of the rules about an account or an order, for people.

use super::money::Money;
use core::fmt;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Which amount of the whole order takes the remainder of rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remainder {
    /// The discount.
    Discount,
    /// The tax.
    Tax,
    /// The other surcharges.
    Surcharge,
}

/// One remark. `Display` is the English sentence of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// R7: the phone field holds a masked number.
    MaskedPhone,
    /// R7: the e-mail field holds a masked address.
    MaskedEmail,
    /// An optional member of KiotViet's record cannot be read.
    Unreadable {
        /// KiotViet's name of it.
        member: Cow<'static, str>,
    },
    /// R3: KiotViet charges more for a line than price × quantity.
    PriceRaised {
        /// The line's product.
        product_code: String,
        /// The unit price of the order.
        #[serde(with = "amount")]
        price: Money,
        /// The unit price at KiotViet.
        #[serde(with = "amount")]
        unit: Money,
    },
    /// R3: no price for its quantity makes this line's total.
    LineTotalUnclear {
        /// The line's product.
        product_code: String,
        /// The line's total at KiotViet.
        #[serde(with = "amount")]
        total: Money,
        /// The quantity, without zeros at its end.
        #[serde(with = "amount")]
        quantity: Decimal,
    },
    /// R3: the remainder of rounding went into one amount of the whole order.
    Rounded {
        /// KiotViet's total.
        #[serde(with = "amount")]
        total: Money,
        /// The order's sum before that.
        #[serde(with = "amount")]
        before: Money,
        /// KiotViet's total minus that sum.
        #[serde(with = "amount")]
        rest: Money,
        /// The amount that took it.
        into: Remainder,
    },
    /// R3: the order adds up to another sum than KiotViet's total.
    Difference {
        /// KiotViet's total.
        #[serde(with = "amount")]
        total: Money,
        /// The order's sum.
        #[serde(with = "amount")]
        computed: Money,
        /// KiotViet's total minus that sum.
        #[serde(with = "amount")]
        difference: Money,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaskedPhone => f.write_str("R7: a masked phone number was left out"),
            Self::MaskedEmail => f.write_str("R7: a masked e-mail address was left out"),
            Self::Unreadable { member } => {
                write!(f, "KiotViet's {member} cannot be read and was left out")
            }
            Self::PriceRaised {
                product_code,
                price,
                unit,
            } => write!(
                f,
                "Line {product_code}: KiotViet charges more than price × quantity, so the unit price is {price} \
                 instead of {unit}."
            ),
            Self::LineTotalUnclear {
                product_code,
                total,
                quantity,
            } => write!(
                f,
                "Line {product_code}: KiotViet's line total {total} cannot be told for quantity {quantity}."
            ),
            Self::Rounded {
                total,
                before,
                rest,
                into,
            } => {
                let into = match into {
                    Remainder::Discount => "discount",
                    Remainder::Tax => "tax",
                    Remainder::Surcharge => "surcharge",
                };
                write!(
                    f,
                    "Rounding: KiotViet's total is {total}, this order added up to {before}; {rest} went into the \
                     order's {into}."
                )
            }
            Self::Difference {
                total,
                computed,
                difference,
            } => write!(
                f,
                "KiotViet's total is {total}, this order adds up to {computed}: a difference of {difference}."
            ),
        }
    }
}

/// Amounts as texts: a number in the store must not pass through binary floating point.
mod amount {
    use crate::rules::money::Money;
    use core::fmt;
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// An amount that is stored so.
    pub(super) trait Amount: Sized + fmt::Display {
        fn of(decimal: Decimal) -> Option<Self>;
    }

    impl Amount for Decimal {
        fn of(decimal: Decimal) -> Option<Self> {
            Some(decimal)
        }
    }

    impl Amount for Money {
        fn of(decimal: Decimal) -> Option<Self> {
            Self::new(decimal).ok()
        }
    }

    pub(super) fn serialize<A: Amount, S: Serializer>(
        amount: &A,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub(super) fn deserialize<'de, A: Amount, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<A, D::Error> {
        let text = String::deserialize(deserializer)?;
        let decimal: Option<Decimal> = text.parse().ok();
        decimal
            .and_then(A::of)
            .ok_or_else(|| D::Error::custom("not an amount"))
    }
}
