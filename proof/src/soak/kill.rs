//! `cargo soak kill`: `kill -9` at drawn moments under load. After each, every delivery that
//! KiotViet was answered 200 for must be in the journal. At the end everything is processed and the
//! checker judges.
//!
//! A killed worker's lease keeps the next one idle until its slot of 30 s is over. So every fifth
//! round waits until the worker works and kills it at a call; the rounds between use the time until
//! then.

use super::{
    Print,
    journal::Journal,
    load::{Load, Seen},
    site::{Judged, Site, StoreKind},
    watch::{Hold, Step},
};
use anyhow::{Result, ensure};
use host_test::program::Program;
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
/// How many deliveries a round repeats.
const REPEATS: usize = 24;
/// Of the rounds that do not wait for the worker, this share kills while the host starts.
const WHILE_STARTING: f64 = 0.15;
/// The latest moment of such a kill after the start.
const STARTING: f64 = 2.0;
/// Half of the others kill while deliveries are under way, at most this many seconds after the
/// first.
const ACCEPTING: f64 = 0.03;
/// The latest moment of the other half after the load began, seconds.
const SERVING: f64 = 1.2;
/// Each connection's rest after an answer in a round that waits for the worker, which takes long.
const WAITING_PAUSE: Duration = Duration::from_millis(100);
/// How long a worker may take to reach the call at which it is killed: two slots of a killed
/// worker's lease, a pause after a failed call, and time to spare.
const WORKS_WITHIN: Duration = Duration::from_secs(300);
/// Pause between two looks at what is under way.
const LOOK: Duration = Duration::from_millis(2);
/// The latest moment of a kill at a call that the vendors hold, in seconds after deliveries have
/// come meanwhile: much sooner than the worker's timeout.
const HELD: f64 = 0.06;
/// The latest moment of a kill after the answer to a create, in seconds: by then its outcome is
/// written, and the next event has begun.
const ANSWERED: f64 = 0.04;
/// A kill this soon after the answer to a create counts as just after it.
const JUST_AFTER: Duration = Duration::from_millis(50);
/// The last create that is held or waited for: a round's own customers make more.
const CREATES: usize = 4;
/// The last other call that is held: a round's own customers make more.
const OTHERS: usize = 12;

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
    /// Every so many rounds, the first included, wait until the worker works and kill it at a call.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub at_work_every: u32,
    /// How the figures are printed.
    #[command(flatten)]
    pub print: Print,
}

/// Where the worker for which a round waits is killed.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// At a call that the vendors hold.
    Held(Hold),
    /// When this many creates were answered: between two calls, or at the next.
    Answered(usize),
}

impl Aim {
    /// The aims take turns, so that each is used as often as the others.
    fn of(turn: u64, rng: &mut StdRng) -> Self {
        let creates = rng.random_range(0..CREATES);
        let others = rng.random_range(0..OTHERS);
        let at = match turn % 4 {
            0 => Step::BeforeItsEffect,
            1 => Step::Other,
            2 => Step::AfterItsEffect,
            _ => return Self::Answered(creates + 1),
        };
        let passes = if at == Step::Other { others } else { creates };
        let late = rng.random_bool(0.5);
        Self::Held(Hold { at, passes, late })
    }

    fn is_reached(self, site: &Site) -> bool {
        match self {
            Self::Held(hold) => site.watch.holds(hold.at),
            Self::Answered(creates) => site.watch.created().0 >= creates,
        }
    }
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// The store.
    pub store: String,
    /// Decides what is drawn.
    pub seed: u64,
    /// Kills.
    pub kills: usize,
    /// Of these, within 2 s of the start of the process, whether it served by then or not.
    pub kills_within_2_s_of_the_start: usize,
    /// With deliveries under way, in the other rounds.
    pub kills_while_accepting: usize,
    /// Rounds whose kill was to come while the vendors hold a call.
    pub rounds_at_a_held_call: usize,
    /// How many of these killed while the call was held.
    pub kills_at_a_held_call: usize,
    /// With a call of the worker under way at a vendor, whatever the aim of the round.
    pub kills_at_work: usize,
    /// In a call that creates no record.
    pub kills_in_another_call: usize,
    /// In a create in Getfly that had no effect yet; half of those that were held took effect a
    /// second later.
    pub kills_before_a_creates_effect: usize,
    /// In a create in Getfly that had taken effect, without an answer.
    pub kills_after_a_creates_effect: usize,
    /// With no call under way, at most 50 ms after a create was answered with success.
    pub kills_just_after_a_create: usize,
    /// Deliveries sent, repeats too.
    pub sent: usize,
    /// Their answers by code.
    pub answers: String,
    /// Looks at the webhook's address, by code.
    pub looks: String,
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
    /// The checker's judgement of the end.
    #[serde(flatten)]
    pub judged: Judged,
    /// Exit code after SIGTERM at the end.
    pub exit_code: Option<i32>,
    /// Most memory of any of the hosts, MiB.
    pub peak_memory_mib: u64,
    /// The time of the whole, seconds.
    pub took_seconds: u64,
}

impl Figures {
    /// What is wrong, in words; empty if all is well.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.judged.findings.clone();
        if self.forbidden_answers > 0 {
            wrong.push(format!(
                "KiotViet was stopped by an answer: {}; {}",
                self.answers, self.looks
            ));
        }
        // By construction none is missed: the vendors hold a call until the kill.
        let (rounds, kills) = (self.rounds_at_a_held_call, self.kills_at_a_held_call);
        if kills != rounds {
            wrong.push(format!(
                "of {rounds} kills meant for a held call {kills} came there"
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

/// Kills and starts the host; `program` is the host's command.
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
    // It releases its lease, so that the first round need not wait for it.
    process.stop().await?;

    let mut journal = Journal::default();
    let mut seen = Seen::default();
    let mut before = VecDeque::new();
    let bar = ProgressBar::new(options.rounds as u64);
    let rounds = 0..options.rounds as u64;
    let every = u64::from(options.at_work_every);
    for round in rounds {
        let at_work = round.is_multiple_of(every);
        let aim = at_work.then(|| Aim::of(options.seed.wrapping_add(round / every), &mut rng));
        site.watch.anew(match aim {
            Some(Aim::Held(hold)) => Some(hold),
            _ => None,
        });
        let mut process = site.start()?;
        let starting = !at_work && rng.random_bool(WHILE_STARTING);
        if !starting {
            process.serves().await?;
            journal.check(&site).await?;
        }
        site.act(CUSTOMERS, &mut rng);
        let pause = Duration::from_millis(rng.random_range(0..40));
        let pause = if at_work { WAITING_PAUSE } else { pause };
        let load = Load::begin(&site, CONNECTIONS, REPEATS, pause, before);
        match aim {
            Some(aim) => come_to(aim, &mut site, &load, &mut rng).await?,
            None if starting => wait_up_to(STARTING, &mut rng).await,
            None if rng.random_bool(0.5) => {
                deliveries_come(&load).await?;
                wait_up_to(ACCEPTING, &mut rng).await;
            }
            None => wait_up_to(SERVING, &mut rng).await,
        }
        figures.count(&site, &process, &load, aim, starting);
        process.kill().await?;
        let (answers, sent) = load.end().await;
        before = sent;
        seen.merge(answers);
        bar.inc(1);
    }
    bar.finish_and_clear();

    site.watch.anew(None);
    let mut process = site.start()?;
    process.serves().await?;
    let load = Load::begin(&site, CONNECTIONS, 0, Duration::ZERO, before);
    load.until_done().await?;
    seen.merge(load.end().await.0);
    let unfinished = site.settle().await?;
    journal.check(&site).await?;
    figures.note_memory(&process);
    figures.exit_code = process.stop().await?.0;

    figures.sent = seen.deliveries.sent();
    figures.answers = seen.deliveries.by_code();
    figures.looks = seen.looks.by_code();
    figures.forbidden_answers = seen.forbidden();
    let answered = site.kiotviet().answered();
    figures.deliveries_answered_200 = answered.iter().filter(|a| a.accepted()).count();
    figures.items_answered_200 = site.promised().values().sum();
    figures.missing_after_a_start = journal.missing.len();
    figures.events = journal.events.values().sum();
    figures.customers = site.kiotviet().customers().len();
    figures.accounts = site.getfly().accounts().len();
    figures.invoices = site.kiotviet().invoices().len();
    figures.orders = site.getfly().orders().len();
    figures.judged = site.judge(unfinished);
    figures.judged.findings.extend(journal.missing);
    figures.took_seconds = began.elapsed().as_secs();
    Ok(figures)
}

/// Waits until the worker is where it is to be killed, with deliveries coming in, and then for a
/// drawn moment.
async fn come_to(aim: Aim, site: &mut Site, load: &Load, rng: &mut StdRng) -> Result<()> {
    let began = Instant::now();
    let mut is_new = true;
    loop {
        while !aim.is_reached(site) {
            let waited = began.elapsed();
            ensure!(waited < WORKS_WITHIN, "no worker came to {aim:?}");
            tokio::time::sleep(LOOK).await;
        }
        let latest = match aim {
            Aim::Answered(_) => ANSWERED,
            Aim::Held(_) => {
                if is_new {
                    site.act(CUSTOMERS, rng);
                    deliveries_come(load).await?;
                }
                HELD
            }
        };
        is_new = false;
        wait_up_to(latest, rng).await;
        // On a machine that stood still, the call may have timed out.
        if aim.is_reached(site) {
            return Ok(());
        }
    }
}

/// Waits until a delivery is under way, or all are done already.
async fn deliveries_come(load: &Load) -> Result<()> {
    let come = |load: &Load| (load.under_way() > 0 || load.is_done()).then_some(());
    load.until("a delivery under way", come).await
}

async fn wait_up_to(latest: f64, rng: &mut StdRng) {
    tokio::time::sleep(Duration::from_secs_f64(latest * rng.random::<f64>())).await;
}

impl Figures {
    /// What is under way at the moment of a kill.
    fn count(
        &mut self,
        site: &Site,
        process: &Program,
        load: &Load,
        aim: Option<Aim>,
        starting: bool,
    ) {
        if let Some(Aim::Held(Hold { at, .. })) = aim {
            self.rounds_at_a_held_call += 1;
            self.kills_at_a_held_call += usize::from(site.watch.holds(at));
        }
        let steps = site.watch.under_way();
        let any = |step| usize::from(steps.contains(&step));
        self.kills += 1;
        self.kills_within_2_s_of_the_start += usize::from(starting);
        self.kills_while_accepting += usize::from(!starting && load.under_way() > 0);
        self.kills_at_work += usize::from(!steps.is_empty());
        self.kills_before_a_creates_effect += any(Step::BeforeItsEffect);
        self.kills_after_a_creates_effect += any(Step::AfterItsEffect);
        self.kills_in_another_call += any(Step::Other);
        let (_, created) = site.watch.created();
        let just = created.is_some_and(|at| at.elapsed() < JUST_AFTER);
        self.kills_just_after_a_create += usize::from(steps.is_empty() && just);
        self.note_memory(process);
    }

    fn note_memory(&mut self, process: &Program) {
        self.peak_memory_mib = self.peak_memory_mib.max(process.peak_mebibytes());
    }

    /// The row of `docs/soak.md`, under its head.
    pub(super) fn markdown(&self) -> String {
        let of = |there: usize, all: usize| format!("{there} of {all}");
        let judged = &self.judged;
        let row = [
            ("store", self.store.clone()),
            ("kills", self.kills.to_string()),
            (
                "within 2 s of the start",
                self.kills_within_2_s_of_the_start.to_string(),
            ),
            ("while accepting", self.kills_while_accepting.to_string()),
            ("in another call", self.kills_in_another_call.to_string()),
            (
                "in a create, before its effect",
                self.kills_before_a_creates_effect.to_string(),
            ),
            (
                "in a create, after it",
                self.kills_after_a_creates_effect.to_string(),
            ),
            (
                "just after a create",
                self.kills_just_after_a_create.to_string(),
            ),
            ("items answered 200", self.items_answered_200.to_string()),
            (
                "missing after a start",
                self.missing_after_a_start.to_string(),
            ),
            ("accounts of customers", of(self.accounts, self.customers)),
            ("orders of invoices", of(self.orders, self.invoices)),
            ("lost", judged.lost.to_string()),
            ("doubled", judged.doubled.to_string()),
            ("stuck", judged.stuck.to_string()),
            ("wrong", judged.wrong.to_string()),
            ("forbidden answers", self.forbidden_answers.to_string()),
            ("peak memory", format!("{} MiB", self.peak_memory_mib)),
            ("took", format!("{} min", self.took_seconds.div_ceil(60))),
        ];
        let line = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
        let head = line(row.iter().map(|(name, _)| *name).collect());
        let rule = line(row.iter().map(|_| "---:").collect()).replacen("---:", "---", 1);
        let figures = line(row.iter().map(|(_, figure)| &**figure).collect());
        [head, rule, figures].join("\n")
    }
}
