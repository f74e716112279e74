//! The scenarios with the component itself, as WebAssembly, trapped once it has used a given amount
//! of fuel since their beginning: at every stride of the whole run, in accepting, in the work after
//! the answer, in drains and in people's commands; and, by seeded draws, twice in one run. The same
//! checker judges.

use super::{
    checker::Finding,
    faults::{all, fail},
    run::{self, Run},
    scenario::Scenario,
};
use bytes::Bytes;
use host::{keyvalue::Memory, runtime::Runtime};
use host_test::{
    harness::{Harness, Outcome},
    native::Guest,
};
use plugin::web::Answer;
use rand::{Rng, SeedableRng, rngs::StdRng};
use sim::{Boxed, lock};
use std::{
    collections::{BTreeSet, VecDeque},
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};

/// The host's line about a trap.
const STOPPED: &str = "the guest was stopped";
/// The words of a trap that was set.
const OUT_OF_FUEL: &str = "all fuel consumed";

/// Where a component is trapped.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Fuel from one trap to the next.
    pub stride: u64,
    /// How many times two traps are drawn for one run.
    pub twice: usize,
    /// The seed of the draws.
    pub seed: u64,
}

/// The result of one scenario's traps.
#[derive(Debug, Clone)]
pub struct Trapped {
    /// The scenario.
    pub scenario: &'static str,
    /// Its fuel without a trap.
    pub fuel: u64,
    /// Runs that were trapped once.
    pub traps: usize,
    /// Of these, before the request had its answer.
    pub unanswered: usize,
    /// Runs that were trapped twice.
    pub twice: usize,
    /// Runs with a finding.
    pub failures: usize,
    /// The first of them, in words.
    pub told: Vec<String>,
}

/// Traps the component in every one of these scenarios.
pub fn every_scenario(
    scenarios: &[Scenario],
    component: &Runtime,
    plan: impl Fn(&Scenario, u64) -> Plan,
) -> Vec<Trapped> {
    let each = scenarios.iter().map(|scenario| {
        let tally = search(scenario, component, |fuel| plan(scenario, fuel));
        eprintln!("{tally}");
        tally
    });
    each.collect()
}

/// Traps the component in one scenario; the plan may depend on the fuel of a run.
fn search(scenario: &Scenario, component: &Runtime, plan: impl FnOnce(u64) -> Plan) -> Trapped {
    let plain = run_trapped(scenario, component, &[]);
    let fuel = plain.spent.used;
    let plan = plan(fuel);
    let stride = usize::try_from(plan.stride.max(1)).unwrap_or(usize::MAX);
    let once = (plan.stride..fuel).step_by(stride).map(|k| vec![k]);
    let mut rng = StdRng::seed_from_u64(plan.seed);
    // The second trap is in what follows the first, redeliveries included; if the run ends before,
    // there is none.
    let twice = (0..plan.twice).map(|_| {
        let first = rng.random_range(1..fuel.max(2));
        vec![first, first + rng.random_range(1..fuel.max(2))]
    });
    let points: Vec<Vec<u64>> = once.chain(twice).collect();
    let mut tally = Trapped {
        scenario: scenario.name,
        fuel,
        traps: 0,
        unanswered: 0,
        twice: 0,
        failures: 0,
        told: Vec::new(),
    };
    tally.enter(&[], &plain);
    let runs = all(&points, None, |points| {
        run_trapped(scenario, component, points)
    });
    for (points, run) in points.iter().zip(runs.into_iter().flatten()) {
        tally.enter(points, &run);
    }
    tally
}

/// The record of a run.
struct TrappedRun {
    spent: Meter,
    /// The checker's findings.
    findings: BTreeSet<Finding>,
}

/// Runs a scenario with the component trapped after each of these amounts of fuel, counted from the
/// beginning of the faults.
fn run_trapped(scenario: &Scenario, component: &Runtime, points: &[u64]) -> TrappedRun {
    let ended = run::in_virtual_time(async {
        let mut run = Run::for_scenario(scenario, Arc::new(Memory::new()));
        let guest = Arc::new(Component::of(&run, component));
        run.shop.app.run_by(guest.clone());
        run.past(scenario).await;
        lock(&guest.meter).begin(points);
        (scenario.act)(&run).await;
        lock(&guest.meter).end();
        let findings = run.rest(scenario).await;
        let spent = std::mem::take(&mut *lock(&guest.meter));
        TrappedRun { spent, findings }
    });
    ended.unwrap_or_else(|| TrappedRun {
        spent: Meter::default(),
        findings: [run::never_ended()].into(),
    })
}

/// The component in place of the native code.
struct Component {
    app: Harness,
    meter: Mutex<Meter>,
}

/// The fuel used, and its limits.
#[derive(Debug, Default)]
struct Meter {
    counts: bool,
    used: u64,
    points: VecDeque<u64>,
    traps: usize,
    unanswered: usize,
    /// Traps that were not set: the component failed by itself.
    unexpected: Vec<String>,
}

impl Component {
    fn of(run: &Run, component: &Runtime) -> Self {
        let shop = &run.shop;
        let app = Harness::builder()
            .vendors(&shop.kiotviet_faults, &shop.getfly_faults)
            .clock(shop.clock.clone())
            .store(shop.app.backend())
            .over(component.clone());
        Self {
            app,
            meter: Mutex::default(),
        }
    }
}

impl Component {
    /// The host's own words for the last trap; all answers have the same words.
    fn why_stopped(&self) -> String {
        let lines = self.app.logs();
        let stopped = lines.iter().rfind(|line| line.contains(STOPPED));
        stopped.cloned().unwrap_or_default()
    }
}

impl Meter {
    fn begin(&mut self, points: &[u64]) {
        self.counts = true;
        self.points = points.iter().copied().collect();
    }

    /// The fuel of the next request; none: unlimited.
    fn left(&self) -> Option<u64> {
        let point = self.points.front()?;
        Some(point.saturating_sub(self.used).max(1))
    }

    /// No further trap.
    fn end(&mut self) {
        self.counts = false;
        self.points.clear();
    }

    /// Notes that a request was trapped for this reason, or not trapped.
    fn spend(&mut self, left: Option<u64>, outcome: &Outcome, trap: Option<String>) {
        match (left, trap) {
            (Some(left), Some(trap)) if trap.contains(OUT_OF_FUEL) => {
                self.used += left;
                self.points.pop_front();
                self.traps += 1;
                self.unanswered += usize::from(outcome.status == 503);
            }
            (_, Some(trap)) => self.unexpected.push(trap),
            (_, None) if self.counts => self.used += outcome.finished.fuel,
            (_, None) => {}
        }
    }
}

impl Guest for Component {
    fn request(&self, request: http::Request<Bytes>) -> Boxed<'_, Answer> {
        Box::pin(async move {
            let left = lock(&self.meter).left();
            let outcome = match left {
                Some(left) => self.app.trapped_at(left).request(request).await,
                None => self.app.request(request).await,
            };
            let trapped = outcome.finished.trap.is_some();
            let trap = trapped.then(|| self.why_stopped());
            lock(&self.meter).spend(left, &outcome, trap);
            Answer {
                body: outcome.body.to_vec(),
                ..Answer::empty(outcome.status)
            }
        })
    }
}

impl Trapped {
    fn enter(&mut self, points: &[u64], run: &TrappedRun) {
        let spent = &run.spent;
        match spent.traps {
            0 => {}
            1 => {
                self.traps += 1;
                self.unanswered += spent.unanswered;
            }
            _ => self.twice += 1,
        }
        let mut wrong: Vec<String> = run.findings.iter().map(ToString::to_string).collect();
        wrong.extend(spent.unexpected.iter().cloned());
        if wrong.is_empty() {
            return;
        }
        fail(&mut self.failures, &mut self.told, || {
            let (name, wrong) = (self.scenario, wrong.join("; "));
            format!("{name}, trapped at {points:?}: {wrong}")
        });
    }
}

impl fmt::Display for Trapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fuel, traps, unanswered) =
            (self.scenario, self.fuel, self.traps, self.unanswered);
        let (twice, failures) = (self.twice, self.failures);
        write!(
            f,
            "{name}: {fuel} fuel, {traps} traps, {unanswered} of them before the answer, {twice} runs trapped \
             twice, {failures} failures"
        )
    }
}

/// The figures, in Markdown.
pub fn table(tallies: &[Trapped]) -> String {
    let mut table = String::from(
        "| scenario | fuel without a trap | runs trapped once | of these before the answer | trapped twice | failures |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    let mut row = |name: &str, of: &dyn Fn(fn(&Trapped) -> u64) -> u64| {
        let figures = [
            of(|t| t.fuel),
            of(|t| t.traps as u64),
            of(|t| t.unanswered as u64),
            of(|t| t.twice as u64),
            of(|t| t.failures as u64),
        ];
        let figures = figures.map(|figure| figure.to_string()).join(" | ");
        // Writing to a text cannot fail.
        let _ = writeln!(table, "| {name} | {figures} |");
    };
    for tally in tallies {
        row(&format!("`{}`", tally.scenario), &|of| of(tally));
    }
    row("all", &|of| tallies.iter().map(of).sum());
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::runtime::Finished;

    fn outcome(status: u16, fuel: u64) -> Outcome {
        Outcome {
            status,
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
            finished: Finished {
                fuel,
                ..Finished::default()
            },
        }
    }

    #[test]
    fn fuel_is_counted_over_requests_and_a_trap_that_was_not_set_is_reported() {
        let mut meter = Meter::default();
        assert_eq!(meter.left(), None, "the past is not trapped");
        meter.begin(&[100, 130]);
        meter.spend(meter.left(), &outcome(200, 60), None);
        assert_eq!(meter.left(), Some(40));
        let out_of_fuel = || Some(format!("{STOPPED}: {OUT_OF_FUEL}"));
        meter.spend(meter.left(), &outcome(503, 0), out_of_fuel());
        assert_eq!(
            (meter.traps, meter.unanswered, meter.left()),
            (1, 1, Some(30))
        );
        // It panics by itself, with fuel left; then once more where no trap is set.
        let panicked = || Some(format!("{STOPPED}: unreachable"));
        meter.spend(meter.left(), &outcome(503, 0), panicked());
        meter.end();
        assert_eq!(meter.left(), None);
        meter.spend(meter.left(), &outcome(503, 0), panicked());
        assert_eq!((meter.traps, meter.unexpected.len()), (1, 2));
    }
}
