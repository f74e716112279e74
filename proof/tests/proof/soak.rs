//! Claims that the host withstands a flood of clients, many of them bad, while both vendors hang:
//! its memory stays within the bound of `docs/operating.md`, and KiotViet never gets a code that
//! stops it. Strangers change nothing for the shop and its owner. Ten `kill -9` under load lose,
//! double and hold up nothing, on the embedded store and on Redis. How: `cargo soak`, smaller, with
//! the real program on loopback; nothing here depends on its speed.

use clap::Parser;
use proof::soak::{flood, kill, site::StoreKind, strangers};

/// The host's command.
fn program() -> [String; 2] {
    [env!("CARGO_BIN_EXE_soak").to_owned(), "host".to_owned()]
}

#[derive(Parser)]
struct Flood {
    #[command(flatten)]
    options: flood::Options,
}

#[derive(Parser)]
struct Kill {
    #[command(flatten)]
    options: kill::Options,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_good_and_bad_clients_is_survived_within_bounded_memory() {
    let words = ["flood", "--deliveries", "1000", "--bad-rounds", "1"];
    let options = Flood::parse_from(words).options;
    let figures = flood::run(&options, &program()).await.expect("it runs");
    assert_eq!(figures.wrong(), Vec::<String>::new(), "{figures:#?}");
    assert!(figures.sent >= 1000 && figures.items_answered_200 > 0);
}

#[derive(Parser)]
struct Strangers {
    #[command(flatten)]
    options: strangers::Options,
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_delay_lose_and_change_nothing_and_do_not_keep_the_owner_out() {
    let words = ["strangers", "--attackers", "18", "--half-heads", "100"];
    let words = words.into_iter().chain(["--deliveries", "40"]);
    let options = Strangers::parse_from(words).options;
    let figures = strangers::run(&options, &program()).await.expect("it runs");
    assert_eq!(figures.wrong(), Vec::<String>::new(), "{figures:#?}");
    assert!(
        figures.strangers.len() > 5,
        "they did their worst: {figures:#?}"
    );
}

/// Ten rounds, the first of which kills the worker in the middle of a create; `seed` decides at
/// which step.
async fn killed(store: StoreKind, seed: &str) {
    let words = ["kill", "--rounds", "10", "--at-work-every", "10"];
    let words = words.into_iter().chain(["--seed", seed]);
    let mut options = Kill::parse_from(words).options;
    options.store = store;
    let figures = kill::run(&options, &program()).await.expect("it runs");
    assert_eq!(figures.wrong(), Vec::<String>::new(), "{figures:#?}");
    assert_eq!(figures.kills, 10);
    assert!(figures.items_answered_200 > 0, "{figures:#?}");
    let creates = figures.kills_before_a_creates_effect + figures.kills_after_a_creates_effect;
    assert!(creates > 0, "{figures:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_under_load_lose_and_double_nothing_on_the_embedded_store() {
    killed(StoreKind::Embedded, "2026").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_under_load_lose_and_double_nothing_on_redis() {
    let found = tokio::process::Command::new("redis-server")
        .arg("--version")
        .output()
        .await;
    if found.is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "redis-server is missing: apt-get install redis-server"
        );
        eprintln!("left out: redis-server is missing (apt-get install redis-server)");
        return;
    }
    killed(StoreKind::Redis, "2028").await;
}
