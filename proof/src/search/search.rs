//! The search: every single mishap of a scenario, then pairs of them; how many there are, how many were
//! tried, and which failed. Of a pair, mishaps that leave everything as another one does are left out
//! ([`Mishap::distinct`]).

use super::{
    play::{self, Played, Script},
    scenario::Scenario,
};
use host_test::mishap::Mishap;
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

/// Failures that are kept in words.
const FAILURES_TOLD: usize = 20;

/// What a search of one scenario found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Tally {
    /// The scenario.
    pub scenario: &'static str,
    /// What happens in it.
    pub what: &'static str,
    /// Host calls without mishaps.
    pub host_calls: usize,
    /// Single mishaps, each of them tried.
    pub singles: usize,
    /// Pairs of mishaps that there are.
    pub pairs: usize,
    /// Of these tried.
    pub pairs_tried: usize,
    /// Runs with a finding.
    pub failures: usize,
    /// The first of them, in words.
    pub told: Vec<String>,
}

/// A scenario and its runs with one mishap each.
pub struct Singles<'a> {
    scenario: &'a Scenario,
    tally: Tally,
    /// A distinct mishap, and the names of the calls of the run that it befell.
    runs: Vec<((usize, Mishap), Vec<String>)>,
}

/// Tries every single mishap of a scenario.
pub fn every_single(scenario: &Scenario) -> Singles<'_> {
    let plain = play::run(scenario, &[]);
    let points: Vec<(usize, Mishap)> = following(&plain.calls, 0, Mishap::of).collect();
    let played = all(&points, None, |point| play::run(scenario, &[*point]));
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
    for (point, played) in points.into_iter().zip(played) {
        let Some(played) = played else { continue };
        singles.tally.enter(&vec![point], &played);
        let call = played.calls.get(point.0 - 1);
        if call.is_some_and(|call| Mishap::distinct(call).contains(&point.1)) {
            singles.runs.push((point, played.calls));
        }
    }
    singles
}

/// Every mishap `of` every call behind the first `done`.
pub(super) fn following(
    calls: &[String],
    done: usize,
    of: fn(&str) -> &'static [Mishap],
) -> impl Iterator<Item = (usize, Mishap)> {
    let numbered = (1..).zip(calls).skip(done);
    numbered.flat_map(move |(number, call)| of(call).iter().map(move |mishap| (number, *mishap)))
}

impl Singles<'_> {
    /// Tries at most so many pairs: all when there are no more, else a sample drawn from `seed`. No
    /// further pair is begun after `until`. Gives the figures of all runs.
    pub fn with_pairs(mut self, most: usize, seed: u64, until: Option<Instant>) -> Tally {
        if most > 0 {
            self.pairs(most, seed, until);
        }
        self.tally
    }

    fn pairs(&mut self, most: usize, seed: u64, until: Option<Instant>) {
        // The second mishap is one of the run that the first befell, not of the plain run.
        let count = |(first, calls): &((usize, Mishap), Vec<String>)| {
            following(calls, first.0, Mishap::distinct).count()
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
        // Of millions of runs only those with a finding are kept, and told at once.
        let played = all(&scripts, until, |script| {
            let played = play::run(scenario, script);
            let found = !played.findings.is_empty();
            found.then(|| {
                eprintln!("{}", words(script, &played));
                played
            })
        });
        self.tally.pairs = total;
        for (script, played) in scripts.iter().zip(played) {
            let Some(played) = played else { continue };
            self.tally.pairs_tried += 1;
            if let Some(played) = played {
                self.tally.enter(script, &played);
            }
        }
    }

    fn pair(&self, counts: &[usize], mut index: usize) -> Option<Script> {
        for ((first, calls), count) in self.runs.iter().zip(counts) {
            if index < *count {
                let second = following(calls, first.0, Mishap::distinct).nth(index)?;
                return Some(vec![*first, second]);
            }
            index -= count;
        }
        None
    }
}

impl Tally {
    fn enter(&mut self, script: &Script, played: &Played) {
        if played.findings.is_empty() {
            return;
        }
        fail(&mut self.failures, &mut self.told, || words(script, played));
    }
}

/// Counts a run with a finding; the first ones are kept in words.
pub(super) fn fail(failures: &mut usize, told: &mut Vec<String>, words: impl FnOnce() -> String) {
    *failures += 1;
    if told.len() < FAILURES_TOLD {
        told.push(words());
    }
}

/// What befell a run, and what was found then.
fn words(script: &Script, played: &Played) -> String {
    let findings: Vec<String> = played.findings.iter().map(ToString::to_string).collect();
    let point = |(number, mishap): &(usize, Mishap)| {
        let call = played.calls.get(number - 1).map_or("?", String::as_str);
        format!("{number} {call}: {mishap:?}")
    };
    let script: Vec<String> = script.iter().map(point).collect();
    format!("[{}] {}", script.join(", "), findings.join("; "))
}

/// Does every job on every core; none for those that were not begun before `until`.
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
    // A mutant is one thread's; what is searched without a protection is so on every core.
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
