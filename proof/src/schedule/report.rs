//! What a search found, for people.

use super::{
    Bound, KEPT, Schedule,
    run::{Told, Turn},
    scenario::Scenario,
};
use std::{fmt, ops::Range, time::Duration};

/// A schedule that broke a guarantee.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The schedule, to run it again.
    pub schedule: Schedule,
    /// The host calls in their order: instance, call.
    pub calls: Vec<String>,
    /// What was wrong at the end.
    pub wrong: Vec<String>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Report {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The bound within which every schedule was run.
    pub bound: Bound,
    /// Whether the lease was in force.
    pub with_lease: bool,
    /// The seeds, if schedules were drawn.
    pub seeds: Option<Range<u64>>,
    /// Different schedules of the last round.
    pub schedules: usize,
    /// All runs, including those that only learned which keys are written.
    pub runs: usize,
    /// Host calls of the longest run.
    pub longest: usize,
    /// How many schedules broke a guarantee. A search ends after a few.
    pub broken_in_all: usize,
    /// The first of them.
    pub broken: Vec<Broken>,
    /// Wall clock.
    pub took: Duration,
}

impl Report {
    pub(super) fn new(scenario: &Scenario, bound: Bound, with_lease: bool) -> Self {
        Self {
            scenario: scenario.name,
            bound,
            with_lease,
            seeds: None,
            schedules: 0,
            runs: 0,
            longest: 0,
            broken_in_all: 0,
            broken: Vec::new(),
            took: Duration::ZERO,
        }
    }

    pub(super) fn count(&mut self, told: &Told) {
        self.schedules += 1;
        self.longest = self.longest.max(told.turns.len());
        if told.wrong.is_empty() {
            return;
        }
        self.broken_in_all += 1;
        if self.broken.len() < KEPT {
            self.broken.push(Broken {
                schedule: told.schedule.clone(),
                calls: told.turns.iter().map(Turn::to_string).collect(),
                wrong: told.wrong.clone(),
            });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, n, runs) = (self.scenario, self.schedules, self.runs);
        let (longest, took) = (self.longest, self.took.as_secs_f32());
        write!(f, "{name}: {n} schedules ")?;
        match &self.seeds {
            Some(seeds) => write!(f, "drawn from the seeds {} to {}", seeds.start, seeds.end)?,
            None => write!(
                f,
                "within {} forced switches and {} freezes",
                self.bound.switches, self.bound.freezes
            )?,
        }
        if !self.with_lease {
            write!(f, ", without the lease")?;
        }
        write!(
            f,
            "; {runs} runs of at most {longest} host calls in {took:.1} s; {} broken",
            self.broken_in_all
        )?;
        for broken in &self.broken {
            write!(f, "\n  {:?}: {:#?}", broken.schedule, broken.wrong)?;
        }
        if let Some(first) = self.broken.first() {
            write!(f, "\n  the first one's calls:")?;
            for call in &first.calls {
                write!(f, "\n    {call}")?;
            }
        }
        Ok(())
    }
}
