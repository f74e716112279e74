//! Claims that a fixture is complete or refused, that each rule and decision has one, and that
//! every difference from its script or expectation is reported.

use host_test::fixture::{Fixture, folders, play};
use std::fs;

/// Every fixture.
fn fixtures() -> Vec<Fixture> {
    let read = |path: &std::path::PathBuf| {
        Fixture::read(path).unwrap_or_else(|e| panic!("{}: {e:#}", path.display()))
    };
    folders().expect("fixtures").iter().map(read).collect()
}

#[test]
fn every_known_failure_says_why_it_is_one() {
    for fixture in fixtures() {
        let why = fixture.known_failure.unwrap_or("a reason".to_owned());
        assert!(why.trim().len() >= 6, "{}", fixture.name);
    }
}

/// What folder names begin with: a rule, a decision of the rules, a complaint from the field, a
/// body that must not be sent, or a signature.
const AREAS: [&str; 31] = [
    "fnb",
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
        .expect("fixtures")
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
            // A record that a signed delivery names is read several times.
            ("headers", "unsigned"),
            ("answers.json", answers),
            ("expect.json", expect),
        ];
        play(&made("script", &files).unwrap()).unwrap().join("\n")
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
