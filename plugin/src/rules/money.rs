//! Amounts in đồng and other decimals of the two APIs: exact, bounded, checked. They are read from
//! the text of a JSON number and written as one, never through binary floating point.

use core::fmt;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Number;

/// The largest magnitude: 10^18.
const MAX: i64 = 1_000_000_000_000_000_000;

/// Fraction digits that are read; further ones are rounded away (half up, by magnitude).
const FRACTION_DIGITS: usize = 10;

/// Fraction digits that a result keeps: a unit price of ten times a weight of six.
const RESULT_DIGITS: u32 = 16;

/// Digits before the point in [`MAX`].
const INTEGER_DIGITS: usize = 19;

/// An amount that no shop has: beyond ±10^18. Its record is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount in this record is beyond what can be calculated with (over 10^18)")]
pub struct AbsurdAmount;

/// An amount of money, at most 10^18 either way, with at most 16 fraction digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Whole đồng.
    pub fn dong(amount: i64) -> Result<Self, AbsurdAmount> {
        Self::new(Decimal::from(amount))
    }

    /// Takes a decimal: refuses it beyond 10^18, rounds it to 16 fraction digits.
    pub fn new(amount: Decimal) -> Result<Self, AbsurdAmount> {
        if amount.abs() > Decimal::from(MAX) {
            return Err(AbsurdAmount);
        }
        let amount = amount
            .round_dp_with_strategy(RESULT_DIGITS, RoundingStrategy::MidpointAwayFromZero)
            .normalize();
        Ok(Self(if amount.is_zero() {
            Decimal::ZERO
        } else {
            amount
        }))
    }

    /// Reads a JSON number, in plain or exponent form.
    pub fn parse(number: &Number) -> Result<Self, AbsurdAmount> {
        Self::new(decimal(number)?)
    }

    /// The amount.
    pub fn amount(self) -> Decimal {
        self.0
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The amount without its sign.
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self < Self::ZERO
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Result<Self, AbsurdAmount> {
        self.0
            .checked_add(other.0)
            .ok_or(AbsurdAmount)
            .and_then(Self::new)
    }

    /// The difference.
    pub fn checked_sub(self, other: Self) -> Result<Self, AbsurdAmount> {
        self.0
            .checked_sub(other.0)
            .ok_or(AbsurdAmount)
            .and_then(Self::new)
    }

    /// The product, exact to 16 fraction digits. `factor` counts (kilograms, percent as 0.1).
    pub fn checked_mul(self, factor: Decimal) -> Result<Self, AbsurdAmount> {
        let (amount, factor) = (self.0.normalize(), factor.normalize());
        let product = amount.checked_mul(factor).ok_or(AbsurdAmount)?;
        // Decimal silently drops digits when a product needs more than 28 of them.
        let exact = product.scale() == amount.scale().saturating_add(factor.scale());
        if exact || product.is_zero() {
            Self::new(product)
        } else {
            Err(AbsurdAmount)
        }
    }

    /// The amount as a JSON number: plain decimal, no trailing zeros.
    pub fn to_number(self) -> Number {
        to_number(self.0)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        Self::parse(&number).map_err(|_| de::Error::custom("no amount"))
    }
}

/// Reads a JSON number that is not an amount (a quantity, a percentage), with the same bounds.
pub fn decimal(number: &Number) -> Result<Decimal, AbsurdAmount> {
    parse_text(number.as_str()).ok_or(AbsurdAmount)
}

/// Writes a decimal that is not an amount.
pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    to_number(*value).serialize(serializer)
}

/// A decimal as a JSON number: plain, no trailing zeros.
pub fn to_number(value: Decimal) -> Number {
    let text = if value.is_zero() {
        "0".to_owned()
    } else {
        value.normalize().to_string()
    };
    // A normalised decimal prints `-?digits(.digits)?`, always a JSON number: the fallback to zero
    // never happens.
    text.parse().unwrap_or_else(|_| Number::from(0))
}

/// Reads a decimal in plain or exponent form, with the same bounds; none for anything else.
pub fn parse_text(text: &str) -> Option<Decimal> {
    if mutant!(MoneyAsFloat) {
        return Decimal::from_f64_retain(text.parse().ok()?);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || integer.bytes().chain(fraction.bytes());
    let leading_zeros = digits().take_while(|b| *b == b'0').count();
    let count = integer.len().saturating_add(fraction.len());
    if count == 0 || !digits().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if leading_zeros == count {
        return Some(Decimal::ZERO);
    }
    // Where the point stands, counted from the first digit that is not zero.
    let point = i64::try_from(integer.len())
        .ok()?
        .checked_add(exponent.into())?;
    let point = point.checked_sub(i64::try_from(leading_zeros).ok()?)?;
    let wanted = point.checked_add(i64::try_from(FRACTION_DIGITS).ok()?)?;
    if point > i64::try_from(INTEGER_DIGITS).ok()? {
        return None;
    }
    let Ok(wanted) = usize::try_from(wanted) else {
        return Some(Decimal::ZERO);
    };
    let mut significant = digits()
        .skip(leading_zeros)
        .map(|b| i128::from(b.saturating_sub(b'0')));
    let mut value: i128 = 0;
    for _ in 0..wanted {
        value = value
            .checked_mul(10)?
            .checked_add(significant.next().unwrap_or(0))?;
    }
    if significant.next().is_some_and(|next| next >= 5) {
        value = value.checked_add(1)?;
    }
    let value = if negative {
        value.checked_neg()?
    } else {
        value
    };
    let scale = u32::try_from(FRACTION_DIGITS).ok()?;
    let value = Decimal::try_from_i128_with_scale(value, scale)
        .ok()?
        .normalize();
    (value.abs() <= Decimal::from(MAX)).then_some(value)
}

impl fmt::Display for Money {
    /// For people: `5100000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, AbsurdAmount> {
        let number: Number = serde_json::from_str(text).unwrap();
        Money::parse(&number).map(|money| money.to_string())
    }

    #[test]
    fn r3_numbers_are_read_exactly() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("0e99999", "0"),
            ("5100000", "5100000"),
            ("149000.0", "149000"),
            ("0.1", "0.1"),
            ("-12.50", "-12.5"),
            ("1.5e6", "1500000"),
            ("1E+3", "1000"),
            ("25e-1", "2.5"),
            ("9007199254740993", "9007199254740993"),
            ("0.30000000000000004", "0.3"),
            ("33333.333333333336", "33333.3333333333"),
            ("0.00000000005", "0.0000000001"),
            ("0.00000000004", "0"),
            ("1e-400", "0"),
            ("1000000000000000000", "1000000000000000000"),
            ("1e18", "1000000000000000000"),
        ] {
            assert_eq!(read(text), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn r3_absurd_amounts_are_refused() {
        for text in [
            "1000000000000000000.1",
            "-1000000000000000001",
            "1e19",
            "1e400",
            "1e99999999999",
            "99999999999999999999999999999999999",
        ] {
            assert_eq!(read(text), Err(AbsurdAmount), "{text}");
        }
    }

    #[test]
    fn r3_results_are_bounded_and_never_lose_digits_silently() {
        let max = Money::dong(1_000_000_000_000_000_000).unwrap();
        assert_eq!(max.checked_add(Money::dong(1).unwrap()), Err(AbsurdAmount));
        assert_eq!(max.checked_mul(Decimal::TWO), Err(AbsurdAmount));
        let long = Money::new(Decimal::new(1_234_567_890_123_456_789, 10)).unwrap();
        assert_eq!(
            long.checked_mul(Decimal::new(1_234_567_890_123_456_789, 18)),
            Err(AbsurdAmount)
        );
        let price = Money::dong(137_000).unwrap();
        assert_eq!(
            price
                .checked_mul(Decimal::new(1250, 3))
                .unwrap()
                .to_string(),
            "171250"
        );
        assert_eq!(
            Money::ZERO.checked_mul(Decimal::new(-15, 1)),
            Ok(Money::ZERO)
        );
    }

    #[test]
    fn r3_money_is_a_json_number() {
        let money = Money::new(Decimal::new(510_000_050, 2)).unwrap();
        assert_eq!(
            serde_json::to_value(money).unwrap().to_string(),
            "5100000.5"
        );
        assert_eq!(Money::parse(&"5100000.50".parse().unwrap()), Ok(money));
        assert_eq!(Money::default().to_number().as_str(), "0");
    }

    proptest! {
        #[test]
        fn r3_round_trip_is_exact(value in -10_000_000_000_000_000i64..10_000_000_000_000_000, scale in 0u32..=10) {
            let money = Money::new(Decimal::new(value, scale)).unwrap();
            let text = money.to_number().as_str().to_owned();
            prop_assert!(!text.contains(['e', 'E']));
            prop_assert_eq!(read(&text).unwrap(), money.to_string());
            prop_assert_eq!(Money::parse(&money.to_number()), Ok(money));
        }

        #[test]
        fn r3_any_number_text_is_an_amount_or_an_error(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,12})?") {
            if let Ok(shown) = read(&text) {
                prop_assert_eq!(read(&shown), Ok(shown));
            }
        }
    }
}
