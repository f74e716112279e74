//! A tenant's file, `NAME.toml`: its variables, secrets as `@FILE`, and a table `[host]` for the host itself.

use crate::{
    manifest::{Declaration, Manifest},
    origins,
    server::{Share, host_name},
    variable_file,
};
use plugin::config::{Config, Problem};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a tenant without anything to do is left alone: webhooks are looked at every quarter of an hour, and may be
/// by so much later.
const REST: Duration = Duration::from_secs(300);
const MEBIBYTE: usize = 1 << 20;

/// A tenant's name: letters a–z, digits and dashes. It is the name of its file, and part of its keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// None for a text that is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let sound = !text.is_empty() && text.len() <= 63 && text.bytes().all(plain);
        sound.then(|| Self(text.to_owned()))
    }

    /// Where the tenant's keys begin in a store of many. A name holds no slash, so no two begin alike.
    pub fn keys(&self) -> String {
        format!("tenant/{self}/")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a sound file says.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// The host name of its `public_url`.
    pub host: String,
    /// Its Getfly, as its file names it.
    pub getfly: String,
    /// The same with its port, by which one Getfly is told from another.
    pub(super) origin: String,
    /// Its variables, and the origins it may call.
    pub manifest: Manifest,
    /// A component of its own.
    pub component: Option<PathBuf>,
    /// The one digest that its component may have.
    pub digest: Option<String>,
    /// How much of the host it may take.
    pub share: Share,
    /// Memory of its instances together, bytes.
    pub memory: usize,
    /// What its keys and values may take in the store, bytes.
    pub store: u64,
}

/// A file that was read, with the stamps by which a later change is seen.
pub(super) struct Read {
    /// What it says, or why it is refused, in words without a value.
    pub(super) said: Result<Said, String>,
    /// The file and those behind its `@`.
    pub(super) stamps: BTreeMap<PathBuf, Stamp>,
}

/// Which file it is, when it or its mode was changed last, and its size; none where there is no file.
pub(super) type Stamp = Option<[i64; 4]>;

/// The stamp of a file now.
pub(super) fn stamp(file: &Path) -> Stamp {
    let metadata = std::fs::metadata(file).ok()?;
    let (inode, size) = (metadata.ino().cast_signed(), metadata.size().cast_signed());
    Some([inode, metadata.ctime(), metadata.ctime_nsec(), size])
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    host: Host,
    #[serde(flatten)]
    variables: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    component: Option<PathBuf>,
    component_digest: Option<String>,
    instances: Option<usize>,
    large_bodies: Option<usize>,
    memory_mib: Option<usize>,
    requests: Option<usize>,
    store_mib: Option<usize>,
}

impl Host {
    /// The bound that the file gives, or the usual one.
    fn bound(
        name: &str,
        given: Option<usize>,
        usual: usize,
        sound: RangeInclusive<usize>,
    ) -> Result<usize, String> {
        let given = given.unwrap_or(usual);
        if sound.contains(&given) {
            return Ok(given);
        }
        let (least, most) = sound.into_inner();
        Err(format!(
            "[host] {name} is not a number from {least} to {most}"
        ))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(i64),
    Fraction(f64),
    Switch(bool),
}

/// Reads a tenant's file.
pub(super) fn read(file: &Path, declaration: &Declaration) -> Read {
    let mut stamps = BTreeMap::from([(file.to_owned(), stamp(file))]);
    let said = said(file, declaration, &mut stamps);
    Read { said, stamps }
}

fn said(
    file: &Path,
    declaration: &Declaration,
    stamps: &mut BTreeMap<PathBuf, Stamp>,
) -> Result<Said, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("it cannot be read: {e}"))?;
    // A parser's own words quote the line, which may hold a secret.
    let parsed: File = toml::from_str(&text).map_err(|e| {
        let at = e.span().map(|span| line(&text, span.start));
        let at = at.map_or(String::new(), |line| format!("line {line}: "));
        format!("{at}it is no table of variables, as name = \"value\"")
    })?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let secrets = declaration.secrets();
    let mut given = BTreeMap::new();
    for (name, value) in parsed.variables {
        let value = match value {
            Value::Text(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Fraction(number) => number.to_string(),
            Value::Switch(on) => on.to_string(),
        };
        let value = match value.strip_prefix('@') {
            None if secrets.contains(&name) && !value.is_empty() => {
                return Err(format!(
                    "{name} is a secret: give it as \"@FILE\", a file that this host may read"
                ));
            }
            None => value,
            Some(behind) => {
                let behind = folder.join(behind);
                stamps.insert(behind.clone(), stamp(&behind));
                variable_file::read(&behind)
                    .map_err(|e| format!("{name}: {} cannot be read: {e}", behind.display()))?
            }
        };
        given.insert(name, value);
    }
    let none = |_: &str| None;
    let wrong = |e: anyhow::Error| format!("{e:#}");
    let values = declaration.values(&given, none).map_err(wrong)?;
    let config = Config::load(|name| values.get(name).cloned());
    let problems: BTreeSet<String> = config
        .problems
        .iter()
        .map(|Problem { variable, problem }| format!("{variable} {problem}"))
        .collect();
    if !problems.is_empty() {
        let problems: Vec<String> = problems.into_iter().collect();
        return Err(problems.join(" "));
    }
    let manifest = declaration.resolved(&given, none).map_err(wrong)?;
    let value = |name: &str| values.get(name).map(|v| v.trim()).unwrap_or_default();
    let public: Option<http::Uri> = value("public_url").parse().ok();
    let host = public.as_ref().and_then(http::Uri::host);
    let host = host_name(host.ok_or("public_url has no host name")?);
    let getfly = value("getfly_url").to_ascii_lowercase();
    Ok(Said {
        host,
        origin: origins::of_server(&getfly),
        getfly,
        manifest,
        component: parsed.host.component.as_ref().map(|own| folder.join(own)),
        digest: digest(&parsed.host)?,
        // A monitor waits for its heartbeat.
        share: share(&parsed.host, value("heartbeat_path").is_empty())?,
        memory: MEBIBYTE * Host::bound("memory_mib", parsed.host.memory_mib, 256, 8..=4096)?,
        store: (MEBIBYTE * Host::bound("store_mib", parsed.host.store_mib, 1024, 1..=1_048_576)?)
            as u64,
    })
}

/// As `sha256sum` prints it; `sha256:` may stand before it.
fn digest(host: &Host) -> Result<Option<String>, String> {
    let Some(given) = &host.component_digest else {
        return Ok(None);
    };
    let digest = given.strip_prefix("sha256:").unwrap_or(given);
    if digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("[host] component_digest is no SHA-256 of 64 hexadecimal digits".to_owned());
    }
    Ok(Some(digest.to_ascii_lowercase()))
}

fn share(host: &Host, may_rest: bool) -> Result<Share, String> {
    Ok(Share {
        instances: Host::bound("instances", host.instances, 16, 1..=256)?,
        large_bodies: Host::bound("large_bodies", host.large_bodies, 2, 1..=6)?,
        requests: Host::bound("requests", host.requests, 128, 1..=768)?,
        rest: if may_rest { REST } else { Duration::ZERO },
    })
}

/// The number of the line at this byte.
fn line(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.matches('\n').count() + 1
}
