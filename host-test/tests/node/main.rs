//! Claims that the component runs on an engine that is not ours: Node with jco (`examples/node/`),
//! against a KiotViet and a Getfly that share no line with `sim/`. How: the example's own play, in
//! which the host is killed once. Needs Node 24 and the example's packages; without them it says so,
//! and fails only where `CI` is set.

use anyhow::Result;
use std::{path::PathBuf, process::Command};
use xtask::{Built, Install, PLUGIN, Package, build, build_rc};

/// Where `.ci/run` installs Node, and its oldest version that runs the component.
const INSTALLED: &str = "target/node24/node";
const OLDEST: u32 = 24;

/// Node's major version; none if it is not there.
fn version(node: &PathBuf) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim_start_matches('v').split('.').next()?.parse().ok()
}

/// A Node that is new enough, and the example's packages beside it; else what is missing.
fn found() -> std::result::Result<PathBuf, String> {
    let root = xtask::workspace_root();
    let candidates = [root.join(INSTALLED), PathBuf::from("node")];
    let Some(node) = candidates
        .into_iter()
        .find(|node| version(node) >= Some(OLDEST))
    else {
        return Err(format!("Node {OLDEST} is missing; .ci/run installs it"));
    };
    if !root.join("examples/node/node_modules").exists() {
        return Err("its packages are missing: npm ci --prefix examples/node".to_owned());
    }
    Ok(node)
}

/// A day in the shop. Each seed is another day; even ones meet vendors of other habits.
fn play(build: fn(Package, Install) -> Result<Built>, seed: u32, processing: &str) {
    let node = match found() {
        Ok(node) => node,
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("left out: {missing}");
            return;
        }
    };
    let component = build(PLUGIN, Install::AsRoot).expect("the component builds");
    let output = Command::new(node)
        .arg(xtask::workspace_root().join("examples/node/vendors/play.js"))
        .arg(component.path)
        .args([&seed.to_string(), processing])
        .output()
        .expect("the play runs");
    let [said, complaints] = [&output.stdout, &output.stderr].map(|o| String::from_utf8_lossy(o));
    println!("{said}");
    assert!(output.status.success(), "{said}\n{complaints}");
}

#[test]
fn a_day_on_node_loses_and_doubles_nothing() {
    play(build, 1, "background");
}

#[test]
fn a_day_on_node_with_a_stricter_getfly_loses_and_doubles_nothing() {
    play(build, 2, "background");
}

#[test]
fn a_day_of_the_twin_for_spin_4_0_loses_and_doubles_nothing_inline() {
    play(build_rc, 3, "inline");
}
