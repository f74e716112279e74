//! Claims that the host reads `spin.toml` as Spin does and names every error in it or in the
//! variables, with the remedy. How: the project's own manifest and small ones in text.

use host::{manifest::Manifest, origins::OutboundPolicy};
use std::{collections::BTreeMap, path::Path};

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect()
}

fn sound() -> BTreeMap<String, String> {
    variables(&[
        ("getfly_url", "https://shop.getfly.test"),
        ("getfly_api_key", "k"),
        ("public_url", "https://bridge.test"),
        ("admin_token", "t"),
        ("master_key", "m"),
    ])
}

fn load(given: &BTreeMap<String, String>) -> Result<Manifest, String> {
    let file = xtask::workspace_root().join("spin.toml");
    Manifest::load(&file, given, |_| None).map_err(|e| format!("{e:#}"))
}

fn policy(hosts: &[&str]) -> Result<OutboundPolicy, String> {
    OutboundPolicy::new(hosts.iter().copied()).map_err(|e| e.to_string())
}

#[test]
fn the_projects_manifest_has_the_contracts_defaults_and_origins() {
    let manifest = load(&sound()).expect("a sound configuration");
    let value = |name: &str| manifest.variables.get(name).map(String::as_str);
    assert_eq!(
        value("kiotviet_api_url"),
        Some("https://public.kiotapi.com")
    );
    assert_eq!(value("signature_policy"), Some("auto"));
    assert_eq!(value("getfly_requests_per_second"), Some("2"));
    assert_eq!(value("alert_origin"), Some("https://alerts.invalid"));
    assert_eq!(value("keep_names"), Some("true"));
    assert_eq!(value("note_changes"), Some("false"));
    assert_eq!(manifest.variables.len(), 33);
    assert_eq!(manifest.stores, ["default"]);
    let allows = |uri: &str| manifest.outbound.allows(&uri.parse().expect("a URI"));
    assert!(allows("https://shop.getfly.test/api/v6.1/account"));
    assert!(allows("https://shop.getfly.test:443/"));
    assert!(allows("https://id.kiotviet.vn/connect/token"));
    assert!(allows("https://publicfnb.kiotapi.com/invoices"));
    assert!(allows("https://api.fnb.kiotviet.vn/identity/connect/token"));
    assert!(allows("https://alerts.invalid/"));
    assert!(!allows("http://shop.getfly.test/"));
    assert!(!allows("https://shop.getfly.test.evil.example/"));
    assert!(!allows("https://shop.getfly.test:8443/"));
}

#[test]
fn every_required_variable_without_a_value_is_named_with_how_to_set_it() {
    let mut given = sound();
    given.remove("getfly_url");
    given.remove("master_key");
    let why = load(&given).expect_err("two are missing");
    for line in [
        "getfly_url: give --variable getfly_url=… or set SPIN_VARIABLE_GETFLY_URL",
        "master_key: give --variable master_key=@FILE or set SPIN_VARIABLE_MASTER_KEY",
    ] {
        assert!(why.contains(line), "{why}");
    }
    assert!(!why.contains("admin_token"), "{why}");
}

#[test]
fn the_environment_fills_in_and_the_command_line_wins() {
    let mut given = sound();
    given.remove("public_url");
    let file = xtask::workspace_root().join("spin.toml");
    let environment = |name: &str| {
        name.starts_with("SPIN_VARIABLE_")
            .then(|| format!("https://{}.test", name.len()))
    };
    let manifest = Manifest::load(&file, &given, environment).expect("complete");
    assert_eq!(manifest.variables["public_url"], "https://24.test");
    assert_eq!(manifest.variables["getfly_url"], "https://shop.getfly.test");
}

#[test]
fn an_unknown_variable_is_refused_with_the_known_ones() {
    let mut given = sound();
    given.insert("getfly_key".to_owned(), "x".to_owned());
    let why = load(&given).expect_err("there is no such variable");
    assert!(
        why.contains("unknown variable: getfly_key") && why.contains("getfly_api_key"),
        "{why}"
    );
}

#[test]
fn an_origin_with_a_path_or_trailing_slash_is_refused_as_in_spin() {
    for wrong in [
        "https://a.test/",
        "https://a.test/x",
        "a.test",
        "https://",
        "https://user:word@a.test",
        "ftp://a.test",
    ] {
        let why = policy(&[wrong]).expect_err(wrong);
        assert!(why.contains("scheme://host[:port]"), "{why}");
    }
}

#[test]
fn a_wrong_origin_is_named_by_its_variable_and_never_shown() {
    for wrong in ["https://a.test/secret", "secret", "https://secret@a.test"] {
        let mut given = sound();
        given.insert("kiotviet_api_url".to_owned(), wrong.to_owned());
        let why = load(&given).expect_err(wrong);
        assert!(why.contains("{{ kiotviet_api_url }}"), "{why}");
        assert!(!why.contains("secret"), "{why}");
    }
}

#[test]
fn an_empty_origin_allows_nothing() {
    let none = policy(&[""]).expect("empty is allowed");
    assert!(!none.allows(&"https://a.test/".parse().expect("a URI")));
}

#[test]
fn another_manifest_version_and_broken_toml_are_refused() {
    let parse = |text: &str| {
        let parsed = Manifest::parse(text, Path::new("."), &BTreeMap::new(), |_| None);
        format!("{:#}", parsed.expect_err("it is wrong"))
    };
    let old = "spin_manifest_version = 1\n[component.a]\nsource = \"a.wasm\"";
    assert!(parse(old).contains("version 2 is needed"));
    assert!(parse("spin_manifest_version = ").contains("TOML parse error"));
    let undeclared = "spin_manifest_version = 2\n[component.a]\nsource = \"a.wasm\"\n[component.a.variables]\nx = \"{{ y }}\"";
    assert!(parse(undeclared).contains("not declared"));
}
