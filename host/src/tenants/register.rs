//! Which tenants there are: what the folder's files said when they were last sound, and who is served for each.

use super::{
    file::{self, Name, Read, Said, Stamp, stamp},
    log::of_tenant,
};
use crate::{
    keyvalue::{Backend, Quota, Space},
    manifest::Declaration,
    outbound::{CallLog, Outbound},
    runtime::{Idle, Instances, LogSink, Runtime, World},
    server::{App, Tenant},
};
use anyhow::Result;
use std::{
    collections::BTreeMap,
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

/// Loads components, each file once as long as it does not change.
pub struct Components {
    load: fn(&Path) -> Result<Loaded>,
    loaded: BTreeMap<PathBuf, (Stamp, Loaded)>,
}

impl Components {
    /// None yet; `load` loads one.
    pub fn new(load: fn(&Path) -> Result<Loaded>) -> Self {
        let loaded = BTreeMap::new();
        Self { load, loaded }
    }

    /// The component in this file.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub fn get(&mut self, file: &Path) -> Result<Loaded> {
        let now = stamp(file);
        if let Some((then, loaded)) = self.loaded.get(file)
            && *then == now
        {
            return Ok(loaded.clone());
        }
        let loaded = (self.load)(file)?;
        let twin = self
            .loaded
            .values()
            .find(|(_, l)| l.digest == loaded.digest);
        let loaded = twin.map_or(loaded, |(_, twin)| twin.clone());
        self.loaded.insert(file.to_owned(), (now, loaded.clone()));
        Ok(loaded)
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
}

impl Register {
    /// Of this folder, not read yet.
    pub fn of(folder: PathBuf, surroundings: Surroundings, components: Components) -> Self {
        Self {
            folder,
            surroundings,
            components,
            known: BTreeMap::new(),
        }
    }

    /// Reads the files that came or changed, or with `all` every one, and lets `app` serve what they say. A file that is
    /// refused changes nothing: who was served because of what it said before is still served.
    ///
    /// # Errors
    /// If the folder cannot be read; then nothing changes.
    pub fn renew(&mut self, app: &App, all: bool) -> Result<()> {
        let files = files(&self.folder)?;
        let gone = |name: &Name| !files.contains_key(name);
        let before = self.known.len();
        let mut changed = false;
        for (name, _) in self.known.extract_if(.., |name, _| gone(name)) {
            let line = serde_json::json!({ "level": "info", "message": "a tenant is gone", "tenant": name.to_string() });
            (self.surroundings.log)(&line.to_string());
        }
        changed |= self.known.len() != before;
        for (name, path) in &files {
            let known = self.known.get(name);
            let same = known.is_some_and(|k| k.stamps.iter().all(|(f, then)| stamp(f) == *then));
            if same && !all && known.is_some_and(|k| k.refused.is_none()) {
                continue;
            }
            let read = file::read(path, &self.surroundings.declaration);
            changed |= self.take_up(name, read);
        }
        if changed {
            let served = self.known.values().filter_map(|k| k.served.as_ref());
            let served = served.map(|s| (s.said.host.clone(), s.tenant.clone()));
            app.serve_tenants(served.collect());
        }
        let refused = self.known.values().filter(|k| k.refused.is_some());
        app.tell_refused(refused.count());
        Ok(())
    }

    /// Takes up what a file says now. Whether somebody else is served then.
    fn take_up(&mut self, name: &Name, read: Read) -> bool {
        let taken = read.said.and_then(|said| self.place(name, said));
        let known = self.known.entry(name.clone()).or_insert(Known {
            stamps: BTreeMap::new(),
            served: None,
            refused: None,
        });
        known.stamps = read.stamps;
        let word = |level, message, why: Option<&str>| {
            let line = serde_json::json!({ "level": level, "message": message, "tenant": name.to_string(), "why": why });
            (self.surroundings.log)(&line.to_string());
        };
        match taken {
            Ok(None) => {
                known.refused = None;
                false
            }
            Ok(Some(served)) => {
                let message = match known.served {
                    None => "a tenant is served",
                    Some(_) => "a tenant is served as its file says now",
                };
                word("info", message, None);
                known.refused = None;
                known.served = Some(served);
                true
            }
            Err(why) => {
                if known.refused.as_ref() != Some(&why) {
                    let message = match known.served {
                        None => "a tenant's file is refused, and it is not served",
                        Some(_) => "a tenant's file is refused, and it is served as before",
                    };
                    word("error", message, Some(&why));
                    known.refused = Some(why);
                }
                false
            }
        }
    }

    /// Who is to be served because of what a file says; none where it says what it said.
    fn place(&mut self, name: &Name, said: Said) -> Result<Option<Served>, String> {
        let others = self.known.iter().filter(|(other, _)| *other != name);
        let others = others.filter_map(|(o, known)| Some((o, &known.served.as_ref()?.said)));
        said.apart_from(others)?;
        let file = said.component.as_ref().unwrap_or(&said.manifest.component);
        let component = self.components.get(file).map_err(|e| format!("{e:#}"))?;
        let before = self.known.get(name).and_then(|k| k.served.as_ref());
        if before.is_some_and(|b| b.said == said && b.digest == component.digest) {
            return Ok(None);
        }
        let digest = component.digest.clone();
        let tenant = self.tenant(name, &said, component);
        Ok(Some(Served {
            said,
            digest,
            tenant,
        }))
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

/// What every file of a folder says, as a host would take it that has none yet.
///
/// # Errors
/// If the folder cannot be read.
pub fn read_all(folder: &Path, declaration: &Declaration) -> Result<Vec<(Name, Told)>> {
    let mut all: Vec<(Name, Told)> = Vec::new();
    for (name, path) in files(folder)? {
        let said = file::read(&path, declaration).said.and_then(|said| {
            let sound = all.iter();
            let sound = sound.filter_map(|(name, told)| Some((name, told.as_ref().ok()?)));
            said.apart_from(sound).map(|()| said)
        });
        all.push((name, said));
    }
    Ok(all)
}

/// The tenants' files in a folder, by name.
fn files(folder: &Path) -> Result<BTreeMap<Name, PathBuf>> {
    use anyhow::Context;
    let shown = folder.display();
    let unread = || format!("cannot read the tenants' folder {shown}");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(unread)? {
        let path = entry.with_context(unread)?.path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let Some(name) = stem.and_then(Name::parse) {
            files.insert(name, path);
        }
    }
    Ok(files)
}
