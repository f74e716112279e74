//! Claims guarantees 1 to 3 at every instruction of the component. It is trapped after any amount
//! of work, in accepting, after the answer, in a drain, a healing, a backfill or a person's
//! command, and once more in what follows. Nothing is lost, doubled, stuck or wrong. How: the
//! component runs each scenario of the proof, trapped once it has used k of wasmtime's fuel, with k
//! striding over the whole run; the proof's checker judges. `cargo proof` has finer strides.

use host_test::harness;
use proof::search::{
    scenario,
    traps::{self, Plan},
};

/// Traps over the run of a scenario.
const TRAPS: u64 = 60;
/// Fuel from one trap to the next in the sales that happen every day.
const STRIDE: u64 = 5_000;
/// These.
const SALES: [&str; 3] = [
    "new-customer",
    "invoice-new-customer",
    "invoice-known-customer",
];

#[test]
fn trapped_anywhere_nothing_is_lost_doubled_stuck_or_wrong() {
    let component = harness::component().expect("the component is built");
    let tallies = traps::every_scenario(&scenario::all(), &component, |scenario, fuel| {
        let stride = match SALES.contains(&scenario.name) {
            true => STRIDE,
            false => (fuel / TRAPS).max(1),
        };
        Plan {
            stride,
            twice: 6,
            seed: 7,
        }
    });
    println!("{}", traps::table(&tallies));
    for tally in &tallies {
        assert_eq!(tally.told, Vec::<String>::new(), "{tally}");
        assert!(tally.traps as u64 >= TRAPS - 2, "{tally}");
        assert!(tally.unanswered > 0, "{tally}");
    }
    assert!(tallies.iter().map(|tally| tally.twice).sum::<usize>() > 40);
    for sale in tallies.iter().filter(|t| SALES.contains(&t.scenario)) {
        let answered = sale.traps - sale.unanswered;
        assert!(
            sale.unanswered > 100 && answered > 100,
            "on both sides of the answer: {sale}"
        );
    }
}
