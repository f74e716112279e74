//! Runs the scenarios with vendors of many personalities, and with single faults that are drawn.

use super::{
    faults::{self, fail, following},
    history,
    run::{self, Ended, Script},
    scenario::Scenario,
};
use host_test::host_fault::HostFault;
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sim::{Habit, Personality};
use std::{collections::BTreeMap, fmt::Write};

/// How many personalities each scenario meets.
pub const PERSONALITIES: u64 = 240;
/// How many single faults are drawn for a scenario at a personality.
pub const FAULTS: usize = 6;

/// The result.
#[derive(Debug, Default)]
pub struct Met {
    /// How many personalities every scenario met.
    pub personalities: usize,
    /// The runs of each habit.
    pub habits: BTreeMap<Habit, usize>,
    /// All runs.
    pub runs: usize,
    /// Runs with a finding.
    pub failures: usize,
    /// The first of them, in words.
    pub told: Vec<String>,
}

/// Runs every scenario with the first `count` personalities that are drawn from `seed` on, without
/// and with faults.
pub fn every_scenario(scenarios: &[Scenario], count: u64, seed: u64) -> Met {
    let open = history::open_habits();
    let drawn = (seed..seed.saturating_add(count)).map(|seed| {
        let drawn = Personality::drawn(seed);
        let habits = drawn.habits().iter().copied();
        Personality::of(habits.filter(|habit| !open.contains(habit)))
    });
    let drawn: Vec<Personality> = drawn.collect();
    let each = |personality| {
        scenarios
            .iter()
            .map(move |scenario| (personality, scenario))
    };
    let jobs: Vec<(&Personality, &Scenario)> = drawn.iter().flat_map(each).collect();
    let mut met = Met {
        personalities: drawn.len(),
        ..Met::default()
    };
    let ended = faults::all(&jobs, None, |(personality, scenario)| {
        runs(personality, scenario, seed)
    });
    for ((personality, scenario), runs) in jobs.iter().zip(ended.into_iter().flatten()) {
        for (script, ended) in runs {
            met.enter(personality, scenario, &script, &ended);
        }
    }
    met
}

/// A scenario with a personality: without a fault, then with one at a time.
fn runs(personality: &Personality, scenario: &Scenario, seed: u64) -> Vec<(Script, Ended)> {
    let run = |script: Script| {
        let ended = run::scenario_at(personality, scenario, &script);
        (script, ended)
    };
    let plain = run(Vec::new());
    let all: Vec<_> = following(&plain.1.calls, 0, HostFault::of).collect();
    let mut rng = StdRng::seed_from_u64(seed);
    let faults: Vec<_> = all.choose_multiple(&mut rng, FAULTS).copied().collect();
    let faulty = faults.into_iter().map(|fault| run(vec![fault]));
    std::iter::once(plain).chain(faulty).collect()
}

impl Met {
    fn enter(&mut self, of: &Personality, scenario: &Scenario, script: &Script, ended: &Ended) {
        self.runs += 1;
        for habit in of.habits() {
            *self.habits.entry(*habit).or_default() += 1;
        }
        if !ended.findings.is_empty() {
            let name = scenario.name;
            fail(&mut self.failures, &mut self.told, || {
                format!("{name} at {of}: {}", faults::words(script, ended))
            });
        }
    }
}

/// How often each habit occurred, in Markdown.
pub(super) fn table(met: &Met) -> String {
    let mut table = String::from("| habit | what it is | runs |\n|---|---|---:|\n");
    for habit in Habit::ALL {
        let runs = met.habits.get(habit).copied().unwrap_or_default();
        // Writing to a text cannot fail.
        let _ = writeln!(table, "| `{habit:?}` | {} | {runs} |", habit.words());
    }
    table
}
