//! Creates that may still take effect. Until they have settled, no other customer with the same
//! phone or e-mail is searched for or created.

use crate::{rules::codes::AccountCode, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Keyed fingerprints of an account that may appear in Getfly, and its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brings {
    /// The account's code.
    pub code: AccountCode,
    /// The fingerprints of its phones and e-mails that can match.
    pub marks: Vec<String>,
}

/// Such an account until its create has settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What may appear.
    pub brings: Brings,
    /// It appears no later than this.
    pub until: Timestamp,
}

impl Held {
    /// Whether an account with the code `own` and one of `marks` must wait for this other account.
    pub fn concerns(&self, own: &AccountCode, marks: &[String]) -> bool {
        let shared = |mark| self.brings.marks.contains(mark);
        self.brings.code != *own && marks.iter().any(shared) && !mutant!(HeldIgnored)
    }
}
