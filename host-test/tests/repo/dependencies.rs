//! Claims that everything comes from crates.io, and that the component is made of the crates listed here and
//! of no other, each in one version. How: reads the lock files, and asks cargo for the component's tree.
//! Licences, advisories and versions elsewhere are `deny.toml`'s.

use std::{collections::BTreeSet, fs, process::Command};

/// What is compiled into the component. A crate more is a deliberate act: it is named here.
const IN_THE_COMPONENT: &str = "\
    aead anyhow arrayvec base64 bitflags block-buffer bytes cfg-if chacha20 chacha20poly1305 cipher cmov \
    const-oid crypto-common ctutils deranged digest form_urlencoded futures futures-channel futures-core \
    futures-executor futures-io futures-sink futures-task futures-util hmac http http-body hybrid-array inout \
    itoa maud memchr num-conv num-traits percent-encoding pin-project-lite plugin poly1305 powerfmt \
    rust_decimal serde_core serde_json sha1 sha2 slab spin-sdk subtle thiserror time time-core typenum \
    universal-hash wasip3 wit-bindgen zmij";

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What stands in this repository.
const OURS: [&str; 8] = [
    "bare",
    "fuzz",
    "host",
    "host-test",
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
fn the_component_holds_these_crates_and_no_other() {
    // Fetches what its tree is made of, where nobody has built it yet.
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
