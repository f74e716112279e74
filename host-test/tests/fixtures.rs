//! Every folder of `host-test/fixtures`, natively and as WebAssembly, each a test with its name. A
//! fixture claims one sentence of the rules or one trouble met in the field. A folder without an
//! expectation, with an unknown member or with an unused scripted answer is a failure.
//!
//! `cargo test -p host-test --test fixtures r07` runs those whose name contains `r07`.

use host_test::fixture::{Fixture, folders, judge, play, play_as_wasm};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{path::PathBuf, process::ExitCode};

type Play = fn(&Fixture) -> anyhow::Result<Vec<String>>;

fn trial(way: &str, path: PathBuf, play: Play) -> Trial {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Trial::test(format!("{way}::{name}"), move || {
        let told = |e: anyhow::Error| Failed::from(format!("{e:#}"));
        let fixture = Fixture::read(&path).map_err(told)?;
        let wrong = play(&fixture).map_err(told)?;
        judge(&fixture, &wrong).map_err(Failed::from)
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folders = folders().expect("the fixtures can be listed");
    let natively = folders.iter().cloned().map(|f| trial("native", f, play));
    let as_wasm = folders
        .iter()
        .cloned()
        .map(|f| trial("wasm", f, play_as_wasm));
    libtest_mimic::run(&arguments, natively.chain(as_wasm).collect()).exit_code()
}
