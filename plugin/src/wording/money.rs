//! Amounts as people in Vietnam write them.

use crate::rules::money::Money;

/// An amount as `600.000 đ`, with a comma before a fraction.
pub fn shown(amount: Money) -> String {
    let text = amount.abs().amount().normalize().to_string();
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, format!(",{fraction}")),
        None => (text.as_str(), String::new()),
    };
    let mut out = String::new();
    if amount.is_negative() {
        out.push('-');
    }
    for (nth, digit) in whole.chars().enumerate() {
        if nth > 0 && whole.len().saturating_sub(nth) % 3 == 0 {
            out.push('.');
        }
        out.push(digit);
    }
    out + &fraction + " đ"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::money;

    #[test]
    fn thousands_are_parted_by_points() {
        for (amount, text) in [
            ("0", "0 đ"),
            ("999", "999 đ"),
            ("600000", "600.000 đ"),
            ("-1234567.5", "-1.234.567,5 đ"),
        ] {
            let amount = Money::new(money::parse_text(amount).unwrap()).unwrap();
            assert_eq!(shown(amount), text);
        }
    }
}
