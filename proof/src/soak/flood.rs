//! `cargo soak flood`: far more clients than a shop has, all at once, many of them bad, while both
//! vendors hang. The host must stay within its memory, KiotViet must never get a code that stops
//! it, and what was answered 200 must exist after a stop in the middle of the flood.

use super::{
    Print,
    clients::{self, Bad, BadClients},
    journal::Journal,
    load::{COMES_WITHIN, Load},
    site::{Judged, Site, StoreKind},
};
use crate::load::Tally;
use anyhow::{Result, ensure};
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;
use sim::{Fault, FaultRule};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Customers of the shop; every second one buys.
const CUSTOMERS: usize = 40;
/// Pause between two looks at the host.
const LOOK: Duration = Duration::from_millis(200);
/// The most memory that clients can make the host use, by its parts (`docs/operating.md`): 96 MiB
/// idle; 64 MiB of the embedded store's pages; 64 instances of 4 MiB, beyond which none is used
/// again; six large bodies with 40 MiB in their instance and three copies of 5 MiB on the way
/// there; a header and a body of 64 KiB for each of 768 connections.
pub(super) const MEMORY_MIB: u64 = 96 + 64 + 64 * 4 + 6 * (40 + 3 * 5) + 768 * 2 / 16;

/// What the host is flooded with.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Connections that deliver, one delivery after another.
    #[arg(long, default_value_t = 320)]
    pub connections: usize,
    /// Deliveries sent one after another. After them, looks at the webhook's address fill the time, and every
    /// hundredth is a delivery still.
    #[arg(long, default_value_t = 20_000)]
    pub deliveries: usize,
    /// Each connection's rest after an answer, milliseconds.
    #[arg(long, default_value_t = 0)]
    pub pause: u64,
    /// How often each bad client comes.
    #[arg(long, default_value_t = 3)]
    pub bad_rounds: usize,
    /// The store.
    #[arg(long, value_enum, default_value = "embedded")]
    pub store: StoreKind,
    /// Decides what is drawn; the machine decides the rest.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// How the figures are printed.
    #[command(flatten)]
    pub print: Print,
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// The store.
    pub store: String,
    /// Connections that delivered.
    pub connections: usize,
    /// How long both vendors hung and the clients went on, seconds.
    pub flooded_seconds: f64,
    /// Deliveries sent, repeats too.
    pub sent: usize,
    /// Their answers by code.
    pub answers: String,
    /// Times to them.
    pub answer_times: String,
    /// Looks at the webhook's address, by code.
    pub looks: String,
    /// Times to them.
    pub look_times: String,
    /// Looks at `/healthz`, by code.
    pub healthz: String,
    /// How many of these were 200.
    pub healthz_200: usize,
    /// Times to them.
    pub healthz_times: String,
    /// What the bad clients saw.
    #[serde(flatten)]
    pub bad: BadClients,
    /// Answers to KiotViet that stop it for good.
    pub forbidden_answers: usize,
    /// Memory before, MiB.
    pub memory_before_mib: u64,
    /// Most memory, MiB.
    pub peak_memory_mib: u64,
    /// Deliveries under way when SIGTERM came, in the middle of it.
    pub under_way_at_sigterm: usize,
    /// Exit code after it.
    pub exit_code: Option<i32>,
    /// Items answered 200.
    pub items_answered_200: usize,
    /// Of these, missing after the start that followed.
    pub missing: usize,
    /// Time from there until nothing waited, seconds.
    pub settled_seconds: f64,
    /// Accounts in Getfly, with the number of customers.
    pub accounts: String,
    /// Orders in Getfly, with the number of invoices.
    pub orders: String,
    /// The checker's judgement of the end.
    #[serde(flatten)]
    pub judged: Judged,
}

impl Figures {
    /// What is wrong, in words; empty if all is well.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.judged.findings.clone();
        wrong.extend(self.bad.not_as_documented.iter().cloned());
        if self.forbidden_answers > 0 {
            wrong.push(format!(
                "{} answers that stop KiotViet",
                self.forbidden_answers
            ));
        }
        if self.healthz_200 == 0 || self.healthz.contains("none") {
            let seen = &self.healthz;
            wrong.push(format!("/healthz was not answered, or never 200: {seen}"));
        }
        if self.missing > 0 {
            wrong.push(format!("{} items answered 200 are missing", self.missing));
        }
        if self.peak_memory_mib == 0 {
            wrong.push("the host's memory could not be read".to_owned());
        }
        if self.peak_memory_mib > MEMORY_MIB {
            wrong.push(format!(
                "the host took {} MiB, more than {MEMORY_MIB}",
                self.peak_memory_mib
            ));
        }
        if self.under_way_at_sigterm == 0 {
            wrong.push("SIGTERM came with no delivery under way".to_owned());
        }
        if self.exit_code != Some(0) {
            wrong.push(format!("SIGTERM ended it with {:?}", self.exit_code));
        }
        wrong
    }

    /// The rows of `docs/soak.md`.
    pub(super) fn markdown(&self) -> String {
        let judged = &self.judged;
        let rows = [
            ("store", self.store.clone()),
            ("both vendors hang", format!("{} s", self.flooded_seconds)),
            (
                "deliveries",
                format!(
                    "{} sent; {}; {}",
                    self.sent, self.answers, self.answer_times
                ),
            ),
            (
                "looks at the address",
                format!("{}; {}", self.looks, self.look_times),
            ),
            (
                "`/healthz`",
                format!("{}; {}", self.healthz, self.healthz_times),
            ),
            ("large bodies", self.bad.large_bodies.clone()),
            (
                "clients that never end their header",
                self.bad.half_headers.clone(),
            ),
            (
                "clients that never end their body",
                self.bad.half_bodies.clone(),
            ),
            (
                "slow readers cut off",
                format!(
                    "{} of {}",
                    self.bad.slow_readers_cut_off, self.bad.slow_readers
                ),
            ),
            (
                "memory",
                format!(
                    "{} MiB before, at most {} MiB",
                    self.memory_before_mib, self.peak_memory_mib
                ),
            ),
            (
                "SIGTERM in the middle",
                format!(
                    "{} deliveries under way; exit code {}",
                    self.under_way_at_sigterm,
                    self.exit_code.unwrap_or(-1)
                ),
            ),
            (
                "items answered 200",
                format!(
                    "{}, missing after the start: {}",
                    self.items_answered_200, self.missing
                ),
            ),
            (
                "at the end",
                format!(
                    "{} accounts, {} orders after {} s; lost {}, doubled {}, stuck {}, wrong {}, forbidden codes {}",
                    self.accounts,
                    self.orders,
                    self.settled_seconds,
                    judged.lost,
                    judged.doubled,
                    judged.stuck,
                    judged.wrong,
                    self.forbidden_answers
                ),
            ),
        ];
        let rows = rows.map(|(what, seen)| format!("| {what} | {seen} |"));
        format!("| what | seen |\n|---|---|\n{}", rows.join("\n"))
    }
}

/// Floods the host; `program` is the host's command.
pub async fn run(options: &Options, program: &[String]) -> Result<Figures> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut site = Site::build(program, options.store, options.seed).await?;
    let mut figures = Figures {
        store: format!("{:?}", options.store).to_lowercase(),
        connections: options.connections,
        ..Figures::default()
    };
    let mut process = site.start()?;
    process.serves().await?;
    site.connect().await?;
    figures.memory_before_mib = process.peak_mebibytes();
    site.kiotviet_faults.add(FaultRule::new(Fault::Hang));
    site.getfly_faults.add(FaultRule::new(Fault::Hang));
    site.act(CUSTOMERS, &mut rng);

    let began = Instant::now();
    let pause = Duration::from_millis(options.pause);
    let (connections, deliveries) = (options.connections, options.deliveries);
    // They come first, while a delivery waits from which they can make their own.
    let mut bad = Bad::begin(&site, options.bad_rounds)?;
    let load = Load::begin(&site, connections, deliveries, pause, VecDeque::new());
    load.keep_going();
    let mut health = Tally::default();
    // The bad clients may take this long each time they come.
    let within = COMES_WITHIN * u32::try_from(options.bad_rounds.max(1))?;
    while !(load.repeats_left() == 0 && bad.is_done()) {
        ensure!(
            began.elapsed() < within,
            "the clients do not come to an end"
        );
        clients::look_at_health(site.port, &mut health).await;
        tokio::time::sleep(LOOK).await;
    }
    figures.flooded_seconds = began.elapsed().as_secs_f64().round();
    figures.peak_memory_mib = process.peak_mebibytes();
    let mut seen = load.seen();
    // In the middle of the flood: the connections go on, and are refused from now on.
    let some = |load: &Load| Some(load.under_way()).filter(|under_way| *under_way > 0);
    figures.under_way_at_sigterm = load.until("a delivery under way", some).await?;
    figures.exit_code = process.stop().await?.0;
    let (later, _) = load.end().await;
    figures.forbidden_answers = later.forbidden();
    figures.bad = bad.end().await.figures();
    figures.forbidden_answers += figures.bad.forbidden;
    figures.sent = seen.deliveries.sent();
    figures.answers = seen.deliveries.by_code();
    figures.answer_times = seen.deliveries.latency();
    figures.looks = seen.looks.by_code();
    figures.look_times = seen.looks.latency();
    figures.forbidden_answers += seen.forbidden();
    figures.healthz = health.by_code();
    figures.healthz_200 = health.with(200);
    figures.healthz_times = health.latency();

    let mut process = site.start()?;
    process.serves().await?;
    let mut journal = Journal::default();
    journal.check(&site).await?;
    site.kiotviet_faults.clear();
    site.getfly_faults.clear();
    let began = Instant::now();
    let load = Load::begin(&site, 1, 0, pause, VecDeque::new());
    load.until_done().await?;
    load.end().await;
    let unfinished = site.settle().await?;
    figures.settled_seconds = began.elapsed().as_secs_f64().round();
    journal.check(&site).await?;
    process.stop().await?;
    figures.items_answered_200 = site.promised().values().sum();
    figures.missing = journal.missing.len();
    let (customers, invoices) = (site.kiotviet().customers(), site.kiotviet().invoices());
    figures.accounts = format!("{} of {}", site.getfly().accounts().len(), customers.len());
    figures.orders = format!("{} of {}", site.getfly().orders().len(), invoices.len());
    figures.judged = site.judge(unfinished);
    Ok(figures)
}
