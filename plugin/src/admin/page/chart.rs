//! Thirty days of a shop as stacked bars, drawn here as SVG, with the same numbers as a table.

use crate::{
    admin::{
        api::view::ShopDay,
        page::{layout::View, words as w, words::Text},
    },
    time::{Date, Timestamp},
    wording::times::{VIETNAM, day},
};
use maud::{Markup, html};

/// The parts of a bar, from the bottom.
const PARTS: [(&str, Text); 4] = [
    ("created", w::CREATED),
    ("linked", w::LINKED),
    ("ignored", w::IGNORED),
    ("dead", w::DEAD),
];

/// A day's counts in the order of [`PARTS`].
type Counts = [u64; 4];

fn counts(day: &ShopDay) -> Counts {
    [day.created, day.linked, day.ignored, day.open]
}
const DAYS: u64 = 30;
/// The drawing's size, in its own units.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 120;
const STEP: u64 = WIDTH / DAYS;
const BAR: u64 = 14;
const DAY_SECONDS: i64 = 86_400;

/// The day so many days ago on Vietnam's calendar.
fn date(now: Timestamp, ago: u64) -> Option<Date> {
    let back = i64::try_from(ago).ok()?.checked_mul(DAY_SECONDS)?;
    let then = Timestamp::from_second(now.as_second().checked_sub(back)?)?;
    then.to_wall(VIETNAM).map(|wall| wall.date())
}

fn bar(nth: u64, day: Counts, most: u64) -> Markup {
    let mut top = HEIGHT;
    let mut parts = PARTS.map(|(name, _)| (name, 0, 0));
    for ((_, y, height), count) in parts.iter_mut().zip(day) {
        // What happened at all can be seen.
        *height = (count * HEIGHT / most).max(u64::from(count > 0) * 2);
        top = top.saturating_sub(*height);
        *y = top;
    }
    html! {
        @for (name, y, height) in parts {
            @if height > 0 { rect class=(name) x=(nth * STEP + 3) y=(y) width=(BAR) height=(height) {} }
        }
    }
}

fn legend(view: &View, today: Counts, sums: Counts) -> Markup {
    html! {
        table.legend {
            thead { tr { td {} th scope="col" { (view.t(w::TODAY)) } th scope="col" { (view.t(w::DAYS_30)) } } }
            tbody {
                @for (((name, words), today), sum) in PARTS.iter().zip(today).zip(sums) {
                    tr {
                        th scope="row" { span class={ "key " (name) } {} (view.t(*words)) }
                        td { (today) }
                        td { (sum) }
                    }
                }
            }
        }
    }
}

fn table(view: &View, days: &[ShopDay]) -> Markup {
    html! {
        details {
            summary { (view.t(w::AS_TABLE)) }
            table.numbers {
                thead { tr { th scope="col" { (view.t(w::DAY)) } @for (_, words) in PARTS { th scope="col" { (view.t(words)) } } } }
                tbody {
                    @for one in days.iter().rev() {
                        tr {
                            th scope="row" { (day(&one.date.to_string())) }
                            @for count in counts(one) { td { (count) } }
                        }
                    }
                }
            }
        }
    }
}

/// `days` of the shop `name` as the API gives them: oldest first, days without events left out.
pub(super) fn days(view: &View, name: &str, days: &[ShopDay]) -> Markup {
    let label = format!("chart-{name}");
    let of = |ago: u64| {
        let date = date(view.now, ago);
        let found = days.iter().find(|day| Some(day.date) == date);
        found.map(counts).unwrap_or_default()
    };
    let shown: Vec<Counts> = (0..DAYS).rev().map(of).collect();
    let most = shown.iter().map(|day| day.iter().sum()).max();
    let most: u64 = most.unwrap_or_default();
    let mut sums = Counts::default();
    for day in &shown {
        for (sum, count) in sums.iter_mut().zip(day) {
            *sum += count;
        }
    }
    let first = date(view.now, DAYS - 1).map_or_else(String::new, |first| first.to_string());
    html! {
        div.chart {
            @if most == 0 { p.muted { (view.t(w::NO_EVENTS_30)) } }
            @else {
                figure {
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby=(label) preserveAspectRatio="none" {
                        title id=(label) { (view.t(w::CHART_TITLE)) }
                        desc { @for ((_, words), sum) in PARTS.iter().zip(sums) { (view.t(*words)) " " (sum) ". " } }
                        @for (nth, day) in (0..).zip(&shown) { (bar(nth, *day, most)) }
                    }
                    figcaption { span { (day(&first)) } span { (view.t(w::TODAY)) } }
                }
            }
            (legend(view, of(0), sums))
        }
        @if most > 0 { (table(view, days)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::page::words::Lang;

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
        assert_eq!(date(now, 0), "2026-10-06".parse().ok());
        assert_eq!(date(now, 29), "2026-09-07".parse().ok());
    }

    #[test]
    fn bars_fill_the_height_and_the_numbers_are_there_as_text() {
        let day = |date: &str, [created, linked, ignored, dead]: Counts| ShopDay {
            created,
            date: date.parse().unwrap(),
            dead,
            open: dead,
            ignored,
            linked,
        };
        let days = [
            day("2026-10-04", [3, 1, 4, 0]),
            day("2026-10-05", [1, 0, 0, 1]),
            day("2020-01-01", [999, 0, 0, 0]),
        ];
        let drawn = super::days(&view("2026-10-05T03:00:00Z"), "shop", &days).into_string();
        for label in [
            r#"aria-labelledby="chart-shop""#,
            r#"<title id="chart-shop">"#,
        ] {
            assert!(drawn.contains(label), "{drawn}");
        }
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
        let drawn = super::days(&view("2026-10-05T03:00:00Z"), "shop", &[]).into_string();
        assert!(
            drawn.contains("No events in 30 days.") && !drawn.contains("<svg"),
            "{drawn}"
        );
    }
}
