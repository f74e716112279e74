//! What an element of a due list asks for, and its text in the store.

use core::fmt;

/// Marks an event that is finished and counted, and only waits for its removal.
const REMOVAL: char = 'x';
/// Marks a number that had no entry for ten minutes.
const LATE_ENTRY: char = 'h';

/// What is due, each with the number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The event's next attempt.
    Attempt(u64),
    /// The removal of a finished event.
    Removal(u64),
    /// A last look for an entry that was missing.
    LateEntry(u64),
}

impl Due {
    /// From its text; none for one that is damaged.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let after = |mark| text.strip_prefix(mark).map(str::parse);
        if let Some(seq) = after(REMOVAL) {
            return seq.ok().map(Self::Removal);
        }
        match after(LATE_ENTRY) {
            Some(seq) => seq.ok().map(Self::LateEntry),
            None => text.parse().ok().map(Self::Attempt),
        }
    }

    /// Whether an event that waits for it is counted as waiting.
    pub(super) fn is_waiting(self) -> bool {
        matches!(self, Self::Attempt(_))
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt(seq) => write!(f, "{seq}"),
            Self::Removal(seq) => write!(f, "{REMOVAL}{seq}"),
            Self::LateEntry(seq) => write!(f, "{LATE_ENTRY}{seq}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_read_as_it_is_written() {
        for (due, text) in [
            (Due::Attempt(7), "7"),
            (Due::Removal(8), "x8"),
            (Due::LateEntry(9), "h9"),
        ] {
            assert_eq!(due.to_string(), text);
            assert_eq!(Due::parse(text.as_bytes()), Some(due));
            assert_eq!(due.is_waiting(), text == "7");
        }
        for damaged in ["", "x", "h", "hx1", "-1", "7 "] {
            assert_eq!(Due::parse(damaged.as_bytes()), None, "{damaged:?}");
        }
        assert_eq!(Due::parse(b"\xff"), None);
    }
}
