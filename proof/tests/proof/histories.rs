//! Claims that in whole histories of a shop, drawn at random, nothing is doubled or wrong however
//! many faults there are, and nothing is lost or stuck once they stop. How:
//! `proof::search::history`, judged by the checker that sees only the vendors' records. A failing
//! history is made small and written to `proof/histories/`; every history there is replayed.
//! `KVGF_HISTORIES=n` tries n of each mode.

use host_test::host_fault::HostFault;
use plugin::mutant::{Mutant, activate};
use proof::search::history::{History, Mode, On, Step, Vendor, judge, open_habits};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use serde::{Deserialize, Serialize};
use sim::{Habit, Personality};
use std::{env, fs, path::PathBuf};

/// Histories of each mode in an ordinary run.
const CASES: u32 = 100;

/// Smaller histories that are tried for one that fails.
const SHRINKS: u32 = 3000;
/// Histories until one must fail without a protection.
const UNTIL_FOUND: u32 = 8000;
/// Protections that are removed, and the mode that shows it.
const MUTANTS: &[(Mutant, Mode)] = &[
    (Mutant::RetryWithoutReadingBack, Mode::Safety),
    (Mutant::CreateWithoutCode, Mode::Safety),
    (Mutant::PhoneBeforeEmail, Mode::Safety),
    (Mutant::FirstSearchHit, Mode::Safety),
    (Mutant::EditCreates, Mode::Safety),
    (Mutant::CancelledCreates, Mode::Safety),
    (Mutant::OldIsNew, Mode::Safety),
    (Mutant::ManagerAlways, Mode::Safety),
    (Mutant::MergedPhonesSplit, Mode::Safety),
    (Mutant::NoLease, Mode::Safety),
    (Mutant::UsersBelievedForGood, Mode::Safety),
    (Mutant::AckBeforeStore, Mode::Liveness),
    (Mutant::GapNotReadBack, Mode::Liveness),
];
/// The same where a clock is wrong.
const WITH_WRONG_CLOCKS: &[(Mutant, Mode)] = &[(Mutant::FutureLookCounts, Mode::Liveness)];

fn mutants() -> impl Iterator<Item = (Mutant, Mode, Clocks)> {
    let with = |all: &'static [(Mutant, Mode)], clocks| {
        all.iter()
            .map(move |(mutant, mode)| (*mutant, *mode, clocks))
    };
    with(MUTANTS, Clocks::Right).chain(with(WITH_WRONG_CLOCKS, Clocks::Wrong))
}

/// By how many host calls a history is shifted if it no longer fails without its protection.
const MOVED_BY: i8 = 30;

/// A committed history.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Fixture {
    /// Why it was committed.
    why: String,
    /// The protection without which it fails, as `plugin::mutant` names it.
    mutant: Option<String>,
    /// Whether it is a finding that is not mended yet.
    #[serde(default)]
    open: bool,
    mode: Mode,
    history: History,
}

fn folder() -> PathBuf {
    xtask::workspace_root().join("proof/histories")
}

/// Whether clocks differ within README's requirement, or one is wrong and corrected in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clocks {
    Right,
    Wrong,
}

/// Two instances whose clocks differ by less than two seconds, whenever they are set.
fn right_clocks() -> impl Strategy<Value = Step> {
    let millis = || -999..1000i32;
    prop_oneof![
        2 => Just(Step::OtherInstance),
        2 => (0..48u8).prop_map(Step::Together),
        1 => millis().prop_map(|millis| Step::Clock { millis }),
        2 => (1..60u8, millis()).prop_map(|(call, millis)| Step::ClockAtCall { call, millis }),
    ]
}

/// One clock that is an hour or a day ahead, or a minute behind.
fn wrong_clocks() -> impl Strategy<Value = Step> {
    let millis = select(vec![3_600_000, 86_400_000, -60_000, 0]);
    prop_oneof![
        4 => millis.prop_map(|millis| Step::Clock { millis }),
        1 => (1..60u8).prop_map(Step::ClockBackAtCall),
    ]
}

fn step(clocks: Clocks) -> impl Strategy<Value = Step> {
    let set = match clocks {
        Clocks::Right => right_clocks().boxed(),
        Clocks::Wrong => wrong_clocks().boxed(),
    };
    prop_oneof![6 => set, 54 => event()]
}

fn event() -> impl Strategy<Value = Step> {
    let fault = || select(HostFault::UPSTREAM.to_vec());
    let vendor = || select(vec![Vendor::KiotViet, Vendor::Getfly]);
    // Seconds to days.
    let seconds = prop_oneof![0..60u32, 60..1000u32, 1000..100_000u32, 100_000..400_000u32];
    prop_oneof![
        4 => (0..9u8, 0..4u8).prop_map(|(phone, email)| Step::Customer { phone, email }),
        5 => (option::weighted(0.8, 0..6u8), 0..5u8, 0..4u8).prop_map(|(customer, seller, content)| {
            Step::Sale { customer, seller, content }
        }),
        1 => (0..6u8).prop_map(Step::EditCustomer),
        2 => (0..6u8, 0..9u8, 0..4u8).prop_map(|(customer, phone, email)| {
            Step::EditContact { customer, phone, email }
        }),
        1 => (0..6u8).prop_map(Step::DeleteCustomer),
        2 => (0..4u8, 0..7u8).prop_map(|(seller, phone)| Step::Seller { seller, phone }),
        1 => (0..4u8).prop_map(Step::SellerRole),
        1 => (0..4u8).prop_map(Step::SellerGone),
        2 => (0..5u8, 0..7u8).prop_map(|(user, phone)| Step::User { user, phone }),
        1 => (0..5u8).prop_map(Step::UserGone),
        1 => (0..6u8).prop_map(Step::AccountDeleted),
        1 => (0..6u8, 0..6u8).prop_map(|(account, into)| Step::AccountsMerged { account, into }),
        1 => (0..6u8).prop_map(Step::TellCustomer),
        2 => (0..6u8, 0..4u8).prop_map(|(invoice, content)| Step::EditInvoice { invoice, content }),
        2 => (0..6u8).prop_map(Step::CancelInvoice),
        2 => Just(Step::OtherShop),
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
        2 => (0..2u8).prop_map(Step::SwitchOn),
        1 => (0..2u8).prop_map(Step::SwitchOff),
        1 => (0..12u8).prop_map(Step::Dismiss),
        5 => (1..60u8, fault()).prop_map(|(call, fault)| Step::HostFault { call, fault }),
        3 => (vendor(), 0..16u8, 1..5u8).prop_map(|(vendor, fault, calls)| {
            Step::VendorFault { vendor, fault, calls }
        }),
    ]
}

/// Vendors with up to five habits, often with none.
fn personality() -> impl Strategy<Value = Personality> {
    let open = open_habits();
    let all = Habit::ALL.iter().filter(|habit| !open.contains(*habit));
    let all: Vec<Habit> = all.copied().collect();
    let habits = prop_oneof![
        1 => Just(Vec::new()),
        3 => subsequence(all, 1..6).prop_shuffle(),
    ];
    habits.prop_map(Personality::of)
}

fn history(clocks: Clocks) -> impl Strategy<Value = History> {
    let on = || select(vec![On::Both, On::Orders, On::Customers]);
    let second = option::weighted(0.4, on());
    let all = (
        on(),
        second,
        any::<bool>(),
        (-999..1000i32, -999..1000i32),
        personality(),
        vec(0..7u8, 0..4),
        vec(step(clocks), 1..30),
    );
    all.prop_map(
        move |(on, second, lists, off, personality, accounts, steps)| History {
            personality,
            on,
            lists,
            second,
            clocks: match clocks {
                Clocks::Right => [off.0, off.1],
                Clocks::Wrong => [0, 0],
            },
            accounts,
            steps,
        },
    )
}

fn runner(cases: u32, shrinks: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..Config::default()
    };
    let seed: u64 = env::var("KVGF_SEED").map_or(1, |n| n.parse().expect("KVGF_SEED is a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The smallest failing history that was found, and its findings in words. With a protection
/// removed, only a history that is sound with the protection counts.
fn search(
    mode: Mode,
    clocks: Clocks,
    cases: u32,
    shrinks: u32,
    without: Option<Mutant>,
) -> Option<(History, String)> {
    let sound = |history: History| {
        let active = without.map(activate);
        let findings = judge(&history, mode);
        drop(active);
        if without.is_some() && !findings.is_empty() {
            prop_assume!(
                [Mode::Safety, Mode::Liveness]
                    .iter()
                    .all(|mode| judge(&history, *mode).is_empty())
            );
        }
        let words: Vec<String> = findings.iter().map(ToString::to_string).collect();
        prop_assert!(findings.is_empty(), "{}", words.join("\n"));
        Ok(())
    };
    match runner(cases, shrinks).run(&history(clocks), sound) {
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

fn holds(mode: Mode, clocks: Clocks) {
    let cases = env::var("KVGF_HISTORIES");
    let cases = cases.map_or(CASES, |n| n.parse().expect("KVGF_HISTORIES is a number"));
    if let Some((history, why)) = search(mode, clocks, cases, SHRINKS, None) {
        let name = format!("found-{mode:?}-{clocks:?}.json").to_lowercase();
        let path = write(
            &name,
            &Fixture {
                why: why.clone(),
                mutant: None,
                open: false,
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
    println!("{mode:?}, clocks {clocks:?}: {cases} histories");
}

#[test]
fn nothing_is_doubled_or_wrong_however_many_faults_there_are() {
    holds(Mode::Safety, Clocks::Right);
}

#[test]
fn once_the_faults_stop_nothing_is_lost_or_stuck() {
    holds(Mode::Liveness, Clocks::Right);
}

#[test]
fn nothing_is_doubled_or_wrong_while_a_clock_is_wrong() {
    holds(Mode::Safety, Clocks::Wrong);
}

#[test]
fn once_the_clock_is_right_again_nothing_is_lost_or_stuck() {
    holds(Mode::Liveness, Clocks::Wrong);
}

fn committed() -> Vec<(PathBuf, Fixture)> {
    let files = fs::read_dir(folder()).expect("the folder is there");
    let paths = files.map(|file| file.expect("the folder can be read").path());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a history can be read");
        let fixture = serde_json::from_str(&text);
        let fixture = fixture.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (path, fixture)
    };
    paths.map(read).collect()
}

/// Whether it still shows its finding: an open one fails, any other fails only without its
/// protection.
fn shows(fixture: &Fixture) -> bool {
    let fails = || !judge(&fixture.history, fixture.mode).is_empty();
    if fixture.open {
        return fails();
    }
    let without = fixture.mutant.as_ref().is_none_or(|name| {
        let mutant = Mutant::ALL.iter().find(|m| format!("{m:?}") == *name);
        let _active = activate(*mutant.expect(name));
        fails()
    });
    let modes = [Mode::Safety, Mode::Liveness];
    let mut sound = modes.iter().map(|mode| judge(&fixture.history, *mode));
    without && sound.all(|findings| findings.is_empty())
}

/// The host call of a step that names one.
fn call_of(step: &mut Step) -> Option<&mut u8> {
    match step {
        Step::HostFault { call, .. }
        | Step::ClockAtCall { call, .. }
        | Step::ClockBackAtCall(call) => Some(call),
        _ => None,
    }
}

/// The same history, for a plugin that makes some host calls more, or fewer, before those that it
/// names.
fn moved(fixture: &Fixture) -> Option<Fixture> {
    let mut by = (1..MOVED_BY).flat_map(|by| [by, -by]);
    by.find_map(|by| {
        let mut moved = fixture.clone();
        let calls = moved.history.steps.iter_mut().filter_map(call_of);
        calls.for_each(|call| *call = call.saturating_add_signed(by).max(1));
        shows(&moved).then_some(moved)
    })
}

/// A history that names a shifted host call may be adapted; `BLESS=1` writes it.
#[test]
fn every_committed_history_is_sound_and_fails_without_its_protection() {
    let committed = committed();
    for (path, fixture) in &committed {
        for mode in [Mode::Safety, Mode::Liveness] {
            let findings = judge(&fixture.history, mode);
            assert!(
                fixture.open || findings.is_empty(),
                "{} {mode:?}: {findings:#?}",
                path.display()
            );
        }
        if shows(fixture) {
            continue;
        }
        let moved = moved(fixture);
        let moved = moved.unwrap_or_else(|| match fixture.open {
            true => panic!("{} is mended: it is open no more", path.display()),
            false => panic!("{} passes without it", path.display()),
        });
        if env::var_os("BLESS").is_some() {
            write(&path.file_name().expect("a name").to_string_lossy(), &moved);
        }
    }
    for (mutant, ..) in mutants() {
        let name = format!("{mutant:?}");
        let is_there = committed
            .iter()
            .any(|(_, fixture)| fixture.mutant.as_ref() == Some(&name));
        assert!(is_there, "{name} has no history");
    }
}

/// With `BLESS=1` the histories are made small and written.
#[test]
fn the_search_finds_each_protection_that_is_gone() {
    let bless = env::var_os("BLESS").is_some();
    let mut alive = Vec::new();
    let only = env::var("KVGF_MUTANT").ok();
    for (mutant, mode, clocks) in mutants() {
        if only
            .as_ref()
            .is_some_and(|only| *only != format!("{mutant:?}"))
        {
            continue;
        }
        let shrinks = if bless { SHRINKS } else { 0 };
        let found = search(mode, clocks, UNTIL_FOUND, shrinks, Some(mutant));
        let Some((history, why)) = found else {
            alive.push(mutant);
            continue;
        };
        println!("{mutant:?}: {why}");
        if bless {
            let words = why.split(" at host-test").next().unwrap_or_default();
            let name = format!("without-{mutant:?}.json").to_lowercase();
            let fixture = Fixture {
                why: format!("{} Found: {words}", mutant.removes()),
                mutant: Some(format!("{mutant:?}")),
                mode,
                open: false,
                history,
            };
            write(&name, &fixture);
        }
    }
    assert!(alive.is_empty(), "not noticed: {alive:?}");
}
