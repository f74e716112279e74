//! A shop with its vendors on loopback, and the host as a child process that can be killed.

use super::watch::{Watch, Watched};
use crate::search::{
    checker::{self, Finding, Kind},
    evidence::{Dismissed, Evidence, Shop, Since, Versions},
    switched::Switched,
};
use anyhow::{Context, Result, bail};
use host_test::{
    child::{Process, free_port},
    demo::client::App,
    native::{ADMIN_TOKEN, MASTER_KEY},
};
use jiff::Timestamp;
use rand::{Rng, rngs::StdRng};
use serde::Serialize;
use serde_json::Value;
use sim::{
    Faulty, GetflySim, KiotVietSim, Server, SimClock, TokioClock,
    getfly::{GetflySettings, User},
    kiotviet::{Chaos, Line, NewCustomer, NewInvoice, Settings},
    serve,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

/// Where the shop is connected.
const CONNECTION: &str = "shop";
/// Getfly's time for each call, so that a kill finds calls under way.
const GETFLY_TAKES: Duration = Duration::from_millis(10);
/// How long everything that waits may take to end.
const SETTLED_WITHIN: Duration = Duration::from_secs(900);

/// Which store the host keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreKind {
    /// The file in its state folder.
    Embedded,
    /// A Redis that forces every write to the disk.
    Redis,
}

/// See the module.
pub(super) struct Site {
    pub(super) kiotviet: Arc<KiotVietSim>,
    pub(super) getfly: Arc<GetflySim>,
    pub(super) kiotviet_faults: Arc<Faulty>,
    pub(super) getfly_faults: Arc<Faulty>,
    /// The calls of the host that runs.
    pub(super) watch: Arc<Watch>,
    pub(super) port: u16,
    pub(super) api: App,
    clock: Arc<dyn SimClock>,
    arguments: Vec<String>,
    since: Since,
    versions: Versions,
    customers: Vec<i64>,
    _servers: [Server; 2],
    _redis: Option<Child>,
    folder: Folder,
}

impl Site {
    /// The vendors, and the store; no host yet. `program` is how the host is called.
    pub(super) async fn build(program: &[String], store: StoreKind, seed: u64) -> Result<Self> {
        let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(Timestamp::now()));
        let settings = Settings {
            retailer: CONNECTION.to_owned(),
            // A host that is down refuses more often than a shop's ever would.
            max_attempts: u32::MAX,
            retry_wait: Duration::ZERO,
            gets_per_hour: u32::MAX,
            // Or what was lost could be read back.
            lists_are_empty: true,
            ..Settings::default()
        };
        let kiotviet = Arc::new(KiotVietSim::new(settings, clock.clone()));
        kiotviet.set_chaos(Chaos {
            seed,
            duplicates: 0.3,
            out_of_order: true,
            merge_items: 2,
            ..Chaos::default()
        });
        let settings = GetflySettings {
            latency: GETFLY_TAKES,
            ..GetflySettings::default()
        };
        let getfly = Arc::new(GetflySim::new(settings, clock.clone()));
        getfly.add_user(User::new(12, "lan", "Nhân Viên Một", "+84 900 000 501"));
        let kiotviet_faults = Arc::new(Faulty::new(kiotviet.clone(), clock.clone(), seed));
        let getfly_faults = Arc::new(Faulty::new(getfly.clone(), clock.clone(), seed));
        let watch = Arc::new(Watch::default());
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let servers = [
            serve(
                Watched::kiotviet(kiotviet_faults.clone(), &watch),
                listen().await?,
            )?,
            serve(
                Watched::getfly(getfly_faults.clone(), &watch),
                listen().await?,
            )?,
        ];
        let folder = Folder::make()?;
        let (redis, store) = match store {
            StoreKind::Embedded => (None, ["--state-dir".to_owned(), folder.text()]),
            StoreKind::Redis => {
                let (child, url) = redis(&folder.0).await?;
                (Some(child), ["--store".to_owned(), url])
            }
        };
        let port = free_port()?;
        let [kiotviet_at, getfly_at] = [servers[0].origin(), servers[1].origin()];
        let variables = [
            ("getfly_url", getfly_at),
            ("getfly_api_key", getfly.settings().api_key),
            ("public_url", format!("http://127.0.0.1:{port}")),
            ("admin_token", ADMIN_TOKEN.to_owned()),
            ("master_key", MASTER_KEY.to_owned()),
            ("kiotviet_api_url", kiotviet_at.clone()),
            ("kiotviet_auth_url", kiotviet_at),
            ("getfly_requests_per_second", "100".to_owned()),
        ];
        let mut arguments = program.to_vec();
        arguments.extend(["up", "--listen"].map(str::to_owned));
        arguments.push(format!("127.0.0.1:{port}"));
        arguments.extend(store);
        let variables = variables.into_iter();
        arguments
            .extend(variables.flat_map(|(n, v)| ["--variable".to_owned(), format!("{n}={v}")]));
        Ok(Self {
            kiotviet,
            getfly,
            kiotviet_faults,
            getfly_faults,
            watch,
            port,
            api: App::new(port, ADMIN_TOKEN),
            clock,
            arguments,
            since: Since::default(),
            versions: Versions::default(),
            customers: Vec::new(),
            _servers: servers,
            _redis: redis,
            folder,
        })
    }

    /// Starts the host; it does not serve yet.
    pub(super) fn start(&self) -> Result<Process> {
        Process::start(&self.arguments)
    }

    /// Bytes of the embedded store's file; 0 where there is none.
    pub(super) fn store_bytes(&self) -> u64 {
        let file = self.folder.0.join("store.redb");
        std::fs::metadata(file).map_or(0, |there| there.len())
    }

    /// Connects the shop, both webhooks on.
    pub(super) async fn connect(&mut self) -> Result<()> {
        let settings = self.kiotviet.settings();
        let (id, secret) = (&settings.client_id, &settings.client_secret);
        let now = self.clock.now();
        self.since = Since {
            customers: Switched::on(now, now),
            invoices: Switched::on(now, now),
        };
        self.api.connect(CONNECTION, CONNECTION, id, secret).await?;
        // Whatever the shop does next is later than the switches.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        Ok(())
    }

    /// The address that KiotViet delivers customers to: the path.
    pub(super) fn hook(&self) -> Result<String> {
        let hooks = self.kiotviet.webhooks().into_iter();
        let mut hooks = hooks.filter(|hook| hook.kind == "customer.update");
        let url = hooks.next().context("a webhook")?.url;
        let origin = format!("http://127.0.0.1:{}", self.port);
        let path = url.strip_prefix(&origin).context("its address is ours")?;
        Ok(path.to_owned())
    }

    /// The shop sells: so many new customers, an invoice of every second one, an edit.
    pub(super) fn act(&mut self, customers: usize, rng: &mut StdRng) {
        for _ in 0..customers {
            let number = self.customers.len();
            let id = self.kiotviet.create_customer(NewCustomer {
                name: format!("Khách {number}"),
                contact_number: Some(format!("091{number:07}")),
                ..NewCustomer::default()
            });
            self.customers.push(id);
            if number.is_multiple_of(2) {
                self.kiotviet.create_invoice(NewInvoice {
                    customer_id: Some(id),
                    sold_by: Some(5001),
                    lines: vec![Line::new("SP1", "Áo thun", 1.into(), 150_000.into())],
                    ..NewInvoice::default()
                });
            }
        }
        self.note();
        let edited = self.customers[rng.random_range(0..self.customers.len())];
        let change = |c: &mut NewCustomer| c.comments = Some("khách quen".to_owned());
        self.kiotviet.edit_customer(edited, change);
        self.note();
    }

    fn note(&mut self) {
        let (customers, invoices) = (self.kiotviet.customers(), self.kiotviet.invoices());
        self.versions.note(customers, invoices);
    }

    /// How many events KiotViet was promised by its 200s, for each customer's id and invoice's code.
    pub(super) fn promised(&self) -> BTreeMap<String, usize> {
        let codes: BTreeMap<i64, String> = {
            let invoices = self.kiotviet.invoices().into_iter();
            invoices.map(|invoice| (invoice.id, invoice.code)).collect()
        };
        let mut promised = BTreeMap::new();
        let answered = self.kiotviet.answered().into_iter();
        for (action, id) in answered.filter(|a| a.accepted()).flat_map(|a| a.items) {
            let code = codes.get(&id).filter(|_| action.starts_with("invoice"));
            let key = code.cloned().unwrap_or_else(|| id.to_string());
            *promised.entry(key).or_default() += 1;
        }
        promised
    }

    /// Drains until nothing waits; gives what still does when that takes too long, and what needs a
    /// person.
    pub(super) async fn settle(&self) -> Result<Vec<String>> {
        let began = tokio::time::Instant::now();
        loop {
            // A drain that was stopped, by a slow store or machine, is gone on with by the next one.
            let drained = self.api.call("POST", "drain", &Value::Null).await;
            let at_rest = drained.is_ok_and(|d| d["waiting"] == 0 && d["busy"] == false);
            let late = began.elapsed() > SETTLED_WITHIN;
            if late || at_rest {
                let unfinished = self.unfinished().await?;
                let waits = |event: &String| !event.contains(" dead ");
                if late || !unfinished.iter().any(waits) {
                    return Ok(unfinished);
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn unfinished(&self) -> Result<Vec<String>> {
        let mut unfinished = Vec::new();
        for state in ["received", "retrying", "dead"] {
            let events = self.events_after(0, &format!("&state={state}")).await?;
            let shown = events
                .iter()
                .map(|e| format!("{} {state} {}", e["seq"], e["reason"]));
            unfinished.extend(shown);
        }
        Ok(unfinished)
    }

    /// The public list, newest first, down to this number.
    pub(super) async fn events_after(&self, seq: u64, filter: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut before = String::new();
        loop {
            let path = format!("events?limit=200{filter}{before}");
            let list = self.api.call("GET", &path, &Value::Null).await?;
            let events = list["events"].as_array().cloned().unwrap_or_default();
            let number = |event: &Value| event["seq"].as_u64().unwrap_or(0);
            let old = events.iter().any(|event| number(event) <= seq);
            all.extend(events.into_iter().filter(|event| number(event) > seq));
            match list["next_before"].as_u64() {
                Some(next) if !old && next > seq => before = format!("&before={next}"),
                _ => return Ok(all),
            }
        }
    }

    /// What the checker finds in the vendors' records.
    pub(super) fn judge(&mut self, unfinished: Vec<String>) -> Judged {
        self.note();
        let shop = Shop::of(
            &self.kiotviet,
            self.since.clone(),
            Dismissed::default(),
            self.versions.clone(),
        );
        let evidence = Evidence::of(vec![shop], &self.getfly, Vec::new(), unfinished);
        Judged::new(&checker::check(&evidence))
    }
}

/// The checker's findings of each kind, counted and in words.
#[derive(Debug, Default, Serialize)]
pub struct Judged {
    /// Not there.
    pub lost: usize,
    /// There twice.
    pub doubled: usize,
    /// Waiting, or in need of a person.
    pub stuck: usize,
    /// Other than it should be.
    pub wrong: usize,
    /// All of them in words, and what else is missing.
    pub findings: Vec<String>,
}

impl Judged {
    fn new(findings: &BTreeSet<Finding>) -> Self {
        let count = |kind| findings.iter().filter(|f| f.kind == kind).count();
        Self {
            lost: count(Kind::Lost),
            doubled: count(Kind::Doubled),
            stuck: count(Kind::Stuck),
            wrong: count(Kind::Wrong),
            findings: findings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A Redis of our own that answers a write when it is on the disk, and its address.
async fn redis(folder: &Path) -> Result<(Child, String)> {
    let port = free_port()?;
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args([
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
        ])
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("starting redis-server (apt-get install redis-server)")?;
    for _ in 0..200 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_ok()
        {
            return Ok((child, format!("redis://127.0.0.1:{port}/0")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("redis-server does not listen")
}

/// A folder of its own that goes with it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let name = format!("kiotviet-getfly-soak-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }

    fn text(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind in the system's temporary folder at worst.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
