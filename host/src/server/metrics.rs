//! The metrics of all tenants on one page, each sample with its tenant's name. What a tenant's component answers is
//! taken apart and written anew: it can neither name another tenant nor spoil the page.

use std::{collections::BTreeMap, fmt::Write};

/// Most samples of one tenant.
const MOST_SAMPLES: usize = 20_000;

#[derive(Default)]
struct Family {
    help: String,
    kind: String,
    samples: String,
}

/// The page under way.
#[derive(Default)]
pub(super) struct Page(BTreeMap<String, Family>);

/// `name`, what stands in its braces, and its value.
type Sample<'t> = (&'t str, &'t str, &'t str);

impl Page {
    /// A gauge of the host's own.
    pub(super) fn gauge(&mut self, name: &str, help: &str, label: &str, value: usize) {
        let family = self.0.entry(name.to_owned()).or_insert_with(|| Family {
            help: help.to_owned(),
            kind: "gauge".to_owned(),
            samples: String::new(),
        });
        let _ = writeln!(family.samples, "{name}{label} {value}");
    }

    /// Takes up a tenant's page.
    pub(super) fn add(&mut self, tenant: &str, page: &str) {
        let own = |name: &str| name.starts_with("kvgf_") && !name.starts_with("kvgf_host_");
        for line in page.lines().take(MOST_SAMPLES) {
            if let Some(rest) = line.strip_prefix("# ") {
                let mut words = rest.splitn(3, ' ');
                let (Some(what), Some(name), Some(text)) =
                    (words.next(), words.next(), words.next())
                else {
                    continue;
                };
                if !is_name(name) || !own(name) {
                    continue;
                }
                let family = self.0.entry(name.to_owned()).or_default();
                match what {
                    "HELP" if family.help.is_empty() => text.clone_into(&mut family.help),
                    "TYPE" if family.kind.is_empty() && matches!(text, "counter" | "gauge") => {
                        text.clone_into(&mut family.kind);
                    }
                    _ => {}
                }
            } else if let Some((name, labels, value)) = sample(line).filter(|s| own(s.0)) {
                let comma = if labels.is_empty() { "" } else { "," };
                let family = self.0.entry(name.to_owned()).or_default();
                let _ = writeln!(
                    family.samples,
                    "{name}{{tenant=\"{tenant}\"{comma}{labels}}} {value}"
                );
            }
        }
    }

    /// The whole page.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in &self.0 {
            if family.samples.is_empty() {
                continue;
            }
            let kind = if family.kind.is_empty() {
                "untyped"
            } else {
                &family.kind
            };
            let _ = writeln!(text, "# HELP {name} {}", family.help);
            let _ = writeln!(text, "# TYPE {name} {kind}");
            text.push_str(&family.samples);
        }
        text
    }
}

fn is_name(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.bytes().all(word) && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// A sample; none for what is none, or names a tenant itself.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = labels(inside)?;
            (inside.get(..end)?, inside.get(end + 1..)?)
        }
        None => ("", rest),
    };
    let value = value.trim();
    (is_name(name) && value.parse::<f64>().is_ok()).then_some((name, labels, value))
}

/// Where the labels end: at the brace after the last one.
fn labels(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let (name, value) = rest.split_once("=\"")?;
        if !is_name(name) || name == "tenant" {
            return None;
        }
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        at += name.len() + 2 + end + 1;
        match text.as_bytes().get(at)? {
            b',' => at += 1,
            b'}' => return Some(at),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn samples_of_all_stand_under_one_head_with_their_tenants_names() {
        let mut page = Page::default();
        let of = |n: u32| {
            format!(
                "# HELP kvgf_dead What is dead.\n# TYPE kvgf_dead gauge\nkvgf_dead{{connection=\"a\\\"}}b\"}} {n}\n\
                 # HELP kvgf_up Up.\n# TYPE kvgf_up counter\nkvgf_up {n}\n"
            )
        };
        page.add("lan", &of(1));
        page.add("minh", &of(2));
        page.gauge("kvgf_host_tenants", "Tenants.", "", 2);
        assert_eq!(
            page.text(),
            "# HELP kvgf_dead What is dead.\n# TYPE kvgf_dead gauge\n\
             kvgf_dead{tenant=\"lan\",connection=\"a\\\"}b\"} 1\n\
             kvgf_dead{tenant=\"minh\",connection=\"a\\\"}b\"} 2\n\
             # HELP kvgf_host_tenants Tenants.\n# TYPE kvgf_host_tenants gauge\nkvgf_host_tenants 2\n\
             # HELP kvgf_up Up.\n# TYPE kvgf_up counter\n\
             kvgf_up{tenant=\"lan\"} 1\nkvgf_up{tenant=\"minh\"} 2\n"
        );
    }

    #[test]
    fn a_hostile_page_adds_nothing() {
        let mut page = Page::default();
        for line in [
            "kvgf_up{tenant=\"minh\"} 1",
            "kvgf_up{a=\"b\",tenant=\"minh\"} 1",
            "kvgf_up{a=\"b\"c} 1",
            "kvgf_up{a=\"b} 1",
            "kvgf_up{a=\"b\"} one",
            "kvgf_up{} 1",
            "kvgf_up",
            "kvgf_host_tenants 7",
            "process_cpu 7",
            "# TYPE kvgf_up histogram",
            "# HELP",
        ] {
            page.add("mallory", line);
        }
        assert_eq!(page.text(), "");
    }
}
