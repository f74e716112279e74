//! Fixtures: a folder says what KiotViet delivers, what the two vendors answer, and what has to come
//! of it. `host-test/fixtures/README.md` describes the files. Nothing here knows how the plugin is
//! run: a [`Runner`] carries HTTP requests to it and two scripted vendors answer its calls.

use crate::{
    native::{ADMIN_TOKEN, PUBLIC, test_variables},
    sim::{Boxed, Broken, Request, Response, Upstream, kiotviet::Signature, lock},
};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    future::Future,
    path::Path,
    sync::{Arc, Mutex},
};

/// The connection's name in every fixture.
const CONNECTION: &str = "shop";
/// Getfly's key; it must never be seen outside a header.
const API_KEY: &str = "fixture-getfly-key";
/// The shop's security code; the same.
const CLIENT_SECRET: &str = "fixture-client-secret";
/// What no event and no log line may hold: secrets, and how every invented phone number and e-mail
/// address looks. Amounts in fixtures therefore never hold the digits `900000`.
const NEVER_SHOWN: [&str; 5] = [
    "900000",
    "example.vn",
    API_KEY,
    CLIENT_SECRET,
    "fixture-token",
];
/// Calls of the upkeep (webhooks still registered? anything missed?), which come by the clock and
/// not by the deliveries: not compared.
const UPKEEP: [&str; 5] = [
    "kiotviet GET /webhooks",
    "kiotviet POST /webhooks",
    "kiotviet DELETE /webhooks/",
    "kiotviet GET /customers?",
    "kiotviet GET /invoices?",
];
/// Settling goes on for at most this many hours: retries end after 75 hours or a little more.
const SETTLE_HOURS: u32 = 150;

/// How the plugin is run.
pub trait Runner {
    /// Carries one request to the plugin and gives its answer. May return before what is processed
    /// after the answer is done: a drain follows.
    fn request(&self, request: Request) -> impl Future<Output = Response>;

    /// Lets time pass for the plugin.
    fn pass(&self, seconds: u64) -> impl Future<Output = ()>;

    /// What the plugin has logged so far.
    fn log(&self) -> Vec<String>;
}

/// What a plugin is to be run with.
pub struct Surroundings {
    /// Its variables; the origins are those of [`crate::native`].
    pub variables: BTreeMap<String, String>,
    /// Answers at both of KiotViet's origins.
    pub kiotviet: Arc<dyn Upstream>,
    /// Answers at Getfly's origin.
    pub getfly: Arc<dyn Upstream>,
    /// The time when it starts. Fixtures tell times relative to the switching on of the webhooks, so
    /// a runner with a clock of its own may ignore this.
    pub start: Timestamp,
}

/// A fixture, read and checked.
#[derive(Debug)]
pub struct Fixture {
    /// The folder's name.
    pub name: String,
    /// Why the product does not do this yet, if so.
    pub known_failure: Option<String>,
    setup: Setup,
    steps: Vec<Step>,
    answers: Answers,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Setup {
    variables: BTreeMap<String, String>,
    retailer: String,
    customer_webhook: bool,
    order_webhook: bool,
    start: Timestamp,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            variables: BTreeMap::new(),
            retailer: "thu".to_owned(),
            customer_webhook: true,
            order_webhook: true,
            start: "2026-10-05T03:00:00Z".parse().unwrap_or_default(),
        }
    }
}

#[derive(Debug)]
enum Step {
    Deliver(Delivery),
    Pass(u64),
    Drain,
    Settle,
    Retry(u64),
    Switch(String, bool),
    /// KiotViet gives up on a webhook.
    Disable(String),
}

#[derive(Debug, Clone)]
struct Delivery {
    body: Vec<u8>,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Answers {
    kiotviet: BTreeMap<String, Value>,
    getfly: BTreeMap<String, Value>,
    getfly_holds: Held,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Held {
    accounts: Vec<Value>,
    orders: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// The sentence that this fixture is about.
    says: String,
    #[serde(default)]
    connect: BTreeMap<String, Told>,
    connect_calls: Option<Vec<String>>,
    statuses: Option<Vec<u16>>,
    events: Vec<ExpectedEvent>,
    calls: Vec<String>,
    created: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    status: u16,
    #[serde(default)]
    contains: Vec<String>,
}

/// A part of an event: members that are not given are not compared; `null` is "none".
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedEvent {
    kind: Option<String>,
    key: Option<String>,
    state: String,
    outcome: Option<String>,
    reason: Option<String>,
    rule: Option<String>,
    attempts: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    account_code: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    order_code: Option<Value>,
    /// Each is a part of some note.
    #[serde(default)]
    notes: Vec<String>,
    /// Accounts that matched, the linked one first.
    alternatives: Option<Vec<String>>,
}

fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Fixture {
    /// Reads a folder; refuses one that is not whole, or holds files or members nobody reads.
    pub fn read(folder: &Path) -> Result<Self> {
        let name = folder
            .file_name()
            .and_then(|n| n.to_str())
            .context("no name")?;
        for file in names(folder)? {
            let known = matches!(
                file.as_str(),
                "answers.json" | "expect.json" | "setup.json" | "known-failure" | "headers"
            ) || matches!(file.as_str(), "requests" | "then")
                || file.starts_with("request.");
            ensure!(known, "nobody reads the file {file}");
        }
        let known_failure = optional(&folder.join("known-failure"))?;
        if let Some(why) = &known_failure {
            ensure!(
                why.trim().lines().count() == 1,
                "known-failure is one line that says why"
            );
        }
        let expect = optional(&folder.join("expect.json"))?.context("it has no expect.json")?;
        let setup = optional(&folder.join("setup.json"))?;
        let answers = optional(&folder.join("answers.json"))?;
        let fixture = Self {
            name: name.to_owned(),
            known_failure,
            setup: setup
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .context("setup.json")?
                .unwrap_or_default(),
            steps: steps(folder)?,
            answers: answers
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .context("answers.json")?
                .unwrap_or_default(),
            expect: serde_json::from_str(&expect).context("expect.json")?,
        };
        ensure!(
            !fixture.expect.says.trim().is_empty(),
            "`says` quotes the rule"
        );
        ensure!(
            !fixture.steps.is_empty() || !fixture.expect.connect.is_empty(),
            "it delivers nothing"
        );
        Ok(fixture)
    }

    /// Whether time has to pass, so that a runner on real time may leave it out.
    pub fn needs_time(&self) -> bool {
        let waits = |answer: &Value| answer.to_string().contains("timeout");
        let settles = |s: &Step| matches!(s, Step::Pass(_) | Step::Settle);
        self.steps.iter().any(settles)
            || self.answers.kiotviet.values().any(waits)
            || self.answers.getfly.values().any(waits)
    }
}

/// Everything in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name();
        names.push(name.to_str().context("a name that is no text")?.to_owned());
    }
    names.sort();
    Ok(names)
}

fn optional(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| file.display().to_string()),
    }
}

/// `request.*` or everything in `requests/`, in order; then what `then` says.
fn steps(folder: &Path) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let common = optional(&folder.join("headers"))?;
    let whole = names(folder)?;
    for file in whole.iter().filter(|n| n.starts_with("request.")) {
        steps.push(deliver(&folder.join(file), common.as_deref())?);
    }
    ensure!(steps.len() <= 1, "more than one request.*: use requests/");
    if whole.iter().any(|n| n == "requests") {
        ensure!(steps.is_empty(), "either request.* or requests/");
        let folder = folder.join("requests");
        for file in names(&folder)? {
            let path = folder.join(&file);
            match file.rsplit_once('.') {
                Some((_, "headers")) => {}
                Some((_, "do")) => steps.extend(actions(&fs::read_to_string(&path)?)?),
                Some((stem, _)) => {
                    let own = optional(&folder.join(format!("{stem}.headers")))?;
                    steps.push(deliver(&path, own.as_deref().or(common.as_deref()))?);
                }
                None => bail!("nobody reads the file {file}"),
            }
        }
    }
    if let Some(then) = optional(&folder.join("then"))? {
        steps.extend(actions(&then)?);
    }
    Ok(steps)
}

fn deliver(file: &Path, headers: Option<&str>) -> Result<Step> {
    let body = fs::read(file)?;
    let body = match file.extension().and_then(|e| e.to_str()) {
        Some("json") => {
            serde_json::from_slice::<serde::de::IgnoredAny>(&body)
                .with_context(|| format!("{}: a broken body is a .bin", file.display()))?;
            body
        }
        Some("bin") => body,
        Some("expand") => expand(std::str::from_utf8(&body)?)?.into_bytes(),
        _ => bail!("{}: .json, .bin or .expand", file.display()),
    };
    let headers = headers
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match line.split_at_checked(1) {
            // As in HTTP/2: `:method: GET`.
            Some((":", rest)) => pair(rest).map(|(name, value)| (format!(":{name}"), value)),
            _ if line.trim() == "unsigned" => Ok(("unsigned".to_owned(), String::new())),
            _ => pair(line),
        })
        .collect::<Result<_>>()?;
    Ok(Step::Deliver(Delivery { body, headers }))
}

fn pair(line: &str) -> Result<(String, String)> {
    let (name, value) = line
        .split_once(':')
        .with_context(|| format!("not a header: {line}"))?;
    Ok((name.trim().to_lowercase(), value.trim().to_owned()))
}

/// `{{repeat 1000 text}}` becomes a thousand times `text`; a third brace at its end is of the text.
fn expand(text: &str) -> Result<String> {
    let mut parts = text.trim_end().split("{{repeat ");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, after) = part.split_once("}}").context("no end of {{repeat")?;
        let (count, repeated) = inside.split_once(' ').context("{{repeat COUNT TEXT}}")?;
        let rest = after.trim_start_matches('}');
        let repeated = format!("{repeated}{}", "}".repeat(after.len() - rest.len()));
        whole.push_str(&repeated.repeat(count.parse()?));
        whole.push_str(rest);
    }
    Ok(whole)
}

/// One action a line.
fn actions(text: &str) -> Result<Vec<Step>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Ok(match words.as_slice() {
                ["drain"] => Step::Drain,
                ["settle"] => Step::Settle,
                ["pass", seconds] => Step::Pass(seconds.parse()?),
                ["retry", seq] => Step::Retry(seq.parse()?),
                [
                    "switch",
                    webhook @ ("customer" | "order"),
                    on @ ("on" | "off"),
                ] => Step::Switch((*webhook).to_owned(), *on == "on"),
                ["disable", webhook @ ("customer" | "order")] => {
                    Step::Disable((*webhook).to_owned())
                }
                _ => bail!("not an action: {line}"),
            })
        })
        .collect()
}

/// Runs a fixture and says what is not as expected; nothing when all is well.
pub async fn run<R: Runner>(
    fixture: &Fixture,
    make: impl AsyncFnOnce(Surroundings) -> R,
) -> Vec<String> {
    let stage = Arc::new(Stage::new(fixture));
    let mut variables = test_variables(API_KEY);
    variables.extend(fixture.setup.variables.clone());
    let runner = make(Surroundings {
        variables,
        kiotviet: Arc::new(Vendor(Side::KiotViet, stage.clone())),
        getfly: Arc::new(Vendor(Side::Getfly, stage.clone())),
        start: fixture.setup.start,
    })
    .await;
    let mut run = Run {
        fixture,
        runner: &runner,
        stage: &stage,
        wrong: Vec::new(),
    };
    run.connect().await;
    let mut statuses = Vec::new();
    for step in &fixture.steps {
        run.step(step, &mut statuses).await;
    }
    run.finish(&statuses).await;
    run.wrong
}

struct Run<'a, R> {
    fixture: &'a Fixture,
    runner: &'a R,
    stage: &'a Stage,
    wrong: Vec<String>,
}

impl<R: Runner> Run<'_, R> {
    fn differs(&mut self, what: &str, expected: impl std::fmt::Display, got: impl ToString) {
        self.wrong.push(format!(
            "{what}\n  expected {expected}\n  got      {}",
            got.to_string()
        ));
    }

    async fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{PUBLIC}/api/{path}"))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap_or_default();
        let answer = self.runner.request(request).await;
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    /// As a person does it: connects the shop, then switches its webhooks on.
    async fn connect(&mut self) {
        let body = json!({
            "retailer": self.fixture.setup.retailer,
            "client_id": "7d0c2b2e-0000-4000-8000-00000000f1c7",
            "client_secret": CLIENT_SECRET,
        });
        let path = format!("connections/{CONNECTION}");
        let answer = self.api("PUT", &path, &body).await;
        let connected = answer.0 == 200;
        self.compare_told("connection", &answer);
        for (webhook, on) in [
            ("customer", self.fixture.setup.customer_webhook),
            ("order", self.fixture.setup.order_webhook),
        ] {
            if on && connected {
                let answer = self.switch(webhook, true).await;
                self.compare_told(webhook, &answer);
            }
        }
        let calls = lock(&self.stage.play).take_calls();
        if let Some(expected) = &self.fixture.expect.connect_calls {
            self.compare_calls("connect_calls", expected, calls);
        }
    }

    async fn switch(&self, webhook: &str, on: bool) -> (u16, Value) {
        let path = format!("connections/{CONNECTION}/webhooks/{webhook}");
        let method = if on { "PUT" } else { "DELETE" };
        let answer = self.api(method, &path, &Value::Null).await;
        if let Some(since) = answer.1["on_since"].as_str().and_then(|t| t.parse().ok()) {
            lock(&self.stage.play)
                .on_since
                .insert(webhook.to_owned(), since);
        }
        answer
    }

    fn compare_told(&mut self, what: &str, (status, body): &(u16, Value)) {
        let expected = self.fixture.expect.connect.get(what);
        if *status != expected.map_or(200, |told| told.status) {
            self.differs(
                what,
                expected.map_or(200, |told| told.status),
                format!("{status} {body}"),
            );
        }
        let text = body.to_string();
        for part in expected.iter().flat_map(|told| &told.contains) {
            // As it looks inside JSON.
            let quoted = Value::from(part.as_str()).to_string();
            if !text.contains(quoted.trim_matches('"')) {
                self.differs(what, part, &text);
            }
        }
        self.check_nothing_shown(what, &text);
    }

    fn check_nothing_shown(&mut self, what: &str, text: &str) {
        // Blanks inside a number hide nothing.
        let joined = text.replace([' ', '\u{a0}'], "");
        for never in NEVER_SHOWN {
            if text.contains(never) || joined.contains(never) {
                self.wrong
                    .push(format!("{what} shows {never:?}, which nobody may see"));
            }
        }
    }

    async fn step(&mut self, step: &Step, statuses: &mut Vec<u16>) {
        match step {
            Step::Deliver(delivery) => match self.carry(delivery).await {
                Some(status) => statuses.push(status),
                None => self.wrong.push("no webhook was ever registered".to_owned()),
            },
            Step::Pass(seconds) => self.runner.pass(*seconds).await,
            Step::Drain => self.drain().await,
            Step::Settle => self.settle().await,
            Step::Retry(seq) => {
                let path = format!("events/{seq}/retry");
                let (status, body) = self.api("POST", &path, &Value::Null).await;
                if !matches!(status, 200 | 202) {
                    self.differs(&path, 200, format!("{status} {body}"));
                }
            }
            Step::Disable(webhook) => lock(&self.stage.play).disable(webhook),
            Step::Switch(webhook, on) => {
                let (status, body) = self.switch(webhook, *on).await;
                if status != 200 {
                    self.differs(
                        &format!("switch {webhook}"),
                        200,
                        format!("{status} {body}"),
                    );
                }
            }
        }
    }

    async fn drain(&mut self) {
        let (status, body) = self.api("POST", "drain", &Value::Null).await;
        if status != 200 {
            self.differs("drain", 200, format!("{status} {body}"));
        }
    }

    async fn settle(&mut self) {
        for _ in 0..SETTLE_HOURS {
            self.drain().await;
            let waits = |e: &Value| matches!(e["state"].as_str(), Some("received" | "retrying"));
            if !self.events().await.iter().any(waits) {
                return;
            }
            self.runner.pass(3600).await;
        }
        self.wrong.push("it never settles".to_owned());
    }

    /// Carries a delivery as KiotViet does.
    async fn carry(&self, delivery: &Delivery) -> Option<u16> {
        let (url, secret) = lock(&self.stage.play).registered()?;
        let body = match std::str::from_utf8(&delivery.body) {
            Ok(text) => lock(&self.stage.play).times(text).into_bytes(),
            Err(_) => delivery.body.clone(),
        };
        let header = |name: &str| {
            let mut headers = delivery.headers.iter().filter(|(n, _)| n == name);
            headers.next().map(|(_, value)| value.as_str())
        };
        let mut path = url.parse::<http::Uri>().ok()?.path().to_owned();
        if let Some(token) = header(":token") {
            path.truncate(path.rfind('/')? + 1);
            path.push_str(token);
        }
        let mut request = http::Request::builder()
            .method(header(":method").unwrap_or("POST"))
            .uri(format!("{PUBLIC}{path}"))
            .header("content-type", "application/json; charset=utf-8");
        let form = match header("x-hub-signature") {
            _ if header("unsigned").is_some() => Signature::Missing,
            Some("sign wrong") => Signature::Wrong,
            Some("sign sha256 label") => Signature::Sha256Labelled,
            Some("sign bare hex") => Signature::Sha256BareHex,
            Some("sign base64") => Signature::Sha256Base64,
            Some("sign sha1") => Signature::Sha1,
            Some("sign") | None => Signature::default(),
            Some(other) => {
                request = request.header("x-hub-signature", other);
                Signature::Missing
            }
        };
        if let Some(signature) = form.header(&secret, &body) {
            request = request.header("x-hub-signature", signature);
        }
        for (name, value) in &delivery.headers {
            let special = name.starts_with(':') || name == "unsigned" || name == "x-hub-signature";
            if !special {
                request = request.header(name, value);
            }
        }
        let request = request.body(Bytes::from(body)).ok()?;
        Some(self.runner.request(request).await.status().as_u16())
    }

    /// All events in full, oldest first.
    async fn events(&self) -> Vec<Value> {
        let (_, list) = self.api("GET", "events?limit=200", &Value::Null).await;
        let mut events = Vec::new();
        for event in list["events"].as_array().into_iter().flatten().rev() {
            let path = format!("events/{}", event["seq"]);
            events.push(self.api("GET", &path, &Value::Null).await.1);
        }
        events
    }

    async fn finish(&mut self, statuses: &[u16]) {
        let mut events = self.events().await;
        for _ in 0..3 {
            // Where processing goes on after the answer, it may not be done yet.
            if events.iter().any(|e| e["state"] == "received") {
                self.drain().await;
                events = self.events().await;
            }
        }
        let expect = &self.fixture.expect;
        let all_well = vec![200; statuses.len()];
        let expected = expect.statuses.as_ref().unwrap_or(&all_well);
        if expected != statuses {
            self.differs("statuses", format!("{expected:?}"), format!("{statuses:?}"));
        }
        self.compare_events(&events);
        let (calls, created, problems) = {
            let mut play = lock(&self.stage.play);
            let problems = play.problems();
            (play.take_calls(), play.created.clone(), problems)
        };
        self.wrong.extend(problems);
        self.compare_calls("calls", &expect.calls, calls);
        for at in 0..expect.created.len().max(created.len()) {
            let (wanted, got) = (expect.created.get(at), created.get(at));
            if wanted.map(plain) != got.map(plain) {
                let show = |v: Option<&Value>| v.map_or("nothing".to_owned(), Value::to_string);
                self.differs(&format!("created[{at}]"), show(wanted), show(got));
            }
        }
        let log = self.runner.log().join("\n");
        self.check_nothing_shown("the log", &log);
    }

    fn compare_calls(&mut self, what: &str, expected: &[String], got: Vec<String>) {
        let expected = searches_sorted(expected.to_vec());
        let upkeep = |call: &String| UPKEEP.iter().any(|u| call.starts_with(u));
        let got: Vec<String> = got
            .into_iter()
            .filter(|call| expected.contains(call) || !upkeep(call))
            .collect();
        let got = searches_sorted(got);
        if expected != got {
            self.differs(what, format!("{expected:#?}"), format!("{got:#?}"));
        }
    }

    fn compare_events(&mut self, events: &[Value]) {
        let expected = &self.fixture.expect.events;
        if expected.len() != events.len() {
            self.differs("number of events", expected.len(), events.len());
        }
        for (at, (expected, event)) in expected.iter().zip(events).enumerate() {
            let what = format!("event {}", at + 1);
            let text = |v: &Option<String>| v.as_deref().map(Value::from);
            let done = expected.state == "done";
            let mut members = vec![
                ("state", Some(Value::from(expected.state.as_str()))),
                ("kind", text(&expected.kind)),
                ("key", text(&expected.key)),
                // What did not end well has no outcome.
                (
                    "outcome",
                    text(&expected.outcome).or((!done).then_some(Value::Null)),
                ),
                ("reason", text(&expected.reason)),
                ("rule", text(&expected.rule)),
                ("attempts", expected.attempts.map(Value::from)),
                ("account_code", expected.account_code.clone()),
                ("order_code", expected.order_code.clone()),
            ];
            members.retain(|(_, value)| value.is_some());
            for (name, value) in members {
                let value = value.unwrap_or_default();
                if event[name] != value {
                    self.differs(&format!("{what}: {name}"), value, brief(event));
                }
            }
            let notes: Vec<&str> = event["notes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for part in &expected.notes {
                if !notes.iter().any(|note| note.contains(part.as_str())) {
                    self.differs(&format!("{what}: notes"), part, format!("{notes:?}"));
                }
            }
            if let Some(codes) = &expected.alternatives {
                let got = alternatives(event);
                if *codes != got {
                    self.differs(
                        &format!("{what}: alternatives"),
                        format!("{codes:?}"),
                        format!("{got:?}"),
                    );
                }
            }
            self.check_nothing_shown(&what, &event.to_string());
        }
    }
}

/// The matching accounts' codes, the chosen one first.
fn alternatives(event: &Value) -> Vec<String> {
    let all = event["alternatives"].as_array().into_iter().flatten();
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for one in all {
        let code = one["account_code"].as_str().unwrap_or("?").to_owned();
        if one["chosen"] == true {
            chosen.push(code);
        } else {
            others.push(code);
        }
    }
    chosen.append(&mut others);
    chosen
}

fn brief(event: &Value) -> String {
    let mut shown = serde_json::Map::new();
    for name in [
        "kind",
        "key",
        "state",
        "outcome",
        "reason",
        "rule",
        "attempts",
        "account_code",
        "order_code",
        "notes",
    ] {
        shown.insert(name.to_owned(), event[name].clone());
    }
    Value::Object(shown).to_string()
}

/// Searches at Getfly that stand next to each other start together: their order says nothing.
fn searches_sorted(mut calls: Vec<String>) -> Vec<String> {
    let search = |call: &str| call.starts_with("getfly GET /accounts ");
    for run in calls.chunk_by_mut(|a, b| search(a) && search(b)) {
        run.sort();
    }
    calls
}

/// The same value with numbers in one spelling: 5.0 is 5, 1e3 is 1000.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => serde_json::from_str(&wire::normal(number)).unwrap_or_default(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        other => other.clone(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    KiotViet,
    Getfly,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::KiotViet => "kiotviet",
            Self::Getfly => "getfly",
        }
    }
}

struct Vendor(Side, Arc<Stage>);

impl Upstream for Vendor {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            let reply = lock(&self.1.play).reply(self.0, &request);
            match reply {
                Reply::Answer(response) => Ok(response),
                Reply::Break => Err(Broken),
                Reply::Silence => std::future::pending().await,
            }
        })
    }
}

enum Reply {
    Answer(Response),
    Break,
    Silence,
}

struct Stage {
    play: Mutex<Play>,
}

/// A scripted answer and what was made of it.
struct Line {
    answers: Vec<Value>,
    /// In order, each once; else the one answer every time.
    listed: bool,
    optional: bool,
    asked: usize,
}

/// What the vendors have been asked so far, and what they hold.
struct Play {
    lines: BTreeMap<(&'static str, String), Line>,
    calls: Vec<String>,
    created: Vec<Value>,
    problems: Vec<String>,
    held: Held,
    webhooks: Vec<Value>,
    on_since: BTreeMap<String, Timestamp>,
    next_id: i64,
}

impl Stage {
    fn new(fixture: &Fixture) -> Self {
        let mut lines = BTreeMap::new();
        let answers = &fixture.answers;
        for (side, scripted) in [
            (Side::KiotViet, &answers.kiotviet),
            (Side::Getfly, &answers.getfly),
        ] {
            for (key, answer) in scripted {
                let (key, optional) = match key.strip_suffix(" (optional)") {
                    Some(key) => (key, true),
                    None => (key.as_str(), false),
                };
                let (answers, listed) = match answer {
                    Value::Array(answers) => (answers.clone(), true),
                    one => (vec![one.clone()], false),
                };
                let line = Line {
                    answers,
                    listed,
                    optional,
                    asked: 0,
                };
                lines.insert((side.name(), key.to_owned()), line);
            }
        }
        Self {
            play: Mutex::new(Play {
                lines,
                calls: Vec::new(),
                created: Vec::new(),
                problems: Vec::new(),
                held: answers.getfly_holds.clone(),
                webhooks: Vec::new(),
                on_since: BTreeMap::new(),
                next_id: 7001,
            }),
        }
    }
}

impl Play {
    fn take_calls(&mut self) -> Vec<String> {
        std::mem::take(&mut self.calls)
    }

    /// What is wrong with the script so far, and answers that nobody asked for.
    fn problems(&mut self) -> Vec<String> {
        let mut problems = std::mem::take(&mut self.problems);
        for ((side, key), line) in &self.lines {
            let wanted = if line.listed { line.answers.len() } else { 1 };
            if line.asked < wanted && !line.optional {
                problems.push(format!(
                    "the scripted answer {side} {key:?} was used {} of {wanted} times",
                    line.asked
                ));
            }
        }
        problems
    }

    /// URL and secret of the last registration.
    fn registered(&self) -> Option<(String, String)> {
        let last = self.webhooks.last()?;
        let text = |name: &str| last[name].as_str().map(str::to_owned);
        Some((text("url")?, text("secret")?))
    }

    fn disable(&mut self, webhook: &str) {
        let kind = match webhook {
            "order" => "invoice.update",
            _ => "customer.update",
        };
        for webhook in self.webhooks.iter_mut().filter(|w| w["type"] == kind) {
            webhook["isActive"] = false.into();
        }
    }

    /// Texts like `{on}`, `{order_on-1s}` and `{customer_on+2h +07:00}` become times: KiotViet's REST
    /// form without offset, or with the one that is given (`+07:00` or `Z`).
    fn times(&self, text: &str) -> String {
        let mut parts = text.split('{');
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let time = part
                .split_once('}')
                .and_then(|(inside, after)| Some((self.time(inside)?, after)));
            match time {
                Some((time, after)) => {
                    whole.push_str(&time);
                    whole.push_str(after);
                }
                None => {
                    whole.push('{');
                    whole.push_str(part);
                }
            }
        }
        whole
    }

    fn time(&self, inside: &str) -> Option<String> {
        let (moment, zone) = inside.split_once(' ').unwrap_or((inside, ""));
        let sign = moment.find(['+', '-']).unwrap_or(moment.len());
        let (name, shift) = moment.split_at_checked(sign)?;
        let base = match name {
            "on" => self.on_since.values().max().copied(),
            "customer_on" => self.on_since.get("customer").copied(),
            "order_on" => self.on_since.get("order").copied(),
            _ => return None,
        };
        let base = base.unwrap_or_default();
        let at = if shift.is_empty() {
            base
        } else {
            let (number, unit) = shift.split_at_checked(shift.len().checked_sub(1)?)?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 86_400,
                _ => return None,
            };
            let shift = SignedDuration::from_secs(number.parse::<i64>().ok()? * seconds);
            base.checked_add(shift).ok()?
        };
        Some(match zone {
            "" => wire::rest_time(at),
            "+07:00" => format!("{}+07:00", wire::rest_time(at)),
            "Z" => at.to_string(),
            _ => return None,
        })
    }

    fn reply(&mut self, side: Side, request: &Request) -> Reply {
        let key = key(side, request);
        self.calls.push(format!("{} {key}", side.name()));
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        if side == Side::Getfly && request.method() == http::Method::POST {
            let kind = match request.uri().path().rsplit('/').next() {
                Some("account") => "account",
                Some("sale_order") => "order",
                other => other.unwrap_or_default(),
            };
            self.created.push(json!({ kind: body }));
        }
        let scripted = match self.lines.get_mut(&(side.name(), key.clone())) {
            None => return self.by_default(side, &key, &body, request),
            Some(line) => {
                let at = if line.listed { line.asked } else { 0 };
                line.asked += 1;
                line.answers.get(at).cloned()
            }
        };
        match scripted {
            None => {
                self.problems.push(format!(
                    "{} {key:?} was asked more often than it has answers",
                    side.name()
                ));
                Reply::Answer(wire::json(501, &Value::Null))
            }
            Some(answer) => self.scripted(side, &key, &answer, &body, request),
        }
    }

    fn scripted(
        &mut self,
        side: Side,
        key: &str,
        answer: &Value,
        body: &Value,
        request: &Request,
    ) -> Reply {
        match answer {
            Value::String(word) => match word.as_str() {
                "timeout" => Reply::Silence,
                "broken" => Reply::Break,
                "default" => self.by_default(side, key, body, request),
                "done, then timeout" => {
                    self.by_default(side, key, body, request);
                    Reply::Silence
                }
                "done, then broken" => {
                    self.by_default(side, key, body, request);
                    Reply::Break
                }
                "html" => Reply::Answer(wire::raw(
                    200,
                    "text/html",
                    b"<!DOCTYPE html><html><body>Bao tri he thong</body></html>".to_vec(),
                )),
                other => {
                    self.problems
                        .push(format!("{key:?}: no answer is called {other:?}"));
                    Reply::Break
                }
            },
            Value::Number(status) => {
                let status = status.as_u64().and_then(|s| u16::try_from(s).ok());
                Reply::Answer(refusal(side, status.unwrap_or(500)))
            }
            Value::Object(members) if is_answer(members) => {
                let status = members.get("status").and_then(Value::as_u64).unwrap_or(200);
                let status = u16::try_from(status).unwrap_or(500);
                let mut response = match members.get("text").and_then(Value::as_str) {
                    Some(text) => wire::raw(status, "text/html", text.as_bytes().to_vec()),
                    None => self.json(status, members.get("body").unwrap_or(&Value::Null)),
                };
                let seconds = members.get("retry_after").and_then(Value::as_u64);
                if let Some(seconds) = seconds {
                    let headers = response.headers_mut();
                    headers.insert(http::header::RETRY_AFTER, seconds.into());
                }
                Reply::Answer(response)
            }
            record => Reply::Answer(self.json(200, record)),
        }
    }

    fn json(&self, status: u16, body: &Value) -> Response {
        let text = self.times(&body.to_string());
        wire::raw(status, "application/json; charset=utf-8", text.into_bytes())
    }

    fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    fn by_default(&mut self, side: Side, key: &str, body: &Value, request: &Request) -> Reply {
        let answer = match side {
            Side::KiotViet => self.kiotviet(key, body),
            Side::Getfly => self.getfly(key, body, request),
        };
        Reply::Answer(answer.unwrap_or_else(|| {
            self.problems.push(format!(
                "nobody scripted an answer to {} {key:?}",
                side.name()
            ));
            wire::json(501, &Value::Null)
        }))
    }

    /// A shop with one branch and one seller, who has a phone.
    fn kiotviet(&mut self, key: &str, body: &Value) -> Option<Response> {
        let list = |data: Value| {
            let total = data.as_array().map_or(0, Vec::len);
            wire::json(200, &json!({"total": total, "pageSize": 100, "data": data}))
        };
        Some(match key.split_once(' ')? {
            ("POST", "/connect/token") => wire::json(
                200,
                &json!({"access_token": "fixture-token", "expires_in": 86400, "token_type": "Bearer"}),
            ),
            ("GET", "/branches") => {
                list(json!([{"id": 1001, "branchName": "Chi nhánh trung tâm"}]))
            }
            ("GET", "/users") => list(json!([
                {"id": 5001, "userName": "thu", "givenName": "Nhân Viên Thử", "mobilePhone": "0900000501"}
            ])),
            ("GET", "/webhooks") => {
                let mut shown = self.webhooks.clone();
                for webhook in shown.iter_mut().filter_map(Value::as_object_mut) {
                    webhook.remove("secret");
                }
                list(Value::Array(shown))
            }
            ("POST", path) if path.starts_with("/webhooks") => {
                let told = &body["Webhook"];
                let mut webhook = json!({
                    "id": self.id(), "type": told["Type"], "url": told["Url"], "isActive": true,
                    "retailerId": 500_123_456, "description": told["Description"],
                });
                let answer = wire::json(200, &webhook);
                webhook["secret"] = told["Secret"].clone();
                self.webhooks.push(webhook);
                answer
            }
            ("DELETE", path) => {
                let id = path.strip_prefix("/webhooks/")?;
                let id: Option<i64> = id.parse().ok();
                self.webhooks.retain(|w| w["id"].as_i64() != id);
                wire::json(200, &json!({"message": "Hủy đăng ký webhook thành công"}))
            }
            ("GET", path) if path.starts_with("/customers?") || path.starts_with("/invoices?") => {
                list(json!([]))
            }
            _ => return None,
        })
    }

    /// A tenant with one user, who has the seller's phone; it finds what it holds.
    fn getfly(&mut self, key: &str, body: &Value, request: &Request) -> Option<Response> {
        let (call, rest) = match key.match_indices(' ').nth(1) {
            Some((at, _)) => (&key[..at], &key[at + 1..]),
            None => (key, ""),
        };
        Some(match call {
            "GET /users" => page(
                &[json!({
                    "user_id": 11, "user_name": "nhanvien", "contact_name": "Nhân Viên",
                    "contact_mobile": "0900000501"
                })],
                request,
            ),
            "GET /accounts" => page(&search(&self.held.accounts, request), request),
            "GET /account" => one(&self.held.accounts, "account_code", rest),
            "GET /sale_order" => one(&self.held.orders, "order_code", rest),
            "POST /account" => {
                let id = self.id();
                let mut account = body.clone();
                account["id"] = id.into();
                account["created_at"] = "2026-10-05 10:00:00".into();
                self.held.accounts.push(account);
                created(json!({"account_id": id, "account_code": body["account_code"]}))
            }
            "POST /sale_order" => {
                let id = self.id();
                let mut order = body.clone();
                order["id"] = id.into();
                self.held.orders.push(order);
                created(json!({"order_id": id, "order_code": body["order_code"]}))
            }
            "POST /opportunity" => {
                let id = self.id();
                created(json!({"id": id, "opportunity_code": format!("CH{id}")}))
            }
            _ => return None,
        })
    }
}

fn is_answer(members: &serde_json::Map<String, Value>) -> bool {
    let known = ["status", "body", "text", "retry_after"];
    !members.is_empty() && members.keys().all(|name| known.contains(&name.as_str()))
}

/// The vendor's usual body of an error.
fn refusal(side: Side, status: u16) -> Response {
    let body = match (side, status) {
        (Side::KiotViet, 401) => {
            json!({"responseStatus": {"errorCode": "TokenException", "message": "Token het han"}})
        }
        (Side::KiotViet, _) => {
            json!({"responseStatus": {"errorCode": "KvException", "message": format!("Loi {status}")}})
        }
        (Side::Getfly, 404) => json!({"message": "Không tìm thấy"}),
        (Side::Getfly, _) => json!({"message": format!("Lỗi {status}")}),
    };
    wire::json(status, &body)
}

fn created(data: Value) -> Response {
    wire::json(
        200,
        &json!({"message": "Thêm mới thành công", "data": data}),
    )
}

fn one(held: &[Value], name: &str, code: &str) -> Response {
    match held.iter().find(|record| record[name] == code) {
        Some(record) => wire::json(200, record),
        None => refusal(Side::Getfly, 404),
    }
}

/// The accounts whose field contains what is asked for, newest first.
fn search(accounts: &[Value], request: &Request) -> Vec<Value> {
    let Some((field, part)) = filter(request) else {
        return accounts.to_vec();
    };
    let holds = |account: &&Value| {
        let text = account[&field].as_str().unwrap_or_default().to_lowercase();
        text.contains(&part.to_lowercase())
    };
    accounts.iter().rev().filter(holds).cloned().collect()
}

/// The part of a list that a request asks for.
fn page(all: &[Value], request: &Request) -> Response {
    let query = wire::query(request);
    let number = |name| wire::find(&query, name).and_then(|n| n.parse::<usize>().ok());
    let (offset, limit) = (
        number("offset").unwrap_or(0),
        number("limit").unwrap_or(20).min(100),
    );
    let data: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
    let more = offset + data.len() < all.len();
    wire::json(
        200,
        &json!({"data": data, "has_more": more, "offset": offset, "limited": limit}),
    )
}

/// Field and value of `filtering[field:op]=value`.
fn filter(request: &Request) -> Option<(String, String)> {
    wire::query(request).into_iter().find_map(|(name, value)| {
        let field = name.strip_prefix("filtering[")?.strip_suffix(']')?;
        let field = field.split(':').next()?;
        (field != "valid").then(|| (field.to_owned(), value))
    })
}

/// How a call is named in scripts and expectations: `GET /customers/20000001`,
/// `GET /accounts email=an@example.vn`, `GET /account KV-thu-20000001`, `POST /account`; pages after
/// the first end in ` offset=100`.
fn key(side: Side, request: &Request) -> String {
    let query = wire::query(request);
    let path = request.uri().path();
    let path = path.strip_prefix("/api/v6.1").unwrap_or(path);
    let path: String = url::form_urlencoded::parse(path.replace('+', "%2B").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    let mut key = format!("{} {path}", request.method());
    let mut offset = wire::find(&query, "offset");
    match side {
        Side::KiotViet => {
            offset = wire::find(&query, "currentItem");
            if wire::find(&query, "lastModifiedFrom").is_some() {
                key.push_str("?lastModifiedFrom");
            }
            if key == "POST /webhooks" {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                key.push(' ');
                key.push_str(body["Webhook"]["Type"].as_str().unwrap_or_default());
            }
        }
        Side::Getfly => {
            if let Some((field, value)) = filter(request) {
                let field = if field == "phone_office" {
                    "phone"
                } else {
                    &field
                };
                key.push_str(&format!(" {field}={value}"));
            }
            for name in ["account_code", "order_code"] {
                if let Some(code) = wire::find(&query, name) {
                    key.push(' ');
                    key.push_str(code);
                }
            }
        }
    }
    if let Some(offset) = offset.filter(|o| *o != "0") {
        key.push_str(&format!(" offset={offset}"));
    }
    key
}

/// The little that scripted vendors need of HTTP, JSON numbers and KiotViet's times.
mod wire {
    use crate::sim::{Request, Response};
    use bytes::Bytes;
    use jiff::{Timestamp, tz::Offset};
    use rust_decimal::Decimal;
    use serde_json::Value;

    /// `2021-11-19T15:01:00.3270000`: Vietnam's wall time.
    pub(super) fn rest_time(at: Timestamp) -> String {
        let wall = Offset::constant(7).to_datetime(at);
        let fraction = wall.subsec_nanosecond() / 100;
        format!("{}.{fraction:07}", wall.strftime("%Y-%m-%dT%H:%M:%S"))
    }

    pub(super) fn json(status: u16, body: &Value) -> Response {
        let json = "application/json; charset=utf-8";
        raw(status, json, body.to_string().into_bytes())
    }

    pub(super) fn raw(status: u16, content_type: &'static str, body: Vec<u8>) -> Response {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        let content_type = http::HeaderValue::from_static(content_type);
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, content_type);
        response
    }

    /// The query's pairs, decoded.
    pub(super) fn query(request: &Request) -> Vec<(String, String)> {
        let query = request.uri().query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect()
    }

    pub(super) fn find<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut pairs = query.iter();
        let found = pairs.find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// One spelling for each number: 5.0 is 5, 1e3 is 1000.
    pub(super) fn normal(number: &serde_json::Number) -> String {
        let text = number.to_string();
        let decimal = text.parse().or_else(|_| Decimal::from_scientific(&text));
        decimal.map_or(text, |d: Decimal| d.normalize().to_string())
    }
}
