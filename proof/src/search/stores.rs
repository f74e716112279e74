//! The scenarios over every store that the plugin supports, each with its own semantics: memory,
//! the embedded file, models of Spin's two, and a Redis if there is one. Besides the checker, the
//! store itself is checked: it must hold only the plugin's own keys, other applications' keys must
//! be unchanged, and no counter may have been used as a value.

use super::{
    faults::{all, fail, following},
    run::{self, Script},
    scenario::{self, Scenario},
};
use anyhow::{Context, Result};
use host::keyvalue::{Backend, Embedded, Memory, Redis, RedisAddress, Reply};
use host_test::{host_fault::HostFault, stores::spin::Spin};
use sim::lock;
use std::{
    fmt::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, mpsc},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// Other applications' keys in the same Redis.
const OTHERS: [(&str, &str); 4] = [
    ("journal/1", "another's journal"),
    ("kvg", "1"),
    ("kvgf-other/journal/1", "{}"),
    ("session:8", "7"),
];
/// The databases that a Redis has by default.
const DATABASES: u16 = 16;
/// A folder in memory, if the system has one: how often a run flushes does not matter here.
const FOLDER_IN_MEMORY: &str = "/dev/shm";

/// A store for one run.
pub struct Fresh {
    backend: Arc<dyn Backend>,
    /// Forbidden effects of the run on it.
    misused: Box<dyn Fn() -> Vec<String>>,
    /// Values that must live as long as the run.
    _keep: Box<dyn std::any::Any>,
}

/// A kind of store.
pub struct Kind {
    /// Its name in the table.
    pub name: &'static str,
    /// What is particular about it.
    pub what: &'static str,
    fresh: Box<dyn Fn() -> Result<Fresh> + Sync>,
    others: &'static [(&'static str, &'static str)],
}

/// The result of a search over one store.
#[derive(Debug, Clone)]
pub struct StoreTally {
    /// The store.
    pub store: &'static str,
    /// What is particular about it.
    pub what: &'static str,
    /// How many scenarios were run to their end without faults.
    pub scenarios: usize,
    /// Host calls in these: the same over each store.
    pub host_calls: usize,
    /// Single faults that were tried.
    pub singles: usize,
    /// Runs with a finding.
    pub failures: usize,
    /// The first of them, in words.
    pub told: Vec<String>,
}

impl Kind {
    fn of_model<B: Backend + Clone + 'static>(
        name: &'static str,
        what: &'static str,
        new: fn() -> B,
        misused: fn(&B) -> Vec<String>,
    ) -> Self {
        let fresh = move || {
            let store = new();
            Ok(Fresh {
                backend: Arc::new(store.clone()),
                misused: Box::new(move || misused(&store)),
                _keep: Box::new(()),
            })
        };
        Self {
            name,
            what,
            fresh: Box::new(fresh),
            others: &[],
        }
    }

    fn embedded() -> Result<Self> {
        let waiting = Arc::new(Waiting::new()?);
        let fresh = move || {
            let in_memory = Path::new(FOLDER_IN_MEMORY);
            let folder = match in_memory.is_dir() {
                true => tempfile::tempdir_in(in_memory)?,
                false => tempfile::tempdir()?,
            };
            let store = Arc::new(Embedded::open(folder.path())?);
            Ok(Fresh {
                backend: waiting.for_(store),
                misused: Box::new(Vec::new),
                _keep: Box::new((folder, waiting.clone())),
            })
        };
        Ok(Self {
            name: "embedded file",
            what: "the project's own host: one file, one writer, many writes in one flush",
            fresh: Box::new(fresh),
            others: &[],
        })
    }

    /// A Redis of the search's own; each of its databases is emptied before a run.
    pub fn redis(url: &str) -> Result<Self> {
        let waiting = Arc::new(Waiting::new()?);
        let url = url.trim_end_matches("/0").to_owned();
        let mut databases = Vec::new();
        for database in 0..DATABASES {
            let address = RedisAddress::parse(&format!("{url}/{database}"))?;
            let store = waiting.runtime.block_on(Redis::open(address))?;
            databases.push(waiting.for_(Arc::new(store)));
        }
        let free = Arc::new(Mutex::new(databases));
        let fresh = move || {
            let taken = lock(&free).pop();
            let backend = taken.context("more runs at once than Redis has databases")?;
            now(async {
                for key in backend.list_keys().await? {
                    backend.delete(&key).await?;
                }
                for (key, value) in OTHERS {
                    backend.set(key, value.into()).await?;
                }
                Ok::<(), String>(())
            })
            .map_err(anyhow::Error::msg)?;
            Ok(Fresh {
                backend: backend.clone(),
                misused: Box::new(Vec::new),
                _keep: Box::new((GiveBack(free.clone(), backend), waiting.clone())),
            })
        };
        Ok(Self {
            name: "Redis",
            what: "a real one, with other applications' keys in it",
            fresh: Box::new(fresh),
            others: &OTHERS,
        })
    }

    fn run(
        &self,
        scenario: &Scenario,
        script: &[(usize, HostFault)],
    ) -> (Vec<String>, Vec<String>) {
        let fresh = match (self.fresh)() {
            Ok(fresh) => fresh,
            Err(e) => return (Vec::new(), vec![format!("no store: {e:#}")]),
        };
        let ended = run::scenario_over(scenario, script, fresh.backend.clone());
        let mut wrong: Vec<String> = ended.findings.iter().map(ToString::to_string).collect();
        wrong.extend((fresh.misused)());
        wrong.extend(now(self.strangers(&*fresh.backend)));
        (ended.calls, wrong)
    }

    /// Keys that are neither the plugin's nor unchanged keys of other applications.
    async fn strangers(&self, store: &dyn Backend) -> Vec<String> {
        let mut wrong = Vec::new();
        for (key, value) in self.others {
            let is = store.get(key).await;
            if is != Ok(Some(value.as_bytes().into())) {
                wrong.push(format!("another application's {key} is {is:?}"));
            }
        }
        let keys = store.list_keys().await.unwrap_or_default();
        let of_others = |key: &String| self.others.iter().any(|(other, _)| other == key);
        let strange = keys.into_iter().filter(|key| !of_others(key));
        let strange = strange.filter(|key| !key.starts_with("kvgf/"));
        wrong.extend(strange.map(|key| format!("a key without the prefix: {key}")));
        wrong
    }
}

/// The kinds that need only this process.
pub fn kinds() -> Result<Vec<Kind>> {
    let redis = Kind::of_model(
        "Spin, Redis (model)",
        "one key space for all applications, a counter is a number in text, keys in no order",
        || Spin::redis_beside(&OTHERS),
        Spin::misused,
    );
    Ok(vec![
        Kind::of_model(
            "memory",
            "strict: a counter is never read or written as a value",
            Memory::new,
            |_| Vec::new(),
        ),
        Kind::embedded()?,
        Kind::of_model(
            "Spin, SQLite (model)",
            "a counter is eight bytes; counting anything else ends the store for everybody",
            Spin::sqlite,
            Spin::misused,
        ),
        Kind {
            others: &OTHERS,
            ..redis
        },
    ])
}

/// These, and this Redis.
pub(super) fn every_kind(redis: Option<&str>) -> Result<Vec<Kind>> {
    let mut kinds = kinds()?;
    kinds.extend(redis.map(Kind::redis).transpose()?);
    Ok(kinds)
}

/// Runs every single fault of every scenario over each of these stores.
pub(super) fn every_single(kinds: &[Kind]) -> Vec<StoreTally> {
    let scenarios = scenario::all();
    let each = kinds.iter().map(|kind| {
        let tally = search(kind, &scenarios, |_| Some(1));
        eprintln!("{tally}");
        tally
    });
    each.collect()
}

/// Runs every scenario over a store, and single faults of those for which `every` returns a number:
/// each one for 1, each third for 3.
pub fn search(
    kind: &Kind,
    scenarios: &[Scenario],
    every: impl Fn(&str) -> Option<usize>,
) -> StoreTally {
    let mut tally = StoreTally {
        store: kind.name,
        what: kind.what,
        scenarios: scenarios.len(),
        host_calls: 0,
        singles: 0,
        failures: 0,
        told: Vec::new(),
    };
    for scenario in scenarios {
        let (calls, wrong) = kind.run(scenario, &[]);
        tally.host_calls += calls.len();
        tally.enter(scenario, &Vec::new(), &wrong);
        let Some(step) = every(scenario.name) else {
            continue;
        };
        let points = following(&calls, 0, HostFault::of).step_by(step);
        let scripts: Vec<Script> = points.map(|point| vec![point]).collect();
        let ended = all(&scripts, None, |script| kind.run(scenario, script).1);
        for (script, wrong) in scripts.iter().zip(ended) {
            tally.singles += 1;
            let never = || vec!["it was not ended".to_owned()];
            tally.enter(scenario, script, &wrong.unwrap_or_else(never));
        }
    }
    tally
}

impl StoreTally {
    fn enter(&mut self, scenario: &Scenario, script: &Script, wrong: &[String]) {
        if wrong.is_empty() {
            return;
        }
        fail(&mut self.failures, &mut self.told, || {
            let (store, name) = (self.store, scenario.name);
            format!("{store}, {name}, {script:?}: {}", wrong.join("; "))
        });
    }
}

impl fmt::Display for StoreTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (store, scenarios, singles) = (self.store, self.scenarios, self.singles);
        write!(
            f,
            "{store}: {scenarios} scenarios, {singles} single faults, {} failures",
            self.failures
        )
    }
}

/// The figures, in Markdown.
pub fn table(tallies: &[StoreTally]) -> String {
    let mut table = String::from(
        "| store | what is particular | scenarios | host calls | single faults | failures |\n\
         |---|---|---:|---:|---:|---:|\n",
    );
    for tally in tallies {
        // Writing to a text cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} |",
            tally.store,
            tally.what,
            tally.scenarios,
            tally.host_calls,
            tally.singles,
            tally.failures
        );
    }
    table
}

/// Returns a database back.
struct GiveBack(Arc<Mutex<Vec<Arc<dyn Backend>>>>, Arc<dyn Backend>);

impl Drop for GiveBack {
    fn drop(&mut self) {
        lock(&self.0).push(self.1.clone());
    }
}

/// The result of a future that never waits: one over a [`Waits`] or over memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// Carries out calls to a store that takes real time.
struct Waiting {
    runtime: Runtime,
}

impl Waiting {
    fn new() -> Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build()?;
        Ok(Self { runtime })
    }

    fn for_(&self, store: Arc<dyn Backend>) -> Arc<dyn Backend> {
        Arc::new(Waits {
            store,
            runtime: self.runtime.handle().clone(),
        })
    }
}

/// A store whose calls block the caller's thread until they are answered, so that no virtual time
/// passes meanwhile.
struct Waits {
    store: Arc<dyn Backend>,
    runtime: Handle,
}

impl Waits {
    fn wait<'a, T: Send + 'static>(
        &'a self,
        call: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> Reply<'a, T> {
        Box::pin(async move {
            let (answer, answered) = mpsc::channel();
            self.runtime.spawn(async move {
                // The caller waits right here.
                let _ = answer.send(call.await);
            });
            answered.recv().map_err(|e| e.to_string())?
        })
    }

    fn own(&self, key: &str) -> (Arc<dyn Backend>, String) {
        (self.store.clone(), key.to_owned())
    }
}

impl Backend for Waits {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        let (store, key) = self.own(key);
        self.wait(async move { store.get(&key).await })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        let (store, key) = self.own(key);
        self.wait(async move { store.set(&key, value).await })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        let (store, key) = self.own(key);
        self.wait(async move { store.delete(&key).await })
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        let (store, key) = self.own(key);
        self.wait(async move { store.exists(&key).await })
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        let store = self.store.clone();
        self.wait(async move { store.list_keys().await })
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        let (store, key) = self.own(key);
        self.wait(async move { store.increment(&key, delta).await })
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        let store = self.store.clone();
        self.wait(async move { store.dump().await })
    }
}
