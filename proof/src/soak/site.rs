//! A shop with its vendors on loopback, and the host as a child process that can be killed.

use super::watch::{Watch, Watched};
use crate::search::{
    checker::{self, Finding, Kind},
    evidence::{Dismissed, Evidence, Shop, Since, Unfinished, Versions, unfinished},
    switched::Switched,
};
use anyhow::{Context, Result};
use host_test::{
    admin::{Admin, Remote, successful},
    program::{Program, free_port},
    redis_server::{RedisServer, redis},
    shop::{On, customer, sale},
    variables::ADMIN_TOKEN,
    vendors::Vendors,
};
use rand::{Rng, rngs::StdRng};
use serde::Serialize;
use sim::{
    Faulty, GetflySim, KiotVietSim, Upstream,
    getfly::{GetflySettings, User},
    kiotviet::{Chaos, NewCustomer, Settings},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt,
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// The name of the shop's connection.
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
    pub(super) vendors: Vendors,
    pub(super) kiotviet_faults: Arc<Faulty>,
    pub(super) getfly_faults: Arc<Faulty>,
    /// The calls of the running host.
    pub(super) watch: Arc<Watch>,
    pub(super) port: u16,
    pub(super) api: Remote,
    arguments: Vec<String>,
    since: Since,
    versions: Versions,
    customers: Vec<i64>,
    _redis: Option<RedisServer>,
    folder: TempDir,
}

impl Site {
    /// Makes the vendors and the store, without a host. `program` is the host's command.
    pub(super) async fn build(program: &[String], store: StoreKind, seed: u64) -> Result<Self> {
        let settings = Settings {
            retailer: CONNECTION.to_owned(),
            // A host that is down fails more often than a real one ever does.
            max_attempts: u32::MAX,
            retry_wait: Duration::ZERO,
            gets_per_hour: u32::MAX,
            // Otherwise a list scan could bring in what was lost.
            lists_are_empty: true,
            ..Settings::default()
        };
        let getfly = GetflySettings {
            latency: GETFLY_TAKES,
            ..GetflySettings::default()
        };
        let vendors = Vendors::new(settings, getfly);
        vendors.kiotviet.set_chaos(Chaos {
            seed,
            duplicates: 0.3,
            out_of_order: true,
            merge_items: 2,
            ..Chaos::default()
        });
        let user = User::new(12, "lan", "Nhân Viên Một", "+84 900 000 501");
        vendors.getfly.add_user(user);
        let faulty = |vendor| Arc::new(Faulty::new(vendor, vendors.clock.clone(), seed));
        let kiotviet_faults = faulty(vendors.kiotviet.clone());
        let getfly_faults = faulty(vendors.getfly.clone());
        let watch = Arc::new(Watch::default());
        let fronts: [Arc<dyn Upstream>; 2] = [
            Watched::kiotviet(kiotviet_faults.clone(), &watch),
            Watched::getfly(getfly_faults.clone(), &watch),
        ];
        let vendors = vendors.serve_behind(fronts).await?;
        let folder = tempfile::tempdir()?;
        let (redis, store) = match store {
            StoreKind::Embedded => (
                None,
                ["--state-dir", &folder.path().display().to_string()].map(str::to_owned),
            ),
            StoreKind::Redis => {
                let server = redis(&["--appendonly", "yes", "--appendfsync", "always"]).await;
                let server = server.context("redis-server is missing")?;
                let store = ["--store".to_owned(), server.url()];
                (Some(server), store)
            }
        };
        let port = free_port()?;
        let (listen, origin) = (
            format!("127.0.0.1:{port}"),
            format!("http://127.0.0.1:{port}"),
        );
        let mut arguments = program.to_vec();
        arguments.extend(["up", "--listen", &listen].map(str::to_owned));
        arguments.extend(store);
        arguments.extend(vendors.arguments(&origin, ADMIN_TOKEN));
        arguments.extend(["--variable", "getfly_requests_per_second=100"].map(str::to_owned));
        Ok(Self {
            vendors,
            kiotviet_faults,
            getfly_faults,
            watch,
            port,
            api: Remote::new(origin, ADMIN_TOKEN),
            arguments,
            since: Since::default(),
            versions: Versions::default(),
            customers: Vec::new(),
            _redis: redis,
            folder,
        })
    }

    /// Starts the host; it does not serve yet.
    pub(super) fn start(&self) -> Result<Program> {
        Program::start_unlogged(&self.arguments)
    }

    /// Starts the host and keeps its log.
    pub(super) fn start_logged(&self) -> Result<Program> {
        Program::start(&self.arguments)
    }

    pub(super) fn kiotviet(&self) -> &Arc<KiotVietSim> {
        &self.vendors.kiotviet
    }

    pub(super) fn getfly(&self) -> &GetflySim {
        &self.vendors.getfly
    }

    /// The bytes that the embedded store's file takes on the disk, which is less than its length; 0
    /// without a file.
    pub(super) fn store_bytes(&self) -> u64 {
        let file = self.folder.path().join("store.redb");
        std::fs::metadata(file).map_or(0, |there| there.blocks() * 512)
    }

    /// Connects the shop, both webhooks on.
    pub(super) async fn connect(&mut self) -> Result<()> {
        let settings = self.kiotviet().settings();
        let now = self.vendors.clock.now();
        self.since = Since {
            customers: Switched::on(now, now),
            invoices: Switched::on(now, now),
        };
        successful(self.api.connect(CONNECTION, &settings).await)?;
        for webhook in On::Both.webhooks() {
            successful(self.api.switch(CONNECTION, webhook, true).await)?;
        }
        // The shop's next actions are later than the switches.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        Ok(())
    }

    /// The path of the address to which KiotViet delivers customers.
    pub(super) fn hook(&self) -> Result<String> {
        let hooks = self.kiotviet().webhooks().into_iter();
        let mut hooks = hooks.filter(|hook| hook.kind == "customer.update");
        let url = hooks.next().context("a webhook")?.url;
        let origin = format!("http://127.0.0.1:{}", self.port);
        let path = url.strip_prefix(&origin).context("its address is ours")?;
        Ok(path.to_owned())
    }

    /// The shop sells: this many new customers, an invoice of every second one, an edit.
    pub(super) fn act(&mut self, customers: usize, rng: &mut StdRng) {
        for _ in 0..customers {
            let number = self.customers.len();
            let new = customer(&format!("Khách {number}"), &format!("091{number:07}"));
            let id = self.kiotviet().create_customer(new);
            self.customers.push(id);
            if number.is_multiple_of(2) {
                self.kiotviet().create_invoice(sale(Some(id)));
            }
        }
        self.note();
        let edited = self.customers[rng.random_range(0..self.customers.len())];
        let change = |c: &mut NewCustomer| c.comments = Some("khách quen".to_owned());
        self.kiotviet().edit_customer(edited, change);
        self.note();
    }

    fn note(&mut self) {
        let (customers, invoices) = (self.kiotviet().customers(), self.kiotviet().invoices());
        self.versions.note(customers, invoices);
    }

    /// How many events the 200s promised to KiotViet, for each customer's id and invoice's code.
    pub(super) fn promised(&self) -> BTreeMap<String, usize> {
        let codes: BTreeMap<i64, String> = {
            let invoices = self.kiotviet().invoices().into_iter();
            invoices.map(|invoice| (invoice.id, invoice.code)).collect()
        };
        let mut promised = BTreeMap::new();
        let answered = self.kiotviet().answered().into_iter();
        for (action, id) in answered.filter(|a| a.accepted()).flat_map(|a| a.items) {
            let code = codes.get(&id).filter(|_| action.starts_with("invoice"));
            let key = code.cloned().unwrap_or_else(|| id.to_string());
            *promised.entry(key).or_default() += 1;
        }
        promised
    }

    /// Drains until no event waits; returns the events that still wait after too long, and those
    /// that need a person.
    pub(super) async fn settle(&self) -> Result<Vec<Unfinished>> {
        let began = tokio::time::Instant::now();
        loop {
            // If a slow store or machine stops a drain, the next one goes on.
            let drained = successful(self.api.drain().await);
            let at_rest = drained.is_ok_and(|d| d["waiting"] == 0 && d["busy"] == false);
            let late = began.elapsed() > SETTLED_WITHIN;
            if late || at_rest {
                let unfinished = unfinished(&self.api).await?;
                let waits = |event: &Unfinished| !event.is_dead;
                if late || !unfinished.iter().any(waits) {
                    return Ok(unfinished);
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// What the checker finds in the vendors' records.
    pub(super) fn judge(&mut self, unfinished: Vec<Unfinished>) -> Judged {
        self.note();
        let shop = Shop::of(
            self.kiotviet(),
            self.since.clone(),
            Dismissed::default(),
            self.versions.clone(),
        );
        let evidence = Evidence::of(vec![shop], self.getfly(), Vec::new(), unfinished);
        Judged::new(&checker::check(&evidence))
    }
}

/// The checker's findings of each kind, counted and in words.
#[derive(Debug, Default, Serialize)]
pub struct Judged {
    /// Absent.
    pub lost: usize,
    /// Double.
    pub doubled: usize,
    /// Waiting, or in need of a person.
    pub stuck: usize,
    /// Different from the rules.
    pub wrong: usize,
    /// All findings in words, and what else is missing.
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
