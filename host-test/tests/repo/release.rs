//! Claims that what `cargo xtask release` makes is whole: each archive runs from its own folder, the manifest names the component
//! beside it with its digest, and every file has its checksum. How: a release of made-up programs.

use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, fs, process::Command};
use xtask::{Compiled, package};

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_release_is_whole_and_its_checksums_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.wasm"), "a component").expect("it is written");
    fs::write(path("program"), "a program").expect("it is written");
    let target = "x86_64-unknown-linux-musl".to_owned();
    let program = path("program");
    let out = path("out");
    let programs = [Compiled { target, program }];
    let files = package(&out, &path("a.wasm"), &programs).expect("a release");
    let name = |file: &std::path::PathBuf| file.file_name().expect("a name").to_owned();
    let made: BTreeSet<_> = files.iter().map(name).collect();
    let there = fs::read_dir(&out).expect("the folder");
    let there: BTreeSet<_> = there.map(|e| e.expect("a file").file_name()).collect();
    assert_eq!(made, there);

    let sums = fs::read_to_string(out.join("SHA256SUMS")).expect("checksums");
    assert_eq!(sums.lines().count() + 1, made.len());
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").expect("a line");
        assert_eq!(
            sum,
            sha256(&fs::read(out.join(file)).expect(file)),
            "{file}"
        );
    }

    let version = env!("CARGO_PKG_VERSION");
    let archive = format!("kvgf-{version}-x86_64-unknown-linux-musl");
    let unpacked = Command::new("tar")
        .args(["-xzf", &format!("{archive}.tar.gz")])
        .current_dir(&out)
        .status();
    assert!(unpacked.expect("tar").success());
    let inside = out.join(archive);
    assert_eq!(fs::read(inside.join("kvgf")).expect("kvgf"), b"a program");
    let manifest = fs::read_to_string(inside.join("spin.toml")).expect("spin.toml");
    let manifest: toml::Value = toml::from_str(&manifest).expect("TOML");
    let component = &manifest["component"]["plugin"];
    let source = component["source"].as_str().expect("a file");
    let bytes = fs::read(inside.join(source)).expect("the component");
    let digest = component["variables"]["component_digest"].as_str();
    assert_eq!(digest, Some(sha256(&bytes).as_str()));
    for file in [
        "LICENSE",
        "THIRD-PARTY-LICENCES",
        "kvgf.cdx.json",
        "CHANGELOG.md",
    ] {
        assert!(inside.join(file).exists(), "{file}");
    }
}

#[test]
fn the_forges_file_makes_a_release_of_a_tag() {
    let file = xtask::workspace_root().join(".github/workflows/release.yml");
    let text = fs::read_to_string(file).expect("the file");
    let flow: serde_json::Value = yaml_serde::from_str(&text).expect("YAML");
    assert_eq!(flow["on"]["push"]["tags"][0], "v*", "{flow}");
    for part in ["cargo xtask release", xtask::FOLDER, "deploy/Dockerfile"] {
        assert!(text.contains(part), "{part}");
    }
    let version = concat!("## ", env!("CARGO_PKG_VERSION"));
    let changes = xtask::workspace_root().join("CHANGELOG.md");
    let changes = fs::read_to_string(changes).expect("CHANGELOG.md");
    assert!(changes.lines().any(|line| line == version), "{version}");
}
