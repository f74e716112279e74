//! The canonical form of one number (R7, R9).

/// Fewest and most digits of a number, without its leading zeros. Shorter ones are extensions and
/// hotlines like 113; longer ones are no phone numbers (E.164).
const SIGNIFICANT_DIGITS: core::ops::RangeInclusive<usize> = 6..=15;

/// The canonical form of a number's digits (R7, R9). `plus` says that a `+` stands before them.
/// None if there are too few or too many digits.
pub(super) fn canonical(plus: bool, digits: &str) -> Option<String> {
    let vietnamese = |rest: &str| format!("0{}", rest.trim_start_matches('0'));
    let form = if let Some(rest) = digits.strip_prefix("0084") {
        vietnamese(rest)
    } else if digits.starts_with('0') {
        digits.to_owned()
    } else if let Some(rest) = digits
        .strip_prefix("84")
        .filter(|rest| plus || is_full(rest))
    {
        vietnamese(rest)
    } else if plus {
        format!("00{digits}")
    } else if mutant!(LeadingZeroNotAdded) {
        digits.to_owned()
    } else {
        format!("0{digits}")
    };
    let significant = form.trim_start_matches('0').len();
    let zeros_only = significant == 0 && SIGNIFICANT_DIGITS.contains(&form.len());
    (zeros_only || SIGNIFICANT_DIGITS.contains(&significant)).then_some(form)
}

/// Whether the digits after `84` are a full Vietnamese number: nine or ten digits, and perhaps the
/// redundant 0 of `84 (0) 912 …`. `84` begins mobile numbers too: `845 123 456` is `0845 123 456`.
fn is_full(rest: &str) -> bool {
    let rest = rest.strip_prefix('0').unwrap_or(rest);
    (9..=10).contains(&rest.len()) && !rest.starts_with('0')
}
