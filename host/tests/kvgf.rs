//! Claims that the released program explains itself, and that it neither builds nor guesses: without a
//! manifest or a component it says what is missing.

use std::{
    path::Path,
    process::{Command, Output},
};

fn kvgf(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kvgf"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program runs")
}

#[test]
fn the_help_names_each_command_and_no_developers_one() {
    let out = kvgf(Path::new("."), &["--help"]).stdout;
    let out = String::from_utf8_lossy(&out);
    for command in ["up", "check", "record", "completions"] {
        assert!(out.contains(&format!("  {command} ")), "{out}");
    }
    assert!(!out.contains("replay"), "{out}");
}

#[test]
fn a_missing_manifest_is_named_with_how_to_name_another() {
    let run = kvgf(&std::env::temp_dir(), &["up"]);
    assert_eq!(run.status.code(), Some(1));
    let err = String::from_utf8_lossy(&run.stderr);
    assert!(
        err.starts_with("kvgf: cannot read spin.toml") && err.contains("--from"),
        "{err}"
    );
}

#[test]
fn a_missing_component_is_named_and_not_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::copy(root.join("spin.toml"), folder.path().join("spin.toml")).expect("a manifest");
    let mut arguments = vec!["up", "--listen", "127.0.0.1:0"];
    let variables = [
        "getfly_url=https://shop.getflycrm.com",
        "getfly_api_key=k",
        "public_url=https://bridge.example.vn",
        "admin_token=sixteen characters or more",
        "master_key=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ];
    for variable in variables {
        arguments.extend(["--variable", variable]);
    }
    let run = kvgf(folder.path(), &arguments);
    assert_eq!(run.status.code(), Some(1));
    let err = String::from_utf8_lossy(&run.stderr);
    assert!(err.contains("plugin.component.wasm"), "{err}");
}
