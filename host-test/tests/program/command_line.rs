//! Claims that the program explains itself: help with examples and exit codes, completions that know
//! every command, and for wrong arguments one line that shows no secret. How: the real program.

use crate::process::run;
use host::manifest::Manifest;

const COMMANDS: [&str; 6] = ["up", "check", "replay", "record", "tenants", "completions"];

#[tokio::test]
async fn every_command_has_a_help_with_examples_and_exit_codes() {
    let whole = run(&["--help"]).await;
    assert_eq!(whole.code, Some(0));
    for command in COMMANDS {
        assert!(
            whole.out.contains(&format!("  {command} ")),
            "{}",
            whole.out
        );
        let help = run(&[command, "--help"]).await;
        assert_eq!(help.code, Some(0));
        for part in ["Examples:", "Exit codes: 0"] {
            assert!(help.out.contains(part), "{command}: {}", help.out);
        }
    }
    let version = run(&["--version"]).await;
    assert_eq!(version.out.trim(), format!("host {}", host::cli::VERSION));
}

/// People copy examples, and a secret in an argument is in the list of processes.
#[tokio::test]
async fn every_example_gives_a_secret_by_a_file() {
    let root = xtask::workspace_root();
    let mut shown = Vec::new();
    for arguments in [&["--help"][..], &["up", "--help"], &["check", "--help"]] {
        shown.push((arguments.join(" "), run(arguments).await.out));
    }
    let folders = [
        "",
        "docs",
        "deploy",
        "deploy/systemd",
        "deploy/kubernetes",
        "deploy/proxy",
    ];
    for folder in folders {
        for entry in std::fs::read_dir(root.join(folder)).expect(folder) {
            let file = entry.expect("an entry").path();
            if let Ok(text) = std::fs::read_to_string(&file) {
                shown.push((file.display().to_string(), text));
            }
        }
    }
    let secrets = Manifest::secrets(&root.join("spin.toml")).expect("spin.toml");
    assert!(secrets.contains("admin_token"));
    for (place, text) in &shown {
        for line in text.lines() {
            let given = secrets
                .iter()
                .filter_map(|name| line.split_once(&format!("{name}=")));
            for (_, value) in given {
                assert!(value.starts_with('@'), "{place}: {line}");
            }
            for (_, value) in line.split_once("--store ").into_iter() {
                assert!(
                    !value.starts_with("redis://") && !value.starts_with("rediss://"),
                    "{place}: {line}"
                );
            }
        }
    }
    for help in ["up --help", "check --help"] {
        let (_, text) = shown.iter().find(|(place, _)| place == help).expect(help);
        assert!(
            text.contains("--store @/") && text.contains("=@/"),
            "{text}"
        );
        assert!(
            text.contains("--variable <NAME=@FILE|NAME=VALUE>"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn completions_know_every_command_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).await;
        assert_eq!(script.code, Some(0), "{}", script.err);
        for command in COMMANDS {
            assert!(
                script.out.contains(command),
                "{shell} does not know {command}"
            );
        }
        assert!(script.out.contains("--state-dir"), "{shell}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_one_line_without_a_secret_and_exit_code_2() {
    for (arguments, told) in [
        (vec!["serve"], "unrecognized subcommand 'serve'"),
        (
            vec!["up", "--varaible", "admin_token=geheim"],
            "'--variable'",
        ),
        (
            vec!["up", "admin_token=geheim"],
            "unexpected argument 'admin_token=…'",
        ),
        (
            vec!["up", "redis://:geheim@127.0.0.1"],
            "unexpected argument '…'",
        ),
        (vec!["up", "--variable", "geheim"], "expected NAME=VALUE"),
        (
            vec!["up", "--variable", "a=@/no/such"],
            "--variable a: cannot read /no/such",
        ),
        (
            vec!["up", "--variable", "a=geheim", "--variable", "a=b"],
            "a is given twice",
        ),
        (
            vec!["check", "--store", "geheim"],
            "--store: it is no address",
        ),
        (
            vec!["up", "--store", "redis://h", "--state-dir", "d"],
            "cannot be used with",
        ),
        (vec!["up", "--state-dir"], "a value is required"),
        (vec!["completions", "cmd"], "bash, elvish, fish"),
    ] {
        let run = run(&arguments).await;
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(told), "{arguments:?}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{arguments:?}: {}", run.err);
        assert!(!run.err.contains("geheim"), "{arguments:?}: {}", run.err);
    }
    for (arguments, told) in [
        (
            vec!["check", "--variable", "no_such=geheim"],
            "unknown variable: no_such",
        ),
        (
            vec!["check", "--from", "/no/such.toml"],
            "cannot read /no/such.toml",
        ),
    ] {
        let run = run(&arguments).await;
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(told), "{arguments:?}: {}", run.err);
        assert!(!run.err.contains("geheim"), "{arguments:?}: {}", run.err);
    }
}
