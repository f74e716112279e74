//! Races of several instances, for the document: every race of `schedule` within the bounds of the
//! test, and three instances in drawn orders.

use crate::schedule::{Bound, Report, SCENARIOS, THREE, random, search};

/// Seeds for each race of three.
const SEEDS: u64 = 500;

/// Runs them all.
pub(super) fn all() -> Vec<Report> {
    let bounds = [(2, 0), (0, 1)].map(|(switches, freezes)| Bound { switches, freezes });
    let two = SCENARIOS
        .iter()
        .flat_map(|race| bounds.map(|bound| search(race, bound)));
    let three = THREE.iter().map(|race| random(race, 0..SEEDS));
    two.chain(three)
        .inspect(|report| eprintln!("{report}"))
        .collect()
}

fn orders(report: &Report) -> String {
    match &report.seeds {
        Some(seeds) => format!("three instances, seeds {} to {}", seeds.start, seeds.end),
        None => format!(
            "every one with up to {} forced switches and {} freezes",
            report.bound.switches, report.bound.freezes
        ),
    }
}

/// The table, in Markdown.
pub(super) fn table(reports: &[Report]) -> String {
    let mut table = String::from("| race | orders | schedules | broken |\n|---|---|---:|---:|\n");
    for report in reports {
        let (race, orders) = (report.scenario, orders(report));
        let (schedules, broken) = (report.schedules, report.broken_in_all);
        table.push_str(&format!("| {race} | {orders} | {schedules} | {broken} |\n"));
    }
    let schedules: usize = reports.iter().map(|r| r.schedules).sum();
    let broken: usize = reports.iter().map(|r| r.broken_in_all).sum();
    table.push_str(&format!("| all | | {schedules} | {broken} |\n"));
    table
}
