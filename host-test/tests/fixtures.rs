//! Every folder of `host-test/fixtures`, run natively and as WebAssembly. Each claims one sentence of the rules or one
//! trouble met in the field; a folder without an expectation, with an unknown member or with a
//! scripted answer that nobody asked for is a failure.

use host_test::{
    fixture::{Fixture, Runner, Surroundings, run},
    harness::Harness,
    native::{GETFLY, KIOTVIET, KIOTVIET_ID, Native},
    sim::{Request, Response, SimClock, TokioClock},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

struct Natively(Native);

impl Runner for Natively {
    async fn request(&self, request: Request) -> Response {
        let answer = self.0.request(request).await;
        let mut response = http::Response::builder().status(answer.status);
        if let Some(content_type) = answer.content_type {
            response = response.header("content-type", content_type);
        }
        response.body(answer.body.into()).unwrap()
    }

    async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn log(&self) -> Vec<String> {
        self.0.log()
    }
}

async fn natively(s: Surroundings) -> Natively {
    let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(s.start));
    Natively(Native::new(s.variables, s.kiotviet, s.getfly, clock, 1))
}

/// The component in the host.
struct AsWasm(Harness);

impl Runner for AsWasm {
    async fn request(&self, request: Request) -> Response {
        let outcome = self.0.request(request).await;
        let mut response = Response::new(outcome.body);
        *response.status_mut() = http::StatusCode::from_u16(outcome.status).unwrap();
        *response.headers_mut() = outcome.headers;
        response
    }

    async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn log(&self) -> Vec<String> {
        self.0.logs()
    }
}

async fn as_wasm(s: Surroundings) -> AsWasm {
    let mut harness = Harness::builder()
        .upstream(KIOTVIET, s.kiotviet.clone())
        .upstream(KIOTVIET_ID, s.kiotviet)
        .upstream(GETFLY, s.getfly)
        .clock(Arc::new(TokioClock::starting_at(s.start)));
    for (name, value) in &s.variables {
        harness = harness.variable(name, value);
    }
    AsWasm(harness.build().expect("the component builds"))
}

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders: Vec<PathBuf> = fs::read_dir(all)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Every fixture, or those whose name contains the variable `FIXTURE`.
fn fixtures() -> Vec<Fixture> {
    let wanted = std::env::var("FIXTURE").unwrap_or_default();
    let wanted = |path: &PathBuf| path.to_string_lossy().contains(&wanted);
    folders()
        .into_iter()
        .filter(wanted)
        .map(|path| Fixture::read(&path).unwrap_or_else(|e| panic!("{}: {e:#}", path.display())))
        .collect()
}

/// A runtime for one fixture, so that it inherits nobody's time.
fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn play(fixture: &Fixture) -> Vec<String> {
    paused().block_on(run(fixture, natively))
}

fn play_as_wasm(fixture: &Fixture) -> Vec<String> {
    paused().block_on(run(fixture, as_wasm))
}

#[test]
fn every_fixture_does_what_it_expects() {
    all_do_what_they_expect(play);
}

#[test]
fn every_fixture_does_the_same_as_wasm() {
    all_do_what_they_expect(play_as_wasm);
}

fn all_do_what_they_expect(play: impl Fn(&Fixture) -> Vec<String>) {
    let mut failed = Vec::new();
    for fixture in fixtures() {
        let wrong = play(&fixture);
        match (&fixture.known_failure, wrong.is_empty()) {
            (None, true) | (Some(_), false) => {}
            (Some(why), true) => failed.push(format!(
                "{}: passes, though it is known to fail: {why}",
                fixture.name
            )),
            (None, false) => failed.push(format!("{}:\n{}", fixture.name, wrong.join("\n"))),
        }
    }
    assert!(
        failed.is_empty(),
        "{} fixtures failed\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

#[test]
fn every_known_failure_says_why_it_is_one() {
    for fixture in fixtures() {
        let why = fixture.known_failure.unwrap_or("a reason".to_owned());
        assert!(why.trim().len() >= 6, "{}", fixture.name);
    }
}

/// What folder names begin with: a rule, a decision of the rules, a complaint from the field, a body
/// that nobody should send, or a signature.
const AREAS: [&str; 30] = [
    "r01",
    "r02",
    "r03",
    "r04",
    "r05",
    "r06",
    "r07",
    "r08",
    "r09",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "hint",
    "new",
    "edit",
    "phone",
    "email",
    "first",
    "money",
    "codes",
    "gender",
    "refused",
    "retried",
    "twins",
    "field",
    "hostile",
    "signature",
    "answer",
];

#[test]
fn every_rule_and_decision_has_a_fixture_and_every_name_an_area() {
    let names: Vec<String> = folders()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for area in AREAS {
        let mine = |name: &&String| name.split('_').next() == Some(area);
        assert!(names.iter().any(|n| mine(&n)), "no fixture is about {area}");
    }
    for name in &names {
        let area = name.split('_').next().unwrap();
        assert!(AREAS.contains(&area), "{name} begins with no known area");
        let clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(clean), "{name} is not lower_snake_case");
    }
}

/// A fixture of these files, read from a folder that is gone afterwards.
fn made(name: &str, files: &[(&str, &str)]) -> Result<Fixture, String> {
    let root = std::env::temp_dir().join(format!("fixture-{}-{name}", std::process::id()));
    let folder = root.join(name);
    fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    let fixture = Fixture::read(&folder).map_err(|e| format!("{e:#}"));
    fs::remove_dir_all(root).unwrap();
    fixture
}

#[test]
fn a_folder_that_is_not_whole_is_refused() {
    let case = |name: &str, files: &[(&str, &str)]| made(name, files).map(|fixture| fixture.name);
    let expect = r#"{"says": "R2", "events": [], "calls": [], "created": []}"#;
    let request = ("request.json", "{}");
    assert_eq!(
        case("whole", &[request, ("expect.json", expect)]),
        Ok("whole".to_owned())
    );
    for (name, files, why) in [
        ("no_expectation", vec![request], "no expect.json"),
        (
            "unknown_member",
            vec![
                request,
                (
                    "expect.json",
                    r#"{"says": "R2", "events": [], "calls": [], "created": [], "orders": 1}"#,
                ),
            ],
            "unknown field `orders`",
        ),
        (
            "unknown_event_member",
            vec![
                request,
                (
                    "expect.json",
                    r#"{"says": "R2", "events": [{"state": "done", "why": 1}], "calls": [], "created": []}"#,
                ),
            ],
            "unknown field `why`",
        ),
        (
            "half_an_expectation",
            vec![
                request,
                (
                    "expect.json",
                    r#"{"says": "R2", "events": [], "calls": []}"#,
                ),
            ],
            "missing field `created`",
        ),
        (
            "unread_file",
            vec![request, ("expect.json", expect), ("expected.json", "{}")],
            "nobody reads",
        ),
        (
            "nothing_delivered",
            vec![("expect.json", expect)],
            "delivers nothing",
        ),
        (
            "broken_json",
            vec![("request.json", "{"), ("expect.json", expect)],
            "a broken body is a .bin",
        ),
    ] {
        let error = case(name, &files).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
    }
}

#[test]
fn what_differs_from_the_script_is_told() {
    let hook = r#"{"Notifications": [{"Action": "customer.update.1", "Data": [{"Id": 5}]}]}"#;
    let expect = r#"{"says": "R6", "calls": ["kiotviet GET /customers/5", "kiotviet GET /branches"], "created": [],
        "events": [{"state": "done", "reason": "deleted_on_kiotviet"}]}"#;
    let play = |answers: &str| {
        let files = [
            ("request.json", hook),
            // What a signed delivery tells of is asked for several times.
            ("headers", "unsigned"),
            ("answers.json", answers),
            ("expect.json", expect),
        ];
        play(&made("script", &files).unwrap()).join("\n")
    };
    let gone = r#""GET /customers/5": 404"#;
    assert_eq!(play(&format!(r#"{{"kiotviet": {{{gone}}}}}"#)), "");
    for (answers, told) in [
        ("{}".to_owned(), "nobody scripted an answer to kiotviet"),
        (
            format!(r#"{{"kiotviet": {{{gone}, "GET /customers/6": 404}}}}"#),
            "\"GET /customers/6\" was used 0 of 1 times",
        ),
        (
            r#"{"kiotviet": {"GET /customers/5": []}}"#.to_owned(),
            "asked more often than it has answers",
        ),
        (
            r#"{"kiotviet": {"GET /customers/5": "nonsense"}}"#.to_owned(),
            "no answer is called",
        ),
    ] {
        let wrong = play(&answers);
        assert!(wrong.contains(told), "{answers}: {wrong}");
    }
}
