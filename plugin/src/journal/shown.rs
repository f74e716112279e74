//! What people see of an event's customer or sale: KiotViet's code, the name and the total. It is sealed, and kept as long as
//! the event. A phone or an e-mail that stands in a name is masked.

use crate::{
    journal::keys, rules::money::Money, seal::Sealer, stored, vendor::redaction::redact,
    world::Random,
};
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// KiotViet's code of the customer or invoice.
    pub code: String,
    /// The customer's name, as KiotViet has it until it is sealed.
    pub name: String,
    /// The invoice's total.
    pub total: Option<Money>,
}

impl Shown {
    /// Sealed for event `seq`; none where there is nothing to be seen.
    pub fn seal(&self, sealer: &Sealer, seq: u64, random: &impl Random) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        let plain = stored::write(&(&self.code, redact(&self.name), self.total));
        sealer.seal(&keys::shown(seq), &plain, random).ok()
    }

    /// What was sealed for event `seq`; nothing where it cannot be opened.
    pub fn open(sealed: &str, sealer: &Sealer, seq: u64) -> Option<Self> {
        let plain = sealer.open(&keys::shown(seq), sealed).ok()?;
        let (code, name, total) = stored::read(&plain).ok()?;
        Some(Self { code, name, total })
    }
}
