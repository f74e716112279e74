//! `cargo demo`: a simulated shop connects, sells and edits; the host is killed once in the middle, and
//! later KiotViet silently stops sending; at the end both sides are counted against each other. Everything on loopback sockets, real time.

mod report;
mod shop;

use crate::{
    admin::{self, Admin, Remote, successful},
    program::{Program, free_port},
    shop::On,
    vendors::Vendors,
};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use rand::{SeedableRng, rngs::StdRng};
use sim::{
    HttpDeliverer, KiotVietSim,
    getfly::{GetflySettings, User},
    kiotviet::{Chaos, Settings, Staff},
};
use std::{path::Path, sync::Arc, time::Duration};

/// What the demo is asked to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Things the shop does before the count.
    #[arg(long, default_value_t = 60)]
    pub actions: u32,
    /// Decides everything that is random.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Keep everything running at the end, to be looked at.
    #[arg(long)]
    pub serve: bool,
}

const CONNECTION: &str = "cuahangthu";
const ADMIN_TOKEN: &str = "demo-admin-token-2026";
/// Pause between two actions of the shop.
const BETWEEN_ACTIONS: Duration = Duration::from_millis(250);
/// How long what waits may take to settle; a killed host's lease is free after 30 s.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);

async fn vendors(seed: u64) -> Result<Vendors> {
    let settings = Settings {
        retailer: CONNECTION.to_owned(),
        retry_wait: Duration::from_secs(2),
        max_attempts: 20,
        parallel_deliveries: 4,
        ..Settings::default()
    };
    let getfly = GetflySettings {
        latency: Duration::from_millis(20),
        ..GetflySettings::default()
    };
    let vendors = Vendors::new(settings, getfly);
    vendors.kiotviet.set_chaos(Chaos {
        seed,
        duplicates: 0.2,
        burst: Some(Duration::from_secs(2)),
        out_of_order: true,
        merge_items: 3,
        merge_notifications: 2,
    });
    for (id, login, name, mobile) in [
        (11, "lan.nguyen", "Nguyễn Thị Lan", "0938900011"),
        (12, "minh.tran", "Trần Văn Minh", "0938900012"),
    ] {
        vendors.getfly.add_user(User::new(id, login, name, mobile));
    }
    for (id, login, name, mobile) in [
        (5101, "lan", "Lan", "+84 900 000 011"),
        (5102, "minh", "Minh", "900000012"),
        (5103, "moi", "Người mới", ""),
    ] {
        vendors
            .kiotviet
            .add_staff(Staff::new(id, login, name, mobile));
    }
    vendors.serve().await
}

/// Starts this program as the host, and waits until it serves.
async fn start_host(arguments: &[String]) -> Result<Program> {
    let program = std::env::current_exe().context("this program's own path")?;
    let mut words = vec![program.display().to_string(), "host".to_owned()];
    words.extend_from_slice(arguments);
    let mut host = Program::start_unlogged(&words)?;
    host.serves().await?;
    Ok(host)
}

fn host_arguments(port: u16, vendors: &Vendors, state: &Path) -> Vec<String> {
    let (listen, state) = (format!("127.0.0.1:{port}"), state.display().to_string());
    let fixed = ["up", "--listen", &listen, "--state-dir", &state];
    let more = [
        "--drain-every",
        "5s",
        "--variable",
        "getfly_requests_per_second=20",
    ];
    let fixed = fixed.into_iter().chain(more).map(str::to_owned);
    let variables = vendors.arguments(&format!("http://{listen}"), ADMIN_TOKEN);
    fixed.chain(variables).collect()
}

/// Runs the demo; an error when anything was lost or doubled.
pub async fn run(options: &Options) -> Result<()> {
    println!("Building the component …");
    let built =
        tokio::task::spawn_blocking(|| xtask::build_component(xtask::Install::AsRoot)).await??;
    println!("{} ({} kB)", built.path.display(), built.size / 1000);
    let vendors = vendors(options.seed).await?;
    // Nobody else can have made it before, or read it; it goes with the demo.
    let state = tempfile::Builder::new()
        .prefix("kiotviet-getfly-demo-")
        .tempdir()
        .context("making a folder for the store")?;
    let port = free_port()?;
    let arguments = host_arguments(port, &vendors, state.path());
    let mut host = start_host(&arguments).await?;
    let app = Remote::new(format!("http://127.0.0.1:{port}"), ADMIN_TOKEN);
    let settings = vendors.kiotviet.settings();
    println!(
        "Host on http://127.0.0.1:{port}. Connecting the shop {CONNECTION}, both webhooks on."
    );
    successful(app.connect(CONNECTION, &settings).await)?;
    for webhook in On::Both.webhooks() {
        successful(app.switch(CONNECTION, webhook, true).await)?;
    }
    let since = Timestamp::now();

    let delivering = tokio::spawn(deliver(vendors.kiotviet.clone()));
    let bar = ProgressBar::new(u64::from(options.actions));
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let mut shop = shop::Shop::new(
        vendors.kiotviet.clone(),
        StdRng::seed_from_u64(options.seed),
    );
    for action in 0..options.actions {
        bar.set_message(shop.act());
        bar.inc(1);
        tokio::time::sleep(BETWEEN_ACTIONS).await;
        if action == options.actions / 2 {
            bar.println("kill -9 of the host, and started again on the same store");
            host.kill().await?;
            host = start_host(&arguments).await?;
        }
        if action == options.actions / 4 * 3 {
            bar.println("KiotViet switches both webhooks off, and tells nobody");
            vendors.kiotviet.switch_off_webhooks();
        }
    }
    bar.finish_and_clear();

    println!("Looking after the webhooks, as every drain does each quarter of an hour …");
    // As soon as no other drain is at work.
    while successful(app.heal().await)?["busy"] == true {}

    println!("Waiting until everything that was told has ended …");
    let events = settled(&app, &vendors.kiotviet).await?;
    delivering.abort();
    let verdict = report::print(&events, &vendors.kiotviet, &vendors.getfly, since);
    if options.serve {
        println!(
            "Still running. The page: http://127.0.0.1:{port}/  (log in with {ADMIN_TOKEN})\n\
             The API: curl -H 'Authorization: Bearer {ADMIN_TOKEN}' http://127.0.0.1:{port}/api/events"
        );
        println!("Ctrl-C ends it.");
        tokio::signal::ctrl_c().await?;
    }
    drop(host);
    verdict
}

async fn deliver(kiotviet: Arc<KiotVietSim>) {
    let to = HttpDeliverer::default();
    loop {
        kiotviet.deliver_due(&to).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until KiotViet has nothing more to tell and no event waits.
async fn settled(app: &Remote, kiotviet: &KiotVietSim) -> Result<Vec<serde_json::Value>> {
    let started = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut events = app.events_after(0, "").await?;
        events.reverse();
        let waiting = events.iter().filter(|e| admin::waits(e)).count();
        if waiting == 0 && kiotviet.outbox().is_empty() {
            return Ok(events);
        }
        if started.elapsed() > SETTLED_WITHIN {
            bail!(
                "{waiting} events still wait after {} s",
                SETTLED_WITHIN.as_secs()
            );
        }
    }
}
