//! Claims that the Grafana dashboard and the alert rules match `/metrics`: every name and label
//! they use exists, results still have the labels that are printed, and every metric is on the
//! dashboard. How: a simulated shop sells, fails and is mended; its `/metrics` is compared with the
//! files.

use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, customer, hoa, sale},
    variables::{ADMIN_TOKEN, PUBLIC},
};
use http::Method;
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When, kiotviet::Settings};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Labels that Prometheus adds to whatever it scrapes.
const SCRAPED: [&str; 2] = ["job", "instance"];

type Words = BTreeSet<String>;

fn text(name: &str) -> String {
    fs::read_to_string(xtask::workspace_root().join("deploy").join(name)).expect(name)
}

/// The parts of an expression: metrics with their matchers, and grouping labels.
#[derive(Debug, Default)]
struct Used {
    metrics: Vec<(String, Vec<(String, String)>)>,
    grouped: Words,
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `label="value"` of each matcher or label in braces; none of our values holds a comma or a brace.
fn pairs(braces: &str) -> Vec<(String, String)> {
    let pairs = braces.split(',').filter(|pair| !pair.trim().is_empty());
    let pair = pairs.map(|pair| {
        let end = pair.trim().find(|c| !is_word(c));
        let (label, rest) = pair.trim().split_at(end.unwrap_or(pair.trim().len()));
        let value = rest.trim_start_matches(['=', '!', '~']).trim_matches('"');
        (label.to_owned(), value.to_owned())
    });
    pair.collect()
}

/// Reads as much of PromQL as our files use.
fn read(expression: &str) -> Used {
    let mut used = Used::default();
    for (at, _) in expression.match_indices("kvgf_") {
        let rest = &expression[at..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let matchers = rest.strip_prefix('{').and_then(|r| r.split_once('}'));
        let matchers = matchers.map(|(inside, _)| pairs(inside));
        let matchers = matchers.unwrap_or_default();
        used.metrics.push((name.to_owned(), matchers));
    }
    for grouping in [" by (", " on ("] {
        for (at, _) in expression.match_indices(grouping) {
            let rest = &expression[at + grouping.len()..];
            let (inside, _) = rest.split_once(')').expect("a closing bracket");
            let labels = inside.split(',').map(str::trim).filter(|l| !l.is_empty());
            used.grouped.extend(labels.map(str::to_owned));
        }
    }
    used
}

/// `{{label}}` of a legend, `$labels.label` of an annotation.
fn printed(template: &str) -> Words {
    let mut printed = Words::new();
    for part in template.split("{{").skip(1) {
        let inside = part.split("}}").next().unwrap_or_default().trim();
        let inside = inside.strip_prefix("$labels.").unwrap_or(inside);
        if inside.chars().all(is_word) {
            printed.insert(inside.to_owned());
        }
    }
    printed
}

/// `/metrics` as Prometheus reads it: each metric's labels, and each label's values.
#[derive(Default)]
struct Exported {
    labels: BTreeMap<String, Words>,
    values: BTreeMap<String, Words>,
}

impl Exported {
    fn read(text: &str) -> Self {
        let mut exported = Self::default();
        for line in text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let name = declared.split(' ').next().expect("a name");
                exported.labels.entry(name.to_owned()).or_default();
            } else if !line.starts_with('#') {
                let (series, _) = line.rsplit_once(' ').expect("a sample");
                // An endpoint's path holds braces: the last one closes.
                let Some((name, labels)) = series.split_once('{') else {
                    continue;
                };
                let labels = labels.strip_suffix('}').expect("a closing brace");
                for (label, value) in pairs(labels) {
                    let of = exported.labels.get_mut(name).expect("declared before");
                    of.insert(label.clone());
                    exported.values.entry(label).or_default().insert(value);
                }
            }
        }
        exported
    }

    /// `expression` uses existing series, and its result has the labels that are printed.
    fn check(&self, place: &str, expression: &str, printed: &Words) {
        let used = read(expression);
        let mut there: Words = SCRAPED.map(str::to_owned).into();
        for (name, matchers) in &used.metrics {
            let labels = self.labels.get(name);
            let labels = labels.unwrap_or_else(|| panic!("{place}: no metric {name}"));
            there.extend(labels.iter().cloned());
            for (label, value) in matchers {
                let known = labels.contains(label) || SCRAPED.contains(&label.as_str());
                assert!(known, "{place}: {name} has no label {label}");
                if ["outcome", "vendor"].contains(&label.as_str()) {
                    assert!(self.values[label].contains(value), "{place}: {value}");
                }
            }
        }
        assert!(
            used.grouped.is_subset(&there),
            "{place}: {:?}",
            used.grouped
        );
        let kept = if used.grouped.is_empty() {
            &there
        } else {
            &used.grouped
        };
        assert!(
            printed.is_subset(kept),
            "{place}: prints {printed:?} of {kept:?}"
        );
    }
}

async fn post(shop: &TestShop, path: &str) {
    let (status, answer) = shop.app.call("POST", path, &Value::Null).await;
    assert!(status < 300, "{path}: {answer}");
}

/// A shop in which everything has happened that a metric counts.
async fn everything_has_happened() -> Exported {
    let (shop, others) = TestShop::beside([Settings::fnb()]);
    shop.connect_with(On::Both).await;
    let (status, answer) = shop.connect_as("quan", &others[0]).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = shop.app.switch("quan", "order", true).await;
    assert_eq!(status, 200, "{answer}");
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet
        .create_customer(customer("Hoa (chợ)", "+84 912 345 678"));
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.kiotviet
        .edit_customer(id, |c| c.name = "Chị Hoa".to_owned());
    shop.deliver().await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refused.when(When::First(2)));
    for _ in 0..2 {
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
    }
    let dead = shop.app.events("state=dead").await.1;
    post(
        &shop,
        &format!("events/{}/dismiss", dead["events"][0]["seq"]),
    )
    .await;
    // A drain begins to check; KiotViet then stops delivering, and a later drain mends that.
    shop.drain().await;
    shop.kiotviet.switch_off_webhooks();
    shop.kiotviet.create_invoice(sale(None));
    shop.pass(1200).await;
    shop.drain().await;
    let from = json!({"from": "2026-10-01T00:00:00Z"});
    let backfill = format!("connections/{CONNECTION}/backfill");
    let (status, answer) = shop.app.call("POST", &backfill, &from).await;
    assert_eq!(status, 202, "{answer}");
    let request = http::Request::get(format!("{PUBLIC}/metrics"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(Default::default());
    let answer = shop.app.request(request.expect("a request")).await;
    assert_eq!(answer.status, 200);
    Exported::read(&String::from_utf8(answer.body).expect("UTF-8"))
}

/// Title, expression and legend of every query on the dashboard.
fn queries() -> Vec<(String, String, String)> {
    let dashboard: Value = serde_json::from_str(&text("grafana/dashboard.json")).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |name: &str| target[name].as_str().unwrap_or_default().to_owned();
            queries.push((title.to_owned(), text("expr"), text("legendFormat")));
        }
    }
    queries
}

#[tokio::test(start_paused = true)]
async fn the_dashboard_uses_what_is_exported_and_shows_all_of_it() {
    let exported = everything_has_happened().await;
    let mut shown = Words::new();
    for (title, expression, legend) in queries() {
        exported.check(&title, &expression, &printed(&legend));
        shown.extend(read(&expression).metrics.into_iter().map(|(name, _)| name));
    }
    let all: Words = exported.labels.keys().cloned().collect();
    assert_eq!(shown, all);
    let operating = xtask::workspace_root().join("docs/operating.md");
    let operating = fs::read_to_string(operating).expect("docs/operating.md");
    let explained = read(&operating).metrics.into_iter().map(|(name, _)| name);
    assert_eq!(explained.collect::<Words>(), all, "in docs/operating.md");
}

#[tokio::test(start_paused = true)]
async fn alert_rules_use_what_is_exported_and_say_what_to_do() {
    let exported = everything_has_happened().await;
    let rules: Value = yaml_serde::from_str(&text("prometheus/alerts.yaml")).expect("YAML");
    let rules = rules["groups"][0]["rules"].as_array().expect("rules");
    let tested = text("prometheus/alerts_test.yaml");
    for rule in rules {
        let name = rule["alert"].as_str().expect("a name");
        let expression = rule["expr"].as_str().expect("an expression");
        assert!(rule["labels"]["severity"].is_string(), "{name}");
        let summary = rule["annotations"]["summary"].as_str().expect(name);
        let description = rule["annotations"]["description"].as_str().expect(name);
        assert!(!description.is_empty());
        let mut labels = printed(summary);
        labels.extend(printed(description));
        exported.check(name, expression, &labels);
        let alert = format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\"");
        assert!(tested.contains(&alert), "{name} is never seen firing");
    }
}

/// The rules' own tests would prove nothing with series that do not exist.
#[tokio::test(start_paused = true)]
async fn the_rules_tests_feed_series_as_they_are_exported() {
    let exported = everything_has_happened().await;
    let tests: Value = yaml_serde::from_str(&text("prometheus/alerts_test.yaml")).expect("YAML");
    for test in tests["tests"].as_array().expect("tests") {
        for series in test["input_series"].as_array().expect("series") {
            let series = series["series"].as_str().expect("a series");
            for (name, labels) in read(series).metrics {
                let given: Words = labels.into_iter().map(|(label, _)| label).collect();
                let mut wanted = exported.labels[&name].clone();
                wanted.extend(SCRAPED.map(str::to_owned));
                assert_eq!(given, wanted, "{series}");
            }
        }
    }
}
