//! `kvgf check`: what is wrong before anybody finds out the hard way.

use super::{
    Done, Failure, Program,
    arguments::Variables,
    print_line,
    store::{Place, StoreOptions},
};
use crate::{
    check::{Finding, Verdict, configuration, preflight, store, upstreams},
    keyvalue::{Backend, InUse, conformance},
    manifest::Manifest,
};
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use plugin::journal::{format, keys};
use std::sync::Arc;

const AFTER_HELP: &str = "\
Looks at every variable, asks the three origins with a GET each (8 s at most), and tries the store:
does it keep what was written, is increment atomic with fifty at once, does delete start a counter
again, is it all there after it was opened again. It writes only keys of its own and removes them.
A --state-dir that a running host has open is not tried. No secret is ever shown.
With --connection the running application reads both vendors, at most 80 calls, and says what would go
wrong with that shop's first sales, and what to do.

Examples:
  kvgf check --variable getfly_url=https://shop.getflycrm.com --variable getfly_api_key=@/run/secrets/key …
  kvgf check --connection myshop --variable public_url=https://bridge.example.vn …
  kvgf check --json --store @/run/secrets/redis-url --variable … | jq '.findings[] | select(.verdict == \"failed\")'

Exit codes: 0 nothing must be mended (warnings may stand there); 1 something must; 2 the arguments
cannot be understood.";

/// Columns of the table; words are broken to fit.
const WIDTH: u16 = 110;

/// Look at the configuration, the upstreams and the store.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Check {
    #[command(flatten)]
    variables: Variables,
    #[command(flatten)]
    store: StoreOptions,
    /// Also ask the running application what would go wrong with this connection's first sales.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Where the application is asked; its public_url where this is not given.
    #[arg(long, value_name = "URL", requires = "connection")]
    at: Option<String>,
    /// One JSON object on standard output: {"ok", "findings": [{"part", "subject", "verdict", "words"}]}.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self, program: &Program) -> Done {
        let given = self.variables.given()?;
        let place = self.store.place()?;
        let file = self.variables.manifest(program);
        let environment = |name: &str| std::env::var(name).ok();
        let values = Manifest::values(&file, &given, environment)?;
        let secrets = Manifest::secrets(&file)?;
        let mut findings = configuration(&values, |name| secrets.contains(name));
        let sound = findings.iter().all(|f| f.verdict != Verdict::Failed);
        if sound && let Err(e) = Manifest::load(&file, &given, environment) {
            let words = format!("{e:#}");
            findings.push(Finding::new(
                "configuration",
                "manifest",
                Verdict::Failed,
                words,
            ));
        }
        findings.extend(upstreams(&values).await);
        findings.extend(try_store(&place).await);
        if let Some(connection) = &self.connection {
            findings.extend(preflight(&values, connection, self.at.as_deref()).await);
        }
        let ok = findings.iter().all(|f| f.verdict != Verdict::Failed);
        if self.json {
            let told = serde_json::json!({ "ok": ok, "findings": findings });
            print_line(&told.to_string())?;
        } else {
            print_line(&table(&findings))?;
        }
        if ok { Ok(()) } else { Err(Failure::Told) }
    }
}

async fn try_store(place: &Place) -> Vec<Finding> {
    // Nobody else's keys begin so.
    let space = format!("kvgf-check/{:016x}/", rand::random::<u64>());
    let subject = place.to_string();
    let failed = |e: anyhow::Error| {
        let verdict = if e.is::<InUse>() {
            Verdict::Skipped
        } else {
            Verdict::Failed
        };
        vec![Finding::new(
            "store",
            subject.clone(),
            verdict,
            format!("{e:#}"),
        )]
    };
    let opened = match place.open().await {
        Ok(opened) => opened,
        Err(e) => return failed(e),
    };
    let mut findings: Vec<Finding> = opened
        .warnings
        .iter()
        .map(|words| Finding::new("store", subject.clone(), Verdict::Warning, words))
        .collect();
    findings.extend(newer(&subject, &opened.backend).await);
    let mut checks = conformance::check(&opened.backend, &space).await;
    drop(opened);
    match place.open().await {
        Ok(again) => checks.push(conformance::survives(&again.backend, &space).await),
        Err(e) => findings.extend(failed(e)),
    }
    findings.extend(store(&subject, &checks));
    findings
}

/// The finding that a newer version wrote the store.
async fn newer(subject: &str, store: &Arc<dyn Backend>) -> Option<Finding> {
    // What fails here the self-test tells.
    let cursor = store.get(keys::CURSOR).await.ok()??;
    let newer = format::check(format::of(&cursor)).err()?;
    Some(Finding::new(
        "store",
        subject,
        Verdict::Failed,
        newer.to_string(),
    ))
}

fn table(findings: &[Finding]) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(["", "part", "what", "finding"]);
    for finding in findings {
        let mark = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Skipped => "skipped",
            Verdict::Failed => "FAILED",
        };
        table.add_row([mark, finding.part, &finding.subject, &finding.words]);
    }
    table.to_string()
}
