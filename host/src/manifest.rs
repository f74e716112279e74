//! `spin.toml` as Spin reads it: variables with their defaults and requirements, templates, the
//! component's file, its stores and the origins it may call.

use crate::origins::OutboundPolicy;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

#[derive(Deserialize)]
struct File {
    spin_manifest_version: u32,
    #[serde(default)]
    variables: BTreeMap<String, Declared>,
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Declared {
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
    default: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    source: String,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

/// A manifest with every variable resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The component's file.
    pub component: PathBuf,
    /// Labels of its key-value stores.
    pub stores: Vec<String>,
    /// The component's variables.
    pub variables: BTreeMap<String, String>,
    /// The origins it may call.
    pub outbound: OutboundPolicy,
}

/// The manifest's text.
fn text_of(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| {
        let shown = file.display();
        format!("cannot read {shown}; run this where spin.toml is, or name it with --from")
    })
}

/// A manifest as it is written, whose variables can be resolved for several tenants.
pub struct Declaration {
    file: File,
    directory: PathBuf,
}

impl Declaration {
    /// Reads the manifest in `file`.
    pub fn read(file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = text_of(file)?;
        let directory = file.parent().unwrap_or(Path::new("."));
        Self::parse(&text, directory).with_context(|| format!("{shown} cannot be used"))
    }

    /// From the manifest's text; `directory` is the manifest's.
    pub fn parse(text: &str, directory: &Path) -> Result<Self> {
        let file: File = toml::from_str(text)?;
        if file.spin_manifest_version != 2 {
            bail!(
                "it is a version {} manifest; version 2 is needed",
                file.spin_manifest_version
            );
        }
        Ok(Self {
            file,
            directory: directory.to_owned(),
        })
    }

    /// Every declared variable's value, without an error for those that have none. Refuses unknown variables.
    pub fn values(
        &self,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<String, String>> {
        Ok(resolve(&self.file.variables, given, environment)?.0)
    }

    /// The names of the variables that are declared to be secrets.
    pub fn secrets(&self) -> BTreeSet<String> {
        let variables = self.file.variables.iter();
        let secrets = variables.filter(|(_, declared)| declared.secret);
        secrets.map(|(name, _)| name.clone()).collect()
    }

    /// The manifest with every variable resolved. Refuses unknown variables and required ones without value.
    pub fn resolved(
        &self,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Manifest> {
        let (values, missing) = resolve(&self.file.variables, given, environment)?;
        if !missing.is_empty() {
            bail!("required variables have no value:\n{}", missing.join("\n"));
        }
        let component = self.file.component.iter().next();
        let (name, component) = component.context("it has no component")?;
        let fill_in =
            |text: &String| template(text, &values).with_context(|| format!("component {name}"));
        let mut variables = BTreeMap::new();
        for (variable, text) in &component.variables {
            variables.insert(variable.clone(), fill_in(text)?);
        }
        let mut outbound = OutboundPolicy::default();
        for text in &component.allowed_outbound_hosts {
            let allowed = OutboundPolicy::new([fill_in(text)?.as_str()])
                .with_context(|| format!("allowed_outbound_hosts, the value of {text}"))?;
            outbound.extend(allowed);
        }
        Ok(Manifest {
            component: self.directory.join(&component.source),
            stores: component.key_value_stores.clone(),
            variables,
            outbound,
        })
    }
}

impl Manifest {
    /// Reads `file`, with `given` variables (`--variable`) before the environment's
    /// `SPIN_VARIABLE_NAME`. Refuses unknown variables and required ones without value, and names
    /// each.
    pub fn load(
        file: &Path,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let resolved = Declaration::read(file)?.resolved(given, environment);
        resolved.with_context(|| format!("{} cannot be used", file.display()))
    }

    /// Every declared variable's value, from the same sources as [`Manifest::load`], without an
    /// error for those that have none. Refuses unknown variables.
    pub fn values(
        file: &Path,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<String, String>> {
        Declaration::read(file)?.values(given, environment)
    }

    /// The names of the variables that are declared to be secrets.
    pub fn secrets(file: &Path) -> Result<BTreeSet<String>> {
        Ok(Declaration::read(file)?.secrets())
    }

    /// [`Manifest::load`] from the manifest's text; `directory` is the manifest's.
    pub fn parse(
        text: &str,
        directory: &Path,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        Declaration::parse(text, directory)?.resolved(given, environment)
    }
}

/// The values, and a line for each required one that has none.
fn resolve(
    declared: &BTreeMap<String, Declared>,
    given: &BTreeMap<String, String>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let unknown: Vec<&str> = given
        .keys()
        .filter(|n| !declared.contains_key(*n))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        let known: Vec<&str> = declared.keys().map(String::as_str).collect();
        bail!(
            "unknown variable: {}. There are: {}",
            unknown.join(", "),
            known.join(", ")
        );
    }
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, declaration) in declared {
        let upper = format!("SPIN_VARIABLE_{}", name.to_uppercase());
        let value = given
            .get(name)
            .cloned()
            .or_else(|| environment(&upper))
            .or_else(|| declaration.default.clone());
        match value {
            Some(value) => {
                values.insert(name.clone(), value);
            }
            None if declaration.required => missing.push(format!(
                "  {name}: give --variable {name}={} or set {upper}",
                if declaration.secret { "@FILE" } else { "…" }
            )),
            None => {}
        }
    }
    Ok((values, missing))
}

/// Replaces `{{ name }}`.
fn template(text: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after
            .split_once("}}")
            .with_context(|| format!("{text:?} has no closing braces"))?;
        let name = name.trim();
        let value = values
            .get(name)
            .with_context(|| format!("{text:?} names a variable that is not declared"))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}
