//! Creates that may still take effect: until they have settled, no other customer with the same phone or
//! e-mail is searched for or created.

use crate::{rules::codes::AccountCode, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Keyed fingerprints of an account that may come to be in Getfly, and its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brings {
    /// The account's code.
    pub code: AccountCode,
    /// Of its phones and e-mails that can match.
    pub marks: Vec<String>,
}

/// The same until it has settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What may come.
    pub brings: Brings,
    /// Not later than this.
    pub until: Timestamp,
}

impl Held {
    /// Whether an account with the code `own` and one of `marks` has to wait for this one, which is another.
    pub fn concerns(&self, own: &AccountCode, marks: &[String]) -> bool {
        let shared = |mark| self.brings.marks.contains(mark);
        self.brings.code != *own && marks.iter().any(shared) && !mutant!(HeldIgnored)
    }
}
