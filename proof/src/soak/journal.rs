//! Compares the host's public list of events with what its 200s promised.

use super::site::Site;
use anyhow::{Context, Result};
use host_test::admin::Admin;
use std::collections::{BTreeMap, BTreeSet};

/// The known part of the journal.
#[derive(Default)]
pub(super) struct Journal {
    last: u64,
    /// Events for each customer's id and invoice's code.
    pub(super) events: BTreeMap<String, usize>,
    /// What was promised but is absent, in words.
    pub(super) missing: BTreeSet<String>,
}

impl Journal {
    /// Reads the new events, and looks for each that was promised. No delivery may be under way.
    pub(super) async fn check(&mut self, site: &Site) -> Result<()> {
        for event in site.api.events_after(self.last, "").await? {
            let key = event["key"].as_str().context("a key")?.to_owned();
            *self.events.entry(key).or_default() += 1;
            self.last = self.last.max(event["seq"].as_u64().context("a number")?);
        }
        for (key, promised) in site.promised() {
            let there = self.events.get(&key).copied().unwrap_or(0);
            if there < promised {
                self.missing.insert(format!("{key}: {there} of {promised}"));
            }
        }
        Ok(())
    }
}
