//! `cargo demo`: a simulated shop connects, sells and edits; the host is killed once in the middle, and
//! later KiotViet silently stops sending; at the end both sides are counted against each other. With `--serve` the shop goes
//! on selling until it is told to stop. Everything on loopback sockets, real time.

mod counter;
mod report;
mod shop;

use crate::{
    admin::{self, Admin, Remote, successful},
    program::{Program, free_port},
    shop::On,
    vendors::Vendors,
};
use anyhow::{Context, Result, bail};
use counter::Counter;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use rand::{SeedableRng, rngs::StdRng};
use sim::{
    HttpDeliverer, KiotVietSim, Server,
    getfly::{GetflySettings, User},
    kiotviet::{Chaos, Settings, Staff},
    lock, serve,
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
};

/// What the demo is asked to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Things the shop does before the count.
    #[arg(long, default_value_t = 60)]
    pub actions: u32,
    /// Decides everything that is random.
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Keep everything running at the end, to be looked at: the shop goes on selling, and s with Enter sells at once.
    #[arg(long)]
    pub serve: bool,
    /// Where the host listens, 127.0.0.1:3000 for example; without it a free port of this machine.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

const CONNECTION: &str = "cuahangthu";
const ADMIN_TOKEN: &str = "demo-admin-token-2026";
/// Pause between two actions of the shop.
const BETWEEN_ACTIONS: Duration = Duration::from_millis(250);
/// The same once the count is over and the demo serves.
const BETWEEN_SALES: Duration = Duration::from_secs(15);
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

fn host_arguments(at: At, vendors: &Vendors, state: &Path) -> Vec<String> {
    let (listen, state) = (at.listen.to_string(), state.display().to_string());
    let fixed = ["up", "--listen", &listen, "--state-dir", &state];
    let more = [
        "--drain-every",
        "5s",
        "--variable",
        "getfly_requests_per_second=20",
    ];
    let fixed = fixed.into_iter().chain(more).map(str::to_owned);
    let variables = vendors.arguments(&at.origin(), ADMIN_TOKEN);
    fixed.chain(variables).collect()
}

/// Where the host listens.
#[derive(Debug, Clone, Copy)]
struct At {
    listen: SocketAddr,
}

impl At {
    fn find(options: &Options) -> Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut listen = options.listen.unwrap_or(any);
        if listen.port() == 0 {
            listen.set_port(free_port()?);
        }
        Ok(Self { listen })
    }

    /// An address of this machine that reaches what listens there.
    fn reached(address: SocketAddr) -> String {
        let ip = match address.ip() {
            ip if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, address.port()))
    }

    fn origin(self) -> String {
        Self::reached(self.listen)
    }
}

/// Runs the demo until it ends, or until SIGTERM or Ctrl-C. Either way nothing of it is left: its host is ended, and its
/// folder removed. An error when anything was lost or doubled.
pub async fn run(options: &Options) -> Result<()> {
    let stop = host::cli::stop_signals()?;
    tokio::select! {
        played = play(options) => played,
        () = stop => {
            println!("Stopped.");
            Ok(())
        }
    }
}

async fn play(options: &Options) -> Result<()> {
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
    let at = At::find(options)?;
    let arguments = host_arguments(at, &vendors, state.path());
    let mut host = start_host(&arguments).await?;
    let app = Remote::new(at.origin(), ADMIN_TOKEN);
    let settings = vendors.kiotviet.settings();
    println!(
        "Host on {}. Connecting the shop {CONNECTION}, both webhooks on.",
        at.origin()
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
    let verdict = report::print(&events, &vendors.kiotviet, &vendors.getfly, since);
    if options.serve {
        let shop = Arc::new(Mutex::new(shop));
        let _counter = open_counter(at, options, shop.clone()).await?;
        go_on_selling(&shop).await;
    }
    delivering.abort();
    host.stop().await?;
    verdict
}

/// Serves the counter, and says where everything is.
async fn open_counter(at: At, options: &Options, shop: Arc<Mutex<shop::Shop>>) -> Result<Server> {
    let beside = options.listen.map_or(0, |asked| asked.port());
    let beside = beside.checked_add(1).filter(|port| *port > 1);
    let listener = TcpListener::bind((at.listen.ip(), beside.unwrap_or(0))).await?;
    let counter = Counter {
        shop,
        app: Remote::new(at.origin(), ADMIN_TOKEN),
        port: at.listen.port(),
        token: ADMIN_TOKEN,
    };
    let counter = serve(Arc::new(counter), listener)?;
    let (page, door) = (at.origin(), At::reached(counter.address()));
    println!(
        "Still running; the shop sells something every {} s.\n\
         The page, logged in: {door}/{ADMIN_TOKEN}\n\
         The API: curl -H 'Authorization: Bearer {ADMIN_TOKEN}' {page}/api/events\n\
         s and Enter sells at once, and so does: curl -X POST {door}/sell\n\
         Ctrl-C ends all of it.",
        BETWEEN_SALES.as_secs()
    );
    Ok(counter)
}

/// The shop's day goes on, and whoever types s buys. It has no end.
async fn go_on_selling(shop: &Mutex<shop::Shop>) {
    let mut typed = Some(BufReader::new(tokio::io::stdin()).lines());
    let mut day = tokio::time::interval(BETWEEN_SALES);
    day.tick().await;
    loop {
        let line = async {
            match &mut typed {
                Some(lines) => lines.next_line().await,
                None => std::future::pending().await,
            }
        };
        let said = tokio::select! {
            _ = day.tick() => lock(shop).act(),
            line = line => match line {
                Ok(Some(line)) if line.trim() == "s" => lock(shop).sell_something(),
                Ok(Some(_)) => "s and Enter sells something",
                // Nobody types any more.
                Ok(None) | Err(_) => {
                    typed = None;
                    continue;
                }
            },
        };
        println!("{said}");
    }
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
