//! `cargo soak kill`: `kill -9` at drawn moments under load, and after each what KiotViet was answered
//! 200 must be in the journal. At the end everything is processed and the checker looks.

use super::{
    journal::Journal,
    load::{Load, Tally},
    site::{Judged, Site, StoreKind},
};
use crate::child::Process;
use anyhow::Result;
use indicatif::ProgressBar;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Connections that deliver.
const CONNECTIONS: usize = 32;
/// New customers a round.
const CUSTOMERS: usize = 6;
/// Deliveries sent once more in a round.
const REPEATS: usize = 24;
/// A share of the kills comes while the host starts.
const WHILE_STARTING: f64 = 0.15;
/// The latest moment of such a kill after the start.
const STARTING: f64 = 2.0;
/// The latest moment of any other after the load began, seconds.
const SERVING: f64 = 1.2;

/// What is killed, and how often.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Kills.
    #[arg(long, default_value_t = 200)]
    pub rounds: usize,
    /// The store.
    #[arg(long, value_enum, default_value = "embedded")]
    pub store: StoreKind,
    /// Decides what is drawn; the machine decides the rest.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What was seen.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// The store.
    pub store: String,
    /// Decides what is drawn.
    pub seed: u64,
    /// Kills.
    pub kills: usize,
    /// Of these, before the host said that it serves.
    pub kills_while_starting: usize,
    /// With deliveries under way.
    pub kills_while_accepting: usize,
    /// With the worker's calls under way at a vendor.
    pub kills_while_processing: usize,
    /// Of these, with a create under way at Getfly.
    pub kills_in_a_create: usize,
    /// Deliveries sent, repeats and looks at the address too.
    pub sent: usize,
    /// Their answers by code.
    pub answers: String,
    /// Answers that stop KiotViet for good.
    pub forbidden_answers: usize,
    /// Deliveries answered 200.
    pub deliveries_answered_200: usize,
    /// Items in them.
    pub items_answered_200: usize,
    /// Items answered 200 that were missing after a start.
    pub missing_after_a_start: usize,
    /// Events in the journal at the end.
    pub events: usize,
    /// Customers of the shop.
    pub customers: usize,
    /// Accounts in Getfly.
    pub accounts: usize,
    /// Invoices of the shop.
    pub invoices: usize,
    /// Orders in Getfly.
    pub orders: usize,
    /// What the checker says of the end.
    #[serde(flatten)]
    pub judged: Judged,
    /// Exit code after SIGTERM at the end.
    pub exit_code: Option<i32>,
    /// Most memory of any of the hosts, MiB.
    pub peak_memory_mib: u64,
    /// The whole, seconds.
    pub took_seconds: u64,
}

impl Figures {
    /// What must not be, in words; empty when all is well.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.judged.findings.clone();
        if self.forbidden_answers > 0 {
            wrong.push(format!(
                "KiotViet was stopped by an answer: {}",
                self.answers
            ));
        }
        if self.missing_after_a_start > 0 {
            let missing = self.missing_after_a_start;
            wrong.push(format!(
                "{missing} items answered 200 were missing after a kill"
            ));
        }
        if self.exit_code != Some(0) {
            wrong.push(format!("SIGTERM ended it with {:?}", self.exit_code));
        }
        wrong
    }
}

/// Kills and starts; `program` is how the host is called.
pub async fn run(options: &Options, program: &[String]) -> Result<Figures> {
    let began = Instant::now();
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut site = Site::build(program, options.store, options.seed).await?;
    let mut figures = Figures {
        store: format!("{:?}", options.store).to_lowercase(),
        seed: options.seed,
        ..Figures::default()
    };
    let mut process = site.start()?;
    process.serves().await?;
    site.connect().await?;
    process.kill().await?;

    let mut journal = Journal::default();
    let mut seen = Tally::default();
    let mut before = VecDeque::new();
    let bar = ProgressBar::new(options.rounds as u64);
    for _ in 0..options.rounds {
        let mut process = site.start()?;
        let starting = rng.random_bool(WHILE_STARTING);
        if !starting {
            process.serves().await?;
            journal.check(&site).await?;
        }
        site.act(CUSTOMERS, &mut rng);
        let pause = Duration::from_millis(rng.random_range(0..40));
        let load = Load::begin(&site, CONNECTIONS, REPEATS, pause, before);
        let latest = if starting { STARTING } else { SERVING };
        // Squared: more of the early moments, when most deliveries are under way.
        let after = latest * rng.random::<f64>().powi(2);
        tokio::time::sleep(Duration::from_secs_f64(after)).await;
        figures.count(&site, &process, &load, starting);
        process.kill().await?;
        let (tally, sent) = load.end().await;
        before = sent;
        seen.merge(tally);
        bar.inc(1);
    }
    bar.finish_and_clear();

    let mut process = site.start()?;
    process.serves().await?;
    let load = Load::begin(&site, CONNECTIONS, 0, Duration::ZERO, before);
    while !load.is_done() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    seen.merge(load.end().await.0);
    let unfinished = site.settle().await?;
    journal.check(&site).await?;
    figures.note_memory(&process);
    figures.exit_code = process.stop().await?;

    figures.sent = seen.sent();
    figures.answers = seen.by_code();
    figures.forbidden_answers = seen.forbidden();
    let answered = site.kiotviet.answered();
    figures.deliveries_answered_200 = answered.iter().filter(|a| a.accepted()).count();
    figures.items_answered_200 = site.promised().values().sum();
    figures.missing_after_a_start = journal.missing.len();
    figures.events = journal.events.values().sum();
    figures.customers = site.kiotviet.customers().len();
    figures.accounts = site.getfly.accounts().len();
    figures.invoices = site.kiotviet.invoices().len();
    figures.orders = site.getfly.orders().len();
    figures.judged = site.judge(unfinished);
    figures.judged.findings.extend(journal.missing);
    figures.took_seconds = began.elapsed().as_secs();
    Ok(figures)
}

impl Figures {
    /// What is going on at the moment of a kill.
    fn count(&mut self, site: &Site, process: &Process, load: &Load, starting: bool) {
        self.kills += 1;
        self.note_memory(process);
        if starting {
            self.kills_while_starting += 1;
            return;
        }
        self.kills_while_accepting += usize::from(load.under_way() > 0);
        let calls = site.getfly_calls_under_way();
        let writes = calls.iter().any(|method| method != http::Method::GET);
        self.kills_while_processing += usize::from(!calls.is_empty());
        self.kills_in_a_create += usize::from(writes);
    }

    fn note_memory(&mut self, process: &Process) {
        if let Some((_, peak)) = process.memory() {
            self.peak_memory_mib = self.peak_memory_mib.max(peak / 1024 / 1024);
        }
    }
}
