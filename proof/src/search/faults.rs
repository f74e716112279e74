//! The search: every single fault of a scenario, then pairs of faults; it counts them, those that
//! were tried, and those that failed. Of a pair, faults with the same effect as another one are
//! left out ([`HostFault::distinct`]).

use super::{
    run::{self, Ended, Script},
    scenario::Scenario,
};
use host_test::host_fault::HostFault;
use plugin::mutant;
use rand::{SeedableRng, rngs::StdRng, seq::index};
use sim::lock;
use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

/// How many failures are kept in words.
const FAILURES_TOLD: usize = 20;

/// The result of one scenario's search.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Tally {
    /// The scenario.
    pub scenario: &'static str,
    /// What happens in it.
    pub what: &'static str,
    /// Host calls without faults.
    pub host_calls: usize,
    /// Single faults, each of them tried.
    pub singles: usize,
    /// How many pairs of faults exist.
    pub pairs: usize,
    /// How many of them were tried.
    pub pairs_tried: usize,
    /// Runs with a finding.
    pub failures: usize,
    /// The first of them, in words.
    pub told: Vec<String>,
}

/// A scenario and its runs with one fault each.
pub struct Singles<'a> {
    scenario: &'a Scenario,
    tally: Tally,
    /// A distinct fault, and the names of the calls of its run.
    runs: Vec<((usize, HostFault), Vec<String>)>,
}

/// Tries every single fault of a scenario.
pub fn every_single(scenario: &Scenario) -> Singles<'_> {
    let plain = run::scenario(scenario, &[]);
    let points: Vec<(usize, HostFault)> = following(&plain.calls, 0, HostFault::of).collect();
    let ended = all(&points, None, |point| run::scenario(scenario, &[*point]));
    let mut singles = Singles {
        scenario,
        tally: Tally {
            scenario: scenario.name,
            what: scenario.what,
            host_calls: plain.calls.len(),
            singles: points.len(),
            pairs: 0,
            pairs_tried: 0,
            failures: 0,
            told: Vec::new(),
        },
        runs: Vec::new(),
    };
    singles.tally.enter(&Vec::new(), &plain);
    for (point, ended) in points.into_iter().zip(ended) {
        let Some(ended) = ended else { continue };
        singles.tally.enter(&vec![point], &ended);
        let call = ended.calls.get(point.0 - 1);
        if call.is_some_and(|call| HostFault::distinct(call).contains(&point.1)) {
            singles.runs.push((point, ended.calls));
        }
    }
    singles
}

/// Every fault `of` every call after the first `done`.
pub(super) fn following(
    calls: &[String],
    done: usize,
    of: fn(&str) -> &'static [HostFault],
) -> impl Iterator<Item = (usize, HostFault)> {
    let numbered = (1..).zip(calls).skip(done);
    numbered.flat_map(move |(number, call)| of(call).iter().map(move |fault| (number, *fault)))
}

impl Singles<'_> {
    /// Tries at most `most` pairs: all if there are no more, else a sample drawn from `seed`. No
    /// further pair begins after `until`. Returns the figures of all runs.
    pub fn with_pairs(mut self, most: usize, seed: u64, until: Option<Instant>) -> Tally {
        if most > 0 {
            self.pairs(most, seed, until);
        }
        self.tally
    }

    fn pairs(&mut self, most: usize, seed: u64, until: Option<Instant>) {
        // The second fault is one of the run with the first, not of the plain run.
        let count = |(first, calls): &((usize, HostFault), Vec<String>)| {
            following(calls, first.0, HostFault::distinct).count()
        };
        let counts: Vec<usize> = self.runs.iter().map(count).collect();
        let total = counts.iter().sum();
        let mut rng = StdRng::seed_from_u64(seed);
        let chosen = index::sample(&mut rng, total, most.min(total));
        let scripts: Vec<Script> = chosen
            .iter()
            .filter_map(|index| self.pair(&counts, index))
            .collect();
        let scenario = self.scenario;
        // Of millions of runs only those with a finding are kept, and they are reported at once.
        let ended = all(&scripts, until, |script| {
            let ended = run::scenario(scenario, script);
            let found = !ended.findings.is_empty();
            found.then(|| {
                eprintln!("{}", words(script, &ended));
                ended
            })
        });
        self.tally.pairs = total;
        for (script, ended) in scripts.iter().zip(ended) {
            let Some(ended) = ended else { continue };
            self.tally.pairs_tried += 1;
            if let Some(ended) = ended {
                self.tally.enter(script, &ended);
            }
        }
    }

    fn pair(&self, counts: &[usize], mut index: usize) -> Option<Script> {
        for ((first, calls), count) in self.runs.iter().zip(counts) {
            if index < *count {
                let second = following(calls, first.0, HostFault::distinct).nth(index)?;
                return Some(vec![*first, second]);
            }
            index -= count;
        }
        None
    }
}

impl Tally {
    fn enter(&mut self, script: &Script, ended: &Ended) {
        if ended.findings.is_empty() {
            return;
        }
        fail(&mut self.failures, &mut self.told, || words(script, ended));
    }
}

/// Counts a run with a finding; the first ones are kept in words.
pub(super) fn fail(failures: &mut usize, told: &mut Vec<String>, words: impl FnOnce() -> String) {
    *failures += 1;
    if told.len() < FAILURES_TOLD {
        told.push(words());
    }
}

/// The faults of a run, and its findings.
pub(super) fn words(script: &Script, ended: &Ended) -> String {
    let findings: Vec<String> = ended.findings.iter().map(ToString::to_string).collect();
    let point = |(number, fault): &(usize, HostFault)| {
        let call = ended.calls.get(number - 1).map_or("?", String::as_str);
        format!("{number} {call}: {fault:?}")
    };
    let script: Vec<String> = script.iter().map(point).collect();
    format!("[{}] {}", script.join(", "), findings.join("; "))
}

/// Does every job on every core; none for jobs that were not begun before `until`.
pub(super) fn all<T: Sync, R: Send>(
    jobs: &[T],
    until: Option<Instant>,
    run: impl Fn(&T) -> R + Sync,
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::default()).collect();
    let work = || {
        while until.is_none_or(|until| Instant::now() < until) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(job), Some(result)) = (jobs.get(at), results.get(at)) else {
                break;
            };
            *lock(result) = Some(run(job));
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    // A mutant belongs to one thread; a search without a protection must be without it on every
    // core.
    let mutant = mutant::active();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let _active = mutant.map(mutant::activate);
                work();
            });
        }
    });
    let unlocked = |result: Mutex<Option<R>>| result.into_inner().unwrap_or_default();
    results.into_iter().map(unlocked).collect()
}
