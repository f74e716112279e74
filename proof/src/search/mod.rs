//! `cargo proof`: nothing lost, nothing doubled, nothing stuck, whichever host call goes wrong.
//! Every scenario is run with every fault at every host call, then with pairs of faults, over every
//! store, and by the component, trapped at instructions. Several instances race in every order. A
//! checker that sees only the vendors' records judges each run. The figures go into
//! `docs/proof.md`.

pub mod checker;
pub mod evidence;
pub mod faults;
mod findings;
pub mod history;
mod instances;
pub mod model;
pub mod personalities;
mod races;
mod report;
pub mod run;
pub mod scenario;
pub mod stores;
pub mod switched;
pub mod traps;

use anyhow::{Result, bail};
use host::runtime::Runtime;
use host_test::harness;
use report::{Found, Took};
use scenario::Scenario;
use std::{
    fs,
    time::{Duration, Instant},
};
use traps::{Plan, Trapped};

/// Fuel from one trap to the next.
const STRIDE: u64 = 2_500;
/// Draws of two traps in each scenario.
const TRAPPED_TWICE: usize = 300;

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
    /// Trap the component after each so much of wasmtime's fuel.
    #[arg(long, value_name = "FUEL", default_value_t = STRIDE, value_parser = clap::value_parser!(u64).range(1..))]
    pub stride: u64,
    /// Run the scenarios over this Redis too, e.g. redis://127.0.0.1:6379; all its databases are emptied.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Print the scenarios' figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Searches, prints the figures, and writes `docs/proof.md`; an error if a run had a finding.
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
    let whole = options.only.is_none();
    // What is missing is reported before the hours of search.
    let component = harness::component()?;
    let kinds = match whole {
        true => stores::every_kind(options.redis.as_deref())?,
        false => Vec::new(),
    };
    let mut took = Took::default();
    let traps = timed(&mut took.traps, || {
        every_trap(&scenarios, &component, options)
    });
    let stores = timed(&mut took.stores, || stores::every_single(&kinds));
    let races = timed(&mut took.races, || match whole {
        true => races::all(),
        false => Vec::new(),
    });
    let met = timed(&mut took.personalities, || {
        personalities::every_scenario(&scenarios, personalities::PERSONALITIES, options.seed)
    });
    let scenarios = timed(&mut took.scenarios, || every_scenario(&scenarios, options));
    let found = Found {
        scenarios,
        races,
        stores,
        traps,
        met,
        took,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&found.scenarios)?);
    } else {
        println!(
            "{}\n{}",
            report::table(&found.scenarios),
            traps::table(&found.traps)
        );
    }
    for told in found.told() {
        eprintln!("{told}");
    }
    if whole {
        let document = xtask::workspace_root().join("docs/proof.md");
        fs::write(document, report::document(&found, options))?;
    }
    match found.failures() {
        0 => Ok(()),
        failures => bail!("{failures} runs with a finding"),
    }
}

fn timed<T>(took: &mut Duration, run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let found = run();
    *took = began.elapsed();
    found
}

fn every_trap(scenarios: &[Scenario], component: &Runtime, options: &Options) -> Vec<Trapped> {
    let plan = |_: &Scenario, _| Plan {
        stride: options.stride,
        twice: TRAPPED_TWICE,
        seed: options.seed,
    };
    traps::every_scenario(scenarios, component, plan)
}

fn every_scenario(scenarios: &[Scenario], options: &Options) -> Vec<faults::Tally> {
    let budget = options.budget;
    let end = budget.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    // Every single fault first; the scenarios' pairs share the time that is left.
    let singles = scenarios.iter().map(|scenario| {
        eprintln!("{}: single faults", scenario.name);
        faults::every_single(scenario)
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
