//! `host replay`: runs recorded deliveries again in the sandbox, against simulated or scripted
//! vendors. It touches neither a network nor a store on disk, and its time is simulated.

pub mod command;
mod input;
mod records;
mod sandbox;
mod shop;

pub use input::{Input, find};

use crate::fixture::{self, Fixture};
use anyhow::{Context, Result};
use sandbox::Sandbox;
use serde::Serialize;
use serde_json::Value;
use shop::Shop;
use std::path::Path;

/// One event, as one line on standard output.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The payload's file, or the fixture's folder.
    pub file: String,
    /// The event's number in the journal of its world.
    pub seq: u64,
    /// `customer`, `invoice` or `other`.
    pub kind: Value,
    /// The record's id or code.
    pub key: Value,
    /// `done` or `dead`, as the contract says.
    pub state: Value,
    /// `created`, `linked`, `ignored`, or null.
    pub outcome: Value,
    /// Why.
    pub reason: Value,
    /// The rule that decided.
    pub rule: Value,
    /// Upstream calls made for it.
    pub calls: Vec<Call>,
    /// Instructions of the delivery's whole run, in wasmtime's fuel.
    pub fuel: u64,
    /// Peak memory of that run, bytes.
    pub memory_bytes: usize,
    /// How many events share the run, this one included.
    pub delivery_events: u64,
}

/// An upstream call of an event.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Its name.
    pub endpoint: Value,
    /// HTTP status; null if there was no answer.
    pub status: Value,
}

impl Line {
    /// Whether the event needs a person, or never ended.
    pub fn ended_badly(&self) -> bool {
        self.state != "done"
    }
}

/// The result of one input.
#[derive(Debug, Default)]
pub struct Played {
    /// Its events, oldest first.
    pub lines: Vec<Line>,
    /// What is wrong with it, in words; empty if all is well.
    pub wrong: Vec<String>,
}

/// Plays inputs one after another. Payloads and recordings share one simulated shop, in the given
/// order; each fixture has a world of its own.
#[derive(Default)]
pub struct Player {
    shop: Option<(tokio::runtime::Runtime, Shop)>,
}

impl Player {
    /// Plays one input; blocks meanwhile. An error means that the input cannot be read or run at
    /// all.
    pub fn play(&mut self, input: &Input) -> Result<Played> {
        match input {
            Input::Fixture(folder) => play_fixture(folder),
            Input::Payload(_) | Input::Recorded(_) => {
                let deliveries = input.deliveries()?;
                let shop = match self.shop.take() {
                    Some(open) => open,
                    None => {
                        let time = fixture::paused()?;
                        let shop = time.block_on(Shop::open())?;
                        (time, shop)
                    }
                };
                let (time, shop) = self.shop.insert(shop);
                let name = input.shown();
                let mut played = Played::default();
                for delivery in &deliveries {
                    let (lines, wrong) = time.block_on(shop.deliver(&name, delivery))?;
                    played.lines.extend(lines);
                    played.wrong.extend(wrong);
                }
                let bad = played.lines.iter().filter(|line| line.ended_badly());
                let bad: Vec<String> = bad
                    .map(|l| format!("event {} ended {}", l.seq, l.state))
                    .collect();
                played.wrong.extend(bad);
                Ok(played)
            }
        }
    }
}

fn play_fixture(folder: &Path) -> Result<Played> {
    let fixture = Fixture::read(folder)?;
    // Compiled before, so that making the sandbox cannot fail half way.
    let component = crate::harness::component()?;
    fixture::paused()?.block_on(async {
        let mut made = None;
        let wrong = fixture::run(&fixture, async |surroundings| {
            let sandbox = Sandbox::new(&component, surroundings);
            made = Some(sandbox.clone());
            sandbox
        })
        .await;
        let sandbox = made.context("it was never run")?;
        let lines = sandbox.lines(&folder.display().to_string(), 0).await?;
        let wrong = match (&fixture.known_failure, wrong.is_empty()) {
            (Some(_), false) => Vec::new(),
            (Some(why), true) => vec![format!("it passes, though it is known to fail: {why}")],
            (None, _) => wrong,
        };
        Ok(Played { lines, wrong })
    })
}
