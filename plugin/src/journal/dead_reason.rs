//! Why an event is a dead letter, in the words of the API.

use core::fmt;
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadReason {
    /// Getfly refuses the record.
    GetflyRefused,
    /// KiotViet refuses to return the record.
    KiotvietRefused,
    /// Getfly failed until the last attempt.
    GetflyUnavailable,
    /// KiotViet failed until the last attempt.
    KiotvietUnavailable,
    /// A member that decides about KiotViet's record cannot be read.
    RecordUnreadable,
    /// The invoice may be an edit of another one or a sale of its own.
    EditOrSale,
    /// KiotViet's record has no creation date.
    CreationDateMissing,
    /// An amount cannot be calculated with.
    AbsurdAmount,
    /// The customer has too many numbers and addresses to search by each.
    TooManyNumbers,
    /// The delivery's signature is missing or wrong.
    BadSignature,
    /// The delivery is not KiotViet's, or an item has no id.
    Unreadable,
    /// The delivery has too many items.
    TooManyItems,
    /// The journal entry cannot be read.
    DamagedEntry,
    /// The account to which a person linked the customer is gone from Getfly.
    LinkedAccountGone,
}

impl DeadReason {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::GetflyRefused,
        Self::KiotvietRefused,
        Self::GetflyUnavailable,
        Self::KiotvietUnavailable,
        Self::RecordUnreadable,
        Self::EditOrSale,
        Self::CreationDateMissing,
        Self::AbsurdAmount,
        Self::TooManyNumbers,
        Self::BadSignature,
        Self::Unreadable,
        Self::TooManyItems,
        Self::DamagedEntry,
        Self::LinkedAccountGone,
    ];

    /// Whether a stranger may have sent it. Such dead letters are retried together only if a person
    /// names the reason, and they are kept no longer than finished events.
    pub fn may_be_forged(self) -> bool {
        matches!(self, Self::BadSignature | Self::Unreadable)
    }

    /// Parses the word used in the API's filter.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GetflyRefused => "getfly_refused",
            Self::KiotvietRefused => "kiotviet_refused",
            Self::GetflyUnavailable => "getfly_unavailable",
            Self::KiotvietUnavailable => "kiotviet_unavailable",
            Self::RecordUnreadable => "record_unreadable",
            Self::EditOrSale => "edit_or_sale",
            Self::CreationDateMissing => "creation_date_missing",
            Self::AbsurdAmount => "absurd_amount",
            Self::TooManyNumbers => "too_many_numbers",
            Self::BadSignature => "bad_signature",
            Self::Unreadable => "unreadable",
            Self::TooManyItems => "too_many_items",
            Self::DamagedEntry => "damaged_entry",
            Self::LinkedAccountGone => "linked_account_gone",
        }
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;

    #[test]
    fn each_reason_is_kept_by_its_word_and_listed_once() {
        for (n, reason) in DeadReason::ALL.into_iter().enumerate() {
            let word = format!("\"{reason}\"");
            assert_eq!(stored::write(&reason), word.as_bytes());
            assert_eq!(stored::read(word.as_bytes()), Ok(reason));
            // They are in the order of the enum, so none is left out in between.
            assert_eq!(reason as usize, n);
        }
    }
}
