//! Whether this host lets the application go on after its answer, as `processing = background` needs. Each delivery is a mark
//! before the answer; a scheduler's drain that comes to one at which nobody has worked knows that the host ended the
//! application, or that it crashed.

use serde::{Deserialize, Serialize};

/// After so many, more than one crash is needed to explain them.
const MANY: u8 = 3;

const ADVICE: &str = "this host ends the application at its answer, so sales wait for the next drain: set processing to inline";

/// How often a drain found that nobody had gone on after an answer, less what was seen of the opposite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateStarts(u8);

impl LateStarts {
    /// A drain found one.
    pub fn found(&mut self) {
        self.0 = self.0.saturating_add(1).min(MANY);
    }

    /// A worker went on after an answer, to its end.
    pub fn went_on(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    /// What people should do where this host ends the application at its answer, and that is not provided for.
    pub fn advice(self, is_inline: bool) -> Option<String> {
        let ends_early = self.0 >= MANY;
        (ends_early && !is_inline).then(|| ADVICE.to_owned())
    }
}
