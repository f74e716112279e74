//! Lines, bars and words in SVG, readable on a light and on a dark page.

use std::fmt::Write;

/// Colours for marks: four to tell apart, and one that stands back.
const STYLE: &str = "
.paper{fill:#fff} text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1f2933}
.title{font-size:15px;font-weight:600} .quiet{fill:#5b6770;font-size:12px} .small{font-size:10.5px}
.grid{stroke:#dde3e8;stroke-width:1} .line{fill:none;stroke-width:2.25;stroke-linejoin:round}
.c0{fill:#2166c4;stroke:#2166c4}.c1{fill:#c2600a;stroke:#c2600a}.c2{fill:#14805e;stroke:#14805e}
.c3{fill:#8145b5;stroke:#8145b5}.c4{fill:#b4bfc9;stroke:#b4bfc9}
.t0{fill:#2166c4}.t1{fill:#c2600a}.t2{fill:#14805e}.t3{fill:#8145b5} .bar{stroke:none}
.line.c0,.line.c1,.line.c2,.line.c3{fill:none}
@media(prefers-color-scheme:dark){.paper{fill:#0d1117} text{fill:#e6edf3} .quiet{fill:#9aa7b4}
.grid{stroke:#2b333c} .c0{fill:#6aa8ff;stroke:#6aa8ff}.c1{fill:#f0a050;stroke:#f0a050}
.c2{fill:#4fc79c;stroke:#4fc79c}.c3{fill:#c297f2;stroke:#c297f2}.c4{fill:#56616c;stroke:#56616c}
.t0{fill:#6aa8ff}.t1{fill:#f0a050}.t2{fill:#4fc79c}.t3{fill:#c297f2}}
";

/// Where a text's place is: its start, its middle or its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Where and how a text stands.
#[derive(Debug, Clone)]
pub(super) struct Label {
    x: f64,
    y: f64,
    anchor: Anchor,
    class: String,
}

impl Label {
    pub(super) fn new(x: f64, y: f64, anchor: Anchor) -> Self {
        let class = String::new();
        Self {
            x,
            y,
            anchor,
            class,
        }
    }

    pub(super) fn quiet(self) -> Self {
        self.coloured("quiet")
    }

    pub(super) fn small(self) -> Self {
        self.coloured("small")
    }

    pub(super) fn coloured(mut self, class: &str) -> Self {
        class.clone_into(&mut self.class);
        self
    }
}

/// See the module.
pub(super) struct Canvas {
    width: f64,
    height: f64,
    body: String,
}

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        let body = String::new();
        Self {
            width,
            height,
            body,
        }
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing into a text cannot fail.
        let _ = writeln!(self.body, "{element}");
    }

    pub(super) fn title(&mut self, text: &str) {
        let label = Label::new(20.0, 30.0, Anchor::Start).coloured("title");
        self.text(&label, text);
    }

    /// Gives about how wide it is.
    pub(super) fn text(&mut self, label: &Label, text: &str) -> f64 {
        let anchor = match label.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let Label { x, y, class, .. } = label;
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#
        ));
        6.6 * f64::from(u32::try_from(text.chars().count()).unwrap_or(0))
    }

    pub(super) fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, colour: &str) {
        self.put(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="1.5" class="bar {colour}"/>"#
        ));
    }

    pub(super) fn grid(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.put(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="grid"/>"#
        ));
    }

    /// A line with a dot at each point.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: &str) {
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let path = path.join(" ");
        self.put(format_args!(
            r#"<polyline points="{path}" class="line {colour}"/>"#
        ));
        for (x, y) in points {
            self.put(format_args!(
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" class="{colour}"/>"#
            ));
        }
    }

    pub(super) fn done(self) -> String {
        let Self {
            width,
            height,
            body,
        } = self;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img"><style>{STYLE}</style><rect class="paper" width="100%" height="100%" rx="6"/>
{body}</svg>
"#
        )
    }
}
