//! Shows what the running application says about a connection's first sales.

use super::{Finding, Verdict};
use crate::outbound;
use bytes::Bytes;
use plugin::world::USER_AGENT;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// The longest wait for an answer: the application may work for some seconds before it answers.
const LIMIT: Duration = Duration::from_secs(60);
/// The most answers before the check stops asking.
const MOST_ANSWERS: usize = 40;

/// Asks the application at `at`, or at its `public_url`, until its preflight of `connection` is complete.
pub async fn preflight(
    values: &BTreeMap<String, String>,
    connection: &str,
    at: Option<&str>,
) -> Vec<Finding> {
    let value = |name: &str| values.get(name).map(|v| v.trim()).unwrap_or_default();
    let origin = at.unwrap_or_else(|| value("public_url"));
    let subject = format!("{connection} at {origin}");
    let failed = |words: String| {
        vec![Finding::new(
            "preflight",
            subject.clone(),
            Verdict::Failed,
            words,
        )]
    };
    let place = format!(
        "{}/api/connections/{connection}/preflight",
        origin.trim_end_matches('/')
    );
    let mut question = format!("{place}?again=true");
    for _ in 0..MOST_ANSWERS {
        let run = match ask(&question, value("admin_token")).await {
            Ok(run) => run,
            Err(words) => return failed(words),
        };
        if run["complete"] == true {
            return told(&run);
        }
        question.clone_from(&place);
    }
    failed("it does not come to an end".to_owned())
}

async fn ask(place: &str, token: &str) -> Result<Value, String> {
    let uri: http::Uri = place.parse().map_err(|e| format!("{e}"))?;
    let host = uri.authority().map(ToString::to_string);
    let request = http::Request::get(uri)
        .header("host", host.unwrap_or_default())
        .header("user-agent", USER_AGENT)
        .header("authorization", format!("Bearer {token}"));
    let request = request.body(Bytes::new());
    let request = request.map_err(|_| "the admin_token cannot stand in a request".to_owned())?;
    let answer = outbound::call(request, LIMIT).await?;
    let status = answer.status();
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if status.is_success() && body.is_object() {
        return Ok(body);
    }
    let says = body["detail"].as_str().or(body["title"].as_str());
    let says = says.unwrap_or("is the application running there, and is its admin_token this one?");
    Err(format!("answers {}: {says}", status.as_u16()))
}

fn told(run: &Value) -> Vec<Finding> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut findings = Vec::new();
    for check in run["checks"].as_array().into_iter().flatten() {
        let subject = text(&check["check"]).replace('_', " ");
        let mut enter = |verdict, words: String| {
            findings.push(Finding::new("preflight", subject.clone(), verdict, words));
        };
        for found in check["findings"].as_array().into_iter().flatten() {
            let verdict = if found["severe"] == true {
                Verdict::Failed
            } else {
                Verdict::Warning
            };
            let [what, then, mend] = ["what", "then", "to_do"].map(|name| text(&found[name]));
            enter(verdict, format!("{what}. {then} {mend}"));
        }
        if let Some(why) = check["unknown"].as_str() {
            enter(Verdict::Skipped, format!("could not be found out: {why}"));
        }
        if check["is_well"] == true {
            enter(Verdict::Ok, "all is well".to_owned());
        }
    }
    findings
}
