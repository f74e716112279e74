//! Phone fields (R7, R8, R9): the numbers in a free text, their canonical form, and what is written
//! to Getfly. It never judges whether a number is in use.

mod canonical;
mod split;
#[cfg(test)]
mod tests;

use super::text::filled;
use core::fmt;
use split::Found;
pub(crate) use split::is_noise;
use std::collections::BTreeSet;

/// One number in canonical form: `0…` in Vietnam, `00` and the country code elsewhere. The same
/// number is always the same text.
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
    /// `912…`): without the leading zeros, so that one "contains" search finds them all. Empty for a
    /// number of zeros only, which is a placeholder: never search for those.
    pub fn search_key(&self) -> &str {
        self.0.trim_start_matches('0')
    }

    /// R7: whether the number stands for "no number" and so matches nobody: zeros only, one digit
    /// repeated (a leading 0 aside), `0123456789`, or one of `ignored`.
    pub fn is_placeholder(&self, ignored: &[Self]) -> bool {
        let key = self.search_key();
        let mut digits = key.chars();
        let first = digits.next();
        if mutant!(PlaceholderMatches) {
            return false;
        }
        digits.all(|digit| Some(digit) == first) || self.0 == "0123456789" || ignored.contains(self)
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
    text: String,
    numbers: Vec<PhoneNumber>,
    /// The text with the zero rule applied to its first number.
    zeroed: String,
}

impl PhoneField {
    /// Finds the numbers in `text`, each one once, in the order of the text.
    pub fn parse(text: &str) -> Self {
        let found = split::numbers(text);
        let zeroed = found.first().map(|first| zero_rule(text, first));
        // A junk digit before a `+` could join the number behind it: then the text stays as it was.
        let zeroed = zeroed.filter(|zeroed| {
            let again = split::numbers(zeroed);
            again
                .iter()
                .map(|f| &f.canonical)
                .eq(found.iter().map(|f| &f.canonical))
        });
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
            zeroed,
        }
    }

    /// The numbers, in order.
    pub fn numbers(&self) -> &[PhoneNumber] {
        &self.numbers
    }

    /// Whether the text is too long to be looked at whole: there may be more numbers.
    pub fn is_cut(&self) -> bool {
        self.text.chars().nth(split::MAX_CHARS).is_some()
    }

    /// R7: the numbers that may be searched for and matched: no placeholders.
    pub fn matchable<'a>(
        &'a self,
        ignored: &'a [PhoneNumber],
    ) -> impl Iterator<Item = &'a PhoneNumber> {
        self.numbers
            .iter()
            .filter(|number| !number.is_placeholder(ignored))
    }

    /// R8, R9: what is written to Getfly. One number (even when it is written twice): its canonical
    /// form. Several: the text as it was, trimmed, with the zero rule applied to the first one. No
    /// number, but digits (an extension, a masked number): the text as it was, trimmed. No digit at
    /// all: nothing.
    pub fn as_written(&self) -> Option<String> {
        match self.numbers.as_slice() {
            [one] => Some(one.0.clone()),
            [first, ..] if mutant!(MergedPhonesSplit) => Some(first.0.clone()),
            [] if !self.text.chars().any(|c| split::digit(c).is_some()) => None,
            _ => filled(&self.zeroed),
        }
    }
}

/// R7: whether any number of one field equals any number of the other, placeholders aside.
pub fn fields_match(a: &PhoneField, b: &PhoneField, ignored: &[PhoneNumber]) -> bool {
    let mut sought = BTreeSet::new();
    sought.extend(a.matchable(ignored).cloned());
    b.numbers.iter().any(|number| sought.contains(number))
}

/// R9: `text` with its first number beginning in canonical manner, all else untouched:
/// `+84 912 345 678 / 0903…` → `0912 345 678 / 0903…`.
fn zero_rule(text: &str, first: &Found) -> String {
    let raw: String = first.digits.iter().map(|(_, digit)| *digit).collect();
    let kept = match first.canonical.strip_suffix(&raw) {
        Some(_) => 0,
        // All but the 0 in front of the canonical form is at the end of the raw one.
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
    // A prefix goes with its brackets; an unprefixed number keeps them.
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
