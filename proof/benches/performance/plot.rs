//! Draws the plots of docs/performance.md from a file of figures. It measures nothing.

use crate::{
    accept::{Kept, Who},
    scale,
};
use anyhow::{Context, Result};
use plotters::{coord::Shift, prelude::*};
use std::{error::Error, fs, path::Path};

/// The parts that are drawn.
#[derive(serde::Deserialize)]
struct Figures {
    #[serde(default)]
    accept: Vec<Accepted>,
    #[serde(default)]
    scale: Vec<scale::Row>,
}

/// The drawn members of a line of `accept`.
#[derive(serde::Deserialize)]
struct Accepted {
    who: Who,
    kept: Kept,
    connections: usize,
    per_second: f64,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error + Send + Sync>>;

const FONT: &str = "system-ui, sans-serif";
const SIZE: (u32, u32) = (900, 380);

/// Writes `accept.svg` and `scale.svg`, each if the file has its figures.
pub(crate) fn draw(figures: &Path, folder: &Path) -> Result<()> {
    let text = fs::read(figures).with_context(|| format!("cannot read {}", figures.display()))?;
    let figures: Figures = serde_json::from_slice(&text)?;
    fs::create_dir_all(folder)?;
    if !figures.accept.is_empty() {
        let title = "Deliveries accepted a second";
        plot(folder.join("accept.svg"), title, |area| {
            accepting(&figures.accept, area)
        })?;
    }
    if !figures.scale.is_empty() {
        let title = "What it costs after so many past events";
        plot(folder.join("scale.svg"), title, |area| {
            scaling(&figures.scale, area)
        })?;
    }
    Ok(())
}

fn plot(file: impl AsRef<Path>, title: &str, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<()> {
    let drawn = || {
        let paper = SVGBackend::new(file.as_ref(), SIZE).into_drawing_area();
        paper.fill(&WHITE)?;
        draw(&paper.titled(title, (FONT, 18))?)?;
        paper.present()?;
        Ok(())
    };
    let drawn: Drawn = drawn();
    drawn.map_err(anyhow::Error::from_boxed)
}

/// Pairs of bars: the plugin beside the bare component, for each number of connections over each store.
fn accepting(rows: &[Accepted], area: &Area<'_>) -> Drawn {
    const STORES: [(Kept, &str); 3] = [
        (Kept::Memory, "kept in memory"),
        (Kept::Embedded, "in the embedded file"),
        (Kept::Redis, "in Redis"),
    ];
    const PAIR: [(Who, &str, RGBColor); 2] = [
        (Who::Plugin, "the plugin", RGBColor(33, 102, 196)),
        (Who::Bare, "a bare component", RGBColor(180, 191, 201)),
    ];
    let mut stores = STORES.to_vec();
    stores.retain(|(kept, _)| rows.iter().any(|row| row.kept == *kept));
    let drawn = rows
        .iter()
        .filter(|row| PAIR.iter().any(|(who, ..)| *who == row.who));
    let most = drawn.map(|row| row.per_second).fold(1.0, f64::max);
    for ((kept, name), panel) in stores.iter().zip(area.split_evenly((1, stores.len()))) {
        let here = || rows.iter().filter(|row| row.kept == *kept);
        let mut connections: Vec<usize> = here().map(|row| row.connections).collect();
        connections.sort_unstable();
        connections.dedup();
        let mut chart = ChartBuilder::on(&panel)
            .caption(name, (FONT, 14))
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..count(connections.len()), 0.0..most * 1.15)?;
        let group = |x: &f64| match x.fract() == 0.5 {
            true => connections.get(x.floor() as usize).map(usize::to_string),
            false => None,
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(2 * connections.len() + 1)
            .x_label_formatter(&|x| group(x).unwrap_or_default())
            .y_label_formatter(&|y| grouped(*y))
            .x_desc("connections")
            .draw()?;
        for ((who, name, colour), left) in PAIR.into_iter().zip([0.15, 0.5]) {
            let bars = here().filter(|row| row.who == who).filter_map(|row| {
                let place = connections.iter().position(|c| *c == row.connections)?;
                let x = count(place) + left;
                let corners = [(x, 0.0), (x + 0.35, row.per_second)];
                Some(Rectangle::new(corners, colour.filled()))
            });
            chart.draw_series(bars)?.label(name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 12, y)], colour.stroke_width(9))
            });
        }
        if Some(*kept) == stores.last().map(|(kept, _)| *kept) {
            let mut legend = chart.configure_series_labels();
            legend
                .position(SeriesLabelPosition::UpperRight)
                .background_style(WHITE)
                .draw()?;
        }
    }
    Ok(())
}

/// Lines over past events: calls to the store, and time, both on scales of tens.
fn scaling(rows: &[scale::Row], area: &Area<'_>) -> Drawn {
    type Of = fn(&scale::Row) -> (usize, f64);
    const LINES: [(&str, Of, RGBColor); 4] = [
        ("healing", |row| row.heal, RGBColor(33, 102, 196)),
        ("a page of events", |row| row.events, RGBColor(194, 96, 10)),
        ("accepting", |row| row.accept, RGBColor(20, 128, 94)),
        ("a drain", |row| row.drain, RGBColor(129, 69, 181)),
    ];
    let calls: fn((usize, f64)) -> f64 = |cost| count(cost.0);
    let time: fn((usize, f64)) -> f64 = |cost| cost.1;
    let panels = [("calls to the store", calls), ("microseconds", time)];
    let past = || rows.iter().map(|row| count(row.past_events));
    let across = past().fold(f64::MAX, f64::min)..past().fold(1.0, f64::max);
    for ((name, of), panel) in panels.into_iter().zip(area.split_evenly((1, 2))) {
        let all = || {
            rows.iter()
                .flat_map(|row| LINES.map(|(_, line, _)| of(line(row)).max(1.0)))
        };
        let up = all().fold(f64::MAX, f64::min) / 1.5..all().fold(1.0, f64::max) * 4.0;
        let mut chart = ChartBuilder::on(&panel)
            .caption(name, (FONT, 14))
            .margin(8)
            .margin_right(30)
            .x_label_area_size(36)
            .y_label_area_size(52)
            .build_cartesian_2d(across.clone().log_scale(), up.log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|x| grouped(*x))
            .y_label_formatter(&|y| grouped(*y))
            .x_desc("past events")
            .draw()?;
        for (name, line, colour) in LINES {
            let points = || {
                rows.iter()
                    .map(move |row| (count(row.past_events), of(line(row)).max(1.0)))
            };
            chart
                .draw_series(LineSeries::new(points(), colour.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
        }
        let mut legend = chart.configure_series_labels();
        legend
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .draw()?;
    }
    Ok(())
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

/// `1,000,000`.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}
