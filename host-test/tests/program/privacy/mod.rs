//! Claims guarantee 4: no secret, phone or e-mail is in a log line, an error, an event, a page, a
//! health report or a metric, nor in any usual encoding in the store at rest, even if both vendors
//! repeat it in their refusals; and no name or address either, unless they do, but for the pages of events, which name the
//! customer, and what is meant to show a record. How: one busy
//! scenario, natively and with the real program over its file and over a real Redis, then a search
//! for all texts of the simulated vendors in everything that was answered, written and stored.
//! Controls show that the search finds what was put there, and what a missing protection leaves
//! there.

mod asked;
mod hosts;
mod marks;
mod parrot;
mod scenario;

use asked::Scenario;
use host::keyvalue::{Backend, Embedded, Redis, RedisAddress};
use host_test::redis_server::{PASSWORD, RedisServer, redis};
use host_test::{
    native::{Cell, Native},
    shop::WasmShop,
    shop::{On, TestShop, hoa},
    variables::test_variables,
    vendors::Vendors,
};
use hosts::Up;
use marks::{ALL, GUARDED, Marks, Of};
use parrot::{Parrot, Refusals};
use plugin::mutant::{self, Mutant};
use sim::{Fault, FaultRule, Faulty, When, getfly::GetflySettings, kiotviet::Settings};
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// The scenario natively, to its end; the `refusals` of KiotViet and of Getfly repeat everything
/// that was sent.
async fn natively(refusals: [Refusals; 2]) -> (TestShop, Scenario<Native>) {
    let shop = TestShop::unconnected();
    let [kiotviet, getfly] = refusals;
    let app = Native::new(
        test_variables(&shop.getfly.settings().api_key),
        Parrot::before(shop.kiotviet_faults.clone(), kiotviet),
        Parrot::before(shop.getfly_faults.clone(), getfly),
        shop.clock.clone(),
        7,
    );
    let lost = FaultRule::new(Fault::StoredButReplyLost).when(When::Nth(3));
    shop.getfly_faults.add(lost);
    let faults = &shop.getfly_faults;
    let now = shop.clock.now();
    let mut scenario = Scenario::new(app, &shop.kiotviet, &shop.getfly, faults, now);
    scenario.run().await;
    (shop, scenario)
}

/// Of KiotViet, whose token endpoints, of both editions, are asked twice with wrong credentials, and of Getfly: none of them
/// leads to a pause.
const REFUSALS: [Refusals; 2] = [
    Refusals {
        gets: &[400],
        posts: &[400, 400, 401, 401, 420, 400],
    },
    Refusals {
        gets: &[400, 422],
        posts: &[400, 422, 400, 400],
    },
];

/// The texts that a scenario's log and store show.
fn leaks_inside(scenario: &Scenario<Native>, of: &[Of]) -> BTreeSet<String> {
    let search = scenario.marks.search(of);
    let mut leaks = BTreeSet::new();
    let mut look = |place: &str, bytes: &[u8]| {
        let told = search.find(bytes).into_iter();
        leaks.extend(told.map(|text| format!("{place}: {text}")));
    };
    look("the log", scenario.host.log().join("\n").as_bytes());
    for (key, cell) in scenario.host.store.dump() {
        look("a key", key.as_bytes());
        if let Cell::Value(value) = cell {
            look(&key, &value);
        }
    }
    leaks
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_person_and_no_secret_is_shown_or_kept_in_plain() {
    let [kiotviet, mut getfly] = REFUSALS;
    getfly.posts = &[400, 422, 404, 409, 400, 400, 422, 400];
    let (_shop, mut scenario) = natively([kiotviet, getfly]).await;
    for shown in [
        "Không nhận",
        "linked_by_phone",
        "linked_by_email",
        "order_created",
        "invoice_edited",
        "dismissed",
        "bad_signature",
        "read back",
    ] {
        assert!(scenario.was_shown(shown), "{shown} is part of the scenario");
    }
    let manifest = std::fs::read_to_string(xtask::workspace_root().join("spin.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let good = test_variables(&scenario.getfly.settings().api_key);
    for name in manifest["variables"].as_table().unwrap().keys() {
        for bad in ["", "0912345678", "hoa@example.vn"] {
            scenario.host.set_variable(name, bad);
            scenario.look_at_what_is_wrong().await;
        }
        let good = good.get(name).map_or("", String::as_str);
        scenario.host.set_variable(name, good);
    }
    assert_eq!(scenario.host.config().problems.len(), 0);
    scenario.host.break_store(true);
    scenario.look_at_what_is_wrong().await;
    assert_eq!(scenario.leaks(&GUARDED), BTreeSet::new());
    assert_eq!(leaks_inside(&scenario, &GUARDED), BTreeSet::new());
    let log = scenario.host.log().join("\n");
    let told = scenario.marks.search(&ALL).find(log.as_bytes());
    assert_eq!(told, BTreeSet::new());
}

/// A vendor's words may hold a name; nothing else does.
#[tokio::test(start_paused = true)]
async fn no_name_and_no_address_is_told_but_in_a_vendors_words() {
    let (_shop, scenario) = natively([Refusals::NONE; 2]).await;
    assert_eq!(scenario.leaks(&ALL), BTreeSet::new());
    assert_eq!(leaks_inside(&scenario, &ALL), BTreeSet::new());
}

/// The control: what a protection hides is found once the protection is removed.
#[tokio::test(start_paused = true)]
async fn the_search_finds_what_a_missing_protection_does() {
    let unsealed = mutant::activate(Mutant::NotSealed);
    let (_shop, scenario) = natively([Refusals::NONE; 2]).await;
    let leaks = leaks_inside(&scenario, &ALL);
    let secret = scenario.kiotviet.settings().client_secret;
    for text in [&*secret, "0919 283 746", "bay@waits.example", "Cậu Bảy Chờ"] {
        let found = |leak: &String| leak.ends_with(&format!(": {text} in Base64"));
        assert!(leaks.iter().any(found), "{text}: {leaks:?}");
    }
    drop(unsealed);
    let _unmasked = mutant::activate(Mutant::WordsNotMasked);
    let (_shop, scenario) = natively(REFUSALS).await;
    for leaks in [scenario.leaks(&GUARDED), leaks_inside(&scenario, &GUARDED)] {
        let secret = scenario.getfly.settings().api_key;
        for text in [&*secret, "912345678", "hoa@example.vn"] {
            let found = |leak: &String| leak.ends_with(&format!(": {text}"));
            assert!(leaks.iter().any(found), "{text}: {leaks:?}");
        }
    }
}

/// All files below.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

/// The texts that a store's files show; they must be the files that were written.
fn told_at_rest(marks: &Marks, folder: &Path) -> BTreeSet<String> {
    let search = marks.search(&GUARDED);
    let files = files(folder);
    let holds = |text: &[u8]| {
        files
            .iter()
            .any(|(_, f)| f.windows(text.len()).any(|w| w == text))
    };
    assert!(holds(b"kvgf/invoice/cuahangthu/HD0") && holds(b"sealed"));
    let told = files.iter().flat_map(|(file, bytes)| {
        let told = search.find(bytes).into_iter();
        told.map(move |text| format!("{file}: {text}"))
    });
    told.collect()
}

/// The scenario with the real program over a store whose files are in `folder`, and the texts that
/// it shows.
async fn told_by_the_program(store: [&str; 2], folder: &Path) -> Marks {
    let vendors = Vendors::new(Settings::default(), GetflySettings::default());
    let faults = Arc::new(Faulty::new(
        vendors.getfly.clone(),
        vendors.clock.clone(),
        1,
    ));
    let fronts = [
        Parrot::before(vendors.kiotviet.clone(), REFUSALS[0]),
        Parrot::before(faults.clone(), REFUSALS[1]),
    ];
    let vendors = vendors.serve_behind(fronts).await.expect("they are served");
    let up = Up::start(&vendors, store).await;
    let (kiotviet, getfly) = (&vendors.kiotviet, &vendors.getfly);
    let mut scenario = Scenario::new(up, kiotviet, getfly, &faults, jiff::Timestamp::now());
    scenario.marks.add(Of::Secret, PASSWORD);
    scenario.run().await;
    let states = scenario.states().await;
    assert!(
        states["retrying"].len() == 1 && states["done"].len() > 10,
        "{states:?}"
    );
    assert!(scenario.was_shown("Không nhận"));
    assert_eq!(scenario.leaks(&GUARDED), BTreeSet::new());
    assert_eq!(
        told_at_rest(&scenario.marks, folder),
        BTreeSet::new(),
        "while it runs"
    );
    scenario.host.stop().await;
    assert_eq!(
        told_at_rest(&scenario.marks, folder),
        BTreeSet::new(),
        "afterwards"
    );
    let wrote = &scenario.host.wrote;
    for part in ["Serving http", "event ended", "read back"] {
        assert!(wrote.contains(part), "{part}: {wrote}");
    }
    let told = scenario.marks.search(&ALL).find(wrote.as_bytes());
    assert_eq!(told, BTreeSet::new(), "{wrote}");
    scenario.marks
}

/// The control: a text that is put into the store is found in its files.
async fn is_found_once_it_is_there(marks: &Marks, store: impl Backend, folder: &Path) {
    let value = br#"{"event":{"body":{"plain":"eyJzZHQiOiIwOTEyIDM0NSA2NzgifQ=="}}}"#;
    store
        .set("kvgf/journal/1000001", value.to_vec())
        .await
        .unwrap();
    drop(store);
    let told = told_at_rest(marks, folder);
    let is_phone = |told: &String| told.ends_with(": 0912 345 678 in Base64");
    assert!(told.iter().any(is_phone), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_over_its_file_tells_and_keeps_nothing_in_plain() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let store = ["--state-dir", path.to_str().unwrap()];
    let marks = told_by_the_program(store, path).await;
    is_found_once_it_is_there(&marks, Embedded::open(path).unwrap(), path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_over_redis_tells_and_keeps_nothing_in_plain() {
    // Its log of writes holds everything ever written; nothing in it may be compressed.
    let options = [
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--rdbcompression",
        "no",
    ];
    let Some(server) = redis(&options).await else {
        return;
    };
    let url = server.url();
    let marks = told_by_the_program(["--store", &url], server.folder()).await;
    is_found_once_it_is_there(&marks, opened(&server).await, server.folder()).await;
}

async fn opened(server: &RedisServer) -> Redis {
    let address = RedisAddress::parse(&server.url()).unwrap();
    Redis::open(address).await.unwrap()
}

/// A worker that dies in the middle says why, without personal data.
#[tokio::test(start_paused = true)]
async fn a_trap_tells_nothing() {
    let shop = WasmShop::connected_in_wasm(On::Both, |app| app)
        .await
        .expect("a shop");
    let mut marks = Marks::default();
    let mut trapped = 0;
    for fuel in (50_000..1_000_000).step_by(95_000) {
        shop.kiotviet.create_customer(hoa());
        for delivery in shop.kiotviet.take_deliveries() {
            let request = shop.kiotviet.request(&delivery);
            let outcome = shop.app.trapped_at(fuel).request(request).await;
            trapped += usize::from(outcome.finished.trap.is_some());
            let shown = format!("{:?}", outcome.finished.trap);
            marks.note(&shop.kiotviet, &shop.getfly);
            let told = marks.search(&ALL).find(shown.as_bytes());
            assert_eq!(told, BTreeSet::new(), "{shown}");
        }
    }
    assert!(trapped > 2, "{trapped}");
    let search = marks.search(&ALL);
    let log = shop.app.logs().join("\n");
    assert_eq!(search.find(log.as_bytes()), BTreeSet::new(), "{log}");
    for (key, value) in shop.app.store().dump().await.unwrap() {
        assert_eq!(search.find(&value), BTreeSet::new(), "{key}");
    }
}

/// The control: the scenario does carry those texts to their destination.
#[tokio::test(start_paused = true)]
async fn the_marked_texts_do_pass_through() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    assert!(String::from_utf8_lossy(&delivery.body()).contains("0912 345 678"));
    shop.app.request(shop.kiotviet.request(&delivery)).await;
    let account = &shop.getfly.accounts()[0];
    assert_eq!(
        (&*account.phone_office, &*account.email),
        ("0912345678", "hoa@example.vn")
    );
}
