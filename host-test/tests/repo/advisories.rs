//! Claims that `.ci/advisories` passes only if the database was asked and knows nothing, or if the
//! environment explicitly allows skipping it. How: the script, with a `cargo` in its path that
//! behaves as the test wants.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

/// Whether the script passes, its output, and the calls to a `cargo deny` that fails at `fails`;
/// `allowed` is the value of the variable.
fn advisories(fails: &str, allowed: Option<&str>) -> (bool, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = folder.path().join("asked");
    let cargo = format!(
        "#!/bin/sh\necho \"$*\" >> {}\ncase \"$*\" in {fails}) exit 1;; esac\n",
        asked.display()
    );
    let program = folder.path().join("cargo");
    fs::write(&program, cargo).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut script = Command::new(xtask::workspace_root().join(".ci/advisories"));
    script.env_clear().env("PATH", path);
    if let Some(value) = allowed {
        script.env("KVGF_NO_ADVISORIES", value);
    }
    let ran = script.output().expect("the script runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let asked = fs::read_to_string(asked).unwrap_or_default();
    (ran.status.success(), said, asked)
}

#[test]
fn advisories_pass_only_where_they_were_asked_or_where_it_is_said_that_they_were_not() {
    let (passed, _, asked) = advisories("'no such'", None);
    assert!(
        passed && asked.contains("deny --locked check advisories"),
        "{asked}"
    );
    for (fails, told) in [
        ("*--version", "cargo install --locked cargo-deny"),
        ("*fetch*", "cannot be fetched"),
        ("*check*", ""),
    ] {
        for allowed in [None, Some("0"), Some("")] {
            let (passed, said, _) = advisories(fails, allowed);
            assert!(!passed && said.contains(told), "{fails}: {said}");
        }
        let (passed, said, asked) = advisories(fails, Some("1"));
        assert!(passed && said.contains("NOT CHECKED"), "{said}");
        assert_eq!(asked, "", "nobody is asked");
    }
}

#[test]
fn a_whole_run_names_the_variable_itself() {
    let run = fs::read_to_string(xtask::workspace_root().join(".ci/run")).expect(".ci/run");
    let line = r#"KVGF_NO_ADVISORIES="${KVGF_NO_ADVISORIES:-1}" .ci/advisories"#;
    assert!(run.lines().any(|l| l == line));
}
