//! `cargo demo`: a simulated shop connects, sells and edits; the host is killed once in the middle, and
//! later KiotViet silently stops sending; at the end both sides are counted against each other. Everything on loopback sockets, real time.

pub mod client;
mod report;
mod shop;

use crate::child::{Process, free_port};
use anyhow::{Context, Result, bail};
use client::App;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use rand::{SeedableRng, rngs::StdRng};
use sim::{
    GetflySim, HttpDeliverer, KiotVietSim, Server, SimClock, TokioClock,
    getfly::{GetflySettings, User},
    kiotviet::{Chaos, Settings, Staff},
    serve,
};
use std::{net::Ipv4Addr, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;

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
/// 32 bytes that are no secret: the demo's store lives in a temporary folder.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Pause between two actions of the shop.
const BETWEEN_ACTIONS: Duration = Duration::from_millis(250);
/// How long what waits may take to settle; a killed host's lease is free after 30 s.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);

struct Vendors {
    kiotviet: Arc<KiotVietSim>,
    getfly: Arc<GetflySim>,
    servers: [Server; 2],
}

async fn vendors(seed: u64) -> Result<Vendors> {
    let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(Timestamp::now()));
    let settings = Settings {
        retailer: CONNECTION.to_owned(),
        retry_wait: Duration::from_secs(2),
        max_attempts: 20,
        parallel_deliveries: 4,
        ..Settings::default()
    };
    let kiotviet = Arc::new(KiotVietSim::new(settings, clock.clone()));
    kiotviet.set_chaos(Chaos {
        seed,
        duplicates: 0.2,
        burst: Some(Duration::from_secs(2)),
        out_of_order: true,
        merge_items: 3,
        merge_notifications: 2,
    });
    let getfly = Arc::new(GetflySim::new(
        GetflySettings {
            latency: Duration::from_millis(20),
            ..GetflySettings::default()
        },
        clock,
    ));
    for (id, login, name, mobile) in [
        (11, "lan.nguyen", "Nguyễn Thị Lan", "0900000011"),
        (12, "minh.tran", "Trần Văn Minh", "0900000012"),
    ] {
        getfly.add_user(User::new(id, login, name, mobile));
    }
    for (id, login, name, mobile) in [
        (5101, "lan", "Lan", "+84 900 000 011"),
        (5102, "minh", "Minh", "900000012"),
        (5103, "moi", "Người mới", ""),
    ] {
        kiotviet.add_staff(Staff::new(id, login, name, mobile));
    }
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let servers = [
        serve(kiotviet.clone(), listen().await?)?,
        serve(getfly.clone(), listen().await?)?,
    ];
    Ok(Vendors {
        kiotviet,
        getfly,
        servers,
    })
}

/// Starts this program as the host, and waits until it serves.
async fn start_host(arguments: &[String]) -> Result<Process> {
    let program = std::env::current_exe().context("this program's own path")?;
    let mut words = vec![program.display().to_string(), "host".to_owned()];
    words.extend_from_slice(arguments);
    let mut host = Process::start(&words)?;
    host.serves().await?;
    Ok(host)
}

fn host_arguments(port: u16, vendors: &Vendors, state: &Path) -> Vec<String> {
    let [kiotviet, getfly] = &vendors.servers;
    let variables = [
        ("getfly_url", getfly.origin()),
        ("getfly_api_key", vendors.getfly.settings().api_key),
        ("public_url", format!("http://127.0.0.1:{port}")),
        ("admin_token", ADMIN_TOKEN.to_owned()),
        ("master_key", MASTER_KEY.to_owned()),
        ("kiotviet_api_url", kiotviet.origin()),
        ("kiotviet_auth_url", kiotviet.origin()),
        ("getfly_requests_per_second", "20".to_owned()),
    ];
    let mut arguments = vec![
        "up".to_owned(),
        "--listen".to_owned(),
        format!("127.0.0.1:{port}"),
        "--state-dir".to_owned(),
        state.display().to_string(),
        "--drain-every".to_owned(),
        "5s".to_owned(),
    ];
    arguments.extend(
        variables
            .into_iter()
            .flat_map(|(n, v)| ["--variable".to_owned(), format!("{n}={v}")]),
    );
    arguments
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
    let app = App::new(port, ADMIN_TOKEN);
    let settings = vendors.kiotviet.settings();
    println!(
        "Host on http://127.0.0.1:{port}. Connecting the shop {CONNECTION}, both webhooks on."
    );
    app.connect(
        CONNECTION,
        &settings.retailer,
        &settings.client_id,
        &settings.client_secret,
    )
    .await?;
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
            for hook in vendors.kiotviet.webhooks() {
                vendors.kiotviet.set_webhook_active(hook.id, false);
            }
        }
    }
    bar.finish_and_clear();

    println!("Looking after the webhooks, as every drain does each quarter of an hour …");
    app.heal().await?;

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
async fn settled(app: &App, kiotviet: &KiotVietSim) -> Result<Vec<serde_json::Value>> {
    let started = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let events = app.events().await?;
        let waiting = events
            .iter()
            .filter(|e| matches!(e["state"].as_str(), Some("received" | "retrying")))
            .count();
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
