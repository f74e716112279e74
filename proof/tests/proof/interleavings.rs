//! Claims guarantees 1 to 3 for concurrent instances: in whichever order two of them make their
//! host calls, within a stated number of forced switches and freezes, nothing is lost, doubled or
//! stuck afterwards, nothing breaks the rules, and the counts add up. How: a scheduler of our own
//! runs every such order (`proof::schedule`), and the proof's checker judges each from the vendors'
//! records; three instances run in orders drawn from seeds. Controls without the lease and with
//! mutants show that the search finds such faults. `KVGF_SWITCHES` and `KVGF_SEEDS` set a deeper
//! search.

use plugin::mutant::{Mutant, activate};
use proof::schedule::{
    Bound, Report, SCENARIOS, THREE, named, random, replay, search, search_without_lease,
};

fn number(variable: &str, ordinary: usize) -> usize {
    let set = std::env::var(variable).ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(ordinary)
}

fn sound(report: &Report) {
    println!("{report}");
    assert_eq!(report.broken_in_all, 0, "{report}");
}

/// Every schedule of one race: with forced switches alone, and with a freeze.
fn every_order(name: &str) {
    let scenario = named(name).expect("a race of this name");
    let switches = number("KVGF_SWITCHES", 2);
    let without_freeze = Bound {
        switches,
        freezes: 0,
    };
    let frozen_once = Bound {
        switches: switches.saturating_sub(2),
        freezes: 1,
    };
    for bound in [without_freeze, frozen_once] {
        let report = search(scenario, bound);
        assert!(report.schedules > 25, "{report}");
        sound(&report);
    }
}

macro_rules! races {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            every_order($name);
        })*

        #[test]
        fn no_race_is_left_out() {
            let tested = [$($name),*];
            let all: Vec<&str> = SCENARIOS.iter().map(|s| s.name).collect();
            assert_eq!(all, tested);
        }
    };
}

races! {
    the_same_customer_twice: "the same customer twice",
    two_customers_with_one_phone: "two customers with one phone",
    two_customers_with_one_phone_and_a_late_create: "two customers with one phone, the first create late",
    a_customer_and_his_invoice: "a customer and his invoice",
    a_customer_and_his_invoice_and_a_late_create: "a customer and his invoice, the account's create late",
    an_invoice_twice: "an invoice twice",
    an_invoice_twice_and_a_late_create: "an invoice twice, the order's create late",
    two_drains: "two drains",
    two_drains_near_the_end_of_a_slot: "two drains near the end of a slot",
    a_delivery_beside_a_drain: "a delivery beside a drain",
    a_retry_beside_a_drain: "a retry beside a drain",
    the_same_retry_twice: "the same retry twice",
    healing_beside_a_switch_off: "healing beside a switch-off",
    healing_beside_a_switch_on: "healing beside a switch-on",
    healing_beside_a_disconnection: "healing beside a disconnection",
    a_new_master_key_beside_a_disconnection: "a new master_key beside a disconnection",
    healing_twice: "healing twice",
    two_backfills: "two backfills",
    two_drains_of_a_shop_that_is_polled: "two drains of a shop that is polled",
    a_poll_beside_a_switch_off: "a poll beside a switch-off",
    two_drains_of_a_sale_by_clocks_that_differ: "two drains of a sale, by clocks that differ",
    the_same_customer_by_clocks_that_differ: "the same customer twice, by clocks that differ",
}

#[test]
fn three_instances_in_drawn_orders() {
    let seeds = number("KVGF_SEEDS", 300) as u64;
    for scenario in THREE {
        sound(&random(scenario, 0..seeds));
    }
}

/// The control.
#[test]
fn without_the_lease_the_search_finds_a_double() {
    let scenario = named("two drains").expect("a race of this name");
    let bound = Bound {
        switches: 1,
        freezes: 0,
    };
    let report = search_without_lease(scenario, bound);
    println!("{report}");
    let found = report.broken.first();
    let found = found.expect("a schedule that doubles an order");
    let wrong = found.wrong.first().map_or("", String::as_str);
    assert!(wrong.starts_with("Doubled: "), "{wrong}");
    // The same schedule is harmless with the lease.
    let (wrong, calls) = replay(scenario, &found.schedule);
    assert_eq!(wrong, [""; 0], "{calls:#?}");
}

/// The other controls: the checker's findings about some order of a race without a protection.
#[test]
fn without_a_protection_some_order_is_doubled_lost_stuck_or_wrong() {
    let bound = Bound {
        switches: 1,
        freezes: 0,
    };
    for (mutant, race, words) in [
        (
            Mutant::NoLease,
            "an invoice twice",
            "Doubled: there are two orders cuahangthu-HD000001",
        ),
        (
            Mutant::HoleForgotten,
            "a customer and his invoice",
            "Lost: order cuahangthu-HD000001 is not there",
        ),
        (
            Mutant::HoleForgotten,
            "the same customer twice",
            "Stuck: event 1 received null",
        ),
        (
            Mutant::ManagerAlways,
            "a customer and his invoice",
            "Wrong: KV-cuahangthu-20000001's manager is Some(\"lan\")",
        ),
    ] {
        let scenario = named(race).expect("a race of this name");
        let active = activate(mutant);
        let report = search(scenario, bound);
        drop(active);
        let found = report.broken.iter().find(|broken| {
            let mut wrong = broken.wrong.iter();
            wrong.any(|wrong| wrong.starts_with(words))
        });
        let found = found.unwrap_or_else(|| panic!("{mutant:?}: {report}"));
        // The same schedule is harmless with the protection.
        let (wrong, calls) = replay(scenario, &found.schedule);
        assert_eq!(wrong, [""; 0], "{mutant:?}: {calls:#?}");
    }
}

/// A freeze of this race breaks it without the protection, and is harmless with it.
fn a_freeze_is_harmful_without(mutant: Mutant, race: &str) {
    let scenario = named(race).expect("a race of this name");
    let bound = Bound {
        switches: 0,
        freezes: 1,
    };
    let report = {
        let _gone = activate(mutant);
        search(scenario, bound)
    };
    println!("{report}");
    let found = report.broken.first().expect("a schedule that breaks");
    let (wrong, calls) = replay(scenario, &found.schedule);
    assert_eq!(wrong, [""; 0], "{calls:#?}");
}

#[test]
fn without_an_allowance_for_the_clocks_the_search_finds_a_double() {
    a_freeze_is_harmful_without(
        Mutant::ClocksAgree,
        "two drains of a sale, by clocks that differ",
    );
}

/// The other customer's account would be created while the first one's may still appear.
#[test]
fn without_the_wait_for_a_late_create_the_search_finds_a_double() {
    a_freeze_is_harmful_without(
        Mutant::HeldIgnored,
        "two customers with one phone, the first create late",
    );
}

#[test]
fn a_schedule_told_again_makes_the_same_calls() {
    let scenario = named("two customers with one phone").expect("a race of this name");
    let schedule = vec![(7, proof::schedule::Move::To(1))];
    let (once, again) = (replay(scenario, &schedule), replay(scenario, &schedule));
    assert_eq!(once, again);
    assert!(once.1[7].contains("1 goes on"), "{:#?}", once.1);
}
