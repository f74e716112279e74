//! What would go wrong with a shop's first sales.

use crate::{
    admin::api::{connections::open, problem::Problem, request::known, tenant},
    config::Ready,
    preflight::{
        finding::Finding,
        report::{Check, Checked, MOST_CALLS, Preflight, Unknown},
        run,
    },
    time::Timestamp,
    world::World,
};
use serde::Serialize;

/// A finding in the API.
#[derive(Debug, Serialize)]
struct FoundView<'a> {
    finding: &'a Finding,
    /// What would come of it.
    then: &'static str,
    /// Whether events fail for it, rather than lose a detail.
    severe: bool,
    to_do: &'static str,
    what: String,
}

/// A check in the API.
#[derive(Debug, Serialize)]
struct CheckedView<'a> {
    check: Check,
    findings: Vec<FoundView<'a>>,
    /// Whether nothing was found, and everything could be.
    is_well: bool,
    /// Why it could not be found out.
    unknown: Option<String>,
}

/// A run in the API.
#[derive(Debug)]
pub(in crate::admin) struct View(Preflight);

impl From<Preflight> for View {
    fn from(run: Preflight) -> Self {
        Self(run)
    }
}

/// Why something is not known, in English.
fn why(unknown: &Unknown) -> String {
    match unknown {
        Unknown::Failed(trouble) => trouble.to_string(),
        Unknown::CallsUsedUp => format!("the {MOST_CALLS} calls of a preflight are used up"),
    }
}

fn checked(one: &Checked) -> CheckedView<'_> {
    let findings = one.findings.iter().map(|finding| {
        let told = finding.english();
        FoundView {
            finding,
            then: told.then,
            severe: finding.is_bad(),
            to_do: told.mend,
            what: told.what,
        }
    });
    CheckedView {
        check: one.check,
        findings: findings.collect(),
        is_well: one.findings.is_empty() && one.unknown.is_none(),
        unknown: one.unknown.as_ref().map(why),
    }
}

impl Serialize for View {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            began_at: Timestamp,
            calls: u64,
            checks: Vec<CheckedView<'a>>,
            complete: bool,
            of: usize,
        }
        let shown = Shown {
            began_at: self.0.began_at,
            calls: self.0.calls,
            checks: self.0.checked.iter().map(checked).collect(),
            complete: self.0.is_complete(),
            of: Check::ALL.len(),
        };
        shown.serialize(serializer)
    }
}

/// `GET /api/connections/{name}/preflight`: goes on for some seconds and answers what is known so far.
pub(in crate::admin) async fn go_on<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    anew: bool,
) -> Result<Preflight, Problem> {
    tenant::check(world, ready).await?;
    let connection = known(world, name).await?;
    let opened = open(&connection, ready)?;
    Ok(run::go_on(world, ready, (&connection, &opened), anew).await?)
}
