//! `host replay`: shows what recorded deliveries would lead to.

use super::{Input, Played, Player, find};
use anyhow::{Context, Result};
use clap::Args;
use host::cli::{Done, Failure, Program, print_line};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Each PATH is a file with the body of one delivery, a folder that kvgf record wrote, a fixture
(host-test/fixtures/README.md), or a folder of these. Payloads and recordings are delivered one
after another to one simulated shop, in which whatever they mention exists; a fixture brings its own
vendors and says what has to come of it. No network, no store on disk, no waiting.

Standard output: one JSON object a line for each event, with file, seq, kind, key, state, outcome,
reason, rule, calls (endpoint, status), fuel and memory_bytes of the delivery's run, and
delivery_events, the number of events that share that run.

Examples:
  host replay delivery.json
  host replay recordings/ | jq -c '[.key, .outcome, .reason]'
  host replay host-test/fixtures/ > events.jsonl

Exit codes: 0 everything was read, no payload's event ended dead, every fixture did what it expects;
1 otherwise; 2 the arguments cannot be understood.";

/// Run recorded deliveries in the sandbox and tell what becomes of each event.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Replay {
    /// Files and folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Default)]
struct Counted {
    inputs: usize,
    events: usize,
    bad: usize,
}

impl Replay {
    /// Runs it.
    ///
    /// # Errors
    /// If something is not as it must be, or cannot be run.
    pub async fn run(self, program: &Program) -> Done {
        let name = program.name;
        let played = tokio::task::spawn_blocking(move || play(&self.paths, name)).await;
        let counted = played.context("the replay")??;
        let Counted {
            inputs,
            events,
            bad,
        } = counted;
        eprintln!("{events} events from {inputs} files and folders, {bad} with something wrong");
        if bad > 0 {
            return Err(Failure::Told);
        }
        Ok(())
    }
}

fn play(paths: &[PathBuf], program: &str) -> Result<Counted> {
    let mut counted = Counted::default();
    let mut inputs: Vec<Input> = Vec::new();
    for path in paths {
        match find(path) {
            Ok(found) => inputs.extend(found),
            Err(e) => {
                eprintln!("{program}: {e:#}");
                counted.bad += 1;
            }
        }
    }
    counted.inputs = inputs.len();
    // Built and compiled first: it takes longest.
    xtask::build_component(xtask::Install::Never)?;
    crate::harness::component()?;
    // Hidden if standard error is not a terminal.
    let bar = ProgressBar::new(inputs.len().try_into().unwrap_or(0));
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let mut player = Player::default();
    for input in &inputs {
        bar.set_message(input.shown());
        let played = player.play(input);
        bar.suspend(|| print(input, played, program, &mut counted))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(counted)
}

fn print(
    input: &Input,
    played: Result<Played>,
    program: &str,
    counted: &mut Counted,
) -> Result<()> {
    let name = input.shown();
    match played {
        Ok(played) => {
            for line in &played.lines {
                print_line(&serde_json::to_string(line)?)?;
            }
            counted.events += played.lines.len();
            for wrong in &played.wrong {
                eprintln!("{program}: {name}: {wrong}");
            }
            counted.bad += usize::from(!played.wrong.is_empty());
        }
        Err(e) => {
            eprintln!("{program}: {name}: {e:#}");
            counted.bad += 1;
        }
    }
    Ok(())
}
