//! Claims that the built component imports exactly what the contract lists and exports exactly the
//! HTTP handler, and that its twin for Spin 4.0 differs in WASI's version alone. How: decodes the
//! component's own type.

use std::collections::BTreeSet;
use wit_component::DecodedWasm;

/// What the contract allows; `wasi:cli/types` and `wasi:clocks/types` are types only.
const IMPORTS: [&str; 11] = [
    "wasi:cli/stderr@0.3.0",
    "wasi:cli/types@0.3.0",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:clocks/system-clock@0.3.0",
    "wasi:clocks/types@0.3.0",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:http/client@0.3.0",
    "wasi:http/types@0.3.0",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft2",
    "wasi:random/random@0.3.0",
];

/// What it measured, 2,123 kB before alerts, with fairness, refused deliveries, rotation, sessions, links, a store's own Getfly, and the
/// sentences of assumptions and of the preflight in both languages; with the index of accounts, the first day, search, the changed sales,
/// reconciliation and metrics by shop 2,550 kB; with polls of F&B shops 2,610 kB; with alerts that end, and answers of other servers, 2,751 kB.
const MOST_BYTES: u64 = 2_790_000;

fn bytes(built: anyhow::Result<xtask::Built>) -> Vec<u8> {
    let built = built.expect("the component builds");
    std::fs::read(&built.path).expect("the component is there")
}

/// The component of `package` as its own type tells it.
fn decoded(package: xtask::Package) -> DecodedWasm {
    let bytes = bytes(xtask::build(package, xtask::Install::AsRoot));
    wit_component::decode(&bytes).expect("it is a component")
}

/// What the component of `package` imports and exports.
fn imports_and_exports(package: xtask::Package) -> [BTreeSet<String>; 2] {
    names(&decoded(package))
}

fn names(decoded: &DecodedWasm) -> [BTreeSet<String>; 2] {
    let DecodedWasm::Component(resolve, world) = decoded else {
        panic!("a WIT package, not a component");
    };
    let world = &resolve.worlds[*world];
    [&world.imports, &world.exports].map(|list| {
        let names = list.keys().map(|key| resolve.name_world_key(key));
        names.collect()
    })
}

#[test]
fn the_component_imports_the_contract_and_nothing_else() {
    let [imports, exports] = imports_and_exports(xtask::PLUGIN);
    assert_eq!(imports, IMPORTS.map(str::to_owned).into());
    assert_eq!(
        exports,
        BTreeSet::from(["wasi:http/handler@0.3.0".to_owned()])
    );
}

#[test]
fn the_build_for_hosts_without_atomics_imports_all_but_these() {
    let [imports, exports] = imports_and_exports(xtask::WITHOUT_ATOMICS);
    let [mut usual, usual_exports] = imports_and_exports(xtask::PLUGIN);
    assert!(usual.remove("wasi:keyvalue/atomics@0.2.0-draft2"));
    assert_eq!(imports, usual);
    assert_eq!(exports, usual_exports);
}

#[test]
fn the_twin_for_spin_4_0_is_the_component_under_another_version_of_wasi() {
    use xtask::{CANDIDATE, Install, RELEASED, under};
    let twin = bytes(xtask::build_rc(xtask::PLUGIN, Install::AsRoot));
    let [imports, exports] = names(&wit_component::decode(&twin).expect("it is a component"));
    let expected = IMPORTS.map(|name| match name.strip_suffix(RELEASED) {
        Some(interface) => format!("{interface}{CANDIDATE}"),
        None => name.to_owned(),
    });
    assert_eq!(imports, expected.into());
    assert_eq!(
        exports,
        BTreeSet::from([format!("wasi:http/handler{CANDIDATE}")])
    );
    // The linker pads numbers, a parser does not: the usual component is printed and parsed as well.
    let back = under(&twin, CANDIDATE, RELEASED).expect("it can be printed and parsed");
    let usual = bytes(xtask::build_component(Install::AsRoot));
    let usual = under(&usual, RELEASED, RELEASED).expect("it can be printed and parsed");
    assert!(back == usual, "the twin differs in more than the version");
}

/// Spin's SQLite store lets two racers win an absent key by `cas`, its Redis store reports failure always,
/// and its `get-many` is broken: the component cannot even call them.
#[test]
fn of_the_atomics_only_increment_is_imported() {
    let DecodedWasm::Component(resolve, _) = decoded(xtask::PLUGIN) else {
        panic!("a WIT package, not a component");
    };
    let mut atomics = resolve.interfaces.iter().filter(|(id, _)| {
        resolve.id_of(*id).as_deref() == Some("wasi:keyvalue/atomics@0.2.0-draft2")
    });
    let (_, atomics) = atomics.next().expect("they are imported");
    let functions: Vec<&str> = atomics.functions.keys().map(String::as_str).collect();
    assert_eq!(functions, ["increment"]);
}

#[test]
fn the_component_is_small() {
    let built = xtask::build_component(xtask::Install::AsRoot).expect("the component builds");
    println!("the component has {} bytes", built.size);
    assert!(built.size <= MOST_BYTES, "{} bytes", built.size);
}
