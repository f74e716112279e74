//! What the document says about a run's command, its parts and its pairs.

use super::*;

fn tally(pairs_tried: usize) -> Tally {
    Tally {
        scenario: "new-customer",
        what: "a new customer",
        host_calls: 10,
        singles: 40,
        pairs: 500,
        pairs_tried,
        failures: 0,
        told: Vec::new(),
    }
}

fn written(tallies: &[Tally]) -> String {
    let options = Options {
        only: None,
        pairs: None,
        budget: Some(60),
        seed: 2026,
        stride: STRIDE,
        redis: Some("redis://127.0.0.1:6380".to_owned()),
        json: false,
    };
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let took = Took {
        scenarios: minutes(50),
        races: minutes(3),
        stores: minutes(2),
        traps: minutes(4),
        personalities: minutes(1),
    };
    let met = Met {
        personalities: 2,
        habits: [(sim::Habit::NineSeconds, 14)].into(),
        runs: 14,
        ..Met::default()
    };
    let trapped = Trapped {
        scenario: "new-customer",
        fuel: 5_000,
        traps: 7,
        unanswered: 3,
        twice: 2,
        failures: 0,
        told: Vec::new(),
    };
    let found = Found {
        scenarios: tallies.to_vec(),
        races: Vec::new(),
        stores: Vec::new(),
        traps: vec![trapped],
        met,
        took,
    };
    document(&found, &options)
}

#[test]
fn the_command_and_the_time_of_each_part_are_told() {
    let document = written(&[tally(500), tally(500)]);
    let command = "cargo proof --seed 2026 --budget 60 --redis redis://127.0.0.1:6380\n";
    for told in [
        command,
        "\n1105 runs in 60.0 minutes on ",
        "\n- the scenarios under faults: 1082 runs in 50.0 minutes;",
        "\n- several instances at once: 0 runs of 0 schedules in 3.0 minutes;",
        "\n- the scenarios over every store: 0 runs in 2.0 minutes;",
        "\n- the component trapped: 9 runs in 4.0 minutes;",
        "\n- the scenarios at vendors of many personalities: 14 runs in 1.0 minutes.",
        "at 2 personalities of the two vendors, each without a fault and with 6 single ones",
        "| `NineSeconds` | Getfly takes 9 s to store a record | 14 |",
        "| `MaskedPhones` | KiotViet masks the phone of every second customer | 0 |",
        "trapped after every 2500 units of fuel:",
        "| `new-customer` | 5000 | 7 | 3 | 2 | 0 |",
    ] {
        assert!(document.contains(told), "{told}: {document}");
    }
}

#[test]
fn every_pair_is_said_of_a_whole_search_only() {
    let whole = written(&[tally(500), tally(500)]);
    assert!(whole.contains("or two of them\n(every pair of host calls), once"));
    assert!(whole.contains("and every pair of faults at every pair of host calls."));
    let part = written(&[tally(500), tally(499)]);
    assert!(part.contains("or two of them\n(those pairs that the table counts as tried), once"));
    assert!(part.contains("and every pair in 1 of the 2 scenarios."));
    // Without any pair there is no count of them.
    let none = Tally {
        pairs: 0,
        ..tally(0)
    };
    assert!(written(&[none]).contains("every pair in 0 of the 1 scenarios."));
}
