//! Runs several instances of the plugin over one store and the same vendors, in one thread and
//! virtual time, in every order of their host calls within a bound. At the end of each run the
//! proof's checker says what is lost, doubled, stuck or wrong; it sees only the vendors' records. A
//! schedule is a short list of departures from "the instance that runs goes on", so that each can
//! be repeated. There are no snapshots: each schedule runs from the beginning. Time passes only
//! while every instance waits.
//!
//! Left out as equal: a switch just before an instance reads a key that no other instance ever
//! writes. The others' calls do not change what it reads, so a switch after the read makes the same
//! run. The runs themselves show which keys these are; the search repeats until no new key is
//! written. Where the instance may still be frozen nothing is left out, because time would pass.

mod act;
mod board;
mod report;
mod run;
mod scenario;

pub use report::{Broken, Report};
pub use scenario::{SCENARIOS, Scenario, THREE, named};

use rand::{Rng, SeedableRng, rngs::StdRng};
use run::{Chooser, Told, Turn};
use std::{collections::BTreeSet, ops::Range, time::Duration, time::Instant};

/// How many departures a schedule may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// How often an instance that could go on must wait for another one.
    pub switches: usize,
    /// How often an instance is frozen before a host call while the others go on.
    pub freezes: usize,
}

/// A departure at a decision (there is a decision before every host call).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// This instance goes on instead.
    To(usize),
    /// The instance whose turn it is stands still for this long.
    Freeze(Duration),
}

/// A schedule: departures by the number of the decision, ascending.
pub type Schedule = Vec<(usize, Move)>;

/// The longest freeze during which a frozen host's upstream call or write still ends under the
/// lease: the plugin's outbound timeout. Longer freezes happen at reads, the lease and deliveries
/// only.
const SHORT: Duration = Duration::from_secs(8);
/// How many broken schedules are kept for the report.
const KEPT: usize = 5;

/// What each instance has written so far, over all runs.
type Written = Vec<BTreeSet<String>>;

struct Search<'s> {
    scenario: &'s Scenario,
    bound: Bound,
    /// The keys known to be written when the search began.
    known: Written,
    /// The keys that were seen being written.
    seen: Written,
    /// Whether some schedule was left out as equal to another one.
    left_out: bool,
    report: Report,
}

/// Runs every schedule of `scenario` within `bound`. Must not be called within an async runtime:
/// each schedule has one of its own.
pub fn search(scenario: &Scenario, bound: Bound) -> Report {
    search_over(scenario, bound, true)
}

/// The same search, but leases are removed before every host call, and only doubles count: the
/// control that shows that the search finds what the lease prevents.
pub fn search_without_lease(scenario: &Scenario, bound: Bound) -> Report {
    search_over(scenario, bound, false)
}

fn search_over(scenario: &Scenario, bound: Bound, lease: bool) -> Report {
    let began = Instant::now();
    let mut known: Written = vec![BTreeSet::new(); scenario.instances];
    // Nothing is left out of the first round, so it is a small one.
    let mut within = Bound {
        switches: bound.switches.min(1),
        freezes: 0,
    };
    let mut runs = 0;
    loop {
        let mut search = Search {
            scenario,
            bound: within,
            known: known.clone(),
            seen: known.clone(),
            left_out: false,
            report: Report::new(scenario, within, lease),
        };
        search.all_after(&Schedule::new());
        let Search {
            seen,
            left_out,
            mut report,
            ..
        } = search;
        runs += report.schedules;
        let complete = within == bound && (seen == known || !left_out);
        if complete || report.broken_in_all > 0 {
            report.runs = runs;
            report.took = began.elapsed();
            return report;
        }
        known = seen;
        within = bound;
    }
}

/// Repeats one schedule; returns what is wrong at its end and the calls in their order.
pub fn replay(scenario: &Scenario, schedule: &Schedule) -> (Vec<String>, Vec<String>) {
    let told = run::run(scenario, Chooser::script(schedule), true);
    let calls = told.turns.iter().map(Turn::to_string).collect();
    (told.wrong, calls)
}

/// Runs one schedule for each seed, drawn at every host call, with up to two freezes in each.
pub fn random(scenario: &Scenario, seeds: Range<u64>) -> Report {
    let began = Instant::now();
    let bound = Bound {
        switches: usize::MAX,
        freezes: 2,
    };
    let mut report = Report::new(scenario, bound, true);
    report.seeds = Some(seeds.clone());
    for seed in seeds {
        let mut rng = StdRng::seed_from_u64(seed);
        // Some runs have many departures, some hardly any.
        let restless = rng.random_range(0.02..0.6);
        let chooser = Chooser::drawn(Box::new(rng), restless, bound.freezes);
        let told = run::run(scenario, chooser, true);
        report.count(&told);
    }
    report.runs = report.schedules;
    report.took = began.elapsed();
    report
}

impl Search<'_> {
    /// Runs `schedule` and every schedule that begins with it.
    fn all_after(&mut self, schedule: &Schedule) {
        let told = run::run(
            self.scenario,
            Chooser::script(schedule),
            self.report.with_lease,
        );
        for turn in &told.turns {
            if let (Some(by), Some(key)) = (turn.ran(), turn.written())
                && let Some(seen) = self.seen.get_mut(by)
            {
                seen.insert(key.to_owned());
            }
        }
        self.report.count(&told);
        let from = schedule.last().map_or(0, |(number, _)| number + 1);
        for (number, departure) in self.departures(schedule, &told, from) {
            if self.report.broken_in_all >= KEPT {
                return;
            }
            let mut longer = schedule.clone();
            longer.push((number, departure));
            self.all_after(&longer);
        }
    }

    /// The departures that `told` could have made from decision `from` on.
    fn departures(&mut self, schedule: &Schedule, told: &Told, from: usize) -> Vec<(usize, Move)> {
        let is_freeze = |(_, m): &&(usize, Move)| matches!(m, Move::Freeze(_));
        let freezes = schedule.iter().filter(is_freeze).count();
        let switches = told.forced_switches;
        let mut all = Vec::new();
        for (number, turn) in told.turns.iter().enumerate().skip(from) {
            let may_freeze = freezes < self.bound.freezes;
            if self.may_switch(turn, switches, may_freeze) {
                let others = turn.ready.iter().filter(|i| **i != turn.instance);
                all.extend(others.map(|i| (number, Move::To(*i))));
            }
            if may_freeze {
                let lengths = self.scenario.freezes.iter().copied();
                let allowed = lengths.filter(|d| *d <= SHORT || turn.may_sleep_long);
                all.extend(allowed.map(|d| (number, Move::Freeze(d))));
            }
        }
        all
    }

    fn may_switch(&mut self, turn: &Turn, switches: usize, may_freeze: bool) -> bool {
        if turn.just_switched {
            return false;
        }
        if !turn.went_on {
            // The instance that ran cannot go on: a choice, not a forced switch.
            return true;
        }
        if switches >= self.bound.switches {
            return false;
        }
        let nothing_known = self.known.iter().all(BTreeSet::is_empty);
        let is_written = |key: &str| {
            let others = self.known.iter().enumerate();
            let mut others = others.filter(|(i, _)| *i != turn.instance);
            others.any(|(_, written)| written.contains(key))
        };
        let matters = may_freeze || nothing_known || turn.read().is_none_or(is_written);
        self.left_out |= !matters;
        matters
    }
}
