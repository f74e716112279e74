//! Claims guarantees 1 to 3 by search: in each scenario of `cargo proof`, with any single fault at
//! any host call, and a seeded sample of pairs, nothing is lost, doubled, stuck or wrong. How: the
//! search of `proof::search` with few pairs; its checker sees only the vendors' records.
//! `docs/proof.md` has the figures of the full search.

use host_test::host_fault::{HostFault, Reply};
use plugin::mutant::{Mutant, activate};
use proof::search::{faults, personalities, run, scenario};
use sim::{Habit, Personality};
use std::env;

/// Pairs of each scenario.
const PAIRS: usize = 60;
const SEED: u64 = 1;
/// How many personalities of the vendors each scenario meets.
const PERSONALITIES: u64 = 8;
/// Of the faults at F&B shops, one in so many is tried.
const FEWER: usize = 12;
/// Host calls after a create in which the store fails.
const WINDOW: usize = 12;

/// Found among all pairs: a create takes effect after its timeout, and the store fails right after
/// that, so that the worker cannot store that it waits for it.
#[test]
fn a_create_that_is_late_is_waited_for_though_the_store_fails_right_after_it() {
    let mut tried = 0;
    for scenario in scenario::all().iter().filter(|s| s.name != "accept-many") {
        let plain = run::scenario(scenario, &[]).calls;
        let creates = (1..)
            .zip(&plain)
            .filter(|(_, call)| call.contains(" POST /"));
        for (create, _) in creates {
            let late = (create, HostFault::Replies(Reply::TooLate));
            let after = run::scenario(scenario, &[late]).calls;
            let writes = (1..).zip(&after).skip(create).take(WINDOW);
            for (write, _) in writes.filter(|(_, call)| call.starts_with("set ")) {
                let ended = run::scenario(scenario, &[late, (write, HostFault::FailsBefore)]);
                let findings = &ended.findings;
                assert!(
                    findings.is_empty(),
                    "{}: {create} {write}: {findings:?}",
                    scenario.name
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
}

/// All of them, or with `KVGF_ONLY=words` those with that in their names.
fn scenarios() -> Vec<scenario::Scenario> {
    let only = env::var("KVGF_ONLY").unwrap_or_default();
    let mut all = scenario::all();
    all.retain(|scenario| scenario.name.contains(&only));
    all
}

/// Found among all pairs: what a crash has left open settles while a drain ends, so that nobody waits for what is due then.
#[test]
fn what_settles_at_the_end_of_a_drain_is_done_by_it() {
    let all = scenario::all();
    let many = all.iter().find(|s| s.name == "accept-many");
    let many = many.expect("the scenario");
    let calls = run::scenario(many, &[]).calls;
    let create = calls
        .iter()
        .position(|call| call.contains(" POST /account"));
    let busy = (
        create.expect("a create") + 1,
        HostFault::Replies(Reply::Busy),
    );
    let calls = run::scenario(many, &[busy]).calls;
    let orders = (1..)
        .zip(&calls)
        .filter(|(_, call)| call.contains(" POST /sale_order"));
    for (order, _) in orders {
        let ended = run::scenario(many, &[busy, (order, HostFault::DiesBefore)]);
        assert!(ended.findings.is_empty(), "{order}: {:?}", ended.findings);
    }
}

/// The checker knows what such vendors cannot be owed. `KVGF_PERSONALITIES=n` and `KVGF_SEED` draw
/// others.
#[test]
fn at_vendors_of_any_personality_nothing_is_lost_doubled_stuck_or_wrong() {
    let set = |name: &str| env::var(name).ok().and_then(|n| n.parse().ok());
    let count = set("KVGF_PERSONALITIES").unwrap_or(PERSONALITIES);
    let seed = set("KVGF_SEED").unwrap_or(SEED);
    let met = personalities::every_scenario(&scenarios(), count, seed);
    assert!(met.habits.len() > 10, "{met:?}");
    assert_eq!(met.failures, 0, "{:#?}", met.told);
}

/// Found among the personalities: Getfly refused a detail, and its answer was cut, so that nobody knew which.
#[test]
fn a_refusal_that_was_cut_is_a_dead_letter_that_a_retry_ends() {
    let refuses = Personality::of([Habit::DetailsRefused, Habit::CreatedMessageOnly]);
    let mut tried = 0;
    for scenario in scenario::all().iter().filter(|s| s.name.len() < 13) {
        let plain = run::scenario_at(&refuses, scenario, &[]);
        let calls = (1..).zip(&plain.calls);
        for (create, _) in calls.filter(|(_, call)| call.contains("POST /account")) {
            let script = [(create, HostFault::Replies(Reply::Garbled))];
            let ended = run::scenario_at(&refuses, scenario, &script);
            assert!(ended.findings.is_empty(), "{}: {ended:?}", scenario.name);
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}

/// What nobody has seen of a real F&B shop yet: each difference by itself and all at once, with a fault at each call.
#[test]
fn at_an_fnb_shop_of_any_habit_nothing_is_lost_doubled_stuck_or_wrong() {
    let fnb = [
        Habit::FnbOrderIgnored,
        Habit::FnbPagesOverlap,
        Habit::FnbChangesUntold,
        Habit::FnbOtherStatus,
        Habit::FnbScopes,
        Habit::PagesOfTwo,
    ];
    let alone = fnb.map(|habit| Personality::of([habit]));
    let scenarios = scenario::all();
    let polled = scenarios.iter().filter(|s| s.name.starts_with("polled"));
    let mut wrong = Vec::new();
    for scenario in polled {
        for personality in alone.iter().chain([&Personality::of(fnb)]) {
            let plain = run::scenario_at(personality, scenario, &[]);
            let mut scripts = vec![Vec::new()];
            for (number, call) in (1..).zip(&plain.calls) {
                let faults = HostFault::distinct(call).iter();
                scripts.extend(faults.map(|fault| vec![(number, *fault)]));
            }
            for script in scripts.iter().step_by(FEWER) {
                let ended = run::scenario_at(personality, scenario, script);
                if !ended.findings.is_empty() {
                    wrong.push(format!(
                        "{} at {personality}, {script:?}: {:?}",
                        scenario.name, ended.findings
                    ));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The control: without a protection the same search finds what the protection prevents.
#[test]
fn without_a_protection_the_search_finds_something_lost_doubled_stuck_or_wrong() {
    for (protection, name, kind) in [
        (
            Mutant::RetryWithoutReadingBack,
            "invoice-walk-in",
            "Doubled",
        ),
        (Mutant::ClaimNotAnnounced, "invoice-walk-in", "Doubled"),
        (Mutant::AckBeforeStore, "new-customer", "Lost"),
        (Mutant::DueKeysDeletedEarly, "dead-letters", "Stuck"),
        (Mutant::ManagerAlways, "both-at-once", "Wrong"),
    ] {
        let all = scenario::all();
        let scenario = all.iter().find(|s| s.name == name).expect("a scenario");
        let tally = {
            let _gone = activate(protection);
            faults::every_single(scenario).with_pairs(0, SEED, None)
        };
        let found = |told: &String| told.contains(&format!("{kind}: "));
        assert!(tally.told.iter().any(found), "{protection:?}: {tally:#?}");
    }
}

#[test]
fn whatever_befalls_any_host_call_nothing_is_lost_doubled_stuck_or_wrong() {
    let mut failures = Vec::new();
    for scenario in scenarios() {
        let tally = faults::every_single(&scenario).with_pairs(PAIRS, SEED, None);
        assert!(tally.singles > 4 * 10, "{tally:?}");
        assert_eq!(tally.pairs_tried, PAIRS, "{tally:?}");
        let told = tally.told.iter();
        failures.extend(told.map(|told| format!("{}: {told}", tally.scenario)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
