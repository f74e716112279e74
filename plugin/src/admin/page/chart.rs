//! Thirty days of a shop as stacked bars, drawn here as SVG, with the same numbers as a table.

use crate::{
    admin::page::{
        layout::{View, number, text},
        times::{VIETNAM, day},
        words as w,
        words::Text,
    },
    time::Timestamp,
};
use maud::{Markup, html};
use serde_json::Value;

/// The parts of a bar, from the bottom.
const PARTS: [(&str, Text); 4] = [
    ("created", w::CREATED),
    ("linked", w::LINKED),
    ("ignored", w::IGNORED),
    ("dead", w::DEAD),
];
const DAYS: u64 = 30;
/// The drawing's size, in its own units.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 120;
const STEP: u64 = WIDTH / DAYS;
const BAR: u64 = 14;
const DAY_SECONDS: i64 = 86_400;

fn total(day: &Value) -> u64 {
    PARTS.iter().map(|(name, _)| number(day, name)).sum()
}

/// The day so many days ago on Vietnam's calendar.
fn date(now: Timestamp, ago: u64) -> String {
    let back = i64::try_from(ago).unwrap_or_default() * DAY_SECONDS;
    let then = Timestamp::from_second(now.as_second() - back).and_then(|t| t.to_wall(VIETNAM));
    let wall = then.map_or_else(String::new, |wall| wall.to_string());
    wall.split('T').next().unwrap_or_default().to_owned()
}

fn bar(nth: u64, day: &Value, most: u64) -> Markup {
    let mut top = HEIGHT;
    let parts = PARTS.map(|(name, _)| {
        let count = number(day, name);
        // What happened at all can be seen.
        let height = (count * HEIGHT / most).max(u64::from(count > 0) * 2);
        top = top.saturating_sub(height);
        (name, top, height)
    });
    html! {
        @for (name, y, height) in parts {
            @if height > 0 { rect class=(name) x=(nth * STEP + 3) y=(y) width=(BAR) height=(height) {} }
        }
    }
}

fn legend(view: &View, today: &Value, sums: &Value) -> Markup {
    html! {
        table.legend {
            thead { tr { th {} th scope="col" { (view.t(w::TODAY)) } th scope="col" { (view.t(w::DAYS_30)) } } }
            tbody {
                @for (name, words) in PARTS {
                    tr {
                        th scope="row" { span class={ "key " (name) } {} (view.t(words)) }
                        td { (number(today, name)) }
                        td { (number(sums, name)) }
                    }
                }
            }
        }
    }
}

fn table(view: &View, days: &[Value]) -> Markup {
    html! {
        details {
            summary { (view.t(w::AS_TABLE)) }
            table.numbers {
                thead { tr { th scope="col" { (view.t(w::DAY)) } @for (_, words) in PARTS { th scope="col" { (view.t(words)) } } } }
                tbody {
                    @for one in days.iter().rev() {
                        tr {
                            th scope="row" { (day(text(one, "date"))) }
                            @for (name, _) in PARTS { td { (number(one, name)) } }
                        }
                    }
                }
            }
        }
    }
}

/// `days` as the API gives them: oldest first, days without events left out.
pub(super) fn days(view: &View, days: &[Value]) -> Markup {
    let none = Value::Null;
    let of = |ago: u64| {
        let date = date(view.now, ago);
        days.iter()
            .find(|d| text(d, "date") == date)
            .unwrap_or(&none)
    };
    let shown: Vec<&Value> = (0..DAYS).rev().map(of).collect();
    let most = shown.iter().map(|day| total(day)).max().unwrap_or_default();
    let sum = |name| shown.iter().map(|day| number(day, name)).sum::<u64>();
    let sums = PARTS.map(|(name, _)| (name, Value::from(sum(name))));
    let sums = crate::json::object(sums.to_vec());
    html! {
        div.chart {
            @if most == 0 { p.muted { (view.t(w::NO_EVENTS_30)) } }
            @else {
                figure {
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby="chart-title" preserveAspectRatio="none" {
                        title { (view.t(w::CHART_TITLE)) }
                        desc { @for (name, words) in PARTS { (view.t(words)) " " (number(&sums, name)) ". " } }
                        @for (nth, day) in (0..).zip(&shown) { (bar(nth, day, most)) }
                    }
                    figcaption { span { (day(&date(view.now, DAYS - 1))) } span { (view.t(w::TODAY)) } }
                }
            }
            (legend(view, of(0), &sums))
        }
        @if most > 0 { (table(view, days)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admin::page::words::Lang, json};

    fn view(now: &str) -> View {
        View {
            lang: Lang::En,
            csrf: Default::default(),
            inside: true,
            switch: String::new(),
            now: now.parse().unwrap(),
        }
    }

    #[test]
    fn a_day_is_vietnams_day() {
        let now = "2026-10-05T17:30:00Z".parse().unwrap();
        assert_eq!(date(now, 0), "2026-10-06");
        assert_eq!(date(now, 29), "2026-09-07");
    }

    #[test]
    fn bars_fill_the_height_and_the_numbers_are_there_as_text() {
        let days = json::parse(
            br#"[{"date":"2026-10-04","created":3,"linked":1,"ignored":4,"dead":0},{"date":"2026-10-05","created":1,"dead":1},{"date":"2020-01-01","created":999}]"#,
        );
        let drawn = super::days(
            &view("2026-10-05T03:00:00Z"),
            days.unwrap().as_array().unwrap(),
        );
        let drawn = drawn.into_string();
        // Yesterday is the tallest; what is older than thirty days does not count.
        assert!(
            drawn.contains(r#"class="ignored" x="563" y="0" width="14" height="60""#),
            "{drawn}"
        );
        assert!(
            drawn.contains("<desc>Created 4. Linked 1. Ignored 4. Needs attention 1. </desc>"),
            "{drawn}"
        );
    }

    #[test]
    fn no_events_draw_nothing() {
        let drawn = super::days(&view("2026-10-05T03:00:00Z"), &[]).into_string();
        assert!(
            drawn.contains("No events in 30 days.") && !drawn.contains("<svg"),
            "{drawn}"
        );
    }
}
