//! Claims that in whole histories of a shop, drawn at random, nothing is doubled or wrong however many
//! faults there are, and nothing is lost or stuck once they stop. How: `host_test::proof::history`,
//! judged by the checker that sees only the vendors' records; a failing history is made small and written
//! to `host-test/histories/`, where every history is replayed. `KVGF_HISTORIES=n` tries n of each mode.

use host_test::{
    mishap::Mishap,
    proof::history::{History, Mode, On, Step, Vendor, judge},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use serde::{Deserialize, Serialize};
use std::{env, fs, path::PathBuf};

/// Histories of each mode in an ordinary run.
const CASES: u32 = 100;

/// A committed history.
#[derive(Debug, Serialize, Deserialize)]
struct Fixture {
    /// Why it is here.
    why: String,
    mode: Mode,
    history: History,
}

fn folder() -> PathBuf {
    xtask::workspace_root().join("host-test/histories")
}

fn step() -> impl Strategy<Value = Step> {
    let mishap = || select(Mishap::UPSTREAM.to_vec());
    let vendor = || select(vec![Vendor::KiotViet, Vendor::Getfly]);
    // Seconds to days.
    let seconds = prop_oneof![0..60u32, 60..1000u32, 1000..100_000u32, 100_000..400_000u32];
    prop_oneof![
        4 => (0..8u8, 0..4u8).prop_map(|(phone, email)| Step::Customer { phone, email }),
        5 => (option::weighted(0.8, 0..6u8), 0..5u8, 0..4u8).prop_map(|(customer, seller, content)| {
            Step::Sale { customer, seller, content }
        }),
        1 => (0..6u8).prop_map(Step::EditCustomer),
        1 => (0..6u8).prop_map(Step::TellCustomer),
        2 => (0..6u8, 0..4u8).prop_map(|(invoice, content)| Step::EditInvoice { invoice, content }),
        1 => (0..6u8).prop_map(Step::CancelInvoice),
        5 => Just(Step::Deliver),
        2 => (0..8u8).prop_map(Step::DeliverChaotically),
        1 => Just(Step::LoseDeliveries),
        1 => Just(Step::LoseAnswers),
        3 => seconds.prop_map(|seconds| Step::Pass { seconds }),
        4 => Just(Step::Drain),
        1 => Just(Step::Heal),
        1 => Just(Step::Backfill),
        1 => (0..12u8).prop_map(Step::Retry),
        1 => (0..2u8).prop_map(Step::WebhookOff),
        1 => (0..2u8).prop_map(Step::SwitchOnAgain),
        5 => (1..60u8, mishap()).prop_map(|(call, mishap)| Step::Mishap { call, mishap }),
        3 => (vendor(), 0..15u8, 1..5u8).prop_map(|(vendor, fault, calls)| {
            Step::Fault { vendor, fault, calls }
        }),
    ]
}

fn history() -> impl Strategy<Value = History> {
    let on = select(vec![On::Both, On::Orders, On::Customers]);
    let all = (on, any::<bool>(), vec(0..5u8, 0..4), vec(step(), 1..30));
    all.prop_map(|(on, lists, accounts, steps)| History {
        on,
        lists,
        accounts,
        steps,
    })
}

fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 3000,
        ..Config::default()
    };
    let seed: u64 = env::var("KVGF_SEED").map_or(1, |n| n.parse().expect("KVGF_SEED is a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The smallest history found that fails, and its findings in words.
fn search(mode: Mode, cases: u32) -> Option<(History, String)> {
    let sound = |history: History| {
        let findings = judge(&history, mode);
        let words: Vec<String> = findings.iter().map(ToString::to_string).collect();
        prop_assert!(findings.is_empty(), "{}", words.join("\n"));
        Ok(())
    };
    match runner(cases).run(&history(), sound) {
        Ok(()) => None,
        Err(TestError::Fail(why, history)) => Some((history, why.to_string())),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn write(name: &str, fixture: &Fixture) -> PathBuf {
    let path = folder().join(name);
    let json = serde_json::to_string_pretty(fixture).expect("a history can be written");
    fs::create_dir_all(folder()).expect("the folder can be made");
    fs::write(&path, json + "\n").expect("a history can be written");
    path
}

fn holds(mode: Mode) {
    let cases = env::var("KVGF_HISTORIES");
    let cases = cases.map_or(CASES, |n| n.parse().expect("KVGF_HISTORIES is a number"));
    if let Some((history, why)) = search(mode, cases) {
        let name = format!("found-{mode:?}.json").to_lowercase();
        let path = write(
            &name,
            &Fixture {
                why: why.clone(),
                mode,
                history: history.clone(),
            },
        );
        panic!(
            "{why}\n{history:#?}\nIt is written to {}: mend what it shows, name the file after it, say in \
             `why` what it was, and commit it; it is replayed from then on.",
            path.display()
        );
    }
    println!("{mode:?}: {cases} histories");
}

#[test]
fn nothing_is_doubled_or_wrong_however_many_faults_there_are() {
    holds(Mode::Safety);
}

#[test]
fn once_the_faults_stop_nothing_is_lost_or_stuck() {
    holds(Mode::Liveness);
}
