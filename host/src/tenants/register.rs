//! Which tenants there are: what the folder's files said when they were last sound, and who is served for each.

use super::{
    file::{self, Name, Said, Stamp, stamp},
    log::of_tenant,
};
use crate::{
    keyvalue::{Backend, Quota, Space},
    manifest::Declaration,
    outbound::{CallLog, Outbound},
    runtime::{Idle, Instances, LogSink, Runtime, World, read_component},
    server::{App, Tenant},
};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A component that is ready to be instantiated.
#[derive(Clone)]
pub struct Loaded {
    /// It.
    pub runtime: Runtime,
    /// The SHA-256 of its file.
    pub digest: String,
}

impl Loaded {
    /// The component in `file`: one with the same digest that is loaded already, or what `load` makes of its bytes.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub fn of(
        file: &Path,
        twin: impl FnOnce(&str) -> Option<Self>,
        load: impl FnOnce(&Path, &[u8]) -> Result<Runtime>,
    ) -> Result<Self> {
        let component = read_component(file)?;
        let digest = Sha256::digest(&component);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(twin) = twin(&digest) {
            return Ok(twin);
        }
        let runtime = load(file, &component)?;
        Ok(Self { runtime, digest })
    }
}

/// Loads components: each digest once, and a file that does not load once as long as it does not change.
pub struct Components {
    load: fn(&Path, &[u8]) -> Result<Runtime>,
    known: BTreeMap<PathBuf, (Stamp, Result<Loaded, String>)>,
}

impl Components {
    /// None yet; `load` loads one.
    pub fn new(load: fn(&Path, &[u8]) -> Result<Runtime>) -> Self {
        let known = BTreeMap::new();
        Self { load, known }
    }

    /// The component in this file, or why it does not load.
    fn get(&mut self, file: &Path, log: &LogSink) -> Result<Loaded, String> {
        let now = stamp(file);
        if let Some((then, known)) = self.known.get(file)
            && *then == now
        {
            return known.clone();
        }
        let twin = |digest: &str| {
            let mut loaded = self.known.values().filter_map(|(_, l)| l.as_ref().ok());
            loaded.find(|loaded| loaded.digest == digest).cloned()
        };
        let load = |file: &Path, component: &[u8]| {
            let file_name = file.display().to_string();
            let line = serde_json::json!({ "level": "info", "message": "a component is compiled", "file": file_name });
            log(&line.to_string());
            (self.load)(file, component)
        };
        let loaded = Loaded::of(file, twin, load).map_err(|e| format!("{e:#}"));
        self.known.insert(file.to_owned(), (now, loaded.clone()));
        loaded
    }
}

/// What all tenants share.
pub struct Surroundings {
    /// The manifest, whose variables each tenant's file gives.
    pub declaration: Declaration,
    /// The one store.
    pub store: Arc<dyn Backend>,
    /// Whether other hosts may use it.
    pub shared: bool,
    /// Idle instances of all.
    pub idle: Arc<Idle>,
    /// Where lines go, each with its tenant's name.
    pub log: LogSink,
}

/// A tenant's file, as it was read last.
struct Known {
    stamps: BTreeMap<PathBuf, Stamp>,
    /// What it said when it was last sound, and who is served because of it.
    served: Option<Served>,
    /// Why what it says now is refused.
    refused: Option<String>,
}

struct Served {
    said: Said,
    digest: String,
    tenant: Arc<Tenant>,
}

/// See the module.
pub struct Register {
    folder: PathBuf,
    surroundings: Surroundings,
    components: Components,
    known: BTreeMap<Name, Known>,
    /// Files whose names are no tenant's.
    nameless: BTreeSet<String>,
}

impl Register {
    /// Of this folder, not read yet.
    pub fn of(folder: PathBuf, surroundings: Surroundings, components: Components) -> Self {
        Self {
            folder,
            surroundings,
            components,
            known: BTreeMap::new(),
            nameless: BTreeSet::new(),
        }
    }

    /// Reads the files that came or changed, or with `all` every one, and lets `app` serve what they say. A file that is
    /// refused changes nothing: who was served because of what it said before is still served.
    ///
    /// # Errors
    /// If the folder cannot be read; then nothing changes.
    pub fn renew(&mut self, app: &App, all: bool) -> Result<()> {
        let Files { files, nameless } = files(&self.folder)?;
        for file in nameless.difference(&self.nameless) {
            let message = "a tenant's file is refused, and it is not served";
            let line = serde_json::json!({ "level": "error", "message": message, "file": file, "why": NAMELESS });
            (self.surroundings.log)(&line.to_string());
        }
        self.nameless = nameless;
        let gone = |name: &Name| !files.contains_key(name);
        let before = self.known.len();
        for (name, _) in self.known.extract_if(.., |name, _| gone(name)) {
            let line = serde_json::json!({ "level": "info", "message": "a tenant is gone", "tenant": name.to_string() });
            (self.surroundings.log)(&line.to_string());
        }
        let mut changed = self.known.len() != before;
        let mut sound = BTreeMap::new();
        let mut refused = BTreeMap::new();
        for (name, path) in &files {
            let known = self.known.get(name);
            let same = known.is_some_and(|k| k.stamps.iter().all(|(f, then)| stamp(f) == *then));
            // What was refused may be another's no more.
            if same && !all && known.is_some_and(|k| k.refused.is_none()) {
                continue;
            }
            let read = file::read(path, &self.surroundings.declaration);
            let known = self.known.entry(name.clone()).or_insert(Known {
                stamps: BTreeMap::new(),
                served: None,
                refused: None,
            });
            known.stamps = read.stamps;
            match read.said.and_then(|said| self.with_component(said)) {
                Ok(both) => _ = sound.insert(name.clone(), both),
                Err(why) => _ = refused.insert(name.clone(), why),
            }
        }
        let served = self.known.iter();
        let served = served.filter_map(|(name, k)| Some((name, &k.served.as_ref()?.said)));
        let wanted = sound.iter().map(|(name, (said, _))| (name, said));
        refused.extend(clashes(served.collect(), wanted.collect()));
        for (name, why) in &refused {
            sound.remove(name);
            self.refuse(name, why);
        }
        for (name, (said, component)) in sound {
            changed |= self.take_up(&name, said, component);
        }
        if changed {
            let served = self.known.values().filter_map(|k| k.served.as_ref());
            let served = served.map(|s| (s.said.host.clone(), s.tenant.clone()));
            app.serve_tenants(served.collect());
        }
        let refused = self.known.values().filter(|k| k.refused.is_some());
        app.tell_refused(refused.count() + self.nameless.len());
        Ok(())
    }

    /// A sound file with the component that it names.
    fn with_component(&mut self, said: Said) -> Result<(Said, Loaded), String> {
        let file = said.component.as_ref().unwrap_or(&said.manifest.component);
        let component = self.components.get(file, &self.surroundings.log)?;
        let digest = &component.digest;
        match &said.digest {
            Some(wanted) if wanted != digest => Err(format!(
                "the component {} has the digest {digest}, and [host] component_digest is {wanted}",
                file.display()
            )),
            _ => Ok((said, component)),
        }
    }

    fn word(&self, level: &str, name: &Name, message: &str, why: Option<&str>) {
        let line = serde_json::json!({ "level": level, "message": message, "tenant": name.to_string(), "why": why });
        (self.surroundings.log)(&line.to_string());
    }

    fn refuse(&mut self, name: &Name, why: &str) {
        let Some(known) = self.known.get_mut(name) else {
            return;
        };
        if known.refused.as_deref() == Some(why) {
            return;
        }
        known.refused = Some(why.to_owned());
        let message = match known.served {
            None => "a tenant's file is refused, and it is not served",
            Some(_) => "a tenant's file is refused, and it is served as before",
        };
        self.word("error", name, message, Some(why));
    }

    /// Takes up what a file says now. Whether somebody else is served then.
    fn take_up(&mut self, name: &Name, said: Said, component: Loaded) -> bool {
        let Some(known) = self.known.get_mut(name) else {
            return false;
        };
        known.refused = None;
        let before = known.served.as_ref();
        if before.is_some_and(|b| b.said == said && b.digest == component.digest) {
            return false;
        }
        let message = match before {
            None => "a tenant is served",
            Some(_) => "a tenant is served as its file says now",
        };
        self.word("info", name, message, None);
        let digest = component.digest.clone();
        let tenant = self.tenant(name, &said, component);
        if let Some(known) = self.known.get_mut(name) {
            known.served = Some(Served {
                said,
                digest,
                tenant,
            });
        }
        true
    }

    fn tenant(&self, name: &Name, said: &Said, component: Loaded) -> Arc<Tenant> {
        let shared = &self.surroundings;
        let mut variables = said.manifest.variables.clone();
        variables.insert("component_digest".to_owned(), component.digest);
        let quota = Quota::of(said.store);
        let space = Space::of(shared.store.clone(), name.keys()).within(quota.clone());
        let world = World {
            variables: Arc::new(variables),
            backend: Arc::new(space),
            store_labels: Arc::new(said.manifest.stores.clone()),
            policy: Arc::new(said.manifest.outbound.clone()),
            outbound: Outbound::Network,
            log: of_tenant(&shared.log, &name.to_string()),
            clock: None,
            seed: None,
            calls: CallLog::default(),
            limit: None,
        };
        let runtime = component.runtime;
        let instances = Instances::sharing(&shared.idle, said.memory, runtime, world);
        let mut share = said.share;
        if shared.shared {
            // What another host leaves when it crashes is found by the next drain.
            share.rest = Duration::ZERO;
        }
        Tenant::new(&name.to_string(), instances, share, Some(quota))
    }
}

/// What a file says, or why it is refused.
pub type Told = Result<Said, String>;

/// Whose host names and Getflys are taken.
#[derive(Default)]
struct Claims<'s> {
    hosts: BTreeMap<&'s str, &'s Name>,
    getflys: BTreeMap<&'s str, &'s Name>,
}

impl<'s> Claims<'s> {
    /// Whether another has one of them.
    fn clash(&self, name: &Name, said: &Said) -> Option<String> {
        let Said { host, origin, .. } = said;
        let other = |found: Option<&&'s Name>| found.copied().filter(|other| *other != name);
        if let Some(other) = other(self.hosts.get(host.as_str())) {
            return Some(format!(
                "its public_url has the host name {host}, which is {other}'s"
            ));
        }
        let other = other(self.getflys.get(origin.as_str()))?;
        Some(format!(
            "its getfly_url is {other}'s; all shops of one Getfly belong to one tenant, as its connections"
        ))
    }

    fn take(&mut self, name: &'s Name, said: &'s Said) {
        self.hosts.insert(&said.host, name);
        self.getflys.insert(&said.origin, name);
    }
}

/// Which of the `wanted` are refused because a host name or a Getfly is another's. All are judged together, so that two
/// may swap. Who is refused keeps what it has in `served`.
fn clashes<'s>(
    served: BTreeMap<&'s Name, &'s Said>,
    mut wanted: BTreeMap<&'s Name, &'s Said>,
) -> BTreeMap<Name, String> {
    let mut refused = BTreeMap::new();
    loop {
        let mut claims = Claims::default();
        for (name, said) in &served {
            match wanted.get(name) {
                None => claims.take(name, said),
                Some(now) => {
                    // What stays its own is not given to another.
                    if now.host == said.host {
                        claims.hosts.insert(&said.host, name);
                    }
                    if now.origin == said.origin {
                        claims.getflys.insert(&said.origin, name);
                    }
                }
            }
        }
        let before = refused.len();
        wanted.retain(|name, said| match claims.clash(name, said) {
            None => {
                claims.take(name, said);
                true
            }
            Some(why) => {
                refused.insert((*name).clone(), why);
                false
            }
        });
        if refused.len() == before {
            return refused;
        }
    }
}

/// What every file of a folder says, by the tenant's name, as a host would take it that has none yet. A file whose name
/// is no tenant's has its whole name.
///
/// # Errors
/// If the folder cannot be read.
pub fn read_all(folder: &Path, declaration: &Declaration) -> Result<Vec<(String, Told)>> {
    let Files { files, nameless } = files(folder)?;
    let read = files
        .into_iter()
        .map(|(name, path)| (name, file::read(&path, declaration).said));
    let read: Vec<(Name, Told)> = read.collect();
    let wanted = read.iter();
    let wanted = wanted.filter_map(|(name, told)| Some((name, told.as_ref().ok()?)));
    let mut refused = clashes(BTreeMap::new(), wanted.collect());
    let named = read.into_iter().map(|(name, told)| {
        let told = refused.remove(&name).map_or(told, Err);
        (name.to_string(), told)
    });
    let nameless = nameless
        .into_iter()
        .map(|file| (file, Err(NAMELESS.to_owned())));
    Ok(named.chain(nameless).collect())
}

const NAMELESS: &str =
    "its file's name is no tenant's: letters a-z, digits and dashes, at most 63, then .toml";

/// What a folder holds.
struct Files {
    /// The tenants' files.
    files: BTreeMap<Name, PathBuf>,
    /// Names of files that end in .toml and are no tenant's.
    nameless: BTreeSet<String>,
}

fn files(folder: &Path) -> Result<Files> {
    let shown = folder.display();
    let unread = || format!("cannot read the tenants' folder {shown}");
    let (mut files, mut nameless) = (BTreeMap::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder).with_context(unread)? {
        let path = entry.with_context(unread)?.path();
        let whole = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(stem) = whole.strip_suffix(".toml") else {
            continue;
        };
        match Name::parse(stem) {
            Some(name) => _ = files.insert(name, path.clone()),
            // An editor's own.
            None if whole.starts_with('.') => {}
            None => _ = nameless.insert(whole.into_owned()),
        }
    }
    Ok(Files { files, nameless })
}
