//! Claims that everything comes from crates.io, and that the component consists of the crates
//! listed here and of no other, each in one version. How: reads the lock files, and asks cargo for
//! the component's tree. Licences, advisories and versions elsewhere are in `deny.toml`.

use serde_json::Value;
use std::{collections::BTreeSet, fs, process::Command};

/// What is compiled into the component. A crate more is a deliberate act: it is named here.
const IN_THE_COMPONENT: &str = "\
    aead anyhow arrayvec base64 bitflags block-buffer bytes cfg-if chacha20 chacha20poly1305 cipher cmov \
    const-oid crypto-common ctutils deranged digest form_urlencoded futures futures-channel futures-core \
    futures-executor futures-io futures-sink futures-task futures-util hmac http http-body hybrid-array inout \
    itoa maud memchr num-conv num-traits percent-encoding pin-project-lite plugin poly1305 powerfmt \
    rust_decimal serde serde_core serde_json sha1 sha2 slab spin-sdk subtle thiserror time time-core typenum \
    universal-hash wasip3 wit-bindgen zmij";

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The crates of this repository.
const OURS: [&str; 9] = [
    "bare",
    "fuzz",
    "host",
    "host-test",
    "hostile",
    "plugin",
    "proof",
    "sim",
    "xtask",
];

#[test]
fn everything_comes_from_crates_io() {
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let text = fs::read_to_string(xtask::workspace_root().join(file)).expect(file);
        let lock: toml::Table = text.parse().expect("TOML");
        let packages = lock["package"].as_array().expect("a list");
        assert!(packages.len() > 20, "{file}");
        for package in packages {
            let name = package["name"].as_str().expect("a name");
            let source = package.get("source").and_then(|source| source.as_str());
            if OURS.contains(&name) {
                assert_eq!(source, None, "{name} in {file}");
            } else {
                assert_eq!(source, Some(CRATES_IO), "{name} in {file}");
                assert!(package.get("checksum").is_some(), "{name} in {file}");
            }
        }
    }
}

#[test]
fn a_release_tells_all_its_crates_with_their_licences() {
    let licences = xtask::licences().expect("cargo tells");
    for one in ["wasmtime", "redis", "rustls", "maud", "spin-sdk"] {
        assert!(licences.contains(&format!("\n{one} ")), "{one}");
    }
    for tests_own in ["tempfile", "proptest", "host-test"] {
        assert!(
            !licences.contains(&format!("\n{tests_own} ")),
            "{tests_own}"
        );
    }
    let texts = [
        "Permission is hereby granted, free of charge",
        "TERMS AND CONDITIONS FOR USE",
    ];
    for text in texts {
        assert!(licences.contains(text), "{text}");
    }
}

#[test]
fn the_bill_of_materials_is_whole() {
    let bill = xtask::sbom().expect("cargo tells");
    assert_eq!(bill, xtask::sbom().expect("again"), "the same each time");
    let bill: Value = serde_json::from_str(&bill).expect("JSON");
    assert_eq!(bill["specVersion"], "1.6");
    let all = |member: &str| bill[member].as_array().expect("a list").clone();
    let (components, dependencies) = (all("components"), all("dependencies"));
    let names: BTreeSet<&str> = components
        .iter()
        .filter_map(|c| c["name"].as_str())
        .collect();
    for name in IN_THE_COMPONENT
        .split_whitespace()
        .chain(["host", "wasmtime"])
    {
        assert!(names.contains(name), "{name}");
    }
    let mut known: BTreeSet<Option<&str>> =
        components.iter().map(|c| c["bom-ref"].as_str()).collect();
    let kvgf = &bill["metadata"]["component"]["bom-ref"];
    known.insert(kvgf.as_str());
    for component in &components {
        let ours = component["name"]
            .as_str()
            .is_some_and(|name| OURS.contains(&name));
        assert!(
            ours != component["hashes"][0]["content"].is_string(),
            "{component}"
        );
        assert!(
            component["licenses"][0]["expression"].is_string(),
            "{component}"
        );
    }
    for dependency in &dependencies {
        let needs = dependency["dependsOn"].as_array().expect("a list");
        for one in needs.iter().chain([&dependency["ref"]]) {
            assert!(known.contains(&one.as_str()), "{one}");
        }
    }
    assert_eq!(dependencies.len(), known.len(), "each tells what it needs");
}

#[test]
fn the_component_holds_these_crates_and_no_other() {
    // Fetches the crates of its tree, if it was never built.
    xtask::build_component(xtask::Install::AsRoot).expect("the component builds");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .current_dir(xtask::workspace_root())
        .args([
            "tree",
            "--package",
            "plugin",
            "--edges",
            "normal,no-proc-macro",
        ])
        .args([
            "--target",
            "wasm32-unknown-unknown",
            "--prefix",
            "none",
            "--no-dedupe",
        ])
        .args(["--format", "{p}", "--locked", "--offline"])
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success(), "{errors}");
    let tree = String::from_utf8(asked.stdout).expect("text");
    let versions: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default()))
        .collect();
    let names: Vec<&str> = versions.iter().map(|(name, _)| *name).collect();
    let expected: Vec<&str> = IN_THE_COMPONENT.split_whitespace().collect();
    assert_eq!(names, expected);
}
