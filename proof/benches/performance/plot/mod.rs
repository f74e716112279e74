//! The plots of docs/performance.md, drawn from a file of figures. Nothing is measured.

mod canvas;

use crate::{
    accept::{Kept, Who},
    scale,
};
use anyhow::{Context, Result};
use canvas::{Anchor, Canvas, Label};
use std::{fs, path::Path};

/// The parts that are drawn.
#[derive(serde::Deserialize)]
struct Figures {
    #[serde(default)]
    accept: Vec<Accepted>,
    #[serde(default)]
    scale: Vec<scale::Row>,
}

/// What is drawn of a line of `accept`.
#[derive(serde::Deserialize)]
struct Accepted {
    who: Who,
    kept: Kept,
    connections: usize,
    per_second: f64,
}

/// Writes `accept.svg` and `scale.svg`, each where the file has its figures.
pub(crate) fn draw(figures: &Path, folder: &Path) -> Result<()> {
    let text = fs::read(figures).with_context(|| format!("cannot read {}", figures.display()))?;
    let figures: Figures = serde_json::from_slice(&text)?;
    fs::create_dir_all(folder)?;
    if !figures.accept.is_empty() {
        fs::write(folder.join("accept.svg"), accepting(&figures.accept))?;
    }
    if !figures.scale.is_empty() {
        fs::write(folder.join("scale.svg"), scaling(&figures.scale))?;
    }
    Ok(())
}

/// Where a panel's area begins, and how high and how wide it is.
const TOP: f64 = 104.0;
const HEIGHT: f64 = 220.0;
const WIDTH: f64 = 236.0;
const LEFT: f64 = 52.0;
/// Where titles begin.
const EDGE: f64 = 20.0;

/// Pairs of bars: the plugin beside the bare component, for each number of connections over each store.
fn accepting(rows: &[Accepted]) -> String {
    const BAR: f64 = 22.0;
    const STORES: [(Kept, &str); 3] = [
        (Kept::Memory, "kept in memory"),
        (Kept::Embedded, "in the embedded file"),
        (Kept::Redis, "in Redis"),
    ];
    const PAIR: [(Who, &str, &str); 2] = [
        (Who::Plugin, "the plugin", "c0"),
        (Who::Bare, "a bare component with the same calls", "c4"),
    ];
    let drawn = |row: &&Accepted| PAIR.iter().any(|(who, ..)| *who == row.who);
    let most = rows.iter().filter(drawn).map(|row| row.per_second);
    let top = most.fold(1.0, f64::max);
    let (step, top) = ticks(top);
    let up = |value: f64| TOP + HEIGHT - value / top * HEIGHT;

    let stores: Vec<_> = STORES
        .into_iter()
        .filter(|(kept, _)| rows.iter().any(|row| row.kept == *kept))
        .collect();
    let gap = 26.0;
    let mut canvas = Canvas::new(
        LEFT + count(stores.len()) * (WIDTH + gap),
        TOP + HEIGHT + 52.0,
    );
    canvas.title("Deliveries accepted a second, in thousands");
    let mut x = EDGE;
    for (_, name, colour) in PAIR {
        canvas.bar(x, 46.0, 12.0, 12.0, colour);
        let label = Label::new(x + 18.0, 56.5, Anchor::Start);
        x += 32.0 + canvas.text(&label, name);
    }
    for tick in multiples(step, top) {
        let right = LEFT + count(stores.len()) * (WIDTH + gap) - gap;
        canvas.grid((LEFT, up(tick)), (right, up(tick)));
        let label = Label::new(LEFT - 8.0, up(tick) + 4.0, Anchor::End).quiet();
        canvas.text(&label, &thousands(tick));
    }
    for (at, (kept, name)) in stores.iter().enumerate() {
        let left = LEFT + count(at) * (WIDTH + gap);
        canvas.text(&Label::new(left, TOP - 18.0, Anchor::Start), name);
        let here = |row: &&Accepted| row.kept == *kept;
        let mut connections: Vec<_> = rows
            .iter()
            .filter(here)
            .map(|row| row.connections)
            .collect();
        connections.sort_unstable();
        connections.dedup();
        let group = WIDTH / count(connections.len());
        for (at, connections) in connections.iter().enumerate() {
            let middle = left + (count(at) + 0.5) * group;
            for (side, (who, _, colour)) in PAIR.iter().enumerate() {
                let this = |row: &&Accepted| row.who == *who && row.connections == *connections;
                let Some(row) = rows.iter().filter(here).find(this) else {
                    continue;
                };
                let (x, y) = (middle - BAR + count(side) * (BAR + 1.0), up(row.per_second));
                canvas.bar(x, y, BAR, TOP + HEIGHT - y, colour);
                let above = Label::new(x + BAR / 2.0, y - 4.0, Anchor::Middle).small();
                canvas.text(&above, &format!("{:.1}", row.per_second / 1000.0));
            }
            let under = Label::new(middle, TOP + HEIGHT + 18.0, Anchor::Middle).quiet();
            canvas.text(&under, &connections.to_string());
        }
        let under = Label::new(left + WIDTH / 2.0, TOP + HEIGHT + 38.0, Anchor::Middle).quiet();
        canvas.text(&under, "connections");
    }
    canvas.done()
}

/// Lines over past events: calls to the store, and time, both on scales of tens.
fn scaling(rows: &[scale::Row]) -> String {
    type Of = fn(&scale::Row) -> (usize, f64);
    const LINES: [(&str, Of); 4] = [
        ("healing", |row| row.heal),
        ("a page of events", |row| row.events),
        ("accepting", |row| row.accept),
        ("a drain", |row| row.drain),
    ];
    const NAMES: f64 = 120.0;
    let panel = WIDTH + 70.0;
    let mut canvas = Canvas::new(LEFT + 2.0 * (panel + NAMES) + 40.0, TOP + HEIGHT + 52.0);
    canvas.title("What it costs after so many past events");
    let across = |left: f64, at: usize| {
        left + 14.0 + count(at) * (panel - 28.0) / count(rows.len().saturating_sub(1).max(1))
    };
    let calls: fn((usize, f64)) -> f64 = |cost| count(cost.0);
    let time: fn((usize, f64)) -> f64 = |cost| cost.1;
    let panels = [("calls to the store", calls), ("microseconds", time)];
    for (at, (name, of)) in panels.into_iter().enumerate() {
        let left = LEFT + count(at) * (panel + NAMES + 40.0);
        let all = rows
            .iter()
            .flat_map(|row| LINES.map(|(_, line)| of(line(row))));
        let tens = all.map(|value| value.max(1.0).log10());
        let (low, high) = tens.fold((f64::MAX, 0.0_f64), |(low, high), ten| {
            (low.min(ten.floor()), high.max(ten.ceil()))
        });
        let share = |value: f64| (value.max(1.0).log10() - low) / (high - low).max(1.0);
        let up = |value: f64| TOP + HEIGHT - share(value) * HEIGHT;
        canvas.text(&Label::new(left, TOP - 18.0, Anchor::Start), name);
        for tick in multiples(1.0, high - low).map(|ten| 10_f64.powf(low + ten)) {
            canvas.grid((left, up(tick)), (left + panel, up(tick)));
            let label = Label::new(left - 8.0, up(tick) + 4.0, Anchor::End).quiet();
            canvas.text(&label, &grouped(tick));
        }
        for (at, row) in rows.iter().enumerate() {
            let under = Label::new(across(left, at), TOP + HEIGHT + 18.0, Anchor::Middle).quiet();
            canvas.text(&under, &grouped(count(row.past_events)));
        }
        let under = Label::new(left + panel / 2.0, TOP + HEIGHT + 38.0, Anchor::Middle).quiet();
        canvas.text(&under, "past events");
        let mut ends = Vec::new();
        for (colour, (name, line)) in LINES.into_iter().enumerate() {
            let points = rows.iter().enumerate();
            let points = points.map(|(at, row)| (across(left, at), up(of(line(row)))));
            let points: Vec<_> = points.collect();
            canvas.line(&points, &format!("c{colour}"));
            let end = points.last().map_or(TOP, |(_, y)| *y);
            ends.push((end, name, format!("t{colour}")));
        }
        // Names of lines that end side by side are moved apart.
        ends.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut below = f64::INFINITY;
        for (end, name, colour) in ends {
            let y = end.min(below - 15.0);
            below = y;
            let label = Label::new(left + panel - 4.0, y + 4.0, Anchor::Start);
            canvas.text(&label.coloured(&colour), name);
        }
    }
    canvas.done()
}

/// A step of one, two or five with some zeros, about four of which reach the top; and the top.
fn ticks(most: f64) -> (f64, f64) {
    let rough = most / 4.0;
    let ten = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * ten);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(ten);
    (step, (most / step).ceil() * step)
}

fn multiples(step: f64, top: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(0.0), move |tick| Some(tick + step))
        .take_while(move |tick| *tick <= top + step / 2.0)
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

fn thousands(value: f64) -> String {
    format!("{}", value / 1000.0)
}

/// `1,000,000`.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
