//! What a release is made of besides this project: the crates in the program and in the component, as a list of their
//! licences ([`licences`]) and as a bill of materials ([`sbom`]). Everything comes from Cargo: nothing is asked of a
//! network that a build does not ask too.

use crate::{toolchain, workspace_root};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// How a file with a licence or a notice begins.
const LICENCE_FILES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// The packages that a release is made of, and the target that each is compiled for; none: this machine's.
const ROOTS: [(&str, Option<&str>); 2] = [("host", None), ("plugin", Some(toolchain::TARGET))];

/// A crate of a release.
struct Crate {
    name: String,
    version: String,
    /// SPDX; as the crate tells it.
    licence: Option<String>,
    repository: Option<String>,
    /// SHA-256 of its package, as in Cargo.lock; none for ours.
    checksum: Option<String>,
    /// Names and versions of what it needs, as far as they are in the release.
    needs: Vec<Key>,
    /// Its licences and notices, each a whole file.
    texts: Vec<String>,
}

/// Name and version.
type Key = (String, String);

impl Crate {
    fn is_ours(&self) -> bool {
        self.checksum.is_none()
    }

    fn purl(&self) -> String {
        purl(&self.name, &self.version)
    }
}

fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

/// The licences of all crates in a release that are not ours, as one text: which crate has which, then every text
/// once.
///
/// # Errors
/// When Cargo cannot tell, or a crate tells no licence.
pub fn licences() -> Result<String> {
    let crates = crates()?;
    let mut list = String::from(
        "kvgf is under the MIT licence. It contains the crates below, each under its own licence, and Rust's standard\n\
         library (https://github.com/rust-lang/rust, MIT OR Apache-2.0). Where a licence offers a choice, each choice\n\
         that is in `deny.toml` is taken. The texts follow, each with the crates that it came with.\n\n",
    );
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in crates.values().filter(|one| !one.is_ours()) {
        let Crate { name, version, .. } = one;
        let licence = one.licence.as_deref();
        let licence = licence.with_context(|| format!("{name} {version} tells no licence"))?;
        let place = one.repository.as_deref().unwrap_or("crates.io");
        list += &format!("{name} {version}: {licence} ({place})\n");
        for text in &one.texts {
            texts
                .entry(text)
                .or_default()
                .push(format!("{name} {version}"));
        }
    }
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by(|left, right| left.1.cmp(&right.1));
    for (text, whose) in texts {
        let line = "-".repeat(100);
        list += &format!("\n{line}\n{}\n{line}\n\n{text}\n", whose.join(", "));
    }
    Ok(list)
}

/// The bill of materials of a release: CycloneDX 1.6, JSON. The same for the same sources: it holds no time.
///
/// # Errors
/// When Cargo cannot tell.
pub fn sbom() -> Result<String> {
    let crates = crates()?;
    let root = crates
        .values()
        .find(|one| one.name == "host")
        .context("the host is in a release")?;
    let components: Vec<Value> = crates.values().map(component).collect();
    let dependencies: Vec<Value> = crates
        .values()
        .map(|one| {
            let needs: BTreeSet<String> = one.needs.iter().map(|(n, v)| purl(n, v)).collect();
            json!({ "ref": one.purl(), "dependsOn": needs })
        })
        .chain([
            json!({ "ref": "kvgf", "dependsOn": ROOTS.map(|(name, _)| purl(name, &root.version)) }),
        ])
        .collect();
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": { "type": "application", "bom-ref": "kvgf", "name": "kvgf", "version": root.version },
        },
        "components": components,
        "dependencies": dependencies,
    });
    Ok(format!("{bill:#}\n"))
}

fn component(one: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": one.purl(),
        "name": one.name,
        "version": one.version,
        "purl": one.purl(),
    });
    if let Some(licence) = &one.licence {
        // Before SPDX had expressions, a slash meant a choice.
        let expression = licence.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(checksum) = &one.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &one.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// All crates of a release, ours too.
fn crates() -> Result<BTreeMap<Key, Crate>> {
    let mut keys = BTreeSet::new();
    for (package, target) in ROOTS {
        keys.extend(tree(package, target)?);
    }
    let metadata = cargo(&["metadata", "--locked", "--format-version", "1"])?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo's metadata")?;
    let lock = fs::read_to_string(workspace_root().join("Cargo.lock")).context("Cargo.lock")?;
    let checksums = checksums(&lock);
    let needs = needs(&metadata);
    let mut crates = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let key = key_of(package);
        if keys.contains(&key) {
            let mut one = read(package, &checksums)?;
            let id = package["id"].as_str().unwrap_or_default();
            one.needs = needs.get(id).cloned().unwrap_or_default();
            one.needs.retain(|key| keys.contains(key));
            crates.insert(key, one);
        }
    }
    if crates.len() < keys.len() {
        bail!("cargo tree and cargo metadata do not agree");
    }
    Ok(crates)
}

fn key_of(package: &Value) -> Key {
    let text = |name: &str| package[name].as_str().unwrap_or_default().to_owned();
    (text("name"), text("version"))
}

fn read(package: &Value, checksums: &BTreeMap<Key, String>) -> Result<Crate> {
    let text = |name: &str| package[name].as_str().map(str::to_owned);
    let key = key_of(package);
    let manifest = text("manifest_path").unwrap_or_default();
    let folder = Path::new(&manifest).parent().unwrap_or(Path::new("/"));
    let checksum = checksums.get(&key).cloned();
    let texts = match &checksum {
        Some(_) => texts(folder)?,
        None => Vec::new(),
    };
    let (name, version) = key;
    Ok(Crate {
        name,
        version,
        licence: text("license"),
        repository: text("repository"),
        checksum,
        needs: Vec::new(),
        texts,
    })
}

/// The licences and notices in a crate's folder.
fn texts(folder: &Path) -> Result<Vec<String>> {
    let shown = folder.display();
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {shown}"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_uppercase();
        let is_licence = LICENCE_FILES.iter().any(|begins| name.starts_with(begins));
        if is_licence && path.is_file() {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            texts.push(text.trim().to_owned());
        }
    }
    texts.sort();
    Ok(texts)
}

/// What is linked into `package`, itself included.
fn tree(package: &str, target: Option<&str>) -> Result<Vec<Key>> {
    let mut arguments = vec!["tree", "--locked", "--package", package];
    arguments.extend(["--edges", "normal,no-proc-macro", "--prefix", "none"]);
    arguments.extend(["--no-dedupe", "--format", "{p}"]);
    if let Some(target) = target {
        arguments.extend(["--target", target]);
    }
    let tree = cargo(&arguments)?;
    let keys = tree.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        let version = rest.split(' ').next()?;
        Some((name.to_owned(), version.to_owned()))
    });
    Ok(keys.collect())
}

/// Of each package's id, what it needs.
fn needs(metadata: &Value) -> BTreeMap<&str, Vec<Key>> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let keys: BTreeMap<&str, Key> = packages
        .filter_map(|package| Some((package["id"].as_str()?, key_of(package))))
        .collect();
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    let needs = nodes.filter_map(|node| {
        let needed = node["dependencies"].as_array()?;
        let needed = needed
            .iter()
            .filter_map(|id| keys.get(id.as_str()?).cloned());
        Some((node["id"].as_str()?, needed.collect()))
    });
    needs.collect()
}

/// The checksums in a Cargo.lock, whose form Cargo keeps: one member a line, the name first.
fn checksums(lock: &str) -> BTreeMap<Key, String> {
    let (mut key, mut checksums) = (Key::default(), BTreeMap::new());
    for line in lock.lines() {
        let Some((member, value)) = line.split_once(" = ") else {
            continue;
        };
        let value = value.trim_matches('"').to_owned();
        match member {
            "name" => key.0 = value,
            "version" => key.1 = value,
            "checksum" => {
                checksums.insert(key.clone(), value);
            }
            _ => {}
        }
    }
    checksums
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .current_dir(workspace_root())
        .args(arguments)
        .output()
        .context("cannot run cargo")?;
    if !asked.status.success() {
        let words = String::from_utf8_lossy(&asked.stderr);
        bail!("cargo {}: {}", arguments.join(" "), words.trim());
    }
    String::from_utf8(asked.stdout).context("cargo's words")
}
