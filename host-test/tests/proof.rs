//! Claims guarantees 1 to 3 by search: in each scenario of `cargo proof`, whatever befalls any single
//! host call, and a seeded sample of pairs, nothing is lost, doubled, stuck or wrong. How: the search of
//! `host_test::proof` with few pairs; its checker sees only the vendors' records. `docs/proof.md` has the
//! figures of the full search.

use host_test::proof::{scenario, search};

/// Pairs of each scenario.
const PAIRS: usize = 60;
const SEED: u64 = 1;

#[test]
fn whatever_befalls_any_host_call_nothing_is_lost_doubled_stuck_or_wrong() {
    let mut failures = Vec::new();
    for scenario in scenario::all() {
        let tally = search::every_single(&scenario).with_pairs(PAIRS, SEED, None);
        assert!(tally.singles > 4 * 10, "{tally:?}");
        assert_eq!(tally.pairs_tried, PAIRS, "{tally:?}");
        let told = tally.told.iter();
        failures.extend(told.map(|told| format!("{}: {told}", tally.scenario)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
