//! Phone fields (R7, R8, R9): finds the numbers in a free text, brings them into canonical form,
//! and says what is written to Getfly. It never judges whether a number is in use.

mod canonical;
mod split;
#[cfg(test)]
mod tests;

use super::text::{filled, without};
use core::fmt;
use split::Found;
pub(crate) use split::is_noise;
use std::collections::BTreeSet;

/// The fewest digits of a full phone number. A shorter one is a local number without area code, or
/// an extension.
const FEWEST_DIGITS: usize = 8;

/// This many equal digits in a row make a placeholder.
const EQUAL_DIGITS: usize = 7;

/// One number in canonical form: `0…` in Vietnam, `00` and the country code elsewhere. Equal
/// numbers have equal texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Takes a text that holds exactly one number.
    pub fn parse(text: &str) -> Option<Self> {
        match PhoneField::parse(text).numbers.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits that every stored form of the number contains (`0912…`, `84912…`, `+84912…`,
    /// `912…`): without the leading zeros, so that one "contains" search finds them all. It is
    /// empty for a number of zeros only: a placeholder, which must not be searched for.
    pub fn search_key(&self) -> &str {
        self.0.trim_start_matches('0')
    }

    /// R7: whether the number means "no number" and so matches no account: fewer than 8 digits,
    /// zeros only, seven equal digits in a row, a rising or falling run, or one of `ignored`.
    /// Leading zeros do not count.
    pub fn is_placeholder(&self, ignored: &[Self]) -> bool {
        if mutant!(PlaceholderMatches) {
            return false;
        }
        let key = self.search_key();
        key.len() < FEWEST_DIGITS
            || is_run(key)
            || has_equal_digits(&self.0)
            || ignored.contains(self)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A field that holds none, one or several numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhoneField {
    /// Without the masked numbers.
    text: String,
    numbers: Vec<PhoneNumber>,
    masked: bool,
    cut: bool,
    /// The text with the zero rule applied to its first number.
    zeroed: String,
}

impl PhoneField {
    /// Finds the numbers in `text`: each one once, in the order of the text. Masked numbers, which
    /// hide some of their digits (`09****5678`, `0912xxx678`), are left out.
    pub fn parse(text: &str) -> Self {
        let all = split::split(text);
        let cut = text.len() > split::MAX_CHARS && text.chars().nth(split::MAX_CHARS).is_some();
        if all.masked.is_empty() {
            return Self::whole(text, all.numbers, cut);
        }
        let kept = without(text, &all.masked);
        let found = split::numbers(&kept);
        let field = if same_numbers(&found, &all.numbers) {
            Self::whole(&kept, found, cut)
        } else {
            // What is left would run into other numbers, so each one is written by itself.
            let each = all.numbers.iter().map(|found| found.canonical.as_str());
            let each = each.collect::<Vec<_>>().join(" / ");
            let found = split::numbers(&each);
            Self::whole(&each, found, cut)
        };
        Self {
            masked: true,
            ..field
        }
    }

    /// The field for a text without masks, and its numbers.
    fn whole(text: &str, found: Vec<Found>, cut: bool) -> Self {
        let zeroed = found.first().map(|first| zero_rule(text, first));
        // A junk digit before a `+` could join the number behind it: then the text stays as it was.
        let zeroed =
            zeroed.filter(|zeroed| zeroed == text || same_numbers(&split::numbers(zeroed), &found));
        let zeroed = zeroed.unwrap_or_else(|| text.to_owned());
        let mut seen = BTreeSet::new();
        let numbers = found
            .into_iter()
            .map(|found| PhoneNumber(found.canonical))
            .filter(|number| seen.insert(number.clone()))
            .collect();
        Self {
            text: text.to_owned(),
            numbers,
            masked: false,
            cut,
            zeroed,
        }
    }

    /// Whether a masked number was left out.
    pub fn is_masked(&self) -> bool {
        self.masked
    }

    /// The numbers, in order.
    pub fn numbers(&self) -> &[PhoneNumber] {
        &self.numbers
    }

    /// Whether the text is too long to be read whole, so that it may hold more numbers.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// R7: the numbers that may be searched for and matched: those that are not placeholders.
    pub fn matchable<'a>(
        &'a self,
        ignored: &'a [PhoneNumber],
    ) -> impl Iterator<Item = &'a PhoneNumber> {
        self.numbers
            .iter()
            .filter(|number| !number.is_placeholder(ignored))
    }

    /// R8, R9: what is written to Getfly. One number (even when it is written twice): its canonical
    /// form, and a placeholder's text as it was. Several: the text as it was, trimmed, with the zero
    /// rule applied to the first one. No number, but digits (an extension): the text as it was,
    /// trimmed. No digit at all: nothing.
    pub fn as_written(&self, ignored: &[PhoneNumber]) -> Option<String> {
        match self.numbers.as_slice() {
            [one] if one.is_placeholder(ignored) => filled(&self.text),
            [one] => Some(one.0.clone()),
            [first, ..] if mutant!(MergedPhonesSplit) => Some(first.0.clone()),
            [] if !self.text.chars().any(|c| split::digit(c).is_some()) => None,
            _ => filled(&self.zeroed),
        }
    }
}

fn same_numbers(a: &[Found], b: &[Found]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.canonical == b.canonical)
}

/// Whether each digit is one more than the one before, or each is one less: `123456789`,
/// `987654321`; also `1234567890`.
fn is_run(digits: &str) -> bool {
    let rises = |(a, b): (u8, u8)| b == a.saturating_add(1) || (a, b) == (b'9', b'0');
    let falls = |(a, b): (u8, u8)| a == b.saturating_add(1);
    let pairs = || digits.bytes().zip(digits.bytes().skip(1));
    let wraps = digits
        .find("90")
        .is_none_or(|at| at.saturating_add(2) == digits.len());
    (pairs().all(rises) && wraps) || pairs().all(falls)
}

fn has_equal_digits(digits: &str) -> bool {
    digits.as_bytes().windows(EQUAL_DIGITS).any(|window| {
        let mut pairs = window.iter().zip(window.iter().skip(1));
        pairs.all(|(a, b)| a == b)
    })
}

/// R7: whether any number of one field equals any number of the other, placeholders aside.
pub fn fields_match(a: &PhoneField, b: &PhoneField, ignored: &[PhoneNumber]) -> bool {
    let mut sought = BTreeSet::new();
    sought.extend(a.matchable(ignored).cloned());
    b.numbers.iter().any(|number| sought.contains(number))
}

/// R9: `text` with the beginning of its first number made canonical, all else unchanged: `+84 912
/// 345 678 / 0903…` → `0912 345 678 / 0903…`.
fn zero_rule(text: &str, first: &Found) -> String {
    let raw: String = first.digits.iter().map(|(_, digit)| *digit).collect();
    let kept = match first.canonical.strip_suffix(&raw) {
        Some(_) => 0,
        // The raw number ends in the canonical form without its 0.
        None => raw
            .len()
            .saturating_sub(first.canonical.len().saturating_sub(1)),
    };
    let Some((kept_at, _)) = first.digits.get(kept) else {
        return text.to_owned();
    };
    let zeros = if kept > 0 {
        "0"
    } else {
        first.canonical.strip_suffix(&raw).unwrap_or_default()
    };
    if zeros.is_empty() && !first.plus {
        return text.to_owned();
    }
    // A prefix is removed with its brackets; a number without prefix keeps them.
    let start = if kept > 0 || first.plus {
        first.lead
    } else {
        *kept_at
    };
    let part = |range: core::ops::Range<usize>| text.get(range).unwrap_or_default();
    let removed = part(start..*kept_at);
    let (opened, closed) = (removed.matches('(').count(), removed.matches(')').count());
    let bracket = if opened > closed { "(" } else { "" };
    format!(
        "{}{bracket}{zeros}{}",
        part(0..start),
        part(*kept_at..text.len())
    )
}
