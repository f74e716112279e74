//! `cargo proof`: nothing lost, nothing doubled, nothing stuck, whichever host call goes wrong. Every
//! scenario is played with every mishap at every host call, then with pairs of mishaps; a checker that
//! sees only the vendors' records judges each run; the figures go into `docs/proof.md`.

pub mod checker;
pub mod evidence;
mod findings;
pub mod history;
mod instances;
pub mod model;
pub mod play;
mod races;
mod report;
pub mod scenario;
pub mod search;
pub mod stores;
pub mod switched;

use anyhow::{Result, bail};
use scenario::Scenario;
use std::{
    fs,
    time::{Duration, Instant},
};

/// What is searched.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only this scenario; the document is left as it is.
    #[arg(long, value_name = "SCENARIO")]
    pub only: Option<String>,
    /// At most so many pairs a scenario, a sample where it has more; all of them when not given.
    #[arg(long, value_name = "N")]
    pub pairs: Option<usize>,
    /// Begin no further pairs after so many minutes; each scenario gets its share.
    #[arg(long, value_name = "MINUTES")]
    pub budget: Option<u64>,
    /// Decides which pairs are drawn.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Play the scenarios over this Redis too, e.g. redis://127.0.0.1:6379; all its databases are emptied.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Searches, prints the figures, and writes `docs/proof.md`; an error when a run had a finding.
pub fn run(options: &Options) -> Result<()> {
    let mut scenarios = scenario::all();
    if let Some(only) = &options.only {
        let names: Vec<&str> = scenarios.iter().map(|s| s.name).collect();
        let names = names.join(", ");
        scenarios.retain(|scenario| scenario.name == only);
        if scenarios.is_empty() {
            bail!("no scenario {only}; there are {names}");
        }
    }
    let began = Instant::now();
    let tallies = every_scenario(&scenarios, options, began);
    let scenarios_took = began.elapsed();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&tallies)?);
    } else {
        println!("{}", report::table(&tallies));
    }
    for told in tallies.iter().flat_map(|tally| &tally.told) {
        eprintln!("{told}");
    }
    let mut failures: usize = tallies.iter().map(|tally| tally.failures).sum();
    if options.only.is_none() {
        let races = races::all();
        failures += races.iter().map(|race| race.broken_in_all).sum::<usize>();
        let with_races = began.elapsed();
        let stores = stores::every_store(options.redis.as_deref())?;
        failures += stores.iter().map(|store| store.failures).sum::<usize>();
        let whole = began.elapsed();
        let took = report::Took {
            scenarios: scenarios_took,
            races: with_races - scenarios_took,
            stores: whole - with_races,
            whole,
        };
        let document = xtask::workspace_root().join("docs/proof.md");
        fs::write(
            document,
            report::document(&tallies, &races, &stores, options, &took),
        )?;
    }
    if failures > 0 {
        bail!("{failures} runs with a finding");
    }
    Ok(())
}

fn every_scenario(scenarios: &[Scenario], options: &Options, began: Instant) -> Vec<search::Tally> {
    let end = options
        .budget
        .map(|minutes| began + Duration::from_secs(60 * minutes));
    // Every single mishap first; what time is left is shared among the scenarios' pairs.
    let singles = scenarios.iter().map(|scenario| {
        eprintln!("{}: single mishaps", scenario.name);
        search::every_single(scenario)
    });
    let singles: Vec<_> = singles.collect();
    let mut left = u32::try_from(singles.len()).unwrap_or(1);
    let each = singles.into_iter().map(|singles| {
        let now = Instant::now();
        let until = end.map(|end| now + end.saturating_duration_since(now) / left);
        left -= 1;
        let most = options.pairs.unwrap_or(usize::MAX);
        let tally = singles.with_pairs(most, options.seed, until);
        eprintln!("{}", report::line(&tally));
        tally
    });
    each.collect()
}
