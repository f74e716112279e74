//! `kvgf check`: whether the configuration is sound, the three origins answer, and the store keeps
//! what it must. It writes only keys of its own, which it removes, and never shows a secret.

mod preflight;
mod upstreams;

pub use preflight::preflight;
pub use upstreams::upstreams;

use crate::{keyvalue::conformance, outbound::is_loopback};
use plugin::config::{Config, Problem};
use serde::Serialize;
use std::collections::BTreeMap;

/// The result of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is right.
    Ok,
    /// It works, but the operator should know something.
    Warning,
    /// It could not be checked.
    Skipped,
    /// The operator must mend it.
    Failed,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `configuration`, `upstream`, `store` or `preflight`.
    pub part: &'static str,
    /// What was looked at.
    pub subject: String,
    /// The result.
    pub verdict: Verdict,
    /// In plain words, with the remedy if it must be mended.
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

/// One finding for each variable that needs attention, or one that says that none does. For a
/// secret (`is_secret`), the words say how to pass it as a file.
pub fn configuration(
    values: &BTreeMap<String, String>,
    is_secret: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let config = Config::load(|name| values.get(name).cloned());
    let finding = |Problem { variable, problem }: &Problem| {
        let value = if is_secret(variable) { "@FILE" } else { "…" };
        let how = format!(
            "{problem} Give --variable {variable}={value} or set SPIN_VARIABLE_{}",
            variable.to_uppercase()
        );
        Finding::new("configuration", *variable, Verdict::Failed, how)
    };
    let mut findings: Vec<Finding> = config.problems.iter().map(finding).collect();
    if findings.is_empty() {
        let words = format!("all {} variables are sound", values.len());
        let sound = Finding::new("configuration", "variables", Verdict::Ok, words);
        findings.push(sound);
    }
    let weak = config.weak_tokens.iter().map(|token| {
        let words = "it is easily guessed: it has too little variety. Set a random text, e.g. the output of: \
                     openssl rand -base64 32";
        Finding::new("configuration", *token, Verdict::Warning, words)
    });
    findings.extend(weak);
    let warnings = unencrypted(values)
        .map(|(variable, words)| Finding::new("configuration", variable, Verdict::Warning, words));
    findings.extend(warnings);
    findings
}

/// Variables with a vendor's origin to which keys and personal data would travel unencrypted over a
/// network, with the words about it.
pub fn unencrypted(values: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, String)> {
    let of_a_vendor = |name: &str| name == "getfly_url" || name.starts_with("kiotviet_");
    values.iter().filter_map(move |(name, value)| {
        let uri: http::Uri = value.trim().parse().ok()?;
        let open = uri.scheme() == Some(&http::uri::Scheme::HTTP) && !is_loopback(uri.host()?);
        (open && of_a_vendor(name)).then(|| {
            let words = "its address begins with http://, so keys and persons' data travel unencrypted; \
                         give https://";
            (name.as_str(), words.to_owned())
        })
    })
}

/// The findings of the self-test of the store at `place`: one line if every claim held, else one
/// for each that did not.
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

#[cfg(test)]
mod tests {
    use super::unencrypted;
    use std::collections::BTreeMap;

    #[test]
    fn a_vendor_reached_by_http_is_told_unless_it_is_this_machine() {
        for (name, value, told) in [
            ("getfly_url", "http://shop.getfly.test", true),
            ("getfly_url", "HTTP://10.0.0.5:8080", true),
            ("kiotviet_api_url", "http://[fd00::1]", true),
            ("kiotviet_fnb_auth_url", "http://localhost.evil.test", true),
            ("getfly_url", "https://shop.getfly.test", false),
            ("getfly_url", "http://127.0.0.1:9", false),
            ("getfly_url", "http://127.8.8.8", false),
            ("kiotviet_auth_url", "http://localhost:9", false),
            ("kiotviet_auth_url", "http://[::1]:9", false),
            ("kiotviet_token_path", "/connect/token", false),
            ("public_url", "http://bridge.test", false),
        ] {
            let values = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            assert_eq!(unencrypted(&values).count() == 1, told, "{name}={value}");
        }
    }
}
