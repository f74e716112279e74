//! `kvgf check`: is the configuration sound, do the three origins answer, does the store keep what
//! it must. It writes nothing but keys of its own, which it removes, and never shows a secret.

mod upstreams;

pub use upstreams::upstreams;

use crate::keyvalue::conformance;
use plugin::config::{Config, Problem};
use serde::Serialize;
use std::collections::BTreeMap;

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it must be.
    Ok,
    /// It works, and something should be known.
    Warning,
    /// It could not be tried.
    Skipped,
    /// It must be mended.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `configuration`, `upstream` or `store`.
    pub part: &'static str,
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub verdict: Verdict,
    /// In plain words; how to mend it where it must be mended.
    pub words: String,
}

impl Finding {
    /// A finding.
    pub fn new(
        part: &'static str,
        subject: impl Into<String>,
        verdict: Verdict,
        words: impl Into<String>,
    ) -> Self {
        Self {
            part,
            subject: subject.into(),
            verdict,
            words: words.into(),
        }
    }
}

/// Every variable that needs attention, or that there is none.
pub fn configuration(values: &BTreeMap<String, String>) -> Vec<Finding> {
    let config = Config::load(|name| values.get(name).cloned());
    if config.problems.is_empty() {
        let words = format!("all {} variables are sound", values.len());
        return vec![Finding::new(
            "configuration",
            "variables",
            Verdict::Ok,
            words,
        )];
    }
    let finding = |Problem { variable, problem }: &Problem| {
        let how = format!(
            "{problem} Give --variable {variable}=… or set SPIN_VARIABLE_{}",
            variable.to_uppercase()
        );
        Finding::new("configuration", *variable, Verdict::Failed, how)
    };
    config.problems.iter().map(finding).collect()
}

/// What the self-test of the store at `place` found: a line when every claim held, else one for each
/// that did not.
pub fn store(place: &str, checks: &[conformance::Check]) -> Vec<Finding> {
    let failed: Vec<Finding> = checks
        .iter()
        .filter_map(|check| {
            let wrong = check.wrong.as_ref()?;
            let words = format!("not so: {wrong}");
            Some(Finding::new("store", check.claim, Verdict::Failed, words))
        })
        .collect();
    if !failed.is_empty() {
        return failed;
    }
    let words = format!("all {} claims of the self-test hold", checks.len());
    vec![Finding::new("store", place, Verdict::Ok, words)]
}
